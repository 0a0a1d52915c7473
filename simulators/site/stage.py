"""The stage: starts the programs of a site, writes the controller's file, and lets go of all.

What it starts speaks the real protocols on loopback: relay boards, cameras, displays on
pseudo-terminals, a real broker where mosquitto is installed, and the centre. The controller is not
one of them; `start_controller` starts it for who wants it.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from simulators.site.layout import Layout
from simulators.site.program import (
    NO_BROKER,
    Broker,
    News,
    Program,
    ProgramError,
    Simulator,
    free_port,
)


class Stage:
    """Everything that runs at one site.

    `simulators` by name: `board`, all boards on their line; `camera`, and `rtsp` where there are
    streams; `sign-LANE`, a display each; and `centre`, which like the broker needs mosquitto.
    """

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout = layout
        self.folder = folder
        self.lanes = {lane.name: lane for lane in layout.lanes_there}
        self.simulators: dict[str, Simulator] = {}
        self.broker: Broker | None = None
        self.controller: Program | None = None
        self._broker_port = free_port()

    @property
    def config(self) -> Path:
        """The controller's configuration file."""
        return self.folder / "gatekeeper.toml"

    @property
    def board(self) -> Simulator:
        """All boards of the site."""
        return self.simulators["board"]

    @property
    def centre(self) -> Simulator:
        """The centre; raises `ProgramError` where there is no broker to reach it by."""
        if "centre" not in self.simulators:
            raise ProgramError(NO_BROKER)
        return self.simulators["centre"]

    def camera(self, lane: str) -> Simulator:
        """What a lane's camera is told by."""
        return self.simulators["rtsp" if lane in self.layout.streamed else "camera"]

    async def start(self) -> None:
        """Start all but the controller; raises `ProgramError`."""
        port = await self._start_broker()
        await self._begin("board", *self._board_options())
        await self._begin("camera")
        if self.layout.streamed:
            await self._begin("rtsp", f"--rate={self.layout.rate}", *self.layout.streamed)
        for lane in self.lanes if self.layout.displays else ():
            await self._begin("display", f"--link={self.folder / lane}.tty", name=f"sign-{lane}")
        self.config.write_text(self.layout.config(await self._addresses(), port), encoding="utf-8")

    async def _begin(self, module: str, *options: str, name: str = "") -> Simulator:
        simulator = await Simulator.begin(module, *options, folder=self.folder, name=name)
        self.simulators[simulator.name] = simulator
        return simulator

    async def start_controller(self, env: Mapping[str, str] | None = None) -> Program:
        """The real controller, on this site's file."""
        command = (sys.executable, "-m", "gatekeeper", "run", str(self.config), "--log-json")
        self.controller = await Program.start("gatekeeper", *command, folder=self.folder, env=env)
        return self.controller

    async def kill_broker(self) -> None:
        """The broker is gone at once; it keeps nothing."""
        if self.broker is not None:
            self.broker.kill()
            await self.broker.ended()

    async def raise_broker(self) -> None:
        """The broker again, where it was."""
        self.broker = await Broker.begin(self._broker_port, self.folder)

    async def arrives(self, lane: str, plate: str | None = None) -> News:
        """A car stands before the camera, then on the arrival loop; without a plate there is
        nothing to be read. The answer of the board.
        """
        await self.camera(lane).tell(f"show {lane} {plate}" if plate else f"clear {lane}")
        return await self.board.tell(f"arrive {lane}")

    async def crosses(self, lane: str, patience_s: float = 30.0) -> None:
        """It drives through as soon as the boom is up, and is out of sight then."""
        await self.board.tell(f"cross {lane} {patience_s}", patience_s + 30.0)
        await self.camera(lane).tell(f"clear {lane}")

    async def backs_out(self, lane: str) -> None:
        """It leaves the way it came."""
        await self.board.tell(f"back {lane}")
        await self.camera(lane).tell(f"clear {lane}")

    async def opened(self, lane: str, after: int = 0) -> News:
        """The lane's relay closed, as its board tells it since `after`."""
        there = self.lanes[lane]
        return await self.board.said("coil", after, unit=there.unit, coil=there.number, on=True)

    async def stop(self) -> None:
        """End everything; what does not listen is killed."""
        started = [self.controller, *self.simulators.values(), self.broker]
        await asyncio.gather(*(program.stop() for program in started if program is not None))

    def _board_options(self) -> list[str]:
        serial = ["--serial", f"--link={self.folder}/line.tty"]
        return [*(serial if self.layout.serial else []), *self.layout.board_options]

    async def _start_broker(self) -> int | None:
        """Broker and centre, where there is a broker; its port."""
        if Broker.program() is None:
            return None
        await self.raise_broker()
        broker = f"--broker=127.0.0.1:{self._broker_port}"
        centre = await self._begin("centre", broker, f"--site={self.layout.site}")
        await centre.said("broker", connected=True)
        return self._broker_port

    async def _addresses(self) -> dict[str, str]:
        """Where all of them listen, as the configuration says it."""
        there = self.simulators
        line = (await there["board"].listening())["port"]
        here = f"http://127.0.0.1:{(await there['camera'].listening())['port']}"
        found = {"board": f"serial://{line}" if self.layout.serial else f"tcp://127.0.0.1:{line}"}
        for lane in self.lanes:
            found[f"camera-{lane}"] = f"{here}/{lane}/snapshot.jpg"
            if lane in self.layout.streamed:
                found[f"camera-{lane}"] = (await there["rtsp"].listening(lane=lane))["url"]
            if self.layout.displays:
                found[f"sign-{lane}"] = (await there[f"sign-{lane}"].listening())["port"]
        return found


@contextlib.asynccontextmanager
async def staged(layout: Layout, folder: Path) -> AsyncIterator[Stage]:
    """A site whose simulators are up; all of it is gone at the end."""
    stage = Stage(layout, folder)
    try:
        await stage.start()
        yield stage
    finally:
        await asyncio.shield(stage.stop())
