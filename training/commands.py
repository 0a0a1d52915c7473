"""What the command lines of all training here have in common."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from training.config import Run

AnyRun = TypeVar("AnyRun", bound=Run)


def parser(
    name: str, told: str | None, commands: Sequence[str]
) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """A parser with these commands, each with a config, `--data` and `--work`; and theirs."""
    options = argparse.ArgumentParser(
        prog=f"python -m {name}",
        description=told,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    work = os.environ.get("GATEKEEPER_TRAINING")
    adding = options.add_subparsers(dest="command", required=True)
    each = {command: adding.add_parser(command) for command in commands}
    for one in each.values():
        one.add_argument("config", type=Path)
        one.add_argument("--data", type=Path, help="the pictures, in place of the config's")
        one.add_argument(
            "--work",
            type=Path,
            default=Path(work) if work else None,
            required=not work,
            help="where checkpoints and logs are (or $GATEKEEPER_TRAINING)",
        )
    return options, each


def run(
    told: argparse.Namespace,
    load: Callable[[Path], AnyRun],
    commands: Mapping[str, Callable[[AnyRun, Path, argparse.Namespace], None]],
) -> int:
    """The exit code: 0 done, 1 not."""
    config = load(told.config)
    told.work.mkdir(parents=True, exist_ok=True)
    try:
        commands[told.command](config, told.data or Path(config.data), told)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"training: {error}\n")
        return 1
    return 0
