"""Writes down what a lane does: facts into the journal, pictures beside it."""

import asyncio

import structlog

from gatekeeper.errors import StoreError
from gatekeeper.journal import Posted
from gatekeeper.lane.rooms import Rooms
from gatekeeper.model import Commit, Doubt, Fact, Frame, Record

log = structlog.get_logger(__name__)


class Scribe:
    """The journal and the pictures as one lane uses them."""

    def __init__(self, lane: str, rooms: Rooms) -> None:
        self._lane = lane
        self._rooms = rooms
        self._noted: list[Record] = []
        self._writing: set[asyncio.Task[None]] = set()

    def tell(self, *facts: Fact, passage: str | None, at: float | None = None) -> Posted:
        """Post facts, and what was noted before them, as one commit."""
        noted, self._noted = self._noted, []
        records = (*noted, *self._records(facts, passage, at))
        journal = self._rooms.journal
        return journal.post(Commit(records=records)) if records else journal.posted

    def note(self, *facts: Fact, passage: str | None, at: float | None = None) -> None:
        """Facts that may wait for the next ones: nothing hangs on them, and the disk is slow."""
        self._noted += self._records(facts, passage, at)

    def doubt(self, doubt: Doubt, passage: str | None = None) -> None:
        """Whatever could have hidden a leaving is written down for everybody inside."""
        self._rooms.zones.doubt(self._lane, doubt, passage)

    def _records(
        self, facts: tuple[Fact, ...], passage: str | None, at: float | None
    ) -> list[Record]:
        instant = self._rooms.clock.instant(at)
        return [Record(fact=fact, at=instant, lane=self._lane, passage=passage) for fact in facts]

    def picture(self, frame: Frame, passage: str) -> str:
        """Start keeping a picture, and say by which name: nobody waits for the disk."""
        name = f"{passage}{frame.suffix}"
        task = asyncio.create_task(self._keep(name, frame.encoded))
        self._writing.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._writing.discard)
        return name

    async def _keep(self, name: str, encoded: bytes) -> None:
        try:
            await self._rooms.pictures.keep(name, encoded)
        except StoreError as error:
            log.warning("picture.lost", lane=self._lane, picture=name, error=str(error))
