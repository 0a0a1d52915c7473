"""Commands of root, and of a user who is neither root nor the service's."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gatekeeper import config, flushed
from gatekeeper.cli import gatekeeper
from gatekeeper.cli.check.findings import _as_far_as_seen, _of_folder
from gatekeeper.config import BoardSettings
from gatekeeper.drivers.line import Line, LineLostError
from gatekeeper.errors import ConfigError, GatekeeperError, NetworkSetError
from gatekeeper.model import Commit, ListName, ListRow, RowSource
from gatekeeper.networks import BUILT_IN, SetsFolder
from gatekeeper.networks.trials import Trial, write
from gatekeeper.ownership import denied
from gatekeeper.store import alone, journal
from gatekeeper.store.pictures import Pictures

# `gate` is the fixture of conftest.py, whose type cannot be imported from there.
Gate = Any

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")

SERVICE, ORDINARY = 65_534, 2
"""Users with names on every Debian: nobody and bin."""

NEWS, DIALOUT = 9, 20
"""And groups."""

BANNED = ListRow(
    list=ListName.BLACKLIST,
    plate="闽A12345",
    zone="visitor_zone",
    note="overstay",
    source=RowSource.GATE,
)


@pytest.fixture
def folder(gate: Gate) -> Path:
    """The service's folder, in which all so far is the service's."""
    gate.write(Commit(records=(), listed=(BANNED,)))
    place: Path = gate.file.parent
    for path in (place, *place.iterdir()):
        os.chown(path, SERVICE, SERVICE)
    return place


def others(folder: Path) -> list[str]:
    """What is there that the service does not own."""
    paths = [folder, *folder.rglob("*")]
    return [path.name for path in paths if path.stat().st_uid != SERVICE]


def run(*words: str) -> None:
    done = CliRunner().invoke(gatekeeper, words)
    assert done.exit_code == 0, done.output


def test_row_56_what_root_does_beside_the_service_leaves_all_of_it_to_the_service(
    gate: Gate, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    delivered = tmp_path_factory.mktemp("delivered") / "other"
    shutil.copytree(BUILT_IN / "clp", delivered)
    manifest = delivered / "manifest.toml"
    text = manifest.read_text(encoding="utf-8").replace('name = "clp"', 'name = "other"')
    manifest.write_text(text, encoding="utf-8")
    file = str(gate.file)
    run("blacklist", file, "remove", "闽A12345", "--by", "Li", "--reason", "wrong car")
    run("networks", file, "install", str(delivered))
    run("networks", file, "use", "other")
    for noun in ("events", "stays", "blacklist", "check"):
        run(noun, file)
    with alone(gate.database, "a test"):
        assert others(folder) == []
    assert (folder / "networks" / "other" / "manifest.toml").is_file()
    assert others(folder) == []


def test_row_56_a_reader_of_root_leaves_no_log_that_the_service_cannot_use(
    gate: Gate, folder: Path
) -> None:
    for end in ("-wal", "-shm"):
        Path(f"{gate.database}{end}").unlink(missing_ok=True)
    assert [*journal.events(gate.database)] == []
    assert others(folder) == []


async def test_row_56_pictures_and_trials_made_by_root_are_the_services(folder: Path) -> None:
    pictures = Pictures(folder / "store" / "pictures")
    await pictures.keep("a.jpg", b"picture")
    trial = Trial(live="gk", tried="clp", begun="", until="", seq=0)
    write(folder / "sets" / "networks", trial)
    assert others(folder) == []


def test_row_56_a_folder_is_made_with_those_it_lies_in(folder: Path) -> None:
    flushed.make(folder / "a" / "b", 0o750)
    flushed.make(folder / "a" / "b", 0o700)
    assert [(folder / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o750, 0o750]
    assert others(folder) == []


# --- an ordinary user -----------------------------------------------------------------------------


@contextmanager
def ordinary() -> Iterator[None]:
    """A user who owns nothing here."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(ORDINARY)
    os.seteuid(ORDINARY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@pytest.fixture
def seen(folder: Path) -> Path:
    """The same, where others may look into the folders around it."""
    for path in folder.parents:
        if path.stat().st_uid == 0 and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o011)
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("events",),
        ("stays",),
        ("blacklist",),
        ("blacklist", "remove", "闽A12345", "--by", "Li", "--reason", "wrong car"),
    ],
)
def test_row_56_an_ordinary_user_is_told_what_is_missing(
    gate: Gate, seen: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program itself lies where everyone may read it; that of these tests may not."""
    settings = config.load(gate.file)
    monkeypatch.setattr("gatekeeper.config.load", lambda _: settings)
    run("events", str(gate.file))  # what is imported late
    before = {path.name for path in seen.rglob("*")}
    with ordinary():
        done = CliRunner().invoke(gatekeeper, [words[0], str(gate.file), *words[1:]])
    assert isinstance(done.exception, GatekeeperError), done.output
    assert "Permission denied" in str(done.exception)
    assert "belongs to nobody; use sudo, or give it to the service's user" in str(done.exception)
    assert {path.name for path in seen.rglob("*")} == before
    assert others(seen) == []


def test_row_56_who_may_not_write_the_folder_of_sets_is_told_what_is_missing(seen: Path) -> None:
    with ordinary(), pytest.raises(NetworkSetError, match=r"cannot be written: .*; use sudo, or"):
        SetsFolder(seen, "clp").fell_back("gk")
    assert others(seen) == []


def test_row_56_a_group_that_may_read_a_file_is_named(seen: Path) -> None:
    secret = seen / "camera.password"
    secret.write_text("sesame", encoding="utf-8")
    secret.chmod(0o640)
    os.chown(secret, SERVICE, NEWS)
    with ordinary(), pytest.raises(ConfigError) as caught:
        config.secret(secret)
    assert str(caught.value) == (
        f"{secret}: password file cannot be read: Permission denied: {secret} belongs to nobody;"
        " use sudo, or join the group news, or give it to the service's user; write the password"
        " into it"
    )


def test_row_56_what_may_not_be_seen_check_says_and_goes_on(seen: Path) -> None:
    closed = seen / "closed"
    closed.mkdir(0o700)
    with ordinary():
        (said,) = _as_far_as_seen(_of_folder(closed / "pictures", 500, None))
    assert said == (
        "warning",
        f"{closed}/pictures: cannot be checked: Permission denied: {closed} belongs to root; use"
        " sudo, or give it to the service's user",
    )


async def test_row_56_a_serial_port_of_another_group_is_named_with_it() -> None:
    far_end, port = os.openpty()
    name = os.ttyname(port)
    os.chown(name, 0, DIALOUT)
    os.chmod(name, 0o660)
    settings = BoardSettings(name="relays", address=f"serial://{name}").line
    with ordinary(), pytest.raises(LineLostError, match="use sudo, or join the group dialout"):
        await Line.connect(settings)
    os.close(far_end)
    os.close(port)


def test_what_is_no_question_of_rights_is_said_as_the_system_says_it(tmp_path: Path) -> None:
    missing = tmp_path / "absent"
    with pytest.raises(OSError, match="No such file") as caught:
        missing.read_bytes()
    assert denied(missing, caught.value) == "No such file or directory"
