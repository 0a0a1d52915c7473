"""What a disk, a recogniser and devices do when they do it badly; good until told otherwise."""

import asyncio
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeAlias

from gatekeeper.errors import PictureError, StoreError
from gatekeeper.model import Frame, PlateRead
from simulators.virtual.store import Does

DiskFault: TypeAlias = Literal["raising", "slow", "uneven", "hung", "locked", "full", "read_only"]
ReaderFault: TypeAlias = Literal["raising", "slow", "wrong"]

_SAYS = {
    "raising": "disk I/O error",
    "locked": "database is locked",
    "full": "database or disk is full",
    "read_only": "attempt to write a readonly database",
}

_SLOW_S = (2.0, 0.4)
"""How long a write and a read take on a slow disk."""

_UNEVEN_S = 0.8
"""The longest that a piece of work takes on a disk of which some take no time."""

_HUNG_S = 3600.0
"""A disk that hangs answers after this, or when it is well again."""


class WeakDisk:
    """A disk with at most one fault at a time."""

    def __init__(self) -> None:
        self.fault: DiskFault | None = None
        self._well = asyncio.Event()
        self._chance = Random(0)

    def delay_s(self, does: Does) -> float:
        """How long it takes; raises `StoreError`."""
        match self.fault:
            case None:
                return 0.0
            case "slow":
                return _SLOW_S[does != "writes"]
            case "uneven":
                return self._chance.uniform(0.0, _UNEVEN_S)
            case "hung":
                return _HUNG_S
            case "raising":
                raise StoreError(_SAYS["raising"])
            case said:
                if does == "writes":
                    raise StoreError(_SAYS[said])
                return 0.0

    async def wait(self, delay_s: float) -> None:
        """So long, or until the disk that hung is well again."""
        if delay_s < _HUNG_S:
            await asyncio.sleep(delay_s)
            return
        while self.fault == "hung":
            self._well.clear()
            await self._well.wait()

    def heal(self) -> None:
        """It is well from now on."""
        self.fault = None
        self._well.set()


@dataclass(slots=True)
class WeakReader:
    """How the recogniser of a machine reads."""

    fault: ReaderFault | None = None
    taken_for: tuple[str, str] = ("8", "B")
    """Of a recogniser that is surely wrong: what it takes for what."""

    async def read(self, frame: Frame, reads: tuple[PlateRead, ...]) -> tuple[PlateRead, ...]:
        """What it makes of a picture that shows these; raises `PictureError`."""
        match self.fault:
            case "raising":
                raise PictureError("the networks cannot be run")
            case "slow":
                await asyncio.sleep(_SLOW_S[0])
            case "wrong":
                return tuple(self._misread(each) for each in reads)
            case None:
                pass
        return reads

    def _misread(self, read: PlateRead) -> PlateRead:
        one, other = self.taken_for
        return replace(read, text=read.text[:1] + read.text[1:].replace(one, other))
