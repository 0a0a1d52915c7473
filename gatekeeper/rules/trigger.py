"""Whether a vehicle is at the lane, by the camera alone: what each look shows comes in, edges like
those of a loop come out.

A vehicle has arrived when something moved and a plate is there, when a plate stays, or when
something new stands there though nothing can be read. It has left when the view is as the empty
lane again, or when another plate has taken the place of its own. Moments are seconds on the boot
clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gatekeeper.rules.plate import contradictions, is_trailer, kind_of, normalise

MOVED_S = 3.0
"""What has moved so lately may be what bears the plate."""
STANDS_S = 1.0
"""A plate, or something that does not move, is a vehicle after this."""
LINGERS_S = 5.0
"""And so is what goes on moving, for it may be the rain around an unread vehicle."""
EMPTY_S = 2.0
"""A vehicle is not gone before nothing was seen of it for so long."""
ANOTHER = 3
"""A plate that contradicts the one before in so many characters is no misread of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one look shows of a lane: whether something moved since the last look, whether the
    lane differs from how it looks when it is empty, and the plates that were read in it.
    """

    at: float
    moving: bool
    changed: bool
    plates: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether the lane may not be empty."""
        return self.moving or self.changed or bool(self.plates)


@dataclass(frozen=True, slots=True)
class Edge:
    """A vehicle has come (`on`) or gone, and when it was first seen to."""

    on: bool
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What the camera remembers: since when there have been a plate, something changed, and
    something that does not move; when something moved last, and when anything of a vehicle was
    seen last; the plate of the vehicle that is there, and since when another one is.
    """

    occupied: bool = False
    plate_since: float | None = None
    changed_since: float | None = None
    still_since: float | None = None
    moved_at: float | None = None
    seen_at: float | None = None
    plate: str | None = None
    other_since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerStep:
    """What comes of one look."""

    trigger: Trigger
    edges: tuple[Edge, ...]


def step(trigger: Trigger, view: View) -> TriggerStep:
    """What a look makes of it. The edges are those that a loop would give, in their order."""
    plates = tuple(_plates(view))
    now = _with_look(trigger, view, bool(plates))
    if not now.occupied:
        since = _arrived(now, view.at)
        if since is None:
            return TriggerStep(trigger=now, edges=())
        return _arrival(now, plates, since)
    if now.seen_at is not None and view.at - now.seen_at >= EMPTY_S:
        return TriggerStep(
            trigger=Trigger(moved_at=now.moved_at), edges=(Edge(False, now.seen_at),)
        )
    return _succeeded(now, plates, view.at)


def _plates(view: View) -> Iterator[str]:
    """Plates of vehicles; what else can be read in a picture is no vehicle, nor is a trailer."""
    for text in map(normalise, view.plates):
        if kind_of(text) is not None and not is_trailer(text):
            yield text


def _with_look(trigger: Trigger, view: View, plate: bool) -> Trigger:
    at, still = view.at, view.changed and not view.moving
    return replace(
        trigger,
        plate_since=_since(trigger.plate_since, plate, at),
        changed_since=_since(trigger.changed_since, view.changed, at),
        still_since=_since(trigger.still_since, still, at),
        moved_at=at if view.moving else trigger.moved_at,
        seen_at=at if plate or view.changed else trigger.seen_at,
    )


def _since(since: float | None, on: bool, at: float) -> float | None:
    if not on:
        return None
    return at if since is None else since


def _arrived(trigger: Trigger, at: float) -> float | None:
    """Since when a vehicle is there, None if none is."""
    moved = trigger.moved_at is not None and at - trigger.moved_at <= MOVED_S
    grounds = (
        (trigger.plate_since, 0.0 if moved else STANDS_S),
        (trigger.still_since, STANDS_S),
        (trigger.changed_since, LINGERS_S),
    )
    return min(
        (since for since, lasts_s in grounds if since is not None and at - since >= lasts_s),
        default=None,
    )


def _arrival(trigger: Trigger, plates: tuple[str, ...], since: float) -> TriggerStep:
    came = replace(trigger, occupied=True, plate=next(iter(plates), None))
    return TriggerStep(trigger=came, edges=(Edge(True, since),))


def _succeeded(trigger: Trigger, plates: tuple[str, ...], at: float) -> TriggerStep:
    """Bumper to bumper the view is never empty: another plate in two looks is another vehicle."""
    if not plates:
        return TriggerStep(trigger=trigger, edges=())
    if trigger.plate is None or not all(_another(plate, trigger.plate) for plate in plates):
        known = trigger.plate or plates[0]
        return TriggerStep(trigger=replace(trigger, plate=known, other_since=None), edges=())
    if trigger.other_since is None:
        return TriggerStep(trigger=replace(trigger, other_since=at), edges=())
    since = trigger.other_since
    came = replace(trigger, plate=plates[0], plate_since=since, other_since=None)
    return TriggerStep(trigger=came, edges=(Edge(False, since), Edge(True, at)))


def _another(plate: str, known: str) -> bool:
    return contradictions(plate, (True,) * len(plate), known) >= ANOTHER
