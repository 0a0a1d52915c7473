"""Pictures are there whole or not at all, and go when their days are over."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.store import Pictures


def _files(root: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()]


async def test_a_picture_lies_in_the_folder_of_its_day(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")

    kept = await pictures.keep("0199-1.jpg", b"\xff\xd8picture")

    file = tmp_path / "pictures" / kept
    day = datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
    assert kept == f"{day}/0199-1.jpg"
    assert file.read_bytes() == b"\xff\xd8picture"
    assert file.stat().st_mode & 0o777 == 0o600


async def test_nothing_but_the_picture_is_left_behind(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    kept = await pictures.keep("a.jpg", b"one")
    await pictures.keep("a.jpg", b"two")

    assert _files(tmp_path) == [kept]
    assert (tmp_path / kept).read_bytes() == b"two"


@pytest.mark.parametrize(
    "name",
    ["../a.jpg", "/etc/passwd", "a/b.jpg", "", ".", "..", ".draft-a", "a\0b", "闽.jpg", "a\n"],
)
async def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="no name for a picture"):
        await Pictures(tmp_path / "pictures").keep(name, b"")

    assert _files(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file, not a folder")

    with pytest.raises(StoreError, match=r"pictures: cannot keep a\.jpg"):
        await Pictures(tmp_path / "pictures").keep("a.jpg", b"")


def _day(root: Path, name: str) -> Path:
    (root / name).mkdir()
    (root / name / "a.jpg").touch()
    return root / name


async def test_days_before_the_limit_go_and_the_limits_own_day_stays(tmp_path: Path) -> None:
    old, limit, other = (_day(tmp_path, n) for n in ("2026-10-23", "2026-10-24", "2026-99-99"))

    gone = await Pictures(tmp_path).sweep(datetime(2026, 10, 24, 23, 59, tzinfo=UTC))

    assert gone == 1
    assert (old.exists(), limit.exists(), other.exists()) == (False, True, True)


async def test_the_day_is_counted_in_utc(tmp_path: Path) -> None:
    day = _day(tmp_path, "2026-10-24")
    in_china = datetime.fromisoformat("2026-10-25T07:59:00+08:00")

    assert await Pictures(tmp_path).sweep(in_china) == 0
    assert day.exists()


async def test_drafts_left_by_a_power_cut_are_swept(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    old, new = tmp_path / ".draft-old", tmp_path / ".draft-new"
    for draft, age in ((old, timedelta(days=40)), (new, timedelta(minutes=1))):
        draft.touch()
        os.utime(draft, ((now - age).timestamp(),) * 2)

    await Pictures(tmp_path).sweep(now - timedelta(days=30))

    assert (old.exists(), new.exists()) == (False, True)


async def test_sweeping_before_the_first_picture_is_harmless(tmp_path: Path) -> None:
    assert await Pictures(tmp_path / "pictures").sweep(datetime(2026, 1, 1, tzinfo=UTC)) == 0
