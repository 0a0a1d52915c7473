"""What one table of the file says of another: names used twice, and names of nothing."""

from collections.abc import Iterator

from gatekeeper.config.boards import BoardSettings, LineSettings, Wire
from gatekeeper.config.controller import Config
from gatekeeper.config.lanes import LaneSettings
from gatekeeper.config.reversible import reversible_faults, shared_with


def broken_references(config: Config) -> list[str]:
    """One line for each fault between tables, which one table alone cannot show."""
    return [
        *_names_used_twice(config),
        *_unknown_zones(config),
        *_peer_faults(config),
        *_shared_lines(config),
        *reversible_faults(config),
        *_wiring_faults(config),
        *_display_faults(config),
        *_camera_faults(config),
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
    """Devices that speak where another does already, or not as their whole line does."""
    told = [
        (
            f'board "{each.name}".unit: {each.address} has another board of unit {each.unit}',
            (*_end(each.line), each.unit),
        )
        for each in config.board
    ]
    told += [
        (f'display "{each.name}".port: {each.port} has another display', (each.port, 0, 0))
        for each in config.display
    ]
    lines = [line for _, line in told]
    shared = [f"{fault} already" for n, (fault, line) in enumerate(told) if line in lines[:n]]
    return shared + _unlike_lines(config) + _boards_on_displays(config)


def _end(line: LineSettings) -> tuple[str, int]:
    """What is at the end of the line, however its address was written."""
    return (line.device, 0) if line.wire is Wire.SERIAL else (line.host, line.port)


def _unlike_lines(config: Config) -> list[str]:
    first: dict[tuple[str, int], BoardSettings] = {}
    faults = []
    for board in config.board:
        other = first.setdefault(_end(board.line), board)
        if board.line != other.line:
            faults.append(
                f'board "{board.name}": on one line with "{other.name}": address, baudrate, parity,'
                " stopbits, gap_ms, silence_ms and any_transaction_number have to be the same"
            )
    return faults


def _boards_on_displays(config: Config) -> list[str]:
    ports = {display.port: display.name for display in config.display}
    return [
        f'board "{board.name}".address: {board.line.device} is the line of display'
        f' "{ports[board.line.device]}"'
        for board in config.board
        if board.line.wire is Wire.SERIAL and board.line.device in ports
    ]


def _wiring_faults(config: Config) -> list[str]:
    """Channels on no board, beyond the board's last, or used twice."""
    boards = {board.name: board for board in config.board}
    owners: dict[tuple[str, str, int], str] = {}
    faults = [
        f'lane "{lane.name}": all its wires have to be on one board'
        for lane in config.lane
        if len({wire.board for wire in lane.inputs.values()} | {lane.barrier.board}) > 1
    ]
    for place, key, board_name, kind, channel in _wires(config):
        board = boards.get(board_name)
        wire = f"{place}.{key}"
        if board is None:
            faults.append(f'{place}.board: no board is called "{board_name}"')
        elif channel >= (board.coils if kind == "coil" else board.inputs):
            faults.append(f'{wire}: board "{board_name}" has no {kind} {channel}')
        elif (owner := owners.setdefault((board_name, kind, channel), wire)) != wire:
            faults.append(f'{wire}: {kind} {channel} of "{board_name}" is already {owner}')
    return [*dict.fromkeys(faults), *_pulse_faults(config)]


def _pulse_faults(config: Config) -> Iterator[str]:
    """Pulses that the board cannot give."""
    boards = {board.name: board for board in config.board}
    for lane in config.lane:
        relay = lane.barrier
        pulses = [("pulse_ms", relay.pulse_ms)]
        if relay.close_coil is not None:
            pulses.append(("close_pulse_ms", relay.close_pulse_ms))
        board = boards.get(relay.board)
        for key, pulse_ms in pulses:
            fault = board.profile.pulse_fault(pulse_ms) if board is not None else None
            if fault is not None:
                yield f'lane "{lane.name}".barrier.{key}: board "{relay.board}": {fault}'


def _wires(config: Config) -> Iterator[tuple[str, str, str, str, int]]:
    """Place, key, board, kind and number of each channel that is used."""
    for lane in config.lane:
        place = f'lane "{lane.name}"'
        shared = shared_with(config, lane)
        for key, coil in lane.barrier.coils.items():
            if "barrier" not in shared:
                yield f"{place}.barrier", key, lane.barrier.board, "coil", coil
        for key, wire in lane.inputs.items():
            if key not in shared:
                yield f"{place}.{key}", "input", wire.board, "input", wire.input
    for number, wire in enumerate(config.fire.inputs, start=1):
        yield f"fire.inputs number {number}", "input", wire.board, "input", wire.input


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


def _camera_faults(config: Config) -> list[str]:
    """One camera for two lanes, but for two that are opposite: both see the same stretch of road.
    What one sees would be taken for what happens in the other.
    """
    faults, seen = [], dict[str, LaneSettings]()
    for lane in config.lane:
        address = getattr(lane.camera, "url", getattr(lane.camera, "device", None))
        if address is None:
            continue
        first = seen.setdefault(str(address), lane)
        if first is not lane and lane.name != first.opposite and first.name != lane.opposite:
            faults.append(f'lane "{lane.name}".camera: is already that of lane "{first.name}"')
    return faults
