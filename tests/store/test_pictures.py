"""Pictures are there whole or not at all, and go when their days are over."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatekeeper.errors import StoreError
from gatekeeper.store import PictureLimits, Pictures
from tests.store.disk import Disk


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


DAY = datetime(2026, 10, 24, 23, 59, tzinfo=UTC)
LIMITS = PictureLimits(before=DAY, megabytes=1000, free_mb=0)
SOME = 400_000  # bytes of a picture


def _picture(root: Path, name: str, size: int = 0) -> Path:
    file = root / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(bytes(size))
    return file


def _names(root: Path) -> list[str]:
    return sorted(file.stem for file in root.rglob("????-??-??/*") if file.is_file())


async def test_days_before_the_limit_go_and_the_limits_own_day_stays(tmp_path: Path) -> None:
    days = ("2026-10-23", "2026-10-24", "2026-99-99")
    old, limit, other = (_picture(tmp_path, f"{day}/a.jpg").parent for day in days)

    swept = await Pictures(tmp_path).sweep(LIMITS, ())

    assert (swept.pictures, swept.evidence) == (1, 0)
    assert (old.exists(), limit.exists(), other.exists()) == (False, True, True)


async def test_the_day_is_counted_in_utc(tmp_path: Path) -> None:
    day = _picture(tmp_path, "2026-10-24/a.jpg")
    in_china = datetime.fromisoformat("2026-10-25T07:59:00+08:00")

    assert (await Pictures(tmp_path).sweep(replace(LIMITS, before=in_china), ())).pictures == 0
    assert day.exists()


async def test_drafts_left_by_a_power_cut_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / ".draft-old", tmp_path / ".draft-new"
    for draft, age in ((old, timedelta(days=1)), (new, timedelta(days=-1))):
        draft.touch()
        os.utime(draft, ((DAY - age).timestamp(),) * 2)

    await Pictures(tmp_path).sweep(LIMITS, ())

    assert (old.exists(), new.exists()) == (False, True)


async def test_sweeping_before_the_first_picture_is_harmless(tmp_path: Path) -> None:
    assert (await Pictures(tmp_path / "pictures").sweep(LIMITS, ())).pictures == 0


async def test_what_may_be_needed_outlives_its_day(tmp_path: Path) -> None:
    for name in ("p-1.jpg", "p-2.jpg", "p-3"):
        _picture(tmp_path, f"2026-01-01/{name}")

    swept = await Pictures(tmp_path).sweep(LIMITS, {"p-2", "p-3"})

    assert (swept.pictures, _names(tmp_path)) == (1, ["p-2", "p-3"])


async def test_of_too_many_the_oldest_go_and_evidence_last(tmp_path: Path) -> None:
    for name in ("11-01/a", "11-01/b", "11-02/c", "11-02/d", "11-03/e"):
        _picture(tmp_path, f"2026-{name}.jpg", SOME)
    pictures = Pictures(tmp_path)

    first = await pictures.sweep(replace(LIMITS, megabytes=1), {"a", "c"})
    kept = _names(tmp_path)
    second = await pictures.sweep(replace(LIMITS, megabytes=0), {"a", "c"})

    assert kept == ["a", "c"]
    assert (first.pictures, first.evidence, first.left_mb) == (3, 0, 0)
    assert (second.pictures, second.evidence, _names(tmp_path)) == (2, 2, [])


async def test_no_more_go_than_have_to(tmp_path: Path) -> None:
    for name in ("b", "a", "d", "c"):
        _picture(tmp_path, f"2026-11-01/{name}.jpg", SOME)

    await Pictures(tmp_path).sweep(replace(LIMITS, megabytes=1), ())

    assert _names(tmp_path) == ["c", "d"]


async def test_while_the_clock_is_not_trusted_no_picture_is_too_old(tmp_path: Path) -> None:
    _picture(tmp_path, "1970-01-01/a.jpg", SOME)
    untrusted = replace(LIMITS, before=None)

    assert (await Pictures(tmp_path).sweep(untrusted, ())).pictures == 0


async def test_pictures_taken_since_the_start_are_the_youngest_whatever_their_date(
    tmp_path: Path,
) -> None:
    _picture(tmp_path, "2999-01-01/old.jpg", SOME)
    pictures = Pictures(tmp_path)
    await pictures.keep("new.jpg", bytes(SOME))

    await pictures.sweep(PictureLimits(before=None, megabytes=0, free_mb=0), {"new"})
    assert _names(tmp_path) == []
    _picture(tmp_path, "2999-01-01/old.jpg", SOME * 2)
    await pictures.keep("new.jpg", bytes(SOME))
    await pictures.sweep(PictureLimits(before=None, megabytes=1, free_mb=0), ())
    assert _names(tmp_path) == ["new"]


async def test_ordinary_pictures_make_room_on_a_disk_that_fills(disk: Disk) -> None:
    for day in ("2026-11-01", "2026-11-02"):
        for name in ("a", "b"):
            _picture(disk.folder, f"{day}/{day}-{name}.jpg", SOME)

    swept = await Pictures(disk.folder).sweep(replace(LIMITS, free_mb=1), {"2026-11-01-a"})

    assert swept.evidence == 0
    assert _names(disk.folder) == ["2026-11-01-a", "2026-11-02-b"]
    swept = await Pictures(disk.folder).sweep(replace(LIMITS, free_mb=100), {"2026-11-01-a"})
    assert _names(disk.folder) == ["2026-11-01-a"]


async def test_without_a_word_about_evidence_what_was_needed_last_stays(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _picture(tmp_path, f"2026-01-01/{name}.jpg")
    fresh = await Pictures(tmp_path).sweep(LIMITS, None)
    await Pictures(tmp_path).sweep(replace(LIMITS, before=None), {"a"})
    swept = await Pictures(tmp_path).sweep(LIMITS, None)

    assert (fresh.pictures, swept.pictures) == (0, 1)
    assert _names(tmp_path) == ["a"]


async def test_a_folder_of_today_that_is_still_empty_is_left_for_its_first_picture(
    tmp_path: Path,
) -> None:
    (tmp_path / "2026-11-23").mkdir()

    await Pictures(tmp_path).sweep(LIMITS, ())

    assert (tmp_path / "2026-11-23").exists()
