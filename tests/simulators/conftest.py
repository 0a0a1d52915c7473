"""Simulators as the programs they are, and a real broker."""

import asyncio
import getpass
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

PATIENCE_S = 30.0


class Program:
    """One simulator under way: `tell` commands, `hear` news."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.news: list[dict[str, Any]] = []
        self._tags = 0
        self._moved = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def tell(self, command: str) -> dict[str, Any]:
        """The answer to a command, whatever it is."""
        self._tags += 1
        tag = str(self._tags)
        self.type(f"#{tag} {command}")
        return await self.hear(lambda said: said.get("tag") == tag)

    async def do(self, command: str) -> dict[str, Any]:
        """The answer to a command that has to succeed."""
        answer = await self.tell(command)
        assert answer["said"] == "done", answer
        return answer

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    async def hear(
        self, wanted: Callable[[dict[str, Any]], bool], after: int = 0
    ) -> dict[str, Any]:
        """The first piece of news that is `wanted`, past or to come."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for said in self.news[after:]:
                    if wanted(said):
                        return said
                self._moved.clear()
                await self._moved.wait()

    async def said(self, word: str, **fields: object) -> dict[str, Any]:
        return await self.hear(
            lambda said: (
                said["said"] == word and all(said.get(name) == fields[name] for name in fields)
            )
        )

    async def end(self) -> int:
        """End its stdin; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.ended()

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
            return await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.news.append(json.loads(line))
            self._moved.set()


class Start(Protocol):
    def __call__(self, name: str, *options: str) -> Awaitable[Program]: ...


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a simulator by its name; it is ended by the end of its stdin."""
    programs: list[Program] = []

    async def start_one(name: str, *options: str) -> Program:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"simulators.{name}",
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        programs.append(Program(process))
        return programs[-1]

    yield start_one
    for program in programs:
        assert program.process.returncode is not None or await program.end() == 0


@dataclass
class Broker:
    """A real mosquitto on a port of its own that can die and come back."""

    port: int
    config: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def begin(self) -> None:
        self.process = subprocess.Popen(["mosquitto", "-c", str(self.config)])
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - a test's patience
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline  # noqa: TID251 - a test's patience
            time.sleep(0.01)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _broker(folder: Path) -> Broker:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type error\n"
        f"max_queued_messages 0\nuser {getpass.getuser()}\n"  # else root becomes "mosquitto"
    )
    return Broker(port=port, config=config)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One for all tests, which use sites of their own."""
    one = _broker(tmp_path_factory.mktemp("broker"))
    one.begin()
    yield one
    one.kill()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test's own, not yet running."""
    one = _broker(tmp_path)
    yield one
    one.kill()
