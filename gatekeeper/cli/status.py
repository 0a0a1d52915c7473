"""`gatekeeper status`: how the gate stands, on one screen."""

import json
import sys
from collections.abc import Iterator
from datetime import tzinfo
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatekeeper.cli.asking import of_config
from gatekeeper.cli.times import at_site

if TYPE_CHECKING:
    from gatekeeper.config import Config


@click.command(epilog="Example: gatekeeper status")
@of_config
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(file: Path, as_json: bool) -> None:
    """Show how the gate stands: lanes, booms that are kept up, zones, alarms with what to do, the
    centre, the disk. Exit code 1 while an alarm stands, or where no controller runs.
    """
    from gatekeeper import config
    from gatekeeper.control import ask

    settings = config.load(file)
    answer = ask(settings.store.path, {"ask": "status"})
    if as_json:
        print(json.dumps(answer or {"runs": False}, ensure_ascii=False))
    else:
        _show(_not_running(settings) if answer is None else _lines(answer, settings.timezone))
    if answer is None or answer["alarms"]:
        sys.exit(1)


def _show(lines: Iterator[tuple[int, str]]) -> None:
    """Each line at its depth, as wide as the terminal; a Chinese character takes two cells."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for depth, text in lines:
        indent = "  " * depth
        for part in Text(text).wrap(console, max(10, console.width - len(indent))):
            print(f"{indent}{part.plain.rstrip()}")


def _lines(told: dict[str, Any], zone: tzinfo) -> Iterator[tuple[int, str]]:
    yield 0, f"{told['controller']} of {told['site']}, version {told['version']}"
    trusted = "" if told["clock_trusted"] else ", clock not synchronised"
    yield 0, f"{at_site(told['at'], zone)}{trusted}"
    yield 0, "lanes"
    for lane in told["lanes"]:
        kept_up = f", kept up: {', '.join(lane['kept_up'])}" if lane["kept_up"] else ""
        yield 1, f"{lane['name']}: {lane['state']}{kept_up}"
    yield 0, "zones"
    for each in told["zones"]:
        doubt = "" if each["trusted"] else ", not trusted: recount"
        yield 1, f"{each['name']}: {each['count']} of {each['capacity']}{doubt}"
    yield from _rest(told)
    yield from _alarms(told["alarms"], zone)


def _rest(told: dict[str, Any]) -> Iterator[tuple[int, str]]:
    away_s = told["centre_away_s"]
    if away_s is None:
        yield 0, "centre: none is configured"
    else:
        reach = "in reach" if away_s == 0.0 else f"out of reach for {away_s:.0f} s"
        yield 0, f"centre: {reach}, {told.get('outbox', '?')} events wait for it"
    if "store" in told:
        yield 0, f"database: {told['store']}"
    else:
        yield 0, f"disk: {told['free_disk_mb']} MB free"


def _alarms(alarms: list[dict[str, str]], zone: tzinfo) -> Iterator[tuple[int, str]]:
    if not alarms:
        yield 0, "no alarm stands"
        return
    yield 0, "alarms"
    cures = cures_of_alarms()
    for each in alarms:
        yield 1, f"{each['alarm']}: {each['subject']}"
        yield 2, f"since {at_site(each['since'], zone)}"
        yield 2, each["detail"]
        if cure := cures.get(each["alarm"]):
            yield 2, f"-> {cure}"


def cures_of_alarms() -> dict[str, str]:
    """What a person does about each alarm, by its word."""
    import tomllib

    return tomllib.loads((files("gatekeeper.cli") / "cures.toml").read_text(encoding="utf-8"))


def _not_running(settings: "Config") -> Iterator[tuple[int, str]]:
    """What the database says, for no controller does."""
    from gatekeeper.errors import StoreError
    from gatekeeper.store import journal

    yield 0, f"{settings.controller} of {settings.site}: the controller does not run"
    try:
        inside = sum(1 for _ in journal.stays(settings.store.path))
        last = journal.last(settings.store.path)
    except StoreError as error:
        yield 0, f"database: {error}"
        return
    if last is not None:
        yield 0, f"last event: {at_site(last.occurred_at, settings.timezone)}, {last.kind}"
    yield 0, f"open stays: {inside}"
    yield 0, "-> sudo systemctl start gatekeeper; journalctl -u gatekeeper says why it ended"
