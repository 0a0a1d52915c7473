"""What one table of the file says of another: names used twice, and names of nothing."""

from collections.abc import Iterator

from gatekeeper.config.controller import Config
from gatekeeper.config.opposites import opposite_faults, shared_with


def broken_references(config: Config) -> list[str]:
    """One line for each fault between tables, which one table alone cannot show."""
    return [
        *_names_used_twice(config),
        *_unknown_zones(config),
        *_peer_faults(config),
        *_shared_lines(config),
        *opposite_faults(config),
        *_wiring_faults(config),
        *_display_faults(config),
    ]


def _names_used_twice(config: Config) -> list[str]:
    kinds = (
        ("zone", [zone.name for zone in config.zone]),
        ("board", [board.name for board in config.board]),
        ("display", [display.name for display in config.display]),
        ("lane", [lane.name for lane in config.lane]),
        ("peer", [peer.controller for peer in config.peer]),
    )
    return [
        f'{kind}: the name "{name}" is used twice'
        for kind, names in kinds
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def _unknown_zones(config: Config) -> list[str]:
    known = {zone.name for zone in config.zone}
    return (
        [
            f'{place}: no zone is called "{name}"'
            for place, name in _zones_named(config)
            if name not in known
        ]
        + [
            f'zone "{zone.name}".inside: no zone is called "{zone.name}" but the zone itself'
            for zone in config.zone
            if zone.inside == zone.name
        ]
        + [
            f'zone "{zone.name}".inside: it lies in "{zone.inside}", which lies in it; one must not'
            for zone in config.zone
            if zone.inside != zone.name and zone.name in _around(config, zone.inside)
        ]
    )


def _around(config: Config, zone: str | None) -> set[str]:
    """The zone and those it lies in, however they are nested."""
    inside = {each.name: each.inside for each in config.zone}
    found: set[str] = set()
    while zone is not None and zone not in found:
        found.add(zone)
        zone = inside.get(zone)
    return found


def _zones_named(config: Config) -> Iterator[tuple[str, str]]:
    for zone in config.zone:
        if zone.inside is not None:
            yield f'zone "{zone.name}".inside', zone.inside
    for lane in config.lane:
        yield f'lane "{lane.name}".zone', lane.zone
    for peer in config.peer:
        for name in peer.exits_of:
            yield f'peer "{peer.controller}".exits_of', name


def _peer_faults(config: Config) -> list[str]:
    return [
        f'peer "{peer.controller}".controller: is this controller itself; name another one'
        for peer in config.peer
        if peer.controller == config.controller
    ]


def _shared_lines(config: Config) -> list[str]:
    """Devices that speak where another of their kind does already."""
    told = [
        (f'board "{each.name}".address: {each.address} has another board', (each.host, each.port))
        for each in config.board
    ]
    told += [
        (f'display "{each.name}".port: {each.port} has another display', (each.port, 0))
        for each in config.display
    ]
    lines = [line for _, line in told]
    return [f"{fault} already" for n, (fault, line) in enumerate(told) if line in lines[:n]]


def _wiring_faults(config: Config) -> list[str]:
    """Channels on no board, beyond the board's last, or used by two lanes at once."""
    boards = {board.name: board for board in config.board}
    owners: dict[tuple[str, str, int], str] = {}
    faults = [
        f'lane "{lane.name}": all its wires have to be on one board'
        for lane in config.lane
        if len({wire.board for wire in lane.inputs.values()} | {lane.barrier.board}) > 1
    ]
    for place, board_name, kind, channel in _wires(config):
        board = boards.get(board_name)
        if board is None:
            faults.append(f'{place}.board: no board is called "{board_name}"')
        elif channel >= (board.coils if kind == "coil" else board.inputs):
            faults.append(f'{place}.{kind}: board "{board_name}" has no {kind} {channel}')
        elif (owner := owners.setdefault((board_name, kind, channel), place)) != place:
            faults.append(f'{place}.{kind}: {kind} {channel} of "{board_name}" is already {owner}')
    return faults


def _wires(config: Config) -> Iterator[tuple[str, str, str, int]]:
    for lane in config.lane:
        place = f'lane "{lane.name}"'
        shared = shared_with(config, lane)
        if "barrier" not in shared:
            yield f"{place}.barrier", lane.barrier.board, "coil", lane.barrier.coil
        for key, wire in lane.inputs.items():
            if key not in shared:
                yield f"{place}.{key}", wire.board, "input", wire.input


def _display_faults(config: Config) -> list[str]:
    """Displays that are not there, or serve two lanes."""
    known = {display.name for display in config.display}
    places = [(lane.name, lane.display) for lane in config.lane if lane.display is not None]
    faults = [
        f'lane "{lane}".display: no display is called "{name}"'
        for lane, name in places
        if name not in known
    ]
    owners: dict[str, str] = {}
    for lane, name in places:
        if (owner := owners.setdefault(name, lane)) != lane:
            faults.append(f'lane "{lane}".display: "{name}" is already that of lane "{owner}"')
    return faults
