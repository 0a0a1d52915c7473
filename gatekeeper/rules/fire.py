"""The fire inputs: what latches, what was only a glitch, and when it may be released.

Pure: (memory, an input changed or time, at) -> (memory, what there is to say). Above every other
rule: GB 50116-2013, 4.10.3, has the fire controller open the barriers. A latch is let go by a
person alone, never by time (docs/situations.md, 25).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

LATCH_S = 0.3
"""An input that is on for so long without a break is a fire; what is shorter is a glitch."""

CLEAR_S = 10.0
"""So long every input has to be clear before a person may release."""

LONG_S = 30 * 60.0
"""An input that is on for longer may be stuck, or its wire broken: an alarm, and still a fire."""

_EARLY_S = 1e-6
"""Sums of moments are not exact: who asked to be woken then must find that it is time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fire input: what it says (None before it was ever read), and since when."""

    name: str
    on: bool | None = None
    since: float = 0.0

    def lasts(self, at: float) -> float:
        """For how many seconds it has been on."""
        return at - self.since if self.on else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """The memory of the fire inputs. `long` is whether one has been on for too long."""

    lines: tuple[Line, ...] = ()
    latched: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True)
class Latched:
    """From now on there is a fire, for this input."""

    line: str


@dataclass(frozen=True, slots=True)
class Glitch:
    """An input was on for so short a time that it means nothing."""

    line: str
    lasted_s: float


@dataclass(frozen=True, slots=True)
class Long:
    """An input has been on for longer than a fire should last (`on`), or no longer is."""

    on: bool
    line: str = ""


News: TypeAlias = Latched | Glitch | Long


@dataclass(frozen=True, slots=True, kw_only=True)
class FireStep:
    """What comes of one input, or of time."""

    fire: Fire
    news: tuple[News, ...] = ()


def begin(lines: Iterable[str], *, latched: bool) -> Fire:
    """The inputs as they are wired, none of them read; `latched` is what was stored."""
    return Fire(lines=tuple(Line(name=name) for name in lines), latched=latched)


def sensed(fire: Fire, name: str, on: bool, at: float) -> FireStep:
    """An input says whether there is a fire. Saying it again is no news."""
    before = next(line for line in fire.lines if line.name == name)
    judged = late(fire, at)
    if before.on == on:
        return judged
    now = Line(name=name, on=on, since=at)
    lines = tuple(now if line.name == name else line for line in judged.fire.lines)
    after = late(replace(judged.fire, lines=lines), at)
    glitch = (Glitch(name, before.lasts(at)),) if _was_glitch(before, at) else ()
    return FireStep(fire=after.fire, news=(*judged.news, *glitch, *after.news))


def late(fire: Fire, at: float) -> FireStep:
    """Time has passed: an input that is still on may latch, or be on for too long."""
    news: list[News] = []
    burning = [line for line in fire.lines if line.on and line.lasts(at) >= LATCH_S - _EARLY_S]
    if burning and not fire.latched:
        news.append(Latched(burning[0].name))
    long = [line for line in burning if line.lasts(at) >= LONG_S - _EARLY_S]
    if bool(long) != fire.long:
        news.append(Long(bool(long), long[0].name if long else ""))
    if not news:
        return FireStep(fire=fire)
    after = replace(fire, latched=fire.latched or bool(burning), long=bool(long))
    return FireStep(fire=after, news=tuple(news))


def wake_at(fire: Fire) -> float | None:
    """When `late` wants to be called (boot clock), None if nothing is on that has to be timed."""
    moments = [
        line.since + (LONG_S if fire.latched else LATCH_S)
        for line in fire.lines
        if line.on and not fire.long
    ]
    return min(moments, default=None)


def objection(fire: Fire, at: float) -> str | None:
    """Why a latched fire may not be released at the moment `at`; None if it may."""
    for line in fire.lines:
        if line.on is None:
            return f"the fire input {line.name} has not been read yet"
        if line.on:
            return f"the fire input {line.name} is on"
        if at - line.since < CLEAR_S - _EARLY_S:
            return f"the fire input {line.name} has been clear for less than {CLEAR_S:g} s"
    return None


def released(fire: Fire) -> Fire:
    """The memory after a person has released it."""
    return replace(fire, latched=False)


def _was_glitch(line: Line, at: float) -> bool:
    return bool(line.on) and line.lasts(at) < LATCH_S - _EARLY_S
