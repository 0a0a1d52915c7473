"""The stage: starts the programs of a site, writes the controller's file, and lets go of all.

What it starts speaks the real protocols on loopback: relay boards, cameras, displays on
pseudo-terminals, a real broker where mosquitto is installed, and the centre. The controller is not
one of them; `start_controller` starts it for who wants it.
"""

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from simulators.site.layout import Lane, Layout
from simulators.site.program import News, Program, ProgramError, Simulator

_CAMERA, _CENTRE = "camera", "centre"


class Stage:
    """Everything that runs at one site: `simulators` by name, boards as the layout calls them,
    `camera`, `sign-LANE` for a display, and `centre`, which like the broker needs mosquitto.
    """

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout = layout
        self.folder = folder
        self.lanes = {lane.name: lane for lane in layout.lanes_there}
        self.simulators: dict[str, Simulator] = {}
        self.broker: Program | None = None
        self.controller: Program | None = None

    @property
    def config(self) -> Path:
        """The controller's configuration file."""
        return self.folder / "gatekeeper.toml"

    @property
    def camera(self) -> Simulator:
        """All cameras of the site."""
        return self.simulators[_CAMERA]

    @property
    def centre(self) -> Simulator:
        """The centre; raises `ProgramError` where there is no broker to reach it by."""
        if _CENTRE not in self.simulators:
            raise ProgramError("mosquitto is not installed: sudo apt-get install -y mosquitto")
        return self.simulators[_CENTRE]

    def board(self, lane: str) -> Simulator:
        """The board a lane is wired to."""
        return self.simulators[self.lanes[lane].board]

    async def start(self) -> None:
        """Start all but the controller; raises `ProgramError`."""
        port = await self._start_broker()
        for name, lanes in self.layout.boards.items():
            await self._begin("board", *self._board_options(lanes), name=name)
        await self._begin(_CAMERA)
        for lane in self.lanes if self.layout.displays else ():
            link = f"--link={self.folder / lane}.tty"
            await self._begin("display", link, name=f"sign-{lane}")
        addresses = {name: await self._address(name) for name in self.simulators}
        self.config.write_text(self.layout.config(addresses, port), encoding="utf-8")

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
        settings = self.folder / "mosquitto.conf"
        self.broker = await Program.start(
            "mosquitto", _mosquitto() or "", "-c", str(settings), folder=self.folder
        )

    async def arrives(self, lane: str, plate: str | None = None) -> News:
        """A car stands before the camera, then on the arrival loop; without a plate there is
        nothing to be read. The answer of the board.
        """
        await self.camera.tell(f"show {lane} {plate}" if plate else f"clear {lane}")
        return await self.board(lane).tell(f"arrive {lane}")

    async def crosses(self, lane: str, patience_s: float = 30.0) -> None:
        """It drives through as soon as the boom is up, and is out of sight then."""
        await self.board(lane).tell(f"cross {lane} {patience_s}", patience_s + 30.0)
        await self.camera.tell(f"clear {lane}")

    async def backs_out(self, lane: str) -> None:
        """It leaves the way it came."""
        await self.board(lane).tell(f"back {lane}")
        await self.camera.tell(f"clear {lane}")

    async def opened(self, lane: str, after: int = 0) -> News:
        """The lane's relay closed, as its board tells it since `after`."""
        return await self.board(lane).said("coil", after, coil=self.lanes[lane].number, on=True)

    async def stop(self) -> None:
        """End everything; what does not listen is killed."""
        started = [self.controller, *self.simulators.values(), self.broker]
        await asyncio.gather(*(program.stop() for program in started if program is not None))

    def _board_options(self, lanes: tuple[Lane, ...]) -> list[str]:
        wiring = [f"--lane={lane.wiring}" for lane in lanes]
        return [*wiring, f"--inputs={self.layout.inputs}", f"--speed={self.layout.speed}"]

    async def _start_broker(self) -> int | None:
        """Broker and centre, where there is a broker; its port."""
        if _mosquitto() is None:
            return None
        port = _free_port()
        (self.folder / "mosquitto.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            f"user {getpass.getuser()}\n",  # else root becomes "mosquitto"
            encoding="utf-8",
        )
        await self.raise_broker()
        centre = await self._begin(_CENTRE, f"--broker=127.0.0.1:{port}", "--site=site")
        await centre.said("broker", connected=True)
        return port

    async def _address(self, name: str) -> str:
        """Where a simulator listens, as the configuration says it."""
        if name == _CENTRE:
            return ""
        port = str((await self._listening(name))["port"])
        schemes = {
            _CAMERA: "http://127.0.0.1:",
            **dict.fromkeys(self.layout.boards, "tcp://127.0.0.1:"),
        }
        return schemes.get(name, "") + port

    async def _listening(self, name: str) -> News:
        simulator = self.simulators[name]
        try:
            return await simulator.said("listening")
        except ProgramError as error:
            raise ProgramError(f"{error}: {simulator.last_words()}") from error


@contextlib.asynccontextmanager
async def staged(layout: Layout, folder: Path) -> AsyncIterator[Stage]:
    """A site whose simulators are up; all of it is gone at the end."""
    stage = Stage(layout, folder)
    try:
        await stage.start()
        yield stage
    finally:
        await asyncio.shield(stage.stop())


def _mosquitto() -> str | None:
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
