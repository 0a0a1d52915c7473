"""systemd's notification protocol (sd_notify(3)): a datagram to the socket it names."""

import os
import socket


def notify(message: str) -> bool:
    """Tell systemd, as in `READY=1` or `WATCHDOG=1`; False where nobody listens."""
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
