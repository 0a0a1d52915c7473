"""Cameras: where their pictures come from, and what is read of them."""

import re
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from gatekeeper.config.settings import File, Settings

_ROUNDING = 1e-9
"""0.1 + 0.9 may be a little more than 1."""


def _inside(area: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x, y, w, h = area
    if x + w > 1 + _ROUNDING or y + h > 1 + _ROUNDING:
        raise ValueError(f"[x, y, w, h] = {list(area)} lies partly outside the picture (0 to 1)")
    return area


_Start = Annotated[float, Field(ge=0, lt=1)]
_Share = Annotated[float, Field(ge=0.01, le=1)]
Area = Annotated[tuple[_Start, _Start, _Share, _Share], AfterValidator(_inside)]
"""x, y, width and height in shares of the upright picture: 0 is left and top, 1 the whole."""


_Limit = Annotated[int, Field(ge=100, le=2000)]
"""Milliseconds without a picture of a stream: two such failures are noticed within 5 s."""


def _plain_hex(text: str) -> str:
    plain = text.replace(":", "").replace(" ", "").lower()
    if re.fullmatch("[0-9a-f]{64}", plain) is None:
        raise ValueError("must be the SHA-256 of a certificate: 64 hexadecimal digits")
    return plain


Fingerprint = Annotated[str, AfterValidator(_plain_hex)]
"""SHA-256 of a certificate; colons and capitals may stand in it."""


_SHOWN = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)?(?:.*@)?([^?#]*)", re.DOTALL)


def without_secrets(url: str) -> str:
    """The address without a name, password or query, which may hold them too. A password may hold
    what ends it elsewhere, so that everything before the last @ is taken for one.
    """
    shown = _SHOWN.match(url)
    return "" if shown is None else (shown[1] or "") + shown[2]


class ViewSettings(Settings):
    """What is read of a camera's picture.

    It is turned clockwise by `rotation` degrees first; `masks`, painted black (a clock in the
    picture, the road next door), and `roi`, the region that is read, are told of the picture so
    turned. Pictures are kept as the camera sent them.
    """

    roi: Area | None = None
    masks: tuple[Area, ...] = ()
    rotation: Literal[0, 90, 180, 270] = 0

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        x, y, w, h = self.roi or (0.0, 0.0, 1.0, 1.0)
        for left, top, width, height in self.masks:
            if left <= x and top <= y and left + width >= x + w and top + height >= y + h:
                raise ValueError("a mask hides all that is read: make it smaller than roi")
        return self


class _NetworkSettings(ViewSettings):
    """A camera with an address, and perhaps a password."""

    url: str
    username: str | None = None
    password_file: File | None = None
    timeout_ms: Annotated[int, Field(ge=100, le=10_000)] = 2000

    _schemes: ClassVar[tuple[str, ...]] = ("http", "https")

    @model_validator(mode="after")
    def _url_has_its_scheme(self) -> Self:
        if not _is_address(self.url, self._schemes):
            words = " or ".join(self._schemes)
            raise ValueError(
                f'url must be an {words} address, not "{without_secrets(self.url)}"; name and'
                " password stand in username and password_file"
            )
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file go together")
        return self

    @property
    def place(self) -> str:
        """The address as it may be shown to anyone."""
        return without_secrets(self.url)


def _is_address(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no port, no IPv6 address, or characters that no name has
        return False


class SnapshotSettings(_NetworkSettings):
    """A camera that gives one JPEG picture for each HTTP request.

    `basic` allows the password to be given by Basic, readable for all on the way. A certificate is
    trusted by the operating system's authorities, by `ca` (a PEM file), or by its own SHA-256
    `fingerprint`.
    """

    kind: Literal["snapshot"]
    basic: bool = False
    ca: File | None = None
    fingerprint: Fingerprint | None = None

    @model_validator(mode="after")
    def _one_trust_over_https(self) -> Self:
        told = [key for key in ("ca", "fingerprint") if getattr(self, key) is not None]
        if len(told) > 1:
            raise ValueError("give ca or fingerprint, not both")
        if told and urlsplit(self.url).scheme != "https":
            raise ValueError(f"{told[0]}: only an https url has a certificate")
        return self


class MjpegSettings(_NetworkSettings):
    """A camera that answers one HTTP request with JPEG pictures without end."""

    kind: Literal["mjpeg"]
    timeout_ms: _Limit = 2000


class RtspSettings(_NetworkSettings):
    """A camera with an RTSP stream, H.264 or H.265; it is fetched over TCP."""

    kind: Literal["rtsp"]
    timeout_ms: _Limit = 2000

    _schemes: ClassVar[tuple[str, ...]] = ("rtsp", "rtsps")


class UsbSettings(ViewSettings):
    """A camera on USB. `device` is its V4L2 index, or its path: one in `/dev/v4l/by-id/` stays the
    same when it is plugged in again.

    A camera that does not know `width` x `height` gives its nearest size.
    """

    kind: Literal["usb"]
    device: Annotated[int, Field(ge=0, le=63)] | Annotated[str, Field(pattern="^/dev/.")]
    width: Annotated[int, Field(ge=160, le=7680)] = 1280
    height: Annotated[int, Field(ge=120, le=4320)] = 720
    timeout_ms: _Limit = 2000


class VideoSettings(ViewSettings):
    """A video file, or a folder of them by name, played round and round at its own pace: for
    trying things out without a camera.
    """

    kind: Literal["video"]
    path: File
    timeout_ms: _Limit = 2000


class FolderSettings(ViewSettings):
    """A folder of pictures shown in turn by name, for trying things out without a camera."""

    kind: Literal["folder"]
    path: File
    interval_ms: Annotated[int, Field(ge=0, le=60_000)] = 200


StreamSettings = RtspSettings | MjpegSettings | UsbSettings | VideoSettings

CameraSettings = Annotated[
    SnapshotSettings | StreamSettings | FolderSettings, Field(discriminator="kind")
]
