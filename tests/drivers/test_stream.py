"""Streams against real ones: MJPEG over HTTP with faults, and video files."""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from aiohttp import BasicAuth, web
from structlog.testing import capture_logs

from gatekeeper.backoff import Backoff
from gatekeeper.clock import monotonic
from gatekeeper.config import (
    MjpegSettings,
    RtspSettings,
    UsbSettings,
    VideoSettings,
    ViewSettings,
)
from gatekeeper.drivers import intervals, source, stream
from gatekeeper.drivers.camera import open_camera
from gatekeeper.drivers.picture import decode_jpeg
from gatekeeper.drivers.ports import Camera
from gatekeeper.drivers.source import Pictures
from gatekeeper.errors import CameraError
from gatekeeper.model import Frame, Pixels

Limited = TypeVar("Limited", bound=ViewSettings)

PATIENCE_S = 30.0
"""Nothing here may take so long; it only keeps a failure from hanging."""

FAILING_MS = 500
"""The limit of a camera that is to fail; until then it may do so before its time."""

STEP = 4
"""Between the greys of two pictures that follow each other: JPEG keeps that apart."""

SHADES = 64

MISSED = 100
"""Pictures that are not asked for; a stream that kept them would have to give them first."""


def scenery(number: int) -> Pixels:
    """A picture that says in two greys which one it is."""
    pixels = np.full((72, 128, 3), number % SHADES * STEP, np.uint8)
    pixels[:, 64:] = number // SHADES * STEP
    return pixels


def number_in(pixels: Pixels) -> int:
    low, high = float(pixels[:, :64].mean()), float(pixels[:, 64:].mean())
    return round(low / STEP) + SHADES * round(high / STEP)


def jpeg_of(number: int) -> bytes:
    return cv2.imencode(".jpg", scenery(number))[1].tobytes()


def patient(settings: Limited, limit_s: float = PATIENCE_S) -> Limited:
    """A limit beyond what may be set: on a busy machine a healthy camera is in no hurry."""
    return settings.model_copy(update={"timeout_ms": round(limit_s * 1000)})


@dataclass
class MjpegServer:
    """Sends numbered pictures without end, until something is wrong with it."""

    port: int = 0
    sent: int = 0
    wrong: asyncio.Event = field(default_factory=asyncio.Event)
    freezes: bool = False
    pace_s: float = 0.02
    password: str | None = None
    runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/video", self._serve)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        self.wrong.set()
        if self.runner is not None:
            await self.runner.cleanup()
        self.runner = None
        self.wrong.clear()

    def settings(self, **more: Any) -> MjpegSettings:
        url = f"http://127.0.0.1:{self.port}/video?pwd=hidden"
        return MjpegSettings(kind="mjpeg", url=url, **more)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.password is not None and not self._lets_in(request):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
        response = web.StreamResponse(
            headers={"Content-Type": "multipart/x-mixed-replace; boundary=picture"}
        )
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await self._pour(response)
        return response

    def _lets_in(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return bool(given) and BasicAuth.decode(given).password == self.password

    async def _pour(self, response: web.StreamResponse) -> None:
        while not self.wrong.is_set():
            self.sent += 1
            body = jpeg_of(self.sent)
            head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
            await response.write(head.encode() + body + b"\r\n")
            await asyncio.sleep(self.pace_s)
        if self.freezes:
            await asyncio.sleep(PATIENCE_S)


@pytest.fixture(autouse=True)
def no_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no fault of the stream."""
    monkeypatch.setattr(source, "OPEN_MS", round(PATIENCE_S * 1000))
    monkeypatch.setattr(source, "READ_MS", round(PATIENCE_S * 1000))


@pytest.fixture
async def server() -> AsyncIterator[MjpegServer]:
    server = MjpegServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def camera(server: MjpegServer) -> AsyncIterator[Camera]:
    camera = open_camera("entry", patient(server.settings()))
    yield camera
    await camera.close()


@pytest.fixture
async def failing(server: MjpegServer) -> AsyncIterator[Camera]:
    camera = open_camera("entry", server.settings(timeout_ms=FAILING_MS))
    yield camera
    await camera.close()


@dataclass
class SilentServer:
    """Lets everybody in and never says a word."""

    port: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        self.asked.set()
        await self.ended.wait()
        writer.close()


@pytest.fixture
async def silent_server() -> AsyncIterator[SilentServer]:
    silent = SilentServer()
    server = await asyncio.start_server(silent.serve, "127.0.0.1", 0)
    silent.port = server.sockets[0].getsockname()[1]
    yield silent
    silent.ended.set()
    server.close()
    await server.wait_closed()


def settings_at(kind: str, port: int) -> RtspSettings | MjpegSettings:
    if kind == "rtsp":
        return RtspSettings(kind="rtsp", url=f"rtsp://127.0.0.1:{port}/x", timeout_ms=FAILING_MS)
    return MjpegSettings(kind="mjpeg", url=f"http://127.0.0.1:{port}/x", timeout_ms=FAILING_MS)


async def happens(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


def threads_of(camera: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"camera {camera}"]


async def eventually(ask: Callable[[], Awaitable[Frame]]) -> Frame:
    """The first frame of a camera that may fail before."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(CameraError):
                return await ask()


async def failure(camera: Camera) -> str:
    """What the camera says when it fails, which it may do late: pictures may be under way."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await camera.frame()
            except CameraError as error:
                return str(error)


async def asks_until_newest(server: MjpegServer, camera: Camera) -> int:
    """How many frames are asked for, after `MISSED` have come unasked, before those are past."""
    newest = server.sent + MISSED
    await happens(lambda: server.sent >= newest)
    for asks in itertools.count(1):
        if number_in((await camera.frame()).pixels) >= newest:
            return asks
    raise AssertionError


async def test_a_frame_of_a_stream_came_after_the_call_began(camera: Camera) -> None:
    frames = []
    for number in (1, 2, 3):
        before = monotonic()
        frames.append(await camera.frame())
        assert frames[-1].at >= before
        assert (frames[-1].camera, frames[-1].number) == ("entry", number)
    assert len({number_in(frame.pixels) for frame in frames}) == 3
    assert frames[0].pixels.dtype == np.dtype(np.uint8)


async def test_the_newest_picture_wins_after_no_one_has_asked_for_a_while(
    server: MjpegServer, camera: Camera
) -> None:
    await camera.frame()
    assert await asks_until_newest(server, camera) < MISSED / 2


async def test_the_networks_read_the_view_and_the_whole_is_kept(server: MjpegServer) -> None:
    camera = open_camera("entry", patient(server.settings(roi=(0, 0, 0.5, 0.25), rotation=90)))
    frame = await camera.frame()
    assert frame.pixels.shape == (32, 36, 3)
    assert decode_jpeg(frame.encoded).shape == (72, 128, 3)
    assert frame.suffix == ".jpg"
    await camera.close()


async def test_a_camera_that_is_not_there_is_an_error_that_shows_no_password() -> None:
    settings = RtspSettings(kind="rtsp", url="rtsp://who:secret@127.0.0.1:1/x?pwd=hidden")
    camera = open_camera("entry", patient(settings))
    with pytest.raises(CameraError, match=r"camera entry at rtsp://127.*:1/x: ") as caught:
        await camera.frame()
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)
    await camera.close()


@pytest.mark.parametrize(("word", "right"), [("se:s@me", True), ("wrong", False)])
async def test_a_stream_opens_with_the_password_of_the_file(
    server: MjpegServer, tmp_path: Path, word: str, right: bool
) -> None:
    (tmp_path / "password").write_text(f"{word}\n", encoding="utf-8")
    server.password = "se:s@me"
    settings = server.settings(username="admin", password_file=tmp_path / "password")
    camera = open_camera("entry", patient(settings))
    if right:
        assert (await camera.frame()).number == 1
    else:
        with pytest.raises(CameraError, match="password"):
            await camera.frame()
    await camera.close()


async def test_row_34_a_password_file_that_is_mended_is_read_when_the_stream_is_opened(
    server: MjpegServer, tmp_path: Path
) -> None:
    server.password = "sesame"
    file = tmp_path / "password"
    camera = open_camera("entry", server.settings(username="admin", password_file=file))
    assert "cannot be read" in await failure(camera)
    file.write_text("sesame", encoding="utf-8")
    assert (await eventually(camera.frame)).number == 1
    await camera.close()


async def test_a_server_that_dies_is_an_error_and_its_return_is_seen(
    server: MjpegServer, camera: Camera
) -> None:
    first = await camera.frame()
    await server.stop()
    assert "ended" in await failure(camera)
    await server.start()
    frame = await eventually(camera.frame)
    assert frame.number > first.number
    assert frame.at > first.at


async def test_a_stream_that_stops_in_the_middle_is_left_behind_and_opened_again(
    server: MjpegServer, failing: Camera
) -> None:
    await eventually(failing.frame)
    server.freezes = True
    server.wrong.set()
    with capture_logs() as logs:
        while not logs:
            assert "no picture within 0.5 s" in await failure(failing)
    assert logs[0]["event"] == "camera.left_behind"
    server.wrong.clear()
    sent = server.sent
    assert number_in((await eventually(failing.frame)).pixels) > sent


@pytest.mark.parametrize("kind", ["rtsp", "mjpeg"])
async def test_a_server_that_never_answers_is_given_up_after_the_time_limit(
    silent_server: SilentServer, kind: str
) -> None:
    silent = open_camera("silent", settings_at(kind, silent_server.port))
    with pytest.raises(CameraError, match=r"no picture within 0\.5 s"):
        await silent.frame()
    await silent.close()


async def first_to_end(ours: Callable[[], object], theirs: Callable[[], object]) -> str:
    """Which of two calls that hang ends before the other, although theirs began first: by default
    OpenCV gives up after 30 s.
    """
    hang = asyncio.create_task(asyncio.to_thread(theirs), name="theirs")
    await asyncio.sleep(1.0)
    call = asyncio.create_task(asyncio.to_thread(ours), name="ours")
    ended, _ = await asyncio.wait({hang, call}, return_when=asyncio.FIRST_COMPLETED)
    return next(iter(ended)).get_name()


async def test_an_open_that_no_one_answers_ends_before_opencv_would_end_it(
    silent_server: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "OPEN_MS", 300)
    settings = settings_at("mjpeg", silent_server.port)
    opening = source.pictures_of(settings)

    def ours() -> None:
        with pytest.raises(CameraError):
            opening(0.0)

    def theirs() -> None:
        cv2.VideoCapture(settings.url, cv2.CAP_FFMPEG)

    assert await first_to_end(ours, theirs) == "ours"
    silent_server.ended.set()


async def test_a_read_of_a_stream_that_stops_ends_before_opencv_would_end_it(
    server: MjpegServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "READ_MS", 300)
    settings = server.settings()
    pictures = await asyncio.to_thread(source.pictures_of(settings), 0.0)
    capture = await asyncio.to_thread(cv2.VideoCapture, settings.url, cv2.CAP_FFMPEG)
    assert capture.isOpened()
    server.freezes = True
    server.wrong.set()

    def theirs() -> None:
        while capture.grab():
            pass

    assert await first_to_end(lambda: [None for _ in pictures], theirs) == "ours"
    server.wrong.clear()
    await server.stop()


@pytest.mark.parametrize("kind", ["rtsp", "mjpeg"])
async def test_a_server_that_never_answers_keeps_no_other_stream_from_opening(
    server: MjpegServer, camera: Camera, silent_server: SilentServer, kind: str
) -> None:
    silent = open_camera("silent", patient(settings_at(kind, silent_server.port), 10 * PATIENCE_S))
    hang = asyncio.create_task(silent.frame())
    await silent_server.asked.wait()
    for _ in range(5):
        async with asyncio.timeout(PATIENCE_S):
            await camera.frame()
    assert not hang.done()
    hang.cancel()


async def test_threads_left_behind_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def hangs(_: float) -> Pictures:
        goes_on.wait(PATIENCE_S)
        while True:
            time.sleep(0.01)
            yield lambda: scenery(1)

    monkeypatch.setattr(stream, "pictures_of", lambda _: hangs)
    monkeypatch.setattr(stream, "_OPENING_S", 0.0)
    monkeypatch.setattr(stream, "RETRY", Backoff(first_s=0.0, last_s=0.0))
    settings = VideoSettings(kind="video", path=tmp_path, timeout_ms=100)
    camera = open_camera("entry", settings)
    async with asyncio.timeout(PATIENCE_S):
        while "openings of it hang" not in await failure(camera):
            pass
    assert len(threads_of("entry")) == stream.MOST_LEFT_BEHIND
    goes_on.set()
    assert (await eventually(camera.frame)).number == 1
    await camera.close()


@pytest.mark.parametrize("device", [63, "/dev/video-of-nobody", "/dev/v4l/by-id/usb-none-index0"])
async def test_a_camera_on_usb_that_is_not_plugged_in_is_an_error_that_names_it(
    device: int | str,
) -> None:
    camera = open_camera("entry", patient(UsbSettings(kind="usb", device=device)))
    with pytest.raises(CameraError, match=f"camera entry at usb {device}: it cannot be opened"):
        await camera.frame()
    await camera.close()


async def test_what_is_no_camera_on_usb_is_an_error() -> None:
    camera = open_camera("entry", patient(UsbSettings(kind="usb", device="/dev/null")))
    with pytest.raises(CameraError, match="usb /dev/null: it cannot be opened"):
        await camera.frame()
    await camera.close()


async def test_a_name_on_usb_is_followed_again_at_each_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No camera is plugged in where tests run; what OpenCV would open is told instead."""
    opened: list[object] = []
    unplugged = cv2.VideoCapture()

    def remember(at: object, _: int) -> cv2.VideoCapture:
        opened.append(at)
        return unplugged

    monkeypatch.setattr(cv2, "VideoCapture", remember)
    name = tmp_path / "by-id"
    settings = UsbSettings(kind="usb", device="/dev/video0").model_copy(
        update={"device": str(name)}
    )
    camera = open_camera("entry", patient(settings))
    for port in ("video0", "video2"):
        name.unlink(missing_ok=True)
        name.symlink_to(f"/dev/{port}")
        with pytest.raises(CameraError, match=f"usb {name}"):
            await camera.frame()
    assert opened == ["/dev/video0", "/dev/video2"]
    await camera.close()


def film(file: Path, numbers: range, pace: float = 50.0) -> None:
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), pace, (128, 72))
    for number in numbers:
        writer.write(scenery(number))
    writer.release()


def played(path: Path) -> VideoSettings:
    return patient(VideoSettings(kind="video", path=path))


async def test_a_video_is_played_round_and_round(tmp_path: Path) -> None:
    film(tmp_path / "a.avi", range(1, 11))
    camera = open_camera("entry", played(tmp_path / "a.avi"))
    seen = [number_in((await camera.frame()).pixels) for _ in range(25)]
    assert set(seen) <= set(range(1, 11))
    assert any(later < earlier for earlier, later in itertools.pairwise(seen))
    await camera.close()


async def test_a_video_goes_on_at_its_own_pace_while_no_one_asks(tmp_path: Path) -> None:
    film(tmp_path / "a.avi", range(1, 1000), pace=20.0)
    camera = open_camera("entry", played(tmp_path / "a.avi"))
    first = await camera.frame()
    asks = steps = 0
    while steps <= 2 * asks:
        await asyncio.sleep(0.5)
        later = await camera.frame()
        asks, steps = asks + 1, number_in(later.pixels) - number_in(first.pixels)
        assert (steps - 2) / 20.0 <= later.at - first.at
    await camera.close()


async def test_the_videos_of_a_folder_follow_each_other_by_name(tmp_path: Path) -> None:
    film(tmp_path / "b.avi", range(20, 25))
    film(tmp_path / "a.avi", range(1, 6))
    (tmp_path / "notes.txt").write_text("no video", encoding="utf-8")
    camera = open_camera("entry", played(tmp_path))
    seen = [number_in((await camera.frame()).pixels) for _ in range(12)]
    assert seen[0] < 6
    assert any(number >= 20 for number in seen)
    await camera.close()


@pytest.mark.parametrize("content", [None, b"no video"])
async def test_what_is_no_video_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.avi").write_bytes(content)
    camera = open_camera("entry", played(tmp_path / "a.avi"))
    with pytest.raises(CameraError, match=r"a\.avi holds no video"):
        await camera.frame()
    await camera.close()


async def test_a_closed_camera_leaves_no_thread(server: MjpegServer) -> None:
    camera = open_camera("entry", patient(server.settings()))
    await camera.frame()
    await camera.close()
    await happens(lambda: not threads_of("entry"))


async def test_a_password_stands_neither_in_errors_nor_in_what_ffmpeg_writes(
    server: MjpegServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server.password = "another"
    (tmp_path / "password").write_text("sesame", encoding="utf-8")
    login: dict[str, Any] = {"username": "admin", "password_file": tmp_path / "password"}
    refused = RtspSettings(kind="rtsp", url="rtsp://127.0.0.1:1/x", **login)
    nowhere = RtspSettings(kind="rtsp", url="rtsp://no.such.host.invalid/x", **login)
    said = ""
    for settings in (server.settings(**login), refused, nowhere):
        camera = open_camera("entry", settings)
        said += await failure(camera)
        await camera.close()
    said += "".join(capfd.readouterr())
    assert "127.0.0.1" in said
    assert "sesame" not in said


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """With how much patience each stream was opened."""
    patience: list[float] = []

    class Counted(stream.Capture):
        def __init__(self, name: str, source: Any, view: ViewSettings, patience_s: float) -> None:
            patience.append(patience_s)
            super().__init__(name, source, view, patience_s)

    monkeypatch.setattr(stream, "Capture", Counted)
    return patience


async def test_row_53_a_stream_whose_pictures_are_rare_is_stale_only_after_its_own_interval(
    server: MjpegServer, failing: Camera, openings: list[float]
) -> None:
    server.pace_s = 3 * FAILING_MS / 1000
    for _ in range(4):  # the first two come in one go
        await eventually(failing.frame)
    numbers = [(await failing.frame()).number for _ in range(3)]
    assert numbers == [5, 6, 7], "each is waited for longer than the limit that is configured"
    assert openings == [intervals.KEY_S]
    server.freezes = True
    server.wrong.set()
    assert "no picture within 2." in await failure(failing)


async def test_row_53_a_stream_that_gave_no_picture_in_time_is_given_all_patience_again(
    server: MjpegServer, camera: Camera, openings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "READ_MS", 1000)
    for _ in range(3):
        await camera.frame()
    await server.stop()
    await failure(camera)
    await failure(camera)
    await server.start()
    await eventually(camera.frame)
    assert openings[:2] == [intervals.KEY_S, 1.0], "what was seen of it counts once"
    assert openings[2] == intervals.KEY_S
