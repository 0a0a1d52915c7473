"""Orders that keep booms up, on a real store, and the fire that stands above them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from gatekeeper.app.fire import FireInputs
from gatekeeper.app.holds import Holds
from gatekeeper.config import InputSettings
from gatekeeper.health import Health
from gatekeeper.journal import Journal, read_past_life
from gatekeeper.lane import Holder
from gatekeeper.model import Hold, HoldReason, Order, Presence, Sensor
from gatekeeper.rules.fire import CLEAR_S
from gatekeeper.store import Store
from simulators.virtual import VirtualClock, at_once

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


class Desk:
    """Two lanes, one fire input, and who gives the orders."""

    def __init__(self, path: Path) -> None:
        self.clock = VirtualClock()
        self.clock.true_s = 100.0
        self.health = Health(self.clock)
        self.journal = Journal(Store.unflushed(path), clock=self.clock, health=self.health)
        self.lanes = {"in": FakeHolder(), "out": FakeHolder()}
        self.fire = self.fire_inputs()
        holders = cast("dict[str, Holder]", self.lanes)
        self.holds = Holds(holders, self.fire, journal=self.journal, clock=self.clock)
        self.order = Order(
            id="o-1",
            verb="hold",
            by="Lin",
            reason="a film",
            expires_at=self.clock.instant().wall + timedelta(minutes=1),
        )

    @property
    def store(self) -> Store:
        """What has been posted so far, on the disk."""
        at_once(self.journal.flush())
        return self.journal.store

    def fire_inputs(self) -> FireInputs:
        return FireInputs(
            [InputSettings(board="gate", input=15)],
            journal=self.journal,
            clock=self.clock,
            health=self.health,
            latched=self._burns,
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


def test_a_hold_is_told_and_stored(desk: Desk) -> None:
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


def test_what_is_not_written_yet_holds_all_the_same(desk: Desk) -> None:
    assert desk.obeys("hold", lane="in") == "done"

    assert desk.journal.behind == 1
    assert [hold.order for hold in desk.lanes["in"].holds] == ["o-1"]


def test_what_was_stored_is_told_before_anything_else_begins(desk: Desk) -> None:
    desk.obeys("hold", lane="in")
    desk.burn()
    for lane in desk.lanes.values():
        lane.holds, lane.burns = (), []
    holders = cast("dict[str, Holder]", desk.lanes)
    holds = Holds(holders, desk.fire_inputs(), journal=desk.journal, clock=desk.clock)
    holds.restore(at_once(read_past_life(desk.store, desk.clock.instant().wall)))
    at_once(holds.wake())

    assert [hold.lane for hold in desk.lanes["in"].holds] == ["in"]
    assert desk.lanes["out"].burns == [True]
    assert [lane.woken for lane in desk.lanes.values()] == [1, 1]


def test_a_store_that_is_opened_later_takes_no_order_of_this_life_back(desk: Desk) -> None:
    desk.obeys("hold", "o-1", lane="in")
    past = at_once(read_past_life(desk.store, desk.clock.instant().wall))
    desk.lanes["in"].ordered(iter(()))
    desk.obeys("fleet", "o-2", lane="in", vehicles=3)
    desk.holds.restore(past)

    assert [each.order for each in desk.lanes["in"].holds] == ["o-1", "o-2"]


# --- fire -----------------------------------------------------------------------------------


def test_a_fire_is_told_and_stored(desk: Desk) -> None:
    desk.burn()

    assert desk.lanes["in"].burns == [True]
    assert at_once(desk.store.fire())
    assert desk.kinds() == ["fire.latched"]


def test_a_fire_and_its_release_hold_before_they_are_written(desk: Desk) -> None:
    desk.burn()
    desk.clock.true_s += CLEAR_S
    assert desk.obeys("release") == "done"

    assert desk.lanes["in"].burns == [True, False]
    assert desk.journal.behind == 2
    assert not at_once(desk.store.fire())
    assert desk.kinds() == ["fire.latched", "fire.released"]


def test_a_store_that_is_opened_later_puts_out_no_fire(desk: Desk) -> None:
    past = at_once(read_past_life(desk.store, desk.clock.instant().wall))
    desk.burn()
    desk.holds.restore(past)

    assert desk.fire.latched


def test_no_one_releases_a_fire_whose_input_cannot_be_read(desk: Desk) -> None:
    desk.burn()
    desk.clock.true_s += CLEAR_S
    desk.health.raise_alarm("relay_unreachable", "gate", "no answer")

    assert desk.obeys("release") == "refused"
    desk.health.clear_alarm("relay_unreachable", "gate")
    assert desk.obeys("release") == "done"
