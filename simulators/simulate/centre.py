"""The centre and the broker between the two controllers: what reaches whom, and when."""

from collections import defaultdict, deque

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistRemoved,
    BlacklistSuspended,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    PassageEnded,
    PeerEvent,
    VehicleDecided,
)
from simulators.simulate.site import INNER, OUTER
from simulators.virtual import Told

_OF_THE_BLACKLIST = (BlacklistAdded, BlacklistRemoved, BlacklistSuspended)

_OF_INTEREST = {
    INNER: (VehicleDecided, PassageEnded, *_OF_THE_BLACKLIST),
    # Whoever is seen at the inner gate is inside the car park, which the outer one knew.
    OUTER: _OF_THE_BLACKLIST,
}


class Lists:
    """The lists as the centre keeps them: each change is one version on."""

    def __init__(self) -> None:
        self._versions: dict[ListName, int] = defaultdict(int)

    def change(self, name: ListName, rows: list[ListRow], *, remove: bool = False) -> ListChanges:
        """The next step of a list."""
        since = self._versions[name]
        self._versions[name] += 1
        changes = tuple(ListChange(remove=remove, row=row) for row in rows)
        return ListChanges(list=name, since=since, version=since + 1, changes=changes)


class Mailbox:
    """What waits for one controller while the broker or its own power is away."""

    def __init__(self) -> None:
        self.lists: deque[ListChanges] = deque()
        self.events: deque[PeerEvent] = deque()


def is_of_interest(told: Told, to: str) -> bool:
    """Whether a controller makes anything of an event of the other. Of the rest it would note only
    that they were, if it depended on the other's exits; here neither does.
    """
    return isinstance(told.event.record.fact, _OF_INTEREST[to])


def as_peer(controller: str, told: Told) -> PeerEvent:
    """An event of a controller as its peer hears it."""
    event, record = told.event, told.event.record
    return PeerEvent(
        controller=controller,
        journal=event.journal,
        seq=event.seq,
        lane=record.lane,
        passage=record.passage,
        occurred_at=record.at.wall,
        clock_trusted=record.at.trusted,
        fact=record.fact,
    )
