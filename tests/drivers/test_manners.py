"""Row 52: boards and gateways that close connections, ask for patience, or count their own way."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.clock import SystemClock, monotonic
from gatekeeper.config import BarrierSettings, BoardSettings, InputSettings, LaneSettings
from gatekeeper.drivers import line as line_module
from gatekeeper.drivers.board import ALARM, RelayBoard
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.device import open_device
from gatekeeper.drivers.line import Line
from gatekeeper.drivers.session import NotSentError, RefusedError, Urgency
from gatekeeper.errors import BoardError
from gatekeeper.health import Health
from gatekeeper.model import BarrierCommand, Direction, Outcome, Reason, Sensor
from simulators.modbus import Fault

if TYPE_CHECKING:
    from tests.drivers.conftest import Bench, Server

    BuildBench = Callable[[Sequence[LaneSettings]], Bench]

LANES = (
    LaneSettings(
        name="entry",
        zone="inner",
        direction=Direction.ENTRY,
        barrier=BarrierSettings(board="gate", coil=1, hold_coil=2, pulse_ms=50),
        arrival_loop=InputSettings(board="gate", input=0),
    ),
)


def board_at(server: Server, **more: Any) -> BoardSettings:
    address = f"tcp://127.0.0.1:{server.port}"
    return BoardSettings(name="gate", address=address, timeout_ms=300, **more)


def soon(within_s: float = 5.0) -> float:
    return monotonic() + within_s


async def test_row_52_a_connection_closed_between_requests_is_opened_again_without_an_alarm(
    server: Server, bench_of: BuildBench
) -> None:
    server.fault = Fault.CLOSING
    bench = bench_of(LANES)
    await bench.live()
    bench.watch("entry")
    assert (await bench.open()).outcome is Outcome.DONE
    server.inputs[0] = True
    await bench.until(lambda: ("entry", Sensor.ARRIVAL, True) in bench.told)
    await bench.until(lambda: not server.coils[1])
    assert bench.news == []
    assert bench.board.alive
    assert server.heard.count(b"\x05\x00\x01\xff\x00") == 1


async def test_row_52_what_is_held_stays_so_while_connections_close(
    server: Server, bench_of: BuildBench
) -> None:
    bench = bench_of(LANES)
    await bench.live()
    hold = BarrierCommand(
        id="h1", lane="entry", passage=None, reason=Reason.ORDERED, deadline=soon()
    )
    await bench.barrier().hold(hold)
    server.heard.clear()
    server.fault = Fault.CLOSING
    await bench.until(lambda: len(server.heard) > 20)
    assert server.writes == []
    assert server.coils[2]
    assert bench.news == []


async def test_row_52_a_board_that_listens_no_more_is_an_alarm(
    server: Server, bench_of: BuildBench
) -> None:
    server.fault = Fault.CLOSING
    bench = bench_of(LANES)
    await bench.live()
    server.close()
    await bench.until(lambda: bench.health.stands(ALARM, "gate"))


async def test_a_write_that_is_lost_with_its_connection_is_not_sent_again(
    server: Server, bench_of: BuildBench
) -> None:
    bench = bench_of(LANES)
    await bench.live()

    def lost(pdu: bytes) -> bytes | None:
        if pdu == b"\x05\x00\x01\xff\x00":
            server.drop()
            return None
        return server.honest(pdu)

    server.instead = lost
    ack = await bench.open()
    assert ack.outcome is Outcome.UNKNOWN
    assert "closed before the answer came" in ack.detail
    server.instead = None
    await bench.until(lambda: len(bench.news) == 2)
    assert server.heard.count(b"\x05\x00\x01\xff\x00") == 1


async def test_a_read_that_is_lost_with_its_connection_is_put_once_more(server: Server) -> None:
    async with open_device(Bus(board_at(server).line), board_at(server)) as device:
        await device.read_inputs(urgency=Urgency.POLL, deadline=soon())
        drops = [None]

        def lost(pdu: bytes) -> bytes | None:
            if drops:
                drops.pop()
                server.drop()
                return None
            return server.honest(pdu)

        server.instead = lost
        assert len(await device.read_inputs(urgency=Urgency.POLL, deadline=soon())) == 8
        assert len(server.heard) == 3


async def test_a_board_that_drops_every_connection_unasked_is_away(server: Server) -> None:
    def drop(_: bytes) -> None:
        server.drop()

    server.instead = drop
    async with open_device(Bus(board_at(server).line), board_at(server)) as device:
        with pytest.raises(BoardError, match="closed"):
            await device.read_inputs(urgency=Urgency.POLL, deadline=soon())
    assert len(server.heard) == 1


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.ACKNOWLEDGE])
async def test_row_52_a_read_of_a_busy_board_is_put_again_until_its_deadline(
    server: Server, fault: Fault
) -> None:
    server.fault = fault
    async with open_device(Bus(board_at(server).line), board_at(server)) as device:
        assert len(await device.read_inputs(urgency=Urgency.POLL, deadline=soon())) == 8
        assert len(server.heard) == 2
        server.instead = lambda pdu: bytes((pdu[0] | 0x80, 6))
        with pytest.raises(RefusedError, match="exception 6: it is busy"):
            await device.read_inputs(urgency=Urgency.POLL, deadline=soon(0.35))
        assert 4 <= len(server.heard) <= 6
        assert device.up


@pytest.mark.parametrize("code", [5, 6])
async def test_row_52_a_write_to_a_busy_board_is_put_once(server: Server, code: int) -> None:
    server.instead = lambda pdu: bytes((pdu[0] | 0x80, code))
    async with open_device(Bus(board_at(server).line), board_at(server)) as device:
        with pytest.raises(RefusedError) as caught:
            await device.write_coil(1, True, urgency=Urgency.OPEN, deadline=soon())
        assert caught.value.undone is (code == 6)
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "does not know this function; check its profile"),
        (2, "has no such relay, input or register"),
        (3, "does not take this value"),
        (4, "failed while doing it"),
        (5, "still at it"),
        (6, "busy"),
        (8, "memory is damaged"),
        (10, "the gateway has no way to this unit"),
        (11, "the gateway got no answer from this unit"),
        (99, "a code of its own"),
    ],
)
async def test_row_52_each_exception_is_named_in_words(
    server: Server, code: int, words: str
) -> None:
    server.instead = lambda pdu: bytes((pdu[0] | 0x80, code))
    async with open_device(Bus(board_at(server).line), board_at(server)) as device:
        with pytest.raises(RefusedError, match=f"exception {code}: .*{words}"):
            await device.read_inputs(urgency=Urgency.POLL, deadline=soon(0.05))


@pytest.mark.parametrize(
    ("fault", "words"), [(Fault.NO_PATH, "has no way"), (Fault.NO_TARGET, "got no answer")]
)
async def test_row_52_what_a_gateway_says_stands_in_the_alarm(
    server: Server, bench_of: BuildBench, fault: Fault, words: str
) -> None:
    server.fault = fault
    bench = bench_of(LANES)
    await bench.until(lambda: bench.health.stands(ALARM, "gate"))
    assert f"the gateway {words}" in bench.health.alarms[0].detail
    assert "cable" not in bench.health.alarms[0].detail, "the gateway answers"


async def test_row_52_a_gateway_that_counts_its_own_way_is_named_with_the_setting(
    server: Server, bench_of: BuildBench
) -> None:
    server.fault = Fault.MISCOUNTED
    bench = bench_of(LANES)
    await bench.until(lambda: bench.health.stands(ALARM, "gate"))
    detail = bench.health.alarms[0].detail
    assert "transaction number 16385 instead of 1: the gateway counts its own way" in detail
    assert "any_transaction_number = true" in detail


async def test_row_52_where_it_is_tolerated_its_reads_are_taken_and_its_writes_are_not(
    server: Server,
) -> None:
    server.fault = Fault.MISCOUNTED
    settings = board_at(server, any_transaction_number=True)
    async with open_device(Bus(settings.line), settings) as device:
        server.inputs[3] = True
        for _ in range(3):
            inputs = await device.read_inputs(urgency=Urgency.POLL, deadline=soon())
            assert inputs[3]
        with pytest.raises(BoardError, match="counts its own way") as caught:
            await device.write_coil(1, True, urgency=Urgency.OPEN, deadline=soon())
        assert not isinstance(caught.value, RefusedError | NotSentError)
        assert not device.up


async def test_an_inputs_board_behind_such_a_gateway_lives_where_it_is_tolerated(
    server: Server,
) -> None:
    server.fault = Fault.MISCOUNTED
    health = Health(SystemClock())
    board = RelayBoard(board_at(server, any_transaction_number=True), (), health)
    task = asyncio.create_task(board.run())
    async with asyncio.timeout(30):
        while not board.alive:
            server.moved.clear()
            await server.moved.wait()
    assert health.alarms == ()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_late_answer_of_such_a_gateway_is_not_taken_for_the_next_one() -> None:
    """Nothing tells it from the next one: the connection it comes by is not used any more."""
    on = itertools.chain((0b1000,), itertools.repeat(0))
    ended = asyncio.Event()
    numbers = itertools.count(0x4000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readexactly(12)
                bits = next(on)
                await asyncio.sleep(0.4 if bits else 0.2)
                writer.write(struct.pack(">HHHBBBB", next(numbers), 0, 4, 1, 2, 1, bits))
        writer.close()
        ended.set()

    gateway = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = gateway.sockets[0].getsockname()[1]
    line = {"address": f"tcp://127.0.0.1:{port}", "any_transaction_number": True}
    hasty = BoardSettings(name="hasty", timeout_ms=300, **line)
    patient = BoardSettings(name="patient", timeout_ms=1000, **line)
    bus = Bus(hasty.line)
    async with open_device(bus, patient) as other, open_device(bus, hasty) as device:
        with pytest.raises(BoardError, match="no answer"):
            await device.read_inputs(urgency=Urgency.POLL, deadline=soon())
        assert not any(await other.read_inputs(urgency=Urgency.POLL, deadline=soon()))
    await ended.wait()
    gateway.close()
    await gateway.wait_closed()


async def test_a_write_that_does_not_leave_is_not_sent_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_device(Bus(board_at(server).line), board_at(server)) as device:
        await device.read_inputs(urgency=Urgency.POLL, deadline=soon())
        server.instead = lambda _: None
        monkeypatch.setattr(Line, "_unsent", lambda _: True)
        with pytest.raises(BoardError, match="nothing leaves") as caught:
            await device.write_coil(1, True, urgency=Urgency.OPEN, deadline=soon())
        assert not isinstance(caught.value, NotSentError)
    assert len(server.writes) == 1


async def test_a_board_that_loses_a_write_leaves_the_other_on_its_line_up(server: Server) -> None:
    bus = Bus(board_at(server).line)
    async with (
        open_device(bus, board_at(server)) as device,
        open_device(bus, board_at(server).model_copy(update={"name": "other"})) as other,
    ):
        await device.read_inputs(urgency=Urgency.POLL, deadline=soon())
        server.instead = lambda _: server.drop()
        with pytest.raises(BoardError, match="closed before the answer"):
            await device.write_coil(1, True, urgency=Urgency.OPEN, deadline=soon())
        server.instead = None
        assert len(await other.read_inputs(urgency=Urgency.POLL, deadline=soon())) == 8


async def test_a_connection_that_is_closed_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "_NEVER_S", 3600.0)
    patient = board_at(server).model_copy(update={"timeout_ms": 3_600_000})
    async with open_device(Bus(patient.line), patient) as device:
        server.instead = lambda _: server.drop()
        async with asyncio.timeout(30):
            with pytest.raises(BoardError, match="closed before the answer"):
                await device.read_inputs(urgency=Urgency.POLL, deadline=soon(3600))
