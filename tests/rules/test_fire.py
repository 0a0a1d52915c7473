"""The fire inputs: glitch, pulse, stuck, broken wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.rules import fire
from gatekeeper.rules.fire import CLEAR_S, LATCH_S, LONG_S, Fire, Glitch, Latched, Long, News

LINES = ("hall", "garage")


def begun(*, latched: bool = False) -> Fire:
    return fire.begin(LINES, latched=latched)


def quiet(at: float = 0.0, *, latched: bool = False) -> Fire:
    """All inputs were read, and are clear since then."""
    memory = begun(latched=latched)
    for line in LINES:
        memory = fire.sensed(memory, line, on=False, at=at).fire
    return memory


def test_an_input_that_is_on_for_three_tenths_of_a_second_latches() -> None:
    step = fire.sensed(quiet(), "hall", on=True, at=1.0)
    assert (step.fire.latched, step.news) == (False, ())
    assert fire.wake_at(step.fire) == 1.0 + LATCH_S

    step = fire.late(step.fire, 1.0 + LATCH_S)

    assert (step.fire.latched, step.news) == (True, (Latched("hall"),))


def test_what_is_shorter_is_a_glitch() -> None:
    step = fire.sensed(quiet(), "hall", on=True, at=1.0)
    step = fire.sensed(step.fire, "hall", on=False, at=1.25)

    assert step.news == (Glitch("hall", 0.25),)
    assert not step.fire.latched
    assert fire.wake_at(step.fire) is None


def test_a_pulse_that_was_long_enough_latches_however_late_that_is_looked_at() -> None:
    step = fire.sensed(quiet(), "hall", on=True, at=1.0)
    step = fire.sensed(step.fire, "hall", on=False, at=1.5)

    assert step.news == (Latched("hall"),)


def test_two_glitches_of_two_inputs_are_no_fire() -> None:
    memory = quiet()
    for line, on, at in (("hall", True, 1.0), ("garage", True, 1.2), ("hall", False, 1.25)):
        memory = fire.sensed(memory, line, on=on, at=at).fire
    step = fire.sensed(memory, "garage", on=False, at=1.4)

    assert not step.fire.latched


def test_the_end_of_the_signal_ends_no_fire() -> None:
    memory = fire.late(fire.sensed(quiet(), "hall", on=True, at=1.0).fire, 2.0).fire

    memory = fire.sensed(memory, "hall", on=False, at=3.0).fire

    assert fire.late(memory, 10**6).fire.latched


def test_a_fire_that_was_stored_is_one_before_any_input_is_read() -> None:
    assert begun(latched=True).latched


def test_it_may_be_released_when_every_input_has_been_clear_for_ten_seconds() -> None:
    memory = quiet(5.0, latched=True)

    assert fire.objection(memory, 5.0 + CLEAR_S - 0.1) is not None
    assert fire.objection(memory, 5.0 + CLEAR_S) is None
    assert not fire.released(memory).latched


@pytest.mark.parametrize("line", LINES)
def test_an_input_that_is_on_forbids_the_release(line: str) -> None:
    memory = fire.sensed(quiet(latched=True), line, on=True, at=100.0).fire

    assert f"{line} is on" in (fire.objection(memory, 10**6) or "")


def test_an_input_that_was_never_read_forbids_the_release() -> None:
    memory = fire.sensed(begun(latched=True), "hall", on=False, at=0.0).fire

    assert "garage has not been read" in (fire.objection(memory, 10**6) or "")


def test_an_input_that_is_on_for_half_an_hour_is_an_alarm_and_still_a_fire() -> None:
    memory = fire.late(fire.sensed(quiet(), "hall", on=True, at=0.0).fire, 1.0).fire
    assert fire.wake_at(memory) == LONG_S

    step = fire.late(memory, LONG_S)
    assert step.news == (Long(True, "hall"),)
    assert step.fire.latched
    assert fire.wake_at(step.fire) is None

    step = fire.sensed(step.fire, "hall", on=False, at=LONG_S + 5)
    assert step.news == (Long(False),)
    assert step.fire.latched


edges = st.lists(
    st.tuples(st.sampled_from(LINES), st.booleans(), st.floats(0.01, 2.0)), max_size=30
)


def told(memory: Fire, some: list[tuple[str, bool, float]]) -> tuple[Fire, list[News], float]:
    at = 0.0
    news: list[News] = []
    for line, on, after in some:
        at += after
        step = fire.sensed(memory, line, on=on, at=at)
        memory = step.fire
        news += step.news
    return memory, news, at


@given(edges)
def test_a_latch_is_never_let_go_by_inputs_or_by_time(
    some: list[tuple[str, bool, float]],
) -> None:
    memory, _, at = told(begun(latched=True), some)

    assert memory.latched
    assert fire.late(memory, at + 10 * LONG_S).fire.latched


@given(edges)
def test_every_time_an_input_was_on_it_was_a_glitch_or_a_fire(
    some: list[tuple[str, bool, float]],
) -> None:
    """Told with time in between or without: what the inputs said decides, not who looked when."""
    memory, news, at = told(quiet(), some)
    since: dict[str, float] = {}
    moment, longest, glitches = 0.0, 0.0, 0
    for line, on, after in some:
        moment += after
        if on:
            since.setdefault(line, moment)
        elif line in since:
            lasted = moment - since.pop(line)
            longest = max(longest, lasted)
            glitches += lasted < LATCH_S - 1e-6
    still = max((at - began for began in since.values()), default=0.0)

    assert memory.latched == (max(longest, still) >= LATCH_S - 1e-6)
    assert sum(isinstance(each, Glitch) for each in news) == glitches
    assert sum(isinstance(each, Latched) for each in news) == memory.latched


@given(edges, st.floats(0, 100))
def test_looking_more_often_changes_nothing(
    some: list[tuple[str, bool, float]], extra: float
) -> None:
    memory, _, at = told(quiet(), some)
    due = fire.wake_at(memory)
    looked = fire.late(memory, at).fire

    assert fire.late(looked, at + extra).fire == fire.late(memory, at + extra).fire
    assert due is None or due > at or fire.late(memory, at).fire != memory


def test_the_seconds_are_those_of_the_situations() -> None:
    assert (LATCH_S, CLEAR_S, LONG_S) == (0.3, 10.0, 1800.0)


def test_of_two_inputs_the_first_that_may_latch_is_waited_for() -> None:
    step = fire.sensed(quiet(), "garage", on=True, at=1.0)
    step = fire.sensed(step.fire, "hall", on=True, at=1.1)

    assert fire.wake_at(step.fire) == 1.0 + LATCH_S
