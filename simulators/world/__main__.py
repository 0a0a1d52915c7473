"""`python -m simulators.world`: the world alone, with a gate that opens for everybody."""

import argparse
import json
import sys
import time

from simulators.world.figures import Figures, figures
from simulators.world.open_gate import OpenGate
from simulators.world.plan import Plan
from simulators.world.world import World


def main() -> None:
    """Run it, and print what happened."""
    asked = _parser().parse_args()
    plan = Plan(leaving_per_hour=asked.leaving_per_hour)
    started = time.perf_counter()
    truth = World(plan, asked.seed).run(OpenGate(), asked.days, _show)
    seconds = time.perf_counter() - started
    told: Figures = {
        **figures(truth, asked.days),
        "seconds": round(seconds, 2),
        "ms_per_journey": round(1_000 * seconds / max(1, truth.journeys), 3),
    }
    print(file=sys.stderr)
    print(json.dumps(told) if asked.json else _table(told))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators.world", description=__doc__)
    parser.add_argument("--days", type=float, default=7.0, help="how long, from a Monday on")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world")
    parser.add_argument(
        "--leaving-per-hour",
        type=float,
        default=Plan().leaving_per_hour,
        help="cars that leave the visitor zone in an hour of a weekday (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser


def _show(days: float) -> None:
    if days % 1 < 1e-6:
        print(f"\rday {days:.0f}", end="", file=sys.stderr, flush=True)


def _table(told: Figures) -> str:
    return "\n".join(f"{name:>18}  {_words(value)}" for name, value in told.items())


def _words(value: float | dict[str, int]) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{word} {count}" for word, count in sorted(value.items()))
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
