"""Asks the lists and the rules about one sighting; the network is never asked."""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gatekeeper.clock import Clock
from gatekeeper.errors import StoreError
from gatekeeper.health import Health
from gatekeeper.lane.bindings import Bindings
from gatekeeper.lane.visit import Visit
from gatekeeper.model import (
    Decision,
    Direction,
    Grounds,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A decision and what it rests on; no grounds where the lists could not be asked."""

    decision: Decision
    grounds: Grounds | None


class Judge:
    """The access rules as one lane uses them."""

    def __init__(
        self,
        lane: str,
        direction: Direction,
        policy: ZonePolicy,
        *,
        store: Store,
        zones: Zones,
        bindings: Bindings,
        clock: Clock,
        health: Health,
        site: Callable[[], SiteState],
        timezone: ZoneInfo,
        certain: float,
        store_failure_admits: bool,
    ) -> None:
        self._lane = lane
        self._direction = direction
        self._policy = policy
        self._store = store
        self._zones = zones
        self._bindings = bindings
        self._clock = clock
        self._health = health
        self._site = site
        self._timezone = timezone
        self._certain = certain
        self._store_failure_admits = store_failure_admits

    async def decide(self, sighting: Sighting | None, visit: Visit) -> Judged:
        """Verdict and reason as of now, for a vehicle read as `sighting`, or not read at all."""
        keys = access.keys(sighting, visit.identified)
        try:
            listing = await self._store.listing(keys)
        except StoreError as error:
            self._health.raise_alarm("store_failed", "store", str(error))
            return Judged(decision=self._decide_blindly(), grounds=None)
        now = self._clock.instant()
        of_plate = visit.identified or (sighting.plate if sighting else None)
        zone = self._policy.zone
        grounds = Grounds(
            direction=self._direction,
            rows=listing.rows,
            zone=self._zones.state(zone),
            site=self._site(),
            now=now.wall.astimezone(self._timezone),
            certain=self._certain,
            fresh=self._bindings.fresh(self._lane, keys, now.boot_s, self._policy.binding_fresh_s),
            away_s=self._zones.away_s(zone, of_plate),
            waited_s=max(0.0, now.boot_s - visit.arrived),
            identified=visit.identified,
            looked_twice=visit.looked_twice,
        )
        question = access.Question(
            sighting=sighting, policy=self._policy, grounds=grounds, versions=listing.versions
        )
        return Judged(decision=access.decide(question), grounds=grounds)

    def decide_again(self, sighting: Sighting, visit: Visit) -> Decision | None:
        """What more reads of the same plate make of the decision, on the grounds it rested on;
        None where there were none. The lists need not be asked: they said all of this plate.
        """
        if visit.grounds is None or visit.decision is None:
            return None
        return access.decide(
            access.Question(
                sighting=sighting,
                policy=self._policy,
                grounds=visit.grounds,
                versions=visit.decision.versions,
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
