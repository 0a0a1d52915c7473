"""Asks the lists and the rules about one sighting; the network is never asked."""

from collections.abc import Callable

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError
from gatekeeper.health import Health
from gatekeeper.model import (
    Decision,
    Direction,
    Reason,
    Sighting,
    SiteState,
    VehicleClass,
    Verdict,
    ZonePolicy,
)
from gatekeeper.rules import access
from gatekeeper.store import Store
from gatekeeper.zones import Zones


class Judge:
    """The access rules as one lane uses them."""

    def __init__(
        self,
        direction: Direction,
        policy: ZonePolicy,
        *,
        store: Store,
        zones: Zones,
        clock: Clock,
        health: Health,
        site: Callable[[], SiteState],
        certain: float,
        store_failure_admits: bool,
    ) -> None:
        self._direction = direction
        self._policy = policy
        self._store = store
        self._zones = zones
        self._clock = clock
        self._health = health
        self._site = site
        self._certain = certain
        self._store_failure_admits = store_failure_admits

    async def decide(self, sighting: Sighting | None) -> Decision:
        """Verdict and reason as of now, for a vehicle read as `sighting`, or not read at all."""
        try:
            listing = await self._store.listing(access.keys(sighting))
        except StoreError as error:
            self._health.raise_alarm("store_failed", "store", str(error))
            return self._decide_blindly()
        return access.decide(
            access.Question(
                direction=self._direction,
                sighting=sighting,
                listing=listing,
                policy=self._policy,
                zone=self._zones.state(self._policy.zone),
                site=self._site(),
                now=self._clock.instant().wall,
                certain=self._certain,
            )
        )

    def _decide_blindly(self) -> Decision:
        """The lists cannot be read: exits open all the same, entries by the site's policy."""
        admits = self._direction is Direction.EXIT or self._store_failure_admits
        return Decision(
            verdict=Verdict.ADMIT if admits else Verdict.REFUSE,
            reason=Reason.STORE_FAILED,
            rule="store_failed",
            plate=None,
            vehicle=VehicleClass.UNKNOWN,
            certain=False,
        )
