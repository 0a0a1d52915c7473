"""Booms that are kept up and closed, against a Modbus server with faults, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatekeeper.clock import monotonic
from gatekeeper.config import BarrierSettings, InputSettings, LaneSettings
from gatekeeper.drivers import left_up, relays
from gatekeeper.model import BarrierCommand, Direction, Outcome, Reason
from simulators.modbus import Fault

ACTIONS = ["open", "close", "hold", "release", "outage", "refuse", "swallow", "well", "wait"]
"""What may come in any order: commands, the cable, and a board that refuses or loses its echoes."""

if TYPE_CHECKING:
    from tests.drivers.conftest import Bench, Server

    BuildBench = Callable[[Sequence[LaneSettings]], Bench]


def lane(name: str, first_input: int, pulse_ms: int = 1000, **coils: int) -> LaneSettings:
    return LaneSettings(
        name=name,
        zone="inner",
        direction=Direction.ENTRY,
        barrier=BarrierSettings(
            board="gate", pulse_ms=pulse_ms, close_pulse_ms=2 * pulse_ms, **coils
        ),
        arrival_loop=InputSettings(board="gate", input=first_input),
        safety_loop=InputSettings(board="gate", input=first_input + 1),
    )


LANES = (lane("entry", 0, coil=1), lane("exit", 2, coil=3, hold_coil=2, close_coil=4))
"""`entry` opens and holds by coil 1; `exit` opens by coil 3, holds by 2 and closes by 4."""

READ_INPUTS = b"\x02\x00\x00\x00\x08"
READ_RELAYS = b"\x01\x00\x00\x00\x05"

QUICK = (
    lane("entry", 0, pulse_ms=50, coil=1),
    lane("exit", 2, pulse_ms=50, coil=3, hold_coil=2, close_coil=4),
)


def command(name: str = "entry", within_s: float = 5.0) -> BarrierCommand:
    return BarrierCommand(
        id="h1", lane=name, passage=None, reason=Reason.VISITOR, deadline=monotonic() + within_s
    )


def writes_of(bench: Bench, coil: int) -> list[bool]:
    return [pdu[3] == 0xFF for pdu in bench.server.writes if pdu[2] == coil]


async def sees(bench: Bench) -> None:
    """Until the inputs, as they are now, were read and told."""
    polls = bench.server.heard.count(READ_INPUTS)
    await bench.until(lambda: bench.server.heard.count(READ_INPUTS) > polls + 2)


async def looks(bench: Bench, times: int) -> None:
    """Until the relays were read so many times."""
    seen = bench.server.heard.count(READ_RELAYS)
    await bench.until(lambda: bench.server.heard.count(READ_RELAYS) > seen + times)


async def drives_through(bench: Bench) -> None:
    """A car leaves the arrival loop of `exit` and drives over its safety loop."""
    inputs = bench.server.inputs
    inputs[2], inputs[3] = False, True
    await sees(bench)
    inputs[3] = False


@pytest.fixture
async def bench(bench_of: BuildBench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(left_up, "CLEAR_S", 0.05)
    monkeypatch.setattr(relays, "_LOOK_S", 0.05)
    bench = bench_of(LANES)
    await bench.live()
    bench.server.heard.clear()
    return bench


@pytest.mark.parametrize(("name", "coil"), [("entry", 1), ("exit", 2)])
async def test_a_hold_is_a_level_that_reads_back(bench: Bench, name: str, coil: int) -> None:
    ack = await bench.barrier(name).hold(command(name))
    assert (ack.command, ack.outcome) == ("h1", Outcome.DONE)
    assert bench.server.coils[coil]
    ack = await bench.barrier(name).release(command(name))
    assert ack.outcome is Outcome.DONE
    assert not bench.server.coils[coil]
    assert writes_of(bench, coil) == [True, False]


@pytest.mark.parametrize("name", ["entry", "exit"])
async def test_a_boom_held_open_is_not_pulsed(bench: Bench, name: str) -> None:
    await bench.barrier(name).hold(command(name))
    bench.server.heard.clear()
    ack = await bench.barrier(name).open(command(name))
    assert (ack.outcome, ack.detail) == (Outcome.DONE, "held open already")
    assert bench.server.writes == []


async def test_a_boom_that_two_lanes_share_is_kept_up_as_long_as_either_wants_it(
    bench_of: BuildBench,
) -> None:
    bench = bench_of((lane("entry", 0, coil=1), lane("exit", 2, coil=1)))
    await bench.live()
    for name in ("entry", "exit"):
        await bench.barrier(name).hold(command(name))
    ack = await bench.barrier("entry").release(command("entry"))
    assert (ack.outcome, ack.detail) == (Outcome.DONE, "kept up for the opposite lane")
    assert bench.server.coils[1]
    await bench.barrier("exit").release(command("exit"))
    assert not bench.server.coils[1]


async def test_a_shared_boom_that_was_found_up_stays_up_while_either_lane_is_occupied(
    bench_of: BuildBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_up, "CLEAR_S", 0.05)
    shared = {"coil": 1, "hold_coil": 2}
    bench = bench_of((lane("entry", 0, **shared), lane("exit", 2, **shared)))
    bench.server.coils[2] = bench.server.inputs[0] = True
    await bench.live()
    polls = len(bench.server.heard)
    await bench.until(lambda: len(bench.server.heard) > polls + 20)
    assert bench.server.coils[2]
    bench.server.inputs[0] = False
    await bench.until(lambda: not bench.server.coils[2])


async def test_a_hold_is_written_again_until_it_reads_back(bench: Bench) -> None:
    refusals = [b"\x85\x06", b"\x85\x06"]

    def busy(pdu: bytes) -> bytes | None:
        return refusals.pop() if pdu[0] == 5 and refusals else bench.server.honest(pdu)

    bench.server.instead = busy
    assert (await bench.barrier().hold(command(within_s=30))).outcome is Outcome.DONE
    assert writes_of(bench, 1) == [True, True, True]


async def test_a_hold_after_its_deadline_is_not_written_for_it(bench: Bench) -> None:
    ack = await bench.barrier().hold(command(within_s=0.0))
    assert ack.outcome is Outcome.FAILED
    assert "deadline" in ack.detail


async def test_a_hold_asked_for_while_the_board_is_away_comes_when_it_is_back(
    bench: Bench,
) -> None:
    bench.server.close()
    await bench.until(lambda: not bench.board.alive)
    ack = await bench.barrier("exit").hold(command("exit"))
    assert ack.outcome is Outcome.FAILED
    assert "when it is back" in ack.detail
    await bench.server.plug()
    await bench.live()
    assert bench.server.coils[2]
    assert (await bench.barrier("exit").open(command("exit"))).detail == "held open already"


async def test_what_is_held_is_never_off_through_an_outage(bench: Bench) -> None:
    await bench.barrier().hold(command())
    bench.server.close()
    await bench.until(lambda: not bench.board.alive)
    bench.server.heard.clear()
    await bench.server.plug()
    await bench.live()
    assert writes_of(bench, 1) == [True]


async def test_a_held_relay_that_falls_is_switched_on_again(bench: Bench) -> None:
    await bench.barrier().hold(command())
    bench.server.coils[1] = False
    await bench.until(lambda: bench.server.coils[1])


async def test_a_hold_within_a_pulse_outlasts_it(bench: Bench) -> None:
    assert (await bench.barrier().open(command())).outcome is Outcome.DONE
    assert (await bench.barrier().hold(command())).outcome is Outcome.DONE
    await bench.until(lambda: len(writes_of(bench, 1)) == 3)
    assert writes_of(bench, 1) == [True, True, True], "never off"


async def test_a_release_within_a_pulse_ends_it(bench: Bench) -> None:
    await bench.barrier().open(command())
    assert (await bench.barrier().release(command())).outcome is Outcome.DONE
    assert not bench.server.coils[1]


async def test_stopping_the_controller_leaves_a_held_boom_up(bench: Bench) -> None:
    await bench.barrier().hold(command())
    await bench.stop()
    assert bench.server.coils[1]


async def test_row_24_a_boom_found_up_comes_down_over_a_clear_lane_only(
    bench_of: BuildBench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_up, "CLEAR_S", 0.05)
    server.coils[2] = server.inputs[2] = True
    bench = bench_of(LANES)
    await bench.live()
    polls = len(server.heard)
    await bench.until(lambda: len(server.heard) > polls + 20)
    assert writes_of(bench, 2) == [], "somebody stands there"
    assert (await bench.barrier("exit").open(command("exit"))).detail == "held open already"
    assert (await bench.barrier("entry").open(command())).detail != "held open already"
    await drives_through(bench)
    await bench.until(lambda: not server.coils[2])
    await bench.until(lambda: len(writes_of(bench, 2)) == 1)
    assert (await bench.barrier("exit").open(command("exit"))).outcome is Outcome.DONE


async def test_row_24_a_relay_that_opens_goes_off_at_once_though_somebody_waits(
    bench_of: BuildBench, server: Server
) -> None:
    server.coils[1] = server.inputs[0] = True
    bench = bench_of(LANES)
    await bench.live()
    assert writes_of(bench, 1) == [False]
    assert not server.coils[1]
    assert (await bench.barrier().open(command())).outcome is Outcome.DONE
    assert writes_of(bench, 1)[:2] == [False, True]


async def test_row_24_a_stored_hold_is_never_off_at_the_start(
    bench_of: BuildBench, server: Server
) -> None:
    server.coils[1] = server.coils[3] = True
    bench = bench_of(LANES)
    assert (await bench.barrier().hold(command())).outcome is Outcome.FAILED
    await bench.live()
    assert writes_of(bench, 1) == [True]
    assert writes_of(bench, 3) == [False], "a relay that only opens goes off at once"
    assert bench.server.heard[0][0] == 2, "inputs are read before anything is written"


async def test_a_pulse_broken_off_by_the_cable_is_no_hold(bench: Bench) -> None:
    await bench.barrier().open(command())
    bench.server.close()
    await bench.until(lambda: not bench.board.alive)
    bench.server.coils[1] = bench.server.inputs[0] = True
    await bench.server.plug()
    await bench.live()
    assert not bench.server.coils[1]


async def test_a_lane_without_a_close_relay_cannot_be_closed(bench: Bench) -> None:
    ack = await bench.barrier().close(command())
    assert ack.outcome is Outcome.FAILED
    assert "no close relay" in ack.detail


async def test_closing_is_one_pulse_of_the_close_relay(bench: Bench) -> None:
    ack = await bench.barrier("exit").close(command("exit"))
    assert ack.outcome is Outcome.DONE
    assert bench.server.coils[4]


async def test_opening_breaks_a_closing_pulse_off(bench: Bench) -> None:
    await bench.barrier("exit").close(command("exit"))
    assert (await bench.barrier("exit").open(command("exit"))).outcome is Outcome.DONE
    await bench.until(lambda: not bench.server.coils[4])


async def test_nothing_closes_while_the_boom_is_opened_or_held(bench: Bench) -> None:
    exit_ = bench.barrier("exit")
    await exit_.open(command("exit"))
    assert "being opened" in (await exit_.close(command("exit"))).detail
    await exit_.hold(command("exit"))
    ack = await exit_.close(command("exit"))
    assert (ack.outcome, ack.detail) == (Outcome.FAILED, "the boom is kept up")
    assert writes_of(bench, 4) == []


async def test_a_hold_and_a_release_at_once_end_as_the_last_one_says(bench: Bench) -> None:
    barrier = bench.barrier()
    async with asyncio.TaskGroup() as tasks:
        for ask in (barrier.hold, barrier.release, barrier.hold, barrier.release):
            tasks.create_task(ask(command()))
    await bench.until(lambda: not bench.server.coils[1])
    assert (await barrier.open(command())).detail == "switched on and read back"


async def test_a_board_that_echoes_wrongly_gets_its_hold_in_the_end(bench: Bench) -> None:
    bench.server.fault = Fault.WRONG_ECHO
    assert (await bench.barrier().hold(command(within_s=0.5))).outcome is not Outcome.DONE
    bench.server.fault = Fault.NONE
    await bench.live()
    await bench.until(lambda: bench.server.coils[1])


async def test_an_opening_at_once_after_a_closing_answers_both(bench: Bench) -> None:
    exit_ = bench.barrier("exit")
    closing, opening = await asyncio.gather(
        exit_.close(command("exit")), exit_.open(command("exit"))
    )
    assert closing.outcome is Outcome.FAILED
    assert opening.outcome is Outcome.DONE
    assert writes_of(bench, 4) == [], "the close relay was never on"


async def test_a_hold_released_while_the_board_is_made_safe_is_let_down_over_a_clear_lane(
    bench: Bench,
) -> None:
    await bench.barrier().hold(command())
    bench.server.close()
    await bench.until(lambda: not bench.board.alive)
    released: list[asyncio.Task[object]] = []

    def release_meanwhile(pdu: bytes) -> bytes | None:
        if pdu[0] == 5 and not released:
            released.append(asyncio.create_task(bench.barrier().release(command())))
        return bench.server.honest(pdu)

    bench.server.instead = release_meanwhile
    await bench.server.plug()
    await bench.until(lambda: bench.board.alive and not bench.server.coils[1])
    await released[0]


@pytest.mark.parametrize("name", ["entry", "exit"])
@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=12))
@example(actions=["hold", "wait", "refuse", "release"])
@settings(max_examples=20, deadline=None)
def test_whatever_happens_a_relay_ends_as_it_is_wanted_and_no_pulse_is_given_twice(
    build_alone: Callable[[Sequence[LaneSettings]], AbstractAsyncContextManager[Bench]],
    name: str,
    actions: list[str],
) -> None:
    async def play() -> None:
        async with build_alone(QUICK) as bench:
            barrier, wanted, opened = bench.barrier(name), False, 0
            await bench.live()
            tasks = []
            for action in actions:
                if action in ("open", "close", "hold", "release"):
                    tasks.append(asyncio.create_task(getattr(barrier, action)(command(name, 0.5))))
                    wanted = {"hold": True, "release": False}.get(action, wanted)
                    opened += action == "open"
                elif action == "outage":
                    bench.server.close()
                    await bench.server.plug()
                elif action == "wait":
                    await asyncio.gather(*tasks)
                else:
                    bench.server.instead = faulty(action, bench.server)
                await asyncio.sleep(0)
            acks = await asyncio.gather(*tasks)
            assert all(ack.command == "h1" for ack in acks)
            bench.server.instead = None
            relay = next(lane.barrier for lane in QUICK if lane.name == name)
            at_rest = [coil == relay.held_by and wanted for coil in range(8)]
            await bench.until(lambda: bench.server.coils == at_rest and bench.board.alive)
            if name == "exit":
                assert writes_of(bench, relay.coil).count(True) <= opened

    asyncio.run(play())


def faulty(fault: str, server: Server) -> Callable[[bytes], bytes | None] | None:
    """Writes refused as busy; or done, and their echoes lost."""
    if fault == "refuse":
        return lambda pdu: b"\x85\x06" if pdu[0] == 5 else server.honest(pdu)
    if fault == "swallow":
        return lambda pdu: server.honest(pdu) if pdu[0] != 5 else server.honest(pdu) and None
    return None


@pytest.mark.parametrize(("name", "coil", "loop"), [("entry", 1, 0), ("exit", 2, 2)])
async def test_a_release_that_was_refused_comes_about_over_a_clear_lane(
    bench: Bench, name: str, coil: int, loop: int
) -> None:
    await bench.barrier(name).hold(command(name))
    bench.server.instead = faulty("refuse", bench.server)
    ack = await bench.barrier(name).release(command(name, within_s=0.05))
    assert ack.outcome is Outcome.FAILED
    bench.server.inputs[loop] = True
    await sees(bench)
    bench.server.instead = None
    await looks(bench, 3)
    assert bench.server.coils[coil], "somebody has come under the boom meanwhile"
    bench.server.inputs[loop] = False
    await bench.until(lambda: not bench.server.coils[coil])
    assert not bench.health.stands("relay_stray", "gate"), "it was switched on here"


async def test_a_release_whose_caller_has_gone_comes_about(bench: Bench) -> None:
    await bench.barrier("exit").hold(command("exit"))
    bench.server.instead = faulty("refuse", bench.server)
    release = asyncio.create_task(bench.barrier("exit").release(command("exit")))
    await bench.until(lambda: bench.server.writes[-1] == b"\x05\x00\x02\x00\x00")
    release.cancel()
    bench.server.instead = None
    await bench.until(lambda: not bench.server.coils[2])


async def found_up(bench_of: BuildBench, server: Server, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The hold relay of `exit` is on at the start, and a car stands on its arrival loop."""
    monkeypatch.setattr(left_up, "CLEAR_S", 0.05)
    monkeypatch.setattr(relays, "_LOOK_S", 0.05)
    server.coils[2] = server.inputs[2] = True
    bench = bench_of(LANES)
    await bench.live()
    return bench


async def test_a_boom_found_up_waits_for_the_car_that_was_let_in_under_it(
    bench_of: BuildBench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await found_up(bench_of, server, monkeypatch)
    ack = await bench.barrier("exit").open(command("exit"))
    assert (ack.outcome, ack.detail) == (Outcome.DONE, "held open already")
    server.inputs[2] = False
    await looks(bench, 5)
    assert server.coils[2], "it rests between its loops, for longer than a lane has to be clear"
    await drives_through(bench)
    await bench.until(lambda: not server.coils[2])
    assert writes_of(bench, 3) == [False], "no pulse while it was up, and none after"


async def test_a_boom_found_up_waits_for_that_car_through_an_outage_too(
    bench_of: BuildBench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await found_up(bench_of, server, monkeypatch)
    await bench.barrier("exit").open(command("exit"))
    server.close()
    await bench.until(lambda: not bench.board.alive)
    ack = await bench.barrier("exit").open(command("exit"))
    assert ack.outcome is Outcome.FAILED, "whether it is still up is not known"
    server.inputs[2] = False
    await server.plug()
    await bench.live()
    await looks(bench, 5)
    assert server.coils[2]


async def test_a_boom_found_up_that_its_lane_releases_comes_down_at_once(
    bench_of: BuildBench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await found_up(bench_of, server, monkeypatch)
    await bench.barrier("exit").open(command("exit"))
    assert (await bench.barrier("exit").release(command("exit"))).outcome is Outcome.DONE
    assert not server.coils[2]


async def test_a_boom_found_up_whose_relay_falls_by_itself_is_opened_by_a_pulse(
    bench_of: BuildBench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await found_up(bench_of, server, monkeypatch)
    server.coils[2] = False
    await looks(bench, 2)
    ack = await bench.barrier("exit").open(command("exit"))
    assert ack.detail == "switched on and read back"


@pytest.mark.parametrize("coil", [1, 3, 4])
async def test_row_51_a_relay_that_comes_on_by_itself_goes_off_with_an_alarm(
    bench: Bench, coil: int
) -> None:
    bench.server.inputs[0] = bench.server.inputs[2] = True
    await sees(bench)
    bench.server.coils[coil] = True
    await bench.until(lambda: bench.health.stands("relay_stray", "gate"))
    assert f"coil {coil}" in bench.health.alarms[0].detail
    await bench.until(lambda: not bench.server.coils[coil])
    await bench.until(lambda: not bench.health.alarms)
    assert bench.board.alive
    assert writes_of(bench, coil) == [False]


async def test_row_51_a_hold_relay_that_comes_on_by_itself_goes_off_over_a_clear_lane(
    bench: Bench,
) -> None:
    bench.server.inputs[2] = True
    await sees(bench)
    bench.server.coils[2] = True
    await bench.until(lambda: bench.health.stands("relay_stray", "gate"))
    await looks(bench, 3)
    assert bench.server.coils[2], "somebody stands there"
    assert bench.health.stands("relay_stray", "gate")
    bench.server.inputs[2] = False
    await bench.until(lambda: not bench.server.coils[2])
    await bench.until(lambda: not bench.health.alarms)


async def test_row_51_a_relay_of_no_lane_is_left_alone(bench: Bench) -> None:
    bench.server.coils[0] = bench.server.coils[7] = True
    await looks(bench, 3)
    assert bench.server.coils[0]
    assert bench.server.coils[7]
    assert bench.health.alarms == ()


async def test_row_51_pulses_and_holds_of_our_own_are_not_stray(bench: Bench) -> None:
    for _ in range(3):
        await bench.barrier("entry").hold(command())
        await bench.barrier("exit").open(command("exit"))
        await looks(bench, 2)
        await bench.barrier("entry").release(command())
        await bench.until(lambda: not any(bench.server.coils))
    assert bench.news == []
