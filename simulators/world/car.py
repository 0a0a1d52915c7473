"""Cars and their plates."""

from dataclasses import dataclass
from random import Random

from simulators.world.gate import Read
from simulators.world.truth import Vehicle, Visit

PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
HOME = "闽D"
"""Where most cars come from."""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
ELECTRIC = "ABCDEFGHJK"


@dataclass(slots=True, eq=False)
class Car:
    """A car that comes again keeps its plate; the rest is about its present journey.

    `dirt_day` is the day for which its dirt was drawn: `reads` are what a reader makes of it that
    day, `grimy` is whether it is missed more often than others.
    """

    plate: str
    length_m: float
    vehicle: Vehicle
    wants_zone: bool = False
    binds_at_gate: bool = False
    complaining: bool = False
    away: bool = True
    joined_at: float = 0.0
    in_zone: Visit | None = None
    on_site: Visit | None = None
    dirt_day: int = -1
    reads: tuple[Read, ...] = ()
    grimy: bool = False

    @property
    def colour(self) -> str:
        """Green plates have one character more."""
        return "green" if len(self.plate) == 8 else "blue"


class Works:
    """Makes cars, no plate twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._plates: set[str] = set()

    def car(self, vehicle: Vehicle, plate: str | None = None) -> Car:
        """A car of 3.6 to 5.2 m; its plate is drawn if none is given."""
        return Car(plate or self._plate(), self._random.uniform(3.6, 5.2), vehicle)

    def fleet(self, vehicle: Vehicle, size: int) -> list[Car]:
        """Up to a hundred cars of one owner, with consecutive numbers."""
        stem = self._plate()[:5]
        plates = [f"{stem}{number:02}" for number in range(size)]
        self._plates.update(plates)
        return [self.car(vehicle, plate) for plate in plates]

    def _plate(self) -> str:
        while (plate := self._draw()) in self._plates:
            pass
        self._plates.add(plate)
        return plate

    def _draw(self) -> str:
        draw = self._random
        area = HOME
        if draw.random() < 0.3:
            area = draw.choice(PROVINCES) + draw.choice(LETTERS)
        if draw.random() < 0.3:
            return f"{area}{draw.choice(ELECTRIC)}{draw.randrange(100_000):05}"
        return f"{area}{''.join(draw.choices(LETTERS + DIGITS, k=2))}{draw.randrange(1000):03}"
