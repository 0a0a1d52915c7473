"""The zones, on a real store, in virtual time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.health import Health
from gatekeeper.journal import Journal, PastLife, read_past_life
from gatekeeper.model import (
    Admits,
    AlarmCleared,
    AlarmRaised,
    BlacklistAdded,
    BlacklistRemoved,
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
from gatekeeper.store import Store
from gatekeeper.zones import Ended, Place, ZonePlan, Zones
from simulators.virtual import EPOCH, VirtualClock, at_once

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
    journal: Journal
    clock: VirtualClock
    seq: int = 0

    @property
    def store(self) -> Store:
        """What has been posted so far, on the disk."""
        at_once(self.journal.flush())
        return self.journal.store

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

    def hears_health(self, *alarms: str) -> None:
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

    def stays(self, zone: str = "hall") -> list[Stay]:
        return [each for each in at_once(self.store.open_stays()) if each.zone == zone]

    def doubts(self) -> list[Doubt]:
        return [doubt for each in self.stays() for doubt in each.doubts]


def zones_on(journal: Journal, clock: VirtualClock) -> Zones:
    return Zones(
        PLACES,
        [ZonePlan(policy=HALL, inside="car_park", peers=("north",)), ZonePlan(policy=CAR_PARK)],
        journal=journal,
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
    clock = VirtualClock()
    journal = Journal(
        Store.unflushed(tmp_path / "gatekeeper.db"), clock=clock, health=Health(clock)
    )
    at_once(journal.store.replace(internals(CAR, OTHER), clock.instant()))
    clerk = Clerk(zones_on(journal, clock), journal, clock)
    clerk.hears_health()
    clerk.zones.ended(clerk.passage("in", CAR))
    assert clerk.doubts() == []
    yield clerk
    at_once(journal.store.close())


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
        clerk.zones.wake()


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
    (noted,) = stay.noted
    assert (noted.doubt, noted.detail) == (Doubt.EXIT_LANE_UNHEALTHY, "north")


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
    clerk.zones.ended(clerk.passage("in", OTHER))
    clerk.zones.occupied("out", True, clerk.clock.boot_s())
    clerk.clock.true_s += 700
    clerk.zones.occupied("out", False, clerk.clock.boot_s())
    clerk.clock.true_s += 86_400
    clerk.zones.wake()

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
        journal=clerk.journal,
        clock=clerk.clock,
        health=Health(clerk.clock),
        certain=0.98,
    )
    again.restore(at_once(read_past_life(clerk.store, EPOCH)))

    assert clerk.stays() == []
    (ended,) = at_once(clerk.store.ended_stays(clerk.clock.instant(0.0).wall))
    assert (ended.end, ended.judgement) == (StayEnd.ABANDONED, None)


# --- lists ----------------------------------------------------------------------------------


def test_who_is_no_longer_bound_by_a_limit_has_none_and_who_still_is_keeps_it(
    clerk: Clerk,
) -> None:
    clerk.zones.ended(clerk.passage("in", OTHER))
    at_once(clerk.store.replace(internals(OTHER, version=2), clerk.clock.instant()))
    at_once(clerk.zones.ask_lists(None))

    assert {each.plate: each.limit for each in clerk.stays()} == {CAR: None, OTHER: LIMIT}


# --- a store that fails ---------------------------------------------------------------------


def test_while_the_store_fails_every_open_stay_bears_a_doubt_and_no_count_is_trusted(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.zones.recount("hall", 1, "Li", "counted")
    assert clerk.zones.state("hall").trusted
    clerk.journal._fail("store_failed", "the disk is full")

    assert clerk.doubts() == [Doubt.STORE_FAILED]
    assert not clerk.zones.state("hall").trusted
    clerk.zones.ended(clerk.passage("in", OTHER))
    assert {each.plate: each.doubts for each in clerk.stays()}[OTHER] == (Doubt.STORE_FAILED,)

    clerk.journal._succeed()
    assert clerk.zones.state("hall") == ZoneState(zone="hall", count=2, trusted=True)


def test_what_happens_while_the_store_fails_is_written_when_it_writes_again(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_commits: object) -> None:
        raise StoreError("gatekeeper.db: the disk is full; free some space")

    with monkeypatch.context() as disk:
        disk.setattr(clerk.journal.store, "commit_all", full)
        clerk.zones.ended(clerk.passage("out", CAR))
        with pytest.raises(StoreError):
            at_once(clerk.journal.flush())
        clerk.clock.true_s += 3600
        clerk.zones.wake()

    assert clerk.stays() == []
    (ended,) = at_once(clerk.store.ended_stays(EPOCH))
    assert (ended.end, ended.judgement) == (StayEnd.EXITED, None)


def test_a_store_that_is_opened_later_brings_back_who_was_inside_beside_those_who_came_since(
    clerk: Clerk,
) -> None:
    past = at_once(read_past_life(clerk.store, EPOCH))
    journal = Journal(clerk.store, clock=clerk.clock, health=Health(clerk.clock))
    again = Clerk(zones_on(journal, clerk.clock), journal, clerk.clock)
    again.zones.ended(again.passage("in", OTHER))
    again.zones.restore(past)

    assert {each.plate for each in again.stays()} == {CAR, OTHER}
    assert again.zones.state("hall").count == 2
    assert not again.zones.state("hall").trusted


def test_a_peer_heard_since_the_start_is_known_better_than_the_store_knows_it(
    clerk: Clerk,
) -> None:
    clerk.hears(LEFT)
    (mark,) = at_once(clerk.store.peer_marks())
    past = PastLife(marks=(replace(mark, seq=0),))
    clerk.zones.restore(past)
    clerk.seq -= 1
    before = len(at_once(clerk.store.pending(0, 1000)))
    clerk.hears(BlacklistAdded(zone="hall", plate=OTHER, stay="s", by="gate", reason="overstayed"))

    assert at_once(clerk.store.blacklisted(OTHER)) == ()
    assert len(at_once(clerk.store.pending(0, 1000))) == before


# --- what peers say late --------------------------------------------------------------------


def test_a_ban_that_comes_after_its_own_removal_does_not_stay(clerk: Clerk) -> None:
    ban = BlacklistAdded(zone="hall", plate=OTHER, stay="s1", by="gate", reason="overstayed")
    clerk.seq = 10
    clerk.hears(BlacklistRemoved(zone="hall", plate=OTHER, by="Li", reason="an error"))
    clerk.seq = 8
    clerk.hears(ban)
    assert at_once(clerk.store.blacklisted(OTHER)) == ()

    clerk.seq = 11
    clerk.hears(ban)
    assert [each.row.plate for each in at_once(clerk.store.blacklisted(OTHER))] == [OTHER]


def test_an_alarm_of_a_peer_that_comes_after_its_own_end_leaves_the_exit_watched(
    clerk: Clerk,
) -> None:
    clerk.seq = 10
    clerk.hears(AlarmCleared(alarm="camera_stale", subject="exit"))
    clerk.seq = 8
    clerk.hears(AlarmRaised(alarm="camera_stale", subject="exit", detail="no frame"))

    assert clerk.doubts() == [Doubt.EXIT_LANE_UNHEALTHY]
    assert clerk.zones.wake_at is not None


def test_a_start_of_a_peer_that_is_told_late_mends_nothing_that_failed_since(
    clerk: Clerk,
) -> None:
    clerk.seq = 10
    clerk.hears(AlarmRaised(alarm="camera_stale", subject="exit", detail="no frame"))
    clerk.seq = 8
    clerk.hears(ControllerStarted(version="1", boot_id="b"))

    assert clerk.zones.wake_at is None


def test_what_cannot_matter_any_more_is_forgotten(clerk: Clerk) -> None:
    clerk.zones.ended(clerk.passage("out", CAR))
    assert clerk.zones.away_s("hall", CAR) == 0.0
    clerk.clock.true_s += 2 * 86_400.0
    clerk.zones.wake()

    assert clerk.zones.away_s("hall", CAR) is None
