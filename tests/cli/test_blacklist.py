"""Who is banned here, and how a technician takes a plate off."""

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from gatekeeper.cli import gatekeeper
from gatekeeper.clock import SystemClock
from gatekeeper.errors import BlacklistError
from gatekeeper.model import Commit, ListName, ListRow, ListSnapshot, RowSource
from gatekeeper.store import Store, journal

if TYPE_CHECKING:
    from tests.cli.conftest import Gate

OVERSTAYED = ListRow(
    list=ListName.BLACKLIST,
    plate="京N64P39",
    zone="visitor_zone",
    note="overstay",
    source=RowSource.GATE,
)
THIEF = ListRow(list=ListName.BLACKLIST, plate="闽A12345", note="stolen")


@pytest.fixture(autouse=True)
def _banned(gate: "Gate") -> None:
    gate.write(Commit(records=(), listed=(OVERSTAYED,)))
    asyncio.run(follow(gate, ListSnapshot(list=ListName.BLACKLIST, version=3, rows=(THIEF,))))


async def follow(gate: "Gate", snapshot: ListSnapshot) -> None:
    store = await Store.opened(gate.database)
    await store.replace(snapshot, SystemClock().instant())
    await store.close()


def blacklist(gate: "Gate", *words: str) -> Result:
    return CliRunner().invoke(gatekeeper, ["blacklist", str(gate.file), *words])


def remove(gate: "Gate", *words: str, by: str = "Li", reason: str = "wrong car") -> Result:
    return blacklist(gate, "remove", *words, "--by", by, "--reason", reason)


def banned(gate: "Gate") -> list[str]:
    return [one.row.plate for one in journal.blacklist(gate.database)]


def test_every_row_is_shown_with_its_source(gate: "Gate") -> None:
    first, second = blacklist(gate).stdout.splitlines()
    assert first.split() == ["京N64P39", "visitor_zone", "gate", "overstay"]
    assert second.split() == ["闽A12345", "every", "zone", "centre", "stolen"]


def test_a_row_that_is_set_aside_is_said_to_be_suspended(gate: "Gate") -> None:
    gate.write(Commit(records=(), suspended=(("visitor_zone", "京N64P39"),)))
    (row,) = [
        json.loads(line)
        for line in blacklist(gate, "--json").stdout.splitlines()
        if "京N64P39" in line
    ]
    assert row == {
        "plate": "京N64P39",
        "zone": "visitor_zone",
        "source": "gate",
        "suspended": True,
        "valid_until": None,
        "note": "overstay",
    }
    assert "suspended" in blacklist(gate).stdout


def test_a_technician_takes_a_plate_off_and_the_journal_says_who_and_why(gate: "Gate") -> None:
    done = remove(gate, "京n·64p39", "--zone", "visitor_zone")
    assert (done.exit_code, done.stdout) == (0, "京N64P39 is off the blacklist of visitor_zone\n")
    assert banned(gate) == ["闽A12345"]
    *_, last = journal.events(gate.database)
    assert last.kind == "blacklist.removed"
    assert json.loads(last.body) == {
        "zone": "visitor_zone",
        "plate": "京N64P39",
        "by": "Li",
        "reason": "wrong car",
    }


async def test_it_works_beside_a_controller_that_runs(gate: "Gate") -> None:
    running = await Store.opened(gate.database)
    try:
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gatekeeper", "blacklist", str(gate.file), "remove", "京N64P39",
            "--by", "Li", "--reason", "wrong car", stdout=subprocess.DEVNULL,
        )  # fmt: skip
        assert await done.wait() == 0
        assert (await running.listing(["京N64P39"])).rows == ()
    finally:
        await running.close()


def test_a_ban_from_every_zone_is_taken_off_by_leaving_the_zone_out(gate: "Gate") -> None:
    done = remove(gate, "闽A12345", "--zone", "visitor_zone")
    assert isinstance(done.exception, BlacklistError)
    assert "but of every zone: correct --zone, or leave it out" in str(done.exception)
    assert remove(gate, "闽A12345").exit_code == 0
    assert banned(gate) == ["京N64P39"]


def test_a_plate_that_is_on_no_blacklist_is_an_error_and_writes_nothing(gate: "Gate") -> None:
    before = journal.length(gate.database)
    done = remove(gate, "闽Z99999")
    assert done.exit_code == 1
    assert "闽Z99999 is on no blacklist here" in str(done.exception)
    assert journal.length(gate.database) == before


@pytest.mark.parametrize("empty", [{"by": " "}, {"reason": ""}])
def test_who_and_why_may_not_be_empty(gate: "Gate", empty: dict[str, str]) -> None:
    done = remove(gate, "京N64P39", **empty)
    assert done.exit_code == 2
    assert "it is kept in the journal" in done.stderr
    assert len(banned(gate)) == 2


def test_who_and_why_may_not_be_left_out(gate: "Gate") -> None:
    assert blacklist(gate, "remove", "京N64P39", "--by", "Li").exit_code == 2
    assert blacklist(gate, "remove", "京N64P39", "--reason", "wrong car").exit_code == 2
