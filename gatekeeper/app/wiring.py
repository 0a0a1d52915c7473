"""What the configuration means for the rooms, and what a controller does before it goes live."""

import random
from collections.abc import Callable

from gatekeeper import __version__
from gatekeeper.app.ports import LinkListeners, Ports
from gatekeeper.clock import Clock
from gatekeeper.config import Config, LaneSettings, reversible_lanes
from gatekeeper.health import BLINDING, Health
from gatekeeper.journal import Journal, PastLife
from gatekeeper.lane import SharedBarrier, Side
from gatekeeper.model import (
    AlarmCleared,
    AlarmRaised,
    BarrierCommanded,
    ControllerStarted,
    Direction,
    Fact,
    Instant,
    Outcome,
    PolicyAdopted,
    Reason,
)
from gatekeeper.rules import turn
from gatekeeper.rules.crossing import Geometry
from gatekeeper.rules.loops import Limits
from gatekeeper.rules.passage import Timing
from gatekeeper.rules.texts import ADMIT, REASONS, REFUSE, Texts
from gatekeeper.rules.trigger import EMPTY_S
from gatekeeper.rules.votes import Quorum
from gatekeeper.sync import Link, MakeClient, PahoThread
from gatekeeper.zones import Zones, policy_of

_LEAVES_VIEW_S = EMPTY_S + 1.0
"""How much later than a loop the camera tells that a vehicle has left: the view has to stay empty,
and the next look may be a slow one."""


def timing_of(config: Config, lane: LaneSettings) -> Timing:
    """How long the states of a lane may last, and how it is built."""
    entry = lane.direction is Direction.ENTRY
    recognition = config.recognition
    return Timing(
        reading_s=recognition.window_s if entry else recognition.exit_window_s,
        opening_s=lane.open_timeout_s,
        long_s=lane.safety_long_s,
        arrival_lag_s=_LEAVES_VIEW_S,
        safety_loop=lane.safety_loop is not None,
        geometry=_geometry(lane),
    )


def sides_of(config: Config, clock: Clock, health: Health) -> dict[str, Side]:
    """The side that each lane of a reversible pair has of its barrier, by the lane's name."""
    sides: dict[str, Side] = {}
    for pair in reversible_lanes(config):
        timing = turn.TurnTiming(
            limit_s=max(timing_of(config, lane).longest_s for lane in pair),
            in_line=all(lane.arrival_loops == "in_line" for lane in pair),
        )
        shared = SharedBarrier(clock=clock, health=health, timing=timing)
        sides |= {lane.name: shared.side(lane.name, lane.direction) for lane in pair}
    return sides


def limits_of(lane: LaneSettings) -> Limits:
    """When the arrival loop of a lane is no longer believed."""
    return Limits(stuck_s=lane.loop_stuck_s)


def quorum_of(config: Config) -> Quorum:
    """What a sighting needs at this site."""
    recognition = config.recognition
    return Quorum(lone=recognition.lone, certain=recognition.certain, province=recognition.province)


def texts_of(config: Config) -> Texts:
    """What drivers are told at this site: its own words, and the usual ones for the rest."""
    own, usual = config.texts, Texts()
    return Texts(
        idle=own.idle.wording if own.idle else usual.idle,
        look_again=own.look_again.wording if own.look_again else usual.look_again,
        waits=own.waits.wording if own.waits else usual.waits,
        reasons={**REASONS, **{Reason(name): words for name, words in own.reasons.items()}},
        admit={**ADMIT, **{Reason(name): each.wording for name, each in own.admit.items()}},
        refuse={**REFUSE, **{Reason(name): each.wording for name, each in own.refuse.items()}},
    )


def tell_watched(
    news: AlarmRaised | AlarmCleared, config: Config, health: Health, zones: Zones
) -> None:
    """Tell the zones which lanes can be watched, where an alarm may have changed that."""
    if news.alarm in BLINDING:
        for lane in _lanes_of(config, news.subject):
            zones.watched(lane, not _is_blind(config, health, lane))


def _lanes_of(config: Config, subject: str) -> list[str]:
    """The lanes that an alarm of a lane or of a board concerns."""
    return [
        lane.name
        for lane in config.lane
        if subject in (lane.name, lane.barrier.board, *_boards_of(lane))
    ]


def _boards_of(lane: LaneSettings) -> list[str]:
    """The boards that tell of a lane."""
    return [wire.board for wire in lane.inputs.values()]


def _is_blind(config: Config, health: Health, lane: str) -> bool:
    """Whether an alarm stands with which a lane cannot be watched."""
    return any(
        alarm.alarm in BLINDING and lane in _lanes_of(config, alarm.subject)
        for alarm in health.alarms
    )


def begun(config: Config, past: PastLife, at: Instant) -> tuple[Fact, ...]:
    """What a controller says when it goes live: that it does, and by which policies."""
    started = ControllerStarted(
        version=__version__,
        boot_id=at.boot_id,
        unfinished=tuple(command for command, _, _ in past.unfinished),
    )
    adopted = (PolicyAdopted(policy=policy_of(config, zone.name)) for zone in config.zone)
    return (started, *adopted)


def tell_unknown(journal: Journal, past: PastLife) -> None:
    """Say of every command that was cut off that its outcome is unknown: none is repeated."""
    for command, lane, passage in past.unfinished:
        unknown = BarrierCommanded(
            command=command,
            outcome=Outcome.UNKNOWN,
            detail="the controller stopped before it knew",
        )
        journal.tell(unknown, lane=lane, passage=passage)


def _geometry(lane: LaneSettings) -> Geometry | None:
    if lane.geometry is None:
        return None
    return Geometry(
        arrival_to_safety_m=lane.geometry.arrival_to_safety_m,
        safety_loop_m=lane.geometry.safety_loop_m,
        longest_m=lane.geometry.longest_m,
    )


def link_of(
    config: Config,
    ports: Ports,
    listeners: LinkListeners,
    *,
    make_client: MakeClient = PahoThread,
    chance: Callable[[], float] = random.random,
) -> Link | None:
    """The way to the centre, None where none is configured."""
    if config.centre is None:
        return None
    return Link(
        config.centre,
        config.site,
        config.controller,
        store=ports.store,
        clock=ports.clock,
        health=ports.health,
        obey=listeners.obey,
        changed=listeners.changed,
        report=listeners.report,
        peers=[peer.controller for peer in config.peer],
        zones=[zone.name for zone in config.zone],
        heard=listeners.heard,
        time_told=listeners.time_told,
        book=listeners.orders,
        make_client=make_client,
        chance=chance,
    )
