"""What a site consists of, and the controller's configuration file that says so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

OUTER, INNER = "car_park", "visitor_zone"
GATES = (
    ("outer-entry", OUTER, "entry"),
    ("outer-exit", OUTER, "exit"),
    ("inner-entry", INNER, "entry"),
    ("inner-exit", INNER, "exit"),
)
"""The four lanes, the zone each leads into or out of, and its direction; the demonstration and the
simulation are of the same site."""
MOST_LANES = 8
_INPUTS = ("arrival", "safety", "boom_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One lane: `unit` is its board on the line, `number` its coil there; it has three inputs."""

    name: str
    zone: str
    direction: str
    unit: int
    number: int

    @property
    def inputs(self) -> dict[str, int]:
        """Its inputs by what they tell."""
        return {name: 3 * self.number + n for n, name in enumerate(_INPUTS)}

    @property
    def wiring(self) -> str:
        """As the simulated boards want to be told."""
        wires = {"coil": self.number, **self.inputs}
        return f"{self.name}:" + ",".join(f"{key}={self.unit}.{n}" for key, n in wires.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A site: outer and inner gate, an entry and an exit lane each, and again from the fifth on.

    All boards are on one line, Modbus TCP or a serial one. The last `apart` lanes have a board of
    their own each, the others share the first. `streamed` lanes have an RTSP camera of `rate`
    pictures a second, the others give snapshots; `keys` adds lines to a lane's table. Seconds are
    real ones, `speed` is that of booms and cars alone.
    """

    lanes: int = 4
    apart: int = 0
    serial: bool = False
    displays: bool = True
    streamed: Collection[str] = ()
    rate: int = 10
    capacity: int = 60
    limit_s: float = 600.0
    speed: float = 1.0
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def lanes_there(self) -> tuple[Lane, ...]:
        """All lanes."""
        together = self.lanes - self.apart
        return tuple(
            Lane(
                name=_named(number),
                zone=GATES[number % 4][1],
                direction=GATES[number % 4][2],
                unit=max(1, number - together + 2),
                number=number if number < together else 0,
            )
            for number in range(self.lanes)
        )

    @property
    def units(self) -> list[int]:
        """The boards on the line."""
        return sorted({lane.unit for lane in self.lanes_there})

    @property
    def inputs(self) -> int:
        """How many inputs each board has."""
        return -(-3 * self.lanes // 8) * 8

    def config(self, addresses: Mapping[str, str], broker: int | None) -> str:
        """The configuration file; `addresses` are those of the line (`board`), and by lane of
        cameras (`camera-LANE`) and displays (`sign-LANE`).
        """
        text = _HEAD.format(
            capacity=self.capacity,
            limit_s=self.limit_s,
            warning_s=self.limit_s / 5,
            grace_s=max(1.0, self.limit_s / 10),
        )
        text += "" if broker is None else _CENTRE.format(port=broker)
        for unit in self.units:
            text += _BOARD.format(unit=unit, address=addresses["board"], inputs=self.inputs)
        return text + "".join(self._lane(lane, addresses) for lane in self.lanes_there)

    def _lane(self, lane: Lane, addresses: Mapping[str, str]) -> str:
        text = _LANE.format(
            name=lane.name,
            zone=lane.zone,
            direction=lane.direction,
            unit=lane.unit,
            kind="rtsp" if lane.name in self.streamed else "snapshot",
            url=addresses[f"camera-{lane.name}"],
            coil=lane.number,
            **lane.inputs,
        )
        if self.displays:
            port = addresses[f"sign-{lane.name}"]
            text += f'display = "{lane.name}"\n' + self.keys.get(lane.name, "")
            return text + f'\n[[display]]\nname = "{lane.name}"\nport = "{port}"\n'
        return text + self.keys.get(lane.name, "")


def _named(number: int) -> str:
    name, again = GATES[number % 4][0], number // 4
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
name = "relays-{unit}"
address = "{address}"
unit = {unit}
inputs = {inputs}
"""

_LANE = """
[[lane]]
name = "{name}"
zone = "{zone}"
direction = "{direction}"
camera = {{ kind = "{kind}", url = "{url}" }}
barrier = {{ board = "relays-{unit}", coil = {coil} }}
arrival_loop = {{ board = "relays-{unit}", input = {arrival} }}
safety_loop = {{ board = "relays-{unit}", input = {safety} }}
boom_up = {{ board = "relays-{unit}", input = {boom_up} }}
geometry = {{ arrival_to_safety_m = 1.0, safety_loop_m = 1.5 }}
"""
