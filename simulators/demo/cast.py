"""Finds cars for the play: drawn ones, or photographs whose plates are read from them."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from gatekeeper.errors import PictureError
from gatekeeper.rules import plate
from simulators.demo.errors import DemoError

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")

LOOKED_AT = 80
"""Photographs that are looked at, at most; enough cars are found long before."""

NETWORKS = "gk"
"""The set of networks that the demonstration reads with."""

GOOD = 0.99
"""Weakest character of a photograph that may play: the act about the overstay needs a sighting
that could stand against a driver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """A car of the play: its plate, and the photograph it is seen on (None: it is drawn)."""

    plate: str
    photograph: Path | None = None

    def shown(self, lane: str) -> str:
        """The command that puts it before a lane's camera."""
        if self.photograph is None:
            return f"show {lane} {self.plate}"
        return f"picture {lane} {self.photograph.resolve()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays: two visitors, one unknown car, one of the staff."""

    visitor: Car
    second_visitor: Car
    stranger: Car
    staff: Car


DRAWN = Cast(
    visitor=Car(plate="闽C12F57"),
    second_visitor=Car(plate="闽CD37619"),
    stranger=Car(plate="浙A8K302"),
    staff=Car(plate="京N64P39"),
)


def from_photographs(folder: Path) -> Cast:
    """Cars among the photographs in `folder`, with plates that cannot be taken for each other.

    Raises `DemoError` where there are not four of them.
    """
    from gatekeeper.lpr import open_recogniser
    from gatekeeper.lpr.picture import load

    if not folder.is_dir():
        raise DemoError(f"{folder}: is not a folder")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
    recogniser = open_recogniser(NETWORKS, 1, patterns=tuple(plate.GRAMMAR.values()))
    found: list[Car] = []
    for file in files[:LOOKED_AT]:
        with contextlib.suppress(PictureError):
            reads = recogniser.read(load(file))
            text = plate.normalise(reads[0].text) if len(reads) == 1 else ""
            good = plate.kind_of(text) is not None and reads[0].confidence >= GOOD
            if good and not any(_alike(text, car.plate) for car in found):
                found.append(Car(plate=text, photograph=file))
        if len(found) == 4:
            return Cast(
                visitor=found[0], second_visitor=found[1], stranger=found[2], staff=found[3]
            )
    raise DemoError(
        f"{folder}: {len(found)} of {len(files)} pictures show one plate that reads without doubt;"
        " the play needs four"
    )


def _alike(one: str, other: str) -> bool:
    """Whether a few characters could not tell one plate from the other."""
    if one == other or other in plate.look_alikes(one):
        return True
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) < 3
