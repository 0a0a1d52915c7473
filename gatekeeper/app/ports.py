"""What a controller is built from. The daemon gives real ports and a simulation virtual ones; the
controller does not know which.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from gatekeeper.app.fire import FireInputs
from gatekeeper.clock import Clock
from gatekeeper.config import Config, InputSettings, LaneSettings
from gatekeeper.drivers.ports import Reader
from gatekeeper.health import Health
from gatekeeper.lane import Kerb
from gatekeeper.model import (
    HealthReport,
    ListChanges,
    Order,
    OrderAnswer,
    PeerEvent,
    PeerHealth,
)
from gatekeeper.store import Store
from gatekeeper.store.pictures import Pictures
from gatekeeper.sync import OrderBook

Task: TypeAlias = tuple[str, Callable[[], Awaitable[None]]]
"""A task's name, and what it runs until cancelled."""


class Devices(Protocol):
    """What stands at the lanes of one controller."""

    @property
    def tasks(self) -> Sequence[Task]:
        """What has a task of its own."""
        ...

    def kerb(self, lane: LaneSettings) -> Kerb:
        """What stands at one lane; asked for once each."""
        ...

    def watch_fire(self, wires: Sequence[InputSettings], fire: FireInputs) -> None:
        """From now on tell what the fire inputs say."""
        ...

    async def close(self) -> None:
        """Let go of all of them."""
        ...


class Link(Protocol):
    """The way to the centre, and from the other controllers."""

    @property
    def away_s(self) -> float:
        """Seconds since the centre was last in reach, 0.0 while it is."""
        ...

    async def run(self) -> None:
        """Keep the link up until cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkListeners:
    """Who is told what comes by the link: `obey` carries out an order, `changed` hears of a list
    after it has changed (None: a whole list), `heard` what another controller says, `time_told`
    what the centre's clock shows; `report` is asked for the controller's health, and `orders`
    which orders were answered.
    """

    obey: Callable[[Order], Awaitable[OrderAnswer]]
    changed: Callable[[ListChanges | None], None]
    heard: Callable[[PeerEvent | PeerHealth], Awaitable[None]]
    time_told: Callable[[datetime], None]
    report: Callable[[], Awaitable[HealthReport]]
    orders: OrderBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """`devices` makes what the configuration names, `link` the way to the centre, None where no
    centre is configured. `health` is told by them all.
    """

    clock: Clock
    health: Health
    store: Store
    pictures: Pictures
    reader: Reader
    devices: Callable[[Config, Clock, Health], Devices]
    link: Callable[[Config, "Ports", LinkListeners], Link | None]
