"""Two programs never move the same barriers."""

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gatekeeper.errors import LockError
from gatekeeper.store import Store, alone, lock
from tests.store.disk import Disk

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


async def test_who_moves_nothing_may_write_beside_it(database: Path) -> None:
    with alone(database, "the controller"):
        await (await Store.opened(database)).close()


def _refused_beside_a_holder(database: Path) -> str:
    """What a second program is told while another one holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        while holder.stdout.readline() != b"held\n":  # warnings of the log come before
            assert holder.poll() is None
        with pytest.raises(LockError) as refused, alone(database, "a test"):
            pytest.fail("two at once")
        holder.kill()
    return str(refused.value)


def test_row_33_a_gate_whose_disk_is_missing_has_one_controller_all_the_same(
    tmp_path: Path,
) -> None:
    database = tmp_path / "no disk" / "gate.db"

    assert "another program works with the devices" in _refused_beside_a_holder(database)
    with alone(database, "a test"):
        pass


def test_row_33_a_gate_whose_disk_is_read_only_has_one_controller_all_the_same(disk: Disk) -> None:
    disk.make_read_only()

    assert "another program works with" in _refused_beside_a_holder(disk.folder / "gate.db")


def test_row_33_a_gate_whose_disk_is_full_has_one_controller_all_the_same(disk: Disk) -> None:
    disk.fill()

    assert "works with the devices" in _refused_beside_a_holder(disk.folder / "gate.db")


def test_a_program_that_took_only_the_file_is_noticed(database: Path) -> None:
    with database.with_name("gate.db.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("the controller of another container")
        file.flush()
        with pytest.raises(LockError, match="of another container works"), alone(database, "me"):
            pytest.fail("two at once")


def test_gates_with_other_databases_do_not_hinder_each_other(tmp_path: Path) -> None:
    with alone(tmp_path / "one.db", "one"), alone(tmp_path / "other.db", "other"):
        pass


def test_a_path_longer_than_a_socket_name_can_be_locked(tmp_path: Path) -> None:
    database = tmp_path / ("long" * 50) / "gate.db"
    database.parent.mkdir()

    assert "the controller" in _refused_beside_a_holder(database)


def test_a_gate_whose_disk_hangs_has_a_controller_all_the_same(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "FILE_S", 0.01)
    monkeypatch.setattr(Path, "open", _hangs)

    with alone(database, "the controller"):
        held = True
    assert held


def _hangs(*_: object, **__: object) -> None:
    threading.Event().wait()
