"""What a person beside the gate does: the centre's orders, given here. Each is refused by the same
guards, answered with what was read back, and kept in the journal with the name of who gave it.
"""

import sys
from pathlib import Path

import click

from gatekeeper.cli.asking import asked, of_config

REASON = click.option("--reason", required=True, help="Why; it is kept.")


def _act(file: Path, verb: str, **fields: object) -> None:
    from gatekeeper import config

    settings = config.load(file)
    told = {key: each for key, each in fields.items() if each is not None}
    answer = asked(settings, ask="order", verb=verb, **told)
    print(f"{answer['outcome']}: {answer['detail']}" if answer["detail"] else answer["outcome"])
    if answer["outcome"] != "done":
        sys.exit(1)


@click.command("open", epilog="Example: gatekeeper open inner-exit --reason 'reader is dirty'")
@click.argument("lane")
@REASON
@of_config
def open_(lane: str, reason: str, file: Path) -> None:
    """Open the barrier of LANE once, for the vehicle that stands there."""
    _act(file, "open", lane=lane, reason=reason)


@click.command(epilog="Example: gatekeeper hold inner-exit --minutes 30 --reason 'moving house'")
@click.argument("lane", required=False)
@click.option("--minutes", type=click.IntRange(1), help="For so long; else until released.")
@REASON
@of_config
def hold(lane: str | None, minutes: int | None, reason: str, file: Path) -> None:
    """Keep the boom of LANE up, or those of all lanes."""
    _act(file, "hold", lane=lane, minutes=minutes, reason=reason)


@click.command(epilog="Example: gatekeeper release --reason 'false alarm of the fire panel'")
@click.argument("lane", required=False)
@REASON
@of_config
def release(lane: str | None, reason: str, file: Path) -> None:
    """Let the boom of LANE down again. Without LANE those of all lanes, and a fire that is over."""
    _act(file, "release", lane=lane, reason=reason)


@click.command(epilog="Example: gatekeeper fleet inner-entry --vehicles 12 --reason 'delegation'")
@click.argument("lane")
@click.option("--vehicles", type=click.IntRange(1), help="Until so many have passed.")
@click.option("--minutes", type=click.IntRange(1), help="For so long at most.")
@REASON
@of_config
def fleet(lane: str, vehicles: int | None, minutes: int | None, reason: str, file: Path) -> None:
    """Keep the boom of LANE up for a convoy."""
    _act(file, "fleet", lane=lane, vehicles=vehicles, minutes=minutes, reason=reason)


@click.command(epilog="Example: gatekeeper lockdown on --reason 'burst pipe'")
@click.argument("on", type=click.Choice(["on", "off"]))
@REASON
@of_config
def lockdown(on: str, reason: str, file: Path) -> None:
    """Stop all entries that are not exempt, or let them go on. Exits open as ever."""
    _act(file, "lockdown", on=on == "on", reason=reason)


@click.command(epilog="Example: gatekeeper recount visitor_zone 37 --reason 'counted by hand'")
@click.argument("zone")
@click.argument("count", type=click.IntRange(0, 100_000))
@REASON
@of_config
def recount(zone: str, count: int, reason: str, file: Path) -> None:
    """Say how many vehicles are in ZONE: a person has counted. 0 ends every stay there."""
    _act(file, "recount", zone=zone, count=count, reason=reason)
