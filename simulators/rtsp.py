"""An RTSP camera (RFC 2326): one track of JPEG pictures (RFC 2435), over TCP alone.

Whoever starts it gives the pictures; each client gets them from the next one on. Cameras send
H.264; what a client does with connection, session and pace is the same.
"""

import asyncio
import contextlib
import itertools
import struct
from collections.abc import Callable, Iterator

_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:1\r\n"
_FIELDS = {
    "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
    "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n",
    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
}
_PACE_S = 0.02
_TICKS = 90_000


class RtspServer:
    """Sends what `jpeg` gives for each number, but while `frozen` is set.

    A picture is baseline JPEG 4:2:0 with sides in eights of pixels, and fits one packet (64 KiB).
    """

    def __init__(self, jpeg: Callable[[int], bytes]) -> None:
        self.port = 0
        self.sent = 0
        self.frozen = asyncio.Event()
        self._jpeg = jpeg
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen at `port`, or at a free one, which `port` then is; raises `OSError`."""
        self._server = await asyncio.start_server(self._client, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop every client, as a camera without power does."""
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(task)
        with contextlib.suppress(asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
            await task
        self._clients.discard(task)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            verb = request.split(" ", 1)[0]
            number = next(line[5:] for line in request.splitlines() if line.startswith("CSeq:"))
            body = _SDP if verb == "DESCRIBE" else ""
            head = f"RTSP/1.0 200 OK\r\nCSeq:{number}\r\nSession: 1\r\n{_FIELDS.get(verb, '')}"
            writer.write(f"{head}\r\n{body}".encode())
            if verb == "PLAY":
                await self._pour(writer)

    async def _pour(self, writer: asyncio.StreamWriter) -> None:
        for packet in itertools.count():
            while self.frozen.is_set():  # noqa: ASYNC110 - a frozen server does not know of it
                await asyncio.sleep(_PACE_S)
            self.sent += 1
            at = int(packet * _PACE_S * _TICKS)
            rtp = struct.pack(">BBHII", 0x80, 0x80 | 26, packet & 0xFFFF, at, 1)
            rtp += _payload(self._jpeg(self.sent))
            writer.write(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)
            await writer.drain()
            await asyncio.sleep(_PACE_S)


def _payload(jpeg: bytes) -> bytes:
    """RFC 2435, 3.1: the scan with the tables it needs; for pictures that fit one packet."""
    segments = list(_segments(jpeg))
    tables = b"".join(_tables(body) for marker, body, _ in segments if marker == 0xDB)
    height, width = next(struct.unpack(">HH", body[1:5]) for m, body, _ in segments if m == 0xC0)
    scan = jpeg[segments[-1][2] : -2]
    head = struct.pack(">IBBBB", 0, 1, 255, width // 8, height // 8)
    return head + struct.pack(">BBH", 0, 0, len(tables)) + tables + scan


def _tables(body: bytes) -> bytes:
    return b"".join(body[start + 1 : start + 65] for start in range(0, len(body), 65))


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, body and end of each segment, up to the start of the scan."""
    at, marker = 2, 0
    while marker != 0xDA:
        _, marker, length = struct.unpack_from(">BBH", jpeg, at)
        yield marker, jpeg[at + 4 : at + 2 + length], at + 2 + length
        at += 2 + length
