"""Row 54: cameras whose HTTP is their own, byte for byte, and those that ask who is there."""

import asyncio
import base64
import contextlib
import hashlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.config import SnapshotSettings
from gatekeeper.drivers.camera import open_camera
from gatekeeper.drivers.challenge import Authorization, challenges
from gatekeeper.drivers.login import Login
from gatekeeper.drivers.picture import jpeg_in
from gatekeeper.errors import CameraError
from gatekeeper.model import Frame
from simulators.digest import Digest

PATIENCE_MS = 30_000


def jpeg(grey: int = 90) -> bytes:
    pixels = np.full((36, 64, 3), grey, np.uint8)
    pixels[10:20, 10:30] = 255 - grey
    return bytes(cv2.imencode(".jpg", pixels)[1])


JPEG = jpeg()
SIZE = len(JPEG)


def ok_of(jpg: bytes, *headers: str, body: bytes | None = None, end: str = "\r\n") -> bytes:
    head = end.join(("HTTP/1.1 200 OK", *headers, "", "")).encode("latin-1")
    return head + (jpg if body is None else body)


def ok(*headers: str, body: bytes = JPEG) -> bytes:
    return ok_of(body, *headers)


@dataclass
class Camera:
    """A web server that writes bytes; `answer(request)` is all it says to one request. It closes
    the connection after it, unless it `keeps` it.
    """

    answer: Callable[[str], bytes] = lambda _: ok(f"Content-Length: {SIZE}")
    keeps: bool = True
    context: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(request)
                writer.write(self.answer(request))
                await writer.drain()
                if not self.keeps:
                    break
        writer.close()

    def settings(self, path: str = "/picture?pwd=hidden", **more: Any) -> SnapshotSettings:
        scheme = "http" if self.context is None else "https"
        url = f"{scheme}://{more.pop('host', '127.0.0.1')}:{self.port}{path}"
        settings = SnapshotSettings(kind="snapshot", url=url, **more)
        return settings.model_copy(update={"timeout_ms": PATIENCE_MS})

    async def frame(self, times: int = 1, **more: Any) -> Frame:
        """The last of so many frames; the camera must not give one picture twice."""
        camera = open_camera("entry", self.settings(**more))
        try:
            for _ in range(times):
                frame = await camera.frame()
            return frame
        finally:
            await camera.close()

    async def fault(self, **more: Any) -> str:
        with pytest.raises(
            CameraError, match=r"camera entry at https?://[\w.]+:\d+/picture: "
        ) as e:
            await self.frame(**more)
        assert "hidden" not in str(e.value)
        assert "sesame" not in str(e.value)
        return str(e.value)


@pytest.fixture
async def camera(request: pytest.FixtureRequest) -> AsyncIterator[Camera]:
    camera = Camera(context=getattr(request, "param", None))
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0, ssl=camera.context)
    camera.port = server.sockets[0].getsockname()[1]
    yield camera
    server.close()
    await server.wait_closed()


SLOPPY: dict[str, Callable[[bytes, int], bytes]] = {
    "as it should be": lambda jpg, size: ok_of(jpg, f"Content-Length: {size}"),
    "too long a length": lambda jpg, size: ok_of(jpg, f"Content-Length: {size + 500}"),
    "too short a length": lambda jpg, size: ok_of(jpg, f"Content-Length: {size - 50}"),
    "a length of one byte": lambda jpg, size: ok_of(jpg, "Content-Length: 1"),
    "twice the length": lambda jpg, size: ok_of(
        jpg, f"Content-Length: {size}", f"Content-Length: {size}"
    ),
    "two lengths": lambda jpg, size: ok_of(
        jpg, f"Content-Length: {size + 9}", f"Content-Length: {size - 9}"
    ),
    "a length that is none": lambda jpg, size: ok_of(jpg, "Content-Length: many"),
    "a negative length": lambda jpg, size: ok_of(jpg, "Content-Length: -1"),
    "no length": lambda jpg, size: ok_of(jpg),
    "bare line feeds": lambda jpg, size: ok_of(jpg, f"Content-Length: {size}", end="\n"),
    "a header without colon": lambda jpg, size: ok_of(
        jpg, "Server Camera", f"Content-Length : {size}"
    ),
    "a Chinese header": lambda jpg, size: ok_of(
        jpg, "Server: \xd6\xd0\xb9\xfa", f"Content-Length: {size}"
    ),
    "no reason": lambda jpg, size: ok_of(jpg, f"Content-Length: {size}").replace(b"200 OK", b"200"),
    "HTTP 1.0": lambda jpg, size: ok_of(jpg, f"Content-Length: {size}").replace(b"1.1", b"1.0"),
    "RTSP": lambda jpg, size: ok_of(jpg, f"Content-Length: {size}").replace(
        b"HTTP/1.1", b"RTSP/1.0"
    ),
    "100 Continue": lambda jpg, size: (
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok_of(jpg, f"Content-Length: {size}")
    ),
    "bytes before": lambda jpg, size: ok_of(
        jpg, f"Content-Length: {size + 4}", body=b"\r\n\r\n" + jpg
    ),
    "bytes after": lambda jpg, size: ok_of(jpg, f"Content-Length: {size + 9}", body=jpg + bytes(9)),
    "multipart": lambda jpg, size: ok_of(
        jpg, "Content-Type: multipart/x", body=b"--x\r\nContent-Length: 9\r\n\r\n" + jpg
    ),
    "as text": lambda jpg, size: ok_of(jpg, "Content-Type: text/html", f"Content-Length: {size}"),
    "in chunks": lambda jpg, size: ok_of(
        jpg,
        "Transfer-Encoding: chunked",
        body=b"9\r\n" + jpg[:9] + b"\r\n%x;x=y\r\n" % (size - 9) + jpg[9:] + b"\r\n0\r\n\r\n",
    ),
    "chunks and a length": lambda jpg, size: ok_of(
        jpg,
        "Transfer-Encoding: chunked",
        f"Content-Length: {size}",
        body=b"%x\r\n" % size + jpg + b"\r\n0\r\n\r\n",
    ),
    "chunks without an end": lambda jpg, size: ok_of(
        jpg, "Transfer-Encoding: chunked", body=b"%x\r\n" % size + jpg + b"\r\n"
    ),
}


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "closed"])
@pytest.mark.parametrize("sloppy", SLOPPY)
async def test_row_54_a_whole_jpeg_is_a_picture_whatever_the_headers_say(
    camera: Camera, sloppy: str, keeps: bool
) -> None:
    camera.keeps = keeps
    camera.answer = lambda _: SLOPPY[sloppy](JPEG, SIZE)
    assert (await camera.frame()).encoded == JPEG


@pytest.mark.parametrize("sloppy", SLOPPY)
async def test_row_54_after_a_sloppy_answer_the_next_one_is_read_from_its_beginning(
    camera: Camera, sloppy: str
) -> None:
    pictures = [jpeg(grey) for grey in range(10, 250, 10)]
    left = iter(pictures)

    def answer(_: str) -> bytes:
        picture = next(left)
        return SLOPPY[sloppy](picture, len(picture))

    camera.answer = answer
    asked = open_camera("entry", camera.settings())
    seen = [(await asked.frame()).encoded for _ in range(4)]
    await asked.close()
    assert seen == pictures[:4]


async def test_a_connection_is_used_again_as_long_as_answers_end_as_they_say(
    camera: Camera,
) -> None:
    greys = iter(range(10, 250, 10))

    def answer(_: str) -> bytes:
        body = jpeg(next(greys))
        return ok(f"Content-Length: {len(body)}", body=body)

    camera.answer = answer
    await camera.frame(times=5)
    assert (len(camera.requests), camera.connections) == (5, 1)


async def test_a_connection_that_the_camera_has_closed_meanwhile_is_opened_again(
    camera: Camera,
) -> None:
    greys = iter(range(10, 250, 10))

    def answer(_: str) -> bytes:
        body = jpeg(next(greys))
        return ok(f"Content-Length: {len(body)}", body=body)

    camera.answer, camera.keeps = answer, False
    await camera.frame(times=5)
    assert camera.connections == 5


@pytest.mark.parametrize("end", [1, 60, SIZE // 2, SIZE - 1])
@pytest.mark.parametrize("told", [SIZE, 1, 0])
async def test_row_54_a_picture_that_is_not_whole_is_none(
    camera: Camera, end: int, told: int
) -> None:
    camera.keeps = False
    camera.answer = lambda _: ok(f"Content-Length: {told}" if told else "X: y", body=JPEG[:end])
    assert "what it sent is no picture" in await camera.fault()


@given(cut=st.integers(0, SIZE), before=st.binary(max_size=8), after=st.binary(max_size=8))
def test_only_a_whole_jpeg_is_found_in_what_came(cut: int, before: bytes, after: bytes) -> None:
    plain = before.replace(b"\xff", b"-")
    assert jpeg_in(plain + JPEG + after) == JPEG
    if cut < SIZE:
        assert jpeg_in(plain + JPEG[:cut]) is None


def test_the_end_of_a_thumbnail_is_not_that_of_its_picture() -> None:
    inside = b"Exif\0\0" + jpeg(30)
    marker = b"\xff\xe1" + (len(inside) + 2).to_bytes(2, "big") + inside
    whole = JPEG[:2] + marker + JPEG[2:]
    assert jpeg_in(whole + b"--boundary") == whole
    assert jpeg_in(whole[: len(marker) + 20]) is None


# --- who is there ---------------------------------------------------------------------------


class Door:
    """Asks for a password with these challenges; knows it by Digest and Basic."""

    def __init__(self, *offered: str) -> None:
        self.digest = Digest("admin", "sesame")
        self._offered = offered
        self.given: list[str] = []
        self.greys = iter(range(10, 250, 10))

    def __call__(self, request: str) -> bytes:
        target = request.split(" ")[1]
        given = next((h[15:] for h in request.split("\r\n") if h.startswith("Authorization:")), "")
        self.given.append(given.split(" ")[0])
        basic = f"Basic {base64.b64encode(b'admin:sesame').decode()}"
        if given == basic or self.digest.accepts("GET", target, given):
            body = jpeg(next(self.greys))
            return ok(f"Content-Length: {len(body)}", body=body)
        told = [each.replace("DIGEST", self.digest.challenge(given)) for each in self._offered]
        lines = [f"WWW-Authenticate: {each}" for each in told]
        return "\r\n".join(("HTTP/1.1 401 No", "Content-Length: 0", *lines, "", "")).encode()


BASIC = 'Basic realm="camera, or so"'
OFFERS = {
    "Digest alone": ("DIGEST",),
    "Basic first": (BASIC, "DIGEST"),
    "Digest first": ("DIGEST", BASIC),
    "both in one line": (f"{BASIC}, DIGEST",),
    "both in one line, Digest first": (f"DIGEST, {BASIC}",),
    "beside unknown ones": ("Negotiate", "NTLM", 'Bearer realm="x", scope="a b"', "DIGEST"),
    "beside a digest that is not known": (
        'Digest realm="x", nonce="n", algorithm=SHA-1024, qop="auth"',
        "DIGEST",
    ),
}


@pytest.fixture
def login(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "password").write_text("sesame\n", encoding="utf-8")
    return {"username": "admin", "password_file": tmp_path / "password"}


@pytest.mark.parametrize("basic", [True, False], ids=["basic allowed", "basic not allowed"])
@pytest.mark.parametrize("offer", OFFERS)
async def test_row_54_digest_wins_wherever_it_is_offered(
    camera: Camera, login: dict[str, Any], offer: str, basic: bool
) -> None:
    camera.answer = door = Door(*OFFERS[offer])
    await camera.frame(times=3, basic=basic, **login)
    assert door.given == ["", "Digest", "Digest", "Digest"]


async def test_row_34_a_password_that_is_changed_is_read_again_when_it_is_refused(
    camera: Camera, login: dict[str, Any]
) -> None:
    camera.answer = door = Door("DIGEST")
    asked = open_camera("entry", camera.settings(**login))
    await asked.frame()
    door.digest = Digest("admin", "open")
    with pytest.raises(CameraError, match="401"):
        await asked.frame()
    login["password_file"].write_text("open", encoding="utf-8")
    assert (await asked.frame()).number == 2
    await asked.close()


async def test_row_54_basic_alone_is_answered_only_where_it_is_allowed(
    camera: Camera, login: dict[str, Any]
) -> None:
    camera.answer = door = Door(BASIC)
    fault = await camera.fault(**login)
    assert "401: it takes the password by Basic only" in fault
    assert "basic = true" in fault
    assert door.given == [""]
    await camera.frame(times=2, basic=True, **login)
    assert door.given == ["", "", "Basic", "Basic"]


@pytest.mark.parametrize(
    ("offered", "says"),
    [
        ((), "by nothing, which is not known here"),
        (("Negotiate", "NTLM"), "by negotiate, ntlm, which is not known here"),
        (('Digest realm="x"',), "by digest, which is not known here"),
        (('Digest realm="x", nonce="n", qop="auth-int"',), "which is not known here"),
        (('Digest realm="x", nonce="n", qop="auth"',), "refuses them"),
    ],
)
async def test_row_54_what_cannot_be_answered_is_named(
    camera: Camera, login: dict[str, Any], offered: tuple[str, ...], says: str
) -> None:
    camera.answer = Door(*offered)
    fault = await camera.fault(**login)
    assert "401" in fault
    assert says in fault
    assert "cable" not in fault


async def test_row_54_a_camera_that_asks_for_a_password_that_is_not_configured_says_so(
    camera: Camera,
) -> None:
    camera.answer = Door("DIGEST")
    assert "give username and password_file" in await camera.fault()


async def test_a_password_in_the_address_is_given_to_no_one(camera: Camera) -> None:
    camera.answer = door = Door(BASIC)
    camera_ = open_camera("entry", camera.settings(host="admin:sesame@127.0.0.1"))
    with pytest.raises(CameraError, match="give username and password_file"):
        await camera_.frame()
    await camera_.close()
    assert door.given == [""]


def test_digest_answers_as_in_the_examples_of_rfc_7616() -> None:
    """3.9.1, but for the cnonce, which is drawn: what is sent is put into the formula again."""
    realm, nonce = "http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    told = (
        f'Digest realm="{realm}", qop="auth, auth-int", algorithm=SHA-256, nonce="{nonce}",'
        ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    authorization = Authorization(Login(username="Mufasa", password="Circle of Life"), basic=False)
    authorization.challenged([told])
    for count in ("00000001", "00000002"):
        (sent,) = challenges([authorization.header("/dir/index.html") or ""])
        assert sent.told["nc"] == count
        assert sent.told["opaque"].startswith("FQhe")
        who = _sha256(f"Mufasa:{realm}:Circle of Life")
        what = _sha256("GET:/dir/index.html")
        parts = (who, nonce, count, sent.told["cnonce"], "auth", what)
        assert sent.told["response"] == _sha256(":".join(parts))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@given(header=st.text(max_size=60), more=st.text(max_size=30))
def test_no_challenge_breaks_the_reading_of_challenges(header: str, more: str) -> None:
    offered = challenges([header, f"Digest {more}"])
    assert all(challenge.scheme == challenge.scheme.lower() for challenge in offered)
    with contextlib.suppress(CameraError):
        authorization = Authorization(Login(username="a", password="b"), basic=True)
        authorization.challenged([header, f"Digest {more}"])
        assert authorization.header("/") is not None


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "says", "advice"),
    [
        (
            b"HTTP/1.1 302 Found\r\nLocation: https://cam.example/login?token=hidden\r\n\r\n",
            "302 Found, and points to https://cam.example/login",
            "make it the url",
        ),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: /new/picture\r\nContent-Length: 0\r\n\r\n",
            "/new/picture",
            "make it the url",
        ),
        (b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", "400 No", "the url begins with https"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "403 No", "the right to take snapshots"),
        (b"HTTP/1.1 404 No\r\n\r\n", "404 No", "check that the url is that of its JPEG snapshot"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nbusy!", "503 No", "fewer clients"),
        (ok("Content-Length: 6", body=b"<html>"), "begins b'<html>'", "check that the url"),
        (b"SSH-2.0-dropbear\r\n", "does not speak HTTP there", "check the port"),
        (b"", "closed the connection unasked", "fewer clients"),
        (
            ok("Transfer-Encoding: chunked", body=b"zz\r\n"),
            "the request failed",
            "fewer clients",
        ),
        (ok(*(f"X-{n}: y" for n in range(300))), "headers do not end", "check that the url"),
    ],
)
async def test_row_54_what_is_refused_is_named_with_the_right_advice(
    camera: Camera, raw: bytes, says: str, advice: str
) -> None:
    camera.keeps = bool(raw)
    camera.answer = lambda _: raw
    fault = await camera.fault()
    assert says in fault
    assert advice in fault
    assert "cable" not in fault


async def test_row_54_a_port_where_nothing_listens_is_no_cable(camera: Camera) -> None:
    camera.port = 1
    assert "nothing listens there: check the port" in await camera.fault()


async def test_row_54_a_camera_that_is_reached_and_gives_nothing_in_time_is_no_cable(
    camera: Camera,
) -> None:
    camera.answer = lambda _: ok("Content-Length: 99999", body=JPEG[:50])
    settings = camera.settings().model_copy(update={"timeout_ms": 300})
    asked = open_camera("entry", settings)
    with pytest.raises(CameraError, match="it is reached, so that it is no cable: restart it"):
        await asked.frame()
    await asked.close()


async def test_row_54_a_name_that_is_not_known_is_no_cable(camera: Camera) -> None:
    assert "check the name in its url" in await camera.fault(host="camera.invalid")


# --- certificates ---------------------------------------------------------------------------


@dataclass
class Certificate:
    """Signed by itself, for the name localhost."""

    file: Path
    context: ssl.SSLContext

    @property
    def fingerprint(self) -> str:
        words = ["openssl", "x509", "-in", str(self.file), "-noout", "-fingerprint", "-sha256"]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return told.partition("=")[2].strip()


def certificate(folder: Path, name: str = "localhost") -> Certificate:
    file, key = folder / f"{name}.pem", folder / f"{name}.key"
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
    names = ["-addext", f"subjectAltName=DNS:{name}", "-out", str(file), "-keyout", str(key)]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return Certificate(file, context)


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("own"))


@pytest.fixture
async def secure(own: Certificate) -> AsyncIterator[Camera]:
    camera = Camera(context=own.context)
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0, ssl=own.context)
    camera.port = server.sockets[0].getsockname()[1]
    yield camera
    server.close()
    await server.wait_closed()


async def test_row_54_a_certificate_of_its_own_is_refused_by_name_and_can_be_pinned(
    secure: Camera, own: Certificate
) -> None:
    fault = await secure.fault(host="localhost")
    plain = own.fingerprint.replace(":", "").lower()
    assert "its certificate is not trusted (self-signed certificate)" in fault
    assert f'fingerprint = "{plain}"' in fault
    assert "cable" not in fault
    assert secure.requests == [], "nothing is said to a server that is not trusted"
    assert (await secure.frame(fingerprint=own.fingerprint)).encoded == JPEG


async def test_row_54_a_server_that_is_trusted_is_given_the_password_by_basic(
    secure: Camera, own: Certificate, login: dict[str, Any]
) -> None:
    secure.answer = door = Door(BASIC)
    await secure.frame(fingerprint=own.fingerprint, **login)
    assert door.given == ["", "Basic"]


async def test_row_54_another_certificate_than_the_pinned_is_refused_before_anything_is_said(
    secure: Camera, login: dict[str, Any]
) -> None:
    fault = await secure.fault(fingerprint="ab" * 32, **login)
    assert "another one than the pinned" in fault
    assert secure.requests == []


async def test_row_54_an_authority_of_its_own_is_trusted_for_the_name_it_was_given_to(
    secure: Camera, own: Certificate, tmp_path: Path
) -> None:
    assert (await secure.frame(host="localhost", ca=own.file)).encoded == JPEG
    fault = await secure.fault(host="127.0.0.1", ca=own.file)
    assert "IP address mismatch" in fault
    assert "give the url the name or address that stands in it, or pin it" in fault
    other = certificate(tmp_path, "other")
    assert "is not trusted" in await secure.fault(host="localhost", ca=other.file)


@pytest.mark.parametrize("content", [None, b"", b"no certificate", bytes(range(256))])
async def test_row_34_a_ca_that_cannot_be_used_is_the_fault_of_its_camera_until_it_is_mended(
    secure: Camera, own: Certificate, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "camera-ca.pem"
    if content is not None:
        file.write_bytes(content)
    camera = open_camera("entry", secure.settings(host="localhost", ca=file))
    with pytest.raises(CameraError, match=r"camera-ca\.pem: cannot be used as ca .*as PEM"):
        await camera.frame()
    file.write_bytes(own.file.read_bytes())
    assert (await camera.frame()).encoded == JPEG
    await camera.close()


async def test_row_54_tls_to_a_port_without_it_is_named(camera: Camera) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    camera.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    assert "it does not speak TLS there: use http" in await camera.fault(host="localhost")
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("url", "more", "says"),
    [
        ("https://c/x", {"fingerprint": "ab:cd"}, "64 hexadecimal digits"),
        ("https://c/x", {"fingerprint": "ab" * 32, "ca": "ca.pem"}, "not both"),
        ("http://c/x", {"ca": "ca.pem"}, "only an https url has a certificate"),
        ("http://c/x", {"fingerprint": "ab" * 32}, "only an https url has a certificate"),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_the_configuration(
    url: str, more: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        SnapshotSettings.model_validate({"kind": "snapshot", "url": url, **more})
