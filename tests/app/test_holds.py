"""Orders that keep booms up, on a real store, and the fire that stands above them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from gatekeeper.app.fire import UNTOLD, FireInputs
from gatekeeper.app.holds import Holds
from gatekeeper.config import InputSettings
from gatekeeper.errors import StoreError
from gatekeeper.health import Health
from gatekeeper.lane import Holder
from gatekeeper.model import Commit, Event, Hold, HoldReason, Order, Presence, Sensor
from gatekeeper.rehearsal import VirtualClock, at_once
from gatekeeper.rules.fire import CLEAR_S
from gatekeeper.store import Store

LINE = "gate/15"


@dataclass
class FakeHolder:
    """Remembers what it is told."""

    holds: tuple[Hold, ...] = ()
    burns: list[bool] = field(default_factory=list)
    woken: int = 0

    def ordered(self, holds: Iterator[Hold]) -> None:
        self.holds = tuple(holds)

    def fire(self, latched: bool) -> None:
        self.burns.append(latched)

    async def wake(self) -> None:
        self.woken += 1


class FullStore(Store):
    """A store whose disk is full from the moment it is told so."""

    failing = False

    async def commit(self, commit: Commit) -> tuple[Event, ...]:
        if self.failing:
            raise StoreError("gatekeeper.db: the disk is full; free some space")
        return await super().commit(commit)


class Desk:
    """Two lanes, one fire input, and whoever gives the orders."""

    def __init__(self, path: Path) -> None:
        self.clock = VirtualClock()
        self.clock.true_s = 100.0
        self.store = FullStore.rehearsal(path)
        self.health = Health(self.clock)
        self.lanes = {"in": FakeHolder(), "out": FakeHolder()}
        self.fire = FireInputs(
            [InputSettings(board="gate", input=15)],
            store=self.store,
            clock=self.clock,
            health=self.health,
            latched=self._burns,
        )
        holders = cast("dict[str, Holder]", self.lanes)
        self.holds = Holds(holders, self.fire, store=self.store, clock=self.clock)
        self.order = Order(
            id="o-1",
            verb="hold",
            by="Lin",
            reason="a film",
            expires_at=self.clock.instant().wall + timedelta(minutes=1),
        )

    def _burns(self, latched: bool) -> None:
        for lane in self.lanes.values():
            lane.fire(latched)

    def obeys(self, verb: str, name: str = "o-1", **more: object) -> str:
        order = replace(self.order, id=name, verb=verb, **more)  # type: ignore[arg-type] # whatever a verb may have
        return at_once(self.holds.obey(order)).outcome

    def input(self, on: bool, after_s: float = 0.0) -> None:
        self.clock.true_s += after_s
        presence = Presence(lane=LINE, sensor=Sensor.FIRE, on=on, at=self.clock.boot_s())
        self.fire.sensed(LINE, presence)
        at_once(self.fire.wake())

    def burn(self) -> None:
        self.input(False)
        self.input(True)
        self.input(False, after_s=1.0)

    def stored(self) -> tuple[Hold, ...]:
        return at_once(self.store.holds())

    def kinds(self) -> list[str]:
        return [each.kind for each in at_once(self.store.pending(0, 1000))]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "gatekeeper.db")
    yield desk
    at_once(desk.store.close())


def test_a_hold_is_stored_before_it_is_told(desk: Desk) -> None:
    assert desk.obeys("hold", lane="in") == "done"

    (hold,) = desk.stored()
    assert (hold.lane, hold.reason, hold.by, hold.why) == ("in", HoldReason.ORDER, "Lin", "a film")
    assert desk.lanes["in"].holds == (hold,)
    assert desk.lanes["out"].holds == ()


def test_without_a_lane_it_is_for_all_of_them(desk: Desk) -> None:
    desk.obeys("hold")

    assert [hold.lane for hold in desk.stored()] == ["in", "out"]
    assert desk.kinds() == ["barrier.held", "barrier.held"]


def test_the_same_order_again_changes_nothing(desk: Desk) -> None:
    desk.obeys("fleet", lane="in", vehicles=3)
    counted = replace(desk.stored()[0], vehicles=1)
    desk.lanes["in"].holds = (counted,)

    assert desk.obeys("fleet", lane="in", vehicles=3) == "done"
    assert desk.lanes["in"].holds == (counted,)
    assert desk.kinds() == ["barrier.held"]


def test_a_hold_and_a_fleet_stand_beside_each_other_until_both_are_released(desk: Desk) -> None:
    desk.obeys("hold", "o-1", lane="in")
    desk.obeys("fleet", "o-2", lane="in", vehicles=3)
    assert len(desk.stored()) == 2

    desk.obeys("release", "o-3", lane="in")
    assert desk.stored() == desk.lanes["in"].holds == ()
    assert desk.kinds()[2:] == ["barrier.released", "barrier.released"]


@pytest.mark.parametrize("minutes", [None, 90])
def test_the_sooner_of_two_ends_counts(desk: Desk, minutes: int | None) -> None:
    until = desk.clock.instant().wall + timedelta(minutes=10)
    desk.obeys("hold", lane="in", until=until, minutes=minutes)

    assert desk.stored()[0].lasts_s == 600.0


def test_what_would_be_over_at_once_is_refused(desk: Desk) -> None:
    assert desk.obeys("hold", lane="in", until=desk.clock.instant().wall) == "refused"
    assert desk.stored() == ()


def test_what_cannot_be_written_does_not_hold(desk: Desk) -> None:
    desk.store.failing = True
    with pytest.raises(StoreError):
        desk.obeys("hold", lane="in")

    assert desk.lanes["in"].holds == ()


def test_what_was_stored_is_told_before_anything_else_begins(desk: Desk) -> None:
    desk.obeys("hold", lane="in")
    desk.burn()
    for lane in desk.lanes.values():
        lane.holds, lane.burns = (), []

    at_once(desk.holds.take_up())

    assert [hold.lane for hold in desk.lanes["in"].holds] == ["in"]
    assert desk.lanes["out"].burns == [True]
    assert [lane.woken for lane in desk.lanes.values()] == [1, 1]


# --- fire -----------------------------------------------------------------------------------


def test_a_fire_is_told_and_stored(desk: Desk) -> None:
    desk.burn()

    assert desk.lanes["in"].burns == [True]
    assert at_once(desk.store.fire())
    assert desk.kinds() == ["fire.latched"]


def test_a_fire_is_told_where_it_cannot_be_stored_and_stored_later(desk: Desk) -> None:
    desk.store.failing = True
    desk.burn()
    assert desk.lanes["out"].burns == [True]
    assert desk.health.stands("store_failed", "store")

    desk.store.failing = False
    at_once(desk.fire.wake())
    assert at_once(desk.store.fire())
    assert desk.kinds() == ["fire.latched"]


def test_glitches_that_cannot_be_written_do_not_pile_up_and_hide_no_fire(desk: Desk) -> None:
    desk.store.failing = True
    desk.input(False)
    for _ in range(UNTOLD + 5):
        desk.input(True, after_s=0.5)
        desk.input(False, after_s=0.1)
    desk.burn()
    desk.store.failing = False
    at_once(desk.fire.wake())

    assert at_once(desk.store.fire())
    assert len(desk.kinds()) == UNTOLD


def test_a_fire_that_cannot_be_released_in_the_store_goes_on(desk: Desk) -> None:
    desk.burn()
    desk.clock.true_s += CLEAR_S
    desk.store.failing = True
    with pytest.raises(StoreError):
        desk.obeys("release")

    assert desk.fire.latched
    desk.store.failing = False
    assert desk.obeys("release") == "done"
    assert desk.lanes["in"].burns == [True, False]
    assert not at_once(desk.store.fire())


def test_nobody_releases_a_fire_whose_input_cannot_be_read(desk: Desk) -> None:
    desk.burn()
    desk.clock.true_s += CLEAR_S
    desk.health.raise_alarm("relay_unreachable", "gate", "no answer")

    assert desk.obeys("release") == "refused"
    desk.health.clear_alarm("relay_unreachable", "gate")
    assert desk.obeys("release") == "done"
