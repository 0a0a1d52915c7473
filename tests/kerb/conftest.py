"""A whole gate as programs: simulated hardware, a real broker, the centre and the real controller.

One site serves all tests, as a gate serves one car after the other: a test begins and ends with
clear lanes, and looks only at what was told since it began.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from simulators.site import Layout, News, Stage, staged

Fields = dict[str, Any]

KEYS = {"outer-exit": {"open_timeout_s": 3.0, "safety_long_s": 1.0}}
"""One lane is quicker to lose patience than any other may be on a slow machine."""


class Kerb:
    """One lane, and what was told of it since `begin`; another lane is `at(NAME)`."""

    def __init__(self, stage: Stage, lane: str = "inner-entry") -> None:
        self.stage = stage
        self.lane = lane
        self.board, self.centre = stage.board, stage.centre
        self.sign = stage.simulators[f"sign-{lane}"]
        self.inputs = stage.lanes[lane].inputs
        self._since = {each: each.mark for each in (self.board, self.centre, self.sign)}

    def at(self, lane: str) -> "Kerb":
        """Another lane of the same site."""
        return Kerb(self.stage, lane)

    # what cars and people do

    async def arrives(self, plate: str | None = None) -> None:
        await self.stage.arrives(self.lane, plate)

    async def crosses(self) -> None:
        """The car drives through, and its passage has ended."""
        mark = self.centre.mark
        await self.stage.crosses(self.lane)
        await self._told({"kind": "passage.ended", "lane": self.lane, "end": "passed"}, mark)

    async def backs_out(self) -> None:
        """The car leaves the way it came, and its passage has ended."""
        mark = self.centre.mark
        await self.stage.backs_out(self.lane)
        await self._told({"kind": "passage.ended", "lane": self.lane, "end": "backed_out"}, mark)

    async def sees_nothing(self) -> None:
        """There is nothing before the camera any more that could be read."""
        await self.stage.camera(self.lane).tell(f"clear {self.lane}")

    async def camera_is(self, fault: str) -> None:
        await self.stage.camera(self.lane).tell(f"fault {self.lane} {fault}")

    async def wire(self, what: str, on: bool) -> None:
        """The lane's `arrival` or `safety` loop goes on or off, whatever stands there."""
        channel = f"{self.stage.lanes[self.lane].unit}.{self.inputs[what]}"
        await self.board.tell(f"input {channel} {'on' if on else 'off'}")

    async def controller_is_killed(self) -> None:
        """As by a power cut; it is started again, and online."""
        assert self.stage.controller is not None
        self.stage.controller.kill()
        await self.stage.controller.ended()
        await go_live(self.stage)

    async def listed(self, command: str) -> None:
        """The centre changes a list, and the controller has followed."""
        mark = self.centre.mark
        answer = await self.centre.tell(command)
        if answer["changed"]:
            await self._told({"kind": "registry.followed", "list": answer["list"]}, mark)

    async def order(self, verb: str, fields: str) -> Fields:
        """What the controller answered to an order of the centre."""
        return await self.centre.tell(f'order {verb} {fields} reason="a test"')

    # what was seen of it

    async def opened(self, times: int = 1) -> None:
        """The relay has closed so often."""
        await self.board.heard(
            lambda _: self.pulses >= times, f"pulse {times} of {self.lane}", self._since[self.board]
        )

    @property
    def pulses(self) -> int:
        """How often the relay has closed."""
        return sum(map(self._is_pulse, self.board.since(self._since[self.board])))

    async def decided(self, verdict: str, reason: str, plate: str | None = None) -> Fields:
        wanted = {"kind": "vehicle.decided", "verdict": verdict, "reason": reason}
        return await self.told(**wanted, **({"plate": plate} if plate else {}))

    async def ended(self, end: str, **wanted: object) -> Fields:
        return await self.told(kind="passage.ended", end=end, **wanted)

    async def alarm(self, name: str, subject: str | None = None) -> Fields:
        wanted = {"kind": "alarm.raised", "alarm": name, "subject": subject or self.lane}
        return await self._told(wanted, self._since[self.centre])

    async def cleared(self, name: str, subject: str | None = None) -> Fields:
        wanted = {"kind": "alarm.cleared", "alarm": name, "subject": subject or self.lane}
        return await self._told(wanted, self._since[self.centre])

    async def told(self, **wanted: object) -> Fields:
        """An event of this lane, as the centre got it: its body."""
        return await self._told({"lane": self.lane, **wanted}, self._since[self.centre])

    def events(self, kind: str) -> list[Fields]:
        """All of this lane, of one kind: their bodies."""
        return [news["body"] for news in self._events(kind)]

    async def each_told(self, kind: str, times: int) -> list[Fields]:
        """The same, once there are so many."""
        await self.centre.heard(
            lambda _: len(self._events(kind)) >= times,
            f"{times} {kind}",
            self._since[self.centre],
        )
        return self.events(kind)

    def passages(self, kind: str) -> list[str]:
        """The passages of which such an event told."""
        return [str(news["passage"]) for news in self._events(kind)]

    def _events(self, kind: str) -> list[News]:
        wanted = {"said": "event", "kind": kind, "lane": self.lane}
        news = self.centre.since(self._since[self.centre])
        return [each for each in news if wanted.items() <= each.items()]

    async def shows(self, text: str) -> None:
        """The driver reads this, or has read it."""

        def reads(news: News) -> bool:
            return news["said"] == "shown" and any(text in line for line in news["lines"])

        await self.sign.heard(reads, f"{text} on the display", self._since[self.sign])

    async def _told(self, wanted: Fields, since: int) -> Fields:
        def fits(news: News) -> bool:
            return news["said"] == "event" and wanted.items() <= _flat(news).items()

        body: Fields = (await self.centre.heard(fits, f"event {wanted}", since))["body"]
        return body

    def _is_pulse(self, news: News) -> bool:
        here = self.stage.lanes[self.lane]
        pulse = {"said": "coil", "unit": here.unit, "coil": here.number, "on": True}
        return pulse.items() <= news.items()


def _flat(news: News) -> Fields:
    """An event with the simple values of its body, and those of the decision within."""
    body = news["body"]
    parts: list[Fields] = [body.get("decision") or {}, body, news]
    return {
        key: value
        for part in parts
        for key, value in part.items()
        if not isinstance(value, dict | list | None)
    }


async def go_live(stage: Stage) -> None:
    """Start the controller, and wait until the centre sees it."""
    mark = stage.centre.mark
    await stage.start_controller()
    await stage.centre.said("status", mark, state="online")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The site of all tests; one for each process that runs tests."""
    folder = tmp_path_factory.mktemp("site")
    async with staged(Layout(speed=2.0, keys=KEYS), folder) as stage:
        await go_live(stage)
        yield stage


@pytest_asyncio.fixture(loop_scope="session")
async def kerb(site: Stage) -> AsyncIterator[Kerb]:
    """The inner entry; afterwards nothing is broken any more."""
    yield Kerb(site)
    await _repaired(site)


async def _repaired(stage: Stage) -> None:
    for lane in stage.lanes:
        await stage.camera(lane).tell(f"fault {lane} none")
    await stage.board.tell("fault none")
