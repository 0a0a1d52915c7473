"""Every secret of a gate, and everything that it says while nothing works."""

import base64
import http.server
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

Daemon = Any
Event = dict[str, Any]

IN_URL, IN_STREAM_URL, IN_LOCATION = "url-sesame", "stream-sesame", "location-sesame"
OF_CAMERA, OF_STREAM, OF_BROKER = 'file"sesame', "str/eam@sesame#%", "broker-sesame"


class Door(http.server.BaseHTTPRequestHandler):
    """A web server that lets no client in, and gives back all that it is told."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        if self.path.startswith("/moved"):
            self.send_response(302, "Found")
            place = f"http://admin:{IN_LOCATION}@192.0.2.9/login?password={IN_LOCATION}"
            self.send_header("Location", place)
        elif given is None or not self.path.startswith("/echo"):
            self.send_response(401, "Unauthorized")
            kind = 'Basic realm="x"' if self.path.startswith("/echo") else 'Digest realm="x"'
            self.send_header("WWW-Authenticate", f'{kind}, nonce="{IN_LOCATION}", qop="auth"')
        else:
            told = base64.b64decode(given.split(" ")[1]).decode()
            self.send_response(500, f"{given} {told} {self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing of that."""


@pytest.fixture
def door() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """One that knows another password."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    passwords = folder / "passwords"
    words = ["mosquitto_passwd", "-c", "-b", str(passwords), "gate-1", "another"]
    subprocess.run(words, check=True, capture_output=True)
    conf = folder / "conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nuser root\n",
        encoding="utf-8",
    )
    program = "mosquitto" if Path("/usr/bin/mosquitto").exists() else "/usr/sbin/mosquitto"
    process = subprocess.Popen([program, "-c", str(conf)], stderr=subprocess.DEVNULL)
    yield port
    process.kill()
    process.wait()


def guarded(folder: Path, door: int, broker: int) -> None:
    """The gate of `folder`, each of its cameras with a trouble of its own."""
    for name, text in (("snapshot", OF_CAMERA), ("stream", OF_STREAM), ("centre", OF_BROKER)):
        (folder / f"{name}.password").write_text(text, encoding="utf-8")
    login = 'username = "admin", password_file = "{}.password"'
    cameras = (
        f'kind = "snapshot", url = "http://admin:{IN_URL}@127.0.0.1:{door}/echo?key={IN_URL}",'
        f" basic = true, {login.format('snapshot')}",
        f'kind = "rtsp", url = "rtsp://admin:{IN_STREAM_URL}@127.0.0.1:9/x?key={IN_STREAM_URL}"',
        f'kind = "mjpeg", url = "http://127.0.0.1:{door}/mjpeg", {login.format("stream")}',
        f'kind = "snapshot", url = "http://127.0.0.1:{door}/moved", {login.format("snapshot")}',
    )
    file = folder / "gate.toml"
    text = file.read_text(encoding="utf-8").replace("port = 8883", f"port = {broker}")
    told = iter(cameras)
    text = re.sub(r"^camera = .*$", lambda _: f"camera = {{ {next(told)} }}", text, flags=re.M)
    file.write_text(text, encoding="utf-8")


def said_by(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gatekeeper", *words], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_row_55_no_secret_stands_in_any_error_log_alarm_or_event(
    start: Callable[[], Daemon], tmp_path: Path, door: int, broker: int
) -> None:
    guarded(tmp_path, door, broker)
    gate = str(tmp_path / "gate.toml")
    daemon = start()
    lanes = ("outer-entry", "outer-exit", "inner-entry", "inner-exit")
    expected = {("camera_stale", lane) for lane in lanes} | {("centre_away", "centre")}

    def all_told(events: list[Event]) -> bool:
        return expected <= {(e["body"].get("alarm"), e["body"].get("subject")) for e in events}

    events = daemon.until(all_told)
    assert daemon.end(signal.SIGTERM) == 0
    text = (tmp_path / "gate.toml").read_text(encoding="utf-8")
    (tmp_path / "bad.toml").write_text(text.replace("http://", "htp://"), encoding="utf-8")
    said = {
        "events": json.dumps(events, ensure_ascii=False),
        "log": (tmp_path / "log").read_text(encoding="utf-8"),
        **{
            " ".join(words): said_by(*words)
            for words in (
                ("events", gate),
                ("check", gate),
                ("check", gate, "--json"),
                ("check", str(tmp_path / "bad.toml")),
                ("barrier", gate),
                ("run", str(tmp_path / "bad.toml")),
            )
        },
    }
    assert "500 Basic *** admin:***" in said["events"], "it was given back"
    assert "302 Found, and points to http://192.0.2.9/login" in said["events"]
    assert "refused this controller: Not authorized" in said["events"]
    for secret in (IN_URL, IN_STREAM_URL, IN_LOCATION, OF_CAMERA, OF_STREAM, OF_BROKER):
        coded = base64.b64encode(f"admin:{secret}".encode()).decode()
        for form in (secret, quote(secret, ""), coded, json.dumps(secret)[1:-1]):
            assert [where for where, text in said.items() if form in text] == [], form
