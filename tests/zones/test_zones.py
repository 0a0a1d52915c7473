"""The clerk of the zones, on a real store, in virtual time."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatekeeper.health import Health
from gatekeeper.model import (
    Admits,
    AlarmCleared,
    AlarmRaised,
    Colour,
    ControllerStarted,
    Decision,
    Direction,
    Doubt,
    Fact,
    Grounds,
    Judgement,
    Limit,
    ListName,
    ListRow,
    ListSnapshot,
    PassageEnd,
    PassageEnded,
    PeerEvent,
    PeerHealth,
    Reason,
    Sighting,
    SiteState,
    Stay,
    StayEnd,
    VehicleClass,
    VehicleDecided,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rehearsal import VirtualClock, at_once
from gatekeeper.rehearsal.clock import EPOCH
from gatekeeper.store import Store
from gatekeeper.zones import Ended, Place, ZonePlan, Zones

CAR, OTHER = "京A12345", "沪B67890"
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
HALL = ZonePolicy(zone="hall", admits=Admits.REGISTERED, capacity=60, limit=LIMIT)
CAR_PARK = replace(HALL, zone="car_park", admits=Admits.EVERYBODY, capacity=400)
PLACES = {
    "in": Place(lane="in", zone="hall", direction=Direction.ENTRY),
    "out": Place(lane="out", zone="hall", direction=Direction.EXIT),
    "out-2": Place(lane="out-2", zone="hall", direction=Direction.EXIT),
}


def sighting(plate: str) -> Sighting:
    return Sighting(
        plate=plate,
        confidences=(0.999,) * len(plate),
        colour=Colour.BLUE,
        rows=1,
        agreeing=3,
        frames=(1, 2, 3),
        alternatives=(),
        certain=True,
        first_at=0.0,
        last_at=0.2,
    )


@dataclass
class Clerk:
    """The zones of one controller, whose peer `north` runs an exit of the hall, too."""

    zones: Zones
    store: Store
    clock: VirtualClock
    seq: int = 0

    def passage(self, lane: str, plate: str | None, *doubts: Doubt) -> Ended:
        admitted = Decision(
            verdict=Verdict.ADMIT,
            reason=Reason.INTERNAL,
            rule="internal",
            plate=plate,
            vehicle=VehicleClass.INTERNAL,
            certain=plate is not None,
            limit=LIMIT,
        )
        return Ended(
            lane=lane,
            passage=f"p {self.clock.true_s}",
            end=PassageEnd.PASSED,
            sighting=sighting(plate) if plate else None,
            decision=admitted,
            arrived=self.clock.instant(),
            at=self.clock.instant(),
            doubts=doubts,
        )

    def hears(self, fact: Fact | None, *, lane: str = "exit", ago_s: float = 0.0) -> None:
        """An event of the peer."""
        self.seq += 1
        at_once(
            self.zones.heard(
                PeerEvent(
                    controller="north",
                    journal="j1",
                    seq=self.seq,
                    lane=lane,
                    passage="p",
                    occurred_at=self.clock.instant(self.clock.boot_s() - ago_s).wall,
                    clock_trusted=True,
                    fact=fact,
                )
            )
        )

    def hears_health(self, *alarms: str) -> None:
        at_once(
            self.zones.heard(
                PeerHealth(
                    controller="north",
                    journal="j1",
                    seq=self.seq,
                    at=self.clock.instant().wall,
                    clock_trusted=True,
                    alarms=alarms,
                )
            )
        )

    def stays(self, zone: str = "hall") -> list[Stay]:
        return [each for each in at_once(self.store.open_stays()) if each.zone == zone]

    def doubts(self) -> list[Doubt]:
        return [doubt for each in self.stays() for doubt in each.doubts]


def zones_on(store: Store, clock: VirtualClock) -> Zones:
    return Zones(
        PLACES,
        [ZonePlan(policy=HALL, inside="car_park", peers=("north",)), ZonePlan(policy=CAR_PARK)],
        store=store,
        clock=clock,
        health=Health(clock),
        certain=0.98,
        peers=["north"],
    )


def internals(*plates: str, version: int = 1) -> ListSnapshot:
    rows = tuple(ListRow(list=ListName.INTERNALS, plate=plate) for plate in plates)
    return ListSnapshot(list=ListName.INTERNALS, version=version, rows=rows)


@pytest.fixture
def clerk(tmp_path: Path) -> Iterator[Clerk]:
    """The peer was heard, and an internal car has just entered the hall."""
    clock, store = VirtualClock(), Store.rehearsal(tmp_path / "gatekeeper.db")
    at_once(store.replace(internals(CAR, OTHER), clock.instant()))
    clerk = Clerk(zones_on(store, clock), store, clock)
    at_once(clerk.zones.start())
    clerk.hears_health()
    at_once(clerk.zones.ended(clerk.passage("in", CAR)))
    assert clerk.doubts() == []
    yield clerk
    at_once(store.close())


LEFT = PassageEnded(
    end=PassageEnd.PASSED,
    plate=OTHER,
    decided=True,
    certain=True,
    zone="hall",
    direction=Direction.EXIT,
    sighting=sighting(OTHER),
)


# --- the peer's lanes -----------------------------------------------------------------------


def test_who_leaves_at_the_peer_is_outside(clerk: Clerk) -> None:
    clerk.clock.true_s += 300
    clerk.hears(replace(LEFT, plate=CAR, sighting=sighting(CAR)))

    assert clerk.stays() == []


def test_who_leaves_at_the_peer_unread_could_have_been_anybody(clerk: Clerk) -> None:
    clerk.clock.true_s += 60
    clerk.hears(replace(LEFT, plate=None, sighting=None))

    assert clerk.doubts() == [Doubt.COULD_HAVE_LEFT]


def test_a_passage_at_an_exit_of_a_zone_that_is_not_known_here_is_passed_over(
    clerk: Clerk,
) -> None:
    clerk.clock.true_s += 60
    clerk.hears(replace(LEFT, zone="annex"))

    assert clerk.doubts() == []


def test_a_plate_seen_at_the_peers_entry_is_outside_whatever_else_was_suspicious_there(
    clerk: Clerk,
) -> None:
    clerk.clock.true_s += 300
    came = replace(
        LEFT,
        plate=CAR,
        sighting=sighting(CAR),
        direction=Direction.ENTRY,
        doubts=(Doubt.DIRECTION_UNKNOWN,),
    )
    clerk.hears(came, lane="entry")

    assert clerk.stays() == []
    (ended,) = at_once(clerk.store.ended_stays(clerk.clock.instant(0.0).wall))
    assert ended.end is StayEnd.UNOBSERVED


def test_a_queue_at_the_peers_exit_is_not_the_drivers_fault(clerk: Clerk) -> None:
    clerk.clock.true_s += 400
    clerk.hears(replace(LEFT, lasted_s=90.0))

    assert clerk.zones.wake_at == 480.0 + 90.0 + 10.0


WAITS = VehicleDecided(
    decision=Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.EXIT,
        rule="exit",
        plate=CAR,
        vehicle=VehicleClass.INTERNAL,
        certain=True,
    ),
    sighting=sighting(CAR),
    picture=None,
    zone="hall",
    grounds=Grounds(
        direction=Direction.EXIT,
        rows=(),
        zone=ZoneState(zone="hall", count=1, trusted=True),
        site=SiteState(),
        now=EPOCH,
        certain=0.98,
    ),
)


def keep_awake(clerk: Clerk, for_s: float) -> None:
    """The peer goes on telling that it is well."""
    for _ in range(int(for_s // 30)):
        clerk.clock.true_s += 30
        clerk.hears_health()
        at_once(clerk.zones.wake())


def test_who_stands_in_the_peers_exit_when_the_limit_ends_is_not_judged(clerk: Clerk) -> None:
    keep_awake(clerk, 570)
    clerk.hears(WAITS)
    keep_awake(clerk, 600)
    assert [each.judgement for each in clerk.stays()] == [None]
    assert clerk.zones.wake_at is None

    clerk.hears(replace(LEFT, plate=CAR, sighting=sighting(CAR), lasted_s=601.0))
    (ended,) = at_once(clerk.store.ended_stays(EPOCH))
    assert (ended.end, ended.judgement) == (StayEnd.EXITED, None)


def test_a_peer_that_starts_again_has_forgotten_who_stood_there(clerk: Clerk) -> None:
    keep_awake(clerk, 300)
    clerk.hears(WAITS)
    clerk.hears(ControllerStarted(version="1", boot_id="b"))
    assert clerk.doubts() == [Doubt.RESTART]

    keep_awake(clerk, 600)
    assert [each.judgement for each in clerk.stays()] == [Judgement.SUSPECTED]


# --- what could hide an exit at the peer ----------------------------------------------------


def test_an_alarm_of_the_peer_that_stands_is_on_every_window_open_meanwhile(clerk: Clerk) -> None:
    clerk.hears_health("disk_low")
    assert clerk.doubts() == []

    clerk.hears_health("camera_stale")
    assert clerk.doubts() == [Doubt.EXIT_LANE_UNHEALTHY]


def test_a_camera_that_fails_at_the_peer_is_on_every_open_window(clerk: Clerk) -> None:
    clerk.hears(AlarmRaised(alarm="camera_stale", subject="exit", detail=""))

    (stay,) = clerk.stays()
    (blemish,) = stay.blemishes
    assert (blemish.doubt, blemish.detail) == (Doubt.EXIT_LANE_UNHEALTHY, "north")


def test_while_a_camera_fails_at_the_peer_no_time_counts(clerk: Clerk) -> None:
    clerk.hears(AlarmRaised(alarm="camera_stale", subject="exit", detail=""))
    assert clerk.zones.wake_at is None

    clerk.clock.true_s += 60
    clerk.hears(AlarmCleared(alarm="camera_stale", subject="exit"))
    assert clerk.zones.wake_at == 480.0 + 60.0


def test_a_peer_that_speaks_again_was_silent_all_the_same(clerk: Clerk) -> None:
    clerk.clock.true_s += 76
    clerk.hears_health()

    assert clerk.doubts() == [Doubt.PEER_AWAY]


# --- who is too old to be believed ----------------------------------------------------------


def test_who_is_judged_and_given_up_in_one_moment_is_judged_once(clerk: Clerk) -> None:
    at_once(clerk.zones.ended(clerk.passage("in", OTHER)))
    clerk.zones.occupied("out", True, clerk.clock.boot_s())
    clerk.clock.true_s += 700
    clerk.zones.occupied("out", False, clerk.clock.boot_s())
    clerk.clock.true_s += 86_400
    at_once(clerk.zones.wake())

    assert clerk.stays() == []
    since = clerk.clock.instant(0.0).wall
    assert {each.end for each in at_once(clerk.store.ended_stays(since))} == {StayEnd.ABANDONED}
    pending = at_once(clerk.store.pending(0, 1000))
    assert sum(each.kind == "stay.suspected" for each in pending) == 2


def test_a_stay_in_a_zone_that_is_no_longer_configured_is_given_up_at_the_start(
    clerk: Clerk,
) -> None:
    again = Zones(
        {},
        [ZonePlan(policy=CAR_PARK)],
        store=clerk.store,
        clock=clerk.clock,
        health=Health(clerk.clock),
        certain=0.98,
    )
    at_once(again.start())

    assert clerk.stays() == []
    (ended,) = at_once(clerk.store.ended_stays(clerk.clock.instant(0.0).wall))
    assert (ended.end, ended.judgement) == (StayEnd.ABANDONED, None)


# --- lists ----------------------------------------------------------------------------------


def test_who_is_no_longer_bound_by_a_limit_has_none_and_who_still_is_keeps_it(
    clerk: Clerk,
) -> None:
    at_once(clerk.zones.ended(clerk.passage("in", OTHER)))
    at_once(clerk.store.replace(internals(OTHER, version=2), clerk.clock.instant()))
    at_once(clerk.zones.lists_changed(None))

    assert {each.plate: each.limit for each in clerk.stays()} == {CAR: None, OTHER: LIMIT}


def test_a_change_that_was_stored_and_not_told_lifts_the_limit_at_the_next_start(
    clerk: Clerk,
) -> None:
    at_once(clerk.store.replace(internals(OTHER, version=2), clerk.clock.instant()))
    at_once(zones_on(clerk.store, clerk.clock).start())

    assert [each.limit for each in clerk.stays()] == [None]


# --- one thing at a time --------------------------------------------------------------------


async def test_two_lanes_at_once_do_not_undo_each_other(tmp_path: Path) -> None:
    clock, store = VirtualClock(), await Store.open(tmp_path / "gatekeeper.db")
    await store.replace(internals(CAR), clock.instant())
    clerk = Clerk(zones_on(store, clock), store, clock)
    await clerk.zones.start()
    await clerk.zones.ended(clerk.passage("in", CAR))
    clock.true_s += 300
    await asyncio.gather(
        clerk.zones.ended(clerk.passage("out", CAR)),
        clerk.zones.doubt("out-2", Doubt.DIRECTION_UNKNOWN),
    )

    assert await store.open_stays() == ()
    await store.close()


async def test_two_doubts_at_once_are_both_found(tmp_path: Path) -> None:
    clock, store = VirtualClock(), await Store.open(tmp_path / "gatekeeper.db")
    await store.replace(internals(CAR), clock.instant())
    clerk = Clerk(zones_on(store, clock), store, clock)
    await clerk.zones.start()
    await clerk.zones.ended(clerk.passage("in", CAR))
    await asyncio.gather(
        clerk.zones.doubt("out", Doubt.TAILGATING),
        clerk.zones.doubt("out-2", Doubt.DIRECTION_UNKNOWN),
        clerk.zones.watched("out", watched=False),
    )

    (stay,) = await store.open_stays()
    assert set(stay.doubts) >= {
        Doubt.TAILGATING,
        Doubt.DIRECTION_UNKNOWN,
        Doubt.EXIT_LANE_UNHEALTHY,
    }
    await store.close()


async def test_an_exit_that_becomes_free_meanwhile_wakes_everybody(tmp_path: Path) -> None:
    clock, store = VirtualClock(), await Store.open(tmp_path / "gatekeeper.db")
    await store.replace(internals(CAR), clock.instant())
    clerk = Clerk(zones_on(store, clock), store, clock)
    await clerk.zones.start()
    await clerk.zones.ended(clerk.passage("in", CAR))
    clerk.zones.occupied("out", True, clock.boot_s())
    assert clerk.zones.wake_at is None
    doubting = asyncio.create_task(clerk.zones.doubt("out-2", Doubt.TAILGATING))
    await asyncio.sleep(0)
    clerk.zones.occupied("out", False, clock.boot_s())
    await doubting

    assert clerk.zones.wake_at is not None
    await store.close()
