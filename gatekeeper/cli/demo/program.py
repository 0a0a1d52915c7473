"""A child process of the demonstration, which cannot outlive it.

A simulator ends when its stdin does, and takes commands and tells news there, as JSON lines; any
other program is killed by the kernel when the demonstration dies, however it dies.
"""

import asyncio
import contextlib
import ctypes
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeAlias

from gatekeeper.errors import DemoError

News: TypeAlias = dict[str, Any]
"""One line of a simulator: JSON, with `said` as its kind."""

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a process gets when its parent dies."""

KEPT = 20_000
"""Lines of a simulator that are remembered; the oldest are forgotten first."""


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A program that runs on stage; its stderr goes to a file of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(cls, name: str, *command: str, folder: Path) -> Self:
        """Start `command`; raises `DemoError` where there is no such program."""
        log = folder / f"{name}.log"
        return cls(name, await _spawned(command, log, talks=issubclass(cls, Simulator)), log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        return await self._process.wait()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.running:
            self._process.kill()

    async def stop(self, patience_s: float = 8.0) -> None:
        """Ask it to end; make it end when it does not listen."""
        if not self.running:
            return
        self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._process.wait()
                return
        self.kill()
        await self._process.wait()

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"


class Simulator(Program):
    """A program that takes commands and tells news."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        super().__init__(name, process, log)
        self.news: list[News] = []
        self._told = asyncio.Condition()
        self._commands = 0
        self._listening = asyncio.create_task(self._listen())

    async def tell(self, command: str, within_s: float = 20.0) -> News:
        """Give a command; its answer. Raises `DemoError` when it could not be done."""
        self._commands += 1
        tag = str(self._commands)
        if self._process.stdin is None or not self.running:
            raise DemoError(f"{self.name} has ended: {self.last_words()}")
        self._process.stdin.write(f"#{tag} {command}\n".encode())
        await self._process.stdin.drain()
        answer = await self.heard(lambda said: said.get("tag") == tag, within_s, command)
        if answer["said"] == "error":
            raise DemoError(f"{self.name}: {command}: {answer.get('detail')}")
        return answer

    async def heard(
        self, wanted: Callable[[News], bool], within_s: float, what: str, after: int = 0
    ) -> News:
        """The first news since number `after` that is `wanted`; `DemoError` if it never comes."""
        try:
            async with asyncio.timeout(within_s), self._told:
                while True:
                    for said in self.news[after:]:
                        if wanted(said):
                            return said
                    after = len(self.news)
                    await self._told.wait()
        except TimeoutError as error:
            raise DemoError(f"{self.name}: no {what} within {within_s:g} s") from error

    async def stop(self, patience_s: float = 8.0) -> None:
        """End it by ending its stdin."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await super().stop(patience_s)
        await self._listening

    async def _listen(self) -> None:
        if self._process.stdout is None:
            return
        async for line in self._process.stdout:
            with contextlib.suppress(json.JSONDecodeError):
                async with self._told:
                    self.news.append(json.loads(line))
                    self._told.notify_all()


async def _spawned(
    command: tuple[str, ...], log: Path, *, talks: bool
) -> asyncio.subprocess.Process:
    """A process in a session of its own, so that Ctrl-C reaches the demonstration alone."""
    with log.open("ab") as errors:
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if talks else errors,
                stderr=errors,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                limit=1 << 20,
            )
        except OSError as error:
            raise DemoError(f"{command[0]}: cannot be started: {error.strerror}") from error
