"""Moments as people at the site read them."""

from datetime import timedelta, timezone

from gatekeeper.cli.times import by_site

CHINA = timezone(timedelta(hours=8))


def test_each_moment_in_json_is_told_by_the_site_and_nothing_else_is_changed() -> None:
    told = {
        "at": "2026-11-23T08:15:00.250000Z",
        "inside": [{"wall": "2026-11-23T18:00:00Z"}, "闽C12345", 7, None, "2026-11-23"],
    }
    assert by_site(told, CHINA) == {
        "at": "2026-11-23T16:15:00.250000+08:00",
        "inside": [{"wall": "2026-11-24T02:00:00+08:00"}, "闽C12345", 7, None, "2026-11-23"],
    }
