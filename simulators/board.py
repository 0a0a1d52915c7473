"""A Modbus TCP relay board with the barriers and loops of some lanes wired to it.

Modbus requests and vehicles (commands) come in; news of coils, inputs and arms goes out. What a
vehicle does is real physics: it gets through only under a raised arm.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NoReturn, Self

from simulators.boom import Boom, State
from simulators.console import Command, CommandError, Fields, parser, run, say
from simulators.modbus import Fault, ModbusServer

ROLL_S = 0.3
"""From standing on the arrival loop to touching the safety loop."""
LEAVE_ARRIVAL_S = 0.3
"""A vehicle is on both loops for so long."""
ON_SAFETY_S = 1.0
"""From leaving the arrival loop to leaving the safety loop."""
TAILGATE_GAP_S = 0.5
"""Between two vehicles on one opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Which coil and inputs of the board belong to a lane; what is None is not wired."""

    lane: str
    coil: int
    arrival: int | None = None
    safety: int | None = None
    boom_up: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Wiring":
        """`NAME:coil=0,arrival=0,safety=1[,boom_up=2]`; raises `ArgumentTypeError`."""
        lane, _, wires = text.partition(":")
        try:
            channels = {key: int(value) for key, value in (w.split("=") for w in wires.split(","))}
            return cls(lane=lane, **channels)
        except (TypeError, ValueError) as error:
            raise argparse.ArgumentTypeError(f"{text}: must look like {_WIRING}") from error


_WIRING = "NAME:coil=0,arrival=0,safety=1[,boom_up=2]"


class Lane:
    """One lane's arm and loops, and the vehicle that stands there."""

    def __init__(self, wiring: Wiring, board: "Board", speed: float) -> None:
        self.wiring = wiring
        self.boom = Boom(self._moved, speed)
        self._board = board
        self._speed = speed
        self._arrival = False
        self._crossing = False
        self._waiting: asyncio.Future[None] | None = None

    def arrive(self) -> None:
        """A vehicle comes to stand on the arrival loop."""
        if self._arrival:
            raise CommandError("a vehicle stands there already")
        self._set_arrival(True)

    def back(self) -> None:
        """The vehicle leaves the way it came; if it waited to cross, that is over."""
        if not self._arrival:
            raise CommandError("no vehicle stands there")
        if self._crossing and self._waiting is None:
            raise CommandError("the vehicle is driving through")
        self._set_arrival(False)
        if self._waiting is not None:
            self._waiting.set_exception(CommandError("the vehicle left backwards"))
            self._waiting = None

    async def cross(self, patience_s: float, followers: int = 0) -> None:
        """The vehicle drives through when the arm is up, with others close behind it."""
        if not self._arrival:
            raise CommandError("no vehicle stands there")
        if self._crossing:
            raise CommandError("a vehicle is crossing already")
        self._crossing = True
        try:
            await self._wait_for_arm(patience_s)
            await self._drive()
            for _ in range(followers):
                self._set_arrival(True)
                await self._pass(TAILGATE_GAP_S)
                await self._drive()
        finally:
            self._crossing = False

    def feel(self, channel: int, on: bool) -> None:
        """An input of the board was set by hand; the arm minds its own safety loop."""
        if channel == self.wiring.safety:
            self.boom.safety(on)
        elif channel == self.wiring.arrival:
            self._arrival = on

    def fields(self) -> Fields:
        """What `state` answers for this lane."""
        return {
            "boom": self.boom.state,
            "angle": round(self.boom.angle),
            "arrival": self._arrival,
            "safety": self.boom.occupied,
        }

    async def _wait_for_arm(self, patience_s: float) -> None:
        if self.boom.state is State.UP:
            return
        up = self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(patience_s):
                await up
        except TimeoutError:
            raise CommandError("boom is down") from None
        finally:
            self._waiting = None

    async def _drive(self) -> None:
        """From the arrival loop over the safety loop; nobody stops a vehicle half-way."""
        await self._pass(ROLL_S)
        self._set_safety(True)
        await self._pass(LEAVE_ARRIVAL_S)
        self._set_arrival(False)
        await self._pass(ON_SAFETY_S)
        self._set_safety(False)

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)

    def _set_arrival(self, on: bool) -> None:
        self._arrival = on
        self._board.set_input(self.wiring.arrival, on)

    def _set_safety(self, on: bool) -> None:
        self.boom.safety(on)
        self._board.set_input(self.wiring.safety, on)

    def _moved(self, state: State) -> None:
        say("boom", lane=self.wiring.lane, state=state, angle=round(self.boom.angle))
        self._board.set_input(self.wiring.boom_up, state is State.UP)
        if state is State.UP and self._waiting is not None:
            self._waiting.set_result(None)
            self._waiting = None


class Board(AbstractAsyncContextManager["Board"]):
    """The board, its lanes and its wire; raises `OSError` if the port is taken."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._port: int = options.port
        self._lanes: dict[str, Lane] = {}
        self._server = ModbusServer(
            unit=options.unit, coils=options.coils, inputs=options.inputs, wrote=self._wrote
        )

    async def __aenter__(self) -> Self:
        for wiring in self._options.lane:
            self._lanes[wiring.lane] = Lane(wiring, self, self._options.speed)
        self._port = await self._server.listen(self._options.host, self._port)
        say("listening", host=self._options.host, port=self._port, unit=self._options.unit)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for lane in self._lanes.values():
            lane.boom.stop()

    def set_input(self, channel: int | None, on: bool) -> None:
        """Switch an input, if it is wired at all, and tell it."""
        if channel is not None and self._server.inputs[channel] != on:
            self._server.inputs[channel] = on
            say("input", input=channel, on=on)

    async def arrive(self, lane: str) -> None:
        """A vehicle comes to stand on the arrival loop."""
        self._lane(lane).arrive()

    async def back(self, lane: str) -> None:
        """The vehicle leaves the way it came; a `cross` that waits fails."""
        self._lane(lane).back()

    async def cross(self, lane: str, patience_s: str = "") -> None:
        """The vehicle drives through as soon as the boom is up; answered when it is through."""
        await self._lane(lane).cross(self._patience(patience_s))

    async def tailgate(self, lane: str, patience_s: str = "") -> None:
        """The same, with a second vehicle close behind it on the same opening."""
        await self._lane(lane).cross(self._patience(patience_s), followers=1)

    async def input(self, channel: str, on: str) -> None:
        """Switch an input by hand; a barrier minds its safety loop all the same."""
        number = int(channel)
        if not 0 <= number < len(self._server.inputs) or on not in ("on", "off"):
            raise CommandError(f"input 0 to {len(self._server.inputs) - 1}, on or off")
        self.set_input(number, on == "on")
        for lane in self._lanes.values():
            lane.feel(number, on == "on")

    async def fault(self, name: str, late_ms: str = "0") -> None:
        """silent: hears nothing; exception: does nothing and answers exception 4; wrong_echo:
        does a write and answers with the next coil; late MS: does it at once and answers late (real
        milliseconds); refuse: listens no more and drops all connections; none: all is well again.
        """
        fault = Fault(name)
        late_s = int(late_ms) / 1000
        if (fault is Fault.LATE) != (late_s > 0):
            raise CommandError("late takes its milliseconds, and no other fault does")
        if fault is Fault.REFUSE:
            self._server.close()
        elif self._server.fault is Fault.REFUSE:
            await self._server.listen(self._options.host, self._port)
        self._server.fault, self._server.late_s = fault, late_s

    async def state(self) -> Fields:
        """Lanes, inputs, relays and fault as they are."""
        lanes = {name: lane.fields() for name, lane in self._lanes.items()}
        inputs, coils = self._server.inputs, self._server.coils
        return {"lanes": lanes, "inputs": inputs, "coils": coils, "fault": self._server.fault}

    async def coils(self) -> Fields:
        """The relays as they are."""
        return {"coils": self._server.coils}

    def _lane(self, name: str) -> Lane:
        if name not in self._lanes:
            raise CommandError(f"no such lane: {name}; there are {', '.join(self._lanes)}")
        return self._lanes[name]

    def _patience(self, seconds: str) -> float:
        return float(seconds) if seconds else float(self._options.patience)

    def _wrote(self, coil: int, on: bool) -> None:
        say("coil", coil=coil, on=on)
        for lane in self._lanes.values():
            if lane.wiring.coil == coil:
                lane.boom.contact(on)


COMMANDS = (
    Command(Board.arrive, "LANE"),
    Command(Board.back, "LANE"),
    Command(Board.cross, "LANE [PATIENCE_S]"),
    Command(Board.tailgate, "LANE [PATIENCE_S]"),
    Command(Board.input, "N on|off"),
    Command(Board.fault, "none|silent|exception|wrong_echo|late|refuse [MS]"),
    Command(Board.coils),
    Command(Board.state),
)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the board until its stdin ends."""
    line = parser("board", "A Modbus TCP relay board with barriers and loops.", COMMANDS)
    line.add_argument("--lane", type=Wiring.parse, action="append", default=[], metavar=_WIRING)
    line.add_argument("--host", default="127.0.0.1")
    line.add_argument("--port", type=int, default=0, help="0 picks a free one and says which")
    line.add_argument("--unit", type=int, default=1, help="another unit gets no answer")
    line.add_argument("--coils", type=int, default=8)
    line.add_argument("--inputs", type=int, default=8)
    line.add_argument("--speed", type=float, default=1.0, help="all physics so many times faster")
    line.add_argument(
        "--patience", type=float, default=10.0, help="real seconds a driver waits for the boom"
    )
    options = line.parse_args(argv)
    for wiring in options.lane:
        used = [n for n in (wiring.arrival, wiring.safety, wiring.boom_up) if n is not None]
        if not 0 <= wiring.coil < options.coils or any(not 0 <= n < options.inputs for n in used):
            line.error(f"lane {wiring.lane}: the board has no such channel")
    run(Board(options), COMMANDS)


if __name__ == "__main__":
    main(sys.argv[1:])
