"""Lets a plan happen on a stage, and tells the truth of it as news.

Cars queue before a lane in the order in which they come. What a car finds closed for longer than
its driver's patience it leaves backwards, and goes its way without what lies behind.
"""

import asyncio
import contextlib
from collections import defaultdict

from simulators.console import say
from simulators.site.layout import INNER
from simulators.site.plan import Journey, Kind, Plan, Stop, Trouble
from simulators.site.program import ProgramError
from simulators.site.stage import Stage

PATIENCE_S = 20.0
_ROLLS_UP_S = 3.0
"""From one car's leaving a lane to the next one's standing there."""
_LISTED = {
    Kind.VISITOR: "bind",
    Kind.INTERNAL: "internal",
    Kind.BANNED: "ban",
    Kind.EXEMPT: "exempt",
}


class Play:
    """One performance. Without a centre every list is empty."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self._stage = stage
        self._plan = plan
        self._queues: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._repairs: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def prepare(self) -> None:
        """The lists know who will come."""
        for journey in self._plan.journeys:
            if journey.kind in _LISTED:
                await self._centre(f"{_LISTED[journey.kind]} {journey.plate}")

    async def perform(self) -> None:
        """All of it, until the last car has gone."""
        async with asyncio.TaskGroup() as tasks:
            for journey in self._plan.journeys:
                tasks.create_task(self._drive(journey))
            for trouble in self._plan.troubles:
                tasks.create_task(self._break(trouble))
        say("over", journeys=len(self._plan.journeys), troubles=len(self._plan.troubles))

    async def _drive(self, journey: Journey) -> None:
        await asyncio.sleep(journey.at_s)
        try:
            await self._travel(journey)
        except ProgramError as error:
            say("lost", plate=journey.plate, detail=str(error))

    async def _travel(self, journey: Journey) -> None:
        outside = False
        for stop in journey.stops:
            inner = self._stage.lanes[stop.lane].zone == INNER
            if outside and inner:
                continue  # it was not let into the zone, and need not leave it
            await asyncio.sleep(stop.after_s)
            async with self._queues[stop.lane]:
                through = await self._pass(journey, stop)
                await asyncio.sleep(_ROLLS_UP_S / self._stage.layout.speed)
            outside = outside or (inner and not through)
            if not through and not inner:
                return

    async def _pass(self, journey: Journey, stop: Stop) -> bool:
        """Whether the car got through the lane."""
        plate = journey.plate if journey.readable else None
        told = {"lane": stop.lane, "plate": journey.plate}
        with contextlib.suppress(ProgramError):  # whatever the camera shows of it
            await self._stage.arrives(stop.lane, plate)
        say("arrived", **told, kind=journey.kind, readable=journey.readable)
        if stop.backs_out:
            return await self._leaves(told)
        binding = asyncio.create_task(self._bind(journey))
        try:
            verb = "tailgate" if stop.followed else "cross"
            command = f"{verb} {stop.lane} {PATIENCE_S}"
            await self._stage.board.tell(command, PATIENCE_S + 30.0)
            say("crossed", **told, followed=stop.followed)
            return True
        except ProgramError:
            return await self._leaves(told)
        finally:
            binding.cancel()
            with contextlib.suppress(ProgramError):
                await self._stage.camera(stop.lane).tell(f"clear {stop.lane}")

    async def _bind(self, journey: Journey) -> None:
        """An unknown driver reads on the display what to do."""
        if journey.kind is Kind.UNKNOWN and journey.binds_s is not None:
            await asyncio.sleep(journey.binds_s)
            await self._centre(f"bind {journey.plate}")
            say("bound", plate=journey.plate)

    async def _leaves(self, told: dict[str, str]) -> bool:
        await self._stage.backs_out(told["lane"])
        say("turned_back", **told)
        return False

    async def _break(self, trouble: Trouble) -> None:
        await asyncio.sleep(trouble.at_s)
        async with self._repairs[trouble.simulator]:
            await self._tell(trouble.simulator, trouble.begins)
            await asyncio.sleep(trouble.lasts_s)
            await self._tell(trouble.simulator, trouble.ends)

    async def _tell(self, simulator: str, command: str) -> None:
        await self._stage.simulators[simulator].tell(command)
        say("trouble", simulator=simulator, command=command)

    async def _centre(self, command: str) -> None:
        if "centre" in self._stage.simulators:
            await self._stage.centre.tell(command)
