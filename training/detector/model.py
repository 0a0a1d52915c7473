"""The network: a picture in, four corners, a score and a number of rows for each place out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.config import DetectorModel

STEPS = (8, 16, 32)
"""Pixels between two places of each level."""

REACH = 4.0
"""Steps that a prediction of 1 moves a corner away from its place."""

NUMBERS = 11
"""Told of each place: whether it is a plate's, x and y of four corners, one row or two."""


class Finder(nn.Module):
    """(N, 3, H, W) of 0..1, R G B, in; (N, 11, H / step, W / step) for each level out."""

    def __init__(self, told: DetectorModel) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth, last = told.channels
        head = told.head
        self.stem = nn.Sequential(
            conv(3, half, 3, 2), Apart(half, quarter, 2), Residual(quarter, 3)
        )
        self.eighth = nn.Sequential(Apart(quarter, eighth, 2), *_residuals(eighth, 2, 3))
        self.sixteenth = nn.Sequential(Apart(eighth, sixteenth, 2), *_residuals(sixteenth, 3, 5))
        self.last = nn.Sequential(Apart(sixteenth, last, 2), *_residuals(last, 2, 5))
        self.across = nn.ModuleList(
            nn.Conv2d(channels, head, 1) for channels in (eighth, sixteenth, last)
        )
        self.heads = nn.ModuleList(
            nn.Sequential(Residual(head, 3), Residual(head, 5), nn.Conv2d(head, NUMBERS, 1))
            for _ in STEPS
        )
        for one in self.heads:
            one[-1].bias.data[0] = -4.6  # a hundredth of the places, at first

    def forward(self, given: Tensor) -> list[Tensor]:
        """See the class."""
        fine = self.eighth(self.stem(given))
        middle = self.sixteenth(fine)
        coarse = self.across[2](self.last(middle))
        middle = self.across[1](middle) + functional.interpolate(coarse, scale_factor=2.0)
        fine = self.across[0](fine) + functional.interpolate(middle, scale_factor=2.0)
        return [head(level) for head, level in zip(self.heads, (fine, middle, coarse), strict=True)]


class Rows(nn.Module):
    """The finder as it is shipped, in HyperLPR3's contract: (1, places, 15)."""

    def __init__(self, finder: Finder) -> None:
        super().__init__()
        self.finder = finder

    def forward(self, given: Tensor) -> Tensor:
        """Box (centre, width, height), score, corners, and the shares of one row and of two."""
        return torch.cat(
            [_rows(level, step) for level, step in zip(self.finder(given), STEPS, strict=True)],
            dim=1,
        )


def _rows(level: Tensor, step: int) -> Tensor:
    score, corners, rows = level[:, :1].sigmoid(), level[:, 1:9], level[:, 9:].softmax(dim=1)
    ones = torch.ones_like(score)
    x, y = ((ones.cumsum(dim=side) - 0.5) * step for side in (3, 2))
    points = corners * (REACH * step) + torch.cat([x, y] * 4, dim=1)
    across, down = points[:, 0::2], points[:, 1::2]
    left, right = across.amin(dim=1, keepdim=True), across.amax(dim=1, keepdim=True)
    top, bottom = down.amin(dim=1, keepdim=True), down.amax(dim=1, keepdim=True)
    box = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
    return torch.cat([*box, score, points, rows], dim=1).flatten(2).transpose(1, 2)


class Apart(nn.Sequential):
    """Space first, channels then."""

    def __init__(self, given: int, made: int, stride: int) -> None:
        super().__init__(
            conv(given, given, 3, stride, groups=given, active=False), conv(given, made, 1)
        )


class Residual(nn.Module):
    """Space and channels one after the other, and what went into them."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.step = nn.Sequential(
            conv(channels, channels, size, groups=channels, active=False),
            conv(channels, channels, 1),
        )

    def forward(self, given: Tensor) -> Tensor:
        """Same shape in and out."""
        told: Tensor = given + self.step(given)
        return told


def _residuals(channels: int, count: int, size: int) -> Sequence[nn.Module]:
    return [Residual(channels, size) for _ in range(count)]


def conv(
    given: int, made: int, size: int, stride: int = 1, *, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """A convolution and its normalisation, and a ReLU if it is `active`."""
    parts: list[nn.Module] = [
        nn.Conv2d(given, made, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(made),
    ]
    return nn.Sequential(*parts, *([nn.ReLU()] if active else []))
