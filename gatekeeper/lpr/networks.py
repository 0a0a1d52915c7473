"""Sets of networks: a folder's name in, its manifest and verified files out.

A set is a folder with a `manifest.toml` that says what each file is (sha256) and what goes in and
comes out of it. No byte of a file reaches onnxruntime before its sum was found right, and nothing
is ever downloaded here.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gatekeeper.errors import NetworkSetError

FOLDER = Path(__file__).parent / "networks"
"""Where the sets lie; the name of a set is the name of its folder."""

_REMEDY = "run ./demo or ./test once, they fetch the networks and put them in place"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Positive = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=32, le=4096)]
Point = Annotated[int, Field(ge=0, le=3)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DetectorContract(_Part):
    """In: float32 (1, 3, H, W), BGR, `(pixel - mean) * scale`. Out, for each prior: box (4), the
    shares of the classes nothing and plate (2), corner points (8).

    Priors have the `sizes` of their step, in pixels of the input; `corners` are the places of top
    left, top right, bottom right and bottom left among the network's four points.
    """

    file: FileName
    mean: tuple[float, float, float]
    scale: Positive
    side: Side
    second_side: Side
    steps: tuple[Annotated[int, Field(gt=0)], ...]
    sizes: tuple[tuple[Positive, ...], ...]
    variances: tuple[Positive, Positive]
    corners: tuple[Point, Point, Point, Point]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.steps) != len(self.sizes) or not self.steps:
            raise ValueError("there must be one row of sizes for each step")
        if sorted(self.corners) != [0, 1, 2, 3]:
            raise ValueError("corners must name each of the points 0 to 3 once")
        return self


class RecogniserContract(_Part):
    """In: float32 (1, 3, height, width), BGR, `(pixel - mean) * scale`, zeros on the right of the
    crop. Out: (1, T, 1 + characters of the alphabet), shares of 1, the CTC blank first.
    """

    file: FileName
    alphabet: FileName
    mean: tuple[float, float, float]
    scale: Positive
    height: Annotated[int, Field(ge=8, le=256)]
    width: Side


class Manifest(_Part):
    """What `manifest.toml` says; `certain` is the calibrated level of the weakest character that
    may count against a driver.
    """

    name: str
    licence: str
    origin: str
    certain: Annotated[float, Field(gt=0.5, le=1)]
    files: dict[FileName, Digest]
    detector: DetectorContract
    recogniser: RecogniserContract

    @model_validator(mode="after")
    def _names_its_files(self) -> Self:
        for name in (self.detector.file, self.recogniser.file, self.recogniser.alphabet):
            if name not in self.files:
                raise ValueError(f"{name} is used but has no sum under [files]")
        return self


class NetworkSet:
    """A manifest and the folder it stands in."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._folder = folder

    def content(self, name: FileName) -> bytes:
        """A file of the set; raises `NetworkSetError` unless they are the right ones."""
        path = self._folder / name
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise NetworkSetError(f"{path}: is missing; {_REMEDY}") from error
        except OSError as error:
            raise NetworkSetError(f"{path}: cannot be read: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest() != self.manifest.files[name]:
            raise NetworkSetError(
                f"{path}: is not the file the manifest names (its sha256 differs);"
                f" delete it and {_REMEDY}"
            )
        return data

    def alphabet(self) -> tuple[str, ...]:
        """The characters of the recogniser, in the order of its outputs, without the blank."""
        text = self.content(self.manifest.recogniser.alphabet).decode("utf-8")
        return tuple(line.strip() for line in text.splitlines() if line.strip())


def find(name: str, folder: Path = FOLDER) -> NetworkSet:
    """The set called `name`, all of its files verified; raises `NetworkSetError`."""
    known = sorted(path.parent.name for path in folder.glob("*/manifest.toml"))
    if name not in known:
        raise NetworkSetError(
            f'there is no set of networks called "{name}"; known are: {", ".join(known) or "none"}'
        )
    found = NetworkSet(folder / name, _manifest(folder / name / "manifest.toml"))
    for file in found.manifest.files:
        found.content(file)
    return found


def _manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NetworkSetError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'manifest'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise NetworkSetError(f"{path}: {faults}") from error
