"""The common form of a simulator: commands come in on stdin, news and answers go out on stdout.

A command is one line of plain words, with a tag before it if the sender wants to match answers
(`#12 arrive inner-entry`). Each gets exactly one answer, `{"said": "done"}` or `{"said": "error",
"detail": ...}`, with its tag; all other lines are news. Commands run side by side, so that a slow
one holds up no other. Each line has its moment as `at`: seconds on the monotonic clock, the same
for all programs of a machine. The end of stdin, SIGTERM and SIGINT end the program with exit code
0: it cannot outlive the holder of the other end of its stdin. Its parent has to read its stdout:
a full pipe stops it.
"""

import argparse
import asyncio
import inspect
import json
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

Fields = Mapping[str, object]
"""What an answer or a piece of news says besides its name; plain JSON values."""

_AT_ONCE = 100
"""Commands under way at the same time; one more is answered with an error."""


class CommandError(Exception):
    """A command could not be done; its text is the answer's detail."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the console: the name of the method that `run` is, which tells it in its help.

    `usage` names the words that follow, `[ZONE]` one that may be left out; the last takes the
    rest of the line. `run` gets the simulator and these words, and returns what to answer.
    """

    run: Callable[..., Awaitable[Fields | None]]
    usage: str = ""

    @property
    def name(self) -> str:
        """The word itself."""
        return str(self.run.__name__).replace("_", "-")

    def told(self) -> str:
        """What `--help` says about it."""
        says = " ".join((inspect.getdoc(self.run) or "").split())
        return f"  {self.name} {self.usage}\n" + textwrap.indent(textwrap.fill(says, 84), " " * 8)


def parser(
    module: str, says: str, commands: Sequence[Command], examples: str = ""
) -> argparse.ArgumentParser:
    """A command line whose `--help` also tells the commands, and shows how they are used."""
    told = "commands, one a line on stdin, `#TAG` before it to find the answer:\n"
    return argparse.ArgumentParser(
        prog=f"python -m simulators.{module}",
        description=says,
        epilog=told + "\n".join(command.told() for command in commands) + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def say(said: str, **fields: object) -> None:
    """Tell one piece of news: a JSON object on a line of stdout."""
    at = round(time.clock_gettime(time.CLOCK_MONOTONIC), 6)
    try:
        print(json.dumps({"said": said, **fields, "at": at}, ensure_ascii=False), flush=True)
    except BrokenPipeError:  # the reader is gone: end as if told to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal.raise_signal(signal.SIGTERM)


def run(simulator: AbstractAsyncContextManager[object], commands: Sequence[Command]) -> NoReturn:
    """Keep a simulator up and answer commands until the end of stdin or a signal; then exit."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        asyncio.run(_converse(simulator, {command.name: command for command in commands}))
    except OSError as error:
        say("error", detail=str(error))
        sys.exit(1)
    sys.exit(0)


async def _converse(
    simulator: AbstractAsyncContextManager[object], commands: Mapping[str, Command]
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with simulator as subject:
        desk = _Desk(subject, commands, ended)
        threading.Thread(target=_read, args=(loop, desk), daemon=True).start()
        await ended.wait()
        await desk.close()


def _read(loop: asyncio.AbstractEventLoop, desk: "_Desk") -> None:
    """The thread below the loop: any kind of stdin will do, a file or /dev/null too.

    It reads the descriptor itself, for a thread inside `sys.stdin` would hold its lock at exit.
    """
    rest = b""
    try:
        while chunk := os.read(0, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                loop.call_soon_threadsafe(desk.take, line.decode(errors="replace"))
        loop.call_soon_threadsafe(desk.take, rest.decode(errors="replace"))
        loop.call_soon_threadsafe(desk.end)
    except RuntimeError:  # the loop has ended meanwhile
        return


class _Desk:
    """Takes lines, runs commands, and answers each once."""

    def __init__(
        self, subject: object, commands: Mapping[str, Command], ended: asyncio.Event
    ) -> None:
        self._subject = subject
        self._commands = commands
        self._ended = ended
        self._tasks: set[asyncio.Task[Fields | None]] = set()

    def take(self, line: str) -> None:
        """Start the command in a line; blank lines are none."""
        words = line.split(maxsplit=1)
        tag = words[0][1:] if words and words[0].startswith("#") else None
        if tag is not None:
            words = words[1].split(maxsplit=1) if len(words) > 1 else []
        if not words and tag is None:
            return
        name, rest = (*words, "", "")[:2]
        task = asyncio.create_task(self._perform(name, rest.strip()))
        self._tasks.add(task)
        task.add_done_callback(partial(self._answer, name, tag))

    def end(self) -> None:
        """Stdin has ended; what was asked for and needs no wait is still answered."""
        asyncio.get_running_loop().call_soon(self._ended.set)

    async def close(self) -> None:
        """Break off what is under way; each command is told."""
        for task in self._tasks:
            task.cancel("the simulator ends")
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _perform(self, name: str, rest: str) -> Fields | None:
        command = self._commands.get(name)
        if command is None:
            raise CommandError(f"no such command: {name}; there are {', '.join(self._commands)}")
        if len(self._tasks) > _AT_ONCE:
            raise CommandError(f"{_AT_ONCE} commands are under way already")
        takes = command.usage.split()
        words = rest.split(maxsplit=len(takes) - 1) if takes else rest.split()
        needed = sum(not word.startswith("[") for word in takes)
        if not needed <= len(words) <= len(takes):
            raise CommandError(f"usage: {name} {command.usage}".rstrip())
        return await command.run(self._subject, *words)

    def _answer(self, name: str, tag: str | None, task: asyncio.Task[Fields | None]) -> None:
        self._tasks.discard(task)
        marks = {"command": name} if tag is None else {"tag": tag, "command": name}
        if task.cancelled():
            say("error", **marks, detail="the simulator ends")
        elif (error := task.exception()) is not None:
            say("error", **marks, detail=_detail(error))
        else:
            say("done", **marks, **(task.result() or {}))


def _detail(error: BaseException) -> str:
    told = isinstance(error, CommandError | ValueError | OSError)
    return str(error) if told else f"{type(error).__name__}: {error}"
