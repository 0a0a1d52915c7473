"""Two programs never move the same barriers."""

import subprocess
import sys
from pathlib import Path

import pytest

from gatekeeper.errors import LockError
from gatekeeper.store import Store, alone

HOLD = """
import sys
from pathlib import Path
from gatekeeper.store import alone
with alone(Path(sys.argv[1]), "the controller"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "gate.db"


def test_a_second_program_is_told_who_is_there_and_what_to_do(database: Path) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockError) as refused, alone(database, "a test"):
            pytest.fail("two at once")
        holder.kill()
    assert str(refused.value) == (
        f"{database}: the controller (process {holder.pid}) works with the devices of this gate;"
        " stop it first (systemctl stop gatekeeper)"
    )


def test_a_program_that_was_killed_leaves_no_lock_behind(database: Path) -> None:
    test_a_second_program_is_told_who_is_there_and_what_to_do(database)
    with alone(database, "a test"):
        assert database.with_name("gate.db.lock").read_text().startswith("a test (process ")


def test_it_can_be_taken_again_after_it_was_let_go(database: Path) -> None:
    for _ in range(2):
        with alone(database, "a test"):
            pass


async def test_whoever_moves_nothing_may_write_beside_it(database: Path) -> None:
    with alone(database, "the controller"):
        await (await Store.opened(database)).close()


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="is the folder there"), alone(tmp_path / "no" / "g.db", ""):
        pytest.fail("there is no such folder")
