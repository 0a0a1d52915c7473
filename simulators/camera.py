"""HTTP cameras, one for each lane: GET /LANE/snapshot.jpg gives a JPEG picture, as do Hikvision's
path and Dahua's behind /LANE, and with --mjpeg GET /LANE/video.mjpg gives them without end.

Requests and what stands before the cameras (commands) come in; pictures go out, each of them a
little different, as a car that rolls to the barrier is. Nothing is kept, and no lane is known
before somebody asks for it or shows something to it.
"""

import argparse
import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NoReturn, Self

import cv2
from aiohttp import web

from simulators import view
from simulators.console import Command, CommandError, Fields, parser, run, say
from simulators.digest import Digest
from simulators.plate import Picture
from simulators.traffic import Drive, Scene, taken
from simulators.view import Fault, View, Views, photographs_in

SNAPSHOTS = (
    "/snapshot.jpg",
    "/ISAPI/Streaming/channels/{channel}/picture",  # Hikvision
    "/cgi-bin/snapshot.cgi",  # Dahua
)

_QUALITY = 88
_MOST_LANES = 16
_READY = 8
_MOST_RATE = 60
_MULTIPART = "multipart/x-mixed-replace; boundary=picture"
_HANG_S = 300.0
"""A camera that hangs drops a request after so long; it never answers one."""


class Cameras(Views, AbstractAsyncContextManager["Cameras"]):
    """The server and its views; raises `OSError` if the port is taken."""

    faults = tuple(fault for fault in Fault if fault is not Fault.DEAD)

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(photographs_in(options.pictures), most=_MOST_LANES)
        self._options = options
        self._digest = Digest(options.user, options.password) if options.user else None
        self._ended = asyncio.Event()
        self._ready: dict[str, tuple[Scene, deque[bytes]]] = {}
        app = web.Application()
        for path in SNAPSHOTS:
            app.router.add_get("/{lane}" + path, self._serve)
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

    async def fault(self, lane: str, name: str, slow_ms: str = "0") -> None:
        """freeze: the same picture again and again; black: a black one; slow MS: each answer so
        much later; 401: no client is let in; hang: never an answer; garbage: no picture; half: half
        of one; none: well.
        """
        self.failing(lane, name, slow_ms)

    async def _serve(self, request: web.Request) -> web.Response:
        view = self._admitted(request)
        if view.fault is Fault.HANG:
            await self._wait(_HANG_S)
            if request.transport is not None:
                request.transport.abort()
        if view.fault is Fault.SLOW:
            await self._wait(view.slow_s)
        return web.Response(body=self._snapshot(view), content_type="image/jpeg")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        view = self._admitted(request)
        response = web.StreamResponse(headers={"Content-Type": _MULTIPART})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not self._ended.is_set():
                await self._wait(view.slow_s + 1 / self._options.mjpeg)
                if view.fault is not Fault.HANG:
                    await response.write(_part(self._snapshot(view)))
        return response

    async def expire(self) -> None:
        """Who knows the password is asked for it once more: the nonces are stale."""
        if self._digest is None:
            raise CommandError("no password is asked for: start with --user NAME")
        self._digest.expire()

    def _show(self, lane: str, plate: str, ground: str, drive: Drive) -> Fields:
        """Of a car that stands there at once a few pictures are made ready: a camera has its own
        processor, and takes no time from its client.
        """
        told = super()._show(lane, plate, ground, drive)
        view = self.view(lane)
        if drive == Drive() and view.fault is Fault.NONE:
            moments = [asyncio.get_running_loop().time() + number for number in range(_READY)]
            pictures = deque(_jpeg(taken(view.scene, at)) for at in moments)
            self._ready[lane] = view.scene, pictures
        return told

    def _snapshot(self, view: View) -> bytes:
        scene, pictures = self._ready.get(view.lane, (None, None))
        if pictures and scene is view.scene and view.fault in (Fault.NONE, Fault.FREEZE):
            pictures.rotate(view.fault is Fault.NONE)
            view.taken += 1
            return pictures[0]
        return _spoilt(view, _jpeg(view.frame(asyncio.get_running_loop().time())))

    def _admitted(self, request: web.Request) -> View:
        try:
            view = self.view(request.match_info["lane"])
        except CommandError as error:
            raise web.HTTPNotFound(text=str(error)) from error
        if view.fault is Fault.UNAUTHORIZED or not self._lets_in(request):
            given = request.headers.get("Authorization", "")
            challenge = self._digest.challenge(given) if self._digest else 'Basic realm="camera"'
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


def _spoilt(view: View, jpeg: bytes) -> bytes:
    """A picture as a camera would send it."""
    if view.fault is Fault.GARBAGE:
        return jpeg[:200] + bytes(range(256)) * 4
    if view.fault is Fault.HALF:
        return jpeg[: len(jpeg) // 2]
    return jpeg


def _part(jpeg: bytes) -> bytes:
    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def _jpeg(picture: Picture) -> bytes:
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()


COMMANDS = (
    *view.COMMANDS,
    Command(Cameras.fault, "LANE none|freeze|black|slow|401|hang|garbage|half [MS]"),
    Command(Cameras.expire),
)


EXAMPLES = """

examples:
  python -m simulators.camera --port 8080
      arrive entry 闽C12F57              then look at http://127.0.0.1:8080/entry/snapshot.jpg
      weather entry night=0.6 rain
      leave entry
  python -m simulators.camera --port 8080 --mjpeg 10 --user admin --password sesame
      fault entry slow 1500
  python -m simulators.camera --port 8080 --pictures ~/photographs
      next entry
"""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Serve pictures until stdin ends."""
    says = "HTTP cameras, one for each lane: GET /LANE/snapshot.jpg, or their makers' own paths."
    line = parser("camera", says, COMMANDS, EXAMPLES)
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
