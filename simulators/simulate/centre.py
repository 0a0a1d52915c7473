"""The centre's lists, and what the controllers have to hear of each other."""

from collections import defaultdict

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistRemoved,
    BlacklistSuspended,
    Event,
    ListChange,
    ListChanges,
    ListName,
    ListRow,
    PassageEnded,
    VehicleDecided,
)
from simulators.simulate.site import INNER, OUTER

_OF_THE_BLACKLIST = (BlacklistAdded, BlacklistRemoved, BlacklistSuspended)

_OF_INTEREST = {
    INNER: (VehicleDecided, PassageEnded, *_OF_THE_BLACKLIST),
    # A car seen at the inner gate is inside the car park, which the outer one knew.
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


def is_of_interest(of: str, to: str, event: Event) -> bool:
    """Whether a controller makes anything of an event of the other. Of the rest it would note only
    that they were, if it depended on the other's exits; here neither does.
    """
    return isinstance(event.record.fact, _OF_INTEREST[to])
