"""Reading the file, and telling its faults in the words of the person who wrote it."""

import re
import tomllib
from collections.abc import Sequence
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
from gatekeeper.config.lines import line_of
from gatekeeper.config.references import broken_references
from gatekeeper.config.settings import Settings, guess
from gatekeeper.config.text import no_toml, read_text
from gatekeeper.config.zones import ScheduleSettings, ZoneSettings
from gatekeeper.errors import ConfigError


def load(path: Path, folder: Path | None = None) -> Config:
    """The settings in a file; relative paths in it count from its folder, or the one told.

    Raises `ConfigError` with a line for each fault: file, line, key, what is wrong.
    """
    text = read_text(path, "", "is this its path?")
    return understood(text, path, path.resolve().parent if folder is None else folder)


def understood(text: str, path: Path, folder: Path) -> Config:
    """The settings that a text says, which is that of the file `path`; raises `ConfigError`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}, {no_toml(text, str(error))}") from None
    try:
        config = Config.model_validate(raw, context={"folder": folder})
    except ValidationError as error:
        faults = [
            (_untagged(fault["loc"], raw), _told(fault, raw))
            for fault in error.errors()
            if not _follows(fault)
        ]
    else:
        faults = [(_loc_of(fault, raw), fault) for fault in broken_references(config)]
    if faults:
        raise ConfigError("\n".join(f"{path}{_at(text, loc)}: {told}" for loc, told in faults))
    return config


def _at(text: str, loc: Sequence[int | str]) -> str:
    line = line_of(text, loc)
    return "" if line is None else f", line {line}"


def _loc_of(fault: str, raw: dict[str, Any]) -> tuple[int | str, ...]:
    """The place that a fault begins with, as `_place` writes it, turned back."""
    found = re.match(r'(\w+)(?: "([^"]*)")?((?:\.\w+)*)', fault)
    table, name, keys = found.groups() if found else ("", None, "")
    tables = raw.get(table)
    if name is None or not isinstance(tables, list):
        return (table, *keys.split(".")[1:])
    names = [each.get("name", each.get("controller")) for each in tables]
    numbers = [number for number, each in enumerate(names) if each == name]
    return (table, *numbers[-1:], *keys.split(".")[1:])


def _told(fault: ErrorDetails, raw: dict[str, Any]) -> str:
    place = _place(fault["loc"], raw)
    match fault["type"]:
        case "extra_forbidden":
            return f"{place}: no such key{guess(str(fault['loc'][-1]), _keys(fault['loc']))}"
        case "missing":
            return f"{place}: missing"
        case "tuple_type" if isinstance(fault["input"], dict):
            return f"{place}: there may be several of it: write [[{place}]], not [{place}]"
        case "model_type" if isinstance(fault["input"], list):
            return f"{place}: there is one of it: write [{place}], not [[{place}]]"
        case "value_error":
            return f"{place}: {fault['msg'].removeprefix('Value error, ')}"
        case _:
            return f"{place}: {fault['msg']}{_value(fault)}"


_MAY_HOLD_SECRETS = frozenset(("url", "username", "password_file", "host"))

_LONGEST_SHOWN = 40


def _value(fault: ErrorDetails) -> str:
    """What stands there, where it can be shown."""
    given, key = fault["input"], fault["loc"][-1] if fault["loc"] else ""
    if isinstance(given, bool | int | float):
        return f", not {given}"
    short = isinstance(given, str) and len(given) <= _LONGEST_SHOWN
    return f', not "{given}"' if short and key not in _MAY_HOLD_SECRETS else ""


def _follows(fault: ErrorDetails) -> bool:
    """Whether a table counts as absent, or a default is not known, only because of faults told
    already.
    """
    emptied = fault["type"] == "too_short" and bool(fault["input"])
    return emptied or fault["type"] == "default_factory_not_called"


def _untagged(loc: tuple[int | str, ...], raw: Any) -> tuple[int | str, ...]:
    """Without the tags of unions, which are no keys of the file."""
    steps: list[int | str] = []
    for step in loc:
        if isinstance(step, str) and isinstance(raw, dict) and _is_tag(step, raw):
            continue
        steps.append(step)
        raw = _within(raw, step)
    return tuple(steps)


def _is_tag(step: str, raw: dict[str, Any]) -> bool:
    return raw.get("kind") == step and step not in raw


def _within(raw: Any, step: int | str) -> Any:
    if isinstance(step, int):
        return raw[step] if isinstance(raw, list) and step < len(raw) else None
    return raw.get(step) if isinstance(raw, dict) else None


def _place(loc: tuple[int | str, ...], raw: Any) -> str:
    """`lane "inner-entry".camera.url` rather than `lane.0.camera.snapshot.url`."""
    words: list[str] = []
    for step in _untagged(loc, raw):
        raw = _within(raw, step)
        if isinstance(step, str):
            words.append(step)
            continue
        name = raw.get("name", raw.get("controller")) if isinstance(raw, dict) else None
        words[-1] += f' "{name}"' if isinstance(name, str) else f" number {step + 1}"
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
