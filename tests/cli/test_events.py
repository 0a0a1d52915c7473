"""The journal decided again, from the command line."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from gatekeeper.cli import gatekeeper
from gatekeeper.model import (
    Admits,
    Colour,
    Commit,
    Direction,
    Fact,
    Grounds,
    Instant,
    Limit,
    ListName,
    ListRow,
    ListVersion,
    PolicyAdopted,
    Reason,
    Record,
    Schedule,
    Sighting,
    SiteState,
    Then,
    VehicleClass,
    VehicleDecided,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import access

if TYPE_CHECKING:
    from tests.cli.conftest import Gate

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, 8, tzinfo=UTC), trusted=True)
POLICY = ZonePolicy(
    zone="visitor_zone",
    admits=Admits.REGISTERED,
    capacity=60,
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)
SIGHTING = Sighting(
    plate="闽A12345",
    confidences=(0.1 + 0.2, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99),
    colour=Colour.BLUE,
    rows=1,
    agreeing=3,
    frames=(1, 2, 3),
    alternatives=(("闽A12346", 0.1),),
    certain=True,
    first_at=1.0,
    last_at=2.0,
)
GROUNDS = Grounds(
    direction=Direction.ENTRY,
    rows=(ListRow(list=ListName.INTERNALS, plate="闽A12345", valid_from=AT.wall, version=7),),
    zone=ZoneState(zone="visitor_zone", count=0, trusted=True),
    site=SiteState(),
    now=datetime(2026, 11, 23, 9, tzinfo=UTC),
    certain=0.98,
)


def decided() -> VehicleDecided:
    versions = (ListVersion(list=ListName.INTERNALS, version=7, as_of=AT.wall),)
    decision = access.decide(
        access.Question(sighting=SIGHTING, policy=POLICY, grounds=GROUNDS, versions=versions)
    )
    return VehicleDecided(
        decision=decision, sighting=SIGHTING, picture=None, zone="visitor_zone", grounds=GROUNDS
    )


def otherwise() -> VehicleDecided:
    fact = decided()
    return replace(
        fact,
        decision=replace(fact.decision, verdict=Verdict.REFUSE, reason=Reason.NOT_BOUND),
    )


def commit(*facts: Fact) -> Commit:
    return Commit(records=tuple(Record(fact=fact, at=AT, lane="inner-entry") for fact in facts))


def replay(gate: "Gate", *options: str) -> Result:
    return CliRunner().invoke(gatekeeper, ["events", "replay", str(gate.file), *options])


def test_decisions_that_come_out_the_same_end_with_code_0(gate: "Gate") -> None:
    gate.write(commit(PolicyAdopted(policy=POLICY), decided()))
    done = replay(gate)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("1 decisions: 1 come out the same, 0 otherwise, 0 not replayable")


def test_a_decision_that_comes_out_otherwise_is_named_and_ends_with_code_1(gate: "Gate") -> None:
    gate.write(commit(PolicyAdopted(policy=POLICY), decided(), otherwise()))
    done = replay(gate)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == (
        "      3  decided: refuse 闽A12345 by registered.internal;"
        " now: admit 闽A12345 by registered.internal (differing: verdict, reason)"
    )


def test_decisions_without_grounds_or_policy_are_counted_as_not_replayable(gate: "Gate") -> None:
    gate.write(commit(decided(), PolicyAdopted(policy=POLICY), replace(decided(), grounds=None)))
    done = replay(gate)
    assert done.exit_code == 0
    assert "2 decisions: 0 come out the same, 0 otherwise, 2 not replayable" in done.stdout


def test_json_says_one_object_for_each_decision_and_the_sums_at_last(gate: "Gate") -> None:
    gate.write(commit(PolicyAdopted(policy=POLICY), otherwise(), replace(decided(), grounds=None)))
    first, second, sums = [json.loads(line) for line in replay(gate, "--json").stdout.splitlines()]
    assert (first["seq"], first["outcome"], first["differing"]) == (
        2,
        "differs",
        ["verdict", "reason"],
    )
    assert (first["decided"]["verdict"], first["again"]["verdict"]) == ("refuse", "admit")
    assert (second["outcome"], second["again"]) == ("not_replayable", None)
    assert second["obstacle"] == "no grounds in the journal"
    assert sums == {"decisions": 2, "same": 0, "differs": 1, "not_replayable": 1}


def test_after_leaves_decisions_out_and_no_policy(gate: "Gate") -> None:
    gate.write(commit(PolicyAdopted(policy=POLICY), otherwise(), decided()))
    done = replay(gate, "--after", "2")
    assert done.exit_code == 0
    assert done.stdout.startswith("1 decisions: 1 come out the same")


def test_a_policy_with_schedules_is_the_same_out_of_the_journal(gate: "Gate") -> None:
    hours = Schedule(
        vehicle=VehicleClass.VISITOR,
        weekdays=(0, 6),
        begins=time(9),
        until=time(17),
        then=Then.REFUSE,
    )
    gate.write(commit(PolicyAdopted(policy=replace(POLICY, schedules=(hours,))), decided()))
    assert replay(gate).exit_code == 0


@pytest.mark.parametrize("words", [[], ["list"]])
def test_the_journal_is_shown_where_no_verb_is_named(gate: "Gate", words: list[str]) -> None:
    gate.write(commit(PolicyAdopted(policy=POLICY)))
    for order in ([*words, str(gate.file), "--json"], [*words, "--json", str(gate.file)]):
        done = CliRunner().invoke(gatekeeper, ["events", *order])
        assert json.loads(done.stdout)["kind"] == "policy.adopted"


def test_a_verb_may_stand_behind_the_file(gate: "Gate") -> None:
    gate.write(commit(PolicyAdopted(policy=POLICY), decided()))
    done = CliRunner().invoke(gatekeeper, ["events", str(gate.file), "replay"])
    assert "1 come out the same" in done.stdout
