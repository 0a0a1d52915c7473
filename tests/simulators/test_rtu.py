"""Boards on a serial line, asked by pymodbus and by hand."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusIOException

from simulators.crc import crc16
from simulators.rtu import Requests

READ_COILS = b"\x01\x00\x00\x00\x08"


def frame(unit: int, pdu: bytes) -> bytes:
    return bytes((unit,)) + pdu + crc16(bytes((unit,)) + pdu)


@pytest.fixture
async def board(start: Any, tmp_path: Path) -> Any:
    return await start(
        "board",
        *("--serial", f"--link={tmp_path / 'relays'}", "--unit=1", "--unit=2:zlan,inputs=4"),
        *("--lane=in:coil=0,arrival=2.0,safety=2.1,boom_up=2.2", "--speed=20"),
    )


@pytest.fixture
async def client(board: Any, tmp_path: Path) -> AsyncIterator[AsyncModbusSerialClient]:
    await board.said("listening")
    client = AsyncModbusSerialClient(
        str(tmp_path / "relays"), baudrate=9600, timeout=10, retries=0, reconnect_delay=0
    )
    assert await client.connect()
    yield client
    client.close()


class Port:
    """The port as bytes."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._heard = b""
        self._moved = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def write(self, message: bytes) -> None:
        os.write(self._fd, message)

    async def read(self, count: int) -> bytes:
        async with asyncio.timeout(30):
            while len(self._heard) < count:
                self._moved.clear()
                await self._moved.wait()
        heard, self._heard = self._heard[:count], self._heard[count:]
        return heard

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # it may have been pulled out
            self._heard += os.read(self._fd, 4096)
        self._moved.set()


@pytest.fixture
async def port(board: Any, tmp_path: Path) -> AsyncIterator[Port]:
    await board.said("listening")
    port = Port(tmp_path / "relays")
    yield port
    port.close()


async def test_two_boards_answer_on_one_line_each_by_its_own_map(
    board: Any, client: AsyncModbusSerialClient
) -> None:
    await board.do("arrive in")
    await client.write_coil(0, True, device_id=1)
    await board.said("boom", state="up")
    assert (await client.read_coils(0, count=4, device_id=2)).bits[:4] == [True, False, True, False]
    assert (await client.read_coils(0, count=2, device_id=1)).bits[:2] == [True, False]
    assert (await board.said("coil", unit=1, coil=0))["on"]
    assert (await board.said("input", unit=2, input=2))["on"]


async def test_a_unit_that_is_not_there_and_a_silent_one_leave_the_others_answering(
    board: Any, port: Port
) -> None:
    await board.do("fault 2.silent")
    for unit in (3, 2, 1):
        port.write(frame(unit, READ_COILS))
    assert await port.read(6) == frame(1, b"\x01\x01\x00")
    units = (await board.do("state"))["units"]
    assert [units["1"]["fault"], units["2"]["fault"]] == ["none", "silent"]


async def test_a_broadcast_write_is_done_by_all_and_answered_by_none(
    board: Any, port: Port
) -> None:
    port.write(frame(0, b"\x05\x00\x00\xff\x00") + frame(0, READ_COILS) + frame(1, READ_COILS))
    assert await port.read(6) == frame(1, b"\x01\x01\x01")
    assert (await board.do("coils 1"))["coils"][0]


async def test_of_each_answer_another_byte_gets_lost(board: Any, port: Port) -> None:
    whole = frame(1, b"\x01\x01\x00")
    await board.do("fault dropped")
    port.write(frame(1, READ_COILS))
    assert await port.read(5) == whole[1:]
    port.write(frame(1, READ_COILS))
    assert await port.read(5) == whole[:1] + whole[2:]


async def test_noise_comes_before_each_answer(board: Any, port: Port) -> None:
    await board.do("fault garbage")
    port.write(frame(1, READ_COILS))
    assert (await port.read(9)).endswith(frame(1, b"\x01\x01\x00"))


async def test_a_late_answer_comes_after_that_of_the_next_request(board: Any, port: Port) -> None:
    await board.do("fault 1.late 200")
    port.write(frame(1, READ_COILS) + frame(2, b"\x01\x00\x00\x00\x04"))
    assert await port.read(12) == frame(2, b"\x01\x01\x00") + frame(1, b"\x01\x01\x00")


async def test_an_unplugged_adapter_takes_its_path_along_and_comes_back_under_its_name(
    board: Any, tmp_path: Path
) -> None:
    await board.said("listening")
    link = tmp_path / "relays"
    held = Port(link)
    await board.do("fault unplugged")
    assert not link.is_symlink()
    held.close()

    await board.do("fault none")
    port = Port(link)
    port.write(frame(1, READ_COILS))
    assert await port.read(6) == frame(1, b"\x01\x01\x00")
    port.close()


async def test_each_line_has_its_own_way_to_vanish(board: Any, start: Any) -> None:
    assert "unplugged" in (await board.tell("fault refuse"))["detail"]
    assert "unplugged" in (await board.tell("fault 2.unplugged"))["detail"]
    assert "refuse" in (await (await start("board")).tell("fault unplugged"))["detail"]


async def test_another_speed_than_that_of_the_line_is_not_understood(
    start: Any, tmp_path: Path
) -> None:
    link = tmp_path / "slow"
    board = await start("board", "--serial", f"--link={link}", "--baudrate=9600")
    await board.said("listening")
    wrong = AsyncModbusSerialClient(str(link), baudrate=19200, timeout=0.3, retries=0)
    assert await wrong.connect()
    with pytest.raises(ModbusIOException):
        await wrong.read_coils(0, count=8, device_id=1)
    wrong.close()
    assert "9600" in (await board.said("wrong"))["detail"]

    right = AsyncModbusSerialClient(str(link), baudrate=9600, timeout=10, retries=0)
    assert await right.connect()
    assert not (await right.read_coils(0, count=8, device_id=1)).isError()
    right.close()


def test_a_check_sum_is_that_of_the_specification() -> None:
    assert crc16(b"\x02\x07") == b"\x41\x12"  # Modbus over Serial Line V1.02, 6.2.2


REQUESTS = st.one_of(
    st.tuples(st.sampled_from((1, 2, 3, 5, 6)), st.binary(min_size=4, max_size=4)).map(
        lambda pair: bytes((pair[0],)) + pair[1]
    ),
    st.binary(max_size=200).map(lambda data: b"\x0f\x00\x00\x00\x01" + bytes((len(data),)) + data),
)


@given(st.lists(st.tuples(st.integers(0, 247), REQUESTS), max_size=5), st.data())
def test_requests_come_whole_however_they_are_cut(
    sent: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(frame(unit, pdu) for unit, pdu in sent)
    decoder, heard = Requests(), list[tuple[int, bytes]]()
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        heard += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert heard == sent


@given(st.binary(max_size=64), st.integers(1, 247), REQUESTS)
def test_noise_before_a_silence_hides_no_request(noise: bytes, unit: int, pdu: bytes) -> None:
    decoder = Requests()
    list(decoder.feed(noise))
    decoder.forget()
    assert list(decoder.feed(frame(unit, pdu))) == [(unit, pdu)]
