"""Five frames of one car, read each by itself and merged by the rules: what a lane does at night
and in rain.

Cars are drawn as the simulated cameras draw them, each with a plate of its own, while they roll up.
The first frame is taken ever sooner, and so from farther away, until about nine frames in ten are
read right; there more cars are taken. Merged is what `rules.votes` says in its last call.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeAlias

from gatekeeper.lpr import Recogniser, open_recogniser
from gatekeeper.rules.plate import GRAMMAR, normalise
from gatekeeper.rules.votes import Quorum, tally
from simulators.plate import Ground
from simulators.traffic import Drive, Scene, taken
from simulators.weather import Weather
from training.evaluate import wilson
from training.render.texts import Kind, text_of

Figures: TypeAlias = dict[str, Any]

FRAMES = 5
CARS, CARS_SHORT = 300, 30
TRIED = 20
"""Cars for each first moment, to find the one wanted."""

WANTED = 0.9
"""Share of frames that are to be right."""

STRENGTH = 0.9
"""Of the weather."""

SOONEST_S, LATEST_S, HALVINGS = 0.2, 2.2, 6
"""Of the first frame, since the car came into view; and how often that is halved."""

KINDS = {Kind.BLUE: Ground.BLUE, Kind.YELLOW: Ground.YELLOW, Kind.GREEN_SMALL: Ground.GREEN}
APART_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """How many of its frames were read right, and what they say together ("" for nothing)."""

    truth: str
    right: int
    merged: str


def scenes(count: int, seed: int, weather: Weather) -> Iterator[Scene]:
    """So many cars in this weather; the same seed makes the same ones."""
    chance = Random(seed)
    for number in range(count):
        kind, ground = chance.choice(list(KINDS.items()))
        text = text_of(kind, chance)
        while text[1] == "O":  # the simulators draw none
            text = text_of(kind, chance)
        yield Scene(
            seed=seed + number,
            plate=text,
            ground=ground,
            drive=Drive(came_at=0.0),
            weather={weather: STRENGTH},
        )


def seen(recogniser: Recogniser, scene: Scene, first_s: float) -> Car:
    """One car, from this moment on."""
    reads, right = [], 0
    for number in range(FRAMES):
        found = recogniser.read(taken(scene, first_s + number * APART_S))
        right += any(normalise(read.text) == scene.plate for read in found)
        reads += [replace(read, frame=number, at=number * APART_S) for read in found]
    sighting = tally(reads, Quorum(), last_call=True)
    return Car(truth=scene.plate, right=right, merged=sighting.plate if sighting else "")


def figures(cars: Sequence[Car]) -> Figures:
    """Of single frames and of whole cars."""
    merged = sum(car.merged == car.truth for car in cars)
    low, high = wilson(merged, len(cars))
    return {
        "cars": len(cars),
        "frames_right": round(sum(car.right for car in cars) / len(cars) / FRAMES, 4),
        "merged_right": merged,
        "merged_share": round(merged / len(cars), 4),
        "interval": [round(low, 4), round(high, 4)],
        "merged_wrong": sum(car.merged not in ("", car.truth) for car in cars),
    }


def measured(recogniser: Recogniser, weather: Weather, count: int) -> Figures:
    """From the moment on from which single frames are read as often as is wanted."""
    soon, late = SOONEST_S, LATEST_S
    for _ in range(HALVINGS):
        first_s = (soon + late) / 2
        cars = [seen(recogniser, one, first_s) for one in scenes(TRIED, 1, weather)]
        if sum(car.right for car in cars) / TRIED / FRAMES > WANTED:
            late = first_s
        else:
            soon = first_s
    cars = [seen(recogniser, one, first_s) for one in scenes(count, 1000, weather)]
    return {"weather": weather.value, "first_s": round(first_s, 3), **figures(cars)}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.merged", description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the line of figures")
    parser.add_argument("--short", action="store_true", help=f"{CARS_SHORT} cars")
    parser.add_argument("--networks", default="gk", help="the set of networks")
    chosen = parser.parse_args()
    recogniser = open_recogniser(chosen.networks, 1, patterns=tuple(GRAMMAR.values()))
    count = CARS_SHORT if chosen.short else CARS
    told = [measured(recogniser, one, count) for one in (Weather.NIGHT, Weather.RAIN)]
    if not chosen.json:
        for one in told:
            print(", ".join(f"{name} {value}" for name, value in one.items()))
    print(json.dumps({"benchmark": "merged", "networks": chosen.networks, "weather": told}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
