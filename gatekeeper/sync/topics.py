"""The topics of docs/protocol.md: which ones a controller speaks on, hears, and how it knows them.

Pure. A topic comes in as the broker gives it and goes out as a `Place`, or as a `WireError`.
"""

from dataclasses import dataclass
from enum import StrEnum

from gatekeeper.errors import WireError
from gatekeeper.model import ListName

_ROOT = "gatekeeper/v1"


_SPOKEN_FOR = frozenset({"", "confirmations", "events", "health", "orders", "registry", "status"})
"""What lies below a controller's own name already."""

_LONGEST = 512
"""Characters of a topic for replies."""


class Heard(StrEnum):
    """What the centre may be speaking of; `OWN` is what was last said in this controller's name,
    and the last three are of another controller.
    """

    CONFIRMATION = "confirmations"
    ORDER = "orders"
    CHANGES = "changes"
    SNAPSHOT = "snapshot"
    OWN = "own"
    EVENT = "events"
    HEALTH = "health"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message came in: `name` is an order's verb, a list's name or an event's kind, else
    empty; `peer` is the other controller that speaks, if one does.
    """

    heard: Heard
    name: str = ""
    peer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The topics of one controller of one site, and of its peers there, itself not among them; no
    name has a `/`, `+` or `#`.
    """

    site: str
    controller: str
    peers: frozenset[str] = frozenset()

    @property
    def status(self) -> str:
        """Retained, and the last will."""
        return f"{self._own}/status"

    @property
    def health(self) -> str:
        """Said every half minute."""
        return f"{self._own}/health"

    def event(self, kind: str) -> str:
        """Where an event of this kind goes."""
        return f"{self._own}/events/{kind}"

    def wanted(self, name: ListName) -> str:
        """Where a list is asked for."""
        return f"{self._own}/registry/{name}/wanted"

    def may_answer(self, topic: str) -> bool:
        """Whether a reply may go there: below the centre's name, or below this controller's where
        nothing else is said. Elsewhere it would speak for somebody else.
        """
        if not 1 <= len(topic) <= _LONGEST or set(topic) & {"+", "#", "\0"}:
            return False
        match _below(topic, self._own), _below(topic, f"{_ROOT}/{self.site}/centre"):
            case _, [_, *_]:
                return True
            case [first, *_], _:
                return first not in _SPOKEN_FOR
        return False

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """All that the centre may say to this controller."""
        return (
            f"{self._own}/confirmations",
            f"{self._own}/orders/+",
            f"{self._registry}/+/changes",
            f"{self._registry}/+/snapshot",
        )

    @property
    def of_peers(self) -> tuple[str, ...]:
        """All that is to be heard of the other controllers."""
        return tuple(
            f"{_ROOT}/{self.site}/{peer}/{what}"
            for peer in sorted(self.peers)
            for what in ("events/+", "health", "status")
        )

    def place(self, topic: str) -> Place:
        """What a topic heard is about; raises `WireError` for one that was not subscribed."""
        match _below(topic, self._own), _below(topic, self._registry):
            case ["confirmations"], _:
                return Place(heard=Heard.CONFIRMATION)
            case ["status"], _:
                return Place(heard=Heard.OWN)
            case ["orders", verb], _:
                return Place(heard=Heard.ORDER, name=verb)
            case _, [name, ("changes" | "snapshot") as heard] if name in set(ListName):
                return Place(heard=Heard(heard), name=name)
        match _below(topic, f"{_ROOT}/{self.site}"):
            case [peer, "events", kind] if peer in self.peers:
                return Place(heard=Heard.EVENT, name=kind, peer=peer)
            case [peer, ("health" | "status") as said] if peer in self.peers:
                return Place(heard=Heard(said), peer=peer)
        raise WireError(f"nothing is said on {topic!r}")

    @property
    def _own(self) -> str:
        return f"{_ROOT}/{self.site}/{self.controller}"

    @property
    def _registry(self) -> str:
        return f"{_ROOT}/{self.site}/registry"


def client_id(site: str, controller: str) -> str:
    """By which the broker knows a controller."""
    return f"gatekeeper-{site}-{controller}"


def _below(topic: str, root: str) -> list[str]:
    """The levels of a topic under a root; none if it lies elsewhere."""
    return topic.removeprefix(f"{root}/").split("/") if topic.startswith(f"{root}/") else []
