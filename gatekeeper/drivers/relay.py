"""One relay: brought to a level, or given one pulse.

A level may be repeated, for it says how things shall be: it is written and read back until it is
so. A pulse is an order that something shall happen: in comes a command with a deadline, out go
frames on the bus and one `Ack`, and it is asked for once and never again. Where the board times the
pulse, the relay falls by itself, also when cable or controller die in its middle; otherwise it is
timed here. In both cases off is written until it reads off, or until the board is given up, whose
next session begins with such a relay off.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gatekeeper.clock import monotonic
from gatekeeper.drivers.device import Device
from gatekeeper.drivers.session import NotSentError, RefusedError, Urgency
from gatekeeper.errors import BoardError
from gatekeeper.model import Ack, BarrierCommand, Outcome

OFF_S = 2.0
"""A relay that still is not off after this is the board's fault, not only its lane's."""

ANSWER_S = 2.0
"""The longest that a request without a deadline of its own may take, its turn on a shared line
included."""

_PAUSE_S = 0.2
"""Between two attempts at a level: a board that is busy gets time to finish."""

_ATTEMPT_S = 0.05
"""With less time than this before the deadline nothing is begun: an answer that could not come in
time would be held against the board."""


async def switch(
    device: Device,
    coil: int,
    on: bool,
    *,
    urgency: Urgency,
    deadline: float,
    still: Callable[[], bool] = lambda: True,
) -> tuple[Outcome, str]:
    """Write, read back, and begin again until it reads so, it is `still` wanted so no more, the
    board is down or `deadline` passed.

    Never raises for a device: `failed` when nothing can have been switched, `unknown` when
    something may have been.
    """
    outcome, detail = await _tried(device, coil, on, urgency, deadline)
    last_at = deadline - _PAUSE_S - _ATTEMPT_S
    while outcome is not Outcome.DONE and monotonic() < last_at and still():
        if not await device.lasts(_PAUSE_S):
            break
        again, detail = await _tried(device, coil, on, urgency, deadline)
        outcome = again if outcome is Outcome.FAILED or again is Outcome.DONE else outcome
    return outcome, detail


async def switch_off(device: Device, coil: int) -> bool:
    """Off until it reads off; gives the board up if it does not. Whether it was read off."""
    deadline = monotonic() + OFF_S
    outcome, _ = await switch(device, coil, False, urgency=Urgency.PULSE, deadline=deadline)
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


class Pulse:
    """A pulse of one relay for one command; its task belongs to the board, not to who asked.

    `answer` is set as soon as it is known what became of the command, before the pulse has ended.
    `ended` is awaited when its time is over.
    """

    def __init__(
        self,
        device: Device,
        command: BarrierCommand,
        *,
        coil: int,
        pulse_ms: int,
        ended: Callable[[], Awaitable[None]],
    ) -> None:
        self.answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._device = device
        self._command = command
        self._coil = coil
        self._pulse_ms = pulse_ms
        self._ended = ended
        self._sent = True  # until the bus says that it was not

    async def run(self) -> None:
        """Give the pulse; ends when the relay is off again, or the board is down."""
        try:
            outcome, detail = await self._begin()
            self._tell(outcome, detail)
            if outcome is not Outcome.FAILED:
                await self._device.lasts(self._pulse_ms / 1000)
        finally:
            self._tell(Outcome.UNKNOWN, "the pulse was broken off")
            if self._sent:
                await self._ended()

    def never_begun(self) -> None:
        """Answer, if this was broken off before it could run at all; else it has answered."""
        self._tell(Outcome.FAILED, "the pulse was broken off before it began")

    async def _begin(self) -> tuple[Outcome, str]:
        try:
            await self._device.pulse(
                self._coil, self._pulse_ms, urgency=Urgency.OPEN, deadline=self._command.deadline
            )
        except NotSentError as error:
            self._sent = False
            return Outcome.FAILED, str(error)
        except RefusedError as refusal:
            return Outcome.FAILED if refusal.undone else Outcome.UNKNOWN, str(refusal)
        except BoardError as error:
            return Outcome.UNKNOWN, str(error)
        return await self._confirm()

    async def _confirm(self) -> tuple[Outcome, str]:
        falls_at = monotonic() + self._pulse_ms / 1000
        try:
            on = await reads_on(self._device, self._coil, Urgency.OPEN)
        except BoardError as error:
            return Outcome.UNKNOWN, f"echoed, but not read back: {error}"
        if on:
            return Outcome.DONE, "switched on and read back"
        if self._device.times_pulses and monotonic() > falls_at:
            return Outcome.UNKNOWN, f"coil {self._coil} was echoed on, and read back too late"
        return Outcome.UNKNOWN, f"coil {self._coil} was echoed on, but reads off"

    def _tell(self, outcome: Outcome, detail: str) -> None:
        if not self.answer.done():
            self.answer.set_result(
                Ack(command=self._command.id, outcome=outcome, detail=detail, at=monotonic())
            )


@dataclass(slots=True, kw_only=True)
class _Action:
    """What is done to one relay: it pulses, and then is brought to rest."""

    task: asyncio.Task[None]
    resting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A session in which relays may be switched, and what is being done to each."""

    device: Device
    tasks: asyncio.TaskGroup
    actions: dict[int, _Action] = field(default_factory=dict)
    levels: Counter[int] = field(default_factory=Counter)

    def begin(
        self, coil: int, action: Coroutine[None, None, None], *, resting: bool = False
    ) -> asyncio.Task[None]:
        """Do this to a relay from now on, and nothing else."""
        self.break_off(coil)
        task = self.tasks.create_task(action, name=f"coil {coil}")
        self.actions[coil] = _Action(task=task, resting=resting)
        task.add_done_callback(lambda done: self._forget(coil, done))
        return task

    def pulses(self, coil: int) -> bool:
        """Whether a relay pulses."""
        return coil in self.actions and not self.actions[coil].resting

    def rest(self, coil: int) -> None:
        """What is done to a relay brings it to rest from now on."""
        self.actions[coil].resting = True

    def break_off(self, coil: int, *, resting: bool | None = None) -> None:
        """End what is done to a relay, if it is of this kind; a pulse is followed by off all
        the same.
        """
        action = self.actions.get(coil)
        if action is not None and resting in (None, action.resting):
            action.task.cancel()

    @contextmanager
    def switching(self, coil: int) -> Iterator[None]:
        """A command brings a relay to its level as long as the context lasts."""
        self.levels[coil] += 1
        try:
            yield
        finally:
            self.levels[coil] -= 1

    @property
    def busy(self) -> set[int]:
        """Relays that may be on the way from one level to the other."""
        return set(self.actions) | {coil for coil, number in self.levels.items() if number}

    def _forget(self, coil: int, done: asyncio.Task[None]) -> None:
        if coil in self.actions and self.actions[coil].task is done:
            del self.actions[coil]
