"""One pulse of one relay: on, read back, off, read back.

In comes a command with a deadline, out go frames on the bus and one `Ack`. The pulse is asked for
once and never again. Where the board times it, it falls by itself, also when cable or controller
die in its middle; otherwise it is timed here. In both cases off is written until it reads off, or
until the board is given up, whose next session begins with such a relay off. Who cancels a pulse
shortens it; off is written all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable

from gatekeeper.clock import monotonic
from gatekeeper.drivers.device import Device
from gatekeeper.drivers.level import reads_on
from gatekeeper.drivers.session import NotSentError, RefusedError, Urgency
from gatekeeper.errors import BoardError
from gatekeeper.model import Ack, BarrierCommand, Outcome


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
