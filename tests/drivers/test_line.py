"""A serial line whose every byte is written here: what RTU does to the unwary."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU

from gatekeeper.clock import monotonic
from gatekeeper.config import BoardSettings
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.device import Device, open_device
from gatekeeper.drivers.frames import after_echo, answer_in
from gatekeeper.drivers.session import NotSentError, RefusedError, Urgency
from gatekeeper.errors import BoardError

PATIENT_MS = 30_000
"""Waited for an answer that comes, on however busy a machine."""


def framed(pdu: bytes, unit: int = 1) -> bytes:
    frame = bytes((unit,)) + pdu
    return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")


ON = framed(b"\x05\x00\x03\xff\x00")
OFF = framed(b"\x05\x00\x03\x00\x00")
INPUTS = framed(b"\x02\x00\x00\x00\x08")
READ_BACK = framed(b"\x01\x00\x03\x00\x01")


def honest(request: bytes) -> bytes:
    return request if request[1] == 5 else framed(bytes((request[1], 1, 0b0000_1000)))


class Port:
    """A serial port under a name of its own; `answer(request)` says what comes back."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.heard: list[bytes] = []
        self.asked = asyncio.Event()
        self.heard_at: list[float] = []
        self.answer: Callable[[bytes], bytes] = honest
        self._ends: tuple[int, ...] = ()

    def plug(self) -> None:
        self._ends = os.openpty()
        tty.setraw(self._ends[1])
        self.name.symlink_to(os.ttyname(self._ends[1]))
        asyncio.get_running_loop().add_reader(self._ends[0], self._hear)

    def unplug(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ends[0])
        self.name.unlink()
        for end in self._ends:
            os.close(end)
        self._ends = ()

    def write(self, frame: bytes) -> None:
        if self._ends:
            os.write(self._ends[0], frame)

    def settings(
        self, timeout_ms: int = 200, silence_ms: int = 20, gap_ms: float | None = None
    ) -> BoardSettings:
        board = BoardSettings(
            name="gate",
            address=f"serial://{self.name}",
            silence_ms=silence_ms,
            gap_ms=gap_ms,
        )
        return board.model_copy(update={"timeout_ms": timeout_ms})

    def _hear(self) -> None:
        with suppress(OSError):
            chunk = os.read(self._ends[0], 4096)
            for start in range(0, len(chunk), 8):
                self.heard.append(chunk[start : start + 8])
                self.heard_at.append(monotonic())
                self.write(self.answer(self.heard[-1]))
            self.asked.set()


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Port]:
    port = Port(tmp_path / "usb-adapter")
    port.plug()
    yield port
    if port.name.is_symlink():
        port.unplug()


def alone(settings: BoardSettings) -> AbstractAsyncContextManager[Device]:
    return open_device(Bus(settings.line), settings)


async def switch_on(board: Device, within_s: float = 20.0) -> None:
    await board.write_coil(3, True, urgency=Urgency.OPEN, deadline=monotonic() + within_s)


async def inputs(board: Device) -> tuple[bool, ...]:
    return await board.read_inputs(urgency=Urgency.POLL, deadline=monotonic() + 20)


async def test_requests_carry_unit_address_value_and_sum(port: Port) -> None:
    async with alone(port.settings(PATIENT_MS)) as board:
        await switch_on(board)
        assert await board.read_coils(3, 1, urgency=Urgency.OPEN, deadline=monotonic() + 20) == (
            False,
        )
        assert (await inputs(board))[3]
    assert port.heard == [ON, READ_BACK, INPUTS]


async def test_an_answer_in_pieces_is_put_together(port: Port) -> None:
    def in_pieces(request: bytes) -> bytes:
        frame = honest(request)
        for n in range(len(frame)):
            asyncio.get_running_loop().call_later(0.002 * n, port.write, frame[n : n + 1])
        return b""

    port.answer = in_pieces
    async with alone(port.settings(PATIENT_MS)) as board:
        await switch_on(board)
        assert (await inputs(board))[3]


@pytest.mark.parametrize("noise", [b"\x00", b"\x01\x05", b"\x00\xff\x55", b"\x01\x02\x01"])
async def test_noise_before_an_answer_is_passed_over(port: Port, noise: bytes) -> None:
    port.answer = lambda request: noise + honest(request)
    async with alone(port.settings(PATIENT_MS)) as board:
        await switch_on(board)
        assert (await inputs(board))[3]


async def test_a_silent_board_gets_one_write_frame_and_no_more(port: Port) -> None:
    port.answer = lambda _: b""
    async with alone(port.settings()) as board:
        with pytest.raises(BoardError, match=r"gate.*coil 3 on.*no answer"):
            await switch_on(board)
        assert not board.up
        with pytest.raises(NotSentError):
            await inputs(board)
    assert port.heard == [ON]


async def test_a_read_may_be_lost_once_and_not_twice(port: Port) -> None:
    port.answer = lambda _: b""
    async with alone(port.settings(50)) as board:
        with pytest.raises(BoardError, match="no answer"):
            await inputs(board)
        assert board.up
        with pytest.raises(BoardError, match="no answer"):
            await inputs(board)
        assert not board.up


async def test_a_late_answer_is_not_taken_for_that_of_the_next_request(port: Port) -> None:
    """The answer to the first read comes within the silence after it; the board says something
    else by then.
    """
    stale = framed(b"\x02\x01\xff")
    requests = iter([b"", honest(INPUTS)])
    port.answer = lambda _: next(requests)
    bus = Bus(port.settings(silence_ms=500).line)
    async with (
        open_device(bus, port.settings(50, silence_ms=500)) as hasty,
        open_device(bus, port.settings(PATIENT_MS, silence_ms=500)) as board,
    ):
        with pytest.raises(BoardError, match="no answer"):
            await inputs(hasty)
        port.write(stale)
        assert await inputs(board) == (False, False, False, True, False, False, False, False)


async def test_the_answer_of_a_late_write_opens_nothing_else(port: Port) -> None:
    late = iter([b"", ON])
    port.answer = lambda _: next(late)
    async with alone(port.settings(50)) as board:
        with pytest.raises(BoardError):
            await switch_on(board)
    async with alone(port.settings(PATIENT_MS)) as board:
        with pytest.raises(BoardError, match="something else"):
            await board.write_coil(3, False, urgency=Urgency.OPEN, deadline=monotonic() + 20)
    assert port.heard == [ON, OFF]


async def test_after_a_missing_answer_the_line_is_left_alone(port: Port) -> None:
    bus = Bus(port.settings(silence_ms=300).line)
    port.answer = lambda _: b""
    async with (
        open_device(bus, port.settings(50, silence_ms=300)) as hasty,
        open_device(bus, port.settings(PATIENT_MS, silence_ms=300)) as board,
    ):
        with pytest.raises(BoardError):
            await inputs(hasty)
        port.answer = honest
        await inputs(board)
    missed, answered = port.heard_at
    assert answered - missed >= 0.3


async def test_between_two_frames_the_line_is_silent_for_as_long_as_is_set(port: Port) -> None:
    async with alone(port.settings(PATIENT_MS, gap_ms=300)) as board:
        await inputs(board)
        await inputs(board)
    first, second = port.heard_at
    assert second - first >= 0.3


def by_another_parity(frame: bytes) -> bytes:
    """As the kernel hands it over: a character whose parity is wrong is a NUL."""
    return bytes(byte * (byte.bit_count() % 2) for byte in frame)


def by_another_speed(frame: bytes) -> bytes:
    """Half as fast, two characters look like one, and their edges fall where they may."""
    return bytes(a ^ 0xFF & b << 1 for a, b in zip(frame[::2], frame[1::2], strict=False))


@pytest.mark.parametrize("garbled", [by_another_parity, by_another_speed])
async def test_what_comes_by_another_parity_or_speed_is_no_answer(
    port: Port, garbled: Callable[[bytes], bytes]
) -> None:
    port.answer = lambda request: garbled(honest(request))
    async with alone(port.settings()) as board:
        with pytest.raises(BoardError, match="no answer"):
            await switch_on(board)
        assert not board.up
    assert port.heard == [ON]


@pytest.mark.parametrize(
    "echo",
    [
        framed(b"\x05\x00\x04\xff\x00"),
        framed(b"\x05\x00\x03\x00\x00"),
        framed(b"\x05\x00\x03\xff\x00", unit=2),
        framed(b"\x01\x01\x08"),
        framed(b"\x81\x04"),
        ON[:-1],
        ON[:-1] + b"\x00",
    ],
    ids=["address", "value", "unit", "fc01", "exception of fc01", "short", "sum"],
)
async def test_a_wrong_echo_is_not_believed(port: Port, echo: bytes) -> None:
    port.answer = lambda _: echo
    async with alone(port.settings()) as board:
        with pytest.raises(BoardError) as caught:
            await switch_on(board)
        assert not isinstance(caught.value, NotSentError | RefusedError)
        assert not board.up


async def test_an_exception_is_a_refusal(port: Port) -> None:
    port.answer = lambda request: framed(bytes((request[1] | 0x80, 2)))
    async with alone(port.settings(PATIENT_MS)) as board:
        with pytest.raises(RefusedError, match="exception 2"):
            await switch_on(board)
        assert board.up


async def test_a_line_that_gives_back_what_we_send_is_known_by_a_read(port: Port) -> None:
    port.answer = lambda request: request + honest(request)
    async with alone(port.settings(PATIENT_MS)) as board:
        assert (await inputs(board))[3]
        await switch_on(board)
        port.answer = lambda request: request
        with pytest.raises(BoardError, match="no answer"):
            await switch_on(board, within_s=0.5)


async def test_an_adapter_pulled_out_is_noticed_and_found_again_by_its_name(port: Port) -> None:
    bus = Bus(port.settings().line)
    async with open_device(bus, port.settings(PATIENT_MS)) as board:
        await inputs(board)
    async with open_device(bus, port.settings(200)) as board:
        port.unplug()
        while board.up:
            with suppress(BoardError):
                await inputs(board)
    async with open_device(bus, port.settings(PATIENT_MS)) as board:
        with pytest.raises(NotSentError, match=r"no connection \(there is no such port"):
            await inputs(board)
    port.plug()
    async with open_device(bus, port.settings(PATIENT_MS)) as board:
        assert (await inputs(board))[3]


async def test_a_line_that_never_falls_silent_is_given_up(port: Port) -> None:
    async def babble() -> None:
        while True:
            port.write(b"\x55")
            await asyncio.sleep(0.001)

    talker = asyncio.create_task(babble())
    await asyncio.sleep(0)
    async with alone(port.settings(gap_ms=500)) as board:
        with pytest.raises(NotSentError, match="without being asked"):
            await inputs(board)
    talker.cancel()


async def test_rtu_goes_through_a_transparent_converter(port: Port) -> None:
    async def convert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                port.heard.append(await reader.readexactly(len(ON)))
                writer.write(b"\x00" + honest(port.heard[-1]))
        writer.close()

    async with await asyncio.start_server(convert, "127.0.0.1", 0) as server:
        number = server.sockets[0].getsockname()[1]
        settings = BoardSettings(
            name="gate", address=f"rtu+tcp://127.0.0.1:{number}", timeout_ms=750
        )
        patient = settings.model_copy(update={"timeout_ms": PATIENT_MS})
        async with alone(patient) as board:
            await switch_on(board)
            assert (await inputs(board))[3]
    assert port.heard == [ON, INPUTS]


@given(noise=st.binary(max_size=60))
def test_only_a_whole_frame_of_the_right_unit_and_function_can_be_an_answer(noise: bytes) -> None:
    for request in (ON, INPUTS):
        found = answer_in(request, noise)
        assert found in noise
        if found:
            assert found[0] == 1
            assert found[1] & 0x7F == request[1]
            assert FramerRTU.check_CRC(found[:-2], int.from_bytes(found[-2:], "big"))


@given(noise=st.binary(max_size=40), rest=st.binary(max_size=10))
def test_an_answer_is_found_behind_any_noise_and_before_anything(noise: bytes, rest: bytes) -> None:
    if answer_in(ON, noise) == b"":
        assert answer_in(ON, noise + honest(ON) + rest) != b""


@given(heard=st.binary(max_size=40))
def test_an_echo_of_our_own_is_never_the_answer(heard: bytes) -> None:
    if ON not in heard:
        assert answer_in(ON, after_echo(ON, heard + ON)) == b""


@given(noise=st.binary(max_size=40), framing=st.sampled_from(["bare", "summed", "spoiled"]))
@settings(max_examples=40, deadline=None)
def test_no_bytes_of_a_board_are_taken_for_an_echo_and_none_makes_it_write_again(
    noise: bytes, framing: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing is raised that is no `BoardError`."""

    def spoil(request: bytes) -> bytes:
        if framing == "bare":
            return noise
        if framing == "summed":
            return framed(noise)
        return noise[:3] + request[: len(request) // 2] + noise[3:]

    async def converse() -> None:
        port = Port(tmp_path_factory.mktemp("line") / "port")
        port.plug()
        port.answer = spoil
        async with alone(port.settings(50)) as board:
            with pytest.raises(BoardError):
                await switch_on(board)
        port.unplug()
        assert port.heard.count(ON) <= 1  # a busy machine may not have brought it in time

    if ON not in spoil(ON):
        asyncio.run(converse())
