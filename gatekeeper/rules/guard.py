"""Interlocks: the last question before any command may reach a relay.

Pure: it is told the command, the moment and what the barrier did last, and answers with the
reason why not, or None.
"""

from gatekeeper.model import BarrierCommand

MIN_GAP_S = 1.0
"""Shortest time between two pulses of one barrier: the coil has to fall, and be seen off."""


def objection(command: BarrierCommand, at: float, last_at: float | None) -> str | None:
    """Why `command` may not be carried out at the moment `at`; None if it may.

    `last_at` is when this barrier was last commanded, None if never. A pulse that comes late is
    worse than none: whoever stands at the gate then is not whom it was meant for.
    """
    if at > command.deadline:
        return f"late by {at - command.deadline:.1f} s"
    if last_at is not None and at - last_at < MIN_GAP_S:
        return f"only {at - last_at:.1f} s after the pulse before"
    return None
