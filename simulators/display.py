"""An LED and voice board on a pseudo-terminal: tells what a driver would read and hear.

`listening` names the port to open. Each frame is `shown` (lines, voice) or `spoken` (voice), or
`wrong` with what is wrong with it; bytes that are no frame are counted. With `--link` the port
keeps its name when it is unplugged and plugged in again, as below /dev/serial/by-id.
"""

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from simulators.adapter import Adapter
from simulators.console import Command, Fields, parser, run, say
from simulators.led import Decoder, FrameError, Shown

_LOOKS_FULL, _LOOK_S = 5, 0.02
"""A line counts as full when so many looks, so far apart, found no room."""


class Display:
    """The board and its line; what it was told last is what it shows."""

    def __init__(self, options: Namespace) -> None:
        self._address: int = options.address
        self._adapter = Adapter(options.link, self._read)
        self._decoder = Decoder()
        self._lines: tuple[str, ...] = ()

    async def __aenter__(self) -> "Display":
        await self.plug()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._adapter.plugged:
            await self.unplug()

    async def plug(self) -> None:
        """Plug the adapter in: `listening` tells its port."""
        self._decoder = Decoder()
        say("listening", port=self._adapter.plug())

    async def unplug(self) -> None:
        """Pull the adapter out: its port is gone, even for a process that has it open."""
        self._adapter.unplug()

    async def wedge(self) -> None:
        """Take no more bytes, and fill the line, so that nothing can be written to it."""
        _, port = self._adapter.ends
        self._adapter.deafen()
        os.set_blocking(port, False)
        looks = 0
        while looks < _LOOKS_FULL:  # the kernel makes room once more, a little later
            looks = 0 if _filled_up(port) else looks + 1
            await asyncio.sleep(_LOOK_S)

    async def unwedge(self) -> None:
        """Take bytes again."""
        self._adapter.listen()

    async def state(self) -> Fields:
        """What stands on the display, and how many bytes were no frame."""
        return {"lines": self._lines, "noise": self._decoder.noise}

    def _read(self, chunk: bytes) -> None:
        for heard in self._decoder.feed(chunk):
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
