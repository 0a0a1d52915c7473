"""Asks the lists and the rules about one sighting; the network is never asked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from gatekeeper.config import LaneSettings
from gatekeeper.errors import StoreError
from gatekeeper.lane.rooms import Rooms
from gatekeeper.lane.visit import Visit
from gatekeeper.model import (
    Decision,
    Direction,
    Grounds,
    ListRow,
    Reason,
    Sighting,
    SiteState,
    VehicleClass,
    Verdict,
    ZonePolicy,
)
from gatekeeper.rules import access

Held: TypeAlias = Callable[[], Reason | None]
"""For which reason whoever comes is admitted, because the boom is kept up; None where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A decision and what it rests on; no grounds where the lists could not be asked."""

    decision: Decision
    grounds: Grounds | None


class Judge:
    """The access rules as one lane uses them."""

    def __init__(
        self,
        settings: LaneSettings,
        policy: ZonePolicy,
        *,
        rooms: Rooms,
        store_failure_admits: bool,
        held: Held,
    ) -> None:
        self._lane = settings.name
        self._direction = settings.direction
        self._policy = policy
        self._rooms = rooms
        self._store_failure_admits = store_failure_admits
        self._held = held

    async def decide(self, sighting: Sighting | None, visit: Visit) -> Judged:
        """Verdict and reason as of now, for a vehicle read as `sighting`, or not read at all."""
        accusing = self._direction is Direction.ENTRY
        keys = access.keys(sighting, visit.identified, accusing=accusing)
        try:
            listing = await self._rooms.journal.listing(keys)
        except StoreError:  # the journal says what is wrong with it
            return Judged(decision=self._decide_blindly(visit), grounds=None)
        grounds = self._grounds(sighting, visit, keys, listing.rows)
        question = access.Question(
            sighting=sighting, policy=self._policy, grounds=grounds, versions=listing.versions
        )
        return Judged(decision=access.decide(question), grounds=grounds)

    def _grounds(
        self,
        sighting: Sighting | None,
        visit: Visit,
        keys: frozenset[str],
        rows: tuple[ListRow, ...],
    ) -> Grounds:
        rooms, policy = self._rooms, self._policy
        now = rooms.clock.instant()
        of_plate = visit.identified or (sighting.plate if sighting else None)
        return Grounds(
            direction=self._direction,
            rows=rows,
            zone=rooms.zones.state(policy.zone),
            site=self._site(visit),
            now=now.wall.astimezone(rooms.timezone),
            certain=rooms.quorum.certain,
            fresh=rooms.bindings.fresh(self._lane, keys, now.boot_s, policy.binding_fresh_s),
            away_s=rooms.zones.away_s(policy.zone, of_plate),
            waited_s=max(0.0, now.boot_s - visit.arrived),
            identified=visit.identified,
            looked_twice=visit.looked_twice,
        )

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

    def _site(self, visit: Visit) -> SiteState:
        """What holds around this lane. Who was let in under a boom that was kept up remains so,
        whatever more reads tell.
        """
        held = visit.held or self._held()
        fire, held_open = held is Reason.FIRE, held is Reason.HELD_OPEN
        return replace(self._rooms.site(), fire=fire, held_open=held_open)

    def _decide_blindly(self, visit: Visit) -> Decision:
        """The lists cannot be read: exits open all the same, entries by the site's policy, but for
        what needs no list.
        """
        site, is_exit = self._site(visit), self._direction is Direction.EXIT
        open_anyway = site.fire or site.held_open
        admits = open_anyway or is_exit or (self._store_failure_admits and not site.lockdown)
        return Decision(
            verdict=Verdict.ADMIT if admits else Verdict.REFUSE,
            reason=_blind_reason(site, is_exit=is_exit),
            rule="store_failed",
            plate=None,
            vehicle=VehicleClass.UNKNOWN,
            certain=False,
        )


def _blind_reason(site: SiteState, *, is_exit: bool) -> Reason:
    if site.fire:
        return Reason.FIRE
    if site.held_open:
        return Reason.HELD_OPEN
    return Reason.LOCKDOWN if site.lockdown and not is_exit else Reason.STORE_FAILED
