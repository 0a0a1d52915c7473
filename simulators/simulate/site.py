"""The site of the simulation, as its two controllers are configured."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from gatekeeper.config import Config
from simulators.site import layout

SITE, INNER, OUTER = "simulated", "gate-inner", "gate-outer"
VISITOR_ZONE, CAR_PARK = layout.INNER, layout.OUTER

CONTROLLER_OF = {name: INNER if zone == VISITOR_ZONE else OUTER for name, zone, _ in layout.GATES}
"""Which controller runs which lane."""

ZONE_OF = {INNER: VISITOR_ZONE, OUTER: CAR_PARK}
"""The zone that the lanes of a controller lead into and out of."""


@dataclass(frozen=True, slots=True)
class Built:
    """How the lanes are built: those of which it is not known how their loops lie, those that lack
    a loop, and those with a contact that tells when the boom is up; and whether displays stand
    there.
    """

    unmeasured: frozenset[str] = frozenset()
    no_arrival_loop: frozenset[str] = frozenset()
    no_safety_loop: frozenset[str] = frozenset()
    boom_up: frozenset[str] = frozenset()
    displays: bool = False


WELL_BUILT = Built()


def drawn(random: Random) -> Built:
    """A site as it may be: in three of ten the loops' positions are not measured."""
    lanes = list(CONTROLLER_OF)
    unmeasured = lanes if random.random() < 0.3 else []
    return Built(
        unmeasured=frozenset(unmeasured),
        no_arrival_loop=frozenset(lane for lane in lanes if random.random() < 0.1),
        no_safety_loop=frozenset(lane for lane in lanes if random.random() < 0.1),
        boom_up=frozenset(lane for lane in lanes if random.random() < 0.5),
        displays=True,
    )


def config_of(controller: str, folder: Path, built: Built = WELL_BUILT) -> Config:
    """The settings of one of the two; its files lie in `folder`."""
    peer = OUTER if controller == INNER else INNER
    lanes = [name for name, owner in CONTROLLER_OF.items() if owner == controller]
    return Config.model_validate(
        {
            "site": SITE,
            "controller": controller,
            "store": {"path": folder / f"{controller}.db", "pictures": folder / "pictures"},
            # The made-up readers are as sure as this when they are right, whatever set is live.
            "recognition": {"province": "闽", "certain": 0.98},
            "zone": layout.zones(),
            "board": [{"name": "relays", "address": "tcp://192.0.2.7:502"}],
            "display": [
                {"name": _display(name), "port": f"/dev/{name}"} for name in lanes if built.displays
            ],
            "lane": [_lane(name, number, built) for number, name in enumerate(lanes)],
            "centre": {"host": "192.0.2.1"},
            "peer": [
                {
                    "controller": peer,
                    "exits_of": [ZONE_OF[peer]],
                    "exits_measured": not built.unmeasured,
                }
            ],
        }
    )


def _lane(name: str, number: int, built: Built) -> dict[str, Any]:
    missing = {
        "arrival_loop": name in built.no_arrival_loop,
        "safety_loop": name in built.no_safety_loop,
        "geometry": name in built.unmeasured | built.no_arrival_loop | built.no_safety_loop,
        "boom_up": name not in built.boom_up,
    }
    return layout.lane(
        name,
        number,
        board="relays",
        camera={"kind": "snapshot", "url": f"http://192.0.2.11/{name}"},
        display=_display(name) if built.displays else None,
        **{key: None for key, lacks in missing.items() if lacks},
    )


def _display(lane: str) -> str:
    return f"{lane}-display"
