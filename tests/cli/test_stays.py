"""Who is inside, and what speaks against a certain overstay, from the command line."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from click.testing import CliRunner

from gatekeeper.cli import gatekeeper
from gatekeeper.model import (
    Commit,
    Doubt,
    Instant,
    Judgement,
    Limit,
    NotedDoubt,
    Stay,
    StayEnd,
    VehicleClass,
)

if TYPE_CHECKING:
    from tests.cli.conftest import Gate

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, 8, tzinfo=UTC), trusted=True)
CLEAN = Stay(
    id="1",
    zone="visitor_zone",
    plate="闽A12345",
    vehicle=VehicleClass.INTERNAL,
    entered=AT,
    counted_from=AT,
    entry_lane="inner-entry",
    entry_passage="p",
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)
SUSPECTED = replace(
    CLEAN,
    id="2",
    plate="京B11111",
    judgement=Judgement.SUSPECTED,
    noted=(NotedDoubt(doubt=Doubt.COULD_HAVE_LEFT, at=AT, lane="inner-exit", passage="q"),),
)
GONE = replace(CLEAN, id="3", plate="沪C22222", ended=AT, end=StayEnd.EXITED)
ALL = Commit(records=(), stays=(CLEAN, SUSPECTED, GONE))


def stays(gate: "Gate", *words: str) -> str:
    done = CliRunner().invoke(gatekeeper, ["stays", str(gate.file), *words])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_an_open_stay_tells_its_window_below_it(gate: "Gate") -> None:
    gate.write(ALL)
    first, clean, second, doubt = stays(gate).splitlines()
    assert (first.split()[0], first.split()[-1]) == ("闽A12345", "inside")
    assert clean.strip() == "the window is clean: an overstay would be certain"
    assert second.endswith("suspected, inside")
    assert doubt.endswith("could have been this one (lane inner-exit, passage q)")


def test_one_plate_is_asked_for_in_whatever_way_it_is_written(gate: "Gate") -> None:
    gate.write(ALL)
    assert [line.split()[0] for line in stays(gate, "京b·11111").splitlines()[:1]] == ["京B11111"]
    assert stays(gate, "沪C22222") == ""


def test_all_shows_those_that_have_ended_too(gate: "Gate") -> None:
    gate.write(ALL)
    assert "exited" in stays(gate, "沪C22222", "--all")


def test_json_has_the_whole_stay_and_its_window_in_words(gate: "Gate") -> None:
    gate.write(ALL)
    said = [json.loads(line) for line in stays(gate, "--json").splitlines()]
    assert [stay["plate"] for stay in said] == ["闽A12345", "京B11111"]
    assert said[1]["blemishes"][0]["doubt"] == "could_have_left"
    assert "could have been this one" in said[1]["window"][0]
