"""From part to part of one lane: what the technician is asked to do, and what is seen of it.

Orders go to the ports of the lane; presences come in. It knows no board and no standard input.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

from uuid6 import uuid7

from gatekeeper.cli.barrier.inputs import Inputs, word
from gatekeeper.cli.barrier.parts import (
    BOOM_UP,
    CLOSE,
    HOLD,
    OPEN,
    channels,
    relays_of,
)
from gatekeeper.clock import monotonic
from gatekeeper.config import InputSettings, LaneSettings
from gatekeeper.drivers.ports import Barrier
from gatekeeper.model import (
    Ack,
    BarrierCommand,
    BarrierCommanded,
    BarrierIntended,
    Fact,
    Outcome,
    PartResult,
    PartTested,
    Reason,
)

RISES_S = 10.0
"""A boom that has not moved after this does not obey."""

_DO = {
    "arrival_loop": "drive onto the arrival loop, or cover it with something of iron",
    "safety_loop": "cover the safety loop under the boom",
    "photocell": "put a hand before the photocell",
    "fire": "have the fire controller switch its contact",
}
UP = Reason.ORDERED
"""Why a boom goes up in a test."""

_MOVES = (OPEN, HOLD)
_IS_IT_CLEAR = "The boom will move. Is the way clear, with no one under it?"


Order: TypeAlias = Callable[[BarrierCommand], Awaitable[Ack]]
"""One method of the barrier's port."""


class Terminal(Protocol):
    """The person beside the barrier."""

    def tell(self, text: str) -> None:
        """Say one line."""
        ...

    async def allows(self, question: str) -> bool:
        """Whether a boom may move now."""
        ...

    async def confirms(self, question: str) -> bool:
        """Whether it is as asked."""
        ...

    async def skips(self) -> None:
        """Returns when they want to go on with the next part."""
        ...


class LaneTest:
    """One test of one lane. `parts` grows as it goes on; `note` writes a fact down before it
    returns; `wait_s` is how long an input is waited for.
    """

    def __init__(
        self,
        lane: LaneSettings,
        wires: Mapping[str, InputSettings],
        *,
        barrier: Barrier,
        inputs: Inputs,
        terminal: Terminal,
        note: Callable[[Fact], Awaitable[None]],
        wait_s: float,
    ) -> None:
        self.parts: list[PartTested] = []
        self._lane = lane
        self._channels = {**channels(wires), **relays_of(lane.barrier)}
        self._wires = wires
        self._barrier = barrier
        self._inputs = inputs
        self._terminal = terminal
        self._note = note
        self._wait_s = wait_s
        self._boom_seen: set[bool] = set()

    async def run(self) -> None:
        """Inputs first: then it is known what a boom is watched by."""
        for part in self._wires:
            if part != BOOM_UP:
                await self._try_input(part)
        fire = [part for part in self._on() if part not in self._lane.inputs]
        if fire:
            self._terminal.tell(f"{' and '.join(fire)}: fire, or inverted? No boom is moved.")
            return
        await self._try_opening()
        await self._try_holding()
        if BOOM_UP in self._wires:
            self._judge_boom_up()

    async def _try_input(self, part: str) -> None:
        at_first = self._inputs.on.get(part)
        if at_first is None:
            self._found(part, PartResult.FAILED, "was never read")
            return
        self._terminal.tell(f"{part} ({self._channels[part]}) is {word(at_first)}.")
        self._inputs.changed.clear()
        for on in (not at_first, at_first):
            self._ask_for(part, on)
            result = await self._seen(part, on, self._wait_s)
            if result is not PartResult.OK:
                self._found(part, result, self._instead(part, on, result))
                return
        self._found(part, PartResult.OK, "was on at first: inverted?" if at_first else "")

    def _ask_for(self, part: str, on: bool) -> None:
        how = _DO.get(part.partition(".")[0], f"make {part} go on") if on else "clear it"
        self._terminal.tell(f"Now {how}. (s: skip)")

    def _instead(self, part: str, on: bool, result: PartResult) -> str:
        """What was seen where nothing of the input was."""
        others = sorted(self._inputs.changed - {part})
        if others:
            return f"{' and '.join(others)} changed instead: crossed wires?"
        return "" if result is PartResult.SKIPPED else f"not seen {word(on)}"

    async def _try_opening(self) -> None:
        if self._inputs.on.get(BOOM_UP):
            self._terminal.tell("boom_up is on before anything was opened: boom up, or inverted?")
        if await self._allowed(OPEN, "open") and await self._done(OPEN, self._barrier.open, UP):
            await self._moves(OPEN, up=True)
            if self._lane.barrier.close_coil is not None:
                await self._try_closing()
            await self._falls()

    async def _try_closing(self) -> None:
        # Opening beats closing: the pulse that opened the boom has to be over.
        await asyncio.sleep(self._lane.barrier.pulse_ms / 1000)
        under = [part for part in self._on() if part != BOOM_UP]
        if under:
            self._found(CLOSE, PartResult.SKIPPED, f"{' and '.join(under)}: not clear")
        elif await self._allowed(CLOSE, "close") and await self._done(CLOSE, self._barrier.close):
            await self._moves(CLOSE, up=False)

    async def _try_holding(self) -> None:
        if not await self._allowed(HOLD, "keep up"):
            return
        try:
            if await self._done(HOLD, self._barrier.hold, UP):
                await self._stays(HOLD)
        finally:
            await self._done(HOLD, self._barrier.release)
        await self._falls()

    async def _allowed(self, part: str, verb: str) -> bool:
        self._terminal.tell(f"{part} ({self._channels[part]}) is to {verb} the boom.")
        allowed = await self._terminal.allows(_IS_IT_CLEAR)
        if not allowed:
            self._found(part, PartResult.SKIPPED, "it was not said that the way is clear")
        return allowed

    async def _done(self, part: str, order: Order, reason: Reason | None = None) -> bool:
        """Whether the board has done it; without a reason it is nothing that raises the boom."""
        ack = await self._carried_out(order, reason)
        self._terminal.tell(f"  {ack.outcome}{f': {ack.detail}' if ack.detail else ''}")
        if ack.outcome is not Outcome.DONE:
            self._found(part, PartResult.FAILED, f"{ack.outcome}: {ack.detail}")
        return ack.outcome is Outcome.DONE

    async def _carried_out(self, order: Order, reason: Reason | None) -> Ack:
        command = BarrierCommand(
            id=str(uuid7()),
            lane=self._lane.name,
            passage=None,
            reason=reason,
            deadline=monotonic() + self._lane.barrier.deadline_s,
        )
        if reason is not None:
            await self._note(BarrierIntended(command=command.id, reason=reason))
        ack = await order(command)
        await self._note(
            BarrierCommanded(command=command.id, outcome=ack.outcome, detail=ack.detail)
        )
        return ack

    async def _moves(self, part: str, *, up: bool) -> None:
        """Whether the boom did as it was told: by its input, else by the technician's eyes."""
        if await self._boom_is(up, RISES_S):
            self._found(part, PartResult.OK, "")
        elif await self._terminal.confirms(f"Did the boom {'rise' if up else 'fall'}?"):
            self._found(part, PartResult.OK, "seen by eye")
        else:
            self._found(part, PartResult.NOT_SEEN, "the boom did not move")

    async def _stays(self, part: str) -> None:
        """Whether the boom stays up where it would fall after a pulse: that takes a person's time
        and eyes.
        """
        await self._boom_is(True, RISES_S)
        if await self._terminal.confirms("Does the boom stay up, for longer than after a pulse?"):
            self._found(part, PartResult.OK, "seen by eye")
        else:
            self._found(part, PartResult.NOT_SEEN, "the boom did not stay up")

    async def _falls(self) -> None:
        """A boom closes by itself, and boom_up goes off: nothing is ordered."""
        if self._inputs.on.get(BOOM_UP):
            self._terminal.tell("The boom closes by itself now. (s: skip)")
            await self._boom_is(False, self._wait_s)

    async def _boom_is(self, up: bool, wait_s: float) -> bool:
        if BOOM_UP not in self._wires:
            return False
        seen = await self._seen(BOOM_UP, up, wait_s) is PartResult.OK
        if seen:
            self._boom_seen.add(up)
        return seen

    def _judge_boom_up(self) -> None:
        missing = {True, False} - self._boom_seen
        orders = [part.result for part in self.parts if part.part in _MOVES]
        if not missing:
            self._found(BOOM_UP, PartResult.OK, "")
        elif set(orders) == {PartResult.SKIPPED}:
            self._found(BOOM_UP, PartResult.SKIPPED, "the boom was not moved")
        else:
            never = " or ".join(word(on) for on in sorted(missing))
            self._found(BOOM_UP, PartResult.NOT_SEEN, f"not seen {never}")

    def _on(self) -> list[str]:
        return [part for part in self._wires if self._inputs.on.get(part)]

    async def _seen(self, part: str, on: bool, wait_s: float) -> PartResult:
        came = asyncio.create_task(self._inputs.until(part, on))
        skip = asyncio.create_task(self._terminal.skips())
        try:
            await asyncio.wait({came, skip}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = came.done(), skip.done()
            came.cancel()
            skip.cancel()
        if ended[0]:
            return PartResult.OK
        return PartResult.SKIPPED if ended[1] else PartResult.NOT_SEEN

    def _found(self, part: str, result: PartResult, detail: str) -> None:
        self.parts.append(
            PartTested(part=part, channel=self._channels[part], result=result, detail=detail)
        )
        self._terminal.tell(f"{part}: {result.replace('_', ' ')}{f' ({detail})' if detail else ''}")
