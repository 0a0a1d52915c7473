"""Asks the running controller, from a program of its own."""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gatekeeper.control.address import ANSWER_S, LINE_BYTES, address
from gatekeeper.errors import ControlError


def ask(database: Path, question: Mapping[str, object]) -> dict[str, Any] | None:
    """The answer to one question; None where no controller runs on this database. Raises
    `ControlError` where it does not let us ask, or gives no answer in time.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ANSWER_S + 5.0)
        try:
            line.connect(address(database))
            with suppress(BrokenPipeError):  # who is turned away is told why before it has asked
                line.sendall(json.dumps(question).encode() + b"\n")
            said = _line(line)
        except ConnectionRefusedError:
            return None
        except OSError as error:
            raise ControlError(f"the controller gives no answer: {error}") from error
    answer: dict[str, Any] = json.loads(said)
    if (why := answer.get("error")) is not None:
        raise ControlError(str(why))
    return answer


def _line(line: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n"):
        part = line.recv(65536)
        if not part or len(said) > LINE_BYTES:
            raise OSError("it has broken off")
        said += part
    return said
