"""Rows of the rules on the simulated kerb: who may pass, and what the driver reads."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kerb.conftest import Kerb

pytestmark = pytest.mark.asyncio(loop_scope="session")

ZONE = "visitor_zone"


async def test_row_16_a_person_names_an_unreadable_plate_and_it_is_decided_as_usual(
    kerb: "Kerb",
) -> None:
    await kerb.listed("bind 闽C61A11")
    await kerb.arrives()
    await kerb.decided("refuse", "unreadable")
    asked = await kerb.told(kind="vehicle.assistance")
    assert asked["reason"] == "unreadable"
    await kerb.shows("未识别车牌")
    (waiting,) = kerb.passages("vehicle.arrived")
    await kerb.order("identify", f"lane={kerb.lane} passage={waiting} plate=闽C61A11")
    await kerb.decided("admit", "visitor", "闽C61A11")
    await kerb.opened()
    await kerb.crosses()


async def test_row_20_who_binds_at_the_gate_is_admitted_without_moving(kerb: "Kerb") -> None:
    plate = "浙A71B22"
    await kerb.arrives(plate)
    await kerb.decided("refuse", "not_bound", plate)
    await kerb.shows("请扫码绑定车牌")
    assert kerb.pulses == 0
    await kerb.listed(f"bind {plate}")
    await kerb.opened()
    await kerb.decided("admit", "visitor", plate)
    await kerb.shows("请通行")
    await kerb.crosses()
    assert kerb.pulses == 1


async def test_row_20_who_comes_off_the_blacklist_is_admitted_without_moving(kerb: "Kerb") -> None:
    plate = "闽C81D33"
    await kerb.listed(f"bind {plate}")
    await kerb.listed(f"ban {plate}")
    await kerb.arrives(plate)
    await kerb.decided("refuse", "blacklisted", plate)
    await kerb.shows("禁止入内")
    await kerb.listed(f"pardon {plate}")
    await kerb.decided("admit", "visitor", plate)
    await kerb.opened()
    await kerb.crosses()


async def test_row_21_the_exempt_list_wins_over_the_blacklist(kerb: "Kerb") -> None:
    plate = "闽C92E44"
    await kerb.listed(f"ban {plate}")
    await kerb.listed(f"exempt {plate}")
    await kerb.arrives(plate)
    await kerb.decided("admit", "exempt", plate)
    await kerb.opened()
    await kerb.crosses()


async def test_row_22_a_lockdown_stops_entries_and_no_exit(kerb: "Kerb") -> None:
    plate, exit_lane = "闽C13F55", kerb.at("inner-exit")
    await kerb.listed(f"bind {plate}")
    await kerb.order("lockdown", "on=true")
    await kerb.arrives(plate)
    await kerb.decided("refuse", "lockdown", plate)
    await kerb.shows("临时封闭")
    await exit_lane.arrives("浙A24G66")
    await exit_lane.opened()
    await exit_lane.crosses()
    assert kerb.pulses == 0
    await kerb.order("lockdown", "on=false")
    await kerb.opened()
    await kerb.crosses()


async def test_row_29_a_full_zone_refuses_until_there_is_a_space(kerb: "Kerb") -> None:
    plate = "闽C35H77"
    await kerb.listed(f"bind {plate}")
    await kerb.order("recount", f"zone={ZONE} count=60")
    await kerb.arrives(plate)
    await kerb.decided("refuse", "zone_full", plate)
    await kerb.shows("车位已满")
    await kerb.order("recount", f"zone={ZONE} count=59")
    await kerb.decided("admit", "visitor", plate)
    await kerb.opened()
    await kerb.crosses()
    await kerb.order("recount", f"zone={ZONE} count=0")
