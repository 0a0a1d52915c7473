"""Paused time, which does not count: an exit of the zone is occupied, or cannot be watched.

A queue at the exit is not the driver's fault (situations, 2). Each exit lane of a zone tells when
it becomes occupied or unwatched and when that is over; how much of a stay was paused comes out.
Moments are seconds on the boot clock of one boot.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

BREAK_S = 20.0
"""A lane that is free for no longer than this is taken to have been occupied throughout: the next
car of a queue needs a moment to roll up (situations, 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """`cause` is a lane, or a name for what else pauses; `until` is None while it lasts."""

    cause: str
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedTime:
    """The pauses of one zone, those of each cause in the order in which they were told."""

    spans: tuple[Span, ...] = ()


NONE = PausedTime()
"""Nothing has happened yet."""


def began(paused: PausedTime, cause: str, at: float) -> PausedTime:
    """`cause` pauses from `at` on; after a short break, from before the break on."""
    last = _last(paused, cause)
    if last is not None and last.until is None:
        return paused
    if last is not None and last.until is not None and at - last.until <= BREAK_S:
        return _with(paused, last, replace(last, until=None))
    return PausedTime(spans=(*paused.spans, Span(cause=cause, since=at)))


def ended(paused: PausedTime, cause: str, at: float) -> PausedTime:
    """`cause` pauses no longer; one that did not is passed over."""
    last = _last(paused, cause)
    if last is None or last.until is not None:
        return paused
    return _with(paused, last, replace(last, until=max(at, last.since)))


def lasted(paused: PausedTime, cause: str, since: float, until: float) -> PausedTime:
    """A pause that is told of when it is over, as by another controller, and in whatever order:
    with those of its cause that lie no further away than a short break it is one.
    """
    span = Span(cause=cause, since=since, until=max(since, until))
    near = [each for each in paused.spans if _is_near(each, span)]
    ends = [each.until for each in (*near, span) if each.until is not None]
    whole = replace(span, since=min(each.since for each in (*near, span)), until=max(ends))
    return PausedTime(spans=(*(each for each in paused.spans if each not in near), whole))


def paused_s(paused: PausedTime, since: float, until: float) -> float:
    """How much of the time from `since` to `until` was paused; overlapping pauses count once."""
    total, reached = 0.0, since
    for begin, end in sorted(_bounds(paused.spans, until)):
        if end > reached:
            total += end - max(begin, reached)
            reached = end
    return total


def settled_at(paused: PausedTime, at: float) -> float | None:
    """When it will be known whether the time up to `at` was paused: now (`at`), or when the last
    break is over; None during a pause.
    """
    if any(span.until is None for span in paused.spans):
        return None
    last = max((span.until or 0.0 for span in paused.spans), default=at - BREAK_S)
    return max(at, last + BREAK_S)


def since(paused: PausedTime, at: float) -> PausedTime:
    """Only what can still matter to time after `at`."""
    kept = tuple(s for s in paused.spans if s.until is None or s.until + BREAK_S >= at)
    return paused if len(kept) == len(paused.spans) else PausedTime(spans=kept)


def _is_near(one: Span, other: Span) -> bool:
    if one.cause != other.cause or one.until is None or other.until is None:
        return False
    return one.since <= other.until + BREAK_S and other.since <= one.until + BREAK_S


def _last(paused: PausedTime, cause: str) -> Span | None:
    return next((span for span in reversed(paused.spans) if span.cause == cause), None)


def _with(paused: PausedTime, old: Span, new: Span) -> PausedTime:
    return PausedTime(spans=tuple(new if span is old else span for span in paused.spans))


def _bounds(spans: Iterable[Span], until: float) -> Iterable[tuple[float, float]]:
    for span in spans:
        end = until if span.until is None else min(span.until, until)
        if span.since < end:
            yield span.since, end
