"""RTSP cameras, one for each lane, each with a server of its own: H.264 by gst-rtsp-server.

What stands before the cameras (commands) comes in, a stream goes out to each player. The
servers are child processes, so that one of them can be frozen or killed; `rtsp_server` says what
they need of Debian.
"""

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NoReturn, Self

import cv2
import numpy as np

from simulators import view
from simulators.console import Command, Fields, parser, run, say
from simulators.plate import Picture
from simulators.scene import HEIGHT, WIDTH
from simulators.view import Fault, View, Views, photographs_in

PACKAGES = (
    "python3-gi",
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-ugly",
    "gstreamer1.0-rtsp",
)
"""What Debian calls the server, the encoder and their bindings."""

_PYTHON = "/usr/bin/python3"
_PROGRAM = Path(__file__).with_name("rtsp_server.py")
_MOST_RATE = 30
_BITS = 16


class _Server:
    """A camera's server: the child process, what it is sent, and what is done to it."""

    def __init__(self, lane: str, view: View, options: argparse.Namespace) -> None:
        self.port = 0
        self.playing = asyncio.Event()
        self._lane = lane
        self._view = view
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self, user: str, password: str) -> None:
        """Listen at `port`, or at a free one, which `port` then is; raises `OSError`."""
        width, height = self._options.size
        self._process = await asyncio.create_subprocess_exec(
            _PYTHON,
            str(_PROGRAM),
            *(f"--host={self._options.host}", f"--port={self.port}", f"--path=/{self._lane}"),
            *(f"--width={width}", f"--height={height}", f"--rate={self._options.rate}"),
            *(f"--user={user}", f"--password={password}", f"--codec={self._options.codec}"),
            f"--keys={round(self._options.keys * self._options.rate)}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        pictures, words = self._process.stdin, self._process.stdout
        first = b"" if words is None else await words.readline()
        if pictures is None or words is None or not first.startswith(b"listening "):
            raise OSError(f"no RTSP server: apt-get install {' '.join(PACKAGES)}")
        self.port = int(first.split()[1])
        self._tasks = [
            asyncio.create_task(self._listen(words)),
            asyncio.create_task(self._pour(pictures)),
        ]

    async def kill(self) -> None:
        """It is gone at once, as a camera without power is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.playing.clear()
        if self._process is not None:
            self._process.kill()
            await self._process.communicate()
        self._process, self._tasks = None, []

    def signal(self, number: signal.Signals) -> None:
        """Stop it, or let it go on."""
        if self._process is not None:
            self._process.send_signal(number)

    async def _listen(self, words: asyncio.StreamReader) -> None:
        async for word in words:
            if word == b"playing\n":
                self.playing.set()
            else:
                self.playing.clear()

    async def _pour(self, pictures: asyncio.StreamWriter) -> None:
        """Send pictures while somebody plays; a server that is stopped takes none."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while True:
                await self.playing.wait()
                picture = _fitted(self._view.frame(loop.time()), self._options.size)
                if self._options.numbered:
                    picture = numbered(picture, self._view.taken)
                pictures.write(picture.tobytes())
                await pictures.drain()
                await asyncio.sleep(self._view.slow_s + 1 / self._options.rate)


class Streams(Views, AbstractAsyncContextManager["Streams"]):
    """The servers and what they show; raises `OSError` if a server cannot be started."""

    faults = (
        Fault.NONE,
        Fault.FREEZE,
        Fault.BLACK,
        Fault.SLOW,
        Fault.UNAUTHORIZED,
        Fault.HANG,
        Fault.DEAD,
    )

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(photographs_in(options.pictures), options.lanes)
        self._options = options
        self._one_at_a_time = asyncio.Lock()
        self._servers = {lane: _Server(lane, self.view(lane), options) for lane in options.lanes}

    async def __aenter__(self) -> Self:
        cv2.setNumThreads(1)  # a camera must not take the machine from who looks at it
        for lane, server in self._servers.items():
            await server.begin(self._options.user, self._options.password)
            url = f"rtsp://{self._options.host}:{server.port}/{lane}"
            say("listening", lane=lane, url=url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(server.kill() for server in self._servers.values()))

    async def fault(self, lane: str, name: str, slow_ms: str = "0") -> None:
        """freeze: the same picture again and again; black: a black one; slow MS: each picture so
        much later; 401: the password is another one; hang: the server is stopped; dead: it is
        killed; none: well.
        """
        async with self._one_at_a_time:
            before = self.view(lane).fault
            after = self.failing(lane, name, slow_ms).fault
            await self._change(self._servers[lane], before, after)

    async def _change(self, server: _Server, before: Fault, after: Fault) -> None:
        if before is Fault.HANG:
            server.signal(signal.SIGCONT)
        if after is Fault.HANG:
            server.signal(signal.SIGSTOP)
        if {before, after} & {Fault.DEAD, Fault.UNAUTHORIZED}:
            await server.kill()
        if after is Fault.UNAUTHORIZED:
            await server.begin("nobody", secrets.token_hex())
        elif before in (Fault.DEAD, Fault.UNAUTHORIZED) and after is not Fault.DEAD:
            await server.begin(self._options.user, self._options.password)

    async def state(self) -> Fields:
        """What each camera sees, how many pictures it took, its fault, and whether it is played."""
        told = await super().state()
        return {**told, "played": [lane for lane, s in self._servers.items() if s.playing.is_set()]}


def numbered(picture: Picture, number: int) -> Picture:
    """The picture with its number, in black and white squares along its upper edge."""
    side = picture.shape[1] // _BITS
    stamped = picture.copy()
    for bit in range(_BITS):
        stamped[:side, bit * side : (bit + 1) * side] = 255 if number >> bit & 1 else 0
    return stamped


def number_in(picture: Picture) -> int:
    """The number that such a picture bears."""
    side = picture.shape[1] // _BITS
    row = picture[side // 2, side // 2 :: side].mean(axis=-1)
    return sum(1 << bit for bit, grey in enumerate(row[:_BITS]) if grey > 127)


def _fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """The picture at this width and height, with black where its sides are in another ratio."""
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    scale = min(height / picture.shape[0], width / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    whole: Picture = np.zeros((height, width, 3), np.uint8)
    whole[: small.shape[0], : small.shape[1]] = small[:height, :width]
    return whole


def _size(word: str) -> tuple[int, int]:
    """640x360; even numbers, for H.264 halves its colours."""
    width, height = (int(side) // 2 * 2 for side in word.split("x"))
    return width, height


COMMANDS = (
    *view.COMMANDS[:-1],
    Command(Streams.fault, "LANE none|freeze|black|slow|401|hang|dead [MS]"),
    Command(Streams.state),
)


EXAMPLES = """

examples:
  python -m simulators.rtsp entry exit
      arrive entry 闽C12F57              while ffplay shows the address it told
      fault entry hang
      fault entry none
  python -m simulators.rtsp entry --size 1920x1080 --rate 25 --user admin --password sesame
"""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Serve streams until stdin ends."""
    says = "RTSP cameras with H.264: rtsp://HOST:PORT/LANE, a port each, which it tells."
    line = parser("rtsp", says, COMMANDS, EXAMPLES)
    line.add_argument("lanes", nargs="+", metavar="LANE")
    line.add_argument("--host", default="127.0.0.1")
    line.add_argument("--rate", type=int, default=10, help="pictures a second")
    line.add_argument("--keys", type=float, default=1.0, help="seconds from key frame to key frame")
    line.add_argument("--codec", choices=("h264", "h265"), default="h264")
    line.add_argument("--size", type=_size, default=(WIDTH, HEIGHT), metavar="WIDTHxHEIGHT")
    line.add_argument("--pictures", type=Path, metavar="DIR", help="photographs for `next`")
    line.add_argument("--numbered", action="store_true", help="each picture bears its number")
    line.add_argument("--user", default="", help="ask for digest authentication")
    line.add_argument("--password", default="")
    options = line.parse_args(argv)
    if options.pictures is not None and not options.pictures.is_dir():
        line.error(f"--pictures: {options.pictures} is no folder")
    if not 1 <= options.rate <= _MOST_RATE:
        line.error(f"--rate: from 1 to {_MOST_RATE} pictures a second")
    run(Streams(options), COMMANDS)


if __name__ == "__main__":
    main(sys.argv[1:])
