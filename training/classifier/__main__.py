"""Trains, exports and measures the network for colour and kind.

python -m training.classifier train CONFIG --work FOLDER          goes on from its checkpoint
python -m training.classifier export CONFIG --work FOLDER NETWORK  writes the averaged weights
python -m training.classifier evaluate CONFIG --work FOLDER NETWORK  measures on plates held out
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from training.commands import parser, run
from training.config import ClassifierConfig, load_classifier


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 not."""
    return run(_options().parse_args(arguments), load_classifier, _COMMANDS)


def _options() -> argparse.ArgumentParser:
    options, each = parser("training.classifier", __doc__, list(_COMMANDS))
    for name in ("export", "evaluate"):
        each[name].add_argument("network", type=Path)
    each["evaluate"].add_argument("--rendered", type=int, default=100, help="plates of each kind")
    return options


def _train(config: ClassifierConfig, data: Path, told: argparse.Namespace) -> None:
    from training.classifier.train import train  # torch is needed here alone

    train(config, data, told.work)


def _export(config: ClassifierConfig, _data: Path, told: argparse.Namespace) -> None:
    from training.classifier.train import export

    export(config, told.work, told.network)


def _evaluate(config: ClassifierConfig, data: Path, told: argparse.Namespace) -> None:
    from training.classifier.evaluate import evaluate

    print(evaluate(config, data, told.work, told.network, told.rendered))


_COMMANDS = {"train": _train, "export": _export, "evaluate": _evaluate}

if __name__ == "__main__":
    raise SystemExit(main())
