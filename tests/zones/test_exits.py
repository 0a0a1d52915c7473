"""What is known of the exits: the hall has some here and at a peer, the car park one here."""

from datetime import UTC, datetime

import pytest

from gatekeeper.model import Decision, Direction, Instant, PassageEnd, Reason, VehicleClass, Verdict
from gatekeeper.rules.journey import Ended, Place
from gatekeeper.zones.exits import Exits

AT = Instant(boot_id="a", boot_s=0.0, wall=datetime(2026, 11, 23, 9, tzinfo=UTC), trusted=True)
IN = Place(lane="in", zone="hall", direction=Direction.ENTRY)
OUT = Place(lane="out", zone="hall", direction=Direction.EXIT)
GATE = Place(lane="gate", zone="car_park", direction=Direction.EXIT)
ADMITTED = Decision(
    verdict=Verdict.ADMIT,
    reason=Reason.EXIT,
    rule="exit",
    plate=None,
    vehicle=VehicleClass.UNREAD,
    certain=False,
)


def passage(end: PassageEnd, decision: Decision | None = ADMITTED) -> Ended:
    return Ended(
        lane="out", passage="p", end=end, sighting=None, decision=decision, arrived=AT, at=AT
    )


@pytest.fixture
def exits() -> Exits:
    return Exits([IN, OUT, GATE], {"hall": ["north"], "car_park": []})


# --- watched --------------------------------------------------------------------------------


def test_at_first_every_exit_is_watched(exits: Exits) -> None:
    assert exits.is_watched("out")
    assert not exits.is_blind("hall")


@pytest.mark.parametrize("device", ["out", "north/out-2", "north/board"])
def test_a_zone_is_blind_while_one_of_its_exits_cannot_be_watched(
    exits: Exits, device: str
) -> None:
    exits.watch(device, watched=False)
    assert exits.is_blind("hall")
    assert not exits.is_blind("car_park")
    exits.watch(device, watched=True)
    assert not exits.is_blind("hall")


@pytest.mark.parametrize("device", ["in", "north-east/out"])
def test_an_entry_or_another_controllers_device_makes_no_zone_blind(
    exits: Exits, device: str
) -> None:
    exits.watch(device, watched=False)
    assert not exits.is_blind("hall")


def test_what_fails_at_a_peer_is_told_apart_from_what_fails_here(exits: Exits) -> None:
    for device in ("out", "north/b", "north/a"):
        exits.watch(device, watched=False)
    assert exits.unwatched_at("north") == ["north/a", "north/b"]


# --- doubtful ---------------------------------------------------------------------------------


def test_who_backs_out_of_an_open_exit_leaves_it_doubtful_until_somebody_crosses(
    exits: Exits,
) -> None:
    exits.crossed(OUT, passage(PassageEnd.BACKED_OUT))
    assert exits.doubtful_exit("hall") == "out"
    assert exits.doubtful_exit("car_park") is None
    exits.crossed(OUT, passage(PassageEnd.PASSED_PRESUMED))
    assert exits.doubtful_exit("hall") == "out"
    exits.crossed(OUT, passage(PassageEnd.PASSED))
    assert exits.doubtful_exit("hall") is None


def test_one_exit_proves_nothing_of_another(exits: Exits) -> None:
    exits.crossed(OUT, passage(PassageEnd.BACKED_OUT))
    exits.crossed(GATE, passage(PassageEnd.PASSED))
    assert exits.doubtful_exit("hall") == "out"


def test_who_backs_out_of_an_entry_or_of_a_closed_exit_shows_nothing(exits: Exits) -> None:
    exits.crossed(IN, passage(PassageEnd.BACKED_OUT))
    exits.crossed(OUT, passage(PassageEnd.BACKED_OUT, decision=None))
    assert exits.doubtful_exit("hall") is None


# --- occupied at a peer ---------------------------------------------------------------------


def test_of_a_peer_that_is_doubted_it_is_known_no_longer_who_stands_in_its_lanes(
    exits: Exits,
) -> None:
    for lane in ("north/out-2", "north/out-3", "south/out-4"):
        exits.occupied_at_peer(lane, occupied=True)
    exits.occupied_at_peer("north/out-3", occupied=False)
    assert exits.forget_occupied("north") == ["north/out-2"]
    assert exits.forget_occupied("north") == []
