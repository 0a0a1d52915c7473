"""RTSP cameras against a real server: H.264 by gst-rtsp-server, killed, frozen and back."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import (
    BarrierSettings,
    InputSettings,
    LaneSettings,
    RtspSettings,
    ViewSettings,
)
from gatekeeper.drivers import intervals, source, stream
from gatekeeper.drivers.camera import open_camera
from gatekeeper.drivers.ports import Camera
from gatekeeper.errors import CameraError
from gatekeeper.health import Health
from gatekeeper.lane import Kerb, Lane, Rooms
from gatekeeper.model import (
    Admits,
    AlarmCleared,
    AlarmRaised,
    Direction,
    Frame,
    Limit,
    PlateRead,
    ZonePolicy,
)
from gatekeeper.rules.passage import Timing
from gatekeeper.rules.texts import Texts
from simulators.rtsp import number_in

PATIENCE_S = 30.0
"""Nothing here may take so long; it only keeps a failure from hanging."""

FAILING_MS = 500
"""The limit of a camera that is to fail; until then it may do so before its time."""

HELD_MS = 5000
"""So long a picture is held back, far longer than one may be under way."""

MISSED = 40
"""Pictures that are not asked for; a stream that kept them would have to give them first."""

STALE = 12
"""So many pictures behind is not the present. By its defaults OpenCV looks at twenty or more before
a stream is open, and then begins with these.
"""

LANE = LaneSettings(
    name="lane",
    zone="visitor_zone",
    direction=Direction.ENTRY,
    barrier=BarrierSettings(board="relays", coil=0),
    arrival_loop=InputSettings(board="relays", input=0),
)

POLICY = ZonePolicy(
    zone="visitor_zone",
    admits=Admits.EVERYBODY,
    capacity=60,
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)

SECRET = ("--user=gate", "--password=s:e@same")


class Cameras:
    """`python -m simulators.rtsp` at the other end of two pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._urls: dict[str, str] = {}

    async def listen(self, *lanes: str) -> None:
        for _ in lanes:
            said = await self._hear("listening")
            self._urls[said["lane"]] = said["url"]

    async def tell(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        return await self._hear("done")

    async def taken(self, lane: str) -> int:
        """How many pictures this camera has taken."""
        return int((await self.tell("state"))["lanes"][lane]["taken"])

    def settings(self, lane: str, **more: Any) -> RtspSettings:
        """With a limit beyond what may be set: on a busy machine a healthy camera may take long."""
        settings = RtspSettings(kind="rtsp", url=self._urls[lane], **more)
        return settings.model_copy(update={"timeout_ms": round(PATIENCE_S * 1000)})

    def failing(self, lane: str) -> RtspSettings:
        return RtspSettings(kind="rtsp", url=self._urls[lane], timeout_ms=FAILING_MS)

    async def _hear(self, word: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                said: dict[str, Any] = json.loads(await self._process.stdout.readline())
                if said["said"] == word:
                    return said


@contextlib.asynccontextmanager
async def started(*options: str) -> AsyncIterator[Cameras]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.rtsp", "in", "out", "--numbered", "--size=320x180", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        cameras = Cameras(process)
        await cameras.listen("in", "out")
        yield cameras
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0


@pytest.fixture
async def cameras() -> AsyncIterator[Cameras]:
    async with started() as cameras:
        yield cameras


@contextlib.asynccontextmanager
async def opened(settings: RtspSettings, name: str = "in") -> AsyncIterator[Camera]:
    camera = open_camera(name, settings)
    yield camera
    await camera.close()


@pytest.fixture(autouse=True)
def no_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no fault of the stream."""
    monkeypatch.setattr(source, "OPEN_MS", round(PATIENCE_S * 1000))
    monkeypatch.setattr(source, "READ_MS", round(PATIENCE_S * 1000))
    monkeypatch.setattr(stream, "_OPENING_S", PATIENCE_S)


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


async def test_a_frame_of_h264_came_after_the_call_began(cameras: Cameras) -> None:
    async with opened(cameras.settings("in")) as camera:
        numbers = []
        for _ in range(3):
            before = monotonic()
            frame = await camera.frame()
            assert frame.at >= before
            assert frame.pixels.shape == (180, 320, 3)
            numbers.append(number_in(frame.pixels))
        assert numbers == sorted(set(numbers))


async def test_the_newest_frame_wins_after_no_one_has_asked_for_a_while(cameras: Cameras) -> None:
    async with opened(cameras.settings("in")) as camera:
        await camera.frame()
        newest = await cameras.taken("in") + MISSED
        while await cameras.taken("in") < newest:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.05)
        for _ in range(MISSED // 2):
            frame = await camera.frame()
        assert number_in(frame.pixels) >= newest


async def test_a_stream_does_not_begin_with_old_pictures() -> None:
    """A busy machine may be as far behind once, but not each time."""
    behind = STALE
    async with (
        started("--rate=4") as cameras,
        opened(cameras.settings("in"), "viewer") as viewer,
        asyncio.timeout(PATIENCE_S),
    ):
        await viewer.frame()
        while behind >= STALE:
            async with opened(cameras.settings("in")) as camera:
                first = await camera.frame()
                behind = await cameras.taken("in") - number_in(first.pixels)


@pytest.mark.parametrize(("word", "right"), [("s:e@same", True), ("wrong", False)])
async def test_digest_opens_with_the_password_of_the_file(
    tmp_path: Path, word: str, right: bool
) -> None:
    (tmp_path / "password").write_text(f"{word}\n", encoding="utf-8")
    async with started(*SECRET) as cameras:
        settings = cameras.settings("in", username="gate", password_file=tmp_path / "password")
        async with opened(settings) as camera:
            if right:
                assert (await camera.frame()).number == 1
            else:
                with pytest.raises(CameraError, match="password"):
                    await camera.frame()


async def test_a_server_that_is_killed_is_an_error_and_its_return_is_seen(
    cameras: Cameras,
) -> None:
    async with opened(cameras.settings("in")) as camera:
        first = await camera.frame()
        await cameras.tell("fault in dead")
        assert "the stream ended" in await failure(camera)
        assert "it cannot be opened" in await failure(camera)
        await cameras.tell("fault in none")
        frame = await eventually(camera.frame)
        assert number_in(frame.pixels) > number_in(first.pixels)


async def test_a_server_that_is_frozen_is_left_behind_and_opened_again(cameras: Cameras) -> None:
    async with opened(cameras.failing("in")) as camera:
        await eventually(camera.frame)
        await cameras.tell("fault in hang")
        before = await cameras.taken("in")
        with capture_logs() as logs:
            while not logs:
                assert "no picture within 0.5 s" in await failure(camera)
        assert logs[0]["event"] == "camera.left_behind"
        await cameras.tell("fault in none")
        assert number_in((await eventually(camera.frame)).pixels) > before


async def test_a_picture_that_the_decoder_held_while_its_server_was_frozen_is_not_given_out(
    cameras: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "READ_MS", HELD_MS)
    async with opened(cameras.settings("in")) as camera:
        at = (await camera.frame()).at
        await cameras.tell("fault in hang")
        frozen_at = monotonic()
        with contextlib.suppress(CameraError):
            while True:
                at = (await camera.frame()).at
        assert at - frozen_at < HELD_MS / 1000


async def test_a_password_that_was_changed_is_an_error_until_it_is_right_again(
    cameras: Cameras,
) -> None:
    async with opened(cameras.settings("in")) as camera:
        await camera.frame()
        await cameras.tell("fault in 401")
        while "password" not in await failure(camera):
            pass
        await cameras.tell("fault in none")
        await eventually(camera.frame)


@pytest.mark.parametrize("fault", ["hang", "dead"])
async def test_another_lane_goes_on_while_a_server_fails(cameras: Cameras, fault: str) -> None:
    async with (
        opened(cameras.failing("in")) as failing,
        opened(cameras.settings("out"), "out") as healthy,
    ):
        await eventually(failing.frame)
        await healthy.frame()
        await cameras.tell(f"fault in {fault}")
        await failure(failing)
        hang = asyncio.create_task(failure(failing))
        numbers = [number_in((await healthy.frame()).pixels) for _ in range(5)]
        assert numbers == sorted(set(numbers))
        await hang


class Blind:
    """A reader that finds no plate."""

    async def read(self, frame: Frame) -> tuple[PlateRead, ...]:
        return ()


class Quiet:
    """Loops over which nothing drives, and a journal in which nothing is written."""

    def watch(self, tell: object) -> None:
        return


@dataclass
class FewRooms:
    """What a lane at which nothing happens needs."""

    health: Health
    reader: Blind = field(default_factory=Blind)
    journal: Quiet = field(default_factory=Quiet)
    clock: SystemClock = field(default_factory=SystemClock)
    texts: Texts = field(default_factory=Texts)


def lane_of(name: str, camera: Camera, health: Health) -> Lane:
    return Lane(
        LANE.model_copy(update={"name": name}),
        POLICY,
        kerb=Kerb(camera=camera, barrier=cast("Any", None), loops=Quiet()),
        rooms=cast("Rooms", FewRooms(health)),
        timing=Timing(),
        store_failure_admits=False,
    )


async def test_a_stale_stream_is_an_alarm_of_its_lane_alone_until_it_is_back(
    cameras: Cameras,
) -> None:
    health = Health(SystemClock())
    news: asyncio.Queue[AlarmRaised | AlarmCleared] = asyncio.Queue()
    async with (
        opened(cameras.failing("in")) as failing,
        opened(cameras.settings("out"), "out") as healthy,
    ):
        await eventually(failing.frame)
        await healthy.frame()
        health.watch(news.put_nowait)
        lanes = [
            asyncio.create_task(lane_of(lane, camera, health).run())
            for lane, camera in (("entry", failing), ("exit", healthy))
        ]
        async with asyncio.timeout(PATIENCE_S):
            await cameras.tell("fault in hang")
            raised = await news.get()
            await cameras.tell("fault in none")
            cleared = await news.get()
        assert isinstance(raised, AlarmRaised)
        assert isinstance(cleared, AlarmCleared)
        assert {(told.alarm, told.subject) for told in (raised, cleared)} == {
            ("camera_stale", "entry")
        }
        for running in lanes:
            running.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_row_53_a_stream_with_rare_key_frames_gives_a_picture_at_the_first_of_them(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second viewer comes in the middle, between two key frames that are 4 s apart."""
    opened_with: list[float] = []

    class Counted(stream.Capture):
        def __init__(self, name: str, source: Any, view: ViewSettings, patience_s: float) -> None:
            opened_with.append(patience_s)
            super().__init__(name, source, view, patience_s)

    monkeypatch.setattr(source, "READ_MS", 2000)
    async with (
        started(f"--codec={codec}", "--keys=4") as cameras,
        opened(cameras.settings("in"), "viewer") as viewer,
        asyncio.timeout(2 * PATIENCE_S),
    ):
        await viewer.frame()
        monkeypatch.setattr(stream, "Capture", Counted)
        settings = cameras.settings("in").model_copy(update={"timeout_ms": 2000})
        async with opened(settings) as camera:
            frame = await eventually(camera.frame)
            assert frame.pixels.shape == (180, 320, 3)
            assert (await camera.frame()).number == 2
    assert opened_with == [intervals.KEY_S], "it was opened once, and waited for"
