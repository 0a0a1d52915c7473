"""A checkpoint in, a network file for onnxruntime out."""

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from training import checkpoint
from training.config import Config
from training.model import Reader, Shares

_OPSET = 17
_CLOSE = 1e-4
"""Largest difference of a share between torch and onnxruntime."""


def export(
    config: Config,
    work: Path,
    target: Path,
    temperature: float = 1.0,
    earlier: tuple[Path, float] | None = None,
) -> None:
    """Writes the averaged weights to `target`, mixed with a share of those of an earlier run that
    this one went on from; raises `ValueError` without a checkpoint, or when onnxruntime does not
    say what torch says.
    """
    weights = average(work)
    if earlier is not None:
        folder, share = earlier
        old = average(folder)
        weights = {
            name: torch.lerp(one, old[name], share) if one.is_floating_point() else one
            for name, one in weights.items()
        }
    reader = Reader(config.model.channels)
    reader.load_state_dict(weights)
    shares = Shares(reader, temperature).eval()
    given = torch.randn(2, 3, 48, 160, generator=torch.Generator().manual_seed(1))
    axes = {"picture": {0: "n"}, "shares": {0: "n"}}
    write(shares, given, target, axes, _CLOSE)


def write(
    network: nn.Module, given: Tensor, target: Path, axes: dict[str, dict[int, str]], close: float
) -> None:
    """The network as a file, with the names and free `axes` of its input and output; raises
    `ValueError` when onnxruntime says of `given` something else than torch, by more than `close`.
    """
    names = list(axes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the other exporter needs onnxscript
        torch.onnx.export(
            network,
            (given[:1],),
            str(target),
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = network(given).numpy()
    (told,) = session.run(None, {names[0]: given.numpy()})
    if not np.allclose(told, wanted, atol=close):
        raise ValueError(f"{target}: onnxruntime says something else than torch")


def average(work: Path) -> dict[str, Tensor]:
    """The averaged weights in a work folder; raises `ValueError` without a checkpoint."""
    state = checkpoint.read(work)
    if state is None:
        raise ValueError(f"{work}: holds no checkpoint")
    weights: dict[str, Tensor] = state["average"]
    return weights
