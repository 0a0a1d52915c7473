"""A daemon whose world is missing: no camera, no relay board, no broker."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "config" / "gatekeeper.toml"
PATIENCE_S = 120.0


@dataclass
class Daemon:
    """The real program, in a folder of its own, told of by systemd's socket."""

    process: "subprocess.Popen[bytes]"
    config: Path
    notify: socket.socket

    def events(self) -> list[dict[str, Any]]:
        """The journal, empty while there is none."""
        done = subprocess.run(
            [sys.executable, "-m", "gatekeeper", "events", str(self.config), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def until(self, what: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - a test's patience
        while not what(found := self.events()):
            assert time.monotonic() < deadline, found  # noqa: TID251
            time.sleep(0.2)
        return found

    def told(self) -> str:
        return self.notify.recv(100).decode()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Daemon]]:
    """Start the daemon where nothing answers; again in the same folder when called again."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in (
        ("/var/lib/gatekeeper/", ""),
        ("192.0.2.7:502", "127.0.0.1:9"),
        ('"broker.example"', '"127.0.0.1"'),
        ('ca = "ca.pem"', ""),
        ("192.0.2.1", "127.0.0.1:9/"),
    ):
        text = text.replace(old, new)
    config = tmp_path / "gate.toml"
    config.write_text(text, encoding="utf-8")
    for secret in ("camera.password", "centre.password"):
        (tmp_path / secret).write_text("secret", encoding="utf-8")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(PATIENCE_S)
    started: list[subprocess.Popen[bytes]] = []

    def start_one() -> Daemon:
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000000"}
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gatekeeper", "run", str(config)],
                stderr=log,
                env={**os.environ, **environment},
            )
        started.append(process)
        return Daemon(process=process, config=config, notify=notify)

    yield start_one
    for process in started:
        process.kill()
        process.wait()
    notify.close()
