"""What all tables of the file have in common."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
"""A name of our own: it becomes part of topics, file names and log fields."""


def _anchored(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path


File = Annotated[Path, AfterValidator(_anchored)]
"""A path; a relative one counts from the folder of the configuration file."""


class Settings(BaseModel):
    """Frozen, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


def guess(word: str, known: Iterable[str]) -> str:
    """What a fault says of the known word nearest to a wrong one; empty if none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
