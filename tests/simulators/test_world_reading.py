"""The reader of the simulated world: how often and how it is wrong."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from simulators.world.car import Car, Works
from simulators.world.gate import Read
from simulators.world.plan import Plan
from simulators.world.reading import PARTNERS, Reader
from simulators.world.truth import Vehicle

DAY_S = 86_400.0
NOTHING_WRONG = replace(Plan(), misread_frames=0, blank_frames=0, persistent_misreads=0)


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - plates are varied by a seed, not secured by it


def read(plan: Plan, frames: int = 20_000) -> tuple[Car, list[Read | None]]:
    car = Works(dice(4)).car(Vehicle.VISITOR, "闽D8B502")
    reader = Reader(plan, 0.0, dice(1))
    return car, [reader.read(car, 0.0) for _ in range(frames)]


def wrong(car: Car, seen: Read) -> list[tuple[str, str, float]]:
    """The true and the read character and its confidence, where they differ."""
    pairs = zip(car.plate, seen.text, seen.confidences, strict=True)
    return [(right, one, level) for right, one, level in pairs if right != one]


def test_a_clean_plate_is_read_rightly_and_surely() -> None:
    car, reads = read(NOTHING_WRONG, 100)
    for seen in reads:
        assert seen is not None
        assert seen.text == car.plate
        assert min(seen.confidences) >= 0.985


def test_frames_are_misread_and_blank_as_often_as_planned() -> None:
    car, reads = read(replace(NOTHING_WRONG, misread_frames=0.02, blank_frames=0.03))
    seen = [one for one in reads if one is not None]
    misread = [one for one in seen if one.text != car.plate]
    assert 1 - len(seen) / len(reads) == pytest.approx(0.03, rel=0.15)
    assert len(misread) / len(seen) == pytest.approx(0.02, rel=0.15)


def test_misreads_are_mostly_one_confused_character_of_low_confidence() -> None:
    car, reads = read(replace(NOTHING_WRONG, misread_frames=1.0))
    misread = [wrong(car, seen) for seen in reads if seen is not None]
    how_many = Counter(len(places) for places in misread)
    assert set(how_many) == {1, 2, 3}
    assert how_many[1] / len(misread) == pytest.approx(0.85, abs=0.02)
    singles = [place for places in misread for place in places]
    confused = sum(one in PARTNERS.get(right, "") for right, one, _ in singles)
    assert confused / len(singles) == pytest.approx(0.9, abs=0.05)
    sure = sum(level >= 0.98 for _, _, level in singles)
    assert sure / len(singles) == pytest.approx(0.15, abs=0.03)


def test_dirt_is_misread_the_same_way_and_surely_in_every_lane_all_day() -> None:
    plan = replace(NOTHING_WRONG, persistent_misreads=1.0)
    car = Works(dice(4)).car(Vehicle.INTERNAL)
    at_entry, at_exit = Reader(plan, 0.0, dice(1)), Reader(plan, 0.0, dice(2))
    texts = set()
    for reader, at in ((at_entry, 100.0), (at_exit, 5_000.0), (at_entry, 80_000.0)):
        seen = reader.read(car, at)
        assert seen is not None
        assert len(wrong(car, seen)) == 1
        assert min(seen.confidences) >= 0.98
        texts.add(seen.text)
    assert len(texts) == 1


def test_dirt_is_drawn_again_the_next_day() -> None:
    plan = replace(NOTHING_WRONG, persistent_misreads=1.0)
    car = Works(dice(4)).car(Vehicle.INTERNAL)
    reader = Reader(plan, 0.0, dice(1))
    texts = [seen.text for day in range(5) if (seen := reader.read(car, day * DAY_S))]
    assert len(set(texts)) > 1


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 1.0])
def test_grimy_cars_are_missed_more_often_and_the_mean_stays_as_planned(share: float) -> None:
    works, reader = Works(dice(4)), Reader(Plan(), share, dice(1))
    missed, grimy_missed, grimy = 0, 0, 0
    for _ in range(20_000):
        car = works.car(Vehicle.UNKNOWN)
        legible = reader.legible(car, 0.0)
        missed += not legible
        grimy += car.grimy
        grimy_missed += car.grimy and not legible
    assert missed / 20_000 == pytest.approx(share, rel=0.2)
    assert grimy_missed / grimy >= min(0.9, missed / 20_000) - 0.05
