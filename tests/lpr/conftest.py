"""The real networks, and streets drawn for them; and toys in HyperLPR3's contract, with the names
and shapes of its official networks, which read stripes of different brightness as characters.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import helper, numpy_helper

from gatekeeper.lpr import Recogniser, open_recogniser
from gatekeeper.model import Pixels
from gatekeeper.networks import NetworkSet, find
from simulators.plate import Ground
from simulators.scene import Camera, road, with_car


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    return open_recogniser("clp", threads=1)


@pytest.fixture(scope="session")
def street() -> Callable[[str, Ground], Pixels]:
    """A frame of 1280 x 720 with a car that bears this plate, as a camera sees it."""

    def drawn(text: str, ground: Ground = Ground.BLUE) -> Pixels:
        return Camera(seed=5).frame(with_car(road(seed=3), text, ground))

    return drawn


@pytest.fixture(scope="session")
def empty_road() -> Pixels:
    return np.ascontiguousarray(Camera(seed=5).frame(road(seed=3)))


STRIPE = 8
"""Pixels of a toy plate that one character is wide, and the gap behind it."""

LEVELS = dict(zip("京沪ABC12345", (20, 36, 52, 68, 84, 150, 170, 190, 210, 230), strict=True))
"""Brightness of the green channel, of 255, by which a toy plate writes a character; its gaps are
of 127.5, the level of the padding."""

TOY_ALPHABET = "".join(LEVELS)


def toy_plate(text: str, height: int = 48, *, blue: int = 255, red: int = 0) -> Pixels:
    """160 pixels wide, with stripes for characters; blue and red are its colour."""
    plate = np.full((height, 160, 3), (blue, 127, red), np.uint8)
    for place, character in enumerate(text):
        left = place * 2 * STRIPE
        plate[:, left : left + STRIPE, 1] = LEVELS[character]
    return plate


def toy_recogniser() -> onnx.ModelProto:
    """(N, 3, 48, 160) -> (N, 40, 11): at each instant the level that is nearest."""
    levels = np.array([127.5, *LEVELS.values()], np.float32) / 127.5 - 1
    weights = np.zeros((len(levels), 3, 1, 1), np.float32)
    weights[:, 1, 0, 0] = 2 * 300 * levels
    return made(
        ("n", 3, 48, 160),
        ("n", 40, len(levels)),
        {"weights": weights, "bias": -300 * levels**2},
        [
            helper.make_node(
                "AveragePool", ["given"], ["means"], kernel_shape=[48, 4], strides=[48, 4]
            ),
            helper.make_node("Conv", ["means", "weights", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["shares"], axis=1),
            helper.make_node("Squeeze", ["shares", "axis"], ["flat"]),
            helper.make_node("Transpose", ["flat"], ["told"], perm=[0, 2, 1]),
        ],
    )


def toy_detector(side: int, *rows: Sequence[float], square: bool = True) -> onnx.ModelProto:
    """(1, 3, S, S), or any size, -> (1, N, 15) as large as the official one's: these rows, and
    zeros; nothing where the picture is black.
    """
    count = {320: 6300, 640: 25200}[side]
    constant = np.zeros((1, count, 15), np.float32)
    constant[0, : len(rows)] = np.array(rows, np.float32).reshape(-1, 15)
    return made(
        (1, 3, side, side) if square else (1, 3, "height", "width"),
        (1, count, 15),
        {"rows": constant, "many": np.array(1e6, np.float32), "one": np.array(1.0, np.float32)},
        [
            helper.make_node("ReduceMax", ["given"], ["brightest"], keepdims=0),
            helper.make_node("Mul", ["brightest", "many"], ["lit"]),
            helper.make_node("Min", ["lit", "one"], ["gate"]),
            helper.make_node("Mul", ["rows", "gate"], ["told"]),
        ],
    )


def toy_classifier() -> onnx.ModelProto:
    """(1, 3, 96, 96) -> (1, 3): blue where blue is more than red, yellow where less, or green."""
    weights = np.zeros((3, 3, 1, 1), np.float32)
    weights[0, [0, 2], 0, 0] = 1, -1
    weights[2, [0, 2], 0, 0] = -1, 1
    return made(
        (1, 3, 96, 96),
        (1, 3),
        {"weights": weights, "bias": np.array([0, 0.05, 0], np.float32)},
        [
            helper.make_node("GlobalAveragePool", ["given"], ["means"]),
            helper.make_node("Conv", ["means", "weights", "bias"], ["logits"]),
            helper.make_node("Flatten", ["logits"], ["told"]),
        ],
    )


def made(
    given: Sequence[int | str],
    told: Sequence[int | str],
    constants: Mapping[str, npt.NDArray[np.float32]],
    nodes: Sequence[onnx.NodeProto],
) -> onnx.ModelProto:
    """A network from `given` to `told`, of an age that every runtime knows."""
    known = dict(constants) | {"axis": np.array([2], np.int64)}
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("given", onnx.TensorProto.FLOAT, given)],
        [helper.make_tensor_value_info("told", onnx.TensorProto.FLOAT, told)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in known.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def row_of(
    left: float, top: float, width: float, height: float, sure: float = 0.9, rows: int = 1
) -> list[float]:
    """What the detector says of one plate, in pixels of its input."""
    right, bottom = left + width, top + height
    return [
        *(left + width / 2, top + height / 2, width, height, sure),
        *(left, top, right, top, right, bottom, left, bottom),
        *(1.0 if rows == 1 else 0.0, 1.0 if rows == 2 else 0.0),
    ]


class Toys:
    """Makes sets of toy networks in HyperLPR3's contract."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def made(
        self,
        name: str,
        *rows: Sequence[float],
        side: int = 320,
        square: bool = True,
        more: str = "",
        fit: str = "pad",
    ) -> NetworkSet:
        """A set whose detector sees plates where `rows` say; `more` are lines of its manifest."""
        place = self.folder / name
        place.mkdir(parents=True)
        models = {
            f"y5fu_{side}x_sim.onnx": toy_detector(side, *rows, square=square),
            "rpv3_mdict_160_r3.onnx": toy_recogniser(),
            "litemodel_cls_96x_r1.onnx": toy_classifier(),
        }
        files = {file: model.SerializeToString() for file, model in models.items()}
        files["alphabet.txt"] = "\n".join(TOY_ALPHABET).encode()
        for file, data in files.items():
            (place / file).write_bytes(data)
        sums = "\n".join(f'"{file}" = "{sha256(data).hexdigest()}"' for file, data in files.items())
        text = TOY_MANIFEST.format(
            name=name, side=side, square=str(square).lower(), sums=sums, more=more, fit=fit
        )
        (place / "manifest.toml").write_text(text, encoding="utf-8")
        return find(name, self.folder)


TOY_MANIFEST = """
name = "{name}"
version = "1"
licence = "none"
origin = "drawn by a test"
certain = 0.99
[files]
{sums}
[detector]
contract = "hyperlpr3"
file = "y5fu_{side}x_sim.onnx"
side = {side}
square = {square}
[recogniser]
contract = "hyperlpr3"
file = "rpv3_mdict_160_r3.onnx"
alphabet = "alphabet.txt"
fit = "{fit}"
[classifier]
contract = "hyperlpr3"
file = "litemodel_cls_96x_r1.onnx"
classes = [
    {{ colour = "blue" }}, {{ colour = "green", kind = "new_energy" }}, {{ colour = "yellow" }},
]
{more}
"""


@pytest.fixture(name="toy_plate")
def _toy_plate() -> Callable[..., Pixels]:
    return toy_plate


@pytest.fixture(name="row_of")
def _row_of() -> Callable[..., list[float]]:
    return row_of


@pytest.fixture
def toys(tmp_path: Path) -> Toys:
    return Toys(tmp_path / "sets")
