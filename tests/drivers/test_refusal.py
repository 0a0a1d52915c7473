"""Why a stream cannot be opened, by a server that says so."""

import socket
import threading
from collections.abc import Iterator

import pytest

from gatekeeper.config import RtspSettings
from gatekeeper.drivers.refusal import refusal
from gatekeeper.drivers.stream import StreamCamera
from gatekeeper.errors import CameraError


class Server:
    """Gives each connection the same answer."""

    def __init__(self, answer: bytes) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            wire, _ = self._door.accept()
            with wire:
                self.heard.append(wire.recv(1000))
                if self.heard[-1] == b"end":
                    return
                wire.sendall(self._answer)

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as wire:
            wire.sendall(b"end")
        self._thread.join()
        self._door.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(getattr(request, "param", b""))
    yield server
    server.close()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize(
    ("server", "says"),
    [
        (b"RTSP/1.0 401 No\r\n\r\n", "it answered 401); check username and password file"),
        (b"HTTP/1.1 404 No\r\n\r\n", "it answered 404); check the path of its url"),
        (b"RTSP/1.0 453 No\r\n\r\n", "it answered 453); it has too many clients"),
        (b"RTSP/1.0 200 OK\r\n\r\n", "it answered 200); check that it sends H.264"),
        (b"RTSP/1.0 551 No\r\n\r\n", "it answered 551); check its url"),
        (b"SSH-2.0-dropbear\r\n", "is reached, so that it is no cable: check scheme, port"),
        (b"", "is reached, so that it is no cable"),
    ],
    indirect=["server"],
)
def test_row_54_a_stream_that_is_refused_is_told_with_the_right_advice(
    server: Server, scheme: str, says: str
) -> None:
    said = str(refusal(f"{scheme}://admin:sesame@127.0.0.1:{server.port}/live?pwd=hidden"))
    assert says in said
    assert "power" not in said
    assert "sesame" not in said
    assert "hidden" not in said
    (heard,) = server.heard
    assert heard.startswith(b"DESCRIBE rtsp://127" if scheme == "rtsp" else b"GET /live?pwd=hidden")
    assert b"sesame" not in heard, "who answers there is not known"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("rtsp://127.0.0.1:1/x", "nothing listens there: check the port"),
        ("rtsp://camera.invalid/x", "check the name in its url"),
        ("rtsps://127.0.0.1:1/x", "nothing listens there: check the port"),
    ],
)
def test_row_54_a_stream_that_is_not_reached_is_told_with_the_right_advice(
    url: str, says: str
) -> None:
    assert says in str(refusal(url))


@pytest.mark.parametrize("server", [b"RTSP/1.0 404 No\r\nCSeq: 1\r\n\r\n"], indirect=True)
async def test_row_54_the_camera_says_so_and_nothing_of_cables(server: Server) -> None:
    url = f"rtsp://127.0.0.1:{server.port}/live"
    camera = StreamCamera("entry", RtspSettings(kind="rtsp", url=url))
    with pytest.raises(CameraError, match="check the path of its url") as caught:
        await camera.frame()
    assert "cable" not in str(caught.value)
    await camera.close()
