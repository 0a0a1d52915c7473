"""The bus against a board whose every byte is written here."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.clock import monotonic
from gatekeeper.config import BoardSettings
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.device import Device, open_device
from gatekeeper.drivers.session import NotSentError, RefusedError, Urgency
from gatekeeper.errors import BoardError

ON = b"\x05\x00\x03\xff\x00"
OFF = b"\x05\x00\x03\x00\x00"
INPUTS = b"\x02\x00\x00\x00\x08"
READ_BACK = b"\x01\x00\x03\x00\x01"


def framed(ticket: int, pdu: bytes, unit: int = 1) -> bytes:
    return struct.pack(">HHHB", ticket, 0, len(pdu) + 1, unit) + pdu


def honest(pdu: bytes) -> bytes:
    return pdu if pdu[0] == 5 else bytes((pdu[0], 1, 0b0000_1000))


@dataclass
class Wire:
    """What the board heard, and `answer(ticket, pdu)`: the bytes it writes back."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Callable[[int, bytes], bytes] = lambda ticket, pdu: framed(ticket, honest(pdu))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                ticket, _, length, _ = struct.unpack(">HHHB", await reader.readexactly(7))
                pdu = await reader.readexactly(length - 1)
                self.heard.append(pdu)
                self.asked.set()
                await self.go_on.wait()
                writer.write(self.answer(ticket, pdu))
        except asyncio.IncompleteReadError:
            self.endings.append("closed")
        except ConnectionResetError:
            self.endings.append("reset")
        finally:
            writer.close()
            self.ended.set()

    def settings(self, timeout_ms: int = 200) -> BoardSettings:
        return BoardSettings(
            name="gate", address=f"tcp://127.0.0.1:{self.port}", timeout_ms=timeout_ms
        )


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    wire.go_on.set()
    async with await asyncio.start_server(wire.serve, "127.0.0.1", 0) as server:
        wire.port = server.sockets[0].getsockname()[1]
        yield wire
        wire.go_on.set()


def alone(settings: BoardSettings) -> AbstractAsyncContextManager[Device]:
    return open_device(Bus(settings.line), settings)


async def switch_on(board: Device, within_s: float = 5.0) -> None:
    await board.write_coil(3, True, urgency=Urgency.OPEN, deadline=monotonic() + within_s)


async def inputs(board: Device) -> tuple[bool, ...]:
    return await board.read_inputs(urgency=Urgency.POLL, deadline=monotonic() + 5)


async def test_requests_carry_address_value_and_unit(wire: Wire) -> None:
    async with alone(wire.settings()) as board:
        await switch_on(board)
        assert await board.read_coils(3, 1, urgency=Urgency.OPEN, deadline=monotonic() + 5) == (
            False,
        )
        assert (await inputs(board))[3]
    assert wire.heard == [ON, READ_BACK, INPUTS]


async def test_a_silent_board_gets_one_write_frame_and_no_more(wire: Wire) -> None:
    wire.answer = lambda *_: b""
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError, match=r"gate.*coil 3 on.*no answer"):
            await switch_on(board)
        assert not board.up
        with pytest.raises(NotSentError):
            await inputs(board)
    assert wire.heard == [ON]


async def test_the_answer_is_awaited_no_longer_than_the_deadline(wire: Wire) -> None:
    wire.answer = lambda *_: b""
    async with alone(wire.settings(timeout_ms=1000)) as board, asyncio.timeout(2.5):
        with pytest.raises(BoardError, match="no answer within"):
            await switch_on(board, within_s=0.05)


async def test_a_request_after_its_deadline_is_never_written(wire: Wire) -> None:
    async with alone(wire.settings()) as board:
        with pytest.raises(NotSentError, match="deadline"):
            await switch_on(board, within_s=0.0)
        await inputs(board)
    assert wire.heard == [INPUTS]


async def test_a_request_that_becomes_late_while_it_waits_is_never_written(wire: Wire) -> None:
    wire.go_on.clear()
    async with alone(wire.settings(timeout_ms=1000)) as board:
        poll = asyncio.create_task(inputs(board))
        await wire.asked.wait()
        opening = asyncio.create_task(switch_on(board, within_s=0.05))
        await asyncio.sleep(0.1)
        wire.go_on.set()
        await poll
        with pytest.raises(NotSentError, match="deadline"):
            await opening
        assert board.up
    assert wire.heard == [INPUTS]


async def test_an_opening_goes_before_the_polls_that_wait(wire: Wire) -> None:
    wire.go_on.clear()
    async with alone(wire.settings(timeout_ms=1000)) as board, asyncio.TaskGroup() as tasks:
        tasks.create_task(inputs(board))
        await wire.asked.wait()
        tasks.create_task(inputs(board))
        tasks.create_task(inputs(board))
        await asyncio.sleep(0)
        tasks.create_task(switch_on(board))
        await asyncio.sleep(0)
        wire.go_on.set()
    assert wire.heard == [INPUTS, ON, INPUTS, INPUTS]


async def test_a_request_no_one_waits_for_any_more_is_never_written(wire: Wire) -> None:
    wire.go_on.clear()
    async with alone(wire.settings(timeout_ms=1000)) as board:
        poll = asyncio.create_task(inputs(board))
        await wire.asked.wait()
        opening = asyncio.create_task(switch_on(board))
        await asyncio.sleep(0)
        opening.cancel()
        wire.go_on.set()
        await poll
        await inputs(board)
    assert wire.heard == [INPUTS, INPUTS]


async def test_after_a_fault_what_waits_is_refused_as_not_sent(wire: Wire) -> None:
    wire.answer = lambda *_: b""
    async with alone(wire.settings()) as board:
        poll = asyncio.create_task(inputs(board))
        await wire.asked.wait()
        with pytest.raises(NotSentError):
            await switch_on(board)
        with pytest.raises(BoardError, match="no answer"):
            await poll
    assert wire.heard == [INPUTS]


async def test_a_late_answer_is_not_taken_for_that_of_the_next_request(wire: Wire) -> None:
    wire.go_on.clear()
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError, match="no answer"):
            await switch_on(board)
        wire.go_on.set()
        wire.answer = lambda *_: b""
        with pytest.raises(NotSentError):
            await switch_on(board)
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError, match="no answer"):
            await switch_on(board)
    assert wire.heard == [ON, ON]


async def test_a_dropped_connection_is_reset_so_that_nothing_arrives_later(wire: Wire) -> None:
    wire.answer = lambda *_: b""
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError):
            await switch_on(board)
    await wire.ended.wait()
    assert wire.endings == ["reset"]


@pytest.mark.parametrize(
    "echo",
    [
        b"\x05\x00\x04\xff\x00",
        b"\x05\x00\x03\x00\x00",
        b"\x01\x01\x08",
        b"\x02\x01\x08",
        b"\x0f\x00\x03\x00\x01",
        b"\x81\x04",
        b"\x05\x00",
        b"\x63",
    ],
    ids=["address", "value", "fc01", "fc02", "fc15", "exception of fc01", "short", "unknown"],
)
async def test_a_wrong_echo_is_a_fault_of_the_bus(wire: Wire, echo: bytes) -> None:
    wire.answer = lambda ticket, _: framed(ticket, echo)
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError) as caught:
            await switch_on(board)
        assert not isinstance(caught.value, NotSentError | RefusedError)
        assert not board.up


@pytest.mark.parametrize("ticket", [0, 77])
async def test_the_answer_to_another_request_is_not_believed(wire: Wire, ticket: int) -> None:
    wire.answer = lambda _, pdu: framed(ticket, pdu)
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError):
            await switch_on(board)
        assert not board.up


async def test_another_unit_is_not_believed(wire: Wire) -> None:
    wire.answer = lambda ticket, pdu: framed(ticket, pdu, unit=2)
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError):
            await switch_on(board)


@pytest.mark.parametrize("bits", [b"", b"\x00\x00"])
async def test_inputs_of_the_wrong_length_are_not_believed(wire: Wire, bits: bytes) -> None:
    wire.answer = lambda ticket, pdu: framed(ticket, bytes((pdu[0], len(bits))) + bits)
    async with alone(wire.settings()) as board:
        with pytest.raises(BoardError, match="answered something else"):
            await inputs(board)


@pytest.mark.parametrize(("code", "undone"), [(2, True), (6, True), (5, False), (11, False)])
async def test_an_exception_is_a_refusal_and_leaves_the_bus_up(
    wire: Wire, code: int, undone: bool
) -> None:
    wire.answer = lambda ticket, pdu: framed(ticket, bytes((pdu[0] | 0x80, code)))
    async with alone(wire.settings()) as board:
        with pytest.raises(RefusedError, match=f"gate.*coil 3 on.*exception {code}") as caught:
            await switch_on(board)
        assert caught.value.undone is undone
        wire.answer = lambda ticket, pdu: framed(ticket, honest(pdu))
        await inputs(board)


async def test_a_board_that_no_one_answers_for_is_named_with_its_address(wire: Wire) -> None:
    gone = BoardSettings(name="gate", address="tcp://127.0.0.1:1", timeout_ms=200)
    async with alone(gone) as board:
        with pytest.raises(NotSentError, match=r"gate.*tcp://127\.0\.0\.1:1"):
            await inputs(board)


async def test_leaving_the_context_answers_who_still_waits(wire: Wire) -> None:
    wire.go_on.clear()
    async with alone(wire.settings(timeout_ms=1000)) as board:
        sent = asyncio.create_task(inputs(board))
        await wire.asked.wait()
        waits = asyncio.create_task(switch_on(board))
        await asyncio.sleep(0)
    with pytest.raises(BoardError, match="closed before the answer"):
        await sent
    with pytest.raises(NotSentError):
        await waits


@given(noise=st.binary(max_size=40), whole=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_bytes_of_a_board_are_taken_for_an_echo_by_chance(noise: bytes, whole: bool) -> None:
    """Also framed as a proper answer; nothing is raised that is no `BoardError`."""

    async def converse() -> None:
        wire = Wire()
        wire.go_on.set()
        wire.answer = lambda ticket, _: framed(ticket, noise) if whole else noise
        async with await asyncio.start_server(wire.serve, "127.0.0.1", 0) as server:
            wire.port = server.sockets[0].getsockname()[1]
            async with alone(wire.settings(timeout_ms=50)) as board:
                with pytest.raises(BoardError):
                    await switch_on(board)
            await wire.ended.wait()

    if not (whole and noise[:5] == ON):
        asyncio.run(converse())
