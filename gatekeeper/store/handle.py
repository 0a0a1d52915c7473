"""A database that may not be open yet, and the threads that work on it.

Functions that take a connection come in, their answers go out, in the loop of the caller.

One thread writes, one call after the other in the order of the calls, and another reads, so that a
disk that does not take what is written, or another program's lock, keeps no list from being read.
A caller that stops waiting for a call does not undo it: a transaction that was asked for is carried
out, and its failure is then logged. A disk that hangs makes calls wait: the caller sets the time
limit, and `worker.MAX_WAITING` bounds what can pile up.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection

from gatekeeper.errors import StoreError
from gatekeeper.store.database import BUSY_MS, PATIENT_MS, Database, set_aside
from gatekeeper.store.unflushed import UnflushedDatabase
from gatekeeper.store.worker import InPlaceWorker, ThreadWorker, Worker, Workers, silence

Answer = TypeVar("Answer")


def _never(_: object) -> bool:
    return False


def _nothing() -> None:
    return None


class Handle:
    """One database; made by `at`, and of use once it has been opened. Used from one event loop.

    Every method raises `StoreError`, which names the file and says what a technician can do, where
    the disk is full, the file locked or the device failing; nothing has then been changed. Until
    `open` has succeeded it says why not. A database whose disk was taken away and came back is
    found again without being opened once more.
    """

    def __init__(self, path: Path, make: Callable[[], Database], workers: Workers) -> None:
        """`make` opens the database, in the worker that writes; `at` says what is usual."""
        self._path = path
        self._make = make
        self._workers = workers
        self._database: Database | None = None
        self._why = "it has not been opened yet"
        self._watchers: list[Callable[[], None]] = []
        self._closed = False

    @classmethod
    def at(cls, path: Path, *, busy_ms: int = BUSY_MS) -> Self:
        """The store at `path`; nothing is touched before `open`. `busy_ms` is how long a
        transaction waits for another program's lock.
        """
        workers = Workers(
            write=ThreadWorker(path, "writes"),
            read=ThreadWorker(path, "reads"),
            check=ThreadWorker(path, "checks"),
        )
        return cls(path, partial(Database.open, path, busy_ms), workers)

    @classmethod
    async def opened(cls, path: Path) -> Self:
        """One that is open, for a command that tries once: it waits longer for another program's
        lock. Raises as `open` does.
        """
        self = cls.at(path, busy_ms=PATIENT_MS)
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    @classmethod
    def unflushed(cls, path: Path) -> Self:
        """The same for simulations: no method ever suspends, so that none needs a loop, and what
        was written may be lost in a power cut or seen late by readers (`flush`). Raises as `open`.
        """
        here = InPlaceWorker()
        workers = Workers(write=here, read=here, check=here)
        self = cls(path, partial(UnflushedDatabase.open, path), workers)
        self._open()
        return self

    async def open(self) -> None:
        """Make or open the database; its folder must be there. It may be asked for again after a
        `StoreError`, and does nothing where the database is open.

        Raises `UnsoundStoreError` where the file is damaged or no database (see `set_aside`), and
        `StoreError` where it cannot be opened or belongs to a newer version.
        """
        if self._closed:
            raise StoreError(f"{self._path}: the store is closed")
        await self._workers.write.run(self._open)

    async def set_aside(self) -> Path:
        """Rename a database that is unsound, so that `open` makes another; returns its new name."""
        return await self._workers.write.run(partial(set_aside, self._path))

    @property
    def is_open(self) -> bool:
        """Whether the database has been opened, and not closed since."""
        return self._database is not None and not self._closed

    @property
    def journal(self) -> str:
        """The id of this journal, made with the database: another database is another journal.
        Empty until it is open.
        """
        return "" if self._database is None else self._database.journal

    def watch(self, tell: Callable[[], None]) -> None:
        """From now on call `tell` in the loop after each transaction that wrote events, state or
        lists, also where the caller has stopped waiting. It must not block or raise.
        """
        self._watchers.append(tell)

    async def close(self) -> None:
        """Finish what was asked for, then let go of the file; a disk that hangs is waited for
        three times `worker.CLOSES_S`. A second call does nothing.
        """
        if self._closed:
            return
        self._closed = True
        await self._workers.check.close(_nothing)
        await self._workers.read.close(_nothing)
        await self._workers.write.close(self._let_go)

    async def _read(self, question: Callable[[Connection], Answer]) -> Answer:
        """The answer to a question, put to one state of the database."""

        def work(database: Database) -> Answer:
            with database.reading() as connection:
                return question(connection)

        return await self._run(self._workers.read, work)

    async def _write(
        self, change: Callable[[Connection], Answer], is_news: Callable[[Answer], bool] = _never
    ) -> Answer:
        """Carry out a change whole or not at all; watchers are told where its answer `is_news`."""

        def work(database: Database) -> Answer:
            with database.writing() as connection:
                return change(connection)

        def ended(answer: Answer) -> None:
            if is_news(answer):
                for tell in self._watchers:
                    tell()

        return await self._run(self._workers.write, work, ended)

    async def _run(
        self,
        worker: Worker,
        work: Callable[[Database], Answer],
        ended: Callable[[Answer], None] = silence,
    ) -> Answer:
        """Let a worker of this handle do what is to be done with the database."""
        if self._closed:
            raise StoreError(f"{self._path}: the store is closed")
        if self._database is None:
            raise StoreError(f"{self._path}: the store is not open: {self._why}")
        return await worker.run(partial(work, self._database), ended)

    def _open(self) -> None:
        """In the worker that writes: of two calls, the second finds it open."""
        if self._database is not None:
            return
        try:
            self._database = self._make()
        except StoreError as error:
            self._why = str(error)
            raise

    def _let_go(self) -> None:
        if self._database is not None:
            self._database.close()
