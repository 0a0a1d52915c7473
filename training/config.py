"""What a run is made of: one TOML file in, checked values out."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSet(_Part):
    """Real pictures: those of the manifest whose path begins with `prefix`."""

    name: str
    prefix: str
    licence: str
    use: bool


class Rendering(_Part):
    """Sources of rendered plates, as folders below the data folder; empty for none."""

    glyphs: str
    glyphs_licence: str
    textures: str
    textures_licence: str


class Model(_Part):
    """Channels of the four stages."""

    channels: tuple[int, int, int, int]


class Pace(_Part):
    """`minutes` of the processor make a run; a run resumed after its end begins another, at
    `again_rate` of the learning rate.
    """

    minutes: Positive
    batch: Annotated[int, Field(ge=8)]
    rate: Positive
    again_rate: Share
    decay: Share
    warm_up: Share
    average: Share
    bfloat16: bool


class Schedule(Pace):
    """Of the recogniser; a second run goes without the frame-aligned loss."""

    aligned_until: Share
    real_share: Share
    hard_share: Share


class Run(_Part):
    """What runs of all networks have. `salt` decides which plates train (see `training.split`)."""

    name: str
    seed: int
    salt: str
    data: str
    threads: Annotated[int, Field(ge=1, le=64)]
    rendering: Rendering
    sets: tuple[DataSet, ...]

    def set_of(self, path: str) -> DataSet | None:
        """The data set that a path of the manifest belongs to, if one is switched on."""
        return next((one for one in self.sets if one.use and path.startswith(one.prefix)), None)


class WithCrops(Run):
    """A run that looks at plates cut from scenes; `detector` is the teacher of corners."""

    detector: str


class Config(WithCrops):
    """A whole run of the recogniser."""

    model: Model
    schedule: Schedule


class DetectorModel(_Part):
    """Channels at a half, a quarter, an 8th, a 16th and a 32nd of the picture, and of the heads."""

    channels: tuple[int, int, int, int, int]
    head: Annotated[int, Field(ge=8)]


class DetectorConfig(Run):
    """A whole run of the detector. What both `teachers` see is a plate; `reader` is the network of
    ours that tells which plate, where no label does.
    """

    teachers: tuple[str, str]
    reader: str
    model: DetectorModel
    schedule: Pace


class ClassifierConfig(WithCrops):
    """A whole run of the network for colour and kind; `teacher` tells the colour of real plates
    whose text does not.
    """

    teacher: str
    channels: tuple[int, int, int, int]
    real_share: Share
    schedule: Pace


def load(path: Path) -> Config:
    """The config in a file; raises `ValueError` (pydantic's or tomllib's) for a wrong one."""
    return Config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def load_detector(path: Path) -> DetectorConfig:
    """As `load`, of a detector."""
    return DetectorConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def load_classifier(path: Path) -> ClassifierConfig:
    """As `load`, of a network for colour and kind."""
    return ClassifierConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
