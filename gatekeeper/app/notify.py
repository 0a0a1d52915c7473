"""systemd's notification protocol (sd_notify(3)): a datagram to the socket it names."""

import os
import socket

import structlog

from gatekeeper.clock import Clock
from gatekeeper.health import Health

log = structlog.get_logger(__name__)


def notify(message: str) -> bool:
    """Tell systemd, as in `READY=1` or `WATCHDOG=1`; False where nothing listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(message.encode(), address)
    except OSError:
        return False
    return True


def watchdog_s() -> float | None:
    """Within how many seconds systemd wants a sign of life; None if it does not ask."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdigit() else None


async def feed_watchdog(health: Health, clock: Clock) -> None:
    """Tell systemd again and again that all live, for as long as all do."""
    pause = min((watchdog_s() or 10.0) / 3, 5.0)
    while True:
        silent = health.silent()
        if not silent:
            notify("WATCHDOG=1")
        else:
            log.error("watchdog.hungry", silent=silent)
        await clock.idle(pause)
