"""What a person is told of a stay's window."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gatekeeper.model import Doubt, Instant, Judgement, Limit, NotedDoubt, Stay, VehicleClass
from gatekeeper.rules.window import SENTENCES, explain

AT = Instant(
    boot_id="b", boot_s=5.0, wall=datetime(2026, 11, 23, 1, 5, 10, tzinfo=UTC), trusted=True
)
STAY = Stay(
    id="s",
    zone="hall",
    plate="闽A12345",
    vehicle=VehicleClass.INTERNAL,
    entered=AT,
    counted_from=AT,
    entry_lane="in",
    entry_passage="p",
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)


def test_a_clean_window_says_that_an_overstay_would_be_certain() -> None:
    assert explain(STAY) == ("the window is clean: an overstay would be certain",)


def test_a_clean_window_of_an_overstay_says_that_it_is_certain() -> None:
    judged = replace(STAY, judgement=Judgement.OVERSTAYED)
    assert explain(judged) == ("the window is clean: the overstay is certain",)


def test_a_stay_without_a_limit_can_be_no_overstay() -> None:
    (line,) = explain(replace(STAY, limit=None))
    assert line == "no limit holds for this stay: there can be no overstay"


def test_a_blemish_says_when_what_and_where() -> None:
    noted = NotedDoubt(doubt=Doubt.COULD_HAVE_LEFT, at=AT, lane="out", passage="q", detail="unread")
    assert explain(replace(STAY, noted=(noted,))) == (
        "2026-11-23 01:05:10+00:00: a vehicle that left could have been this one"
        " (lane out, passage q, unread)",
    )


def test_a_blemish_of_no_lane_is_told_in_the_hours_of_the_site() -> None:
    noted = NotedDoubt(doubt=Doubt.RESTART, at=AT)
    local = timezone(timedelta(hours=8), "CST")
    assert explain(replace(STAY, noted=(noted,)), local) == (
        "2026-11-23 09:05:10+08:00: the controller was down for a while",
    )


def test_a_clock_that_was_not_synchronised_is_said_to_be_so() -> None:
    noted = NotedDoubt(doubt=Doubt.RESTART, at=replace(AT, trusted=False))
    (line,) = explain(replace(STAY, noted=(noted,)))
    assert "by a clock that was not synchronised" in line


def test_blemishes_are_told_one_a_line_in_the_order_they_were_found() -> None:
    found = tuple(NotedDoubt(doubt=doubt, at=AT) for doubt in (Doubt.RESTART, Doubt.TAILGATING))
    assert len(explain(replace(STAY, noted=found))) == 2
    assert SENTENCES[Doubt.RESTART] in explain(replace(STAY, noted=found))[0]


@pytest.mark.parametrize("doubt", Doubt)
def test_every_doubt_has_a_sentence_of_its_own(doubt: Doubt) -> None:
    assert list(SENTENCES.values()).count(SENTENCES[doubt]) == 1
