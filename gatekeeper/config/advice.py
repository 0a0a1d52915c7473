"""What is allowed but unwise, and what can never have an effect."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from gatekeeper.config.boards import Wire
from gatekeeper.config.cameras import MjpegSettings, RtspSettings
from gatekeeper.config.controller import Config
from gatekeeper.config.limits import advisory_because
from gatekeeper.config.profiles import UnusableProfile
from gatekeeper.config.unwise import unwise_values
from gatekeeper.config.zones import ZoneSettings
from gatekeeper.model import Direction, Schedule, VehicleClass

_DAY_S = 86_400
_MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - any Monday: schedules know weekdays, no dates


def warnings(config: Config, reads: str | None = None) -> list[str]:
    """What is allowed but unwise, one sentence each: said by `check`, and at every start. `reads`
    is the set of networks that does, where it is another one than the configuration names.
    """
    return [
        *(
            f"zone {zone.name}: {said}"
            for zone in config.zone
            for said in (*_of_exits(config, zone), *_of_cooldown(zone), *_of_schedules(zone))
        ),
        *_of_the_time(config),
        *_of_lanes(config),
        *_of_boards(config),
        *_of_fire(config),
        *_of_the_centre(config),
        *unwise_values(config, reads or config.recognition.networks),
    ]


def _of_exits(config: Config, zone: ZoneSettings) -> Iterator[str]:
    for reason in advisory_because(config, zone):
        yield f"{reason}: limits are advisory"
    elsewhere = any(zone.name in peer.exits_of for peer in config.peer)
    if zone.admits == "everybody" and not elsewhere and not config.exits_of(zone.name):
        yield "no exit lane here, nor at a [[peer]] by its exits_of: no car is ever seen leaving"


def _of_cooldown(zone: ZoneSettings) -> Iterator[str]:
    if zone.cooldown_s > _DAY_S:
        yield f"cooldown_s = {zone.cooldown_s:g} keeps internal vehicles away for over a day"
    if zone.cooldown_s > 0 and zone.admits == "everybody":
        yield "cooldown_s has no effect where everybody is admitted"


def _of_schedules(zone: ZoneSettings) -> Iterator[str]:
    rows = [each.schedule for each in zone.schedule]
    for number, row in enumerate(rows):
        place = f"schedule number {number + 1} ({row.vehicle})"
        if not _ever_fits(row, rows[:number]):
            yield f"{place} can never fit: rows above it take all its hours"
        elif row.vehicle is VehicleClass.UNREAD and not _may_stay_unread(zone):
            yield f'{place} can never fit: unreadable = "refuse" refuses them at all hours'


def _may_stay_unread(zone: ZoneSettings) -> bool:
    return zone.admits == "everybody" or zone.unreadable == "admit"


def _ever_fits(row: Schedule, above: Sequence[Schedule]) -> bool:
    """Whether some moment of the week is left to a row by those above it.

    What is left of it begins where the row itself begins, or where another ends.
    """
    rivals = [each for each in above if each.vehicle is row.vehicle]
    edges = [edge for each in (row, *rivals) for edge in _edges(each)]
    return any(row.fits(edge) and not any(each.fits(edge) for each in rivals) for edge in edges)


def _edges(row: Schedule) -> Iterator[datetime]:
    for weekday in row.weekdays:
        day = _MONDAY + timedelta(days=weekday)
        yield datetime.combine(day, row.begins)
        yield datetime.combine(day + timedelta(days=row.until <= row.begins), row.until)


def _of_the_time(config: Config) -> Iterator[str]:
    name = config.timezone.key
    if name.startswith("Etc/GMT") and name[7:] not in ("", "0", "+0", "-0"):
        yield (
            f'timezone = "{name}": its sign is the other way round: + is west of Greenwich; name a'
            ' place: "Asia/Shanghai" is the time of all China'
        )


def _of_lanes(config: Config) -> Iterator[str]:
    for lane in config.lane:
        url = getattr(lane.camera, "url", "")
        if "@" in urlsplit(url).netloc:
            yield (
                f"lane {lane.name}: camera.url holds a password, which all who read this file"
                " learns: take it out; username and password_file"
            )
        if isinstance(lane.camera, MjpegSettings | RtspSettings) and url.startswith(
            ("https", "rtsps")
        ):
            yield (
                f"lane {lane.name}: the certificate of a stream is not checked: a program that"
                " answers in the camera's place learns its password; keep it in a closed network"
            )
        if lane.arrival_loop is None:
            held = "; it is held open meanwhile" if lane.direction is Direction.EXIT else ""
            yield (
                f"lane {lane.name}: no arrival loop: who comes while its camera fails is not"
                f" noticed{held}"
            )
        if lane.safety_loop is None:
            yield (
                f"lane {lane.name}: no safety loop: a passage is only presumed, and never"
                " counts against a driver"
            )


def _of_boards(config: Config) -> Iterator[str]:
    for board in config.board:
        if isinstance(board.profile, UnusableProfile):
            yield f"board {board.name}: {board.profile.fault}"
        if board.profile.pulse.kind != "coil" and not board.profile.verified:
            yield (
                f"board {board.name}: its profile was made from documents and tried on no bench:"
                " try each relay before a car stands there"
            )
        if board.line.wire is Wire.SERIAL and board.line.device.startswith("/dev/tty"):
            yield (
                f"board {board.name}: {board.line.device} may be another adapter after a restart;"
                " take its name below /dev/serial/by-id"
            )


def _of_fire(config: Config) -> Iterator[str]:
    if not config.fire.inputs:
        yield "fire: no inputs: the fire controller has to open the barriers without this one"
    for wire in config.fire.inputs:
        if not wire.inverted:
            yield (
                f"fire: input {wire.input} of {wire.board} closes on fire: if its wire breaks,"
                " it is not noticed; a contact that opens (inverted = true) tells"
            )


def _of_the_centre(config: Config) -> Iterator[str]:
    if config.centre is None:
        yield "no [centre]: lists never change and events stay here"
    elif config.centre.ca is None:
        yield "centre: no ca: the link to the broker is not encrypted"
        if config.centre.password_file is not None:
            yield (
                f'centre: password_file = "{config.centre.password_file}" without ca: the password'
                " goes to the broker in the clear, and with it anyone can give orders to this gate"
            )
    if config.centre is None and config.peer:
        yield "peer: without [centre] nothing is ever heard of other controllers"
