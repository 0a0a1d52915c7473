"""Cameras: HTTP snapshots, and a folder of pictures in place of one; streams are in `stream`.

Settings come in, frames go out, one for each call, each a picture taken after the call began.
Pictures are decoded in the camera's own single thread, so that one camera holds up neither the
loop nor another camera. The last picture is never given out once more as a new one.
"""

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import structlog

from gatekeeper.clock import monotonic
from gatekeeper.config import CameraSettings, FolderSettings, SnapshotSettings, without_secrets
from gatekeeper.drivers.answer import NO_PICTURE, Answer
from gatekeeper.drivers.challenge import Authorization
from gatekeeper.drivers.header import CutOffError
from gatekeeper.drivers.http import Http
from gatekeeper.drivers.login import login_of
from gatekeeper.drivers.picture import decode, decode_jpeg, jpeg_in
from gatekeeper.drivers.ports import Camera
from gatekeeper.drivers.stream import StreamCamera
from gatekeeper.drivers.tls import Trust
from gatekeeper.drivers.view import viewed
from gatekeeper.errors import CameraError, PictureError
from gatekeeper.model import Frame, Pixels

log = structlog.get_logger(__name__)

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp"))
"""The files of a folder that are pictures; others are passed over in silence."""

_SAME_AGAIN_S = 0.05
"""How soon a camera that gave the last picture once more is asked again."""

_SILENT = "check its power, cable and address"
_SLOW = (
    "it is reached, so that it is no cable: restart it, let it give a smaller picture, or raise"
    " timeout_ms"
)
_CUT_OFF = "the network or the camera cut it off: give it fewer clients or a smaller picture"
_FROZEN = "it gave the same picture again and again: restart it"
OK, UNAUTHORIZED = 200, 401
_REDIRECTS = range(300, 400)
_ADVICE = {
    UNAUTHORIZED: "check username and password file; the camera refuses them",
    400: "is that an HTTPS port? then the url begins with https; otherwise check the url",
    403: "give this user the right to take snapshots; too many wrong passwords lock some cameras",
    503: "it is busy: give it fewer clients or a smaller picture",
}


def open_camera(name: str, settings: CameraSettings) -> Camera:
    """The camera that the settings tell of; to be called within the running loop.

    Whether it can be reached, and its password file be read, is seen at its first frame.
    """
    if isinstance(settings, FolderSettings):
        return FolderCamera(name, settings)
    if isinstance(settings, SnapshotSettings):
        return SnapshotCamera(name, settings)
    return StreamCamera(name, settings)


class SnapshotCamera:
    """A camera that answers each GET with one JPEG.

    One that is asked faster than it takes pictures, or whose encoder has stopped, gives the same
    bytes once more. That is no new picture, and three reads of it are no three witnesses: it is
    asked again until it has a new one, or the time limit ends.
    """

    def __init__(self, name: str, settings: SnapshotSettings) -> None:
        self._name = name
        self._settings = settings
        self._url = settings.url
        self._limit_s = settings.timeout_ms / 1000
        trust = Trust(ca=settings.ca, fingerprint=settings.fingerprint)
        self._http = Http(settings.url, trust)
        self._authorization: Authorization | None = None
        self._secrets: tuple[str, ...] = ()
        self._decoder = _thread(name)
        self._number = 0
        self._last: bytes | None = None
        self._repeats = 0

    @property
    def name(self) -> str:
        """Which camera, as alarms and events call it."""
        return self._name

    async def frame(self) -> Frame:
        """A picture asked for after this call began, stamped with the moment it was asked for.

        Raises `CameraError` at the latest when `timeout_ms` have passed.
        """
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._frame()
        except TimeoutError as error:
            advice = _SLOW if self._http.reached else _SILENT
            advice = _FROZEN if self._repeats else advice
            raise self._error(f"no new picture within {self._limit_s:.1f} s", advice) from error
        except CameraError as error:
            told = f"camera {self._name} at {self._settings.place}: {error}"
            raise CameraError(self._masked(told)) from error
        except PictureError as error:
            advice = _CUT_OFF if isinstance(error, CutOffError) else NO_PICTURE
            raise self._error(f"what it sent is no picture: {error}", advice) from error

    async def close(self) -> None:
        """Let go of the connection and of the thread."""
        self._http.close()
        self._decoder.shutdown(wait=False, cancel_futures=True)

    async def _frame(self) -> Frame:
        at, encoded = await self._new_picture()
        loop = asyncio.get_running_loop()
        pixels = await loop.run_in_executor(self._decoder, self._decode, encoded)
        self._last = encoded
        self._number += 1
        return Frame(
            camera=self._name,
            number=self._number,
            at=at,
            pixels=pixels,
            encoded=encoded,
            suffix=".jpg",
        )

    def _decode(self, encoded: bytes) -> Pixels:
        return viewed(decode_jpeg(encoded), self._settings)

    async def _new_picture(self) -> tuple[float, bytes]:
        self._repeats = 0
        while True:
            at = monotonic()
            encoded = await self._get()
            if encoded != self._last:
                return at, encoded
            self._repeats += 1
            await asyncio.sleep(_SAME_AGAIN_S)

    async def _get(self) -> bytes:
        answer = await self._asked()
        if answer.status != OK:
            raise CameraError(_refusal(answer, self._url))
        return jpeg_in(answer.body) or answer.body

    async def _asked(self) -> Answer:
        """The answer to one request, put again with the password where it is asked for."""
        authorization = await self._authorized()
        answer = await self._http.get(authorization.header(self._http.target))
        if answer.status == UNAUTHORIZED:
            self._authorization = None  # unless it lets us in, the password is read again
            try:
                authorization.challenged(answer.every("www-authenticate"))
            except CameraError as error:
                raise CameraError(f"it answered {answer.status}: {error}") from error
            answer = await self._http.get(authorization.header(self._http.target))
        if answer.status != UNAUTHORIZED:
            self._authorization = authorization
        return answer

    async def _authorized(self) -> Authorization:
        """With the password as it stands in its file when it is needed."""
        if self._authorization is not None:
            return self._authorization
        loop = asyncio.get_running_loop()
        login = await loop.run_in_executor(self._decoder, login_of, self._settings)
        is_private = self._url.startswith("https")  # its certificate has been checked by then
        authorization = Authorization(login, basic=self._settings.basic or is_private)
        self._secrets = authorization.secrets
        return authorization

    def _masked(self, told: str) -> str:
        """Some cameras give back what they were told."""
        for secret in (urlsplit(self._url).query, *self._secrets):
            told = told.replace(secret, "***") if secret else told
        return told

    def _error(self, what: str, advice: str) -> CameraError:
        told = f"camera {self._name} at {self._settings.place}: {what}; {advice}"
        return CameraError(self._masked(told))


class FolderCamera:
    """The pictures of a folder in the order of their names, round and round, one each
    `interval_ms`; each round lists the folder again.
    """

    def __init__(self, name: str, settings: FolderSettings) -> None:
        self._name = name
        self._settings = settings
        self._folder = settings.path
        self._interval_s = settings.interval_ms / 1000
        self._reader = _thread(name)
        self._round: deque[Path] = deque()
        self._skipped: set[Path] = set()
        self._number = 0
        self._due = 0.0

    @property
    def name(self) -> str:
        """Which camera, as alarms and events call it."""
        return self._name

    async def frame(self) -> Frame:
        """The next picture, when its turn has come; raises `CameraError` if there is none."""
        await asyncio.sleep(max(0.0, self._due - monotonic()))
        at = monotonic()
        self._due = at + self._interval_s
        loop = asyncio.get_running_loop()
        path, encoded, pixels = await loop.run_in_executor(self._reader, self._next)
        self._number += 1
        return Frame(
            camera=self._name,
            number=self._number,
            at=at,
            pixels=pixels,
            encoded=encoded,
            suffix=path.suffix.lower(),
        )

    async def close(self) -> None:
        """Let go of the thread."""
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _next(self) -> tuple[Path, bytes, Pixels]:
        """The next picture that can be read, in this round or the one after it."""
        picture = self._readable()
        if picture is None:
            self._round = deque(self._listed())
            picture = self._readable()
        if picture is None:
            raise CameraError(f"camera {self._name}: {self._folder} holds no picture to show")
        return picture

    def _readable(self) -> tuple[Path, bytes, Pixels] | None:
        while self._round:
            path = self._round.popleft()
            try:
                encoded = path.read_bytes()
                return path, encoded, viewed(decode(encoded), self._settings)
            except (OSError, PictureError) as error:
                self._skip(path, error)
        return None

    def _skip(self, path: Path, error: Exception) -> None:
        if path not in self._skipped:
            self._skipped.add(path)
            log.warning("camera.skips", camera=self._name, path=str(path), error=str(error))

    def _listed(self) -> list[Path]:
        try:
            return sorted(
                path for path in self._folder.iterdir() if path.suffix.lower() in SUFFIXES
            )
        except OSError as error:
            raise CameraError(
                f"camera {self._name}: folder {self._folder} cannot be read: {error.strerror}"
            ) from error


def _thread(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"camera {name}")


def _refusal(answer: Answer, url: str) -> str:
    """What a camera answered in place of a picture, and what to do about it."""
    said = f"it answered {answer.status} {answer.reason}".rstrip()
    targets = answer.every("location")
    if answer.status in _REDIRECTS and targets:
        target = without_secrets(urljoin(url, targets[0]))
        return f"{said}, and points to {target}: if that is the camera's own, make it the url"
    return f"{said}; {_ADVICE.get(answer.status, NO_PICTURE)}"
