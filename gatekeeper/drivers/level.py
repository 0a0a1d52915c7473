"""A relay that is to be on, or off: written and read back, again until it is so.

A level may be repeated, other than a pulse: it says how things shall be, not that something shall
happen.
"""

from collections.abc import Callable

from gatekeeper.clock import monotonic
from gatekeeper.drivers.device import Device
from gatekeeper.drivers.session import NotSentError, RefusedError, Urgency
from gatekeeper.errors import BoardError
from gatekeeper.model import Outcome

OFF_S = 2.0
"""A relay that still is not off after this is the board's fault, not only its lane's."""

ANSWER_S = 2.0
"""The longest that a request without a deadline of its own may take, its turn on a shared line
included."""

_PAUSE_S = 0.2


async def set_level(
    device: Device,
    coil: int,
    on: bool,
    *,
    urgency: Urgency,
    deadline: float,
    still: Callable[[], bool] = lambda: True,
) -> tuple[Outcome, str]:
    """Write, read back, and begin again until it reads so, it is not wanted so any more, the board
    is down or `deadline` passed.

    Never raises for a device: `failed` when nothing can have been switched, `unknown` when
    something may have been.
    """
    outcome, detail = await _tried(device, coil, on, urgency, deadline)
    while outcome is not Outcome.DONE and monotonic() < deadline and still():
        if not await device.lasts(_PAUSE_S):
            break
        again, detail = await _tried(device, coil, on, urgency, deadline)
        outcome = again if outcome is Outcome.FAILED or again is Outcome.DONE else outcome
    return outcome, detail


async def switch_off(device: Device, coil: int) -> bool:
    """Off until it reads off; gives the board up if it does not. Whether it was read off."""
    deadline = monotonic() + OFF_S
    outcome, _ = await set_level(device, coil, False, urgency=Urgency.PULSE, deadline=deadline)
    if outcome is not Outcome.DONE:
        device.end(device.error(f"coil {coil} stays on"))
    return outcome is Outcome.DONE


async def reads_on(device: Device, coil: int, urgency: Urgency) -> bool:
    """Whether the board says that its relay is on; raises as the bus does.

    Asked for this relay alone: no other answer of the board has to do with so few.
    """
    (on,) = await device.read_coils(coil, 1, urgency=urgency, deadline=monotonic() + ANSWER_S)
    return on


async def _tried(
    device: Device, coil: int, on: bool, urgency: Urgency, deadline: float
) -> tuple[Outcome, str]:
    try:
        await device.write_coil(coil, on, urgency=urgency, deadline=deadline)
        if await reads_on(device, coil, urgency) is on:
            return Outcome.DONE, f"switched {'on' if on else 'off'} and read back"
    except NotSentError as error:
        return Outcome.FAILED, str(error)
    except RefusedError as refusal:
        return Outcome.FAILED if refusal.undone else Outcome.UNKNOWN, str(refusal)
    except BoardError as error:
        return Outcome.UNKNOWN, str(error)
    return Outcome.UNKNOWN, f"coil {coil} was echoed, but reads {'off' if on else 'on'}"
