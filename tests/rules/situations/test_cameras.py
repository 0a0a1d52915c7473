"""Cameras that look at the wrong lane (situations, 50)."""

from typing import TYPE_CHECKING

from gatekeeper.model import Doubt

if TYPE_CHECKING:
    from tests.rules.situations.conftest import Site

STAFF = ["闽C12345", "京A88881", "沪B20202", "粤E31313", "浙F45454", "苏K67676"]
ALARM, ZONE = "cameras_exchanged", "visitor_zone"


def exchanged(site: "Site", *, rounds: int) -> None:
    """Three are inside when the cameras of the inner gate are exchanged: who leaves is seen at the
    entry, and who comes at the exit.
    """
    site.employ(*STAFF)
    for plate in STAFF[:3]:
        site.enter(plate)
    for leaves, comes in list(zip(STAFF[:3], STAFF[3:], strict=True))[:rounds]:
        site.enter(leaves)
        site.leave(comes)


def test_row_50_cars_that_come_and_are_inside_and_leave_and_are_not_are_an_alarm(
    site: "Site",
) -> None:
    exchanged(site, rounds=3)
    assert ALARM in site.standing(ZONE)


def test_row_50_before_it_is_sure_no_one_can_overstay_for_certain(site: "Site") -> None:
    exchanged(site, rounds=2)
    assert ALARM not in site.standing(ZONE)
    assert Doubt.CAMERAS_EXCHANGED in site.doubts(STAFF[2])

    site.enter(STAFF[5])
    site.wait(minutes=30)
    assert site.doubts(STAFF[5]) == {Doubt.CAMERAS_EXCHANGED}
    assert not site.banned(STAFF[5])


def test_row_50_when_all_fits_again_the_alarm_is_over(site: "Site") -> None:
    exchanged(site, rounds=3)
    for plate in ("闽C22221", "闽D33332"):
        site.bind(plate)
        site.enter(plate)
    site.leave("闽C22221")
    assert ALARM not in site.standing(ZONE)


def test_row_50_one_car_that_was_missed_is_no_sign_of_it(site: "Site") -> None:
    site.employ(*STAFF)
    for _ in range(3):
        for plate in STAFF[:2]:
            site.enter(plate)
        site.leave(STAFF[0])
        site.leave(STAFF[1])
        site.leave(STAFF[2])
    assert ALARM not in site.alarms(ZONE)
