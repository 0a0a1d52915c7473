"""The network: a picture of a plate in, a share for each character at each of 40 instants out."""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.alphabet import CLASSES


class Residual(nn.Module):
    """Two convolutions and what went into them."""

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.first = _step(channels, channels, kernel)
        self.second = _step(channels, channels, kernel, active=False)

    def forward(self, given: Tensor) -> Tensor:
        """Same shape in and out."""
        return functional.relu(given + self.second(self.first(given)))


class Reader(nn.Module):
    """(N, 3, 48, 160) of -1..1, B G R, in; logits (N, 40, classes) out."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        first, second, third, last = channels
        self.body = nn.Sequential(
            OrderedDict(
                stem=_step(3, first, (3, 3), (2, 2)),
                down=_step(first, second, (3, 3), (2, 2)),
                strokes=Residual(second, (3, 3)),
                flat=_step(second, third, (3, 3), (2, 1)),
                shapes=Residual(third, (3, 3)),
                column=_step(third, last, (6, 1), pad=(0, 0)),
                near=Residual(last, (1, 5)),
                nearer=Residual(last, (1, 3)),
                drop=nn.Dropout(0.05),
                told=nn.Conv2d(last, CLASSES, 1),
            )
        )

    def forward(self, given: Tensor) -> Tensor:
        """See the class."""
        told: Tensor = self.body(given)
        return told.squeeze(2).transpose(1, 2)


class Shares(nn.Module):
    """The reader as it is shipped: shares of 1 in place of logits, sharpened or softened by a
    temperature that calibration chose.
    """

    def __init__(self, reader: Reader, temperature: float) -> None:
        super().__init__()
        self.reader = reader
        self.temperature = temperature

    def forward(self, given: Tensor) -> Tensor:
        """(N, 40, classes), each instant's sum is 1."""
        return torch.softmax(self.reader(given) / self.temperature, dim=2)


def _step(
    given: int,
    made: int,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    pad: tuple[int, int] | None = None,
    *,
    active: bool = True,
) -> nn.Sequential:
    around = (kernel[0] // 2, kernel[1] // 2) if pad is None else pad
    parts: list[nn.Module] = [
        nn.Conv2d(given, made, kernel, stride, around, bias=False),
        nn.BatchNorm2d(made),
    ]
    return nn.Sequential(*parts, *([nn.ReLU()] if active else []))
