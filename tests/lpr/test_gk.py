"""Our own recogniser, in the engine that runs every set."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from gatekeeper import networks
from gatekeeper.lpr import Recogniser, open_recogniser
from gatekeeper.lpr.beam import plates
from gatekeeper.lpr.colour import ground as by_pixels
from gatekeeper.lpr.grammar import Grammar
from gatekeeper.lpr.session import Network, open_network
from gatekeeper.lpr.strip import StripReader
from gatekeeper.model import PROVINCES, Colour, Pixels
from gatekeeper.rules.plate import GRAMMAR
from simulators.plate import Ground, draw
from training.alphabet import ALPHABET
from training.classifier.samples import CLASSES
from training.evaluate import SURE

MOST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def found() -> networks.NetworkSet:
    return networks.find("gk")


@pytest.fixture(scope="module")
def ours() -> Recogniser:
    return open_recogniser("gk", threads=1, patterns=tuple(GRAMMAR.values()))


@pytest.fixture(scope="module")
def network(found: networks.NetworkSet) -> Network:
    return open_network(found.content("gk_rec.onnx"), "gk_rec.onnx", 1)


def test_it_writes_every_province_and_every_special_character(found: networks.NetworkSet) -> None:
    alphabet = found.alphabet()

    assert set(alphabet) >= {*PROVINCES, *"警学挂港澳使领民航应急试超O"}
    assert alphabet == tuple(ALPHABET)


def test_it_is_small(found: networks.NetworkSet) -> None:
    assert len(found.content("gk_rec.onnx")) <= MOST_BYTES


@pytest.mark.parametrize("count", [1, 3])
def test_it_keeps_hyperlpr3s_contract(network: Network, count: int) -> None:
    (shares,) = network(np.zeros((count, 3, 48, 160), np.float32))

    assert shares.shape == (count, 40, 1 + len(ALPHABET))
    assert shares.sum(axis=2) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("京A12345", Ground.BLUE),
        ("藏B7K290", Ground.BLUE),
        ("琼C88886", Ground.YELLOW),
        ("沪AD05566", Ground.GREEN),
        ("宁A1234警", Ground.WHITE),
        ("粤Z1234港", Ground.BLACK),
        ("新A1234学", Ground.YELLOW),
    ],
)
def test_a_drawn_plate_is_read(ours: Recogniser, text: str, ground: Ground) -> None:
    (read,) = ours.read(draw(text, ground), crop=True)

    assert read.text == text


def test_a_car_on_a_street_is_read(
    ours: Recogniser, street: Callable[[str, Ground], Pixels]
) -> None:
    assert [read.text for read in ours.read(street("鲁B2K871", Ground.BLUE))] == ["鲁B2K871"]


COLOURS = [
    ("闽C12F57", Ground.BLUE, Colour.BLUE, "ordinary"),
    ("粤B12345", Ground.YELLOW, Colour.YELLOW, ""),
    ("沪AD12345", Ground.GREEN, Colour.GREEN, "new_energy_small"),
    ("京A1234警", Ground.WHITE, Colour.WHITE, "police"),
    ("粤Z1234港", Ground.BLACK, Colour.BLACK, ""),
]


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (0.35, 0.35, 0.35), (1.0, 0.8, 0.75)])
@pytest.mark.parametrize(("text", "ground", "colour", "kind"), COLOURS)
def test_colour_and_kind_are_told_in_any_light(
    ours: Recogniser,
    text: str,
    ground: Ground,
    colour: Colour,
    kind: str,
    light: tuple[float, ...],
) -> None:
    small = cv2.resize(draw(text, ground), (110, 34), interpolation=cv2.INTER_AREA)

    (read,) = ours.read(np.asarray(small * np.array(light), np.uint8), crop=True)

    assert (read.colour, read.kind) == (colour, kind)


def test_a_white_plate_in_blue_light_is_white_though_its_pixels_are_blue(ours: Recogniser) -> None:
    small = cv2.resize(draw("京A1234警", Ground.WHITE), (110, 34), interpolation=cv2.INTER_AREA)
    plate = np.asarray(small * np.array([1.0, 0.8, 0.75]), np.uint8)

    (read,) = ours.read(plate, crop=True)

    assert by_pixels(plate) is Colour.BLUE
    assert read.colour is Colour.WHITE


def test_its_manifest_names_the_outputs_of_the_classifier_in_the_order_of_training(
    found: networks.NetworkSet,
) -> None:
    told = found.manifest.classifier

    assert told is not None
    assert len(told.classes) == len(CLASSES)
    for one, (colour, kind) in zip(told.classes, CLASSES, strict=True):
        assert one.colour is colour
        assert one.kind in ("", kind)


def test_the_beam_reads_what_it_says(network: Network) -> None:
    strip = np.ascontiguousarray(draw("甘H30517", Ground.BLUE))
    small = cv2.resize(strip, (160, 48), interpolation=cv2.INTER_AREA)
    planes = (small.transpose(2, 0, 1)[None].astype(np.float32) - 127.5) / 127.5

    told = plates(network(planes)[0][0], ALPHABET, Grammar(GRAMMAR.values()))

    assert told.plate is not None
    assert told.plate.text == "甘H30517"
    assert told.margin > 0.9


def test_its_manifest_says_what_a_confidence_is_worth_and_makes_nothing_sure(
    found: networks.NetworkSet, network: Network
) -> None:
    told = found.manifest
    bare, strips = (
        StripReader(network, told.recogniser, found.alphabet(), calibration)
        for calibration in (None, told.calibration)
    )
    strip = cv2.GaussianBlur(draw("甘H30517", Ground.BLUE), (0, 0), 25)
    given, worth = (
        np.array(each.read(np.asarray(strip, np.uint8)).confidences) for each in (bare, strips)
    )

    assert given.min() < SURE
    assert (worth[given < 0.9] > given[given < 0.9]).all()
    said, right = zip(*told.calibration.points, strict=True)
    every = np.linspace(0, 1, 1001)
    assert ((np.interp(every, said, right) >= SURE) == (every >= SURE)).all()
    assert told.thresholds.convincing == pytest.approx(float(np.interp(0.6, said, right)), abs=0.01)
    assert told.certain > SURE


def test_its_manifest_tells_what_it_takes_for_what(found: networks.NetworkSet) -> None:
    told = found.manifest.confusions

    assert told["D"]["0"] > 0
    assert set(told) <= set(found.alphabet())
    assert all(
        true not in seen and set(seen) <= set(found.alphabet()) for true, seen in told.items()
    )
