"""One program of a site as a child process, which does not outlive its parent.

A simulator ends when its stdin does, and takes commands and tells news there, as JSON lines; any
other program is killed by the kernel when its parent dies, however it dies. `gatekeeper demo`
plays with these programs too.
"""

import asyncio
import contextlib
import ctypes
import getpass
import json
import os
import shutil
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeAlias

News: TypeAlias = dict[str, Any]
"""One line of a simulator: `said` is its kind, `at` its moment."""

PATIENCE_S = 30.0
"""How long an answer, or news that have to come, are awaited."""

NO_BROKER = "mosquitto is not installed: sudo apt-get install -y mosquitto"

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a process gets when its parent dies."""

_KEPT = 20_000
"""Lines of a simulator that are remembered; the oldest are forgotten first."""

_STOPS_S = 10.0


class ProgramError(Exception):
    """A program could not be started, refused a command, or did not tell what it had to."""


class Program:
    """A program under way; its stderr goes to a file of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(
        cls, name: str, *command: str, folder: Path, env: Mapping[str, str] | None = None
    ) -> Self:
        """Start `command`, with more in its environment; raises `ProgramError`."""
        log = folder / f"{name}.log"
        pipe = asyncio.subprocess.PIPE if issubclass(cls, Simulator) else None
        with log.open("ab") as errors:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=pipe or asyncio.subprocess.DEVNULL,
                    stdout=pipe or errors,
                    stderr=errors,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                    env={**os.environ, **(env or {})},
                    limit=1 << 20,
                )
            except OSError as error:
                raise ProgramError(f"{command[0]}: cannot be started: {error}") from error
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.running:
            self._process.kill()

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end; make it end when it does not listen."""
        if self.running:
            self._process.terminate()
        try:
            async with asyncio.timeout(_STOPS_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"


class Broker(Program):
    """A real broker, mosquitto; it keeps nothing on disk, for the broker is not the store."""

    @staticmethod
    def program() -> str | None:
        """Where mosquitto lies; None where it is not installed."""
        return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

    @classmethod
    async def begin(cls, port: int, folder: Path) -> Self:
        """Start it on a port of the loopback interface, for the first time or again."""
        program = cls.program()
        if program is None:
            raise ProgramError(NO_BROKER)
        settings = folder / "mosquitto.conf"
        settings.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            f"user {getpass.getuser()}\n",  # else root becomes "mosquitto"
            encoding="utf-8",
        )
        return await cls.start("mosquitto", program, "-c", str(settings), folder=folder)


class Simulator(Program):
    """A program that takes commands and tells news; `mark` counts the news so far."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        super().__init__(name, process, log)
        self.mark = 0
        self._news: deque[News] = deque(maxlen=_KEPT)
        self._told = asyncio.Condition()
        self._tags = 0
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def begin(cls, module: str, *options: str, folder: Path, name: str = "") -> Self:
        """Start one of our own simulators by its module."""
        command = (sys.executable, "-m", f"simulators.{module}", *options)
        return await cls.start(name or module, *command, folder=folder)

    async def tell(self, command: str, within_s: float = PATIENCE_S) -> News:
        """The answer to a command; raises `ProgramError` where it was not done."""
        self._tags += 1
        tag, before = str(self._tags), self.mark
        if self._process.stdin is None or not self.running:
            raise ProgramError(f"{self.name}: is not running: {self.last_words()}")
        self._process.stdin.write(f"#{tag} {command}\n".encode())
        answer = await self.heard(lambda said: said.get("tag") == tag, command, before, within_s)
        if answer["said"] == "error":
            raise ProgramError(f"{self.name}: {command}: {answer.get('detail')}")
        return answer

    async def said(self, word: str, after: int = 0, **fields: object) -> News:
        """The first news of this kind and with these fields since `after`."""
        wanted = {"said": word, **fields}
        what = " ".join([f"'{word}'", *(f"{key}={value}" for key, value in fields.items())])
        return await self.heard(lambda said: wanted.items() <= said.items(), what, after)

    async def listening(self, **fields: object) -> News:
        """Where it listens; the error of one that does not listen ends with its last words."""
        try:
            return await self.said("listening", 0, **fields)
        except ProgramError as error:
            raise ProgramError(f"{error}: {self.last_words()}") from error

    async def heard(
        self,
        wanted: Callable[[News], bool],
        what: str,
        after: int = 0,
        within_s: float = PATIENCE_S,
    ) -> News:
        """The first news since `after` that is `wanted`; raises `ProgramError` if it never comes,
        naming it as `what`.
        """
        try:
            async with asyncio.timeout(within_s), self._told:
                while True:
                    for said in self.since(after):
                        if wanted(said):
                            return said
                    after = self.mark
                    await self._told.wait()
        except TimeoutError as error:
            raise ProgramError(f"{self.name}: no {what} within {within_s:g} s") from error

    def since(self, mark: int) -> list[News]:
        """What was told since then, as far as it is remembered."""
        forgotten = self.mark - len(self._news)
        return list(self._news)[max(0, mark - forgotten) :]

    async def stop(self) -> None:
        """End it by ending its stdin."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOPS_S):
                await self._process.wait()
        await super().stop()
        await self._listening

    async def _listen(self) -> None:
        if self._process.stdout is None:
            return
        async for line in self._process.stdout:
            with contextlib.suppress(json.JSONDecodeError):
                news = json.loads(line)
                async with self._told:
                    self._news.append(news)
                    self.mark += 1
                    self._told.notify_all()


def free_port() -> int:
    """A port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
