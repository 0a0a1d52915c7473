"""Where the lanes lead and what holds there, as the configuration says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from gatekeeper.config import Config, advisory_because
from gatekeeper.model import Admits, Limit, ZonePolicy
from gatekeeper.rules.journey import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """A zone as this controller has to know it.

    `inside` is the zone it lies in. `advisory`: some exit of it lets cars out unnoticed, so its
    limits blacklist no plate. `peers` are the other controllers that run exits of it; `local` is
    the site's time.
    """

    policy: ZonePolicy
    inside: str | None = None
    advisory: bool = False
    peers: tuple[str, ...] = ()
    local: tzinfo = UTC


def policy_of(config: Config, zone: str) -> ZonePolicy:
    """A zone's policy as the rules want it."""
    settings = config.zone_of(zone)
    return ZonePolicy(
        zone=settings.name,
        admits=Admits(settings.admits),
        capacity=settings.capacity,
        limit=Limit(
            limit_s=settings.internal_limit_s,
            warning_s=settings.warning_s,
            grace_s=settings.grace_s,
        ),
        when_full_admit=settings.when_full == "admit",
        unknown_when_offline_admit=settings.unknown_when_offline == "admit",
        offline_after_s=settings.offline_after_s,
        when_registry_missing_admit=settings.when_registry_missing == "admit",
        unreadable_admit=settings.unreadable == "admit",
        unreadable_after_s=settings.unreadable_after_s,
        exempt_kinds=settings.exempt_kinds,
        schedules=tuple(each.schedule for each in settings.schedule),
        cooldown_s=settings.cooldown_s,
        binding_fresh_s=settings.binding_fresh_s,
        blacklist_days=settings.blacklist_days,
        abandon_limited_s=settings.abandon_limited_h * 3600.0,
        abandon_s=settings.abandon_days * 86_400.0,
    )


def plans_of(config: Config) -> tuple[ZonePlan, ...]:
    """What has to be known of each zone. One with an exit that has no camera, or where two cars
    cannot be told from one, blacklists no plate (situations, 11 and 37).
    """
    plans = []
    for zone in config.zone:
        peers = tuple(peer.controller for peer in config.peer if zone.name in peer.exits_of)
        plans.append(
            ZonePlan(
                policy=policy_of(config, zone.name),
                inside=zone.inside,
                advisory=any(advisory_because(config, zone)),
                peers=peers,
                local=config.timezone,
            )
        )
    return tuple(plans)


def places_of(config: Config) -> dict[str, Place]:
    """Where each lane leads."""
    return {
        lane.name: Place(lane=lane.name, zone=lane.zone, direction=lane.direction)
        for lane in config.lane
    }


def exits_of(peers: Iterable[str], plans: Iterable[ZonePlan]) -> dict[str, list[str]]:
    """The zones whose exits each peer runs."""
    exits: dict[str, list[str]] = {name: [] for name in peers}
    for plan in plans:
        for controller in plan.peers:
            exits.setdefault(controller, []).append(plan.policy.zone)
    return exits
