"""Cameras against an HTTP server with faults, in this process, and against folders."""

import asyncio
import contextlib
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gatekeeper.clock import monotonic
from gatekeeper.config import FolderSettings, MjpegSettings, RtspSettings, SnapshotSettings
from gatekeeper.drivers import answer as answers
from gatekeeper.drivers.camera import open_camera
from gatekeeper.drivers.login import login_of
from gatekeeper.drivers.picture import decode_jpeg
from gatekeeper.drivers.ports import Camera
from gatekeeper.errors import CameraError, PictureError
from simulators.digest import Digest

PATIENCE_MS = 30_000
FAILING_MS = 300
"""The limit of a camera that is to fail; until then it may do so before its time."""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def picture(grey: int, suffix: str = ".jpg") -> bytes:
    pixels = np.full((36, 64, 3), grey, np.uint8)
    return bytes(cv2.imencode(suffix, pixels)[1])


def greys() -> Iterator[bytes]:
    yield from (picture(grey) for grey in range(10, 250, 10))


@dataclass
class Site:
    """A web server in place of a camera; `answer` is what it does with a request."""

    answer: Answer
    port: int = 0
    asked_at: list[float] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked_at.append(monotonic())
        return await self.answer(request)

    def settings(self, **more: Any) -> SnapshotSettings:
        """Without a `timeout_ms`, one beyond what may be set: a busy machine is no fault."""
        patience = {"timeout_ms": more.get("timeout_ms", PATIENCE_MS)}
        url = more.pop("url", f"http://127.0.0.1:{self.port}/picture?channel=1&pwd=hidden")
        settings = SnapshotSettings(kind="snapshot", url=url, **more)
        return settings.model_copy(update=patience)


def gives(body: bytes, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status)

    return answer


def gives_each(bodies: Iterator[bytes]) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=next(bodies))

    return answer


async def hangs(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise web.HTTPGone


def late(answer: Answer, after_s: float) -> Answer:
    async def answers(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(after_s)
        return await answer(request)

    return answers


async def breaks_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "5000"})
    await response.prepare(request)
    await response.write(picture(90)[:100])
    assert request.transport is not None
    request.transport.close()
    return response


async def never_ends(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"\xff\xd8" + bytes(60_000))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site(gives_each(greys()))
    app = web.Application()
    app.router.add_get("/{path:.*}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.port = runner.addresses[0][1]
    yield site
    await runner.cleanup()


@pytest.fixture
async def camera(site: Site) -> AsyncIterator[Camera]:
    camera = open_camera("entry", site.settings())
    yield camera
    await camera.close()


@pytest.fixture
async def failing(site: Site) -> AsyncIterator[Camera]:
    camera = open_camera("entry", site.settings(timeout_ms=FAILING_MS))
    yield camera
    await camera.close()


async def said_by(camera: Camera) -> str:
    """What it says if it fails."""
    try:
        await camera.frame()
    except CameraError as error:
        return str(error)
    return ""


async def test_a_frame_is_a_picture_asked_for_after_the_call_began(
    site: Site, camera: Camera
) -> None:
    before = monotonic()
    frame = await camera.frame()
    assert before <= frame.at <= site.asked_at[0]
    assert (frame.camera, frame.number, frame.suffix) == ("entry", 1, ".jpg")
    assert frame.encoded == picture(10)
    assert frame.pixels.shape == (36, 64, 3)
    assert frame.pixels.dtype == np.dtype(np.uint8)


async def test_frames_are_numbered_upwards_and_failures_have_no_number(
    site: Site, camera: Camera
) -> None:
    pictures = site.answer
    assert (await camera.frame()).number == 1
    site.answer = gives(b"")
    with pytest.raises(CameraError):
        await camera.frame()
    site.answer = pictures
    assert (await camera.frame()).number == 2


async def test_the_same_picture_once_more_is_no_new_frame(site: Site, camera: Camera) -> None:
    site.answer = gives_each(iter([picture(10), picture(10), picture(10), picture(20)]))
    assert (await camera.frame()).encoded == picture(10)
    second = await camera.frame()
    assert (second.encoded, second.number) == (picture(20), 2)
    assert site.asked_at[2] <= second.at <= site.asked_at[3]


async def test_a_frozen_camera_is_an_error_that_says_so(site: Site, failing: Camera) -> None:
    site.answer = gives(picture(10))
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while "same picture again and again" not in await said_by(failing):
            pass


async def test_a_camera_that_never_answers_is_an_error_after_its_time_limit(
    site: Site, failing: Camera
) -> None:
    site.answer = hangs
    with pytest.raises(CameraError, match=r"no new picture within 0.3 s.*cable"):
        await failing.frame()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (gives(b"", 401), "401.*password"),
        (gives(b"", 404), "404.*url"),
        (gives(b"", 302), "302.*url"),
        (gives(b"", 503), "503.*busy"),
        (gives(b""), "no picture.*url"),
        (gives(b"<html>Please log in</html>"), "no picture.*<html>"),
        (gives(bytes(range(256)) * 9), "no picture"),
        (gives(picture(90, ".png")), "no JPEG picture"),
        (gives(picture(90)[:-20]), "breaks off"),
        (gives(picture(90)[:100]), "breaks off"),
        (breaks_off, "breaks off.*cut it off"),
    ],
    ids=[
        "401",
        "404",
        "302",
        "503",
        "empty",
        "html",
        "noise",
        "png",
        "cut",
        "header",
        "broken-off",
    ],
)
async def test_what_is_no_picture_is_an_error_with_advice(
    site: Site, camera: Camera, answer: Answer, says: str
) -> None:
    site.answer = answer
    with pytest.raises(CameraError, match=f"(?s)camera entry at http.*{says}") as caught:
        await camera.frame()
    assert "hidden" not in str(caught.value)


async def test_a_slow_camera_gives_its_picture_and_one_slower_than_the_limit_is_an_error(
    site: Site, camera: Camera, failing: Camera
) -> None:
    site.answer = late(site.answer, 2 * FAILING_MS / 1000)
    before = monotonic()
    frame = await camera.frame()
    assert before <= frame.at <= site.asked_at[0]
    with pytest.raises(CameraError, match=r"no new picture within 0.3 s"):
        await failing.frame()


async def test_a_camera_that_is_not_there_is_an_error() -> None:
    settings = SnapshotSettings(kind="snapshot", url="http://who:secret@127.0.0.1:1/x")
    camera = open_camera("entry", settings)
    with pytest.raises(CameraError, match="request failed") as caught:
        await camera.frame()
    assert "secret" not in str(caught.value)
    await camera.close()


async def test_an_answer_without_end_is_given_up(
    site: Site, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_BYTES", 100_000)
    site.answer = never_ends
    with pytest.raises(CameraError, match="more than 100000 bytes"):
        await camera.frame()


async def test_pictures_are_decoded_outside_the_loop_in_the_cameras_own_thread(
    camera: Camera,
) -> None:
    await camera.frame()
    await camera.frame()
    assert [t.name for t in threading.enumerate() if "entry" in t.name] == ["camera entry_0"]


@dataclass
class Guarded:
    """Lets in who knows the password, and counts how often it asked for it."""

    answer: Answer = field(default_factory=lambda: gives_each(greys()))
    digest: Digest = field(default_factory=lambda: Digest("admin", "sesame"))
    challenges: int = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if self.digest.accepts(request.method, request.rel_url.raw_path_qs, given):
            return await self.answer(request)
        self.challenges += 1
        challenge = self.digest.challenge(given)
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})


@pytest.fixture
async def guarded(site: Site) -> Guarded:
    site.answer = guarded = Guarded()
    return guarded


@contextlib.asynccontextmanager
async def known(
    site: Site, folder: Path, word: str = "sesame", **more: Any
) -> AsyncIterator[Camera]:
    """A camera that gives this password."""
    (folder / "password").write_text(f"{word}\n", encoding="utf-8")
    settings = site.settings(username="admin", password_file=folder / "password", **more)
    camera = open_camera("entry", settings)
    yield camera
    await camera.close()


PATHS = {
    "Hikvision": "/ISAPI/Streaming/channels/101/picture",
    "Dahua": "/cgi-bin/snapshot.cgi?channel=1",
}


@pytest.mark.parametrize("make", PATHS)
async def test_digest_opens_the_snapshots_of_the_common_makes(
    site: Site, guarded: Guarded, tmp_path: Path, make: str
) -> None:
    url = f"http://127.0.0.1:{site.port}{PATHS[make]}"
    async with known(site, tmp_path, url=url) as camera:
        assert (await camera.frame()).encoded == picture(10)


async def test_a_wrong_password_is_an_error_that_says_so(
    site: Site, guarded: Guarded, tmp_path: Path
) -> None:
    async with known(site, tmp_path, "wrong") as camera:
        with pytest.raises(CameraError, match=r"401.*password"):
            await camera.frame()


async def test_a_nonce_is_used_again_until_it_is_stale(
    site: Site, guarded: Guarded, tmp_path: Path
) -> None:
    async with known(site, tmp_path) as camera:
        for _ in range(3):
            await camera.frame()
        assert guarded.challenges == 1
        guarded.digest.expire()
        assert (await camera.frame()).encoded == picture(40)
        assert guarded.challenges == 2


async def test_a_picture_that_breaks_off_behind_a_password_is_an_error(
    site: Site, guarded: Guarded, tmp_path: Path
) -> None:
    async with known(site, tmp_path) as camera:
        guarded.answer = gives(picture(90)[:-20])
        with pytest.raises(CameraError, match="breaks off"):
            await camera.frame()


@pytest.mark.parametrize("challenge", ["Digest", "Digest realm=x", 'Digest nonce="", realm=""'])
async def test_a_nonsensical_challenge_is_an_error(
    site: Site, tmp_path: Path, challenge: str
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    (tmp_path / "password").write_text("sesame", encoding="utf-8")
    site.answer = answer
    settings = site.settings(username="admin", password_file=tmp_path / "password")
    camera = open_camera("entry", settings)
    with pytest.raises(CameraError):
        await camera.frame()
    await camera.close()


SPOILT: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "cannot be read: No such file.*write the password into it"),
    "empty": (b" \r\n", "is empty; write the password into it"),
    "UTF-16": ("sesame".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    "GBK": ("芝麻sesame".encode("gbk"), "is not UTF-8; save it as UTF-8"),
    "two lines": (b"admin\nsesame\n", "more than one line of text"),
    "a picture": (picture(90) * 9, "is not UTF-8"),
    "without end": (b"sesame" * 1000, "more than one line of text"),
}
"""Password files that cannot be used, and what is said of them."""


@pytest.mark.parametrize("kind", ["snapshot", "rtsp", "mjpeg"])
@pytest.mark.parametrize("spoilt", SPOILT)
async def test_row_34_a_camera_whose_password_cannot_be_read_is_built_and_says_so_when_asked(
    tmp_path: Path, spoilt: str, kind: str
) -> None:
    content, says = SPOILT[spoilt]
    file = tmp_path / "camera.password"
    if content is not None:
        file.write_bytes(content)
    camera = open_camera("entry", camera_of(kind, file))
    with pytest.raises(CameraError, match=rf"camera entry at .*camera\.password.*{says}") as caught:
        await camera.frame()
    await camera.close()
    said = "".join(traceback.format_exception(caught.value))
    assert "sesame" not in said
    assert "cable" not in said, "it is no cable"


def camera_of(kind: str, password_file: Path) -> SnapshotSettings | RtspSettings | MjpegSettings:
    """A camera of a port where nothing listens: its password is read before it is called."""
    told: dict[str, Any] = {"username": "admin", "password_file": password_file}
    match kind:
        case "snapshot":
            return SnapshotSettings(kind="snapshot", url="http://127.0.0.1:1/x", **told)
        case "rtsp":
            return RtspSettings(kind="rtsp", url="rtsp://127.0.0.1:1/x", **told)
        case _:
            return MjpegSettings(kind="mjpeg", url="http://127.0.0.1:1/x", **told)


async def test_row_34_a_password_file_that_is_mended_is_read_at_the_next_picture(
    site: Site, guarded: Guarded, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    camera = open_camera("entry", site.settings(username="admin", password_file=file))
    for wrong, says in ((None, "cannot be read"), (b"wrong", "401"), (b"", "empty")):
        if wrong is not None:
            file.write_bytes(wrong)
        with pytest.raises(CameraError, match=says):
            await camera.frame()
    file.write_bytes("\ufeffsesame\r\n".encode())
    assert (await camera.frame()).encoded == picture(10)
    await camera.close()


def test_a_login_does_not_show_its_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("sesame", encoding="utf-8")
    login = login_of(camera_of("rtsp", tmp_path / "password"))
    assert login is not None
    assert login.password == "sesame"
    assert "sesame" not in f"{login} {login!r}"


@given(cut=st.integers(0, 700), noise=st.binary(max_size=6), at=st.integers(0, 700))
def test_damaged_jpegs_raise_nothing_but_picture_error(cut: int, noise: bytes, at: int) -> None:
    whole = picture(90)
    damaged = whole[:at] + noise + whole[at + len(noise) : cut or None]
    with contextlib.suppress(PictureError):
        assert decode_jpeg(damaged).ndim == 3


def test_a_header_that_claims_a_monstrous_size_is_not_believed() -> None:
    whole = bytearray(picture(90))
    size = whole.index(b"\xff\xc0") + 5
    whole[size : size + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(PictureError, match="65535 x 65535"):
        decode_jpeg(bytes(whole))


def folder_of(path: Path, **files: bytes) -> FolderSettings:
    for name, data in files.items():
        (path / name.replace("_", ".")).write_bytes(data)
    return FolderSettings(kind="folder", path=path, interval_ms=0)


async def test_a_folder_shows_its_pictures_by_name_round_and_round(tmp_path: Path) -> None:
    settings = folder_of(tmp_path, b_png=picture(20, ".png"), a_jpg=picture(10), read_me=b"-")
    camera = open_camera("lane", settings)
    frames = [await camera.frame() for _ in range(3)]
    assert [(frame.number, frame.suffix) for frame in frames] == [
        (1, ".jpg"),
        (2, ".png"),
        (3, ".jpg"),
    ]
    assert frames[1].encoded == picture(20, ".png")
    (tmp_path / "c.jpg").write_bytes(picture(30))
    assert [(await camera.frame()).suffix for _ in range(3)] == [".png", ".jpg", ".png"]
    assert (await camera.frame()).encoded == picture(30)
    await camera.close()


async def test_unreadable_files_are_skipped_and_logged_once(tmp_path: Path) -> None:
    settings = folder_of(tmp_path, a_jpg=b"no picture", b_jpg=picture(10), c_jpg=b"")
    camera = open_camera("lane", settings)
    with capture_logs() as logs:
        frames = [await camera.frame() for _ in range(3)]
    assert {frame.encoded for frame in frames} == {picture(10)}
    assert sorted(Path(entry["path"]).name for entry in logs) == ["a.jpg", "c.jpg"]
    await camera.close()


@pytest.mark.parametrize("content", [None, {}, {"a_jpg": b"no picture"}])
async def test_a_folder_without_pictures_is_an_error(
    tmp_path: Path, content: dict[str, bytes] | None
) -> None:
    folder = tmp_path / "pictures"
    if content is not None:
        folder.mkdir()
    camera = open_camera("lane", folder_of(folder, **(content or {})))
    with pytest.raises(CameraError, match="pictures"):
        await camera.frame()
    await camera.close()
