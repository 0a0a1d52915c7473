"""What a site consists of, and the controller's configuration file that says so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import tomli_w

OUTER, INNER = "car_park", "visitor_zone"
GATES = (
    ("outer-entry", OUTER, "entry"),
    ("outer-exit", OUTER, "exit"),
    ("inner-entry", INNER, "entry"),
    ("inner-exit", INNER, "exit"),
)
"""The four lanes, the zone each leads into or out of, and its direction; demonstration, simulation
and tests are of the same site."""
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
        return inputs_of(self.number)

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
    pictures a second, the others give snapshots; `login` is what all cameras are configured with
    beside their address, `keys` what a lane is. Seconds are real ones, `speed` is that of booms and
    cars alone; `warning` and `grace` are shares of the limit.
    """

    lanes: int = 4
    apart: int = 0
    serial: bool = False
    displays: bool = True
    streamed: Collection[str] = ()
    rate: int = 10
    capacity: int = 60
    limit_s: float = 600.0
    warning: float = 1 / 5
    grace: float = 1 / 10
    speed: float = 1.0
    site: str = "site"
    login: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

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
        return -(-len(_INPUTS) * self.lanes // 8) * 8

    @property
    def board_options(self) -> list[str]:
        """The boards and their lanes, as their simulator wants to be told."""
        units = [f"--unit={unit}" for unit in self.units]
        lanes = [f"--lane={each.wiring}" for each in self.lanes_there]
        return [*units, *lanes, f"--inputs={self.inputs}", f"--speed={self.speed}"]

    def config(self, addresses: Mapping[str, str], broker: int | None) -> str:
        """The configuration file; `addresses` are those of the line (`board`), and by lane of
        cameras (`camera-LANE`) and displays (`sign-LANE`).
        """
        settings: dict[str, Any] = {
            "site": self.site,
            "controller": "gate-1",
            "store": {"path": "gatekeeper.db", "pictures": "pictures", "min_free_mb": 50},
            "zone": self._zones,
            "board": [self._board(unit, addresses["board"]) for unit in self.units],
            "lane": [self._lane(each, addresses) for each in self.lanes_there],
        }
        if broker is not None:
            settings["centre"] = {"host": "127.0.0.1", "port": broker, "keepalive_s": 5}
        if self.displays:
            settings["display"] = [
                {"name": each.name, "port": addresses[f"sign-{each.name}"]}
                for each in self.lanes_there
            ]
        return _TITLE + tomli_w.dumps(settings)

    @property
    def _zones(self) -> list[dict[str, Any]]:
        return zones(
            capacity=self.capacity,
            internal_limit_s=self.limit_s,
            warning_s=self.limit_s * self.warning,
            grace_s=max(1.0, self.limit_s * self.grace),
        )

    def _board(self, unit: int, address: str) -> dict[str, Any]:
        return {"name": _relays(unit), "address": address, "unit": unit, "inputs": self.inputs}

    def _lane(self, there: Lane, addresses: Mapping[str, str]) -> dict[str, Any]:
        kind = "rtsp" if there.name in self.streamed else "snapshot"
        camera = {"kind": kind, "url": addresses[f"camera-{there.name}"], **self.login}
        display = there.name if self.displays else None
        settings = lane(
            there.name, there.number, board=_relays(there.unit), camera=camera, display=display
        )
        return {**settings, **self.keys.get(there.name, {})}


def zones(**visitor_zone: Any) -> list[dict[str, Any]]:
    """The two zones as they are configured; more settings are those of the visitor zone."""
    return [
        {"name": OUTER, "capacity": 400, "admits": "everybody"},
        {
            "name": INNER,
            "inside": OUTER,
            "capacity": 60,
            "admits": "registered",
            **visitor_zone,
        },
    ]


def lane(name: str, number: int, *, board: str, **settings: Any) -> dict[str, Any]:
    """A lane as it is configured, number `number` on its board; where it leads its name says, such
    as `inner-exit` or `outer-entry-2`. It has both loops, a contact that tells
    when the boom is up, and how far the loops lie apart. More settings are added or take the place
    of these; None leaves one out.
    """
    wires = inputs_of(number)
    usual = {
        "name": name,
        "zone": INNER if name.startswith("inner") else OUTER,
        "direction": name.split("-")[1],
        "barrier": {"board": board, "coil": number},
        "arrival_loop": {"board": board, "input": wires["arrival"]},
        "safety_loop": {"board": board, "input": wires["safety"]},
        "boom_up": {"board": board, "input": wires["boom_up"]},
        "geometry": {"arrival_to_safety_m": 1.0, "safety_loop_m": 1.5, "longest_m": 6.5},
    }
    return {key: each for key, each in {**usual, **settings}.items() if each is not None}


def inputs_of(number: int) -> dict[str, int]:
    """The inputs of a board's lane with this number, by what they tell."""
    return {name: len(_INPUTS) * number + n for n, name in enumerate(_INPUTS)}


def _relays(unit: int) -> str:
    return f"relays-{unit}"


def _named(number: int) -> str:
    name, again = GATES[number % 4][0], number // 4
    return f"{name}-{again + 1}" if again else name


_TITLE = "# Written by the simulated site; a real gate's file is config/gatekeeper.toml.\n"
