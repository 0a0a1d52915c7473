"""The technician's terminal: lines go out at once, and one comes in when it is asked for.

A telephone over ssh will do. At a terminal an answer counts only if it was typed after its
question: a key hit twice must not move the next boom. From a pipe, answers may wait.
"""

import asyncio
import os
import termios
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TextIO

from gatekeeper.clock import monotonic

MOST_LINES = 100
"""Lines typed before they were asked for; typing more waits, and none is dropped."""

SKIP = ("s", "skip")
YES = ("y", "yes")


class Terminal:
    """Standard input, and a stream for what is said. With `yes` no movement is asked about."""

    def __init__(self, out: TextIO, *, yes: bool) -> None:
        self._out = out
        self._yes = yes
        self._lines: asyncio.Queue[_Line | None] = asyncio.Queue(MOST_LINES)
        self._ended = False
        self._told_at = 0.0
        self._typed = os.isatty(0)

    def open(self) -> None:
        """Begin to listen, until the program ends."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()

    def tell(self, text: str) -> None:
        """Say one line."""
        self._told_at = monotonic()
        print(text, file=self._out, flush=True)

    async def allows(self, question: str) -> bool:
        """Whether a boom may move now."""
        return self._yes or await self.confirms(question)

    async def confirms(self, question: str) -> bool:
        """Whether the answer is yes; everything else is no, and the end of the input too."""
        if self._typed:
            termios.tcflush(0, termios.TCIFLUSH)
        self.tell(f"{question} [y/N]")
        return await self._line(after=self._told_at) in YES

    async def skips(self) -> None:
        """Returns when the technician wants to go on with the next part; never, if the input has
        ended.
        """
        asked_at = self._told_at
        while (line := await self._line(after=asked_at)) not in SKIP:
            if line is None:
                await asyncio.get_running_loop().create_future()
            self.tell("s and Enter: skip")

    async def _line(self, after: float) -> str | None:
        """The next line; None at the end of the input."""
        while not self._ended:
            line = await self._lines.get()
            if line is None:
                self._ended = True
            elif line.at >= after or not self._typed:
                return line.text.strip().lower()
        return None

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """The thread below the loop; it reads the descriptor itself, for a thread inside
        `sys.stdin` would hold its lock when the program ends.
        """
        try:
            for line in chain(_lines(), (None,)):
                asyncio.run_coroutine_threadsafe(self._lines.put(line), loop).result()
        except (RuntimeError, CancelledError):
            return  # the program ends


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    at: float


def _lines() -> Iterator[_Line]:
    rest = b""
    with suppress(OSError):  # the terminal is gone
        while chunk := os.read(0, 4096):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield _Line(line.decode(errors="replace"), monotonic())
