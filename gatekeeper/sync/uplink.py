"""The outbox on its way up: events of the store go out to the centre, confirmations come back in.

Two cursors read the outbox. `live` starts behind the last event there is when a connection
begins, and sends what is committed from then on; `backlog` starts at the oldest unconfirmed event
and catches up to where `live` began. The live one goes first at every turn, so that a car now is
not told after the cars of a week; each cursor keeps its order. A backlog event is sent only while
few before it are unconfirmed, because brokers drop what a slow centre leaves lying.

A PUBACK ends nothing: only the centre's confirmation takes an event out of the outbox. Where the
confirmations stand still both cursors start again, ever more slowly. Nothing is kept here that
the store does not have, and nothing is ever taken out here.
"""

import asyncio
from collections.abc import Sequence

import structlog

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError
from gatekeeper.health import Health
from gatekeeper.model import Pending
from gatekeeper.store import Store
from gatekeeper.sync import wire
from gatekeeper.sync.client import Connection
from gatekeeper.sync.limits import WINDOW
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.topics import Topics
from gatekeeper.sync.wire import Confirmation

log = structlog.get_logger(__name__)

_AHEAD = 500
"""Events of each cursor that may be unconfirmed at once: together as many as mosquitto holds for a
slow client (max_queued_messages) before it drops.
"""


class Uplink:
    """Used from the loop's thread; `run` once for each connection, one at a time."""

    def __init__(
        self, topics: Topics, *, store: Store, clock: Clock, health: Health, pace: Pace
    ) -> None:
        self._topics, self._store, self._clock = topics, store, clock
        self._health, self._pace = health, pace
        self._news = asyncio.Event()
        self._live = self._backlog = self._join = 0
        self._begun = self._confirmed = self._told = 0
        self._told_id: str | None = None
        self._begins_again = False
        self._first_live: int | None = None
        self._waiting_since: float | None = None
        self._silent_since: float | None = None
        self._patience_s = pace.resend.first_s
        store.watch(self._news.set)

    @property
    def silent_s(self) -> float:
        """How long the centre has confirmed nothing, the broker being there; 0.0 if it does."""
        return 0.0 if self._silent_since is None else self._clock.boot_s() - self._silent_since

    async def run(self, connection: Connection) -> None:
        """Send what is unconfirmed, then what comes, until the connection is lost (`LinkError`)."""
        await self._begin()
        try:
            while True:
                self._news.clear()
                await self._step(connection)
        finally:
            self._first_live = None

    def hear(self, told: Confirmation) -> bool:
        """Note a confirmation for `settle`; another journal's word means nothing here. Whether it
        was written just now: it knows an event that was new on this connection, so that it cannot
        have waited at the broker since an earlier one.
        """
        if told.journal != self._store.journal:
            return False
        if told.seq > max(self._told, self._confirmed):
            self._told, self._told_id = told.seq, told.id
            self._silent_since = None
            self._health.clear_alarm("centre_silent", "centre")
        return self._first_live is not None and told.seq >= self._first_live

    async def settle(self) -> None:
        """Take out of the outbox what was confirmed: of many confirmations at once only the
        furthest is written. Raises `StoreError`; a later call then makes up for it.
        """
        seq, self._told = self._told, 0
        if seq == 0:
            return
        try:
            if await self._store.is_of_another_life(seq, self._told_id):
                await self._begin_journal(seq)
                return
            freed = await self._store.confirm(self._store.journal, seq)
            left = await self._store.outbox_depth()
        except StoreError:
            self._told = max(self._told, seq)
            raise
        if freed:
            self._confirmed += freed
            self._patience_s = self._pace.resend.first_s
            self._waiting_since = self._clock.boot_s() if left else None
            self._news.set()

    async def _begin_journal(self, seq: int) -> None:
        """Time went back here (situations, 45): nothing is freed, and what is unconfirmed goes out
        as another journal's.
        """
        before = self._store.journal
        await self._store.begin_journal(self._clock.instant())
        detail = f"the centre has event {seq} of {before}, which is not here: a restored database?"
        self._health.raise_alarm("journal_rolled_back", "store", detail)
        self._begins_again = True
        self._news.set()

    async def _step(self, connection: Connection) -> None:
        try:
            busy = await self._turn(connection)
        except StoreError as error:
            log.error("uplink.store_failed", error=str(error))
            await asyncio.sleep(self._pace.store_retry_s)
            return
        if not busy:
            await self._rest()

    async def _turn(self, connection: Connection) -> bool:
        """One window of events at most; False if there was nothing to send."""
        if self._begins_again:
            self._begins_again = False
            await self._begin()
        if self._overdue_in_s() <= 0:
            await self._again()
        if live := await self._next(self._live, self._join):
            self._first_live = self._first_live or live[0].seq
            await self._send(connection, live)
            self._live = live[-1].seq
            return True
        if backlog := await self._next_of_backlog():
            await self._send(connection, backlog)
            self._backlog = backlog[-1].seq
            return True
        return False

    async def _next_of_backlog(self) -> Sequence[Pending]:
        if self._backlog >= self._join:
            return ()
        found = await self._next(self._backlog, self._begun)
        due = [one for one in found if one.seq <= self._join]
        if found and not due:
            self._backlog = self._join
        return due

    async def _next(self, cursor: int, begun: int) -> Sequence[Pending]:
        """The next events of a cursor that has `begun` there, a window of them at most, and no more
        than may be unconfirmed; the numbers have no gap.
        """
        unconfirmed = cursor - min(cursor, max(begun, self._confirmed))
        room = min(WINDOW, _AHEAD - unconfirmed)
        return await self._store.pending(cursor, room) if room > 0 else ()

    async def _begin(self) -> None:
        """Both cursors to where they belong when nothing is known to have been received."""
        self._waiting_since = None
        self._patience_s = self._pace.resend.first_s
        await self._rewind()

    async def _again(self) -> None:
        """The confirmations stand still: send again all that is not confirmed."""
        log.warning("uplink.sent_again", after_s=self._patience_s)
        self._health.raise_alarm(
            "centre_silent",
            "centre",
            f"the broker takes events, but for {self._patience_s:g} s the centre confirmed none",
        )
        if self._silent_since is None:
            self._silent_since = self._waiting_since
        self._waiting_since = None
        self._patience_s = self._pace.resend.after(self._patience_s)
        await self._rewind()

    async def _rewind(self) -> None:
        # The outbox is one run without gaps. First its end, then its length: a confirmation or a
        # commit between the two can only give `live` more to do, never leave a gap.
        self._join = self._live = await self._store.last_seq()
        depth = await self._store.outbox_depth()
        self._begun = self._confirmed = self._backlog = max(0, self._join - depth)

    async def _send(self, connection: Connection, events: Sequence[Pending]) -> None:
        now = self._clock.instant().wall
        async with asyncio.TaskGroup() as sends:  # tasks begin in the order of their making
            for one in events:
                topic = self._topics.event(one.kind)
                site, controller = self._topics.site, self._topics.controller
                body = wire.event(site, controller, one, now, connection.room(topic))
                sends.create_task(connection.say(topic, body))
        if self._waiting_since is None:
            self._waiting_since = self._clock.boot_s()

    def _overdue_in_s(self) -> float:
        if self._waiting_since is None:
            return self._patience_s
        return self._waiting_since + self._patience_s - self._clock.boot_s()

    async def _rest(self) -> None:
        """Until something is committed or confirmed, or the confirmations are overdue."""
        try:
            async with asyncio.timeout(max(0.0, self._overdue_in_s())):
                await self._news.wait()
        except TimeoutError:
            return
