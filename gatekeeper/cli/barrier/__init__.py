"""`gatekeeper barrier FILE [test LANE]`: what the lanes are wired to, and whether it is so.

A test moves a boom. It runs only while no controller does, asks before each movement, and leaves
in the journal who ran it, why, each command and what was found.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatekeeper.cli.verbs import Verbs, said
from gatekeeper.errors import ConfigError

if TYPE_CHECKING:
    from gatekeeper.model import PartTested


@click.group(cls=Verbs)
def barrier() -> None:
    """Show what the lanes are wired to: `barrier FILE`. Try it: `barrier FILE test LANE`."""


@barrier.command("list")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def listing(file: Path, as_json: bool) -> None:
    """Show each relay and input of each lane of the controller configured by FILE."""
    from gatekeeper import config
    from gatekeeper.cli.barrier.parts import channels, fire_inputs, relays_of

    settings = config.load(file)
    addresses = {board.name: f"{board.address} unit {board.unit}" for board in settings.board}
    wired = [
        (lane.name, {**channels(lane.inputs), **relays_of(lane.barrier)}) for lane in settings.lane
    ]
    for lane, parts in [*wired, ("", channels(fire_inputs(settings.fire.inputs)))]:
        for part, channel in parts.items():
            board = addresses[channel.split()[0]]
            if as_json:
                told = {"lane": lane or None, "part": part, "channel": channel, "board": board}
                print(json.dumps(told, ensure_ascii=False))
            else:
                print(f"{lane:<16}  {part:<18}  {channel:<24}  {board}")


@barrier.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("lane")
@click.option("--by", required=True, metavar="NAME", callback=said, help="Who tries it.")
@click.option("--reason", required=True, metavar="TEXT", callback=said, help="Why.")
@click.option("--yes", is_flag=True, help="The way is clear: move the boom without asking.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an input to change.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; talk on stderr.")
def test(
    file: Path, lane: str, by: str, reason: str, yes: bool, wait_s: float, as_json: bool
) -> None:
    """Try the inputs and relays of LANE, one by one, with a person beside its barrier. Exit code 1:
    something was not as it should be.
    """
    from gatekeeper import config
    from gatekeeper.cli.barrier import run
    from gatekeeper.cli.barrier.terminal import Terminal
    from gatekeeper.store import alone

    settings = config.load(file)
    if lane not in (names := [one.name for one in settings.lane]):
        raise ConfigError(f'{file}: there is no lane "{lane}"; there are {", ".join(names)}')
    terminal = Terminal(sys.stderr if as_json else sys.stdout, yes=yes)
    with alone(settings.store.path, "a technician's test"):
        parts = run.run(settings, lane, terminal, by=by, reason=reason, wait_s=wait_s)
    for line in _as_json(parts) if as_json else _as_table(parts):
        print(line)
    sys.exit(not all(part.result in ("ok", "skipped") for part in parts))


def _as_json(parts: Iterable["PartTested"]) -> Iterable[str]:
    for part in parts:
        told = {"part": part.part, "channel": part.channel, "result": part.result.value}
        yield json.dumps({**told, "detail": part.detail}, ensure_ascii=False)


def _as_table(parts: Iterable["PartTested"]) -> Iterable[str]:
    yield ""
    for part in parts:
        result = part.result.value.replace("_", " ")
        yield f"{result:<9} {part.part:<18} {part.channel:<20} {part.detail}".rstrip()
