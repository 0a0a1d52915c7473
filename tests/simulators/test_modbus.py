import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from simulators.modbus import Fault, ModbusServer


class Board(ModbusServer):
    def __init__(self) -> None:
        self.written: list[tuple[int, bool]] = []
        super().__init__(
            unit=1, coils=8, inputs=10, wrote=lambda coil, on: self.written.append((coil, on))
        )
        self.port = 0


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    board = Board()
    board.port = await board.listen("127.0.0.1", 0)
    yield board
    board.close()


@pytest.fixture
async def client(board: Board) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(
        "127.0.0.1", port=board.port, timeout=0.2, retries=0, reconnect_delay=0.05
    )
    assert await client.connect()
    yield client
    client.close()


async def test_a_written_coil_is_read_back_and_told(
    board: Board, client: AsyncModbusTcpClient
) -> None:
    done = await client.write_coil(3, True, device_id=1)
    assert (done.address, done.bits[:1]) == (3, [True])
    assert board.written == [(3, True)]

    read = await client.read_coils(2, count=3, device_id=1)
    assert read.bits[:3] == [False, True, False]


async def test_several_coils_are_written_at_once(
    board: Board, client: AsyncModbusTcpClient
) -> None:
    done = await client.write_coils(1, [True, False, True], device_id=1)

    assert not done.isError()
    assert board.written == [(1, True), (2, False), (3, True)]
    assert board.coils == [False, True, False, True, False, False, False, False]


async def test_inputs_are_read_past_the_first_eight(
    board: Board, client: AsyncModbusTcpClient
) -> None:
    board.inputs[0] = board.inputs[9] = True

    read = await client.read_discrete_inputs(0, count=10, device_id=1)

    assert read.bits[:10] == [True, *[False] * 8, True]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"\x03\x00\x00\x00\x01", 1),  # holding registers: no such function here
        (b"\x01\x00\x07\x00\x02", 2),  # past the last coil
        (b"\x05\x00\x08\xff\x00", 2),
        (b"\x0f\x00\x07\x00\x02\x01\x03", 2),
        (b"\x01\x00\x00\x00\x00", 3),  # no coil at all
        (b"\x01\x00\x00\x07\xd1", 3),  # 2001 of them
        (b"\x05\x00\x00\x12\x34", 3),  # neither on nor off
        (b"\x0f\x00\x00\x00\x02\x02\x03\x00", 3),  # two bytes for two coils
        (b"\x01\x00", 3),
    ],
)
def test_exceptions_are_those_of_the_standard(request_: bytes, code: int) -> None:
    assert Board().answer(request_) == bytes((request_[0] | 0x80, code))


async def test_another_unit_gets_no_answer(client: AsyncModbusTcpClient) -> None:
    with pytest.raises(ModbusIOException):
        await client.read_coils(0, count=1, device_id=2)


async def test_a_silent_board_does_nothing(board: Board, client: AsyncModbusTcpClient) -> None:
    board.fault = Fault.SILENT
    with pytest.raises(ModbusIOException):
        await client.write_coil(0, True, device_id=1)
    assert board.written == []


async def test_a_failing_board_answers_exception_4_and_does_nothing(
    board: Board, client: AsyncModbusTcpClient
) -> None:
    board.fault = Fault.EXCEPTION
    done = await client.write_coil(0, True, device_id=1)
    assert done.exception_code == 4
    assert board.written == []


async def test_a_wrong_echo_names_the_next_coil_though_the_right_one_was_written(
    board: Board, client: AsyncModbusTcpClient
) -> None:
    board.fault = Fault.WRONG_ECHO
    done = await client.write_coil(0, True, device_id=1)
    assert done.address == 1
    assert board.coils[:2] == [True, False]


async def test_a_late_board_acts_at_once_and_answers_after_the_timeout(
    board: Board, client: AsyncModbusTcpClient
) -> None:
    board.fault, board.late_s = Fault.LATE, 0.4
    with pytest.raises(ModbusIOException):
        await client.write_coil(0, True, device_id=1)
    assert board.written == [(0, True)]


async def test_a_closed_board_drops_its_connections_and_comes_back_on_its_port(
    board: Board, client: AsyncModbusTcpClient
) -> None:
    board.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", board.port)

    await board.listen("127.0.0.1", board.port)
    assert await client.connect()
    assert not (await client.read_coils(0, count=8, device_id=1)).isError()


async def test_two_requests_in_one_piece_and_one_in_two_pieces_are_all_answered(
    board: Board,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", board.port)
    frame = struct.pack(">HHHB", 7, 0, 6, 1) + b"\x01\x00\x00\x00\x08"
    writer.write(frame + frame + frame[:5])
    await writer.drain()
    await asyncio.sleep(0.01)
    writer.write(frame[5:])

    answers = await reader.readexactly(3 * 10)

    assert answers == 3 * (struct.pack(">HHHB", 7, 0, 4, 1) + b"\x01\x01\x00")
    writer.close()


async def test_what_is_not_modbus_is_hung_up_on(board: Board) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", board.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


@given(st.binary(min_size=1, max_size=253))
@settings(max_examples=200)
def test_no_request_breaks_it_and_each_is_answered_in_its_own_function(request_: bytes) -> None:
    answer = Board().answer(request_)
    assert answer is not None
    assert answer[0] & 0x7F == request_[0] & 0x7F
    assert len(answer) <= 253
