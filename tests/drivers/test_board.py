"""The relay board against a Modbus server with faults, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings
from gatekeeper.drivers import relay
from gatekeeper.drivers.board import ALARM
from gatekeeper.errors import ConfigError
from gatekeeper.model import AlarmCleared, AlarmRaised, Direction, Outcome, Sensor
from simulators.modbus import Fault

if TYPE_CHECKING:
    from tests.drivers.conftest import Bench, Server

    BuildBench = Callable[[Sequence[LaneSettings]], Bench]

READ_INPUTS = b"\x02\x00\x00\x00\x08"


def on(coil: int) -> bytes:
    return bytes((5, 0, coil, 0xFF, 0))


def off(coil: int) -> bytes:
    return bytes((5, 0, coil, 0, 0))


def read_coils(first: int, count: int) -> bytes:
    return bytes((1, 0, first, 0, count))


SAFE_START = [READ_INPUTS, read_coils(0, 4), off(1), off(2), off(3), read_coils(0, 4)]
"""Lane `entry` opens and holds by coil 1, `exit` opens by coil 3 and holds by coil 2."""


def lane(
    name: str,
    coil: int,
    board: str = "gate",
    hold_coil: int | None = None,
    **wires: InputSettings,
) -> LaneSettings:
    return LaneSettings(
        name=name,
        zone="inner",
        direction=Direction.ENTRY,
        barrier=BarrierSettings(board=board, coil=coil, pulse_ms=50, hold_coil=hold_coil),
        camera=None,
        arrival_loop=wires.pop("arrival", InputSettings(board="gate", input=0)),
        **wires,
    )


LANES = (
    lane(
        "entry",
        1,
        arrival=InputSettings(board="gate", input=0),
        safety_loop=InputSettings(board="gate", input=1, inverted=True),
        boom_up=InputSettings(board="other", input=2),
    ),
    lane("exit", 3, hold_coil=2, arrival=InputSettings(board="gate", input=4)),
    lane("elsewhere", 6, board="other", arrival=InputSettings(board="other", input=4)),
)


@pytest.fixture
async def bench(bench_of: BuildBench) -> Bench:
    return bench_of(LANES)


async def test_inputs_are_read_then_our_coils_go_off_and_are_read_back(bench: Bench) -> None:
    await bench.live()
    assert bench.server.heard[:6] == SAFE_START


async def test_a_pulse_coil_left_on_is_off_before_the_board_is_live(
    server: Server, bench_of: BuildBench
) -> None:
    server.coils[3] = server.coils[6] = True
    bench = bench_of(LANES)
    await bench.live()
    assert not server.coils[3]
    assert server.coils[6], "a coil of no lane of ours is left alone"


async def test_a_coil_that_stays_on_keeps_the_board_from_going_live(
    server: Server, bench_of: BuildBench
) -> None:
    server.instead = lambda pdu: b"\x01\x01\x08" if pdu[0] == 1 else server.honest(pdu)
    bench = bench_of(LANES)
    await bench.until(lambda: bench.news)
    (alarm,) = bench.health.alarms
    assert (alarm.alarm, alarm.subject) == (ALARM, "gate")
    assert "coil 3 stays on" in alarm.detail
    assert (await bench.open()).outcome is Outcome.FAILED
    assert on(1) not in server.heard


async def test_an_opening_is_on_read_back_off_read_back(bench: Bench) -> None:
    await bench.live()
    bench.server.heard.clear()
    ack = await bench.open("exit")
    assert (ack.command, ack.outcome) == ("c1", Outcome.DONE)
    assert bench.server.coils[3], "answered while the pulse lasts"
    await bench.until(lambda: bench.server.heard.count(read_coils(3, 1)) == 2)
    assert [pdu for pdu in bench.server.heard if pdu != READ_INPUTS] == [
        on(3),
        read_coils(3, 1),
        off(3),
        read_coils(3, 1),
    ]


async def test_a_second_opening_follows_the_first(bench: Bench) -> None:
    await bench.live()
    await bench.open()
    assert "pulsing already" in (again := await bench.open()).detail
    assert again.outcome is Outcome.FAILED
    assert (await bench.open("exit")).outcome is Outcome.DONE
    await bench.until(lambda: not bench.server.coils[1])
    await bench.until(lambda: bench.server.heard[-1] == READ_INPUTS)
    assert (await bench.open()).outcome is Outcome.DONE
    assert bench.server.heard.count(on(1)) == 2


async def test_off_is_written_when_the_caller_is_cancelled(bench: Bench) -> None:
    await bench.live()
    opening = asyncio.create_task(bench.open())
    await bench.until(lambda: on(1) in bench.server.heard)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await bench.until(lambda: bench.server.writes[-1] == off(1))
    assert bench.server.heard.count(on(1)) == 1


async def test_off_is_written_when_the_board_is_stopped(bench: Bench) -> None:
    await bench.live()
    await bench.open()
    assert bench.server.coils[1]
    await bench.stop()
    assert not bench.server.coils[1]
    assert not bench.board.alive


async def test_off_is_repeated_until_it_reads_off(bench: Bench) -> None:
    await bench.live()
    refusals = [b"\x85\x06", b"\x85\x06"]

    def busy(pdu: bytes) -> bytes | None:
        return refusals.pop() if pdu == off(1) and refusals else bench.server.honest(pdu)

    bench.server.instead = busy
    assert (await bench.open()).outcome is Outcome.DONE
    await bench.until(lambda: not bench.server.coils[1])
    assert bench.server.writes[-4:] == [on(1), off(1), off(1), off(1)]
    assert bench.board.alive


async def test_a_relay_that_stays_on_costs_the_board_its_connection(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_PAUSE_S", 0.01)
    monkeypatch.setattr(relay, "OFF_S", 0.1)
    await bench.live()
    bench.server.instead = lambda pdu: pdu if pdu == off(1) else bench.server.honest(pdu)
    assert (await bench.open()).outcome is Outcome.DONE
    await bench.until(lambda: bench.health.stands(ALARM, "gate"))
    assert "coil 1 stays on" in bench.health.alarms[0].detail


async def test_an_opening_after_its_deadline_is_never_written(bench: Bench) -> None:
    await bench.live()
    assert (await bench.open(within_s=0.0)).outcome is Outcome.FAILED
    bench.server.heard.clear()
    await bench.until(lambda: len(bench.server.heard) > 2)
    assert bench.server.writes == []


async def test_a_silent_board_gets_one_on_and_the_answer_is_unknown(bench: Bench) -> None:
    await bench.live()
    bench.server.instead = lambda pdu: None if pdu == on(1) else bench.server.honest(pdu)
    ack = await bench.open()
    assert ack.outcome is Outcome.UNKNOWN
    bench.server.heard.clear()
    await bench.until(lambda: read_coils(0, 4) in bench.server.heard)
    await bench.live()
    assert bench.server.heard[:6] == SAFE_START
    assert on(1) not in bench.server.heard


async def test_a_wrong_echo_is_unknown_and_ends_with_all_coils_off(bench: Bench) -> None:
    await bench.live()
    bench.server.fault = Fault.WRONG_ECHO
    assert (await bench.open()).outcome is Outcome.UNKNOWN
    assert bench.server.coils[1], "it was switched, whatever the echo said"
    bench.server.fault = Fault.NONE
    await bench.until(lambda: not bench.server.coils[1] and bench.board.alive)


@pytest.mark.parametrize(("code", "outcome"), [(4, Outcome.FAILED), (11, Outcome.UNKNOWN)])
async def test_an_exception_is_failed_unless_it_may_still_happen(
    bench: Bench, code: int, outcome: Outcome
) -> None:
    await bench.live()
    refuse = bytes((0x85, code))
    bench.server.instead = lambda pdu: refuse if pdu == on(1) else bench.server.honest(pdu)
    ack = await bench.open()
    assert ack.outcome is outcome
    assert f"exception {code}" in ack.detail
    await bench.until(lambda: bench.server.writes[-1] == off(1))
    assert bench.board.alive


async def test_an_echo_that_does_not_read_back_is_unknown(bench: Bench) -> None:
    await bench.live()
    bench.server.instead = lambda pdu: pdu if pdu == on(1) else bench.server.honest(pdu)
    ack = await bench.open()
    assert ack.outcome is Outcome.UNKNOWN
    assert "reads off" in ack.detail


async def test_a_dead_board_is_an_alarm_and_opens_nothing_until_it_is_safe(bench: Bench) -> None:
    await bench.live()
    bench.server.close()
    await bench.until(lambda: bench.health.stands(ALARM, "gate"))
    ack = await bench.open()
    assert ack.outcome is Outcome.FAILED
    assert "not reachable" in ack.detail
    bench.server.heard.clear()
    bench.server.coils[3] = True
    await bench.server.plug()
    await bench.live()
    assert bench.server.heard[:6] == SAFE_START
    assert [type(news) for news in bench.news] == [AlarmRaised, AlarmCleared]
    assert (await bench.open()).outcome is Outcome.DONE


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.EXCEPTION])
async def test_a_board_that_tells_no_inputs_is_dead(bench: Bench, fault: Fault) -> None:
    await bench.live()
    bench.server.fault = fault
    await bench.until(lambda: bench.health.stands(ALARM, "gate"))
    assert not bench.board.alive
    bench.server.fault = Fault.NONE
    await bench.live()


async def test_a_board_that_is_missing_at_the_start_is_an_alarm(
    server: Server, bench_of: BuildBench
) -> None:
    server.close()
    bench = bench_of(LANES)
    await bench.until(lambda: bench.health.stands(ALARM, "gate"))
    await server.plug()
    await bench.live()
    assert bench.health.alarms == ()


async def test_a_pulse_broken_off_by_the_cable_ends_with_the_coil_off(bench: Bench) -> None:
    await bench.live()
    assert (await bench.open()).outcome is Outcome.DONE
    bench.server.close()
    assert bench.server.coils[1]
    await bench.until(lambda: not bench.board.alive)
    await bench.server.plug()
    await bench.live()
    assert not bench.server.coils[1]


async def test_each_input_is_told_first_as_it_is_and_then_each_change(bench: Bench) -> None:
    bench.watch("entry")
    await bench.until(lambda: len(bench.told) == 2)
    bench.server.inputs[0] = True
    await bench.until(lambda: len(bench.told) == 3)
    bench.watch("exit")
    await bench.until(lambda: len(bench.told) == 4)
    assert bench.told == [
        ("entry", Sensor.ARRIVAL, False),
        ("entry", Sensor.SAFETY, True),  # inverted
        ("entry", Sensor.ARRIVAL, True),
        ("exit", Sensor.ARRIVAL, False),
    ]


async def test_after_an_outage_only_changed_inputs_are_told_again(bench: Bench) -> None:
    bench.watch("entry")
    await bench.until(lambda: len(bench.told) == 2)
    bench.server.close()
    await bench.until(lambda: not bench.board.alive)
    bench.server.inputs[1] = True
    await bench.server.plug()
    await bench.until(lambda: len(bench.told) == 3)
    assert bench.told[2:] == [("entry", Sensor.SAFETY, False)]


async def test_a_board_beats_also_while_it_is_dead_and_is_forgotten_at_the_end(
    bench: Bench,
) -> None:
    await bench.live()
    bench.server.close()
    await bench.until(lambda: not bench.board.alive)
    assert bench.health.silent() == ()
    await bench.stop()


async def test_a_barrier_on_another_board_is_refused_by_name(bench: Bench) -> None:
    with pytest.raises(ConfigError, match=r"elsewhere.*gate"):
        bench.board.barrier("elsewhere")
