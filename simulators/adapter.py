"""A USB adapter with a serial line behind it: a pseudo-terminal that can be pulled out.

With a name (`link`) it is found under the same one after it was plugged in again, as below
/dev/serial/by-id.
"""

import asyncio
import os
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from simulators.console import CommandError


class Adapter:
    """Both ends of the line; `heard` gets what is written to the port."""

    def __init__(self, link: Path | None, heard: Callable[[bytes], None]) -> None:
        self._link = link
        self._heard = heard
        self._ends: tuple[int, int] | None = None

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._ends is not None

    @property
    def ends(self) -> tuple[int, int]:
        """The descriptors of the device's end and of the port; raises `CommandError`."""
        if self._ends is None:
            raise CommandError("it is not plugged in")
        return self._ends

    def plug(self) -> str:
        """Plug it in; the name of its port."""
        if self._ends is not None:
            raise CommandError("it is plugged in")
        device, port = os.openpty()
        tty.setraw(port)
        os.set_blocking(device, False)
        self._ends = device, port
        self.listen()
        return str(self._named(os.ttyname(port)))

    def unplug(self) -> None:
        """Pull it out: the port is gone, even for a process that has it open."""
        ends = self.ends
        self.deafen()
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        for end in ends:
            os.close(end)
        self._ends = None

    def write(self, message: bytes) -> None:
        """Send it to the process at the port; what finds no room is lost, as on a wire."""
        if self._ends is not None:
            with suppress(BlockingIOError):
                os.write(self._ends[0], message)

    def listen(self) -> None:
        """Hear what is written to the port."""
        asyncio.get_running_loop().add_reader(self.ends[0], self._read)

    def deafen(self) -> None:
        """Let what is written pile up in the line."""
        asyncio.get_running_loop().remove_reader(self.ends[0])

    def _read(self) -> None:
        with suppress(BlockingIOError):
            self._heard(os.read(self.ends[0], 4096))

    def _named(self, port: str) -> Path:
        if self._link is None:
            return Path(port)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(port)
        return self._link
