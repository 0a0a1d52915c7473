from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from structlog.testing import capture_logs

from gatekeeper.config import CentreSettings
from gatekeeper.sync.limits import Limits
from gatekeeper.sync.pahothread import PahoThread, Will

if TYPE_CHECKING:
    from gatekeeper.sync.pahothread import Hearer
    from tests.sync.conftest import Broker, Cable, Centre, Gate


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ca.pem`, `broker.pem` and `broker.key`, and `other.pem` of another CA."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        _openssl(folder, f"req -x509 -subj /CN={name} -keyout {name}.key -out {name}.pem", _EC)
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1", encoding="ascii")
    _openssl(folder, "req -new -subj /CN=broker -keyout broker.key -out broker.csr", _EC)
    _openssl(
        folder, "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -extfile san -out broker.pem"
    )
    return folder


async def test_the_centre_hears_that_the_controller_is_online_and_how_it_is(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port)
    await gate.until(lambda: len(centre.heard(f"{gate.topic}/health")) >= 2)

    report = centre.heard(f"{gate.topic}/health")[0]
    assert centre.states == ["online"]
    assert report["lanes"] == {"inner-entry": "idle"}
    assert report["outbox"] == 0
    assert gate.health.silent() == ()


async def test_how_it_is_no_one_hears_when_it_is_no_longer_true(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port, replace(gate.pace, report_good_for_s=90))
    await gate.until(lambda: centre.heard(f"{gate.topic}/health"))

    assert centre.properties(f"{gate.topic}/health", "MessageExpiryInterval")[0] == 90


async def test_a_clean_stop_says_offline_and_leaves_no_thread_and_no_socket(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await gate.happen()  # SQLite opens some of its files only now
    await gate.store.outbox_depth()
    before = _threads(), _descriptors()
    gate.start(broker.port)
    await gate.until(lambda: gate.up and centre.states)
    assert (_threads(), _descriptors()) > before

    await gate.stop()

    await gate.until(lambda: centre.states == ["online", "offline"])
    assert (_threads(), _descriptors()) == before


async def test_a_stop_while_no_one_answers_leaves_no_thread_and_no_socket(
    broker: Broker, gate: Gate
) -> None:
    broker.stop()
    await gate.happen()
    await gate.store.outbox_depth()
    before = _threads(), _descriptors()
    gate.start(broker.port)
    await gate.until(lambda: gate.alarm("centre_away"))

    await gate.stop()

    assert (_threads(), _descriptors()) == before


async def test_a_stop_in_the_moment_the_connection_breaks_is_a_stop(
    cable: Cable, gate: Gate
) -> None:
    for _ in range(20):
        gate.start(cable.port)
        await gate.until(lambda: gate.up)
        await gate.happen(20)
        async with asyncio.timeout(30):
            await asyncio.gather(cable.cut(stay=True), gate.stop_soon())

    assert _threads() == 0


async def test_the_last_will_says_offline_when_the_cable_is_cut(
    cable: Cable, centre: Centre, gate: Gate
) -> None:
    gate.start(cable.port)
    await gate.until(lambda: centre.states == ["online"])

    await cable.cut()
    await gate.until(lambda: centre.states == ["online", "offline"])

    await cable.plug()
    await gate.until(lambda: centre.states == ["online", "offline", "online"])


async def test_a_connection_that_hangs_is_given_up_for_a_new_one(
    cable: Cable, centre: Centre, gate: Gate
) -> None:
    gate.start(cable.port, replace(gate.pace, answer_s=0.5))
    await gate.until(lambda: gate.up)

    cable.hang()
    await gate.happen()
    await gate.until(lambda: centre.events)

    assert cable.plugged >= 2
    assert centre.states[-1] == "online"


async def test_a_broker_that_is_not_there_is_an_alarm_until_it_comes(
    broker: Broker, gate: Gate
) -> None:
    broker.stop()
    gate.start(broker.port)
    await gate.until(lambda: gate.alarm("centre_away"))
    assert gate.alarm("centre_away") == (
        f"centre: broker 127.0.0.1:{broker.port}: cannot be reached: [Errno 111] Connection refused"
    )
    assert gate.link.away_s > 0.0

    broker.start()
    await gate.until(lambda: gate.up)
    assert gate.alarm("centre_away") is None


async def test_a_short_interruption_is_no_alarm(cable: Cable, gate: Gate) -> None:
    gate.start(cable.port, replace(gate.pace, away_after_s=60.0))
    await gate.until(lambda: gate.up)
    await cable.cut(stay=True)
    await gate.until(lambda: cable.plugged == 2 and gate.up)

    assert gate.health.alarms == ()


async def test_a_wrong_password_is_an_alarm_until_it_is_right(
    make_broker: Callable[..., Broker], gate: Gate, tmp_path: Path
) -> None:
    broker = make_broker("allow_anonymous false", f"password_file {_passwords(tmp_path)}")
    broker.start()
    password = tmp_path / "password"
    gate.start(broker.port, username="gate-1", password_file=password)
    await gate.until(lambda: gate.alarm("centre_away"))
    assert gate.alarm("centre_away") == (
        f"centre: {password}: password file cannot be read: No such file or directory; write the"
        " password into it"
    )
    await gate.stop()
    gate.health.clear_alarm("centre_away", "centre")

    password.write_text("wrong\n", encoding="utf-8")
    gate.start(broker.port, username="gate-1", password_file=password)
    await gate.until(lambda: gate.alarm("centre_away"))
    assert gate.alarm("centre_away") == (
        f"centre: broker 127.0.0.1:{broker.port}: refused this controller: Not authorized"
    )

    password.write_text("secret\n", encoding="utf-8")
    await gate.until(lambda: gate.up)


# With 0 mosquitto 2.0.11 closes the connection after each refusal.
@pytest.mark.parametrize("max_queued", [0, 1000])
async def test_what_the_broker_refuses_is_an_alarm_and_the_rest_goes_on(
    make_broker: Callable[..., Broker],
    make_centre: Callable[..., Centre],
    gate: Gate,
    tmp_path: Path,
    max_queued: int,
) -> None:
    acl = tmp_path / "acl"
    acl.write_text(
        "user gate-1\n"
        f"topic write {gate.topic}/status\n"
        f"topic read {gate.topic}/orders/#\n"
        f"topic write {gate.root}/centre/answers\n"
        "user centre\n"
        "topic readwrite gatekeeper/#\n",
        encoding="utf-8",
    )
    broker = make_broker(
        "allow_anonymous false",
        f"password_file {_passwords(tmp_path)}",
        f"acl_file {acl}",
        f"max_queued_messages {max_queued}",
    )
    broker.start()
    centre = make_centre(broker.port, username="centre")
    await centre.open()
    password = tmp_path / "password"
    password.write_text("secret\n", encoding="utf-8")
    gate.start(broker.port, username="gate-1", password_file=password)
    await gate.until(lambda: gate.up)

    await gate.happen()
    topic = f"{gate.topic}/events/vehicle.arrived"
    await gate.until(lambda: gate.health.stands("publish_refused", topic))
    centre.order("o-1")
    await gate.until(lambda: centre.heard(f"{gate.root}/centre/answers"))

    details = {alarm.subject: alarm.detail for alarm in gate.health.alarms}
    assert details[topic] == f"broker 127.0.0.1:{broker.port}: Not authorized"
    assert len(gate.orders) == 1
    assert await gate.store.outbox_depth() == 2


async def test_the_link_runs_over_tls(
    make_broker: Callable[..., Broker],
    make_centre: Callable[..., Centre],
    gate: Gate,
    certificates: Path,
) -> None:
    broker = _over_tls(make_broker, certificates)
    centre = make_centre(broker.port, ca=certificates / "ca.pem")
    await centre.open()
    gate.start(broker.port, ca=certificates / "ca.pem")
    await gate.happen(100)
    await gate.until(lambda: len(centre.events) == 100)

    before = _threads()
    await gate.stop()
    assert _threads() == before - 1


@pytest.mark.parametrize(
    ("ca", "detail"),
    [
        ("other.pem", "certificate verify failed"),
        ("missing.pem", "missing.pem: ca cannot be read: No such file or directory; put it there"),
        ("broker.key", "broker.key: cannot be used as ca: "),
    ],
)
async def test_a_broker_whose_certificate_no_one_vouches_for_is_an_alarm(
    make_broker: Callable[..., Broker], gate: Gate, certificates: Path, ca: str, detail: str
) -> None:
    broker = _over_tls(make_broker, certificates)
    gate.start(broker.port, ca=certificates / ca)
    await gate.until(lambda: gate.alarm("centre_away"))

    assert detail in str(gate.alarm("centre_away"))
    assert not gate.up


async def test_a_broker_that_speaks_no_tls_is_an_alarm(
    broker: Broker, gate: Gate, certificates: Path
) -> None:
    gate.start(broker.port, ca=certificates / "ca.pem")
    await gate.until(lambda: gate.alarm("centre_away"))

    assert "cannot be reached" in str(gate.alarm("centre_away"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_client_whose_thread_dies_without_a_word_is_noticed(
    broker: Broker, gate: Gate
) -> None:
    gate.start(broker.port, host="no..name")  # which Python's own resolver raises on, in the thread
    await gate.until(lambda: gate.alarm("centre_away"))

    assert "the client's thread has ended" in str(gate.alarm("centre_away"))


async def test_an_error_in_a_callback_does_not_end_the_clients_thread(
    broker: Broker, gate: Gate
) -> None:
    """A listener that knows none of the calls."""
    settings = CentreSettings(host="127.0.0.1", port=broker.port)
    will = Will(topic="gatekeeper/v1/hall/gate-1/status", body=b"{}", limits=Limits())
    with capture_logs() as logs:
        paho = PahoThread(settings, "gate-1", will, 60, cast("Hearer", object()))
        await gate.until(lambda: [log for log in logs if log["event"] == "link.callback_failed"])
        assert not paho.ended
        await paho.close(politely=True)


async def test_two_controllers_of_one_name_do_not_stop_each_other_for_good(
    broker: Broker, centre: Centre, gate: Gate, make_gate: Callable[..., Awaitable[Gate]]
) -> None:
    other = await make_gate()
    gate.start(broker.port)
    await gate.until(lambda: gate.up)
    other.start(broker.port)
    await gate.until(lambda: not gate.up)
    await other.stop()
    await gate.until(lambda: gate.up)

    await gate.happen()
    await gate.until(lambda: centre.events)


def _over_tls(make_broker: Callable[..., Broker], certificates: Path) -> Broker:
    broker = make_broker(
        "allow_anonymous true",
        f"cafile {certificates}/ca.pem",
        f"certfile {certificates}/broker.pem",
        f"keyfile {certificates}/broker.key",
    )
    broker.start()
    return broker


def _passwords(folder: Path) -> Path:
    path = folder / "passwords"
    path.touch(mode=0o600)
    for name in ("gate-1", "centre"):
        subprocess.run(["mosquitto_passwd", "-b", str(path), name, "secret"], check=True)
    return path


def _threads() -> int:
    return sum(thread.name.startswith("paho") for thread in threading.enumerate())


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


_EC = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(
        ["openssl", *" ".join(words).split()],
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
