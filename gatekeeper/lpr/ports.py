"""What the rest of the program needs of recognition, said without naming an engine."""

from typing import Protocol

from gatekeeper.model import Pixels, PlateRead


class Recogniser(Protocol):
    """A set of networks and an engine that runs it. One thread at a time may read with it: engines
    keep what they know of a picture between two steps.
    """

    def read(self, pixels: Pixels, *, crop: bool = False) -> tuple[PlateRead, ...]:
        """The plates in a picture, the most confident first, stamped with frame 0 at 0.0: text, for
        each character its confidence and the next best one, colour, kind, rows and corners.

        With `crop` the whole picture is one plate. Raises `PictureError` for what is no `Pixels`,
        or too small to hold a plate.
        """
        ...
