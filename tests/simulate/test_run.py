"""The simulation is alive: it finds the wrong blacklistings that the rules prevent."""

from dataclasses import replace

import pytest

from gatekeeper.model import NotedDoubt, Stay
from gatekeeper.rules import stay
from simulators.simulate import run
from simulators.simulate.ledger import Verdicts
from simulators.world import Plan

HARD = Plan(
    leaving_per_hour=20.0,
    misread_frames=0.05,
    missed_exits=0.3,
    bumper_to_bumper=0.3,
    tailgating=0.3,
)
"""Many leave unread, or under somebody else's boom."""


def verdicts(plan: Plan, days: float = 1.0) -> Verdicts:
    (task,) = run.tasks_of(plan, seed=1, days=days)
    return run.run_site(task).verdicts


def finds_nothing(stay: Stay, noted: NotedDoubt) -> Stay:
    return stay


def test_with_the_clean_window_rule_no_one_is_blacklisted_wrongly() -> None:
    judged = verdicts(HARD)
    assert judged.wrong_blacklistings == 0
    assert judged.overstays_suspected > 0


def test_without_the_clean_window_rule_wrong_blacklistings_appear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stay, "with_doubt", finds_nothing)
    judged = verdicts(HARD)
    assert judged.wrong_blacklistings > 0
    assert judged.wrong_blacklistings == len(judged.victims)
    assert judged.overstays_suspected == 0


def test_the_same_seed_gives_the_same_verdicts() -> None:
    assert verdicts(HARD, days=0.5) == verdicts(HARD, days=0.5)


def test_more_than_two_weeks_are_several_sites_each_with_a_seed_of_its_own() -> None:
    tasks = run.tasks_of(Plan(), seed=7, days=31.0, diary=True)
    assert [task.days for task in tasks] == pytest.approx([7.75, 7.75, 7.75, 7.75])
    assert [task.number for task in tasks] == [0, 1, 2, 3]
    assert [task.diary for task in tasks] == [True, False, False, False]


def test_sites_side_by_side_come_to_the_same_as_one_after_the_other() -> None:
    quiet = replace(HARD, leaving_per_hour=2.0)
    tasks = [replace(task, days=0.5) for task in run.tasks_of(quiet, seed=3, days=28.0)]
    days: list[float] = []
    alone = {task.number: done.verdicts for task, done in run.run_all(tasks, 1, days.append)}
    beside = {task.number: done.verdicts for task, done in run.run_all(tasks, 2, days.append)}
    assert alone == beside
    assert max(days) == pytest.approx(1.0)
