"""Name and password of a camera, read when they are needed.

A file that cannot be used is the fault of one camera, at its first picture, and mended without a
restart. Passwords are shown in no text and in no repr.
"""

from dataclasses import dataclass, field

from gatekeeper.config import MjpegSettings, RtspSettings, SnapshotSettings, secret
from gatekeeper.errors import CameraError, ConfigError


class LoginError(CameraError):
    """The password file of a camera cannot be used; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a camera asks for before it shows anything."""

    username: str
    password: str = field(repr=False)


def login_of(settings: SnapshotSettings | MjpegSettings | RtspSettings) -> Login | None:
    """The login of a camera, None if it needs none; raises `LoginError`. May block on its disk."""
    if settings.username is None or settings.password_file is None:
        return None
    try:
        return Login(username=settings.username, password=secret(settings.password_file))
    except ConfigError as error:
        raise LoginError(str(error)) from error
