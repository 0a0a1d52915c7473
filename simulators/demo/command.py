"""The command itself: options in, exit code out."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

import click

from simulators.demo.cast import DRAWN, Cast, from_photographs
from simulators.demo.errors import DemoError
from simulators.demo.play import Play
from simulators.demo.stage import Stage, staged
from simulators.demo.tell import Teller
from simulators.site.program import ProgramError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Play with real photographs; their plates are read from them.",
)
@click.option(
    "--limit",
    "limit_s",
    type=click.FloatRange(3, 600),
    default=6.0,
    show_default=True,
    metavar="SECONDS",
    help="How long staff may stop in the visitor zone: ten minutes at a real gate.",
)
@click.option("--hold", is_flag=True, help="Keep everything running afterwards, until Ctrl-C.")
def demo(as_json: bool, pictures: Path | None, limit_s: float, hold: bool) -> None:
    """Play a day at the gate: broker, simulated hardware, the real daemon.

    Exit code 0 only if every act came out as told.
    """
    teller = Teller(as_json=as_json)
    cast = DRAWN
    if pictures is not None:
        cast = from_photographs(pictures)
    try:
        asyncio.run(_perform(teller, cast, limit_s, hold))
    except (KeyboardInterrupt, asyncio.CancelledError):
        teller.end("broken off; everything it started is gone")
        sys.exit(130)
    except ProgramError as error:
        raise DemoError(str(error)) from error
    sys.exit(1 if teller.failed else 0)


async def _perform(teller: Teller, cast: Cast, limit_s: float, hold: bool) -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="gatekeeper-demo-") as folder:
        async with staged(Path(folder), limit_s) as stage:
            play = Play(stage, teller, cast)
            await play.perform()
            if hold:
                await _hold(stage, teller)
                async with teller.act("Once more: the centre and the journal agree"):
                    await play.agreement()
    failed = teller.failed
    teller.end(f"not as told: {'; '.join(failed)}" if failed else "every act came out as told")


async def _hold(stage: Stage, teller: Teller) -> None:
    """Keep the stage, and pass on commands typed here, until Ctrl-C or the end of stdin."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    with contextlib.suppress(PermissionError, ValueError, OSError):
        loop.add_reader(sys.stdin, _typed, stage, teller, set())
    teller.note(
        f"held, until Ctrl-C; configuration {stage.site.config},"
        f" controller's process {stage.daemon.pid if stage.daemon else '-'}",
        config=str(stage.site.config),
        pid=stage.daemon.pid if stage.daemon else None,
    )
    teller.note("try: camera show inner-entry 闽A12345 / board arrive inner-entry")
    teller.note("     centre bind 闽A12345 / board cross inner-entry / centre open outer-entry why")
    await stop.wait()
    loop.remove_reader(sys.stdin)


def _typed(stage: Stage, teller: Teller, asked: set[asyncio.Task[None]]) -> None:
    line = sys.stdin.readline()
    if not line:
        asyncio.get_running_loop().remove_reader(sys.stdin)
        return
    who, _, command = line.strip().partition(" ")
    if who in ("board", "camera", "centre") and command:
        task = asyncio.create_task(_ask(stage, teller, who, command))
        asked.add(task)
        task.add_done_callback(asked.discard)
    elif line.strip():
        teller.note("say board, camera or centre, and a command; `help` is in --help of each")


async def _ask(stage: Stage, teller: Teller, who: str, command: str) -> None:
    try:
        answer = await getattr(stage, who).tell(command)
    except ProgramError as error:
        teller.note(str(error))
    else:
        teller.note(str({key: value for key, value in answer.items() if key != "tag"}))
