"""The answer of a camera's web server, read from a connection: whatever the camera makes of HTTP.

Cameras send headers without a colon, lengths that are wrong or stand there twice, and bytes before
and after the picture. So the picture says where it ends, and the headers are taken as hints.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from gatekeeper.drivers.picture import begins_jpeg, jpeg_in
from gatekeeper.errors import CameraError

MOST_BYTES = 20_000_000
"""A longer answer is no snapshot."""

NO_PICTURE = "check that the url is that of its JPEG snapshot"

_MOST_HEADERS = 200
_CHUNK = 65_536
_STATUS = re.compile(rb"(?:HTTP|RTSP|ICY)[/\d. ]*\s(\d{3})\s*(.*)", re.IGNORECASE)
_OK, _FINAL = 200, 200
_EOI = b"\xff\xd9"

_GROWS = 1.1
_MORE_S = 0.2
"""What belongs to a picture that its headers have wrong comes within this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a camera answered: header names are in lower case, in the order they came."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def every(self, name: str) -> list[str]:
        """All headers of this name."""
        return [value for key, value in self.headers if key == name]

    @property
    def length(self) -> int | None:
        """How long the body is said to be; None if nothing believable is said."""
        told = {value for value in self.every("content-length") if value.isdigit()}
        return int(told.pop()) if len(told) == 1 else None

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return any("chunked" in value.lower() for value in self.every("transfer-encoding"))

    @property
    def closes(self) -> bool:
        """Whether the camera says that it closes the connection."""
        return any("close" in value.lower() for value in self.every("connection"))


@dataclass(slots=True, kw_only=True)
class Link:
    """A connection, and whether it was used before."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: bool = False
    clean: bool = False
    """Whether the next answer would begin where the last one ended."""


async def read_answer(link: Link) -> Answer:
    """The next answer; raises `CameraError`, and `ConnectionError` or
    `asyncio.IncompleteReadError` where the connection ended before it.
    """
    answer = await _head(link)
    while answer.status < _FINAL:  # such as 100 Continue
        answer = await _head(link)
    return replace(answer, body=await _Body(answer).read(link))


class _Body:
    """The body of an answer as it comes in."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._body = bytearray()
        self._clean = False
        self._look_at = 0

    async def read(self, link: Link) -> bytes:
        """All that is worth to be had, and whether the connection can be used after it."""
        answer = self._answer
        if answer.length == 0 and not answer.is_chunked:
            self._clean = True
        elif answer.status == _OK or answer.length is not None or answer.is_chunked:
            await self._collect(link)
        link.clean = self._clean and not answer.closes
        return bytes(self._body)

    async def _collect(self, link: Link) -> None:
        chunks = _chunks(link.reader) if self._answer.is_chunked else _until_end(link.reader)
        try:
            async with asyncio.timeout(None) as patience, aclosing(chunks):
                async for chunk in chunks:
                    self._body += chunk
                    if len(self._body) > MOST_BYTES:
                        raise CameraError(f"it sends more than {MOST_BYTES} bytes; {NO_PICTURE}")
                    if self._is_over(len(chunk)):
                        break
                    if self._is_nearly_over and patience.when() is None:
                        patience.reschedule(asyncio.get_running_loop().time() + _MORE_S)
                else:
                    self._clean = self._answer.is_chunked
        except TimeoutError:
            if not patience.expired():
                raise
        except (ValueError, ConnectionError, asyncio.IncompleteReadError):
            if jpeg_in(self._body) is None:  # else it does not matter how the rest fails
                raise

    def _is_over(self, new: int) -> bool:
        """Whether nothing more need be read, and whether the next answer would begin here."""
        if self._answer.is_chunked:
            return False
        length, size = self._answer.length, len(self._body)
        if self._answer.status == _OK and size >= self._look_at and self._ends_a_jpeg(new):
            self._clean = size == length
            return True
        self._clean = length is not None and size >= length and not self._is_cut
        return self._clean

    def _ends_a_jpeg(self, new: int) -> bool:
        if self._body.find(_EOI, max(0, len(self._body) - new - 1)) < 0:
            return False
        # A body of ends that end nothing is not looked through for each of them.
        self._look_at = int(_GROWS * len(self._body))
        return jpeg_in(self._body) is not None

    @property
    def _is_cut(self) -> bool:
        return self._answer.status == _OK and begins_jpeg(self._body)

    @property
    def _is_nearly_over(self) -> bool:
        """A picture that was said to be shorter, or the end of the chunks after it, comes at once
        or not at all.
        """
        if self._answer.is_chunked:
            return self._body.endswith(_EOI)
        return self._answer.length is not None and len(self._body) >= self._answer.length


async def _head(link: Link) -> Answer:
    """Status and headers of an answer."""
    first = await link.reader.readline()
    if not first:
        raise asyncio.IncompleteReadError(b"", None)
    status = _STATUS.match(first)
    if status is None:
        if link.used:
            raise ConnectionError  # what was left of the last answer
        raise CameraError(
            f"it does not speak HTTP there, it begins {first[:12]!r}; check the port, or use https"
        )
    headers: list[tuple[str, str]] = []
    while line := (await link.reader.readline()).decode("latin-1").strip("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.strip().lower(), value.strip()))
        if len(headers) > _MOST_HEADERS:
            raise CameraError(f"its headers do not end; {NO_PICTURE}")
    return Answer(
        status=int(status[1]),
        reason=status[2].decode("latin-1").strip(),
        headers=tuple(headers),
    )


async def _until_end(reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    """What comes until the connection is closed; one that is cut off ends likewise."""
    with suppress(ConnectionError, ssl.SSLError):
        while chunk := await reader.read(_CHUNK):
            yield chunk


async def _chunks(reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    """The parts of a chunked body (RFC 9112, 7.1)."""
    while size := int((await reader.readline()).split(b";")[0], 16):
        if not 0 < size <= MOST_BYTES:
            raise ValueError("a chunk of no believable size")
        yield await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        continue  # trailers
