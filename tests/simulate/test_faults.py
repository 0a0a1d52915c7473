"""The gate keeps its promises whatever breaks, and the promises notice when it does not."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gatekeeper.app.supervisor import Supervisor
from gatekeeper.health import Health
from gatekeeper.lane.mailbox import Mailbox
from gatekeeper.model import Ack, BarrierCommand, Commit, Event, Outcome
from gatekeeper.sync import wire
from simulators.simulate import shortest
from simulators.simulate.centre import Received
from simulators.simulate.promises import LETTERS, TASKS
from simulators.simulate.run import Task, run_site
from simulators.virtual.devices import VirtualBarrier
from simulators.virtual.store import VirtualStore
from simulators.world import Plan

MORNING = 0.37
"""Days: until nine o'clock, with an hour and a half of traffic."""


def morning(seed: int = 1, days: float = MORNING) -> Any:
    return run_site(Task(plan=Plan(), seed=seed, number=0, days=days, faults=True)).verdicts


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The days are not lived again to find the fewest faults."""
    monkeypatch.setattr(shortest, "shortest", lambda task, broken, log: list(log))


def test_every_promise_is_kept_whatever_breaks() -> None:
    verdicts = morning()
    assert verdicts.broken == []
    assert verdicts.faults_drawn > 30
    assert verdicts.journeys > 10


def test_the_same_seed_gives_the_same_run() -> None:
    assert morning(seed=2, days=0.33) == morning(seed=2, days=0.33)


@pytest.mark.usefixtures("quickly")
def test_an_exit_that_stays_shut_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = VirtualBarrier.open

    async def entries_only(self: VirtualBarrier, command: BarrierCommand) -> Ack:
        if command.lane.endswith("exit"):
            return self._ack(command, Outcome.FAILED, "stuck")
        return await moved(self, command)

    monkeypatch.setattr(VirtualBarrier, "open", entries_only)
    assert kinds(morning()) == {"an_exit_opens_within_five_seconds"}


@pytest.mark.usefixtures("quickly")
def test_a_second_pulse_of_one_command_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = VirtualBarrier.open

    async def twice(self: VirtualBarrier, command: BarrierCommand) -> Ack:
        await moved(self, command)
        return await moved(self, command)

    monkeypatch.setattr(VirtualBarrier, "open", twice)
    assert "one_pulse_for_each_decision" in kinds(morning())


@pytest.mark.usefixtures("quickly")
def test_a_pulse_after_its_deadline_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = VirtualBarrier.open

    async def late(self: VirtualBarrier, command: BarrierCommand) -> Ack:
        if command.lane.endswith("entry"):
            await asyncio.sleep(4.0)
        return await moved(self, replace(command, deadline=math.inf))

    monkeypatch.setattr(VirtualBarrier, "open", late)
    assert "no_pulse_after_its_deadline" in kinds(morning())


@pytest.mark.usefixtures("quickly")
def test_an_alarm_whose_cause_is_gone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    cleared = Health.clear_alarm

    def but_stale(self: Health, alarm: str, subject: str) -> None:
        if alarm != "camera_stale":
            cleared(self, alarm, subject)

    monkeypatch.setattr(Health, "clear_alarm", but_stale)
    assert "alarms_are_cleared" in kinds(morning(days=0.5))


@pytest.mark.usefixtures("quickly")
def test_tasks_that_are_left_behind_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = VirtualBarrier.open
    left = []

    async def leaving(self: VirtualBarrier, command: BarrierCommand) -> Ack:
        left.extend([asyncio.create_task(asyncio.Event().wait()) for _ in range(TASKS)])
        return await moved(self, command)

    monkeypatch.setattr(VirtualBarrier, "open", leaving)
    assert "tasks_are_bounded" in kinds(morning())


@pytest.mark.usefixtures("quickly")
def test_a_mailbox_that_grows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mailbox, "__len__", lambda self: LETTERS + self._numbered % 2)
    assert "queues_are_bounded" in kinds(morning())


@pytest.mark.usefixtures("quickly")
def test_a_task_that_is_not_run_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def once(self: Supervisor, name: str, task: Any) -> None:
        await task()

    monkeypatch.setattr(Supervisor, "kept", once)
    assert "heartbeats_are_kept" in kinds(morning(seed=3))


@pytest.mark.usefixtures("quickly")
def test_a_stay_that_memory_alone_holds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    written = VirtualStore.commit_all

    async def without_stays(self: VirtualStore, commits: Sequence[Commit]) -> tuple[Event, ...]:
        return await written(self, [replace(each, stays=()) for each in commits])

    monkeypatch.setattr(VirtualStore, "commit_all", without_stays)
    assert "memory_is_what_the_database_says" in kinds(morning())


@pytest.mark.usefixtures("quickly")
def test_an_event_that_never_reaches_the_centre_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = wire.event

    def without_arrivals(*what: Any) -> bytes:
        pending = what[2]
        return sent(*what) if pending.seq % 20 else b'{"journal":"","seq":0,"id":"","kind":""}'

    monkeypatch.setattr(wire, "event", without_arrivals)
    assert "each_fact_is_at_the_centre" in kinds(morning())


def test_two_events_under_one_number_are_noticed() -> None:
    received = Received()
    for seq, name in ((1, "a"), (2, "b"), (2, "b"), (2, "c")):
        received.take(seq, name)
    assert (received.complete, received.doubts) == (2, ["two events are number 2"])


def kinds(verdicts: Any) -> set[str]:
    """The promises that were broken."""
    return {line.split(": ")[1] for line in verdicts.broken}
