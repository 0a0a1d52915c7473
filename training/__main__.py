"""Trains, exports and measures the plate recogniser.

python -m training train CONFIG --work FOLDER              goes on from the last checkpoint
python -m training export CONFIG --work FOLDER NETWORK     writes the averaged weights
python -m training evaluate CONFIG --work FOLDER NETWORK   measures on the half held out
python -m training calibrate CONFIG --work FOLDER NETWORK  what its confidences are worth
python -m training agree CONFIG --work FOLDER NETWORK      labels scenes that have no labels
python -m training card CONFIG --work FOLDER FIGURES NOTES the model card, from the figures
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from training import config as configs
from training.commands import parser, run
from training.config import Config


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 not."""
    return run(_options().parse_args(arguments), configs.load, _COMMANDS)


def _options() -> argparse.ArgumentParser:
    options, each = parser("training", __doc__, list(_COMMANDS))
    for name, one in each.items():
        if name not in ("train", "card"):
            one.add_argument("network", type=Path)
    each["card"].add_argument("figures", type=Path, help="what evaluate --json printed")
    each["card"].add_argument("notes", type=Path, help="known weaknesses, in words")
    one = each["export"]
    one.add_argument("--temperature", type=float, default=1.0)
    one.add_argument("--mix", type=Path, help="work folder of an earlier run, mixed in")
    one.add_argument("--share", type=float, default=0.3, help="of the earlier run's weights")
    one = each["evaluate"]
    one.add_argument("--json", action="store_true")
    one.add_argument("--part", default="test", choices=("test", "calibration"))
    one.add_argument("--rendered", type=int, default=120, help="plates of each kind")
    one.add_argument("--compare", nargs="*", default=[], help="sets of networks, as well")
    one = each["calibrate"]
    one.add_argument("--rendered", type=int, default=12_000, help="plates, besides the real")
    one.add_argument("--plot", type=Path)
    one.add_argument("--manifest", type=Path, help="tables for the set's manifest go there")
    one.add_argument("--figures", type=Path, help="what evaluate --json printed, for them")
    return options


def _train(config: Config, data: Path, told: argparse.Namespace) -> None:
    from training.train import train  # torch is needed here alone

    train(config, data, told.work)


def _export(config: Config, _data: Path, told: argparse.Namespace) -> None:
    from training.export import export

    earlier = (told.mix, told.share) if told.mix else None
    export(config, told.work, told.network, told.temperature, earlier)


def _evaluate(config: Config, data: Path, told: argparse.Namespace) -> None:
    from training import evaluate
    from training.split import Part

    figures = evaluate.evaluate(
        config,
        data,
        told.work,
        told.network,
        Part(told.part),
        told.rendered,
        told.compare,
    )
    print(evaluate.written(figures) if told.json else evaluate.table(figures))


def _calibrate(config: Config, data: Path, told: argparse.Namespace) -> None:
    from training.calibrate import Files, calibrate

    files = Files(plot=told.plot, manifest=told.manifest, figures=told.figures)
    print(calibrate(config, data, told.work, told.network, told.rendered, files))


def _card(config: Config, _data: Path, told: argparse.Namespace) -> None:
    from training.card import card

    figures = json.loads(told.figures.read_text(encoding="utf-8"))
    print(card(config, figures, told.notes.read_text(encoding="utf-8")), end="")


def _agree(config: Config, data: Path, told: argparse.Namespace) -> None:
    from training.agreed import agree

    print(agree(config, data, told.work, told.network))


_COMMANDS = {
    "train": _train,
    "export": _export,
    "evaluate": _evaluate,
    "calibrate": _calibrate,
    "agree": _agree,
    "card": _card,
}

if __name__ == "__main__":
    raise SystemExit(main())
