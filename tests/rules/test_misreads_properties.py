"""Misreads wider than any table, and sure ones: any character read as any other, lost or added.

Whatever is read, no driver who has left in time is certain to have overstayed.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from gatekeeper.model import (
    PROVINCES,
    Admits,
    Colour,
    Decision,
    Direction,
    Grounds,
    Instant,
    Judgement,
    Limit,
    ListName,
    ListRow,
    PassageEnd,
    Reason,
    Sighting,
    SiteState,
    Stay,
    VehicleClass,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import access, plate, stay
from gatekeeper.rules.journey import Ended, at_exit
from gatekeeper.rules.stay import QUIET, Woken

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
CERTAIN = 0.98
LIMIT = Limit(limit_s=600, warning_s=120, grace_s=60)
WINDOW_S = LIMIT.limit_s + LIMIT.grace_s
HALL = ZonePolicy(zone="hall", admits=Admits.REGISTERED, capacity=60, limit=LIMIT)
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"

plates = st.one_of(
    st.from_regex(f"[{PROVINCES}][A-HJ-Z][A-HJ-NP-Z0-9]{{5}}", fullmatch=True),
    st.from_regex(f"[{PROVINCES}][A-HJ-Z][A-HJK][0-9]{{5}}", fullmatch=True),
)


def at(s: float) -> Instant:
    return Instant(boot_id="a", boot_s=s, wall=NINE + timedelta(seconds=s), trusted=True)


@st.composite
def misread(draw: st.DrawFn, text: str, most: int) -> str:
    """What a reader may make of a plate with `most` mistakes at the most."""
    for _ in range(draw(st.integers(0, most))):
        place = draw(st.integers(0, len(text) - 1))
        skipped = draw(st.sampled_from([0, 1]))
        others = st.sampled_from(["", *(PROVINCES if place == 0 else LETTERS)])
        text = text[:place] + draw(others) + text[place + skipped :]
    return text


def plates_one_mistake_away(text: str) -> set[str]:
    """All plates that one mistake makes of another, found without the rules' own keys."""
    changed = {
        text[:place] + other + text[place + skipped :]
        for place in range(len(text))
        for skipped in (0, 1)
        for other in ("", *(PROVINCES if place == 0 else LETTERS))
    }
    return {each for each in changed if each != text and plate.kind_of(each) is not None}


def sighting(text: str, confidences: tuple[float, ...]) -> Sighting:
    return Sighting(
        plate=text,
        confidences=confidences,
        colour=Colour.UNKNOWN,
        rows=1,
        agreeing=3,
        frames=(1, 2, 3),
        alternatives=(),
        certain=True,
        first_at=0.0,
        last_at=0.2,
    )


def leaves(seen: Sighting | None, arrived_s: float) -> Ended:
    """A vehicle passes the exit, and is taken for what was read."""
    decision = Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.EXIT,
        rule="exit.exit",
        plate=seen.plate if seen else None,
        vehicle=VehicleClass.UNKNOWN,
        certain=seen is not None,
    )
    return Ended(
        lane="out",
        passage=f"p {arrived_s}",
        end=PassageEnd.PASSED,
        sighting=seen,
        decision=decision,
        arrived=at(arrived_s),
        at=at(arrived_s + 4),
    )


def entered(text: str) -> Stay:
    """An internal vehicle that was read for certain at the entry."""
    decision = Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.INTERNAL,
        rule="registered.internal",
        plate=text,
        vehicle=VehicleClass.INTERNAL,
        certain=True,
        limit=LIMIT,
        row=ListRow(list=ListName.INTERNALS, plate=text, version=1),
    )
    begun = stay.begin("s", "hall", decision, at(0), "in", "p")
    assert begun is not None
    return begun.stay


def judged(each: Stay, passages: list[Ended]) -> Stay:
    """The stay after these passages, and long after its window."""
    for told in passages:
        for step in at_exit([each], told, CERTAIN, QUIET):
            each = step.stay
    return stay.step(each, Woken(), at(WINDOW_S + 3600), QUIET).stay


def sure(text: str) -> tuple[float, ...]:
    return (1.0,) * len(text)


@given(st.data(), plates, st.floats(1, WINDOW_S))
def test_who_leaves_in_time_and_is_surely_misread_in_two_characters_has_not_overstayed(
    data: st.DataObject, text: str, arrived_s: float
) -> None:
    read = data.draw(misread(text, 2))
    assume(read)
    after = judged(entered(text), [leaves(sighting(read, sure(read)), arrived_s)])

    assert after.judgement is not Judgement.OVERSTAYED


@given(st.data(), plates, st.floats(1, WINDOW_S))
def test_who_is_misread_in_more_but_is_unsure_of_all_but_two_of_them_has_not_either(
    data: st.DataObject, text: str, arrived_s: float
) -> None:
    wrong = data.draw(st.lists(st.sampled_from(LETTERS), min_size=len(text), max_size=len(text)))
    pairs = zip(text, wrong, strict=True)
    differ = [place for place, (one, other) in enumerate(pairs) if one != other]
    certain = set(data.draw(st.permutations(differ))[:2])
    read = "".join(wrong)
    confidences = tuple(1.0 if n in certain or n not in differ else 0.97 for n in range(len(read)))
    after = judged(entered(text), [leaves(sighting(read, confidences), arrived_s)])

    assert after.judgement is not Judgement.OVERSTAYED


@given(st.data(), plates, st.lists(plates, max_size=6), st.floats(1, WINDOW_S), st.booleans())
def test_whatever_other_vehicles_are_read_as_makes_no_overstay_of_one_that_has_left(
    data: st.DataObject, text: str, others: list[str], arrived_s: float, unread: bool
) -> None:
    passages = [leaves(sighting(other, sure(other)), 5.0 + n) for n, other in enumerate(others)]
    read = data.draw(misread(text, 2))
    assume(read)
    own = leaves(None if unread else sighting(read, sure(read)), arrived_s)
    order = sorted([*passages, own], key=lambda told: told.arrived.boot_s)

    assert judged(entered(text), order).judgement is not Judgement.OVERSTAYED


@given(plates, st.data(), st.sampled_from(ListName))
def test_a_listed_vehicle_that_is_surely_read_as_an_internal_one_character_away_accuses_no_one(
    text: str, data: st.DataObject, listed_as: ListName
) -> None:
    """The vehicle at the entry is `real`; three frames surely read `text`."""
    real = data.draw(st.sampled_from(sorted(plates_one_mistake_away(text))))
    seen = sighting(text, sure(text))
    assert real in access.keys(seen)
    rows = (
        ListRow(list=ListName.INTERNALS, plate=text),
        ListRow(list=listed_as, plate=real),
    )
    grounds = Grounds(
        direction=Direction.ENTRY,
        rows=rows,
        zone=ZoneState(zone="hall", count=0, trusted=True),
        site=SiteState(),
        now=NINE,
        certain=CERTAIN,
    )
    question = access.Question(sighting=seen, policy=HALL, grounds=grounds, versions=())

    assert not access.decide(question).certain
    alone = replace(question, grounds=replace(grounds, rows=rows[:1]))
    assert access.decide(alone).certain
