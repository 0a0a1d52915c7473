"""What `manifest.toml` says of a set: its files, what goes in and comes out of each, and what it is
worth. Each part names its own contract, so that one set may hold parts of two families.
"""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gatekeeper.model import Colour

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=32, le=4096)]
Point = Annotated[int, Field(ge=0, le=3)]
Count = Annotated[int, Field(ge=0)]
Rim = tuple[Annotated[float, Field(gt=-0.5, lt=1)], Annotated[float, Field(gt=-0.5, lt=1)]]
"""By how much of its width and of its height the plate is cut out larger than its corners say."""


Decoder: TypeAlias = Literal["greedy", "grammar"]
"""How a text is made of shares: the best path, or the most probable plate. A set is calibrated with
one of them.
"""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClpDetector(_Part):
    """In: float32 (1, 3, H, W), BGR, `(pixel - mean) * scale`. Out, for each prior: box (4), the
    shares of the classes nothing and plate (2), corner points (8).

    Priors have the `sizes` of their step, in pixels of the input; `corners` are the places of top
    left, top right, bottom right and bottom left among the network's four points.
    """

    contract: Literal["clp"]
    file: FileName
    mean: tuple[float, float, float]
    scale: Positive
    side: Side
    second_side: Side | None = None
    steps: tuple[Annotated[int, Field(gt=0)], ...]
    sizes: tuple[tuple[Positive, ...], ...]
    variances: tuple[Positive, Positive]
    corners: tuple[Point, Point, Point, Point]
    rim: Rim = (0.14, -0.02)

    @property
    def sides(self) -> tuple[int, ...]:
        """Longest sides of the picture, one for each pass."""
        return (self.side, self.second_side) if self.second_side else (self.side,)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.steps) != len(self.sizes) or not self.steps:
            raise ValueError("there must be one row of sizes for each step")
        if sorted(self.corners) != [0, 1, 2, 3]:
            raise ValueError("corners must name each of the points 0 to 3 once")
        return self


class Hyperlpr3Detector(_Part):
    """In: float32 (1, 3, S, S), RGB, 0..1, the picture in the middle of black. Out: (1, N, 15), in
    each row the box's centre, width and height, how sure it is that there is something, four corner
    points from top left on, and the shares of one row and two rows.

    Where the network takes any size (`square = false`), only what is missing to a multiple of 32 is
    black; hyperlpr3's own engine makes a square of `side` of every picture.
    """

    contract: Literal["hyperlpr3"]
    file: FileName
    side: Side = 320
    second_side: Side | None = None
    third_side: Side | None = None
    square: bool = True
    rim: Rim = (0.0, 0.0)

    @property
    def sides(self) -> tuple[int, ...]:
        """Longest sides of the picture, one for each pass."""
        sides = self.side, self.second_side, self.third_side
        return tuple(side for side in sides if side)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.square and len(self.sides) > 1:
            raise ValueError("a square network has one side: leave second_side out")
        if any(side % 32 for side in self.sides):
            raise ValueError("sides must be multiples of 32")
        return self


DetectorContract: TypeAlias = ClpDetector | Hyperlpr3Detector


class ClpRecogniser(_Part):
    """In: float32 (1, 3, height, width), BGR, `(pixel - mean) * scale`, zeros on the right of the
    crop. Out: (1, T, 1 + characters of the alphabet), shares of 1, the CTC blank first.
    """

    contract: Literal["clp"]
    file: FileName
    alphabet: FileName
    mean: tuple[float, float, float]
    scale: Positive
    height: Annotated[int, Field(ge=8, le=256)]
    width: Side
    fit: Literal["pad"] = "pad"
    two_rows: Literal["joined"] = "joined"
    decoder: Decoder = "greedy"


class Hyperlpr3Recogniser(_Part):
    """In: float32 (N, 3, 48, 160), BGR, -1..1. Out: (N, T, 1 + characters), shares, blank first.

    The crop keeps its shape and is filled up on the right with zeros, as hyperlpr3 does it, or is
    stretched, if the network has been trained so. The rows of a plate that has two are read one by
    one, as hyperlpr3 does it and its own classes always do, or side by side.
    """

    contract: Literal["hyperlpr3"]
    file: FileName
    alphabet: FileName
    fit: Literal["pad", "stretch"] = "pad"
    two_rows: Literal["apart", "joined"] = "apart"
    decoder: Decoder = "greedy"

    @property
    def mean(self) -> tuple[float, float, float]:
        """Grey."""
        return 127.5, 127.5, 127.5

    @property
    def scale(self) -> float:
        """To -1..1."""
        return 1 / 127.5

    @property
    def height(self) -> int:
        """Pixels."""
        return 48

    @property
    def width(self) -> int:
        """Pixels."""
        return 160


RecogniserContract: TypeAlias = ClpRecogniser | Hyperlpr3Recogniser


class PlateClass(_Part):
    """What one output of a classifier means; `kind` is one of the kinds of `rules.plate`, or ""."""

    colour: Colour
    kind: str = ""


class ClassifierContract(_Part):
    """In: float32 (1, 3, 96, 96), BGR, 0..1, the plate stretched. Out: (1, classes)."""

    contract: Literal["hyperlpr3"]
    file: FileName
    classes: Annotated[tuple[PlateClass, ...], Field(min_length=2)]


class Thresholds(_Part):
    """From which score a plate is one, from which it is read at once (fainter ones where no
    stronger one convinces), from which overlap two are the same, and from which weakest character
    a reading needs no second look.
    """

    least_score: Share = 0.3
    strong_score: Share = 0.0
    most_overlap: Share = 0.4
    convincing: Share = 0.6


class Calibration(_Part):
    """What a share is worth: the logits are divided by `temperature`; then `points`, pairs of what
    is said and what is right, rising, are joined by straight lines.
    """

    temperature: Positive = 1.0
    points: tuple[tuple[Share, Share], ...] = ()

    @model_validator(mode="after")
    def _rises(self) -> Self:
        said, right = [one for one, _ in self.points], [one for _, one in self.points]
        if said != sorted(set(said)) or right != sorted(right):
            raise ValueError("points must rise")
        return self


class Measured(_Part):
    """Pictures of one kind that took no part in training: how many were read right, how many reads
    were sure (0.98 or more), and how many of these were wrong.
    """

    pictures: Count
    right: Count
    sure: Count = 0
    sure_wrong: Count = 0


class Manifest(_Part):
    """The whole of it; `certain` is the calibrated level of the weakest character that may count
    against a driver, `confusions` how often which character (first) was read as which.
    """

    name: SetName
    version: str
    licence: str
    origin: str
    certain: Annotated[float, Field(gt=0.5, le=1)]
    files: dict[FileName, Digest]
    detector: Annotated[DetectorContract, Field(discriminator="contract")]
    recogniser: Annotated[RecogniserContract, Field(discriminator="contract")]
    classifier: ClassifierContract | None = None
    thresholds: Thresholds = Thresholds()
    calibration: Calibration = Calibration()
    measured: dict[str, Measured] = {}
    confusions: dict[str, dict[str, Count]] = {}

    @model_validator(mode="after")
    def _names_its_files(self) -> Self:
        used = [self.detector.file, self.recogniser.file, self.recogniser.alphabet]
        used += [] if self.classifier is None else [self.classifier.file]
        for name in used:
            if name not in self.files:
                raise ValueError(f"{name} is used but has no sum under [files]")
        return self
