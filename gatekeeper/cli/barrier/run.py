"""Running a test of a lane: the journal that it is written to, and the boards of the lane."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial

import click
import structlog

from gatekeeper.cli.barrier.inputs import Inputs
from gatekeeper.cli.barrier.lane_test import LaneTest
from gatekeeper.cli.barrier.parts import inputs_of
from gatekeeper.cli.barrier.terminal import Terminal
from gatekeeper.clock import SystemClock
from gatekeeper.config import BoardSettings, Config, LaneSettings
from gatekeeper.drivers.board import RelayBoard
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.ports import Barrier
from gatekeeper.errors import BoardError, LaneTestError
from gatekeeper.health import Health
from gatekeeper.model import (
    AlarmCleared,
    AlarmRaised,
    Commit,
    Fact,
    LaneTestBegun,
    LaneTested,
    PartTested,
    Record,
    Sensor,
)
from gatekeeper.store import Store

ANSWERS_S = 10.0
"""A board that has not answered after this is not there."""

LOOK_S = 0.05


def run(
    config: Config, lane: str, terminal: Terminal, *, by: str, reason: str, wait_s: float
) -> tuple[PartTested, ...]:
    """Test a lane; what was found, part by part.

    Raises `LaneTestError` where its boom is kept up, `BoardError` for a board that does not
    answer, and `click.Abort` at SIGTERM and SIGHUP (the terminal is gone), as at SIGINT: pulses
    are ended, and the journal is told, first.
    """
    # What these complain of, the terminal tells in the words of the alarms.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    settings = next(one for one in config.lane if one.name == lane)
    try:
        return asyncio.run(_run(config, settings, terminal, by, reason, wait_s))
    except asyncio.CancelledError:
        raise click.Abort from None


async def _run(
    config: Config, lane: LaneSettings, terminal: Terminal, by: str, reason: str, wait_s: float
) -> tuple[PartTested, ...]:
    _end_at_signals()
    terminal.open()
    async with AsyncExitStack() as stack:
        note = await _journal(config, lane, stack)
        inputs = Inputs(terminal.tell)
        barrier = await _live_barrier(config, lane, inputs, terminal, stack)
        wires = inputs_of(lane, config.fire.inputs)
        test = LaneTest(
            lane, wires, barrier=barrier, inputs=inputs, terminal=terminal, note=note, wait_s=wait_s
        )
        await note(LaneTestBegun(by=by, reason=reason))
        try:
            await test.run()
        finally:
            await note(LaneTested(by=by, parts=tuple(test.parts)))
    return tuple(test.parts)


def _end_at_signals() -> None:
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _journal(
    config: Config, lane: LaneSettings, stack: AsyncExitStack
) -> Callable[[Fact], Awaitable[None]]:
    clock = SystemClock()
    store = await Store.opened(config.store.path)
    stack.push_async_callback(store.close)
    held = [hold.reason.value for hold in await store.holds() if hold.lane == lane.name]
    if await store.fire() or held:
        raise LaneTestError(
            f"the boom of {lane.name} is kept up for {' and '.join(held or ['fire'])}: a test would"
            " let it down; release it first, by an order of the centre"
        )

    async def note(fact: Fact) -> None:
        record = Record(fact=fact, at=clock.instant(), lane=lane.name)
        await store.commit(Commit(records=(record,)))

    return note


async def _live_barrier(
    config: Config, lane: LaneSettings, inputs: Inputs, terminal: Terminal, stack: AsyncExitStack
) -> Barrier:
    """The barrier of a lane, once its boards are live. They know no other lane, and leave the
    relays of others as they are.
    """
    health = Health(SystemClock())
    health.watch(lambda news: terminal.tell(_told(news)))
    wires = inputs_of(lane, config.fire.inputs)
    names = {lane.barrier.board, *(wire.board for wire in wires.values())}
    wired = [board for board in config.board if board.name in names]
    buses = {board.line: Bus(board.line) for board in wired}
    boards: dict[str, RelayBoard] = {}
    for one in wired:
        board = boards[one.name] = RelayBoard(one, [lane], health, buses[one.line])
        for part, wire in wires.items():
            if wire.board == one.name:
                board.watch(lane.name, _sensor(part), wire, partial(inputs.see, part))
        _begin(board.run(), stack)
        await _live(one.name, board, health)
        _introduce(one, terminal)
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWERS_S):
            await inputs.read(wires.keys())
    return boards[lane.barrier.board].barrier(lane.name)


def _sensor(part: str) -> Sensor:
    return Sensor(part.partition(".")[0].removesuffix("_loop"))


def _begin(work: Coroutine[None, None, None], stack: AsyncExitStack) -> None:
    """Work until the stack lets go, and then wait for its end: a pulse may still have to."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)


async def _live(name: str, board: RelayBoard, health: Health) -> None:
    try:
        async with asyncio.timeout(ANSWERS_S):
            while not board.alive:  # noqa: ASYNC110 - a board does not tell when it is live
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        why = [alarm.detail for alarm in health.alarms if alarm.subject == name]
        detail = "; ".join(why) or "nothing came"
        raise BoardError(f"relay board {name} does not answer: {detail}") from None


def _introduce(board: BoardSettings, terminal: Terminal) -> None:
    terminal.tell(f"Board {board.name} answers ({board.address} unit {board.unit}).")
    if not board.profile.verified:
        terminal.tell("  Its profile was never tried on a bench: believe your eyes.")
    for quirk in board.profile.quirks:
        terminal.tell(f"  {quirk}")


def _told(news: AlarmRaised | AlarmCleared) -> str:
    if isinstance(news, AlarmCleared):
        return f"  {news.subject}: {news.alarm} is over"
    return f"  {news.subject}: {news.alarm}: {news.detail}"
