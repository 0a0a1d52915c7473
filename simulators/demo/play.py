"""The play: what happens at the gate, act by act, and what has to come of it.

Cars are moved by telling the simulated camera and loops; what the controller made of it is seen
from outside: at the board's coils, and in the events that reach the centre.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from gatekeeper.clock import monotonic
from gatekeeper.store import journal
from simulators.demo.cast import Car, Cast
from simulators.demo.errors import DemoError
from simulators.demo.site import LANES
from simulators.demo.stage import Stage
from simulators.demo.tell import Teller
from simulators.site.program import News

INNER_ENTRY, INNER_EXIT = "inner-entry", "inner-exit"


class Play:
    """One performance on one stage."""

    def __init__(self, stage: Stage, teller: Teller, cast: Cast) -> None:
        self._stage = stage
        self._teller = teller
        self._cast = cast

    @property
    def acts(self) -> tuple[tuple[str, Callable[[], Awaitable[None]]], ...]:
        """Title and action of each act, in order."""
        return (
            ("The gate goes live", self._goes_live),
            ("A visitor who bound the plate comes in", self._visitor_enters),
            ("An unknown car is refused, binds at the gate, and is let in", self._binds_at_gate),
            ("A staff car overstays and is not let in again", self._overstays),
            ("The broker is away for a while", self._broker_away),
            ("The controller is killed while a car waits", self._controller_killed),
            ("The centre's events and the gate's journal agree", self.agreement),
        )

    async def perform(self) -> None:
        """All acts; one that does not come out as told does not stop the next."""
        for title, action in self.acts:
            async with self._teller.act(title):
                await action()
            if title == self.acts[0][0] and self._teller.failed:
                return  # nothing can be played on a gate that is not live

    async def agreement(self) -> None:
        """The centre holds each event of the journal once, and no other."""
        async with self._teller.step("the outbox is empty, and both lists are the same"):
            count = await self._until_agreed(30.0)
        self._teller.note(f"{count} events; controller started again {self._stage.restarts} times")

    # --- acts ---------------------------------------------------------------------------------

    async def _goes_live(self) -> None:
        stage, teller = self._stage, self._teller
        async with teller.step("mosquitto, relay board, four cameras and the centre are up"):
            await stage.start_broker()
            await stage.centre_connected(after=0)
        async with teller.step("the controller starts, and the centre sees it online"):
            await stage.start_daemon()
            await self._online(after=0)
        async with teller.step("it has the lists of visitors, internals, blacklist and exempt"):
            for name in ("visitors", "internals", "blacklist", "exempt"):
                await stage.event(0, f"list {name}", kind="registry.followed", list=name)
        async with teller.step("all relays are off and all four lanes are clear"):
            await self._coils_off()

    async def _visitor_enters(self) -> None:
        car = self._cast.visitor
        await self._listed(f"bind {car.plate}", "visitors", f"{car.plate} is bound by its driver")
        await self._through("outer-entry", car, "everybody")
        await self._through(INNER_ENTRY, car, "visitor")

    async def _binds_at_gate(self) -> None:
        car, stage, teller = self._cast.stranger, self._stage, self._teller
        mark = self._mark()
        await self._appears(INNER_ENTRY, car)
        async with teller.step(f"{car.plate} is refused: not bound; please scan the code"):
            await self._decided(mark, INNER_ENTRY, car, "refuse", "not_bound")
        coils = stage.board.mark
        async with teller.step(f"{car.plate} is bound by phone, and the gate opens by itself"):
            await stage.centre.tell(f"bind {car.plate}")
            await self._pulsed(INNER_ENTRY, coils)
        await self._decided(mark, INNER_ENTRY, car, "admit", "visitor")
        await self._drives_through(INNER_ENTRY, car, mark)

    async def _overstays(self) -> None:
        car, stage, teller = self._cast.staff, self._stage, self._teller
        limit = stage.site.limit_s
        await self._listed(f"internal {car.plate}", "internals", f"{car.plate} is a staff car")
        mark = self._mark()
        await self._through(INNER_ENTRY, car, "internal")
        within = 3 * limit + 20
        async with teller.step(f"its {limit:g} s are nearly over: the centre is warned"):
            await stage.event(mark, "warning", within, kind="stay.warning", plate=car.plate)
        async with teller.step("limit and grace are over: a certain overstay"):
            await stage.event(mark, "overstay", within, kind="stay.overstayed", plate=car.plate)
        async with teller.step("the plate is on the visitor zone's blacklist"):
            await stage.event(mark, "blacklisting", kind="blacklist.added", plate=car.plate)
            await stage.event(mark, "list change", kind="registry.followed", list="blacklist")
        await self._through(INNER_EXIT, car, "exit")
        mark = self._mark()
        await self._appears(INNER_ENTRY, car)
        async with teller.step(f"{car.plate} comes back and is refused: blacklisted"):
            await self._decided(mark, INNER_ENTRY, car, "refuse", "blacklisted")
        await self._turns_back(INNER_ENTRY, mark)

    async def _broker_away(self) -> None:
        stage, teller = self._stage, self._teller
        leaving, coming = self._cast.visitor, self._cast.second_visitor
        await self._listed(f"bind {coming.plate}", "visitors", f"{coming.plate} is bound")
        async with teller.step("the broker is killed; it keeps nothing"):
            if stage.broker is not None:
                stage.broker.kill()
                await stage.broker.ended()
        mark = self._mark()
        async with teller.step(f"{leaving.plate} leaves all the same"):
            await self._passes_unheard(INNER_EXIT, leaving)
        async with teller.step(f"{coming.plate} is let in by the lists that are here"):
            await self._passes_unheard(INNER_ENTRY, coming)
        async with teller.step("the broker is back, and the centre learns all of it"):
            await stage.start_broker()
            for lane in (INNER_EXIT, INNER_ENTRY):
                await stage.event(mark, f"passage of {lane}", 60, kind="passage.ended", lane=lane)

    async def _controller_killed(self) -> None:
        car, stage, teller = self._cast.second_visitor, self._stage, self._teller
        mark, coils = self._mark(), stage.board.mark
        await self._appears(INNER_EXIT, car)
        async with teller.step("kill -9, at the moment the barrier's relay closes"):
            await self._pulsed(INNER_EXIT, coils)
            if stage.daemon is not None:
                stage.daemon.kill()
                await stage.daemon.ended()
        coils = stage.board.mark
        async with teller.step("started again: relays off first, then it is online"):
            await self._online(after=mark)
        async with teller.step(f"{car.plate} still stands there, is decided once more, and leaves"):
            await self._pulsed(INNER_EXIT, coils)
            await stage.board.tell(f"cross {INNER_EXIT}")
        await stage.camera.tell(f"clear {INNER_EXIT}")
        await stage.event(mark, "passage", kind="passage.ended", lane=INNER_EXIT, end="passed")
        async with teller.step("no relay was left on"):
            await self._coils_off()

    # --- scenes -------------------------------------------------------------------------------

    async def _listed(self, command: str, name: str, told: str) -> None:
        """The centre changes a list, and the gate has followed."""
        async with self._teller.step(told):
            mark = self._mark()
            await self._stage.centre.tell(command)
            await self._stage.event(mark, "list change", kind="registry.followed", list=name)

    async def _through(self, lane: str, car: Car, reason: str) -> None:
        """A car comes, is admitted for `reason`, and drives through."""
        stage = self._stage
        mark, coils, begun = self._mark(), stage.board.mark, monotonic()
        await self._appears(lane, car)
        async with self._teller.step(f"{lane}: {car.plate} is read and admitted: {reason}"):
            await self._pulsed(lane, coils)
            took_ms = (monotonic() - begun) * 1000
            await self._decided(mark, lane, car, "admit", reason)
        self._teller.note(f"from arrival to the relay: {took_ms:.0f} ms", ms=round(took_ms))
        await self._drives_through(lane, car, mark)

    async def _appears(self, lane: str, car: Car) -> None:
        await self._stage.camera.tell(car.shown(lane))
        await self._stage.board.tell(f"arrive {lane}")

    async def _drives_through(self, lane: str, car: Car, mark: int) -> None:
        async with self._teller.step(f"{lane}: the boom is up, {car.plate} drives through"):
            await self._stage.board.tell(f"cross {lane}")
            await self._stage.camera.tell(f"clear {lane}")
            await self._stage.event(mark, "passage", kind="passage.ended", lane=lane, end="passed")

    async def _turns_back(self, lane: str, mark: int) -> None:
        async with self._teller.step(f"{lane}: it reverses and drives away"):
            await self._stage.board.tell(f"back {lane}")
            await self._stage.camera.tell(f"clear {lane}")
            await self._stage.event(
                mark, "turning back", kind="passage.ended", lane=lane, end="backed_out"
            )

    async def _passes_unheard(self, lane: str, car: Car) -> None:
        """A car passes while the centre cannot know it."""
        coils = self._stage.board.mark
        await self._appears(lane, car)
        await self._pulsed(lane, coils)
        await self._stage.board.tell(f"cross {lane}")
        await self._stage.camera.tell(f"clear {lane}")

    # --- what is seen from outside --------------------------------------------------------------

    def _mark(self) -> int:
        """Now, among the centre's news."""
        return self._stage.centre.mark

    async def _decided(self, mark: int, lane: str, car: Car, verdict: str, reason: str) -> News:
        return await self._stage.event(
            mark,
            f"{verdict} {reason} for {car.plate}",
            kind="vehicle.decided",
            lane=lane,
            plate=car.plate,
            verdict=verdict,
            reason=reason,
        )

    async def _pulsed(self, lane: str, after: int) -> None:
        """The lane's relay closed, at the board itself."""
        coil = LANES.index(lane)
        wanted: dict[str, Any] = {"said": "coil", "coil": coil, "on": True}
        await self._stage.board.heard(
            lambda said: said.items() >= wanted.items(), f"pulse for {lane}", after, 15.0
        )

    async def _online(self, after: int) -> None:
        await self._stage.centre.heard(
            lambda said: said["said"] == "status" and said.get("state") == "online",
            "controller online",
            after,
        )

    async def _coils_off(self) -> None:
        coils = (await self._stage.board.tell("coils"))["coils"]
        if any(coils):
            raise DemoError(f"board: relays are on: {coils}")

    async def _until_agreed(self, within_s: float) -> int:
        deadline = monotonic() + within_s
        while True:
            said = await self._stage.centre.tell("events")
            rows = list(journal.events(self._stage.site.folder / "gatekeeper.db"))
            digest = hashlib.sha256("".join(row.id for row in rows).encode()).hexdigest()
            held = said["journals"].get(rows[0].journal, {}) if rows else {}
            agreed = (held.get("count"), held.get("digest")) == (len(rows), digest)
            if agreed and all(row.confirmed for row in rows):
                return len(rows)
            if monotonic() > deadline:
                raise DemoError(
                    f"the centre holds {held.get('count', 0)} events, the journal {len(rows)}, of"
                    f" which {sum(row.confirmed for row in rows)} are confirmed"
                )
            await asyncio.sleep(0.2)
