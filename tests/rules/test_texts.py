"""What a decision says to the driver."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import Decision, DisplayText, Limit, Reason, VehicleClass, Verdict, Wording
from gatekeeper.rules import texts
from gatekeeper.rules.texts import Texts

ADMITTED = Decision(
    verdict=Verdict.ADMIT,
    reason=Reason.INTERNAL,
    rule="internal",
    plate="闽C12F57",
    vehicle=VehicleClass.INTERNAL,
    certain=True,
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)


def told(wording: Wording, decision: Decision = ADMITTED, free: int | None = 3) -> DisplayText:
    return texts.decided(Texts(admit={decision.reason: wording}), decision, free=free)


def test_every_placeholder_is_filled() -> None:
    wording = Wording(lines=("{plate} {minutes}", "{reason} {free}"), voice="{plate}")
    assert told(wording) == DisplayText(lines=("闽C12F57 10", "内部车辆 3"), voice="闽C12F57")


def test_a_line_that_asks_for_what_is_not_known_is_left_out() -> None:
    wording = Wording(lines=("{plate}", "{minutes}", "{free}", "请通行"), voice="{plate}请通行")
    unknown = replace(ADMITTED, plate=None, limit=None)
    assert told(wording, unknown, None) == DisplayText(lines=("请通行",), voice="请通行")


def test_no_line_that_can_be_shown_is_an_empty_one_so_that_the_last_text_goes() -> None:
    assert told(Wording(lines=("{free}",)), free=None).lines == ("",)


def test_a_wording_without_lines_is_only_spoken() -> None:
    assert told(Wording(voice="请通行")) == DisplayText(voice="请通行")


def test_a_plate_cannot_ask_for_anything_itself() -> None:
    odd = replace(ADMITTED, plate="{reason}")
    assert told(Wording(lines=("{plate}",)), odd).lines == ("{reason}",)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("plate", ["闽C12F57", None])
def test_there_is_something_to_read_for_every_decision_and_no_placeholder_is_left(
    verdict: Verdict, reason: Reason, plate: str | None
) -> None:
    decision = replace(ADMITTED, verdict=verdict, reason=reason, plate=plate, limit=None)
    text = texts.decided(Texts(), decision, free=None)
    assert any(text.lines)
    assert text.voice
    assert "{" not in "".join((*text.lines, text.voice))


@pytest.mark.parametrize(
    "wording",
    [texts.IDLE, texts.LOOK_AGAIN, texts.WAITS, *texts.ADMIT.values(), *texts.REFUSE.values()],
)
def test_the_usual_words_fit_a_board(wording: Wording) -> None:
    widest = {
        "plate": "闽AD12345",
        "minutes": "1440",
        "reason": "停车后未满间隔时间",
        "free": "9999",
    }
    assert len(wording.lines) <= 4
    for line in wording.lines:
        assert len(line.format(**widest).encode("gbk")) <= 32
    assert len(wording.voice.format(**widest).encode("gbk")) <= 64


@given(st.integers(0, 10_000))
def test_an_idle_display_shows_the_free_spaces(free: int) -> None:
    assert str(free) in "".join(texts.idle(Texts(), free=free).lines)
