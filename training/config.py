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


class Schedule(_Part):
    """`minutes` of training make a run; a run resumed after its end begins another, at
    `again_rate` of the learning rate and without the frame-aligned loss.
    """

    minutes: Positive
    batch: Annotated[int, Field(ge=8)]
    rate: Positive
    again_rate: Share
    decay: Share
    warm_up: Share
    aligned_until: Share
    average: Share
    real_share: Share
    hard_share: Share
    bfloat16: bool


class Config(_Part):
    """A whole run. `salt` decides which plates train (see `training.split`)."""

    name: str
    seed: int
    salt: str
    data: str
    detector: str
    threads: Annotated[int, Field(ge=1, le=64)]
    rendering: Rendering
    model: Model
    schedule: Schedule
    sets: tuple[DataSet, ...]

    def set_of(self, path: str) -> DataSet | None:
        """The data set that a path of the manifest belongs to, if one is switched on."""
        return next((one for one in self.sets if one.use and path.startswith(one.prefix)), None)


def load(path: Path) -> Config:
    """The config in a file; raises `ValueError` (pydantic's or tomllib's) for a wrong one."""
    return Config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
