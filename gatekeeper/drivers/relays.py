"""The relays of one board: what pulses, what is to be kept on, and what was found on.

What is wanted of a relay is a level, and the board is brought to it again and again: at each start,
after each connection, and at every look in between. Three kinds differ in how they go off:

- one that pulses goes off at once, for it must not be on later;
- one that is wanted held is switched on, after each connection too, until it is released;
- one that does nothing but hold, and is on without being wanted so, goes off only when its lanes
  have been clear for a while, for a vehicle may stand under the boom (`left_up`). So does any that
  was held and did not follow its release. A relay that opens counts as one that pulses otherwise:
  left on, it would let in the next car.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from gatekeeper.clock import monotonic
from gatekeeper.config import BarrierSettings, BoardSettings, LaneSettings
from gatekeeper.drivers.device import Device
from gatekeeper.drivers.left_up import LeftUp
from gatekeeper.drivers.relay import ANSWER_S, Live, Pulse, switch, switch_off
from gatekeeper.drivers.session import Urgency
from gatekeeper.errors import BoardError
from gatekeeper.health import Health
from gatekeeper.model import Ack, BarrierCommand, Outcome
from gatekeeper.parts import Parts

log = structlog.get_logger(__name__)

STRAY = "relay_stray"
"""The alarm of a board with a relay on that was not switched on here; its subject is the board's
name."""

SAFE_S = 5.0
"""The longest that bringing all relays to where they belong may take."""

_LOOK_S = 1.0
"""How often the relays are read: a flash of the board's own may have ended, its power may have
failed for a moment, or another program may have switched one.
"""


class Relays:
    """The relays of those lanes that are wired to this board."""

    def __init__(self, board: BoardSettings, lanes: Sequence[LaneSettings], health: Health) -> None:
        self._board = board
        self._lanes = [lane for lane in lanes if lane.barrier.board == board.name]
        self._ours = sorted({coil for lane in self._lanes for coil in lane.barrier.coils.values()})
        self._health = health
        self._live: Live | None = None
        self._wants: set[tuple[int, str]] = set()
        """Relays to be kept on, and for which lane, whatever becomes of the connection: two lanes
        may share a barrier.
        """
        self._held: set[int] = set()
        """Those of them that were read on in this session."""
        self._released: set[int] = set()
        """Those that were released in this session and not yet read off."""
        self._left_up: dict[int, LeftUp] = {}
        self._stray: set[int] = set()

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
        if not self._ours:
            return
        deadline = monotonic() + SAFE_S
        hold = self._hold_coils
        self._find_left_up(await self._read(device, Urgency.PULSE, deadline) & hold)
        for coil in self._ours:
            if coil not in self._left_up:
                wanted = coil in self._wanted
                await device.write_coil(coil, wanted, urgency=Urgency.PULSE, deadline=deadline)
                hold |= {coil} if wanted else set()
        on = await self._read(device, Urgency.PULSE, deadline)
        self._find_left_up(on & hold)  # once more: it may have been released meanwhile
        self._held = on & self._wanted
        stuck = on - self._wanted - self._left_up.keys()
        if stuck:
            raise device.error(
                f"coil {min(stuck)} stays on although it was switched off: is something else"
                " switching it?"
            )

    def go_live(self, device: Device, parts: Parts) -> None:
        """Take commands from now on."""
        self._live = Live(device=device, tasks=parts)
        if self._ours:
            parts.part(self._keep(self._live), "relays as they are wanted", ends=True)

    def go_down(self) -> None:
        """Take no more commands; what is wanted stays wanted."""
        self._live = None
        self._held.clear()
        self._released.clear()

    def see(self, inputs: Sequence[bool], at: float) -> None:
        """What the inputs are: a boom that was found up may come down over a clear lane."""
        for coil, found in tuple(self._left_up.items()):
            if found.may_come_down(inputs, at) and self._live is not None:
                del self._left_up[coil]
                log.info("boom.let_down", lanes=found.names, coil=coil)
                self._live.begin(coil, self._rest(self._live, coil), resting=True)

    # --- commands, as ports.Barrier has them ----------------------------------------------------

    async def open(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """While a relay pulses, another command for it fails: it would neither get a pulse of its
        own nor may it lengthen that of another.
        """
        if self._live is None:
            return self._away(command)
        if relay.held_by in self._left_up:
            self._left_up[relay.held_by].let_in(command.lane, monotonic())
        if relay.held_by in self._held | self._left_up.keys():
            return _ack(command, Outcome.DONE, "held open already")
        self._open_beats_close(relay)
        if relay.coil in self._wanted:
            return await self._switch(self._live, relay.coil, True, command)
        return await self._pulse(self._live, relay.coil, relay.pulse_ms, command)

    async def close(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """Opening beats closing: nothing closes while the boom is opened or kept up."""
        if relay.close_coil is None:
            return _ack(command, Outcome.FAILED, "no close relay is wired")
        if relay.held_by in self._wanted | self._left_up.keys():
            return _ack(command, Outcome.FAILED, "the boom is kept up")
        if self._live is None:
            return self._away(command)
        if self._live.pulses(relay.coil):
            return _ack(command, Outcome.FAILED, "the boom is being opened")
        return await self._pulse(self._live, relay.close_coil, relay.close_pulse_ms, command)

    async def hold(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """On, from now on and after every reconnection."""
        self._wants.add((relay.held_by, command.lane))
        self._left_up.pop(relay.held_by, None)
        self._open_beats_close(relay)
        if self._live is None:
            return self._away(command, "; it will be held up when it is back")
        self._live.break_off(relay.held_by, resting=True)
        return await self._switch(self._live, relay.held_by, True, command)

    async def release(self, relay: BarrierSettings, command: BarrierCommand) -> Ack:
        """No longer on, unless the opposite lane wants it on. Where the board does not take it
        before the deadline, it goes off as one that was found on.
        """
        self._wants.discard((relay.held_by, command.lane))
        if relay.held_by in self._wanted:
            return _ack(command, Outcome.DONE, "kept up for the opposite lane")
        self._held.discard(relay.held_by)
        self._left_up.pop(relay.held_by, None)
        if self._live is None:
            return self._away(command, "; it will be released when it is back")
        self._released.add(relay.held_by)
        return await self._switch(self._live, relay.held_by, False, command)

    async def _pulse(self, live: Live, coil: int, pulse_ms: int, command: BarrierCommand) -> Ack:
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
        if self._live is not None and relay.close_coil is not None:
            self._live.break_off(relay.close_coil, resting=False)

    # --- levels ---------------------------------------------------------------------------------

    async def _switch(self, live: Live, coil: int, on: bool, command: BarrierCommand) -> Ack:
        """To its level now, if the board takes it before the deadline; else `_keep` sees to it."""
        return _ack(command, *await self._to_level(live, coil, on, command.deadline))

    async def _keep_on(self, live: Live, coil: int) -> None:
        await self._to_level(live, coil, True, monotonic() + ANSWER_S)

    async def _to_level(
        self, live: Live, coil: int, on: bool, deadline: float
    ) -> tuple[Outcome, str]:
        with live.switching(coil):
            outcome, detail = await switch(
                live.device,
                coil,
                on,
                urgency=Urgency.OPEN,
                deadline=deadline,
                still=lambda: (coil in self._wanted) is on,
            )
        if outcome is Outcome.DONE and coil in self._wanted:
            self._held.add(coil)
        return outcome, detail

    async def _rest(self, live: Live, coil: int) -> None:
        """Bring a relay that has pulsed, or was left on, to where it belongs."""
        live.rest(coil)
        if coil in self._wanted:
            await self._keep_on(live, coil)
        else:
            await switch_off(live.device, coil)

    async def _keep(self, live: Live) -> None:
        """Look after all relays, for as long as the session lasts."""
        while await live.device.lasts(_LOOK_S):
            with suppress(BoardError):  # said by the board, whose poll meets the same fault
                await self._look(live)

    async def _look(self, live: Live) -> None:
        """Bring each relay to where it belongs that is not there, and that nothing is done to."""
        busy = live.busy
        on = await self._read(live.device, Urgency.POLL, monotonic() + ANSWER_S)
        steady = set(self._ours) - busy - live.busy
        self._left_off(steady - on)
        self._left_on(live, (steady & on) - self._wanted - self._left_up.keys())
        self._tell_stray((self._stray & on) - self._wanted)
        off = (steady - on) & self._wanted
        await asyncio.gather(*(self._keep_on(live, coil) for coil in off))

    def _left_off(self, off: set[int]) -> None:
        """These are off: by themselves, by another program, or as they were told."""
        self._held -= off
        self._released -= off
        for coil in off & self._left_up.keys():
            del self._left_up[coil]

    def _left_on(self, live: Live, on: set[int]) -> None:
        """These are on without being wanted so: some did not follow their release."""
        self._stray |= on - self._released
        for coil in sorted(on):
            if coil in self._released | self._hold_coils:
                self._leave_up(coil)
            else:
                live.begin(coil, self._rest(live, coil), resting=True)
        self._released -= on

    def _tell_stray(self, stray: set[int]) -> None:
        self._stray = stray
        if stray:
            coils = " and ".join(f"coil {coil}" for coil in sorted(stray))
            detail = f"{coils} came on, and not from here: find the program, button or wire"
            self._health.raise_alarm(STRAY, self._board.name, detail)
        else:
            self._health.clear_alarm(STRAY, self._board.name)

    # --- what the relays are --------------------------------------------------------------------

    @property
    def _hold_coils(self) -> set[int]:
        """The relays that do nothing but hold."""
        return {coil for lane in self._lanes if (coil := lane.barrier.hold_coil) is not None}

    def _find_left_up(self, on: set[int]) -> None:
        """Those that keep a boom up without being wanted so."""
        found = on - self._wanted
        for coil in self._left_up.keys() - found:
            del self._left_up[coil]
        for coil in sorted(found):
            self._leave_up(coil)

    def _leave_up(self, coil: int) -> None:
        """This one comes down over a clear lane only."""
        if coil in self._left_up:
            self._left_up[coil].unseen()
            return
        lanes = tuple(lane for lane in self._lanes if lane.barrier.held_by == coil)
        self._left_up[coil] = found = LeftUp(lanes=lanes)
        log.warning("boom.kept_up", lanes=found.names, coil=coil)

    async def _read(self, device: Device, urgency: Urgency, deadline: float) -> set[int]:
        """Which of our relays are on."""
        states = await device.read_coils(0, self._ours[-1] + 1, urgency=urgency, deadline=deadline)
        return {coil for coil in self._ours if states[coil]}

    def _away(self, command: BarrierCommand, then: str = "") -> Ack:
        why = f"relay board {self._board.name} is not reachable{then}"
        return _ack(command, Outcome.FAILED, why)


def _ack(command: BarrierCommand, outcome: Outcome, detail: str) -> Ack:
    return Ack(command=command.id, outcome=outcome, detail=detail, at=monotonic())
