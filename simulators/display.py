"""An LED and voice board on a pseudo-terminal: tells what a driver would read and hear.

`listening` names the port to open. Each frame is `shown` (lines, voice) or `spoken` (voice), or
`wrong` with what is wrong with it; bytes that are no frame are counted. With `--link` the port
keeps its name when it is unplugged and plugged in again, as below /dev/serial/by-id.
"""

import asyncio
import os
import sys
import tty
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from simulators.console import Command, CommandError, Fields, parser, run, say
from simulators.led import Decoder, FrameError, Shown

_LOOKS_FULL, _LOOK_S = 5, 0.02
"""A line counts as full when so many looks, so far apart, found no room."""


class Display:
    """The board and its line; what it was told last is what it shows."""

    def __init__(self, options: Namespace) -> None:
        self._address: int = options.address
        self._link: Path | None = options.link
        self._decoder = Decoder()
        self._ends: tuple[int, int] | None = None
        self._lines: tuple[str, ...] = ()

    async def __aenter__(self) -> "Display":
        await self.plug()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ends is not None:
            await self.unplug()

    async def plug(self) -> None:
        """Plug the adapter in: `listening` tells its port."""
        if self._ends is not None:
            raise CommandError("it is plugged in")
        board, line = os.openpty()
        tty.setraw(line)
        os.set_blocking(board, False)
        self._ends, self._decoder = (board, line), Decoder()
        self._listen()
        say("listening", port=str(self._named(os.ttyname(line))))

    async def unplug(self) -> None:
        """Pull the adapter out: its port is gone, under whoever has it open."""
        board, line = self._plugged()
        asyncio.get_running_loop().remove_reader(board)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        os.close(board)
        os.close(line)
        self._ends = None

    async def wedge(self) -> None:
        """Take no more bytes, and fill the line, so that nobody can write to it."""
        board, line = self._plugged()
        asyncio.get_running_loop().remove_reader(board)
        os.set_blocking(line, False)
        looks = 0
        while looks < _LOOKS_FULL:  # the kernel makes room once more, a little later
            looks = 0 if _filled_up(line) else looks + 1
            await asyncio.sleep(_LOOK_S)

    async def unwedge(self) -> None:
        """Take bytes again."""
        self._plugged()
        self._listen()

    async def state(self) -> Fields:
        """What stands on the display, and how many bytes were no frame."""
        return {"lines": self._lines, "noise": self._decoder.noise}

    def _plugged(self) -> tuple[int, int]:
        if self._ends is None:
            raise CommandError("it is not plugged in")
        return self._ends

    def _named(self, port: str) -> Path:
        if self._link is None:
            return Path(port)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(port)
        return self._link

    def _listen(self) -> None:
        board, _ = self._plugged()
        asyncio.get_running_loop().add_reader(board, self._read, board)

    def _read(self, board: int) -> None:
        with suppress(BlockingIOError):
            for heard in self._decoder.feed(os.read(board, 4096)):
                self._take(heard)

    def _take(self, heard: Shown | FrameError) -> None:
        if isinstance(heard, FrameError):
            say("wrong", detail=str(heard))
        elif heard.address != self._address:
            return
        elif heard.lines is None:
            say("spoken", voice=heard.voice)
        else:
            self._lines = heard.lines
            say("shown", lines=heard.lines, voice=heard.voice)


def _filled_up(line: int) -> bool:
    """Whether there was room; there is none now."""
    written = 0
    with suppress(BlockingIOError):
        while True:
            written += os.write(line, b"\x00" * 256)
    return written > 0


COMMANDS = (
    Command(Display.plug),
    Command(Display.unplug),
    Command(Display.wedge),
    Command(Display.unwedge),
    Command(Display.state),
)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Show what comes until stdin ends."""
    line = parser("display", "An LED and voice board on a pseudo-terminal.", COMMANDS)
    line.add_argument("--address", type=int, default=0, help="frames for another are not shown")
    line.add_argument("--link", type=Path, metavar="FILE", help="a name for the port that stays")
    run(Display(line.parse_args(argv)), COMMANDS)


if __name__ == "__main__":
    main(sys.argv[1:])
