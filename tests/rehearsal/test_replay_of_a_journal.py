"""A journal that a whole controller wrote, decided again from the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from gatekeeper.cli import gatekeeper
from gatekeeper.model import ListName, PolicyAdopted, Reason, VehicleDecided

if TYPE_CHECKING:
    from tests.rehearsal.conftest import Build, Gate, Seen

ZONE, ENTRY, EXIT = "visitor_zone", "inner-entry", "inner-exit"
EXAMPLE = Path(__file__).parents[2] / "config" / "gatekeeper.toml"

STAFF, TWIN, VISITOR, STRANGER, BANNED, FIRE = (
    *("闽A18230", "闽A1B230", "闽D12345", "京N98765", "闽E77777", "闽X1234应急"),
)
SEEN: "tuple[Seen, ...]" = ("right", "unsure", "misread", "flickering", "unread")


@pytest.fixture
def gate(build: "Build") -> "Gate":
    """Some days of a gate: by half of them the policy of the zone has become another."""
    gate = build()
    for name, plates in (
        (ListName.INTERNALS, (STAFF, TWIN)),
        (ListName.VISITORS, (VISITOR, BANNED)),
        (ListName.EXEMPT, (FIRE,)),
    ):
        for plate in plates:
            gate.put(name, plate)
    gate.order("blacklist_add", zone=ZONE, plate=BANNED)
    gate.order("recount", zone=ZONE, count=0)
    some_days(gate)
    gate.adopt(capacity=2, unreadable="admit", cooldown_s=600.0, exempt_kinds=["emergency"])
    some_days(gate)
    gate.order("recount", zone=ZONE, count=2)
    visit(gate, VISITOR, "right")
    return gate


def some_days(gate: "Gate") -> None:
    """Everybody comes and goes in every way; the days end with a lockdown."""
    for day in range(4):
        for plate in (STAFF, VISITOR, STRANGER, BANNED, FIRE):
            for seen in SEEN:
                visit(gate, plate, seen)
        gate.order("lockdown", on=day % 2 == 0)


def visit(gate: "Gate", plate: str, seen: "Seen") -> None:
    """In and out again, if the boom opens, or back."""
    car = gate.car(plate, taken_for=plate[:3] + "B" + plate[4:])
    gate.arrive(ENTRY, car, seen)
    gate.wait(70.0 if seen == "unread" else 3.0)
    if not gate.may_drive(ENTRY):
        gate.back_out(ENTRY)
        gate.wait(20.0)
        return
    gate.drive(ENTRY)
    gate.wait(100.0)
    gate.arrive(EXIT, car, seen)
    gate.drive(EXIT)
    gate.wait(20.0)


def decisions(gate: "Gate") -> list[VehicleDecided]:
    return [told.fact for told in gate.told if isinstance(told.fact, VehicleDecided)]


def replay(gate: "Gate", folder: Path, *options: str) -> Result:
    """By a configuration that names the gate's database, which somebody may still be writing."""
    gate.end()
    text = EXAMPLE.read_text(encoding="utf-8")
    file = folder / "gate.toml"
    file.write_text(
        text.replace("/var/lib/gatekeeper/gatekeeper.db", str(gate.path)), encoding="utf-8"
    )
    return CliRunner().invoke(gatekeeper, ["events", "replay", str(file), *options])


def tamper(path: Path, seq: int, **changes: Any) -> None:
    """Somebody has edited the file: the decision of an event is another."""
    with closing(sqlite3.connect(path)) as database, database:
        (body,) = database.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchone()
        told = json.loads(body)
        told["decision"] |= changes
        database.execute("UPDATE events SET body = ? WHERE seq = ?", (json.dumps(told), seq))


def test_every_decision_comes_out_the_same_also_after_a_change_of_policy(
    gate: "Gate", tmp_path: Path
) -> None:
    decided = decisions(gate)
    policies = {told.fact.policy for told in gate.told if isinstance(told.fact, PolicyAdopted)}
    done = replay(gate, tmp_path)
    assert len(decided) > 200
    assert {each.decision.reason for each in decided} >= {
        *(Reason.INTERNAL, Reason.VISITOR, Reason.EXEMPT, Reason.NOT_BOUND, Reason.BLACKLISTED),
        *(Reason.UNREADABLE, Reason.LOCKDOWN, Reason.ZONE_FULL, Reason.COOLDOWN, Reason.EXIT),
    }
    assert len([each for each in policies if each.zone == ZONE]) == 2
    assert done.exit_code == 0
    assert done.stdout.startswith(
        f"{len(decided)} decisions: {len(decided)} come out the same, 0 otherwise, 0 not replayable"
    )


def test_the_one_decision_that_was_tampered_with_is_named(gate: "Gate", tmp_path: Path) -> None:
    refused = [
        told
        for told in gate.told
        if isinstance(told.fact, VehicleDecided) and told.fact.decision.reason is Reason.BLACKLISTED
    ]
    seq = refused[len(refused) // 2].seq
    gate.end()
    tamper(gate.path, seq, verdict="admit", reason="visitor")
    done = replay(gate, tmp_path, "--json")
    *each, sums = [json.loads(line) for line in done.stdout.splitlines()]
    differing = [one for one in each if one["outcome"] == "differs"]
    assert done.exit_code == 1
    assert (sums["differs"], sums["not_replayable"]) == (1, 0)
    assert [(one["seq"], one["differing"]) for one in differing] == [(seq, ["verdict", "reason"])]
    assert differing[0]["again"]["reason"] == "blacklisted"
