"""Which configuration a gate runs by: that of its file, or else the last one that ran.

The last one is kept beside the database, with the path of its file in the first line: a file that
cannot be understood keeps no gate from opening (situations, 34).
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import structlog

from gatekeeper import flushed
from gatekeeper.config import Config, load, read_text, understood
from gatekeeper.errors import ConfigError

log = structlog.get_logger(__name__)

_STORE = re.compile(r"""^\s*path\s*=\s*["'](.+?)["']""", re.MULTILINE)

_MOST_FAULTS = 5
"""So many stand in the alarm; `gatekeeper check` tells them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a controller runs by; `fault` is what is wrong with its file, "" where nothing is."""

    file: Path
    config: Config
    fault: str = ""


def to_run_by(file: Path) -> Running:
    """The configuration of a file, or the last one of it that ran; raises `ConfigError` where the
    first cannot be understood and there is no other.
    """
    try:
        return Running(file=file, config=load(file))
    except ConfigError as error:
        for kept in _places(file):
            with suppress(ConfigError):
                return Running(file=file, config=_kept_in(kept, file), fault=_told(error))
        raise


def keep(running: Running) -> None:
    """Keep a copy of the file, in a thread of its own: a disk that hangs holds nothing up. One that
    cannot be kept is told in the log.
    """
    Thread(target=_keep, args=(running,), name="configuration", daemon=True).start()


def _keep(running: Running) -> None:
    kept = _beside(running.config.store.path, running.file)
    try:
        text = _heading(running.file) + read_text(running.file, "", "")
        if kept.is_file() and kept.read_text(encoding="utf-8") == text:
            return
        flushed.replace(kept, text.encode(), 0o600)
    except (OSError, ConfigError) as error:
        log.warning("configuration.not_kept", path=str(kept), error=str(error))


def _kept_in(kept: Path, file: Path) -> Config:
    text = read_text(kept, "", "")
    if not text.startswith(_heading(file)):
        raise ConfigError(f"{kept}: is that of another file")
    return understood(text, kept, file.resolve().parent)


def _heading(file: Path) -> str:
    return f"# The last configuration that ran, of {file.resolve()}\n"


def _beside(database: Path, file: Path) -> Path:
    return database.with_name(f"{file.name}.last")


def _places(file: Path) -> Iterator[Path]:
    """Where the last one may lie: beside the database that the file names in spite of all, in the
    folder that systemd gives to the service, or beside the file.
    """
    folder = file.resolve().parent
    with suppress(OSError):
        text = file.read_bytes().replace(b"\0", b"").decode("utf-8", errors="replace")
        for told in _STORE.findall(text):
            yield _beside(folder / told, file)
    for state in os.environ.get("STATE_DIRECTORY", "").split(":"):
        if state:
            yield _beside(Path(state) / "-", file)
    yield _beside(folder / "-", file)


def _told(error: ConfigError) -> str:
    faults = str(error).splitlines()
    more = len(faults) - _MOST_FAULTS
    told = "; ".join(faults[:_MOST_FAULTS]) + (f"; and {more} more" if more > 0 else "")
    return (
        f"{told}; the gate runs by the last configuration that ran: mend the file and start again"
    )
