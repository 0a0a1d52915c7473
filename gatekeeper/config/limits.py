"""Whether the limits of a zone can ever count against anybody, as its exits are equipped."""

from collections.abc import Iterator

from gatekeeper.config.controller import Config
from gatekeeper.config.zones import ZoneSettings


def advisory_because(config: Config, zone: ZoneSettings) -> Iterator[str]:
    """Why the limits of a zone are advisory, one clause each; nothing where they hold, and for a
    zone that admits everybody, which has none (situations, 11 and 37).
    """
    if zone.admits == "everybody":
        return
    exits = config.exits_of(zone.name)
    peers = [peer for peer in config.peer if zone.name in peer.exits_of]
    if blind := ", ".join(lane.name for lane in exits if lane.camera is None):
        yield f"exit lane {blind} has no camera"
    if unmeasured := ", ".join(lane.name for lane in exits if lane.geometry is None):
        yield (
            f"exit lane {unmeasured} has no [lane.geometry], so that two cars bumper to bumper"
            " cannot be told from one"
        )
    if unknown := ", ".join(peer.controller for peer in peers if not peer.exits_measured):
        yield (
            f"[[peer]] {unknown} has not exits_measured = true, which says that all its exits have"
            " a camera and [lane.geometry]"
        )
    if not exits and not peers:
        yield "no exit lane here, nor at a [[peer]] by its exits_of"
