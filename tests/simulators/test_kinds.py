"""Requests as bytes, as the maps of the boards have them."""

import asyncio
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.device import Device, Fault
from simulators.kinds import KINDS, Eletechsup, Juying, Lc, Waveshare, Zlan

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


class Seen:
    """A board of a kind, and what its relays did."""

    def __init__(self, kind: type[Device]) -> None:
        self.written: list[tuple[int, bool]] = []
        self.moved = asyncio.Event()
        self.device = kind(unit=17, coils=8, inputs=8, wrote=self._wrote)

    def ask(self, function: int, *words: int, data: bytes = b"") -> bytes:
        answer = self.device.answer(struct.pack(f">B{len(words)}H", function, *words) + data)
        assert answer is not None
        return answer

    def refused(self, code: int, function: int, *words: int, data: bytes = b"") -> bool:
        return self.ask(function, *words, data=data) == bytes((function | 0x80, code))

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not what():
                self.moved.clear()
                await self.moved.wait()

    def _wrote(self, coil: int, on: bool) -> None:
        self.written.append((coil, on))
        self.moved.set()


def words(*values: int) -> bytes:
    return struct.pack(f">B{len(values)}H", 2 * len(values), *values)


async def test_waveshare_flashes_a_relay_by_function_05_and_it_falls_by_itself() -> None:
    board = Seen(Waveshare)
    assert board.ask(5, 0x0202, 1) == b"\x05\x02\x02\x00\x01"
    assert board.written == [(2, True)]
    await board.until(lambda: board.written == [(2, True), (2, False)])
    assert board.device.coils == [False] * 8


async def test_waveshare_flashes_off_and_comes_on_again() -> None:
    board = Seen(Waveshare)
    board.ask(5, 2, 0xFF00)
    board.ask(5, 0x0402, 1)
    await board.until(lambda: board.written == [(2, True), (2, False), (2, True)])


async def test_a_flash_ends_early_when_the_relay_is_written() -> None:
    board = Seen(Waveshare)
    board.ask(5, 0x0200, 1)
    board.ask(5, 0, 0xFF00)
    board.ask(5, 0x0201, 2)
    await board.until(lambda: (1, False) in board.written)
    assert (0, False) not in board.written


def test_waveshare_toggles_and_writes_all_relays_at_once() -> None:
    board = Seen(Waveshare)
    board.ask(5, 3, 0x5500)
    assert board.device.coils[3]
    board.ask(5, 0x00FF, 0xFF00)
    assert board.device.coils == [True] * 8
    board.ask(5, 0x00FF, 0x5500)
    assert board.device.coils == [False] * 8


def test_waveshare_tells_its_address_and_version() -> None:
    board = Seen(Waveshare)
    assert board.ask(3, 0x4000, 1) == b"\x03\x02\x00\x11"
    assert board.ask(3, 0x8000, 1) == b"\x03\x02\x00\xc8"


def test_waveshare_has_no_ninth_relay_and_no_flash_of_no_time() -> None:
    board = Seen(Waveshare)
    assert board.refused(ILLEGAL_ADDRESS, 5, 8, 0x5500)
    assert board.refused(ILLEGAL_ADDRESS, 5, 0x0208, 5)
    assert board.refused(ILLEGAL_VALUE, 5, 0x0200, 0)
    assert board.refused(ILLEGAL_VALUE, 5, 0, 0x1234)
    assert board.written == []


@pytest.mark.parametrize(("kind", "mode"), [(Lc, 2), (Juying, 4)])
async def test_lc_and_juying_flash_by_two_registers_with_mode_words_of_their_own(
    kind: type[Device], mode: int
) -> None:
    board = Seen(kind)
    assert board.ask(16, 13, 2, data=words(mode, 1)) == b"\x10\x00\x0d\x00\x02"
    await board.until(lambda: board.written == [(2, True), (2, False)])


@pytest.mark.parametrize(("kind", "mode"), [(Lc, 4), (Juying, 2)])
async def test_with_the_other_mode_word_the_relay_stays_on(kind: type[Device], mode: int) -> None:
    board = Seen(kind)
    board.ask(16, 3, 2, data=words(mode, 1))
    await board.until(lambda: board.written == [(0, False), (0, True)])


def test_lc_refuses_what_is_no_flash() -> None:
    board = Seen(Lc)
    assert board.refused(ILLEGAL_ADDRESS, 16, 4, 2, data=words(2, 5))
    assert board.refused(ILLEGAL_ADDRESS, 16, 43, 2, data=words(2, 5))
    assert board.refused(ILLEGAL_VALUE, 16, 3, 1, data=words(2))
    assert board.refused(ILLEGAL_VALUE, 16, 3, 2, data=words(3, 5))
    assert board.ask(3, 0, 1) == b"\x03\x02\x00\x11"


async def test_eletechsup_takes_commands_in_registers_and_knows_no_coils() -> None:
    board = Seen(Eletechsup)
    assert board.refused(ILLEGAL_FUNCTION, 1, 0, 8)
    assert board.ask(6, 1, 0x0100) == b"\x06\x00\x01\x01\x00"
    assert board.ask(3, 1, 2) == b"\x03\x04\x00\x01\x00\x00"
    board.ask(6, 2, 0x0300)
    board.ask(6, 3, 0x0400)
    assert board.device.coils[:3] == [False, False, True]
    board.ask(16, 1, 2, data=words(0x0100, 0x0100))
    board.ask(6, 1, 0x0200)
    assert board.device.coils[:3] == [False, True, True]


@pytest.mark.parametrize("command", [0x0500, 0x0601])
async def test_eletechsup_times_a_second_itself(command: int) -> None:
    board = Seen(Eletechsup)
    board.ask(6, 4, command)
    await board.until(lambda: board.written == [(3, True), (3, False)])


def test_eletechsup_refuses_what_it_does_not_know() -> None:
    board = Seen(Eletechsup)
    assert board.refused(ILLEGAL_ADDRESS, 6, 0, 0x0100)
    assert board.refused(ILLEGAL_ADDRESS, 6, 9, 0x0100)
    assert board.refused(ILLEGAL_VALUE, 6, 1, 0x0700)
    assert board.refused(ILLEGAL_ADDRESS, 3, 8, 2)


def test_zlan_reads_inputs_and_outputs_by_function_01() -> None:
    board = Seen(Zlan)
    board.device.inputs[1] = True
    board.ask(5, 16, 0xFF00)
    assert board.ask(1, 0, 4) == b"\x01\x01\x02"
    assert board.ask(1, 16, 4) == b"\x01\x01\x01"
    assert board.refused(ILLEGAL_FUNCTION, 2, 0, 4)
    assert board.refused(ILLEGAL_ADDRESS, 5, 0, 0xFF00)
    assert board.refused(ILLEGAL_ADDRESS, 1, 8, 8)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_a_wrong_echo_is_wrong_for_every_way_to_write(kind: type[Device]) -> None:
    board = Seen(kind)
    board.device.fault = Fault.WRONG_ECHO
    by_kind = {Eletechsup: (6, 1, 0x0100), Zlan: (5, 16, 0xFF00)}
    function, address, value = by_kind.get(kind, (5, 0, 0xFF00))
    assert board.ask(function, address, value)[2] == address + 1
    assert board.device.coils[0]


def test_a_relay_that_sticks_stays_and_reads_as_it_is_until_it_is_mended() -> None:
    board = Seen(Device)
    board.device.stick(0, True)
    board.ask(5, 0, 0x0000)
    assert board.device.coils[0]
    board.device.stick(0, None)
    board.ask(5, 0, 0x0000)
    assert not board.device.coils[0]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(request=st.binary(min_size=1, max_size=253))
@settings(max_examples=100)
async def test_no_request_breaks_any_kind(kind: type[Device], request: bytes) -> None:
    board = Seen(kind)
    answer = board.device.answer(request)
    board.device.stop()
    assert answer is not None
    assert answer[0] & 0x7F == request[0] & 0x7F
    assert len(answer) <= 253
