"""The stage: starts the broker, the simulators and the daemon, and lets go of all of them.

It also plays systemd: a daemon that dies is started again.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from simulators.demo.site import CAMERA_PASSWORD, CAMERA_USER, Site, layout
from simulators.site.program import Broker, News, Program, Simulator, free_port

RESTART_S = 0.5
"""How soon a daemon that died is started again."""


class Stage:
    """Everything that runs during a demonstration."""

    def __init__(self, site: Site, **simulators: Simulator) -> None:
        self.site = site
        self.board = simulators["board"]
        self.camera = simulators["camera"]
        self.centre = simulators["centre"]
        self.broker: Broker | None = None
        self.daemon: Program | None = None
        self.restarts = 0
        self._closing = False
        self._keeper: asyncio.Task[None] | None = None

    async def start_broker(self) -> None:
        """Start the broker, for the first time or again, on the same port."""
        self.broker = await Broker.begin(self.site.broker_port, self.site.folder)

    async def start_daemon(self) -> None:
        """Start the real daemon on the real configuration file, and keep it running."""
        await self._spawn_daemon()
        self._keeper = asyncio.create_task(self._keep_daemon())

    async def close(self) -> None:
        """End everything; what does not listen is killed."""
        self._closing = True
        if self._keeper is not None:
            self._keeper.cancel()
        if self.daemon is not None:
            await self.daemon.stop()
        others = [self.board, self.camera, self.centre, self.broker]
        await asyncio.gather(*(each.stop() for each in others if each is not None))

    async def centre_connected(self, after: int) -> None:
        """Wait until the centre has found the broker."""
        wanted = {"said": "broker", "connected": True}
        await self.centre.heard(
            lambda said: said.items() >= wanted.items(), "connection to the broker", after
        )

    async def event(self, after: int, what: str, within_s: float = 15.0, **wanted: Any) -> News:
        """The first event the centre got since news number `after` that has all of `wanted`."""
        return await self.centre.heard(_matches(wanted), what, after, within_s)

    async def _spawn_daemon(self) -> None:
        self.daemon = await Program.start(
            "gatekeeper",
            sys.executable,
            "-m",
            "gatekeeper",
            "run",
            str(self.site.config),
            folder=self.site.folder,
        )

    async def _keep_daemon(self) -> None:
        while not self._closing and self.daemon is not None:
            await self.daemon.ended()
            await asyncio.sleep(RESTART_S)
            self.restarts += 1
            await self._spawn_daemon()


def _matches(wanted: dict[str, Any]) -> Callable[[News], bool]:
    """Whether an event has these fields, at the top or anywhere in its body."""

    def matches(said: News) -> bool:
        if said["said"] != "event":
            return False
        flat = _flat(said)
        return all(flat.get(key) == value for key, value in wanted.items())

    return matches


def _flat(said: News) -> dict[str, Any]:
    body = said.get("body") or {}
    decision = body.get("decision") or {}
    return {**decision, **body, **{key: value for key, value in said.items() if value is not None}}


@contextlib.asynccontextmanager
async def staged(folder: Path, limit_s: float) -> AsyncIterator[Stage]:
    """A stage with broker and simulators up, the daemon not yet; all gone at the end."""
    broker_port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        simulators = {}
        for name, options in {
            "board": [*layout(limit_s).board_options, "--port=0"],
            "camera": ["--port=0", f"--user={CAMERA_USER}", f"--password={CAMERA_PASSWORD}"],
            "centre": [f"--broker=127.0.0.1:{broker_port}", "--site=demo"],
        }.items():
            simulators[name] = await Simulator.begin(name, *options, folder=folder)
            stack.push_async_callback(simulators[name].stop)
        site = Site(
            folder=folder,
            broker_port=broker_port,
            camera_port=(await simulators["camera"].listening())["port"],
            board_port=(await simulators["board"].listening())["port"],
            limit_s=limit_s,
        )
        site.write()
        stage = Stage(site, **simulators)
        stack.push_async_callback(stage.close)
        yield stage
