"""Whether the certificate that a camera shows is its own.

Cameras come with certificates that no authority has signed. So a camera's own authority can be
named (`ca`), or the certificate itself pinned (`fingerprint`: then neither name nor date count,
which cameras have wrong).
"""

import asyncio
import hashlib
import hmac
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.config import pem
from gatekeeper.errors import CameraError, ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a certificate has to fit; without either, the authorities of the operating system.

    `fingerprint` is SHA-256 of the certificate, 64 hexadecimal digits in lower case.
    """

    ca: Path | None = None
    fingerprint: str | None = None

    def context(self) -> ssl.SSLContext:
        """For the next connection; raises `CameraError` if `ca` cannot be used. Reads files."""
        if self.fingerprint is not None:
            return _unchecked()
        try:
            data = None if self.ca is None else pem(self.ca, "ca")
            return ssl.create_default_context(cadata=data)
        except (ConfigError, ssl.SSLError) as error:
            why = error.reason if isinstance(error, ssl.SSLError) else error
            raise CameraError(
                f"{self.ca}: cannot be used as ca ({why}); put the camera's certificate, or that of"
                " its authority, there as PEM"
            ) from error

    def check(self, connection: ssl.SSLObject | None) -> None:
        """Before anything is sent; raises `CameraError` for another certificate than the pinned."""
        if self.fingerprint is None or connection is None:
            return
        seen = _fingerprint(connection)
        if not hmac.compare_digest(seen, self.fingerprint):
            raise CameraError(
                f"its certificate is another one than the pinned: fingerprint {seen}; if it has a"
                " new one, pin that, and otherwise find out who answers in its place"
            )


def untrusted(error: ssl.SSLCertVerificationError, seen: str | None) -> str:
    """What is wrong with a certificate, and how to trust it."""
    pin = "its SHA-256 fingerprint" if seen is None else f'"{seen}"'
    cure = _CURES.get(error.verify_code, "name its authority by ca")
    return (
        f"its certificate is not trusted ({error.verify_message}); {cure}, or"
        f" pin it, if it is the camera's own: fingerprint = {pin}"
    )


_ANOTHER_NAME = "give the url the name or address that stands in it"

_CURES = {
    9: "it is not valid yet: set the clocks of camera and controller",
    10: "it has ended: renew it in the camera",
    62: _ANOTHER_NAME,
    64: _ANOTHER_NAME,
}
"""By OpenSSL's code of the refusal (x509_vfy.h)."""


async def seen_fingerprint(host: str, port: int) -> str | None:
    """The fingerprint of the certificate that is shown there, for a person to compare."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection(host, port, ssl=_unchecked())
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        writer.transport.abort()
        return _fingerprint(connection)
    return None


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _fingerprint(connection: ssl.SSLObject) -> str:
    return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
