"""The relays of one board: what pulses, what is to be kept on, and what was found on.

Three kinds of relay differ in what is done to them when the board comes (back):

- one that pulses goes off at once, for nobody may find it on later;
- one that somebody wants held is switched on, each time anew, until it is released;
- one that does nothing but hold, and is found on without anybody wanting it, goes off only when no
  loop of its lane has seen anything for a while, for a vehicle may stand under the boom. A relay
  that opens as well counts as one that pulses: left on, it would let in whoever comes.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from gatekeeper.clock import monotonic
from gatekeeper.config import BarrierSettings, BoardSettings, LaneSettings
from gatekeeper.drivers.device import Device
from gatekeeper.drivers.inputs import is_on
from gatekeeper.drivers.level import ANSWER_S, reads_on, set_level, switch_off
from gatekeeper.drivers.pulse import Pulse
from gatekeeper.drivers.session import Urgency
from gatekeeper.drivers.works import Live
from gatekeeper.errors import BoardError
from gatekeeper.model import Ack, BarrierCommand, Outcome

log = structlog.get_logger(__name__)

CLEAR_S = 2.0
"""No loop of a lane has seen anything for so long: nothing stands under its boom."""

SAFE_S = 5.0
"""The longest that bringing all relays to where they belong may take."""

_KEEP_S = 1.0
"""How often it is looked whether what is held is on: a flash of the board's own may have ended, or
its power may have failed for a moment.
"""

_UP_ALREADY = "held open already"


@dataclass(slots=True, kw_only=True)
class _LeftUp:
    """A relay found on that keeps a boom up, and since when its lanes are clear."""

    lanes: tuple[LaneSettings, ...]
    clear_since: float | None = None

    @property
    def names(self) -> list[str]:
        """The lanes under this boom."""
        return [lane.name for lane in self.lanes]

    def clear(self, inputs: Sequence[bool], at: float) -> bool:
        """Whether the lanes have been clear for long enough."""
        inputs_of = [item for lane in self.lanes for item in lane.inputs.items()]
        wires = [wire for key, wire in inputs_of if key != "boom_up"]
        if any(is_on(wire, inputs) for wire in wires):
            self.clear_since = None
        elif self.clear_since is None:
            self.clear_since = at
        return self.clear_since is not None and at - self.clear_since >= CLEAR_S


class Relays:
    """The relays of those lanes that are wired to this board."""

    def __init__(self, board: BoardSettings, lanes: Sequence[LaneSettings]) -> None:
        self._board = board
        self._lanes = [lane for lane in lanes if lane.barrier.board == board.name]
        self._live: Live | None = None
        self._wants: set[tuple[int, str]] = set()
        """Relays to be kept on, and for which lane, whatever becomes of the connection: two lanes
        may share a barrier.
        """
        self._held: set[int] = set()
        """Those of them that were read on in this session."""
        self._left_up: dict[int, _LeftUp] = {}

    @property
    def _wanted(self) -> set[int]:
        """The relays to be kept on."""
        return {coil for coil, _ in self._wants}

    @property
    def alive(self) -> bool:
        """Whether the board takes commands."""
        return self._live is not None

    # --- sessions -------------------------------------------------------------------------------

    async def make_safe(self, device: Device) -> None:
        """Bring all our relays to where they belong, and read them back; raises `BoardError`."""
        ours = sorted({coil for lane in self._lanes for coil in lane.barrier.coils.values()})
        if not ours:
            return
        deadline = monotonic() + SAFE_S
        hold = {lane.barrier.hold_coil for lane in self._lanes} - {None}
        self._find_left_up(await self._read(device, ours, deadline) & hold)
        for coil in ours:
            if coil not in self._left_up:
                wanted = coil in self._wanted
                await device.write_coil(coil, wanted, urgency=Urgency.PULSE, deadline=deadline)
                hold |= {coil} if wanted else set()
        on = await self._read(device, ours, deadline)
        self._find_left_up(on & hold)  # once more: somebody may have released it meanwhile
        self._held = on & self._wanted
        stuck = on - self._wanted - self._left_up.keys()
        if stuck:
            raise device.error(
                f"coil {min(stuck)} stays on although it was switched off: is something else"
                " switching it?"
            )

    def go_live(self, device: Device, tasks: asyncio.TaskGroup) -> None:
        """Take commands from now on."""
        self._live = Live(device=device, tasks=tasks)
        tasks.create_task(self._keep(device), name="kept relays")

    def go_down(self) -> None:
        """Take no more commands; what is wanted stays wanted."""
        self._live = None
        self._held.clear()

    def see(self, inputs: Sequence[bool], at: float) -> None:
        """What the inputs are: a boom that was found up may come down over a clear lane."""
        for coil, found in tuple(self._left_up.items()):
            if found.clear(inputs, at) and self._live is not None:
                del self._left_up[coil]
                log.info("boom.let_down", lanes=found.names, coil=coil)
                self._live.begin(coil, self._rest(self._live, coil))

    # --- commands, as ports.Barrier has them ----------------------------------------------------

    async def open(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """While a relay pulses, another command for it fails: it would neither get a pulse of its
        own nor may it lengthen that of somebody else.
        """
        if relay.held_by in self._held | self._left_up.keys():
            return _ack(command, Outcome.DONE, _UP_ALREADY)
        self._open_beats_close(relay)
        if relay.coil in self._wanted and self._live is not None:
            return await self._switch(self._live.device, relay.coil, True, command)
        return await self._pulse(relay.coil, relay.pulse_ms, command)

    async def close(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """Opening beats closing: nothing closes while the boom is opened or kept up."""
        if relay.close_coil is None:
            return _ack(command, Outcome.FAILED, "no close relay is wired")
        if relay.held_by in self._wanted | self._left_up.keys():
            return _ack(command, Outcome.FAILED, "the boom is kept up")
        if self._live is not None and self._live.pulses(relay.coil):
            return _ack(command, Outcome.FAILED, "the boom is being opened")
        return await self._pulse(relay.close_coil, relay.close_pulse_ms, command)

    async def hold(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """On, from now on and after every reconnection."""
        self._wants.add((relay.held_by, command.lane))
        self._left_up.pop(relay.held_by, None)
        self._open_beats_close(relay)
        if self._live is None:
            return self._away(command, "; it will be held up when it is back")
        if self._live.rests(relay.held_by):
            self._live.break_off(relay.held_by)
        return await self._switch(self._live.device, relay.held_by, True, command)

    async def release(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """No longer on, unless the opposite lane wants it on."""
        self._wants.discard((relay.held_by, command.lane))
        if relay.held_by in self._wanted:
            return _ack(command, Outcome.DONE, "kept up for the opposite lane")
        self._held.discard(relay.held_by)
        self._left_up.pop(relay.held_by, None)
        if self._live is None:
            return self._away(command, "; it will be released when it is back")
        return await self._switch(self._live.device, relay.held_by, False, command)

    async def _pulse(self, coil: int, pulse_ms: int, command: BarrierCommand) -> Ack:
        live = self._live
        if live is None:
            return self._away(command)
        if live.pulses(coil):
            return _ack(command, Outcome.FAILED, f"coil {coil} is pulsing already")
        pulse = Pulse(
            live.device,
            command,
            coil=coil,
            pulse_ms=pulse_ms,
            ended=lambda: self._rest(live, coil),
        )
        task = live.begin(coil, pulse.run())
        task.add_done_callback(lambda _: pulse.never_begun())
        return await asyncio.shield(pulse.answer)

    def _open_beats_close(self, relay: BarrierSettings) -> None:
        if self._live is None or relay.close_coil is None:
            return
        if self._live.pulses(relay.close_coil):
            self._live.break_off(relay.close_coil)

    # --- levels ---------------------------------------------------------------------------------

    async def _switch(self, device: Device, coil: int, on: bool, command: BarrierCommand) -> Ack:
        outcome, detail = await set_level(
            device,
            coil,
            on,
            urgency=Urgency.OPEN,
            deadline=command.deadline,
            still=lambda: (coil in self._wanted) is on,
        )
        if outcome is Outcome.DONE and coil in self._wanted:
            self._held.add(coil)
        return _ack(command, outcome, detail)

    async def _rest(self, live: Live, coil: int) -> None:
        """Bring a relay that has pulsed, or was left on, to where it belongs."""
        live.rest(coil)
        if coil in self._wanted:
            await self._keep_on(live.device, coil)
        else:
            await switch_off(live.device, coil)

    async def _keep(self, device: Device) -> None:
        """Look after what is held; for as long as the session lasts."""
        while device.up:
            for coil in sorted(self._wanted):
                with suppress(BoardError):  # said by the board, whose poll meets the same fault
                    if not await reads_on(device, coil, Urgency.POLL):
                        await self._keep_on(device, coil)
            await device.lasts(_KEEP_S)

    async def _keep_on(self, device: Device, coil: int) -> None:
        outcome, _ = await set_level(
            device,
            coil,
            True,
            urgency=Urgency.OPEN,
            deadline=monotonic() + ANSWER_S,
            still=lambda: coil in self._wanted,
        )
        if outcome is Outcome.DONE and coil in self._wanted:
            self._held.add(coil)

    # --- what the relays are --------------------------------------------------------------------

    def _find_left_up(self, on: set[int]) -> None:
        """Those that keep a boom up although nobody wants it."""
        known, self._left_up = self._left_up, {}
        for coil in sorted(on - self._wanted):
            lanes = tuple(lane for lane in self._lanes if lane.barrier.held_by == coil)
            self._left_up[coil] = found = _LeftUp(lanes=lanes)
            if coil not in known:
                log.warning("boom.kept_up", lanes=found.names, coil=coil)

    async def _read(self, device: Device, ours: Sequence[int], deadline: float) -> set[int]:
        """Which of our relays are on."""
        states = await device.read_coils(0, ours[-1] + 1, urgency=Urgency.PULSE, deadline=deadline)
        return {coil for coil in ours if states[coil]}

    def _away(self, command: BarrierCommand, then: str = "") -> Ack:
        why = f"relay board {self._board.name} is not reachable{then}"
        return _ack(command, Outcome.FAILED, why)


def _ack(command: BarrierCommand, outcome: Outcome, detail: str) -> Ack:
    return Ack(command=command.id, outcome=outcome, detail=detail, at=monotonic())
