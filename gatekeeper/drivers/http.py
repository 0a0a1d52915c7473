"""GET from a camera: one connection, one request at a time.

A connection whose answer did not end as its headers said is not used again (`answer`). What goes
wrong is a `CameraError` that says what it is, and what to do about it.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from urllib.parse import quote, urlsplit

from gatekeeper.drivers.answer import Answer, Link, read_answer
from gatekeeper.drivers.tls import Trust, seen_fingerprint, untrusted
from gatekeeper.errors import CameraError

_LONGEST_LINE = 65_536


_SAFE = "/%:@!$&'()*+,;=~-._?"
"""What may stand in a path and a query as it is, escapes among it."""

_SILENT = "check its power, cable and address"
_BUSY = "restart it, or give it fewer clients"


class _ClosedError(Exception):
    """A connection that was kept was closed before it answered; the request may be put again."""


class Http:
    """The web server of one camera."""

    def __init__(self, url: str, trust: Trust) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        query = f"?{quote(parts.query, _SAFE)}" if parts.query else ""
        self.target = (quote(parts.path, _SAFE) or "/") + query
        self._trust = trust
        self._context: ssl.SSLContext | None = None
        self._link: Link | None = None
        self.reached = False

    async def get(self, authorization: str | None) -> Answer:
        """The answer to one request; raises `CameraError`. The caller limits its time; `reached`
        says then whether a connection was made meanwhile.
        """
        self.reached = False
        try:
            with suppress(_ClosedError):
                return await self._get(authorization)
            return await self._get(authorization)
        except ssl.SSLCertVerificationError as error:
            seen = await seen_fingerprint(self._host, self._port)
            raise CameraError(untrusted(error, seen)) from error
        except (OSError, ValueError) as error:  # ValueError: a line without end
            raise CameraError(f"the request failed ({_words(error)}); {advice(error)}") from error

    def close(self) -> None:
        """Let go of the connection; whether the camera takes note is not waited for."""
        self._drop()

    async def _get(self, authorization: str | None) -> Answer:
        link = await self._connected()
        link.clean = False
        try:
            link.writer.write(self._request(authorization))
            await link.writer.drain()
            return await read_answer(link)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if link.used:
                raise _ClosedError from error
            raise CameraError(f"it closed the connection unasked; {_BUSY}") from error
        finally:
            link.used = True
            if not link.clean:
                self._drop()

    async def _connected(self) -> Link:
        if self._link is None:
            if self._tls and self._context is None:
                self._context = await asyncio.to_thread(self._trust.context)
            self._link = await self._opened()
        return self._link

    async def _opened(self) -> Link:
        try:
            reader, writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._context, limit=_LONGEST_LINE
            )
        except ssl.SSLError:
            self._context = None  # its files are read again
            raise
        self.reached = True
        try:
            self._trust.check(writer.get_extra_info("ssl_object"))
        except CameraError:
            writer.transport.abort()
            raise
        return Link(reader=reader, writer=writer)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.writer.transport.abort()

    def _request(self, authorization: str | None) -> bytes:
        host = f"[{self._host}]" if ":" in self._host else self._host
        usual = self._port == (443 if self._tls else 80)
        lines = [
            f"GET {self.target} HTTP/1.1",
            f"Host: {host if usual else f'{host}:{self._port}'}",
            "User-Agent: gatekeeper",
            "Accept: image/jpeg, */*",
        ]
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        return "\r\n".join((*lines, "", "")).encode()


def _words(error: Exception) -> str:
    """Some errors say nothing but their name."""
    said = getattr(error, "strerror", None) or str(error)
    return said if said else type(error).__name__


def advice(error: Exception) -> str:
    """What to look at when a connection fails so."""
    match error:
        case socket.gaierror():
            return "check the name in its url, or give its IP address"
        case ConnectionRefusedError():
            return "nothing listens there: check the port, and that its web server is switched on"
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER" | "HTTP_REQUEST"):
            return "it does not speak TLS there: use http, or its HTTPS port"
        case ssl.SSLError():
            return "its TLS is of another age: update its firmware, or use http in a closed network"
        case ConnectionError() | ValueError():
            return _BUSY
        case _:
            return _SILENT
