"""The network: an upright plate in, a share for each colour and kind out."""

import torch
from torch import Tensor, nn

from gatekeeper.lpr.classify import SIDE
from training.classifier.samples import CLASSES
from training.detector.model import Apart, Residual, conv


class Sorter(nn.Module):
    """(N, 3, 96, 96) of 0..1, B G R, in; logits (N, classes) out."""

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        first, second, third, last = channels
        self.body = nn.Sequential(
            conv(3, first, 3, 2),
            Apart(first, second, 2),
            Apart(second, third, 2),
            Apart(third, last, 2),
            Residual(last, 3),
            conv(last, third, 1),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(third * (SIDE // 16) ** 2, len(CLASSES)),
        )

    def forward(self, given: Tensor) -> Tensor:
        """See the class."""
        told: Tensor = self.body(given)
        return told


class Shares(nn.Module):
    """The sorter as it is shipped: shares of 1 in place of logits."""

    def __init__(self, sorter: Sorter) -> None:
        super().__init__()
        self.sorter = sorter

    def forward(self, given: Tensor) -> Tensor:
        """(N, classes)."""
        return torch.softmax(self.sorter(given), dim=1)
