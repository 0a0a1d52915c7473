"""A file that cannot be trusted is said to be so; one that can survives what may happen to it."""

import asyncio
import os
import sqlite3
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import gatekeeper.store
from gatekeeper.errors import StoreError
from gatekeeper.model import AlarmRaised, Commit, Instant, Record, VehicleArrived
from gatekeeper.store import Store, UnsoundStoreError, alone, outbox, schema, set_aside
from gatekeeper.store.connections import READING, WRITING
from gatekeeper.store.database import BUSY_MS, Database
from gatekeeper.store.trouble import telling
from tests.store.disk import no_file_may_outgrow

AT = Instant(boot_id="b", boot_s=1.0, wall=datetime(2026, 11, 23, tzinfo=UTC), trusted=True)
ARRIVED = Commit(records=(Record(fact=VehicleArrived(), at=AT),))


@pytest.fixture
def database(path: Path) -> Database:
    database = Database.open(path)
    database.close()  # its connections come back when they are needed
    return database


def test_the_connection_that_writes_flushes_each_commit(path: Path) -> None:
    database = Database.open(path)
    names = [name for name, _, _ in WRITING] + ["busy_timeout"]
    with database.writing() as connection:
        said = {name: connection.scalar(text(f"PRAGMA {name}")) for name in names}
    database.close()

    assert said == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": BUSY_MS,
        "journal_size_limit": 64 * 2**20,
    }


def test_the_connection_that_reads_cannot_write(path: Path) -> None:
    database = Database.open(path)
    with (
        pytest.raises(StoreError, match="cannot be written"),
        database.reading() as connection,
    ):
        connection.execute(text("DELETE FROM events"))
    database.close()

    assert [name for name, _, _ in READING] == ["query_only"]


def test_a_pragma_that_does_not_hold_stops_the_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatekeeper.store.database.WRITING", (("journal_mode", "DELETE", "wal"),))

    with pytest.raises(StoreError, match=r"gatekeeper\.db: .*journal_mode=delete .*local disk"):
        Database.open(path)


def test_only_its_user_may_read_the_file_and_the_log_beside_it(path: Path) -> None:
    database = Database.open(path)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    database.close()

    assert set(modes) == {"gatekeeper.db", "gatekeeper.db-wal", "gatekeeper.db-shm"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"a letter to the technician " * 50)

    with pytest.raises(UnsoundStoreError, match=r"gatekeeper\.db: .*move it .*aside"):
        Database.open(path)

    assert path.read_bytes().startswith(b"a letter")


def test_a_database_of_a_newer_version_is_refused(database: Database, path: Path) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()

    with pytest.raises(StoreError, match=r"gatekeeper\.db: .*newer gatekeeper \(schema 9999"):
        Database.open(path)


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()

    with pytest.raises(StoreError, match="belongs to another program"):
        Database.open(path)


def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere/gatekeeper\.db: .*folder"):
        Database.open(tmp_path / "nowhere" / "gatekeeper.db")


def test_a_folder_in_the_place_of_the_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=str(tmp_path)):
        Database.open(tmp_path)


def test_a_database_set_aside_is_kept_whole_and_makes_room(path: Path) -> None:
    path.write_bytes(b"rubbish" * 100)
    Path(f"{path}-wal").write_bytes(b"more of it")

    first = set_aside(path)
    new = Database.open(path)
    new.close()
    second = set_aside(path)

    assert first.read_bytes() == b"rubbish" * 100
    assert Path(f"{first}-wal").read_bytes() == b"more of it"
    assert second.name == "gatekeeper.db.unsound-2"
    assert not path.exists()


def test_the_migrations_make_what_the_schema_says(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, schema.metadata) == []


def test_the_migrations_make_every_table_word_for_word(database: Database) -> None:
    fresh = create_engine("sqlite://")
    schema.metadata.create_all(fresh)
    asked = text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%'")
    with fresh.connect() as connection:
        wanted = {name: sql and sql.split() for name, sql in connection.execute(asked)}
    fresh.dispose()

    with database.reading() as connection:
        assert {name: sql and sql.split() for name, sql in connection.execute(asked)} == wanted


def test_the_head_in_the_code_is_alembics() -> None:
    config = Config()
    folder = Path(gatekeeper.store.__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_only_a_migration_imports_alembic_and_it_leaves_logging_alone(path: Path) -> None:
    script = (
        "import logging, pathlib, sys\n"
        "from gatekeeper.store.database import Database\n"
        "root = logging.getLogger()\n"
        "other = logging.getLogger('other')\n"
        "before = (root.level, list(root.handlers), other.disabled)\n"
        "Database.open(pathlib.Path(sys.argv[1])).close()\n"
        "assert before == (root.level, list(root.handlers), other.disabled)\n"
        "print('alembic' in sys.modules)\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(path)]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    second = subprocess.run(command, capture_output=True, text=True, check=True)

    assert (first.stdout, first.stderr) == ("True\n", "")
    assert (second.stdout, second.stderr) == ("False\n", "")


async def test_a_locked_database_is_an_error_and_questions_are_still_answered(
    store: Store, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match=r"gatekeeper\.db: another program holds it locked"):
        await store.commit(ARRIVED)
    assert (await store.listing(["A"])).rows == ()
    other.execute("ROLLBACK")
    other.close()

    assert [event.seq for event in await store.commit(ARRIVED)] == [1]


async def test_a_disk_that_fails_to_write_is_an_error_and_the_store_recovers(
    store: Store, path: Path
) -> None:
    alarm = Record(fact=AlarmRaised(alarm="a", subject="s", detail="x" * 10_000), at=AT)
    big = Commit(records=(alarm,) * 200)
    await store.commit(big)
    with (
        no_file_may_outgrow(Path(f"{path}-wal")),
        pytest.raises(StoreError, match=r"gatekeeper\.db: the disk "),
    ):
        await asyncio.gather(*[store.commit(big) for _ in range(5)])
    await store.flush()  # the others have been tried too
    last = await store.outbox_depth()

    (event,) = await store.commit(ARRIVED)

    assert event.seq == last + 1


def test_a_full_disk_is_told_as_such(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA max_page_count = 4")
    connection.execute("CREATE TABLE cars (plate TEXT)")

    with pytest.raises(StoreError, match=r"gatekeeper\.db: the disk is full"), telling(path):
        connection.execute("INSERT INTO cars VALUES (zeroblob(100000))")
    connection.close()


def test_a_read_only_file_is_told_as_such(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA query_only = ON")

    with pytest.raises(StoreError, match="give it to the user"), telling(path):
        connection.execute("CREATE TABLE cars (plate TEXT)")
    connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
async def test_what_root_makes_belongs_to_the_owner_of_the_folder(path: Path) -> None:
    os.chown(path.parent, 12_345, 12_345)
    store = await Store.opened(path)
    await store.commit(ARRIVED)
    with alone(path, "a test"):
        owners = {file.name: file.stat().st_uid for file in path.parent.iterdir()}
    await store.close()

    assert owners == dict.fromkeys(
        [path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}.lock"], 12_345
    )


def test_the_last_number_is_found_without_reading_the_journal(database: Database) -> None:
    asked = outbox.STATE.compile(compile_kwargs={"literal_binds": True})
    with database.reading() as connection:
        steps = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {asked}"))]

    assert "SEARCH events" in steps
    assert not [step for step in steps if step.startswith("SCAN events")]


def _log_index(path: Path) -> tuple[int, tuple[int, ...]]:
    """The last frame of the log, and the marks of those who read it."""
    index = Path(f"{path}-shm").read_bytes()
    (last,) = struct.unpack_from("=I", index, 16)
    return last, struct.unpack_from("=4I", index, 104)


async def test_after_each_commit_a_reader_has_nothing_to_write(store: Store, path: Path) -> None:
    """When the disk hangs then, lists are read all the same. The places in the file:
    https://sqlite.org/walformat.html, the WAL-index header.
    """
    for _ in range(3):
        await store.commit(ARRIVED)
        last_frame, marks = _log_index(path)

        assert last_frame in marks
