"""Reading the file, and telling its faults in the words of the person who wrote it."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gatekeeper.config.boards import BoardSettings
from gatekeeper.config.cameras import (
    FolderSettings,
    MjpegSettings,
    RtspSettings,
    SnapshotSettings,
    UsbSettings,
    VideoSettings,
)
from gatekeeper.config.controller import (
    CentreSettings,
    Config,
    PeerSettings,
    RecognitionSettings,
    StoreSettings,
)
from gatekeeper.config.displays import DisplaySettings, TextsSettings, WordingSettings
from gatekeeper.config.fire import FireSettings
from gatekeeper.config.lanes import (
    BarrierSettings,
    GeometrySettings,
    InputSettings,
    LaneSettings,
)
from gatekeeper.config.references import broken_references
from gatekeeper.config.settings import Settings, guess
from gatekeeper.config.zones import ScheduleSettings, ZoneSettings
from gatekeeper.errors import ConfigError


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
        faults = [_told(fault, raw) for fault in error.errors() if not _follows(fault)]
    else:
        faults = broken_references(config)
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return config


_LONGEST_SECRET = 4096
"""Bytes: a longer file is no password file."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def secret(path: Path) -> str:
    """The password in a file: one line of UTF-8, without byte order mark and line end.

    Raises `ConfigError` that names the file and the remedy, and nothing of what the file holds.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LONGEST_SECRET + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: password file cannot be read: {error.strerror}; write the password into it,"
            " and let the user of the controller read it"
        ) from error
    if raw.startswith(_UTF_16):
        raise ConfigError(f"{path}: password file is UTF-16; save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig").strip("\x1a \t\r\n")
    except UnicodeDecodeError:  # from None: it holds what the file holds
        raise ConfigError(f"{path}: password file is not UTF-8; save it as UTF-8") from None
    if not text:
        raise ConfigError(f"{path}: password file is empty; write the password into it")
    if not text.isprintable() or len(raw) > _LONGEST_SECRET:
        raise ConfigError(
            f"{path}: password file holds more than one line of text; leave the password alone in"
            " it"
        )
    return text


def _told(fault: ErrorDetails, raw: dict[str, Any]) -> str:
    place = _place(fault["loc"], raw)
    match fault["type"]:
        case "extra_forbidden":
            return f"{place}: no such key{guess(str(fault['loc'][-1]), _keys(fault['loc']))}"
        case "missing":
            return f"{place}: missing"
        case _:
            return f"{place}: {fault['msg'].removeprefix('Value error, ')}"


def _follows(fault: ErrorDetails) -> bool:
    """Whether a table counts as absent, or a default is not known, only because of faults told
    already.
    """
    emptied = fault["type"] == "too_short" and bool(fault["input"])
    return emptied or fault["type"] == "default_factory_not_called"


def _place(loc: tuple[int | str, ...], raw: Any) -> str:
    """`lane "inner-entry", camera.url` rather than `lane.0.camera.snapshot.url`."""
    words: list[str] = []
    for step in loc:
        if isinstance(step, int):
            raw = raw[step] if isinstance(raw, list) and step < len(raw) else None
            name = raw.get("name", raw.get("controller")) if isinstance(raw, dict) else None
            words[-1] += f' "{name}"' if isinstance(name, str) else f" number {step + 1}"
        elif isinstance(raw, dict) and raw.get("kind") == step and step not in raw:
            continue  # the tag of a union, which is no key of the file
        else:
            raw = raw.get(step) if isinstance(raw, dict) else None
            words.append(step)
    return ".".join(words) or "file"


def _keys(loc: tuple[int | str, ...]) -> list[str]:
    """All keys that may stand in the table that the last step of `loc` is a key of."""
    tables: dict[str, type[Settings]] = {
        "store": StoreSettings,
        "recognition": RecognitionSettings,
        "centre": CentreSettings,
        "zone": ZoneSettings,
        "schedule": ScheduleSettings,
        "board": BoardSettings,
        "lane": LaneSettings,
        "geometry": GeometrySettings,
        "barrier": BarrierSettings,
        "arrival_loop": InputSettings,
        "safety_loop": InputSettings,
        "boom_up": InputSettings,
        "photocell": InputSettings,
        "fire": FireSettings,
        "inputs": InputSettings,
        "snapshot": SnapshotSettings,
        "rtsp": RtspSettings,
        "mjpeg": MjpegSettings,
        "usb": UsbSettings,
        "video": VideoSettings,
        "folder": FolderSettings,
        "peer": PeerSettings,
        "display": DisplaySettings,
        "texts": TextsSettings,
    }
    path = [step for step in loc[:-1] if isinstance(step, str)]
    if path[:1] == ["texts"] and len(path) > 1:
        table: type[Settings] = WordingSettings
    else:
        table = tables[path[-1]] if path else Config
    return [field.alias or name for name, field in table.model_fields.items()]
