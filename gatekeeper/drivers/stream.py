"""Cameras whose pictures come by themselves: RTSP, MJPEG, USB, and videos in place of one.

One thread for each camera takes every picture the stream gives, so that none grows old in a
buffer, and hands over the first that came after it was asked for. Where a call of OpenCV blocks
for longer than a frame is waited for, the thread is left behind and the stream opened again in
another.
"""

import asyncio
import atexit
import contextlib
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import structlog

from gatekeeper.backoff import Backoff
from gatekeeper.clock import monotonic
from gatekeeper.config import MjpegSettings, RtspSettings, StreamSettings, UsbSettings, ViewSettings
from gatekeeper.drivers.intervals import KEY_S, SLACK, Intervals
from gatekeeper.drivers.login import LoginError
from gatekeeper.drivers.refusal import RefusedError
from gatekeeper.drivers.source import OPEN_MS, READ_MS, Pictures, pictures_of
from gatekeeper.drivers.view import viewed
from gatekeeper.errors import CameraError
from gatekeeper.model import Frame, Pixels

log = structlog.get_logger(__name__)

MOST_LEFT_BEHIND = 3
"""Threads of one camera that hang at the same time; with so many, it is not opened again."""

RETRY = Backoff(first_s=0.5, last_s=4.0)
"""Between two openings of a stream that gave no picture: doubled each time."""

_OPENING_S = (OPEN_MS + READ_MS) / 1000 + 1.0
"""How long it may take to open a stream, beside the time to its first picture."""

_AT_EXIT_S = 7.0
"""Longer than any limit given to OpenCV: a read of RTSP was seen to end after 6 s."""

_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]
_ADVICE = "check its power, cable, address and password"
_ENDED = "the stream ended"


_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@atexit.register
def _outlast_hangs() -> None:
    """An interpreter that ends while a thread is within OpenCV aborts the process."""
    until = monotonic() + _AT_EXIT_S
    for thread in list(_threads):
        thread.join(max(0.0, until - monotonic()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
    """One picture of a stream: when it came, what the networks read, and the whole as JPEG."""

    at: float
    pixels: Pixels
    encoded: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Wanted:
    since: float
    shot: asyncio.Future[Shot]


class Capture:
    """A stream opened once, and the thread that drains it until it ends or is left.

    Loop and thread share single attributes, each written by one of them alone.
    """

    def __init__(
        self,
        name: str,
        source: Callable[[float], Pictures],
        view: ViewSettings,
        patience_s: float,
    ) -> None:
        """`patience_s` is how long a picture may take while nothing is known of the stream."""
        self.intervals = Intervals(patience_s)
        self._source = source
        self._patience_s = patience_s
        self._view = view
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._wanted: _Wanted | None = None
        self._left = False
        self._why = CameraError(_ENDED)
        self._lively_at = monotonic() + _OPENING_S
        self._thread = threading.Thread(target=self._drain, name=f"camera {name}", daemon=True)
        _threads.add(self._thread)
        self._thread.start()

    @property
    def runs(self) -> bool:
        """Whether its thread still runs, perhaps in a call that hangs."""
        return self._thread.is_alive()

    def silent_s(self) -> float:
        """How long no picture has come, not counting the time that opening may take."""
        return monotonic() - self._lively_at

    def leave(self) -> None:
        """The thread is to end as soon as the call it is in returns."""
        self._left = True

    async def ended(self) -> None:
        """Wait until the stream is closed."""
        await self._ended.wait()

    async def next(self) -> Shot:
        """The first picture that comes after this call; raises `CameraError` if none will."""
        if self._ended.is_set():
            raise self._why
        self._wanted = _Wanted(since=monotonic(), shot=self._loop.create_future())
        return await self._wanted.shot

    def _drain(self) -> None:
        why = CameraError(_ENDED)
        try:
            with contextlib.closing(self._source(self._patience_s)) as pictures:
                self._take(pictures)
        except CameraError as error:
            why = error
        except (OSError, cv2.error) as error:
            why = CameraError(str(error))
        finally:
            self._tell(self._end, why)

    def _take(self, pictures: Pictures) -> None:
        answered: _Wanted | None = None
        self.intervals.opened(monotonic())
        for take in pictures:
            at = self._lively_at = monotonic()
            self.intervals.came(at)
            if self._left or self._loop.is_closed():
                return
            wanted = self._wanted
            if wanted is not None and wanted is not answered and wanted.since <= at:
                answered = wanted
                self._tell(_give, wanted.shot, self._shot(at, take()))

    def _shot(self, at: float, whole: Pixels) -> Shot:
        encoded = cv2.imencode(".jpg", whole, _QUALITY)[1].tobytes()
        return Shot(at=at, pixels=viewed(whole, self._view), encoded=encoded)

    def _tell(self, what: Callable[..., None], *told: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and its camera with it
            self._loop.call_soon_threadsafe(what, *told)

    def _end(self, why: CameraError) -> None:
        self._why = why
        self._ended.set()
        if self._wanted is not None and not self._wanted.shot.done():
            self._wanted.shot.set_exception(why)


class StreamCamera:
    """A camera on a stream, which is opened at the first frame, and again when it ends or hangs.

    A stream has no pictures as the camera sent them: `encoded` is the whole picture as JPEG,
    made for the frames that are asked for.
    """

    def __init__(self, name: str, settings: StreamSettings) -> None:
        self._name = name
        self._settings = settings
        self._source = pictures_of(settings)
        self._limit_s = settings.timeout_ms / 1000
        self._capture: Capture | None = None
        self._left_behind: list[Capture] = []
        self._network = isinstance(settings, RtspSettings | MjpegSettings)
        self._patience_s = KEY_S if self._network else 0.0
        self._pause_s = 0.0
        self._open_at = 0.0
        self._number = 0

    @property
    def name(self) -> str:
        """Which camera, as alarms and events call it."""
        return self._name

    async def frame(self) -> Frame:
        """The first picture that came after this call began, stamped with that moment.

        Raises `CameraError` at the latest when `timeout_ms` have passed, or half as long again as
        this stream is known to take between two pictures.
        """
        seen_s = 0.0 if self._capture is None else self._capture.intervals.longest_s
        limit_s = max(self._limit_s, SLACK * seen_s)
        try:
            async with asyncio.timeout(limit_s):
                shot = await self._shot()
        except TimeoutError as error:
            self._leave_a_hang()
            raise self._error(f"no picture within {limit_s:.1f} s") from error
        self._pause_s = 0.0
        self._number += 1
        return Frame(
            camera=self._name,
            number=self._number,
            at=shot.at,
            pixels=shot.pixels,
            encoded=shot.encoded,
            suffix=".jpg",
        )

    async def close(self) -> None:
        """Let go of the stream; a thread that hangs is not waited for longer than `timeout_ms`."""
        capture, self._capture = self._capture, None
        if capture is None:
            return
        capture.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limit_s):
                await capture.ended()

    async def _shot(self) -> Shot:
        if self._capture is None:
            self._capture = await self._opened()
        try:
            return await self._capture.next()
        except CameraError as error:
            self._let_go()
            advice = None if isinstance(error, LoginError | RefusedError) else _ADVICE
            raise self._error(str(error), advice) from error

    async def _opened(self) -> Capture:
        await asyncio.sleep(max(0.0, self._open_at - monotonic()))
        self._left_behind = [capture for capture in self._left_behind if capture.runs]
        if len(self._left_behind) >= MOST_LEFT_BEHIND:
            raise self._error(f"{MOST_LEFT_BEHIND} openings of it hang")
        return Capture(self._name, self._source, self._settings, self._patience_s)

    def _leave_a_hang(self) -> None:
        capture = self._capture
        if capture is None or capture.silent_s() < capture.intervals.may_take_s(self._limit_s):
            return
        capture.leave()
        self._left_behind.append(capture)
        self._let_go()
        log.warning("camera.left_behind", camera=self._name, threads=len(self._left_behind))

    def _let_go(self) -> None:
        """The next frame opens the stream again, after a pause."""
        if self._network and self._capture is not None:
            self._patience_s = self._capture.intervals.next_patience_s(READ_MS / 1000)
        self._capture = None
        self._pause_s = RETRY.after(self._pause_s)
        self._open_at = monotonic() + self._pause_s

    def _error(self, what: str, advice: str | None = _ADVICE) -> CameraError:
        told = what if advice is None else f"{what}; {advice}"
        return CameraError(f"camera {self._name} at {_place(self._settings)}: {told}")


def _give(wanted: asyncio.Future[Shot], shot: Shot) -> None:
    if not wanted.done():  # its caller may have given up
        wanted.set_result(shot)


def _place(settings: StreamSettings) -> str:
    if isinstance(settings, UsbSettings):
        return f"usb {settings.device}"
    if isinstance(settings, RtspSettings | MjpegSettings):
        return settings.place
    return str(settings.path)
