"""HTTP cameras, one for each lane: GET /LANE/snapshot.jpg gives a JPEG picture, and with --mjpeg
GET /LANE/video.mjpg gives them without end.

Requests and what stands before the cameras (commands) come in; pictures go out, each of them a
little different, as a car that rolls to the barrier is. Nothing is kept, and no lane is known
before somebody asks for it or shows something to it.
"""

import argparse
import asyncio
import contextlib
import sys
import zlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, Self

import cv2
import numpy as np
from aiohttp import web

from simulators import scene
from simulators.console import Command, CommandError, Fields, parser, run, say
from simulators.digest import Digest
from simulators.plate import Ground, Picture, ground_of

_QUALITY = 88
_MOST_LANES = 16
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
_MOST_RATE = 60
_MULTIPART = "multipart/x-mixed-replace; boundary=picture"
_HANG_S = 300.0
"""A camera that hangs drops a request after so long; it never answers one."""


class Fault(StrEnum):
    """What is wrong with a camera."""

    NONE = "none"
    FREEZE = "freeze"
    BLACK = "black"
    SLOW = "slow"
    UNAUTHORIZED = "401"
    HANG = "hang"
    GARBAGE = "garbage"


class View:
    """What one lane's camera sees, and how it fails."""

    def __init__(self, lane: str) -> None:
        seed = zlib.crc32(lane.encode())
        self.fault = Fault.NONE
        self.slow_s = 0.0
        self.shows = ""
        self.taken = 0
        self.photographs = 0
        self._camera = scene.Camera(seed)
        self._road = scene.road(seed)
        self._scene = self._road
        self._last = b""

    def show(self, plate: str, ground: Ground) -> None:
        """A car with this plate stands there; raises `ValueError`."""
        self._scene = scene.with_car(self._road, plate, ground)
        self.shows = plate

    def picture(self, path: Path) -> None:
        """A photograph instead; raises `ValueError` and `OSError`."""
        self._scene = scene.photograph(path)
        self.shows = path.name

    def clear(self) -> None:
        """Nobody is there."""
        self._scene = self._road
        self.shows = ""

    def snapshot(self) -> bytes:
        """The next picture as a camera would send it."""
        self.taken += 1
        if self.fault is Fault.GARBAGE:
            return b"\xff\xd8\xff\xe0" + self._last[:200] + bytes(range(256)) * 4
        if self.fault is Fault.FREEZE and self._last:
            return self._last
        dark = self.fault is Fault.BLACK
        frame = np.zeros_like(self._scene) if dark else self._camera.frame(self._scene)
        self._last = _jpeg(frame)
        return self._last


class Cameras(AbstractAsyncContextManager["Cameras"]):
    """The server and its views; raises `OSError` if the port is taken."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._views: dict[str, View] = {}
        self._photographs = _photographs(options.pictures)
        self._digest = Digest(options.user, options.password) if options.user else None
        self._ended = asyncio.Event()
        app = web.Application()
        app.router.add_get("/{lane}/snapshot.jpg", self._serve)
        if options.mjpeg:
            app.router.add_get("/{lane}/video.mjpg", self._stream)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        cv2.setNumThreads(1)  # a camera must not take the machine from who looks at it
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._options.host, self._options.port)
        await site.start()
        port = self._runner.addresses[0][1]
        say("listening", host=self._options.host, port=port, path="/LANE/snapshot.jpg")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        await self._runner.cleanup()

    async def show(self, lane: str, plate: str, ground: str = "") -> Fields:
        """A car with this plate stands before the camera; its ground goes by the plate, or is
        blue, green, yellow, white or black.
        """
        view = self._view(lane)
        view.show(plate, Ground(ground) if ground else ground_of(plate))
        return {"lane": lane, "plate": plate}

    async def picture(self, lane: str, file: str) -> Fields:
        """The camera sees this photograph, a little different each time."""
        self._view(lane).picture(Path(file))
        return {"lane": lane, "picture": file}

    async def next(self, lane: str) -> Fields:
        """The camera sees the next photograph of the folder given by --pictures."""
        if not self._photographs:
            raise CommandError("there is no folder of photographs: start with --pictures DIR")
        view = self._view(lane)
        view.photographs += 1
        file = self._photographs[(view.photographs - 1) % len(self._photographs)]
        view.picture(file)
        return {"lane": lane, "picture": str(file)}

    async def clear(self, lane: str) -> None:
        """The road is empty."""
        self._view(lane).clear()

    async def fault(self, lane: str, name: str, slow_ms: str = "0") -> None:
        """freeze: the same picture again and again; black: a black one; slow MS: each answer so
        much later; 401: nobody is let in; hang: never an answer; garbage: no picture; none: well.
        """
        fault, slow_s = Fault(name), int(slow_ms) / 1000
        if (fault is Fault.SLOW) != (slow_s > 0):
            raise CommandError("slow takes its milliseconds, and no other fault does")
        view = self._view(lane)
        view.fault, view.slow_s = fault, slow_s

    async def state(self) -> Fields:
        """What each camera sees, how many pictures it gave, and its fault."""
        return {
            "lanes": {
                lane: {"shows": view.shows, "taken": view.taken, "fault": view.fault}
                for lane, view in self._views.items()
            }
        }

    def _view(self, lane: str) -> View:
        view = self._views.get(lane)
        if view is None:
            if len(self._views) >= _MOST_LANES:
                raise CommandError(f"no more than {_MOST_LANES} lanes")
            view = self._views[lane] = View(lane)
        return view

    async def _serve(self, request: web.Request) -> web.Response:
        view = self._admitted(request)
        if view.fault is Fault.HANG:
            await self._wait(_HANG_S)
            if request.transport is not None:
                request.transport.abort()
        if view.fault is Fault.SLOW:
            await self._wait(view.slow_s)
        return web.Response(body=view.snapshot(), content_type="image/jpeg")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        view = self._admitted(request)
        response = web.StreamResponse(headers={"Content-Type": _MULTIPART})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not self._ended.is_set():
                await self._wait(view.slow_s + 1 / self._options.mjpeg)
                if view.fault is not Fault.HANG:
                    await response.write(_part(view.snapshot()))
        return response

    def _admitted(self, request: web.Request) -> View:
        try:
            view = self._view(request.match_info["lane"])
        except CommandError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        if view.fault is Fault.UNAUTHORIZED or not self._lets_in(request):
            challenge = self._digest.challenge() if self._digest else 'Basic realm="camera"'
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": challenge})
        return view

    def _lets_in(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return self._digest is None or self._digest.accepts(
            request.method, request.rel_url.raw_path_qs, given
        )

    async def _wait(self, seconds: float) -> None:
        """So long, or until the simulator ends."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return


def _photographs(folder: Path | None) -> list[Path]:
    """The pictures in a folder, by name; raises `OSError` if there is no such folder."""
    if folder is None:
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)


def _part(jpeg: bytes) -> bytes:
    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def _jpeg(picture: Picture) -> bytes:
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()


COMMANDS = (
    Command(Cameras.show, "LANE PLATE [GROUND]"),
    Command(Cameras.picture, "LANE FILE"),
    Command(Cameras.next, "LANE"),
    Command(Cameras.clear, "LANE"),
    Command(Cameras.fault, "LANE none|freeze|black|slow|401|hang|garbage [MS]"),
    Command(Cameras.state),
)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Serve pictures until stdin ends."""
    line = parser("camera", "HTTP snapshot cameras: GET /LANE/snapshot.jpg.", COMMANDS)
    line.add_argument("--host", default="127.0.0.1")
    line.add_argument("--port", type=int, default=0, help="0 picks a free one and says which")
    line.add_argument("--pictures", type=Path, metavar="DIR", help="photographs for `next`")
    line.add_argument(
        "--mjpeg",
        type=float,
        default=0.0,
        metavar="RATE",
        help="serve GET /LANE/video.mjpg too, with so many pictures a second",
    )
    line.add_argument("--user", help="ask for digest authentication")
    line.add_argument("--password", default="")
    options = line.parse_args(argv)
    if options.pictures is not None and not options.pictures.is_dir():
        line.error(f"--pictures: {options.pictures} is no folder")
    if not 0 <= options.mjpeg <= _MOST_RATE:
        line.error(f"--mjpeg: from 0 to {_MOST_RATE} pictures a second")
    run(Cameras(options), COMMANDS)


if __name__ == "__main__":
    main(sys.argv[1:])
