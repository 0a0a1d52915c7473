"""What a driver reads at the lane, from the first look until the lane is clear again."""

from typing import Any

import pytest

from gatekeeper.clock import SystemClock
from gatekeeper.model import Direction, ListName, Order, SiteState
from gatekeeper.rules.passage import State

# `bench` is the fixture of conftest.py, whose type cannot be imported from there.
Bench = Any

VISITOR = "闽C12F57"


async def reads(bench: Bench, *words: str) -> Any:
    """Wait until the display shows all of these words."""

    def shown() -> Any:
        lines = " ".join(bench.display.texts[-1].lines) if bench.display.texts else ""
        return all(word in lines for word in words) and bench.display.texts[-1]

    return await bench.until(shown)


async def test_an_admitted_driver_reads_the_plate_and_the_next_one_the_free_spaces(
    bench: Bench,
) -> None:
    bench.zones.recount("visitor_zone", 12, "guard", "counted")
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.arrive(VISITOR)
    assert VISITOR in (await reads(bench, VISITOR, "请通行")).voice
    await bench.in_state(State.OPENING)
    bench.cross()
    await bench.ended()
    await reads(bench, "余位 47")


async def test_a_driver_who_is_told_to_bind_reads_that_it_worked(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await reads(bench, "请扫码绑定车牌")
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.lane.reconsider()
    await reads(bench, VISITOR, "请通行")


async def test_an_internal_driver_reads_how_many_minutes_there_are(bench: Bench) -> None:
    await bench.list_plate(ListName.INTERNALS, VISITOR)
    bench.arrive(VISITOR)
    await reads(bench, VISITOR, "限停10分钟")


async def test_an_unread_driver_is_asked_to_wait(bench: Bench) -> None:
    bench.arrive("")
    await reads(bench, "未识别车牌", "请稍候")


async def test_a_look_alike_of_a_blacklisted_plate_waits_while_it_is_looked_at_again(
    bench: Bench,
) -> None:
    await bench.list_plate(ListName.BLACKLIST, "闽C1ZF57")
    bench.arrive(VISITOR)
    await bench.until(lambda: any(text.lines == ("请稍候",) for text in bench.display.texts))


async def test_a_driver_who_waits_for_a_second_look_is_asked_to_only_once(bench: Bench) -> None:
    await bench.list_plate(ListName.BLACKLIST, "闽C1ZF57")
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    asked = [text for text in bench.display.texts if text.lines == ("请稍候",)]
    assert len(asked) == 1


async def test_a_driver_let_in_by_a_person_reads_so(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await bench.in_state(State.REFUSED)
    now = SystemClock().instant().wall
    await bench.lane.obey(
        Order(
            id="o1",
            verb="open",
            lane="lane",
            by="guard",
            reason="a delivery",
            expires_at=now,
        )
    )
    await reads(bench, VISITOR, "人工放行")


async def test_the_driver_is_told_before_the_barrier_is(bench: Bench) -> None:
    told: list[int] = []
    show = bench.display.show

    def noting(text: Any) -> None:
        told.append(len(bench.barrier.commands))
        show(text)

    bench.display.show = noting
    await bench.list_plate(ListName.VISITORS, VISITOR)
    bench.arrive(VISITOR)
    await bench.until(lambda: bench.barrier.commands)
    assert told == [0]


async def test_who_backs_out_leaves_no_text_behind(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await reads(bench, VISITOR)
    bench.back_out()
    await bench.ended()
    await reads(bench, "减速慢行")
    assert VISITOR not in str(bench.display.texts[-1])


async def test_free_spaces_that_are_not_known_are_not_shown(bench: Bench) -> None:
    assert "余位" not in str(await reads(bench, "减速慢行"))


async def test_an_empty_lane_shows_a_new_count_at_once(bench: Bench) -> None:
    await reads(bench, "减速慢行")
    bench.zones.recount("visitor_zone", 58, "guard", "counted")
    bench.lane.reconsider()
    await reads(bench, "余位 2")


async def test_a_lockdown_is_told_to_the_driver(bench: Bench) -> None:
    bench.site[0] = SiteState(lockdown=True)
    bench.arrive(VISITOR)
    await reads(bench, "临时封闭")


@pytest.mark.parametrize("direction", [Direction.EXIT])
async def test_who_leaves_is_wished_a_good_journey(bench: Bench) -> None:
    bench.arrive(VISITOR)
    await reads(bench, VISITOR, "一路顺风")
