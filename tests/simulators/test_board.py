from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

LANES = ("--lane=in:coil=0,arrival=0,safety=1,boom_up=2", "--lane=out:coil=1,arrival=3,safety=4")


@pytest.fixture
async def board(start: Any) -> Any:
    return await start("board", *LANES, "--speed=20", "--patience=5")


@pytest.fixture
async def client(board: Any) -> AsyncIterator[AsyncModbusTcpClient]:
    port = (await board.said("listening"))["port"]
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1, retries=0)
    assert await client.connect()
    yield client
    client.close()


async def inputs(client: AsyncModbusTcpClient) -> list[bool]:
    return list((await client.read_discrete_inputs(0, count=5, device_id=1)).bits[:5])


def of(board: Any, word: str, field: str, **fields: object) -> list[Any]:
    return [
        said[field]
        for said in board.news
        if said["said"] == word and all(said[name] == fields[name] for name in fields)
    ]


async def test_a_vehicle_drives_through_when_the_relay_has_lifted_the_boom(
    board: Any, client: AsyncModbusTcpClient
) -> None:
    await board.do("arrive in")
    assert await inputs(client) == [True, False, False, False, False]

    board.type("#through cross in")
    await client.write_coil(0, True, device_id=1)
    await board.said("boom", state="up")
    await client.write_coil(0, False, device_id=1)
    await board.hear(lambda said: said.get("tag") == "through" and said["said"] == "done")
    await board.said("boom", state="down")

    assert of(board, "boom", "state", lane="in") == ["rising", "up", "falling", "down"]
    assert of(board, "boom", "angle", lane="in") == [0, 90, 90, 0]
    assert of(board, "coil", "on", coil=0) == [True, False]
    assert of(board, "input", "on", input=1) == [True, False]
    assert of(board, "input", "on", input=2) == [True, False]
    assert await inputs(client) == [False] * 5


async def test_no_one_drives_through_a_lowered_boom(board: Any) -> None:
    await board.do("arrive in")
    answer = await board.tell("cross in 0.05")
    assert (answer["said"], answer["detail"]) == ("error", "boom is down")
    assert of(board, "input", "on", input=1) == []


async def test_a_vehicle_that_leaves_backwards_does_not_cross(board: Any) -> None:
    await board.do("arrive in")
    board.type("#1x cross in")
    await board.do("back in")
    answer = await board.hear(lambda said: said.get("tag") == "1x")
    assert answer["detail"] == "the vehicle left backwards"
    assert of(board, "input", "on", input=0) == [True, False]


async def test_a_tailgater_crosses_on_the_same_opening(
    board: Any, client: AsyncModbusTcpClient
) -> None:
    await board.do("arrive out")
    await client.write_coil(1, True, device_id=1)
    await board.said("boom", lane="out", state="up")
    await client.write_coil(1, False, device_id=1)
    await board.do("tailgate out")
    await board.said("boom", lane="out", state="down")

    assert of(board, "input", "on", input=3) == [True, False, True, False]
    assert of(board, "input", "on", input=4) == [True, False, True, False]
    assert of(board, "boom", "state", lane="out") == ["rising", "up", "falling", "down"]


async def test_an_input_can_be_switched_by_hand(board: Any, client: AsyncModbusTcpClient) -> None:
    await board.do("input 1 on")
    state = await board.do("state")
    assert state["lanes"]["in"]["safety"] is True
    assert (await inputs(client))[1]


async def test_what_cannot_be_is_an_error(board: Any) -> None:
    for command in (
        "cross in",
        "back in",
        "arrive nowhere",
        "fault late",
        "fault silent 3",
        "input 1 maybe",
    ):
        assert (await board.tell(command))["said"] == "error"


async def test_refusing_drops_the_connection_and_none_listens_again_on_the_same_port(
    board: Any, client: AsyncModbusTcpClient
) -> None:
    port = (await board.said("listening"))["port"]
    await board.do("fault refuse")
    probe = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=0.2, retries=0)
    assert not await probe.connect()

    await board.do("fault none")
    assert await probe.connect()
    assert not (await probe.read_coils(0, count=8, device_id=1)).isError()
    probe.close()


async def test_faults_reach_the_wire(board: Any, client: AsyncModbusTcpClient) -> None:
    await board.do("fault exception")
    assert (await client.read_coils(0, count=1, device_id=1)).isError()
    await board.do("fault late 20")
    assert not (await client.write_coil(0, True, device_id=1)).isError()
    assert (await board.do("coils"))["coils"][0] is True
    assert (await board.do("state"))["fault"] == "late"
