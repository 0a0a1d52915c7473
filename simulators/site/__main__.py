"""`python -m simulators.site`: a whole site from one seed.

Starts relay boards, cameras, displays, broker and centre, writes the configuration of a controller
for them, and lets cars come and things break as the seed says. What really happened is told line
by line.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import NoReturn, Self

from simulators.console import Command, CommandError, Fields, parser, run, say
from simulators.site.layout import MOST_LANES, Layout
from simulators.site.plan import drawn
from simulators.site.play import Play
from simulators.site.program import ProgramError
from simulators.site.stage import Stage, staged


class Site(AbstractAsyncContextManager["Site"]):
    """The stage, and the play on it; raises `OSError` where something cannot be started."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._stack = AsyncExitStack()
        self._stage: Stage
        self._play: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        options = self._options
        layout = Layout(
            lanes=options.lanes,
            apart=options.apart,
            serial=options.serial,
            displays=not options.no_displays,
            speed=options.speed,
        )
        plan = drawn(
            options.seed,
            layout,
            minutes=options.minutes,
            rate=options.rate,
            faults=options.faults,
        )
        try:
            self._stage = await self._stack.enter_async_context(staged(layout, self._folder()))
            play = Play(self._stage, plan)
            await play.prepare()
            if options.controller:
                await self._stage.start_controller()
        except ProgramError as error:
            await self._stack.aclose()
            raise OSError(str(error)) from error
        say(
            "ready",
            config=str(self._stage.config),
            start=f"gatekeeper run {self._stage.config}",
            simulators=list(self._stage.simulators),
        )
        self._play = asyncio.create_task(play.perform())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._play.cancel()
        await asyncio.gather(self._play, return_exceptions=True)
        await self._stack.aclose()

    async def tell(self, who: str, command: str) -> Fields:
        """Say something to one simulator, `tell board state`; answered with its answer."""
        if who not in self._stage.simulators:
            raise CommandError(f"there are {', '.join(self._stage.simulators)}")
        try:
            answer = await self._stage.simulators[who].tell(command)
        except ProgramError as error:
            raise CommandError(str(error)) from error
        return {who: {key: each for key, each in answer.items() if key not in ("tag", "said")}}

    def _folder(self) -> Path:
        if self._options.folder is None:
            temporary = tempfile.TemporaryDirectory(prefix="gatekeeper-site-")
            return Path(self._stack.enter_context(temporary))
        self._options.folder.mkdir(parents=True, exist_ok=True)
        return Path(self._options.folder).resolve()


COMMANDS = (Command(Site.tell, "WHO COMMAND..."),)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the site until stdin ends."""
    line = parser("site", "A whole site from one seed: traffic, faults, and the truth.", COMMANDS)
    line.add_argument("--seed", type=int, default=1, help="the same seed plans the same play")
    line.add_argument("--lanes", type=int, default=4, choices=range(1, MOST_LANES + 1))
    line.add_argument("--apart", type=int, default=0, help="lanes with a board of their own")
    line.add_argument("--serial", action="store_true", help="the boards are on a serial line")
    line.add_argument("--no-displays", action="store_true")
    line.add_argument("--rate", type=float, default=120.0, help="cars that come in an hour")
    line.add_argument("--minutes", type=float, default=10.0, help="how long cars come")
    line.add_argument("--faults", action="store_true", help="about once a minute something breaks")
    line.add_argument("--speed", type=float, default=1.0, help="of booms and cars")
    line.add_argument("--folder", type=Path, help="for all files; a temporary one if not given")
    line.add_argument("--controller", action="store_true", help="start the controller as well")
    options = line.parse_args(argv)
    if not 0 <= options.apart < options.lanes:
        line.error("--apart: at least one lane is on the first board")
    if options.rate <= 0 or options.minutes <= 0:
        line.error("--rate and --minutes: more than nothing")
    run(Site(options), COMMANDS)


if __name__ == "__main__":
    main(sys.argv[1:])
