"""Trains, exports and measures the plate detector.

python -m training.detector train CONFIG --work FOLDER             goes on from the last checkpoint
python -m training.detector export CONFIG --work FOLDER NETWORK    writes the averaged weights
python -m training.detector evaluate CONFIG --work FOLDER NETWORK  measures on the scenes held out
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from training.commands import parser, run
from training.config import DetectorConfig, load_detector


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 not."""
    return run(_options().parse_args(arguments), load_detector, _COMMANDS)


def _options() -> argparse.ArgumentParser:
    options, each = parser("training.detector", __doc__, list(_COMMANDS))
    for name in ("export", "evaluate"):
        each[name].add_argument("network", type=Path)
    each["export"].add_argument("--square", type=int, help="a side, for hyperlpr3's own classes")
    one = each["evaluate"]
    one.add_argument("--part", default="test", choices=("test", "calibration"))
    one.add_argument("--side", type=int, default=640, help="longest side of the input")
    one.add_argument("--least", type=float, default=0.6, help="score from which it is a plate")
    one.add_argument("--compare", nargs="*", default=[], help="sets of networks, as well")
    return options


def _train(config: DetectorConfig, data: Path, told: argparse.Namespace) -> None:
    from training.detector.train import train  # torch is needed here alone

    train(config, data, told.work)


def _export(config: DetectorConfig, _data: Path, told: argparse.Namespace) -> None:
    from training.detector.export import export

    export(config, told.work, told.network, told.square)


def _evaluate(config: DetectorConfig, data: Path, told: argparse.Namespace) -> None:
    from training.detector.evaluate import Ours, evaluate
    from training.split import Part

    ours = Ours(path=told.network, side=told.side, least=told.least)
    print(evaluate(config, data, told.work, ours, Part(told.part), told.compare))


_COMMANDS = {"train": _train, "export": _export, "evaluate": _evaluate}

if __name__ == "__main__":
    raise SystemExit(main())
