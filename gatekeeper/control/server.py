"""Answers the questions of programs on the same machine, one JSON object a line.

It knows nothing of gates: `answers` is asked, with the name of who asks. Only root, the user of the
service and the members of its group are answered; the kernel says who they are.
"""

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog

from gatekeeper.control.address import ANSWER_S, LINE_BYTES, address
from gatekeeper.errors import GatekeeperError
from gatekeeper.ownership import group_name, user_name

log = structlog.get_logger(__name__)

Answers: TypeAlias = Callable[[Mapping[str, Any], str], Awaitable[Mapping[str, object]]]
"""Given a question and the name of who asks it; raises `GatekeeperError` for what cannot be."""

CALLERS: Final = 8
"""Programs that may ask at once; one more is turned away."""

QUIET_S: Final = 60.0
"""A caller that asks nothing for so long is let go."""

_CREDENTIALS = struct.Struct("3i")
"""Process, user and group of the other end (SO_PEERCRED, unix(7))."""


class ControlSocket:
    """`run` serves it until cancelled, and may be called again after it failed."""

    def __init__(self, database: Path, answers: Answers) -> None:
        self._address, self._answers = address(database), answers
        self._callers = 0

    async def run(self) -> None:
        """Answer until cancelled."""
        server = await asyncio.start_unix_server(self._serve, self._address, limit=LINE_BYTES)
        async with server:
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers += 1
        try:
            name, why = _caller(writer.get_extra_info("socket"))
            if self._callers > CALLERS:
                why = "too many programs ask at once; try again"
            if why:
                await _say(writer, {"error": why})
            else:
                await self._answer_all(reader, writer, name)
        except (OSError, TimeoutError, ValueError) as error:
            log.info("control.caller_lost", error=str(error))
        finally:
            self._callers -= 1
            writer.close()

    async def _answer_all(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str
    ) -> None:
        while line := await asyncio.wait_for(reader.readline(), QUIET_S):
            await asyncio.wait_for(_say(writer, await self._answer(line, name)), QUIET_S)

    async def _answer(self, line: bytes, name: str) -> Mapping[str, object]:
        try:
            question = json.loads(line)
        except ValueError:
            return {"error": "a question is one JSON object a line"}
        if not isinstance(question, dict):
            return {"error": "a question is one JSON object a line"}
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._answers(question, name)
        except GatekeeperError as error:
            return {"error": str(error)}
        except TimeoutError:
            return {"error": f"no answer within {ANSWER_S:g} s"}


async def _say(writer: asyncio.StreamWriter, answer: Mapping[str, object]) -> None:
    writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
    await writer.drain()


def _caller(line: socket.socket) -> tuple[str, str]:
    """The name of who asks, and why that is not answered, if it is not."""
    said = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, group = _CREDENTIALS.unpack(said)
    name = user_name(user)
    if may_ask(user, {group, *_groups(name, group)}, os.getuid(), os.getgid()):
        return name, ""
    return name, f"{name} may not ask: use sudo, or be in the group {group_name(os.getgid())}"


def may_ask(user: int, groups: Collection[int], our_user: int, our_group: int) -> bool:
    """Whether a user of these groups is answered by a service that runs as this user and group. The
    group of root makes no technician.
    """
    return user in (0, our_user) or (our_group != 0 and our_group in groups)


def _groups(name: str, group: int) -> list[int]:
    with contextlib.suppress(KeyError, OSError):
        return os.getgrouplist(name, group)
    return []
