"""What the store knows of the life of this controller before this one, read in one go."""

from dataclasses import dataclass
from datetime import datetime

from gatekeeper.model import Hold, PeerMark, Stay, ZoneState
from gatekeeper.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PastLife:
    """`unfinished` are (command, lane, passage) of commands whose outcome is not known, `ended` the
    stays that ended since the moment asked for, `inside` those that had not.
    """

    unfinished: tuple[tuple[str, str | None, str | None], ...] = ()
    counts: tuple[ZoneState, ...] = ()
    inside: tuple[Stay, ...] = ()
    ended: tuple[Stay, ...] = ()
    marks: tuple[PeerMark, ...] = ()
    holds: tuple[Hold, ...] = ()
    lockdown: bool = False
    fire: bool = False


async def read_past_life(store: Store, since: datetime) -> PastLife:
    """All of it, before anything of this life is written. Raises `StoreError`."""
    return PastLife(
        unfinished=await store.unfinished(),
        counts=await store.counts(),
        inside=await store.open_stays(),
        ended=await store.ended_stays(since),
        marks=await store.peer_marks(),
        holds=await store.holds(),
        lockdown=await store.lockdown(),
        fire=await store.fire(),
    )
