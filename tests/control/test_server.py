"""The control socket, over a real socket."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.control import ControlSocket, ask
from gatekeeper.control.address import LINE_BYTES, address
from gatekeeper.control.server import CALLERS, may_ask
from gatekeeper.errors import ControlError

pytestmark = pytest.mark.enable_socket


async def echoed(question: Mapping[str, Any], who: str) -> Mapping[str, object]:
    if question.get("ask") == "trouble":
        raise ControlError("nothing is known of it")
    return {"told": dict(question), "who": who}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "gatekeeper.db"
    task = asyncio.create_task(ControlSocket(path, echoed).run())
    await asyncio.sleep(0.05)
    yield path
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def asked(database: Path, **question: object) -> dict[str, Any] | None:
    return await asyncio.to_thread(ask, database, question)


async def test_a_question_is_answered_with_the_name_of_who_asks(database: Path) -> None:
    answer = await asked(database, ask="status", lane="入口")
    assert answer is not None
    assert answer["told"] == {"ask": "status", "lane": "入口"}
    assert answer["who"]


async def test_what_cannot_be_answered_is_an_error_in_words(database: Path) -> None:
    with pytest.raises(ControlError, match="nothing is known of it"):
        await asked(database, ask="trouble")


async def test_where_no_controller_runs_there_is_no_answer(tmp_path: Path) -> None:
    assert await asked(tmp_path / "gatekeeper.db", ask="status") is None


async def test_two_databases_have_two_sockets(database: Path, tmp_path: Path) -> None:
    assert await asked(tmp_path / "other.db", ask="status") is None


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[]", b"7", b'{"ask":', b"null"])
async def test_a_line_that_is_no_question_is_answered_and_the_next_one_is_served(
    database: Path, line: bytes
) -> None:
    reader, writer = await asyncio.open_unix_connection(address(database), limit=2 * LINE_BYTES)
    writer.write(line + b'\n{"ask": "status"}\n')
    assert "one JSON object" in json.loads(await reader.readline())["error"]
    assert json.loads(await reader.readline())["told"] == {"ask": "status"}
    writer.close()


async def test_a_line_without_end_ends_its_caller_and_no_other(database: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(address(database))
    writer.write(b"x" * (2 * LINE_BYTES))
    with contextlib.suppress(ConnectionError):
        await writer.drain()
        assert await reader.read() == b""
    assert await asked(database, ask="status") is not None


async def test_one_caller_too_many_is_turned_away(database: Path) -> None:
    quiet = [socket.socket(socket.AF_UNIX) for _ in range(CALLERS)]
    for each in quiet:
        each.connect(address(database))
    await asyncio.sleep(0.05)
    with pytest.raises(ControlError, match="too many"):
        await asked(database, ask="status")
    for each in quiet:
        each.close()
    await asyncio.sleep(0.05)
    assert await asked(database, ask="status") is not None


@pytest.mark.parametrize(
    ("user", "groups", "ours", "answered"),
    [
        (0, {0}, (990, 990), True),
        (990, {990}, (990, 990), True),
        (1000, {1000, 990}, (990, 990), True),
        (1000, {1000}, (990, 990), False),
        (1000, {1000, 0}, (0, 0), False),
    ],
)
def test_root_the_service_and_its_group_are_answered(
    user: int, groups: set[int], ours: tuple[int, int], answered: bool
) -> None:
    assert may_ask(user, groups, *ours) is answered
