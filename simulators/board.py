"""Relay boards on one Modbus line, with the barriers and loops of some lanes wired to them.

Modbus requests and vehicles (commands) come in; news of relays, inputs and arms goes out. The
line is a TCP port, as behind a gateway, or a serial one on a pseudo-terminal. What a vehicle
does is real physics: it gets through only under a raised arm.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import NoReturn, Self, TypeVar

from simulators.console import Command, CommandError, Fields, parser, run, say
from simulators.device import Device, Fault
from simulators.kinds import KINDS
from simulators.lane import Barrier, Lane, build
from simulators.modbus import TcpLine
from simulators.rtu import SerialLine
from simulators.wiring import USAGE, USAGE_UNIT, Channel, Model, Wiring, check

ABOUT = """\
Relay boards on one Modbus line, with barriers, loops and vehicles.

Two boards on a serial line at 9600 baud, a car that is let in, and a fault:

  python -m simulators.board --serial --link /tmp/relays --baudrate 9600 \\
      --unit 1:waveshare --unit 2:zlan,inputs=4 \\
      --lane inner-in:coil=0,hold=1,close=2,arrival=2.0,safety=2.1,boom_up=2.2
  {"said": "listening", "port": "/tmp/relays", "units": [1, 2]}
  arrive inner-in              a vehicle stands on the arrival loop: input 2.0 goes on
  cross inner-in               it waits for the boom, and drives through
  fault 2.silent               board 2 hears nothing any more
  stick 2.1 on                 the safety loop says "occupied" until freed
  relay 0 welded               the contact of relay 0 stays closed, whatever its coil reads

A channel is N, of the first board, or UNIT.N. Two lanes with the same coil are a reversible lane:
a vehicle of one leaves over the arrival loop of the other.
"""


class Board(AbstractAsyncContextManager["Board"]):
    """The boards, their lanes and their line; raises `OSError` if the port is taken."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._port: int = options.port
        self._devices = {model.unit: self._built(model) for model in options.models}
        self._first = options.models[0].unit
        devices = tuple(self._devices.values())
        self._tcp = TcpLine(devices)
        self._serial = SerialLine(devices, options.link, options.baudrate)
        self._down = False
        self._lanes = build(options.wirings, self._set_input, options.speed)
        self._seen: dict[Channel, bool] = {}
        self._stuck: dict[Channel, bool] = {}
        self._welded: set[Channel] = set()

    async def __aenter__(self) -> Self:
        await self._up()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._away()
        for device in self._devices.values():
            device.stop()
        for barrier in self._barriers:
            barrier.boom.stop()

    async def arrive(self, lane: str) -> None:
        """A vehicle comes to stand on the arrival loop."""
        self._lane(lane).arrive()

    async def back(self, lane: str) -> None:
        """The vehicle leaves the way it came; a `cross` that waits fails. From under the boom it
        comes back to the arrival loop first.
        """
        self._lane(lane).back()

    async def cross(self, lane: str, patience_s: str = "") -> None:
        """The vehicle drives through as soon as the boom is up; answered when it is through."""
        await self._lane(lane).cross(self._patience(patience_s))

    async def tailgate(self, lane: str, patience_s: str = "") -> None:
        """The same, with a second vehicle close behind it on the same opening."""
        await self._lane(lane).cross(self._patience(patience_s), followers=1)

    async def halt(self, lane: str, patience_s: str = "") -> None:
        """The vehicle drives under the boom as soon as it is up and stays there, on the safety
        loop, until `go` or `back`.
        """
        await self._lane(lane).halt(self._patience(patience_s))

    async def go(self, lane: str) -> None:
        """The vehicle that halted under the boom drives on; answered when it is through."""
        await self._lane(lane).go()

    async def lift(self, lane: str) -> None:
        """Somebody lifts the boom by hand; it falls by itself as after a pulse."""
        self._lane(lane).barrier.boom.lift()

    async def boom(self, lane: str, how: str) -> None:
        """stuck: the arm starts no more, whatever relays say; free: it does again."""
        stuck = _one_of({"stuck": True, "free": False}, how)
        self._lane(lane).barrier.boom.stick(stuck)

    async def input(self, channel: str, on: str) -> None:
        """Switch an input by hand, be it a vehicle, a fire contact, a photocell; a barrier minds
        its safety loop and photocell all the same.
        """
        where, value = self._input(channel), _one_of(_ON_OFF, on)
        for lane in self._lanes.values():
            if where == lane.wiring.arrival:
                lane.put(value)
        self._set_input(where, value)

    async def stick(self, channel: str, how: str) -> None:
        """on, off: the detector keeps saying so, to board and barrier alike, whatever is there;
        free: it tells the truth again.
        """
        where, value = self._input(channel), _one_of(_ON_OFF_FREE, how)
        self._stuck.pop(where, None)
        if value is not None:
            self._stuck[where] = value
        self._show(where)

    async def relay(self, channel: str, how: str) -> None:
        """on, off: the relay stays so, and reads so, whatever is written; welded: its contact stays
        closed, and its coil reads as it was written; free: it is whole again.
        """
        where = self._relay(channel)
        how_on = _one_of({**_ON_OFF_FREE, "welded": None}, how)
        (self._welded.add if how == "welded" else self._welded.discard)(where)
        device = self._devices[where.unit]
        device.stick(where.number, how_on)
        self._connect(where, device.coils[where.number])

    async def fault(self, name: str, late_ms: str = "0") -> None:
        """silent: hears nothing; exception: does nothing and answers exception 4; wrong_echo: does
        a write and answers with the next address; late MS: does it at once and answers late
        (real milliseconds); dropped: a byte of each answer is lost; garbage: noise before each
        answer; busy, acknowledge: every other request is answered with exception 6 or 5;
        no_path, no_target: exceptions 10 and 11 of a gateway; closing: the connection is closed
        after each answer; miscounted: answers bear numbers of the gateway's own; refuse: listens
        no more and drops all connections; unplugged: the serial adapter is pulled out; none: all
        is well again. `UNIT.` before it means one board only.
        """
        unit, _, word = name.rpartition(".")
        fault, late_s = Fault(word), int(late_ms) / 1000
        if (fault is Fault.LATE) != (late_s > 0):
            raise CommandError("late takes its milliseconds, and no other fault does")
        if fault in (Fault.REFUSE, Fault.UNPLUGGED) and (unit or fault is not self._line_fault):
            raise CommandError(f"the fault of this whole line is {self._line_fault}")
        for device in [self._device(int(unit))] if unit else self._devices.values():
            device.fault, device.late_s = fault, late_s
        if fault is self._line_fault:
            self._away()
        elif self._down and not unit:
            await self._up()

    async def state(self) -> Fields:
        """Lanes, and inputs, relays and fault of the first board and of each by its unit."""
        lanes = {name: lane.fields() for name, lane in self._lanes.items()}
        units = {
            unit: {"inputs": device.inputs, "coils": device.coils, "fault": device.fault}
            for unit, device in self._devices.items()
        }
        return {"lanes": lanes, **units[self._first], "units": units}

    async def coils(self, unit: str = "") -> Fields:
        """The relays as they are, of the first board or another."""
        return {"coils": self._device(int(unit or self._first)).coils}

    @property
    def _barriers(self) -> set[Barrier]:
        return {lane.barrier for lane in self._lanes.values()}

    def _built(self, model: Model) -> Device:
        return model.kind(
            unit=model.unit,
            coils=model.coils,
            inputs=model.inputs,
            wrote=partial(self._wrote, model.unit),
        )

    async def _up(self) -> None:
        self._down = False
        units = list(self._devices)
        if self._options.serial:
            say("listening", port=self._serial.plug(), units=units)
        else:
            host = self._options.host
            self._port = await self._tcp.listen(host, self._port)
            say("listening", host=host, port=self._port, unit=self._first, units=units)

    def _away(self) -> None:
        self._down = True
        self._tcp.close()
        self._serial.unplug()

    @property
    def _line_fault(self) -> Fault:
        return Fault.UNPLUGGED if self._options.serial else Fault.REFUSE

    def _set_input(self, channel: Channel, on: bool) -> None:
        """Something is there, or no more; how that looks depends on the detector."""
        self._seen[channel] = on
        self._show(channel)

    def _show(self, channel: Channel) -> None:
        on = self._stuck.get(channel, self._seen.get(channel, False))
        inputs = self._devices[channel.unit].inputs
        if inputs[channel.number] != on:
            inputs[channel.number] = on
            say("input", unit=channel.unit, input=channel.number, on=on)
            for barrier in self._barriers:
                barrier.feel(channel, on)

    def _wrote(self, unit: int, coil: int, on: bool) -> None:
        say("coil", unit=unit, coil=coil, on=on)
        self._connect(Channel(unit, coil), on)

    def _connect(self, relay: Channel, on: bool) -> None:
        for barrier in self._barriers:
            barrier.contact(relay, on or relay in self._welded)

    def _lane(self, name: str) -> Lane:
        if name not in self._lanes:
            raise CommandError(f"no such lane: {name}; there are {', '.join(self._lanes)}")
        return self._lanes[name]

    def _device(self, unit: int) -> Device:
        if unit not in self._devices:
            raise CommandError(
                f"no such unit: {unit}; there are {', '.join(map(str, self._devices))}"
            )
        return self._devices[unit]

    def _input(self, text: str) -> Channel:
        channel = Channel.parse(text, self._first)
        return _within(channel, len(self._device(channel.unit).inputs), "input")

    def _relay(self, text: str) -> Channel:
        channel = Channel.parse(text, self._first)
        return _within(channel, len(self._device(channel.unit).coils), "relay")

    def _patience(self, seconds: str) -> float:
        return float(seconds) if seconds else float(self._options.patience)


Meant = TypeVar("Meant")
_ON_OFF = {"on": True, "off": False}
_ON_OFF_FREE = {**_ON_OFF, "free": None}


def _one_of(words: dict[str, Meant], word: str) -> Meant:
    if word not in words:
        raise CommandError(f"{word}: must be {', '.join(words)}")
    return words[word]


def _within(channel: Channel, count: int, kind: str) -> Channel:
    if not 0 <= channel.number < count:
        raise CommandError(f"{kind} 0 to {count - 1}")
    return channel


COMMANDS = (
    Command(Board.arrive, "LANE"),
    Command(Board.back, "LANE"),
    Command(Board.cross, "LANE [PATIENCE_S]"),
    Command(Board.tailgate, "LANE [PATIENCE_S]"),
    Command(Board.halt, "LANE [PATIENCE_S]"),
    Command(Board.go, "LANE"),
    Command(Board.lift, "LANE"),
    Command(Board.boom, "LANE stuck|free"),
    Command(Board.input, "INPUT on|off"),
    Command(Board.stick, "INPUT on|off|free"),
    Command(Board.relay, "RELAY on|off|welded|free"),
    Command(Board.fault, f"{'|'.join(Fault)} [MS]"),
    Command(Board.coils, "[UNIT]"),
    Command(Board.state),
)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the boards until their stdin ends."""
    line = parser("board", ABOUT, COMMANDS)
    line.add_argument("--lane", action="append", default=[], metavar=USAGE)
    line.add_argument(
        "--unit",
        action="append",
        metavar=USAGE_UNIT,
        help="a board on the line (1 alone where none is given); another unit gets no answer",
    )
    line.add_argument("--kind", choices=KINDS, default="plain", help="of boards that say none")
    line.add_argument("--coils", type=int, default=8, help="of boards that say none")
    line.add_argument("--inputs", type=int, default=8, help="of boards that say none")
    line.add_argument("--host", default="127.0.0.1")
    line.add_argument("--port", type=int, default=0, help="0 picks a free one and says which")
    line.add_argument("--serial", action="store_true", help="RTU on a pseudo-terminal, not TCP")
    line.add_argument("--link", type=Path, metavar="FILE", help="a name for it that stays")
    line.add_argument(
        "--baudrate", type=int, help="take the time of such a line, and hear no other speed"
    )
    line.add_argument("--speed", type=float, default=1.0, help="all physics so many times faster")
    line.add_argument(
        "--patience", type=float, default=10.0, help="real seconds a driver waits for the boom"
    )
    options = line.parse_args(argv)
    try:
        options.models = [Model.parse(text, options) for text in options.unit or ["1"]]
        first = options.models[0].unit
        options.wirings = [Wiring.parse(text, first) for text in options.lane]
        check(options.models, options.wirings)
    except ValueError as error:
        line.error(str(error))
    run(Board(options), COMMANDS)


if __name__ == "__main__":
    main(sys.argv[1:])
