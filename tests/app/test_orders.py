"""What the centre orders, carried out on a real store and real zones."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gatekeeper.app.orders import Orders
from gatekeeper.health import Health
from gatekeeper.journal import Journal
from gatekeeper.model import (
    Admits,
    BlacklistAdded,
    BlacklistRemoved,
    Commit,
    Direction,
    Fact,
    Limit,
    ListName,
    ListRow,
    LockdownOrdered,
    Order,
    OrderAnswer,
    RowSource,
    ZonePolicy,
    ZoneRecounted,
    ZoneState,
)
from gatekeeper.store import Store
from gatekeeper.store.facts import fact_of
from gatekeeper.zones import Place, ZonePlan, Zones
from simulators.virtual import VirtualClock, at_once

CAR = "京A12345"
HALL = ZonePolicy(
    zone="hall",
    admits=Admits.REGISTERED,
    capacity=60,
    limit=Limit(limit_s=600, warning_s=120, grace_s=60),
)


class FakeLane:
    """A lane that does whatever it is told, and remembers it."""

    def __init__(self) -> None:
        self.obeyed: list[Order] = []

    async def obey(self, order: Order) -> OrderAnswer:
        self.obeyed.append(order)
        return OrderAnswer(order=order.id, outcome="done", detail="pulsed")


class FakeHolds:
    """Keeps booms up as told."""

    def __init__(self) -> None:
        self.obeyed: list[Order] = []

    async def obey(self, order: Order) -> OrderAnswer:
        self.obeyed.append(order)
        return OrderAnswer(order=order.id, outcome="done", detail="kept up")


class Desk:
    """Carries out the orders; and what came of them."""

    def __init__(self, path: Path) -> None:
        self.clock = VirtualClock()
        health = Health(self.clock)
        self.journal = Journal(Store.unflushed(path), clock=self.clock, health=health)
        self.lane = FakeLane()
        self.holds = FakeHolds()
        self.told: list[str] = []
        places = {"in": Place(lane="in", zone="hall", direction=Direction.ENTRY)}
        self.zones = Zones(
            places,
            [ZonePlan(policy=HALL)],
            journal=self.journal,
            clock=self.clock,
            health=health,
            certain=0.98,
        )
        self.orders = Orders(
            {"in": self.lane},
            self.zones,
            ["hall"],
            holds=self.holds,
            journal=self.journal,
            clock=self.clock,
            changed=lambda: self.told.append("changed"),
            locked=lambda on: self.told.append(f"locked {on}"),
        )

    @property
    def store(self) -> Store:
        """What has been posted so far, on the disk."""
        at_once(self.journal.flush())
        return self.journal.store

    def order(self, verb: str) -> Order:
        return Order(
            id="o1",
            verb=verb,
            by="Li",
            reason="because",
            expires_at=self.clock.instant().wall + timedelta(minutes=1),
        )

    def obeys(self, order: Order) -> OrderAnswer:
        return at_once(self.orders.obey(order))

    def facts(self) -> list[Fact]:
        pending = at_once(self.store.pending(0, 100))
        return [fact_of(each.kind, each.body) for each in pending]

    def blacklist(self) -> tuple[ListRow, ...]:
        return at_once(self.store.listing([CAR])).rows


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "gatekeeper.db")
    yield desk
    at_once(desk.store.close())


DONE = OrderAnswer(order="o1", outcome="done", detail="")


# --- what cannot be carried out here --------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "lane", "zone", "detail"),
    [
        ("open", "out", None, "no lane out"),
        ("recount", None, "annex", "no zone annex"),
        ("blacklist_add", None, "annex", "no zone annex"),
        ("paint", "in", None, "no order paint like this"),
        ("open", None, None, "no order open like this"),
        ("recount", None, "hall", "no order recount like this"),
        ("blacklist_add", None, "hall", "no order blacklist_add like this"),
        ("blacklist_remove", None, "hall", "no order blacklist_remove like this"),
        ("lockdown", None, None, "no order lockdown like this"),
    ],
)
def test_what_is_not_here_or_lacks_something_is_refused_and_changes_nothing(
    desk: Desk, verb: str, lane: str | None, zone: str | None, detail: str
) -> None:
    answer = desk.obeys(replace(desk.order(verb), lane=lane, zone=zone))

    assert answer == OrderAnswer(order="o1", outcome="refused", detail=detail)
    assert desk.facts() == []
    assert desk.told == []
    assert desk.lane.obeyed == []


# --- lanes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["open", "identify"])
def test_what_concerns_a_vehicle_is_for_its_lane(desk: Desk, verb: str) -> None:
    order = replace(desk.order(verb), lane="in", passage="p1", plate=CAR)

    assert desk.obeys(order) == OrderAnswer(order="o1", outcome="done", detail="pulsed")
    assert desk.lane.obeyed == [order]


@pytest.mark.parametrize(
    ("verb", "lane"), [("hold", "in"), ("hold", None), ("release", None), ("fleet", "in")]
)
def test_what_keeps_booms_up_is_for_those_who_do(desk: Desk, verb: str, lane: str | None) -> None:
    order = replace(desk.order(verb), lane=lane, vehicles=3)

    assert desk.obeys(order) == OrderAnswer(order="o1", outcome="done", detail="kept up")
    assert desk.holds.obeyed == [order]


def test_a_fleet_comes_by_one_lane(desk: Desk) -> None:
    assert desk.obeys(replace(desk.order("fleet"), vehicles=3)).outcome == "refused"
    assert desk.holds.obeyed == []


# --- zones ----------------------------------------------------------------------------------


def test_a_recount_is_trusted_and_in_the_journal_with_who_counted(desk: Desk) -> None:
    assert desk.obeys(replace(desk.order("recount"), zone="hall", count=7)) == DONE

    assert desk.facts() == [
        ZoneRecounted(zone="hall", count=7, before=0, by="Li", reason="because")
    ]
    assert desk.zones.state("hall") == ZoneState(zone="hall", count=7, trusted=True)
    assert at_once(desk.store.counts()) == (ZoneState(zone="hall", count=7, trusted=True),)


# --- the blacklist --------------------------------------------------------------------------


def test_a_plate_is_banned_from_a_zone_by_a_person_who_said_why(desk: Desk) -> None:
    assert desk.obeys(replace(desk.order("blacklist_add"), zone="hall", plate=CAR)) == DONE

    (row,) = desk.blacklist()
    assert (row.list, row.zone, row.source) == (ListName.BLACKLIST, "hall", RowSource.PERSON)
    assert row.note == "because (Li)"
    assert desk.facts() == [
        BlacklistAdded(zone="hall", plate=CAR, stay="", by="Li", reason="because")
    ]
    assert desk.told == ["changed"]


@pytest.mark.parametrize("zone", ["hall", None])
def test_a_plate_is_taken_off_for_a_zone_or_for_all(desk: Desk, zone: str | None) -> None:
    desk.obeys(replace(desk.order("blacklist_add"), zone="hall", plate=CAR))
    assert desk.obeys(replace(desk.order("blacklist_remove"), zone=zone, plate=CAR)) == DONE

    assert desk.blacklist() == ()
    assert desk.facts()[1:] == [BlacklistRemoved(zone=zone, plate=CAR, by="Li", reason="because")]
    assert desk.told == ["changed", "changed"]


# --- lockdown -------------------------------------------------------------------------------


@pytest.mark.parametrize("on", [True, False])
def test_a_lockdown_holds_before_the_waiting_are_decided_again_and_after_a_restart(
    desk: Desk, on: bool
) -> None:
    assert desk.obeys(replace(desk.order("lockdown"), on=on)) == DONE

    assert at_once(desk.store.lockdown()) is on
    assert desk.facts() == [LockdownOrdered(on=on, by="Li", reason="because")]
    assert desk.told == [f"locked {on}", "changed"]


# --- what still refuses ---------------------------------------------------------------------


def test_a_plate_that_is_on_no_blacklist_is_not_taken_off_one(desk: Desk) -> None:
    answer = desk.obeys(replace(desk.order("blacklist_remove"), zone="hall", plate=CAR))

    assert answer.outcome == "refused"
    assert answer.detail == f"{CAR} has no such row on the blacklist"
    assert desk.facts() == []


def test_a_wider_row_that_goes_on_refusing_is_named(desk: Desk) -> None:
    everywhere = ListRow(
        list=ListName.BLACKLIST, plate=CAR, zone=None, source=RowSource.PERSON, note="theft"
    )
    desk.journal.post(Commit(records=(), listed=(everywhere,)))
    removal = replace(desk.order("blacklist_remove"), zone="hall", plate=CAR)
    assert desk.obeys(removal).outcome == "refused"
    assert "every zone" in desk.obeys(removal).detail

    desk.obeys(replace(desk.order("blacklist_add"), zone="hall", plate=CAR))
    assert desk.obeys(removal) == OrderAnswer(
        order="o1", outcome="done", detail="still refused for every zone"
    )
    assert desk.blacklist() == (everywhere,)


def test_a_ban_and_its_removal_hold_before_either_is_written(desk: Desk) -> None:
    desk.obeys(replace(desk.order("blacklist_add"), zone="hall", plate=CAR))
    assert [row.plate for row in at_once(desk.journal.listing([CAR])).rows] == [CAR]
    assert desk.obeys(replace(desk.order("blacklist_remove"), zone="hall", plate=CAR)) == DONE
    assert at_once(desk.journal.listing([CAR])).rows == ()
    assert desk.journal.behind == 2


# --- the store ------------------------------------------------------------------------------


def test_what_cannot_be_written_yet_holds_all_the_same(desk: Desk) -> None:
    assert desk.obeys(replace(desk.order("lockdown"), on=True)) == DONE

    assert desk.journal.behind == 1
    assert desk.told == ["locked True", "changed"]
