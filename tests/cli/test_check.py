"""`gatekeeper check`: the configuration, and each file that it names."""

import json
import os
import re
import shutil
import subprocess
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gatekeeper import clock
from gatekeeper.cli import gatekeeper
from gatekeeper.cli.check import findings
from gatekeeper.cli.check.account import READ, WRITE, Account
from gatekeeper.cli.check.certificate import validity
from gatekeeper.networks import BUILT_IN

# `gate` is the fixture of conftest.py, whose type cannot be imported from there.
Gate = Any

DAY = timedelta(days=1)


def certified(folder: Path, name: str) -> None:
    """A certificate of two years, signed by itself, and its key."""
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 730"
    files = ["-out", str(folder / f"{name}.pem"), "-keyout", str(folder / f"{name}.key")]
    told = ["openssl", *words.split(), "-subj", f"/CN={name}", *files]
    subprocess.run(told, check=True, capture_output=True)


@pytest.fixture
def gate(gate: Gate) -> Gate:
    """With all that its configuration names."""
    folder = gate.file.parent
    certified(folder, "ca")
    certified(folder, "own")
    text = gate.file.read_text(encoding="utf-8")
    pair = 'ca = "ca.pem"\ncertificate = "own.pem"\nkey = "own.key"'
    gate.file.write_text(text.replace('ca = "ca.pem"', pair), encoding="utf-8")
    for name in ("camera.password", "centre.password"):
        (folder / name).write_text("sesame\n", encoding="utf-8")
        (folder / name).chmod(0o600)
    return gate


def steady(lines: list[str]) -> list[str]:
    """The free space may be another one at each look."""
    return [re.sub(r"\d+ MB free", "free", line) for line in lines]


def checked(gate: Gate, *, code: int = 0) -> list[tuple[str, str]]:
    """What is said, line by line; of what could be tried, both ways say the same."""
    done = CliRunner().invoke(gatekeeper, ["check", str(gate.file)])
    assert done.exit_code == code, done.output
    told = CliRunner().invoke(gatekeeper, ["check", str(gate.file), "--json"])
    objects = [json.loads(line) for line in told.output.splitlines()]
    pairs = [next(iter(each.items())) for each in objects]
    lines = [f"{kind}: {said}" for kind, said in pairs[:-1]]
    assert steady(lines) == steady(done.output.splitlines()[:-1])
    return pairs[:-1]


def warned(gate: Gate) -> list[str]:
    return [said for kind, said in checked(gate) if kind == "warning"]


def test_where_all_is_well_notes_say_what_was_found(gate: Gate) -> None:
    said = dict.fromkeys(checked(gate))
    assert [line for kind, line in said if kind == "warning"] == []
    folder = gate.file.parent
    assert ("note", "networks: clp reads; each of its files has its sum") in said
    assert ("note", f"{folder}/ca.pem: the certificate holds for 729 days") in said
    assert any(f"{folder}: belongs to " in line for _, line in said)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("camera.password", None, "camera.password: password file cannot be read: No such file"),
        ("centre.password", b"", "centre.password: password file is empty"),
        ("camera.password", b"a\nb\n", "camera.password: password file holds more than one line"),
        ("camera.password", b"\xff\xfea\0", "camera.password, line 1, character 1: password file"),
        ("camera.password", b'"sesame"', "camera.password: the password stands in quotes: are"),
        ("ca.pem", None, "ca.pem: ca cannot be read: No such file"),
        ("ca.pem", b"\x30\x82\xff\xff", "ca.pem: ca is DER, not PEM"),
        ("own.key", b"", "own.key: key is empty"),
        (
            "ca.pem",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "ca.pem: ca holds a damaged certificate",
        ),
    ],
)
def test_row_55_each_file_that_is_named_is_opened(
    gate: Gate, name: str, data: bytes | None, says: str
) -> None:
    file = gate.file.parent / name
    file.unlink()
    if data is not None:
        file.touch(mode=0o600)
        file.write_bytes(data)
    assert any(says in said for said in warned(gate))
    assert not any("sesame" in said for said in warned(gate))


def test_a_certificate_and_a_key_that_do_not_belong_together_are_told(gate: Gate) -> None:
    folder = gate.file.parent
    shutil.copy(folder / "ca.key", folder / "own.key")
    (said,) = warned(gate)
    assert "own.key: cannot be used as certificate and key" in said


def test_a_key_that_is_locked_asks_no_one_for_its_passphrase(gate: Gate) -> None:
    key = gate.file.parent / "own.key"
    words = f"openssl pkey -in {key} -aes128 -passout pass:sesame"
    locked = subprocess.run(words.split(), check=True, capture_output=True)
    key.write_bytes(locked.stdout)
    (said,) = warned(gate)
    assert "own.key: the key is locked by a passphrase; take that off: openssl pkey" in said


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        ("own.key", lambda key: key.encode("utf-16")),
        ("own.key", lambda key: key[: len(key) // 2].encode()),
        ("own.key", lambda key: key.encode() + b"\xbc\xdc\xd4\xbf"),
        ("own.key", lambda key: key.replace("PRIVATE", "RSA PRIVATE").encode()),
        ("own.key", lambda key: key.replace("-----", "“").encode()),
        ("ca.pem", lambda key: key.encode()),
        ("own.pem", lambda key: key.encode()),
        ("centre.password", lambda key: key.encode()),
        ("centre.password", lambda key: key.replace("\n", "").encode() + b"\x1a"),
        ("gate.toml", lambda key: f"site = {key}".encode()),
        ("gate.toml", lambda key: key.replace("\n", "\x1a").encode()),
    ],
)
def test_row_55_nothing_of_a_key_is_told_wherever_it_was_put(
    gate: Gate, name: str, spoilt: Callable[[str], bytes]
) -> None:
    key = (gate.file.parent / "own.key").read_text("ascii")
    (gate.file.parent / name).write_bytes(spoilt(key))
    done = CliRunner().invoke(gatekeeper, ["check", str(gate.file)])
    told = "".join(traceback.format_exception(done.exception)) if done.exception else done.output
    assert f"{name}" in told
    body = "".join(key.splitlines()[1:-1])
    assert [body[n : n + 8] for n in range(len(body) - 8) if body[n : n + 8] in told] == []


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (-1, "the certificate holds only from"),
        (720, "the certificate ends in 9 days; renew it"),
        (731, "the certificate ended on"),
    ],
)
def test_how_long_a_certificate_holds_is_told(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, days: int, says: str
) -> None:
    now = clock.wall() + days * DAY
    monkeypatch.setattr(findings, "wall", lambda: now)
    assert [says in said for said in warned(gate)] == [True, True]


def test_the_dates_of_a_certificate_are_those_that_openssl_tells(tmp_path: Path) -> None:
    certified(tmp_path, "ca")
    file = tmp_path / "ca.pem"
    words = ["openssl", "x509", "-in", str(file), "-noout", "-enddate", "-dateopt", "iso_8601"]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    begins, ends = validity(file.read_text("ascii"))
    assert f"notAfter={ends:%Y-%m-%d %H:%M:%S}Z" == told
    assert ends - begins == 730 * DAY
    assert begins < clock.wall()


def test_certain_is_compared_with_the_set_that_was_chosen(gate: Gate) -> None:
    folder = gate.file.parent / "networks"
    strict = folder / "strict"
    shutil.copytree(BUILT_IN / "clp", strict)
    manifest = strict / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("certain", "name"))]
    told = "\n".join(['name = "strict"', "certain = 0.9999", *lines])
    manifest.write_text(told, encoding="utf-8")
    text = gate.file.read_text(encoding="utf-8")
    gate.file.write_text(text.replace("window_s = 3.0", "certain = 0.9998"), encoding="utf-8")
    assert warned(gate) == []
    (folder / "live.txt").write_text("strict\nclp\n", encoding="utf-8")
    (said,) = warned(gate)
    assert "certain = 0.9998: misreads may count" in said
    assert "the level measured for strict is 0.9999" in said


def test_a_chosen_set_that_is_damaged_is_told_with_its_file(gate: Gate) -> None:
    folder = gate.file.parent / "networks"
    shutil.copytree(BUILT_IN / "clp", folder / "other")
    manifest = folder / "other" / "manifest.toml"
    text = manifest.read_text(encoding="utf-8").replace('name = "clp"', 'name = "other"')
    manifest.write_text(text, encoding="utf-8")
    (folder / "other" / "clp_dict.txt").write_text("闽", encoding="utf-8")
    (folder / "live.txt").write_text("other\n", encoding="utf-8")
    assert any("other/clp_dict.txt: is not the file the manifest names" in s for s in warned(gate))


def test_a_folder_that_is_missing_or_full_and_a_port_that_is_not_there_are_told(
    gate: Gate,
) -> None:
    text = gate.file.read_text(encoding="utf-8")
    for old, new in (
        ('path = "gatekeeper.db"', 'path = "absent/gatekeeper.db"'),
        ("tcp://192.0.2.7:502", "serial:///dev/serial/by-id/usb-absent"),
        ("min_free_mb = 500", "min_free_mb = 100000000"),
    ):
        text = text.replace(old, new)
    gate.file.write_text(text, encoding="utf-8")
    (gate.file.parent / "pictures").mkdir()
    said = warned(gate)
    assert any("absent: is not there: make it" in each for each in said)
    assert any("by-id/usb-absent: is not there; a port" in each for each in said)
    assert any("MB free, less than min_free_mb = 100000000" in each for each in said)


# --- what the service's user may do -------------------------------------------------------------

ROOT_ALONE = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")

NOBODY = 65_534
"""A user with a name on every Debian."""


@ROOT_ALONE
def test_row_56_what_the_users_service_may_not_read_is_told(gate: Gate) -> None:
    folder = gate.file.parent
    os.chown(folder, NOBODY, NOBODY)
    for name in ("camera.password", "own.key"):
        os.chown(folder / name, NOBODY, NOBODY)
    said = warned(gate)
    (blocked,) = {each for each in said if "may not enter it" in each}
    assert "the service's user nobody" in blocked, "the folders of the tests are root's"


@ROOT_ALONE
@pytest.mark.parametrize(
    ("uid", "gid", "mode", "may"),
    [
        (7, 7, 0o600, False),
        (7, 7, 0o604, True),
        (7, 8, 0o640, True),
        (7, 8, 0o604, False),
        (5, 8, 0o400, True),
        (5, 8, 0o044, False),
    ],
)
def test_row_56_owner_group_and_mode_say_who_may(
    tmp_path: Path, uid: int, gid: int, mode: int, may: bool
) -> None:
    file = tmp_path / "file"
    file.touch()
    os.chown(file, uid, gid)
    file.chmod(mode)
    account = Account(name="five", uid=5, groups=frozenset((5, 8)))
    told = file.stat()
    assert account.may(told, READ) is may
    assert not account.may(told, READ | WRITE)
    assert Account(name="root", uid=0, groups=frozenset()).lacks(file, READ | WRITE) == ""
