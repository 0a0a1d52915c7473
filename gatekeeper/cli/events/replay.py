"""`gatekeeper events replay FILE`: do the rules still decide as the journal says they did?"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gatekeeper.model import Decision, Fact
    from gatekeeper.rules.replay import Replayed
    from gatekeeper.store.journal import JournalRow


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--after", default=0, metavar="SEQ", help="Only decisions after this number.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def replay(ctx: click.Context, file: Path, after: int, as_json: bool) -> None:
    """Decide again every decision in the journal of the controller configured by FILE.

    Exit code 1 if any comes out otherwise than it was decided.
    """
    from gatekeeper import config
    from gatekeeper.rules.replay import replay as decided_again
    from gatekeeper.store import journal

    path = config.load(file).store.path
    rows = _with_progress(journal.events(path), journal.length(path))
    tally = Counter[str]()
    for one in decided_again(_facts(rows, after)):
        tally[_outcome(one)] += 1
        if as_json:
            print(_as_json(one))
        elif one.differing:
            print(_as_line(one))
    print(json.dumps(_summary(tally)) if as_json else _in_words(tally))
    ctx.exit(1 if tally["differs"] else 0)


def _facts(rows: Iterator["JournalRow"], after: int) -> Iterator[tuple[int, "Fact"]]:
    """What a replay needs: every policy, and the decisions after `after`."""
    from gatekeeper.model import PolicyAdopted, VehicleDecided
    from gatekeeper.store import facts

    for row in rows:
        decided = row.kind == VehicleDecided.kind and row.seq > after
        if decided or row.kind == PolicyAdopted.kind:
            yield row.seq, facts.fact_of(row.kind, row.body)


def _with_progress(rows: Iterator["JournalRow"], length: int) -> Iterator["JournalRow"]:
    """The same rows; a bar on stderr, if that is a terminal, says how far they have come."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    ) as progress:
        yield from progress.track(rows, total=length, description="events")


def _outcome(one: "Replayed") -> str:
    if one.again is None:
        return "not_replayable"
    return "differs" if one.differing else "same"


def _as_json(one: "Replayed") -> str:
    said = {
        "seq": one.seq,
        "outcome": _outcome(one),
        "decided": _told(one.decided),
        "again": None if one.again is None else _told(one.again),
        "differing": one.differing,
        "obstacle": one.obstacle or None,
    }
    return json.dumps(said, ensure_ascii=False)


def _told(decision: "Decision") -> dict[str, object]:
    return {
        "verdict": decision.verdict,
        "reason": decision.reason,
        "rule": decision.rule,
        "plate": decision.plate,
        "vehicle": decision.vehicle,
        "certain": decision.certain,
    }


def _as_line(one: "Replayed") -> str:
    was, now = (
        f"{decision.verdict} {decision.plate or 'unread'} by {decision.rule}"
        for decision in (one.decided, one.again)
        if decision is not None
    )
    return f"{one.seq:>7}  decided: {was}; now: {now} (differing: {', '.join(one.differing)})"


def _summary(tally: Counter[str]) -> dict[str, int]:
    return {
        "decisions": tally.total(),
        "same": tally["same"],
        "differs": tally["differs"],
        "not_replayable": tally["not_replayable"],
    }


def _in_words(tally: Counter[str]) -> str:
    return (
        f"{tally.total()} decisions: {tally['same']} come out the same,"
        f" {tally['differs']} otherwise, {tally['not_replayable']} not replayable"
        " (no grounds or no policy in the journal)"
    )
