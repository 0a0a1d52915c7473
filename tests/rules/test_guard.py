"""Interlocks on every command."""

from dataclasses import replace

from gatekeeper.model import BarrierCommand, Reason
from gatekeeper.rules.guard import MIN_GAP_S, objection

COMMAND = BarrierCommand(
    id="1", lane="inner-entry", passage="p", reason=Reason.VISITOR, deadline=102.0
)


def test_a_command_in_time_has_no_objection() -> None:
    assert objection(COMMAND, 100.0, None) is None


def test_a_late_command_is_never_carried_out() -> None:
    said = objection(COMMAND, 102.5, None)
    assert said is not None
    assert "late" in said


def test_two_pulses_keep_their_distance() -> None:
    assert objection(COMMAND, 100.0, 100.0 - MIN_GAP_S / 2) is not None
    assert objection(replace(COMMAND, id="2"), 100.0, 100.0 - MIN_GAP_S) is None
