"""What the camera saw: a frame, what was read in it, and what several reads agree on."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Pixels: TypeAlias = "npt.NDArray[np.uint8]"
"""A picture: shape (H, W, 3), dtype uint8, channels in the order B, G, R."""

Point: TypeAlias = tuple[float, float]
"""x to the right, y down, in pixels of what is read of the frame (`Frame.pixels`)."""

Corners: TypeAlias = tuple[Point, Point, Point, Point]
"""Top left, top right, bottom right, bottom left, as the driver of the car would name them
after the plate is turned upright."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture of one camera, with the moment it was taken.

    `number` counts the frames of this camera since the controller started: two frames are
    different pictures when their numbers differ. `pixels` are what is read of it, turned, masked
    and cut as the camera's settings say; `encoded` is the whole picture as the camera sent it.
    """

    camera: str
    number: int
    at: float
    pixels: Pixels
    encoded: bytes
    suffix: str


class Colour(StrEnum):
    """Ground colours of plates (GA 36-2018, table 1)."""

    BLUE = "blue"
    YELLOW = "yellow"
    GREEN = "green"
    YELLOW_GREEN = "yellow_green"
    WHITE = "white"
    BLACK = "black"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateRead:
    """One frame's opinion about one plate.

    `confidences` has one value in 0..1 for each character of `text`, in its order, and `others` the
    character that would have been the next best there ("": none), or nothing where it was not
    asked. `kind` is what a network takes the plate for by its looks, as `rules.plate` names kinds;
    "" where none says.
    """

    text: str
    confidences: tuple[float, ...]
    colour: Colour
    rows: int
    corners: Corners
    frame: int
    at: float
    others: tuple[str, ...] = ()
    kind: str = ""

    @property
    def confidence(self) -> float:
        """The weakest character: a mean would hide a blurred province (HyperLPR #262)."""
        return min(self.confidences, default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Several reads of one visit agree: this car is here.

    `agreeing` counts the frames that read exactly `plate`; `alternatives` are the other texts
    that were read, with their share of the evidence, best first. `certain` speaks of the reads
    alone: whether a list holds a look-alike is asked in `rules.access`. `company` is whether some
    frame showed another plate beside this one.
    """

    plate: str
    confidences: tuple[float, ...]
    colour: Colour
    rows: int
    agreeing: int
    frames: tuple[int, ...]
    alternatives: tuple[tuple[str, float], ...]
    certain: bool
    first_at: float
    last_at: float
    company: bool = False

    @property
    def confidence(self) -> float:
        """The weakest character of the merged read, 0..1."""
        return min(self.confidences, default=0.0)
