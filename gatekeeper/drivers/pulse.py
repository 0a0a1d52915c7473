"""One opening pulse, timed here: on, read back, wait, off, read back.

In comes a command with a deadline, out go frames on the bus and one `Ack`. On is sent once and
never again; off is sent until it reads off, or until the connection is given up, whose successor
begins with all coils off. Who cancels a pulse shortens it; off is sent all the same.
"""

import asyncio

from gatekeeper.clock import monotonic
from gatekeeper.config import BarrierSettings
from gatekeeper.drivers.bus import Bus, NotSentError, RefusedError, Urgency
from gatekeeper.errors import BoardError
from gatekeeper.model import Ack, BarrierCommand, Outcome

_OFF_TRIES = 10
_OFF_PAUSE_S = 0.2
"""A relay that still is not off after these is the board's fault, not only its lane's."""


class Pulse:
    """A pulse of one relay for one command; its task belongs to the board, not to who asked.

    `answer` is set as soon as it is known what became of the command, before the pulse has ended.
    """

    def __init__(
        self, bus: Bus, relay: BarrierSettings, command: BarrierCommand, timeout_s: float
    ) -> None:
        self.answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._bus = bus
        self._relay = relay
        self._command = command
        self._timeout_s = timeout_s
        self._sent = True  # until the bus says that it was not

    async def run(self) -> None:
        """Give the pulse; ends when the coil is off again, or the bus is down."""
        try:
            outcome, detail = await self._switch_on()
            self._tell(outcome, detail)
            if outcome is not Outcome.FAILED:
                await self._bus.lasts(self._relay.pulse_ms / 1000)
        finally:
            self._tell(Outcome.UNKNOWN, "the controller stopped meanwhile")
            if self._sent:
                await self._switch_off()

    async def _switch_on(self) -> tuple[Outcome, str]:
        try:
            await self._bus.write_coil(
                self._relay.coil, True, urgency=Urgency.OPEN, deadline=self._command.deadline
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
        try:
            on = await self._reads_on(Urgency.OPEN)
        except BoardError as error:
            return Outcome.UNKNOWN, f"echoed, but not read back: {error}"
        if on:
            return Outcome.DONE, "switched on and read back"
        return Outcome.UNKNOWN, f"coil {self._relay.coil} was echoed on, but reads off"

    async def _switch_off(self) -> None:
        """Off until it reads off; off may be repeated, for it opens nothing."""
        for _ in range(_OFF_TRIES):
            if not self._bus.up or await self._is_off():
                return
            await self._bus.lasts(_OFF_PAUSE_S)
        self._bus.end(
            BoardError(f"relay board {self._relay.board}: coil {self._relay.coil} stays on")
        )

    async def _is_off(self) -> bool:
        try:
            await self._bus.write_coil(
                self._relay.coil,
                False,
                urgency=Urgency.PULSE,
                deadline=monotonic() + self._timeout_s,
            )
            return not await self._reads_on(Urgency.PULSE)
        except BoardError:
            return False  # said by the board, whose poll meets the same fault

    async def _reads_on(self, urgency: Urgency) -> bool:
        (on,) = await self._bus.read_coils(
            self._relay.coil, 1, urgency=urgency, deadline=monotonic() + self._timeout_s
        )
        return on

    def _tell(self, outcome: Outcome, detail: str) -> None:
        if not self.answer.done():
            self.answer.set_result(
                Ack(command=self._command.id, outcome=outcome, detail=detail, at=monotonic())
            )
