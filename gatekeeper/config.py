"""The configuration file: TOML in, frozen settings out.

Bounds and units are checked here and nowhere else. A key nobody knows is an error that names it,
a reference to a zone or board that is not there too; all faults are told at once, one a line.
Passwords stand in files of their own, so that a configuration can be shown to anybody.
"""

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails

from gatekeeper.errors import ConfigError
from gatekeeper.model import Direction

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
"""A name of our own: it becomes part of topics, file names and log fields."""

Port = Annotated[int, Field(ge=1, le=65535)]


def _anchored(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path


File = Annotated[Path, AfterValidator(_anchored)]
"""A path; a relative one counts from the folder of the configuration file."""


class Settings(BaseModel):
    """Frozen, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class StoreSettings(Settings):
    """Where the journal and the pictures lie, and how long pictures stay."""

    path: File
    pictures: File
    pictures_days: Annotated[int, Field(ge=1, le=3650)] = 30
    min_free_mb: Annotated[int, Field(ge=16)] = 500


class RecognitionSettings(Settings):
    """Which set of networks reads plates, and what a sighting needs.

    `certain` is the smallest character confidence that may ever count against a driver;
    `lone` what a single frame needs to be believed when time runs out.
    """

    networks: Name = "clp"
    threads: Annotated[int, Field(ge=1, le=16)] = 1
    window_s: Annotated[float, Field(gt=0, le=30)] = 3.0
    exit_window_s: Annotated[float, Field(gt=0, le=30)] = 1.5
    slow_interval_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    certain: Annotated[float, Field(gt=0.5, le=1)] = 0.98
    lone: Annotated[float, Field(gt=0.5, le=1)] = 0.98


class CentreSettings(Settings):
    """The broker through which the centre is reached. Without `ca` the link is not encrypted."""

    host: str
    port: Port = 8883
    username: str | None = None
    password_file: File | None = None
    ca: File | None = None
    certificate: File | None = None
    key: File | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=300)] = 30


class ZoneSettings(Settings):
    """A zone and its policy.

    `admits`: `everybody` (an outer gate: all but plates banned from the zone) or `registered`
    (an inner gate: the ordered table of docs/rules.md).
    """

    name: Name
    inside: Name | None = None
    capacity: Annotated[int, Field(ge=1, le=100_000)]
    admits: Literal["everybody", "registered"]
    internal_limit_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    warning_s: Annotated[float, Field(ge=0, le=86_400)] = 120.0
    grace_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    when_full: Literal["refuse", "admit"] = "refuse"
    unknown_when_offline: Literal["admit", "refuse"] = "admit"
    offline_after_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    when_registry_missing: Literal["admit", "refuse"] = "admit"
    when_store_fails: Literal["admit", "refuse"] = "refuse"

    @model_validator(mode="after")
    def _warn_before_the_limit(self) -> Self:
        if self.warning_s >= self.internal_limit_s:
            raise ValueError("warning_s must be shorter than internal_limit_s")
        return self


class BoardSettings(Settings):
    """A relay board on Modbus TCP. The pulse is timed by this controller: on, wait, off.

    The bounds of `poll_ms` and `timeout_ms` let a silent board be noticed within two seconds.
    """

    name: Name
    address: str
    unit: Annotated[int, Field(ge=0, le=255)] = 1
    inputs: Annotated[int, Field(ge=1, le=64)] = 8
    coils: Annotated[int, Field(ge=1, le=64)] = 8
    poll_ms: Annotated[int, Field(ge=10, le=500)] = 50
    timeout_ms: Annotated[int, Field(ge=50, le=1000)] = 500

    @model_validator(mode="after")
    def _address_is_tcp(self) -> Self:
        parts = urlsplit(self.address)
        if parts.scheme != "tcp" or not parts.hostname or parts.path:
            raise ValueError(f'address must look like "tcp://192.0.2.7:502", not "{self.address}"')
        return self

    @property
    def host(self) -> str:
        """The board's host name or address."""
        return urlsplit(self.address).hostname or ""

    @property
    def port(self) -> int:
        """The board's port, 502 where none is given (Modbus TCP's own)."""
        return urlsplit(self.address).port or 502


class InputSettings(Settings):
    """One discrete input of a board; `inverted` for a contact that opens on presence."""

    board: Name
    input: Annotated[int, Field(ge=0, le=63)]
    inverted: bool = False


class BarrierSettings(Settings):
    """The relay that opens a barrier: one pulse, given before the deadline or never."""

    board: Name
    coil: Annotated[int, Field(ge=0, le=63)]
    pulse_ms: Annotated[int, Field(ge=50, le=5000)] = 500
    deadline_ms: Annotated[int, Field(ge=100, le=10_000)] = 2000


class SnapshotSettings(Settings):
    """A camera that gives one JPEG picture for each HTTP request."""

    kind: Literal["snapshot"]
    url: str
    username: str | None = None
    password_file: File | None = None
    timeout_ms: Annotated[int, Field(ge=100, le=10_000)] = 2000

    @model_validator(mode="after")
    def _url_is_http(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f'url must be an http or https address, not "{self.url}"')
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file go together")
        return self


class FolderSettings(Settings):
    """A folder of pictures shown in turn by name, for trying things out without a camera."""

    kind: Literal["folder"]
    path: File
    interval_ms: Annotated[int, Field(ge=0, le=60_000)] = 200


CameraSettings = Annotated[SnapshotSettings | FolderSettings, Field(discriminator="kind")]


class LaneSettings(Settings):
    """One direction of a gate. `zone` is the zone that the lane leads into (entry) or out of."""

    name: Name
    zone: Name
    direction: Direction
    barrier: BarrierSettings
    camera: CameraSettings | None = None
    arrival_loop: InputSettings
    safety_loop: InputSettings | None = None
    boom_up: InputSettings | None = None
    open_timeout_s: Annotated[float, Field(ge=3, le=600)] = 30.0


class Config(Settings):
    """A whole gate controller."""

    site: Name
    controller: Name
    store: StoreSettings
    centre: CentreSettings | None = None
    recognition: RecognitionSettings = RecognitionSettings()
    zone: Annotated[tuple[ZoneSettings, ...], Field(min_length=1)]
    board: Annotated[tuple[BoardSettings, ...], Field(min_length=1)]
    lane: Annotated[tuple[LaneSettings, ...], Field(min_length=1)]

    def zone_of(self, lane: LaneSettings) -> ZoneSettings:
        """The zone a lane belongs to."""
        return next(zone for zone in self.zone if zone.name == lane.zone)


def load(path: Path) -> Config:
    """The settings in a file; relative paths in it count from its folder.

    Raises `ConfigError` with a line for each fault: file, key, what is wrong.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    try:
        config = Config.model_validate(raw, context={"folder": path.resolve().parent})
    except ValidationError as error:
        faults = [_told(fault, raw) for fault in error.errors() if not _follows(fault, raw)]
    else:
        faults = _broken_references(config)
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return config


def secret(path: Path) -> str:
    """The password in a file, without the line end; raises `ConfigError` naming the file."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path}: password file cannot be read: {error.strerror}") from error


def warnings(config: Config) -> list[str]:
    """What is allowed but unwise, one sentence each: said by `check`, and at every start."""
    said = []
    for zone in config.zone:
        exits = [
            lane for lane in config.lane if lane.zone == zone.name and lane.direction == "exit"
        ]
        blind = [lane.name for lane in exits if lane.camera is None]
        if zone.admits == "registered" and blind:
            said.append(
                f"zone {zone.name}: exit lane {', '.join(blind)} has no camera: limits of this zone"
                " are advisory, nobody is blacklisted"
            )
        if zone.admits == "registered" and not exits:
            said.append(f"zone {zone.name}: no exit lane here: limits of this zone are advisory")
    said += [
        f"lane {lane.name}: no safety loop: a passage is only presumed, and counts against nobody"
        for lane in config.lane
        if lane.safety_loop is None
    ]
    if config.centre is None:
        said.append("no [centre]: lists never change and events stay here")
    elif config.centre.ca is None:
        said.append("centre: no ca: the link to the broker is not encrypted")
    return said


def _told(fault: ErrorDetails, raw: dict[str, Any]) -> str:
    place = _place(fault["loc"], raw)
    match fault["type"]:
        case "extra_forbidden":
            return f"{place}: no such key{_guess(fault['loc'])}"
        case "missing":
            return f"{place}: missing"
        case _:
            return f"{place}: {fault['msg'].removeprefix('Value error, ')}"


def _follows(fault: ErrorDetails, raw: dict[str, Any]) -> bool:
    """Whether a table counts as absent only because the faults in it were told already."""
    return fault["type"] == "too_short" and bool(raw.get(str(fault["loc"][0])))


def _place(loc: tuple[int | str, ...], raw: Any) -> str:
    """`lane "inner-entry", camera.url` rather than `lane.0.camera.snapshot.url`."""
    words: list[str] = []
    for step in loc:
        if isinstance(step, int):
            raw = raw[step] if isinstance(raw, list) and step < len(raw) else None
            name = raw.get("name") if isinstance(raw, dict) else None
            words[-1] += f' "{name}"' if isinstance(name, str) else f" number {step + 1}"
        elif isinstance(raw, dict) and raw.get("kind") == step and step not in raw:
            continue  # the tag of a union, which is no key of the file
        else:
            raw = raw.get(step) if isinstance(raw, dict) else None
            words.append(step)
    return ".".join(words) or "file"


def _guess(loc: tuple[int | str, ...]) -> str:
    known = _keys(tuple(step for step in loc[:-1] if isinstance(step, str)))
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _keys(path: tuple[str, ...]) -> list[str]:
    """All keys that may stand in the table at `path`."""
    tables: dict[str, type[Settings]] = {
        "store": StoreSettings,
        "recognition": RecognitionSettings,
        "centre": CentreSettings,
        "zone": ZoneSettings,
        "board": BoardSettings,
        "lane": LaneSettings,
        "barrier": BarrierSettings,
        "arrival_loop": InputSettings,
        "safety_loop": InputSettings,
        "boom_up": InputSettings,
        "snapshot": SnapshotSettings,
        "folder": FolderSettings,
    }
    return list((tables[path[-1]] if path else Config).model_fields)


def _broken_references(config: Config) -> list[str]:
    faults = [
        f'{kind}: the name "{name}" is used twice'
        for kind, names in (
            ("zone", [zone.name for zone in config.zone]),
            ("board", [board.name for board in config.board]),
            ("lane", [lane.name for lane in config.lane]),
        )
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    zones = {zone.name for zone in config.zone}
    faults += [
        f'zone "{zone.name}".inside: no zone is called "{zone.inside}"'
        for zone in config.zone
        if zone.inside is not None and (zone.inside not in zones or zone.inside == zone.name)
    ]
    faults += [
        f'lane "{lane.name}".zone: no zone is called "{lane.zone}"'
        for lane in config.lane
        if lane.zone not in zones
    ]
    addresses = [(board.host, board.port) for board in config.board]
    faults += [
        f'board "{board.name}".address: {board.address} has another board already'
        for number, board in enumerate(config.board)
        if (board.host, board.port) in addresses[:number]
    ]
    return faults + _wiring_faults(config)


def _wiring_faults(config: Config) -> list[str]:
    """Channels on no board, beyond the board's last, or used by two lanes at once."""
    boards = {board.name: board for board in config.board}
    faults: list[str] = []
    owners: dict[tuple[str, str, int], str] = {}
    faults += [
        f'lane "{lane.name}": all its wires have to be on one board'
        for lane in config.lane
        if len({wire.board for wire in _inputs(lane).values()} | {lane.barrier.board}) > 1
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
        yield f"{place}.barrier", lane.barrier.board, "coil", lane.barrier.coil
        for key, wire in _inputs(lane).items():
            yield f"{place}.{key}", wire.board, "input", wire.input


def _inputs(lane: LaneSettings) -> dict[str, InputSettings]:
    wires = {
        "arrival_loop": lane.arrival_loop,
        "safety_loop": lane.safety_loop,
        "boom_up": lane.boom_up,
    }
    return {key: wire for key, wire in wires.items() if wire is not None}
