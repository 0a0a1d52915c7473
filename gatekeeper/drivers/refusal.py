"""Why a stream cannot be opened: OpenCV says no more than that. The same server is asked once more,
by one request without a password. Blocks for two seconds at most.
"""

import re
import socket
from urllib.parse import SplitResult, urlsplit

from gatekeeper.drivers.http import advice
from gatekeeper.errors import CameraError

_PATIENCE_S = 1.0

_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""Where none is told (RFC 7826, 4.2; RFC 9110, 4.2)."""

_STATUS = re.compile(rb"(?:RTSP|HTTP)/\d\.\d (\d{3})")

_CURES = {
    401: "check username and password file, or give them; then the path of its url",
    403: "give this user the right to see the stream",
    404: "check the path of its url",
    453: "it has too many clients: give it fewer, or restart it",
    503: "it is busy: give it fewer clients, or restart it",
}


class RefusedError(CameraError):
    """A stream cannot be opened; the text says what to do."""


def refusal(url: str) -> RefusedError:
    """What keeps the stream at this address from being opened."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        with socket.create_connection((host, port), _PATIENCE_S) as wire:
            wire.settimeout(_PATIENCE_S)
            status = _asked(wire, parts)
    except OSError as error:
        said = error.strerror or type(error).__name__
        return RefusedError(f"it cannot be opened ({said}); {advice(error)}")
    if status is None:
        return RefusedError(
            "it cannot be opened, but is reached, so that it is no cable: check scheme, port and"
            " path of its url, and restart it"
        )
    usual = "check that it sends H.264, H.265 or MJPEG"
    cure = _CURES.get(status, usual if status < 300 else "check its url")
    return RefusedError(f"it cannot be opened (it answered {status}); {cure}")


def _asked(wire: socket.socket, parts: SplitResult) -> int | None:
    """The status of its answer, None where there is none that can be read."""
    if parts.scheme in ("rtsps", "https"):
        return None
    host = parts.netloc.rpartition("@")[2]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = f"GET {target} HTTP/1.0\r\nHost: {host}\r\n\r\n"
    if parts.scheme == "rtsp":
        request = f"DESCRIBE rtsp://{host}{target} RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    try:
        wire.sendall(request.encode())
        found = _STATUS.match(wire.recv(256))
    except OSError:
        return None
    return None if found is None else int(found[1])
