"""Writes down what happened, behind what happens, and says when it cannot.

Lanes, zones, alarms and orders post facts and effects here; from that moment they hold, for the
log in memory is what everything reads back. One task opens the store and writes the log into it:
oldest first, many commits in one transaction, each once. A store that is slow, full, locked, hung
or away changes nothing at the barriers; it is an alarm, and `watch` tells that what happens now
might be forgotten (situations, 31 to 33).
"""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import structlog

from gatekeeper.backoff import Backoff
from gatekeeper.clock import Clock, rest
from gatekeeper.errors import StoreError, UnacceptableError
from gatekeeper.health import Health
from gatekeeper.journal.log import Log, Posted
from gatekeeper.journal.overlay import blacklist_after, changes_lists, overlaid
from gatekeeper.model import (
    BarrierIntended,
    Commit,
    Fact,
    Instant,
    Listing,
    OrderAnswer,
    OrderAnswered,
    Record,
)
from gatekeeper.store import BlacklistRow, Store, UnsoundStoreError

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

OPENING_S = 0.3
"""The longest that an opening which must happen waits for its intent (situations, 32)."""

PATIENCE_S = 0.5
"""The longest that anything waits for the store."""

SLOW_S = OPENING_S
"""A write that takes longer is the alarm `store_slow`."""

HANGS_S = 5.0
"""A write that takes longer is as bad as one that fails."""

STEADY_S = 10.0
"""The store has to work for so long before its alarms are cleared: one that comes and goes is one
alarm."""

BEAT_S = 5.0
"""How often the writer says that it lives, also while the disk hangs."""

BATCH = 200
"""Commits in one transaction."""

_RETRY = Backoff(first_s=0.25, last_s=5.0)
"""Pauses after a write that failed."""

STORE = "store"
"""The subject of the store's alarms, and the writer's heartbeat."""

Restore = Callable[[], Awaitable[None]]
"""Takes up what the store knows, when it has been opened and before anything is written to it.
Raises `StoreError`, and is then called again."""


async def _nothing() -> None:
    return None


class Journal:
    """Used from the loop's thread; beside it `store` is only read. `run` is its one task: without
    it nothing is written.
    """

    def __init__(
        self, store: Store, *, clock: Clock, health: Health, restore: Restore = _nothing
    ) -> None:
        self.store = store
        self._clock = clock
        self._health = health
        self._restore = restore
        self._log = Log()
        self._restored = asyncio.Event()
        self._moved = asyncio.Event()
        self._at_work: asyncio.Task[None] | None = None
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._watchers: list[Callable[[bool], None]] = []
        self._failing = False
        self._again_at = 0.0
        self._pause_s = _RETRY.first_s
        self._well_since: float | None = None

    # --- what happened ------------------------------------------------------------------------

    def post(self, commit: Commit) -> Posted:
        """It holds from now on, and will be written. Never waits and never fails."""
        number = self._log.append(commit)
        self._moved.set()
        return Posted(number=number)

    def tell(
        self,
        *facts: Fact,
        lane: str | None = None,
        passage: str | None = None,
        at: Instant | None = None,
    ) -> Posted:
        """Post facts that change nothing else, as of `at` or now."""
        instant = at or self._clock.instant()
        records = tuple(Record(fact=fact, at=instant, lane=lane, passage=passage) for fact in facts)
        return self.post(Commit(records=records)) if records else self.posted

    @property
    def posted(self) -> Posted:
        """The place of what was posted last."""
        return Posted(number=self._log.last)

    async def written(self, posted: Posted, within_s: float = PATIENCE_S) -> bool:
        """Whether it is on the disk, waiting no longer than that; at once False while the store is
        known to fail.
        """
        if not self._is_written(posted) and not self._failing:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((posted.number, waiter))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await waiter
        return self._is_written(posted)

    def _is_written(self, posted: Posted) -> bool:
        return posted.number <= self._log.written

    # --- what the store says ------------------------------------------------------------------

    @property
    def writes(self) -> bool:
        """Whether the store takes what it is given, as far as is known."""
        return not self._failing

    @property
    def behind(self) -> int:
        """How many commits wait for the disk."""
        return len(self._log)

    def watch(self, tell: Callable[[bool], None]) -> None:
        """From now on tell False when the store fails or is slow, and True when it writes again.
        `tell` must not block or raise.
        """
        self._watchers.append(tell)

    async def listing(self, plates: Collection[str]) -> Listing:
        """What the lists say of these plates, as `Store.listing`, with what is not written yet.
        Raises `StoreError` within PATIENCE_S.
        """
        before = self._list_changes()
        found = await self.asked(self.store.listing(plates))
        waiting = (*before, *self._list_changes())  # it may have been written in between
        return overlaid(found, plates, waiting) if waiting else found

    async def blacklisted(self, plate: str) -> tuple[BlacklistRow, ...]:
        """The rows of a plate on the blacklist, suspended ones too. Raises as `listing`."""
        before = self._list_changes()
        rows = await self.asked(self.store.blacklisted(plate))
        return blacklist_after(rows, (plate,), (*before, *self._list_changes()))

    async def answer_of(self, order: str) -> OrderAnswer | None:
        """What became of an order, as `Store.answer_of`, with what is not written yet. Raises
        `StoreError` within PATIENCE_S.
        """
        waiting = [record.fact for commit in self._log.waiting() for record in commit.records]
        for fact in waiting:
            if isinstance(fact, OrderAnswered) and fact.order == order:
                return OrderAnswer(order=order, outcome=fact.outcome, detail=fact.detail)
        found = await self.asked(self.store.answer_of(order))
        if found is None and any(
            isinstance(fact, BarrierIntended) and fact.command == order for fact in waiting
        ):
            return OrderAnswer(order=order, outcome="unknown", detail="it is being carried out")
        return found

    async def asked(self, question: Awaitable[Answer]) -> Answer:
        """The store's answer; raises `StoreError`, within PATIENCE_S, where there is none."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await question
        except TimeoutError:
            error = StoreError(f"the store does not answer within {PATIENCE_S:g} s; see dmesg")
            self._trouble("store_slow", str(error))
            raise error from None
        except StoreError as error:
            self._trouble("store_failed", str(error))
            raise

    def _list_changes(self) -> tuple[Commit, ...]:
        return tuple(commit for commit in self._log.waiting() if changes_lists(commit))

    # --- writing ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open the store and write the log until cancelled."""
        try:
            while True:
                self._beat()
                self._moved.clear()
                await self._work()
                self._clear_alarms()
                await rest(self._moved, self._due, self._clock, at_most_s=BEAT_S)
        finally:
            self._health.forget(STORE)

    async def restored(self, within_s: float) -> bool:
        """Whether the store has been opened and taken up, waiting no longer than that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._restored.wait()
        return self._restored.is_set()

    async def flush(self) -> None:
        """Write all that waits, now, where no task does; raises `StoreError`."""
        while batch := self._log.begin(BATCH):
            await self.store.commit_all(batch)
            self._log.ended(len(batch))

    async def close(self, within_s: float) -> None:
        """Write what still waits, when `run` has ended; what the store does not take within that
        time is lost, and said to be.
        """
        with contextlib.suppress(TimeoutError, StoreError):
            async with asyncio.timeout(within_s):
                if self._at_work is not None:
                    await asyncio.shield(self._at_work)
                await self.flush()
        if self._log:
            log.error("journal.lost", commits=len(self._log))

    @property
    def _due(self) -> float | None:
        if self._failing:
            return self._again_at
        return None if self._well_since is None else self._well_since + STEADY_S

    async def _work(self) -> None:
        while self._clock.boot_s() >= self._again_at and not self._is_done:
            if self._at_work is None:
                self._at_work = asyncio.create_task(self._step(), name="journal")
            try:
                await self._see_to_its_end(self._at_work)
            finally:
                if self._at_work.done():
                    self._at_work = None

    @property
    def _is_done(self) -> bool:
        return self._at_work is None and self._restored.is_set() and not self._log

    async def _see_to_its_end(self, at_work: asyncio.Task[None]) -> None:
        """A step on the disk cannot be broken off: a task that ends here finds it in its next life.
        Only one is under way at a time.
        """
        begun, patience_s = self._clock.boot_s(), SLOW_S
        while not (await asyncio.wait({at_work}, timeout=patience_s))[0]:
            self._beat()
            hangs = self._clock.boot_s() - begun >= HANGS_S
            patience_s = BEAT_S if hangs else HANGS_S - SLOW_S
            alarm = "store_failed" if hangs else "store_slow"
            self._fail(alarm, f"the disk takes more than {HANGS_S if hangs else SLOW_S:g} s")
        await at_work

    async def _step(self) -> None:
        """One step on the disk: open the store, take up what it knows, or write a batch."""
        try:
            if not self._restored.is_set():
                await self._open()
            else:
                await self._write()
        except StoreError as error:
            self._fail("store_failed", str(error))
            self._again_at = self._clock.boot_s() + self._pause_s
            self._pause_s = _RETRY.after(self._pause_s)
        else:
            self._succeed()

    async def _open(self) -> None:
        if not self.store.is_open:
            await self._open_or_replace()
        await self._restore()
        self._restored.set()

    async def _open_or_replace(self) -> None:
        """A gate that has forgotten is better than one that does not open."""
        try:
            await self.store.open()
        except UnsoundStoreError as error:
            log.error("store.unsound", error=str(error))
            aside = await self.store.set_aside()
            self._health.raise_alarm("store_set_aside", STORE, f"was damaged, kept as {aside}")
            await self.store.open()

    async def _write(self) -> None:
        batch = self._log.begin(BATCH)
        try:
            await self.store.commit_all(batch)
        except UnacceptableError:
            await self._write_one_by_one(batch)
        except StoreError:
            self._log.ended(0)
            raise
        else:
            self._log.ended(len(batch))

    async def _write_one_by_one(self, batch: Collection[Commit]) -> None:
        """One commit of the batch holds what no database takes: it alone is given up."""
        self._log.ended(0)
        for _ in batch:
            (commit,) = self._log.begin(1)
            try:
                await self.store.commit_all((commit,))
            except UnacceptableError as error:
                kinds = [record.fact.kind for record in commit.records]
                log.error("journal.given_up", kinds=kinds, error=str(error))
                self._health.raise_alarm("journal_incomplete", STORE, str(error))
            except StoreError:
                self._log.ended(0)
                raise
            self._log.ended(1)

    # --- how the store is ---------------------------------------------------------------------

    def _fail(self, alarm: str, detail: str) -> None:
        began, self._failing = not self._failing, True
        self._trouble(alarm, detail)
        self._release(math.inf)
        if began:
            self._tell(False)

    def _succeed(self) -> None:
        self._again_at, self._pause_s = 0.0, _RETRY.first_s
        if self._has_alarm and self._well_since is None:
            self._well_since = self._clock.boot_s()
        self._release(self._log.written)
        if self._failing:
            self._failing = False
            self._tell(True)

    def _trouble(self, alarm: str, detail: str) -> None:
        self._well_since = None if self._failing else self._clock.boot_s()
        self._health.raise_alarm(alarm, STORE, detail)
        self._moved.set()

    def _clear_alarms(self) -> None:
        since = self._well_since
        if since is not None and self._clock.boot_s() - since >= STEADY_S and not self._failing:
            self._well_since = None
            for alarm in _ALARMS:
                self._health.clear_alarm(alarm, STORE)

    @property
    def _has_alarm(self) -> bool:
        return any(self._health.stands(alarm, STORE) for alarm in _ALARMS)

    def _tell(self, writes: bool) -> None:
        for tell in self._watchers:
            tell(writes)

    def _release(self, up_to: float) -> None:
        """Those who wait for what is written, or wait in vain, go on."""
        for number, waiter in self._waiters:
            if number <= up_to and not waiter.done():
                waiter.set_result(None)
        self._waiters = [each for each in self._waiters if not each[1].done()]

    def _beat(self) -> None:
        self._health.beat(STORE, within_s=3 * BEAT_S)


_ALARMS = ("store_slow", "store_failed")
