"""Interlocks on every command."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import BarrierCommand, Presence, Reason, Sensor
from gatekeeper.rules.guard import (
    ABOVE_LOCKDOWN,
    CLEAR_S,
    MIN_GAP_S,
    Clearance,
    against_closing,
    against_release,
    around,
    objection,
    under,
)

COMMAND = BarrierCommand(
    id="1", lane="inner-entry", passage="p", reason=Reason.VISITOR, deadline=102.0
)
AROUND = (Sensor.ARRIVAL, Sensor.SAFETY, Sensor.PHOTOCELL)


def saying(clearance: Clearance, sensor: Sensor, at: float, *, on: bool) -> Clearance:
    return clearance.after(Presence(lane="inner-entry", sensor=sensor, on=on, at=at))


def clear(*sensors: Sensor, since: float = 0.0) -> Clearance:
    found = Clearance.of(sensors)
    for sensor in sensors:
        found = saying(found, sensor, since, on=False)
    return found


def closing(around: Clearance, at: float, **more: bool) -> str | None:
    asked = {"kept_up": False, "opening": False, **more}
    return against_closing(
        around, at, kept_up=asked["kept_up"], opening=asked["opening"], last_at=None
    )


# --- opening --------------------------------------------------------------------------------


def test_a_command_in_time_has_no_objection() -> None:
    assert objection(COMMAND, 100.0, None) is None


def test_a_command_is_good_until_its_deadline_and_at_that_moment_too() -> None:
    assert objection(COMMAND, 102.0, None) is None
    assert objection(COMMAND, 102.001, None) is not None


def test_the_seconds_are_those_of_the_situations() -> None:
    assert (CLEAR_S, MIN_GAP_S) == (2.0, 1.0)


def test_a_late_command_is_never_carried_out() -> None:
    said = objection(COMMAND, 102.5, None)
    assert said is not None
    assert "late" in said


def test_two_pulses_keep_their_distance() -> None:
    assert objection(COMMAND, 100.0, 100.0 - MIN_GAP_S / 2) is not None
    assert objection(replace(COMMAND, id="2"), 100.0, 100.0 - MIN_GAP_S) is None


@pytest.mark.parametrize("reason", Reason)
def test_a_lockdown_that_came_after_the_decision_stops_all_but_the_exempt_and_the_ordered(
    reason: Reason,
) -> None:
    said = objection(replace(COMMAND, reason=reason), 100.0, None, locked=True)

    assert (said is None) == (reason in ABOVE_LOCKDOWN)


# --- letting go -----------------------------------------------------------------------------


def test_a_boom_is_not_let_go_while_there_is_a_reason_to_keep_it_up() -> None:
    assert against_release(clear(Sensor.SAFETY), 100.0, kept_up=True) is not None


def test_a_boom_is_let_go_when_nothing_was_under_it_for_two_seconds() -> None:
    under = saying(clear(Sensor.SAFETY), Sensor.SAFETY, 10.0, on=True)
    assert against_release(under, 100.0, kept_up=False) is not None
    assert under.clear_at is None

    under = saying(under, Sensor.SAFETY, 20.0, on=False)
    assert under.clear_at == 20.0 + CLEAR_S
    assert against_release(under, 20.0 + CLEAR_S - 0.1, kept_up=False) is not None
    assert against_release(under, 20.0 + CLEAR_S, kept_up=False) is None


def test_what_was_never_read_is_not_known_to_be_clear() -> None:
    assert against_release(Clearance.of([Sensor.SAFETY]), 100.0, kept_up=False) is not None


# --- closing --------------------------------------------------------------------------------


def test_a_barrier_is_closed_when_everything_was_clear_for_two_seconds() -> None:
    assert closing(clear(*AROUND, since=1.0), 1.0 + CLEAR_S - 0.1) is not None
    assert closing(clear(*AROUND, since=1.0), 1.0 + CLEAR_S) is None


@pytest.mark.parametrize("sensor", AROUND)
def test_nothing_closes_onto_who_occupies_a_sensor(sensor: Sensor) -> None:
    around = saying(clear(*AROUND), sensor, 50.0, on=True)

    assert str(sensor) in (closing(around, 100.0) or "")


def test_nothing_closes_while_something_moves_in_view() -> None:
    around = saying(clear(*AROUND, Sensor.VIEW), Sensor.VIEW, 50.0, on=True)

    assert closing(around, 100.0) is not None


def test_nothing_closes_without_a_safety_loop() -> None:
    assert closing(clear(Sensor.ARRIVAL), 100.0) is not None


@pytest.mark.parametrize("against", ["kept_up", "opening"])
def test_open_beats_close(against: str) -> None:
    assert closing(clear(*AROUND), 100.0, **{against: True}) is not None


def test_a_close_keeps_its_distance_from_a_pulse() -> None:
    said = against_closing(clear(*AROUND), 100.0, kept_up=False, opening=False, last_at=99.5)

    assert said is not None


edges = st.lists(st.tuples(st.sampled_from(AROUND), st.booleans(), st.floats(0, 3)), max_size=40)


@given(edges, st.floats(0, 5))
def test_no_close_while_anything_is_or_lately_was_occupied_or_is_unknown(
    some: list[tuple[Sensor, bool, float]], after: float
) -> None:
    around, at = Clearance.of(AROUND), 0.0
    last_on = dict.fromkeys(AROUND, float("inf"))  # unknown is occupied
    state: dict[Sensor, bool] = {}
    for sensor, on, wait in some:
        at += wait
        around = saying(around, sensor, at, on=on)
        was, state[sensor] = state.get(sensor), on
        if on:
            last_on[sensor] = float("inf")
        elif was is not False:
            last_on[sensor] = at
    at += after
    clear_now = all(at - since >= CLEAR_S for since in last_on.values())

    if closing(around, at) is None:
        assert all(at - since >= CLEAR_S - 1e-5 for since in last_on.values())
    elif clear_now:
        raise AssertionError("everything was clear for long enough")


# --- what guards a boom ---------------------------------------------------------------------


def test_under_a_boom_its_safety_loop_is_asked_or_else_the_arrival_loop_and_the_photocell() -> None:
    assert set(under((*AROUND, Sensor.VIEW)).since) == {Sensor.SAFETY, Sensor.PHOTOCELL}
    assert set(under((Sensor.ARRIVAL, Sensor.VIEW)).since) == {Sensor.ARRIVAL}


def test_around_a_boom_everything_is_asked_but_the_boom_itself() -> None:
    assert set(around((*AROUND, Sensor.BOOM_UP, Sensor.VIEW)).since) == {*AROUND, Sensor.VIEW}


def test_a_sensor_that_goes_on_being_clear_has_been_so_since_it_first_was() -> None:
    once = saying(Clearance.of([Sensor.SAFETY]), Sensor.SAFETY, 5.0, on=False)
    assert once.since == {Sensor.SAFETY: 5.0}
    assert saying(once, Sensor.SAFETY, 9.0, on=False).since == {Sensor.SAFETY: 5.0}
    assert saying(once, Sensor.SAFETY, 9.0, on=True).since == {Sensor.SAFETY: None}
    assert saying(once, Sensor.ARRIVAL, 9.0, on=True).since == {Sensor.SAFETY: 5.0}


def test_a_close_keeps_its_distance_from_the_pulse_before() -> None:
    """With the very distance it may close; a moment less, and it may not."""
    asked = {"kept_up": False, "opening": False}
    free = clear(*AROUND)
    assert against_closing(free, 100.0, **asked, last_at=100.0 - MIN_GAP_S) is None
    assert against_closing(free, 100.0, **asked, last_at=100.01 - MIN_GAP_S) is not None


def test_all_is_clear_two_seconds_after_the_last_sensor_became_so() -> None:
    two = saying(clear(*AROUND), Sensor.PHOTOCELL, 3.0, on=True)
    assert two.clear_at is None
    assert saying(two, Sensor.PHOTOCELL, 7.0, on=False).clear_at == 9.0
    assert Clearance().clear_at == 2.0
