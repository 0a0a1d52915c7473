"""Whatever the machine's own zone, people are told times by the site's clock, with its offset."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.cli import gatekeeper
from gatekeeper.cli.times import at_site
from gatekeeper.model import (
    Commit,
    ControllerStarted,
    Doubt,
    Instant,
    ListName,
    ListRow,
    NotedDoubt,
    Record,
    RowSource,
    Stay,
    VehicleClass,
)

if TYPE_CHECKING:
    from tests.cli.conftest import Gate

WALL = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
AT = Instant(boot_id="b", boot_s=1.0, wall=WALL, trusted=True)
STAY = Stay(
    id="1",
    zone="visitor_zone",
    plate="闽A12345",
    vehicle=VehicleClass.VISITOR,
    entered=AT,
    counted_from=AT,
    entry_lane="inner-entry",
    entry_passage="p",
    limit=None,
    noted=(NotedDoubt(doubt=Doubt.RESTART, at=AT),),
)
BANNED = ListRow(
    list=ListName.BLACKLIST,
    plate="闽A12345",
    zone="visitor_zone",
    note="overstay",
    source=RowSource.GATE,
    valid_until=WALL,
)
ALL = Commit(
    records=(Record(fact=ControllerStarted(version="0", boot_id="b"), at=AT),),
    stays=(STAY,),
    listed=(BANNED,),
)


def said(gate: "Gate", *words: str) -> str:
    done = CliRunner().invoke(gatekeeper, [words[0], str(gate.file), *words[1:]])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("noun", ["events", "stays", "blacklist"])
@pytest.mark.parametrize(
    ("zone", "told"),
    [("Asia/Shanghai", "2026-11-24 04:30:00+08:00"), ("America/Lima", "2026-11-23 15:30:00-05:00")],
)
def test_a_table_tells_times_by_the_sites_clock(
    gate: "Gate", noun: str, zone: str, told: str
) -> None:
    text = gate.file.read_text(encoding="utf-8").replace("Asia/Shanghai", zone)
    gate.file.write_text(text, encoding="utf-8")
    gate.write(ALL)
    output = said(gate, noun)
    assert output.count(told) == (2 if noun == "stays" else 1)
    assert "20:30" not in output


def test_what_a_program_reads_has_an_offset_too(gate: "Gate") -> None:
    gate.write(ALL)
    (event,) = map(json.loads, said(gate, "events", "--json").splitlines())
    (row,) = map(json.loads, said(gate, "blacklist", "--json").splitlines())
    for told in (event["occurred_at"], row["valid_until"]):
        assert datetime.fromisoformat(told) == WALL
        assert datetime.fromisoformat(told).utcoffset() is not None


@given(seconds=st.floats(-1e9, 4e9))
def test_a_moment_and_its_iso_text_are_told_alike_and_without_loss(seconds: float) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    zone = ZoneInfo("America/New_York")  # whose offset changes
    told = at_site(moment, zone)
    assert told == at_site(moment.isoformat(), zone)
    assert moment - datetime.fromisoformat(told) < timedelta(seconds=1)
