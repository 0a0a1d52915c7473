"""What a site consists of, and the controller's configuration file that says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

OUTER, INNER = "car_park", "visitor_zone"
_GATES = (
    ("outer-entry", OUTER, "entry"),
    ("outer-exit", OUTER, "exit"),
    ("inner-entry", INNER, "entry"),
    ("inner-exit", INNER, "exit"),
)
MOST_LANES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One lane, by its number on its board: the coil of this number, three inputs from thrice."""

    name: str
    zone: str
    direction: str
    board: str
    number: int

    @property
    def wiring(self) -> str:
        """As the simulated board wants to be told."""
        return (
            f"{self.name}:coil={self.number},arrival={3 * self.number},"
            f"safety={3 * self.number + 1},boom_up={3 * self.number + 2}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A site: outer and inner gate, an entry and an exit lane each, and again from the fifth on.

    The last `apart` lanes have a board of their own each, the others share one. `cameras` maps a
    lane to its camera's table where it is not a snapshot camera; `keys` adds lines to a lane's
    table. Seconds are real ones, `speed` is that of booms and cars alone.
    """

    lanes: int = 4
    apart: int = 0
    displays: bool = True
    capacity: int = 60
    limit_s: float = 600.0
    speed: float = 1.0
    cameras: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def lanes_there(self) -> tuple[Lane, ...]:
        """All lanes."""
        together = self.lanes - self.apart
        return tuple(
            Lane(
                name=_named(number),
                zone=_GATES[number % 4][1],
                direction=_GATES[number % 4][2],
                board="relays" if number < together else f"relays-{_named(number)}",
                number=number if number < together else 0,
            )
            for number in range(self.lanes)
        )

    @property
    def boards(self) -> dict[str, tuple[Lane, ...]]:
        """The boards by name, each with its lanes."""
        names = dict.fromkeys(lane.board for lane in self.lanes_there)
        return {
            name: tuple(lane for lane in self.lanes_there if lane.board == name) for name in names
        }

    @property
    def inputs(self) -> int:
        """How many inputs each board has."""
        return -(-3 * self.lanes // 8) * 8

    def config(self, addresses: Mapping[str, str], broker: int | None) -> str:
        """The configuration file; `addresses` are those of boards, cameras and displays by name."""
        text = _HEAD.format(
            capacity=self.capacity,
            limit_s=self.limit_s,
            warning_s=self.limit_s / 5,
            grace_s=max(1.0, self.limit_s / 10),
        )
        text += "" if broker is None else _CENTRE.format(port=broker)
        for name in self.boards:
            text += _BOARD.format(name=name, address=addresses[name], inputs=self.inputs)
        for lane in self.lanes_there:
            text += self._lane(lane, addresses)
        return text

    def _lane(self, lane: Lane, addresses: Mapping[str, str]) -> str:
        url = f"{addresses['camera']}/{lane.name}/snapshot.jpg"
        camera = self.cameras.get(lane.name, f'{{ kind = "snapshot", url = "{url}" }}')
        inputs = range(3 * lane.number, 3 * lane.number + 3)
        text = (
            _DISPLAY.format(lane=lane.name, port=addresses[f"sign-{lane.name}"])
            if self.displays
            else ""
        )
        text += _LANE.format(
            name=lane.name,
            zone=lane.zone,
            direction=lane.direction,
            board=lane.board,
            camera=camera,
            coil=lane.number,
            **dict(zip(("arrival", "safety", "boom_up"), inputs, strict=True)),
        )
        text += f'display = "sign-{lane.name}"\n' if self.displays else ""
        return text + self.keys.get(lane.name, "")


def _named(number: int) -> str:
    name, again = _GATES[number % 4][0], number // 4
    return f"{name}-{again + 1}" if again else name


_HEAD = """\
# Written by the simulated site; a real gate's file is config/gatekeeper.toml.
site = "site"
controller = "gate-1"

[store]
path = "gatekeeper.db"
pictures = "pictures"
min_free_mb = 50

[[zone]]
name = "car_park"
capacity = 400
admits = "everybody"

[[zone]]
name = "visitor_zone"
inside = "car_park"
capacity = {capacity}
admits = "registered"
internal_limit_s = {limit_s}
warning_s = {warning_s}
grace_s = {grace_s}
"""

_CENTRE = """
[centre]
host = "127.0.0.1"
port = {port}
keepalive_s = 5
"""

_BOARD = """
[[board]]
name = "{name}"
address = "{address}"
inputs = {inputs}
"""

_DISPLAY = """
[[display]]
name = "sign-{lane}"
port = "{port}"
"""

_LANE = """
[[lane]]
name = "{name}"
zone = "{zone}"
direction = "{direction}"
camera = {camera}
barrier = {{ board = "{board}", coil = {coil} }}
arrival_loop = {{ board = "{board}", input = {arrival} }}
safety_loop = {{ board = "{board}", input = {safety} }}
boom_up = {{ board = "{board}", input = {boom_up} }}
"""
