"""Both engines, on sets of HyperLPR3's contract."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gatekeeper.errors import NetworkSetError, PictureError
from gatekeeper.lpr import EngineName, ReadingThread, recogniser_of, rectify
from gatekeeper.lpr.detect import Found
from gatekeeper.lpr.hyperlpr import HyperlprEngine
from gatekeeper.model import Colour, Frame, Pixels
from gatekeeper.networks import NetworkSet, find
from simulators.plate import Ground, draw

Street = Callable[[str, Ground], Pixels]
Plate = Callable[..., Pixels]
Row = Callable[..., list[float]]
Toys = Any

ENGINES: tuple[EngineName, ...] = ("own", "hyperlpr3")


def on_grey(*placed: tuple[Pixels, int, int], size: tuple[int, int] = (320, 320)) -> Pixels:
    """A grey picture with plates at their x and y."""
    pixels = np.full((*size, 3), 90, np.uint8)
    for plate, left, top in placed:
        pixels[top : top + plate.shape[0], left : left + plate.shape[1]] = plate
    return pixels


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plate_is_read_with_all_that_the_port_promises(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName
) -> None:
    found = toys.made("toy", row_of(40, 100, 160, 48))

    (read,) = recogniser_of(found, 1, engine).read(on_grey((toy_plate("京A12345"), 40, 100)))

    assert (read.text, read.colour, read.kind, read.rows) == ("京A12345", Colour.BLUE, "", 1)
    assert len(read.confidences) == len(read.others) == 7
    assert all(0.9 < confidence <= 1 for confidence in read.confidences)
    assert read.others[1] in "B京沪C"
    assert np.allclose(read.corners, [(40, 100), (200, 100), (200, 148), (40, 148)], atol=0.01)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_rows_of_a_two_row_plate_are_one_text(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName
) -> None:
    found = toys.made("toy", row_of(40, 100, 160, 80, rows=2))
    upper, lower = toy_plate("沪B", 32), toy_plate("54321", 48)

    (read,) = recogniser_of(found, 1, engine).read(on_grey((upper, 40, 100), (lower, 40, 132)))

    assert (read.text, read.rows) == ("沪B54321", 2)
    assert len(read.confidences) == 7


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("blue", "red", "colour", "kind"),
    [
        (255, 0, Colour.BLUE, ""),
        (0, 255, Colour.YELLOW, ""),
        (90, 90, Colour.GREEN, "new_energy"),
    ],
)
def test_colour_and_kind_are_told_by_the_network_not_by_the_length_of_the_text(
    toys: Toys,
    toy_plate: Plate,
    row_of: Row,
    engine: EngineName,
    blue: int,
    red: int,
    colour: Colour,
    kind: str,
) -> None:
    found = toys.made("toy", row_of(40, 100, 160, 48))
    plate = toy_plate("京A123451", blue=blue, red=red)

    (read,) = recogniser_of(found, 1, engine).read(on_grey((plate, 40, 100)))

    assert (read.text, read.colour, read.kind) == ("京A123451", colour, kind)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_faint_character_is_not_hidden_by_the_others(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName
) -> None:
    """hyperlpr3's own confidence is their mean (HyperLPR #262)."""
    found = toys.made("toy", row_of(40, 100, 160, 48))
    plate = toy_plate("京A12345")
    plate[:, 64:72, 1] = (190 + 210) // 2 - 1

    (read,) = recogniser_of(found, 1, engine).read(on_grey((plate, 40, 100)))

    assert (read.text, read.others[4]) == ("京A12345", "4")
    assert read.confidence == read.confidences[4] < 0.75
    assert np.mean(read.confidences) > 0.9


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("least", "count"), [(0.3, 2), (0.5, 1), (0.95, 0)])
def test_thresholds_of_the_set_are_honoured(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName, least: float, count: int
) -> None:
    """hyperlpr3 ignores those that its detector is given."""
    rows = row_of(40, 40, 160, 48), row_of(40, 200, 160, 48, sure=0.4)
    found = toys.made("toy", *rows, more=f"[thresholds]\nleast_score = {least}")
    picture = on_grey((toy_plate("京A12345"), 40, 40), (toy_plate("沪B54321"), 40, 200))

    assert len(recogniser_of(found, 1, engine).read(picture)) == count


@pytest.mark.parametrize(
    ("upper", "texts"),
    [("京A12345", {"京A12345"}), ("", {"沪B54321"})],
    ids=["a strong one convinces", "no strong one does"],
)
def test_a_faint_plate_is_read_where_no_stronger_one_convinces(
    toys: Toys, toy_plate: Plate, row_of: Row, upper: str, texts: set[str]
) -> None:
    rows = row_of(40, 40, 160, 48), row_of(40, 200, 160, 48, sure=0.4)
    found = toys.made("toy", *rows, more="[thresholds]\nleast_score = 0.3\nstrong_score = 0.6")
    picture = on_grey((toy_plate(upper), 40, 40), (toy_plate("沪B54321"), 40, 200))

    assert {read.text for read in recogniser_of(found, 1).read(picture)} == texts


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("least", "count"), [(0.4, 1), (0.5, 0)])
def test_a_score_is_what_is_there_times_what_it_is(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName, least: float, count: int
) -> None:
    row = row_of(40, 100, 160, 48)
    row[13] = 0.5
    found = toys.made("toy", row, more=f"[thresholds]\nleast_score = {least}")

    reads = recogniser_of(found, 1, engine).read(on_grey((toy_plate("京A12345"), 40, 100)))

    assert len(reads) == count


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("most", "count"), [(0.3, 1), (0.9, 2)])
def test_of_boxes_over_each_other_the_best_is_kept(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName, most: float, count: int
) -> None:
    rows = row_of(40, 100, 160, 48), row_of(40, 110, 160, 48, sure=0.8)
    found = toys.made("toy", *rows, more=f"[thresholds]\nmost_overlap = {most}")
    engine_ = recogniser_of(found, 1, engine)

    assert len(_found(engine_, on_grey((toy_plate("京A12345"), 40, 100)))) == count


def _found(engine: Any, picture: Pixels) -> list[Found]:
    """What the detector of an engine sees, before plates that lie on others fall away."""
    if isinstance(engine, HyperlprEngine):
        return engine._found(picture)
    found: list[Found] = engine._finder.find(picture, engine._sides[0])
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_picture_of_another_size_is_letterboxed_and_corners_are_its_own(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName
) -> None:
    """640 x 480 becomes 320 x 240 with 40 black lines above and below."""
    found = toys.made("toy", row_of(20, 90, 80, 24))
    picture = on_grey((toy_plate("京A12345"), 40, 100), size=(480, 640))

    (read,) = recogniser_of(found, 1, engine).read(picture)

    assert read.text == "京A12345"
    assert read.corners[0] == (40, 100)


def test_both_engines_read_the_same_texts_on_the_same_set(
    toys: Toys, toy_plate: Plate, row_of: Row
) -> None:
    places = [(0, 0), (150, 60), (10, 130), (140, 200)]
    found = toys.made("toy", *(row_of(left, top, 160, 48) for left, top in places))
    engines = [recogniser_of(found, 1, engine) for engine in ENGINES]
    chance = np.random.default_rng(7)
    for _ in range(12):
        texts = ["京" + "".join(chance.choice(list("ABC12345"), 6)) for _ in places]
        picture = on_grey(
            *((toy_plate(text), *place) for text, place in zip(texts, places, strict=True))
        )

        own, theirs = ({read.text for read in engine.read(picture)} for engine in engines)

        assert own == theirs == set(texts)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_detector_of_any_size_runs_in_both_engines(
    toys: Toys, toy_plate: Plate, row_of: Row, engine: EngineName
) -> None:
    found = toys.made("toy", row_of(40, 100, 160, 48), square=False)

    (read,) = recogniser_of(found, 1, engine).read(on_grey((toy_plate("京A12345"), 40, 100)))

    assert read.text == "京A12345"


def test_its_own_pipeline_takes_our_parts_and_reads_the_same(
    toys: Toys, toy_plate: Plate, row_of: Row
) -> None:
    found = toys.made("toy", row_of(40, 100, 160, 48))
    engine = recogniser_of(found, 1, "hyperlpr3")
    assert isinstance(engine, HyperlprEngine)
    from hyperlpr3.inference.pipeline import LPRMultiTaskPipeline

    parts = engine.parts
    pipeline = LPRMultiTaskPipeline(parts.detector, parts.recogniser, parts.classifier)
    picture = on_grey((toy_plate("京A12345"), 40, 100))

    assert [code for code, *_ in pipeline(picture)] == ["京A12345"]
    assert [read.text for read in engine.read(picture)] == ["京A12345"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_crop_is_one_plate(toys: Toys, toy_plate: Plate, engine: EngineName) -> None:
    (read,) = recogniser_of(toys.made("toy"), 1, engine).read(toy_plate("京A12345"), crop=True)

    assert read.text == "京A12345"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_a_narrow_crop_is_filled_up_or_stretched_as_the_set_says(
    toys: Toys, toy_plate: Plate, engine: EngineName, fit: str
) -> None:
    narrow = np.repeat(toy_plate("京A12345")[:, :128], 2, axis=0)  # half as wide for its height
    recogniser = recogniser_of(toys.made("toy", fit=fit), 1, engine)
    seen: list[int] = []

    def watched(run: Callable[..., Any]) -> Callable[..., Any]:
        """What a network is given, as its last argument."""

        def one(*given: Any) -> Any:
            columns = np.flatnonzero(np.abs(given[-1][0]).max(axis=(0, 1)) > 0.01)
            seen.append(int(columns.max()) + 1)
            return run(*given)

        return one

    if isinstance(recogniser, HyperlprEngine):
        theirs = recogniser.parts.recogniser
        theirs._run_session = watched(theirs._run_session)
    else:
        strips = recogniser._strips  # type: ignore[attr-defined]
        strips._network = watched(strips._network)
    recogniser.read(np.ascontiguousarray(narrow), crop=True)

    assert seen[0] == {"pad": 64, "stretch": 160}[fit]


@pytest.mark.parametrize(("more", "looks"), [("", 2), ('"\ntwo_rows = "joined', 1)])
def test_two_rows_are_read_one_by_one_or_side_by_side_as_the_set_says(
    toys: Toys, toy_plate: Plate, row_of: Row, more: str, looks: int
) -> None:
    found = toys.made("toy", row_of(40, 100, 160, 80, rows=2), fit=f"pad{more}")
    engine = recogniser_of(found, 1)
    seen: list[tuple[float, float]] = []
    network = engine._strips._network  # type: ignore[attr-defined] # what the network is given

    def watched(batch: Any) -> Any:
        green = batch[0, 1].mean(axis=0)
        seen.append((float(green[20:30].mean()), float(green[100:110].mean())))
        return network(batch)

    engine._strips._network = watched  # type: ignore[attr-defined]
    bright, dark = np.full((32, 160, 3), 230, np.uint8), np.full((48, 160, 3), 20, np.uint8)
    plate = on_grey((bright, 40, 100), (dark, 40, 132))
    engine._first(plate, engine._finder.find(plate, 320)[0], rectify.WHOLE)  # type: ignore[attr-defined]

    first, *others = seen
    assert len(seen) == looks
    assert first[0] > 0.7
    assert (first if looks == 1 else others[0])[1] < -0.7


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(8, 8), (8, 32_766), (32_766, 8), (9, 700), (31, 17)])
@pytest.mark.parametrize("crop", [False, True])
def test_no_shape_of_a_picture_is_too_odd(
    toys: Toys, row_of: Row, engine: EngineName, shape: tuple[int, int], crop: bool
) -> None:
    found = toys.made("toy", row_of(0, 0, 300, 300), row_of(10, 10, 160, 48, rows=2))
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)

    assert isinstance(recogniser_of(found, 1, engine).read(noise, crop=crop), tuple)


@pytest.mark.parametrize("engine", ENGINES)
def test_corners_that_are_none_are_no_plate_and_no_error(
    toys: Toys, row_of: Row, engine: EngineName
) -> None:
    flat, far = row_of(0, 100, 160, 48), row_of(0, 0, 160, 48)
    flat[5:13] = [50.0] * 8
    far[5:13] = [-9e5, -9e5, 9e5, -9e5, 9e5, 9e5, -9e5, 9e5]

    recogniser_of(toys.made("toy", flat, far), 1, engine).read(on_grey())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pixels", [np.zeros((0, 0, 3), np.uint8), np.zeros((90, 90), np.uint8)])
def test_what_is_no_picture_never_reaches_the_engine(
    toys: Toys, engine: EngineName, pixels: Pixels
) -> None:
    """`run(None)` of hyperlpr3's pipeline fails with an AttributeError."""
    with pytest.raises(PictureError, match="a picture"):
        recogniser_of(toys.made("toy"), 1, engine).read(pixels)


async def test_lanes_that_ask_at_once_each_get_the_plates_of_their_own_picture(
    toys: Toys, toy_plate: Plate, row_of: Row
) -> None:
    """hyperlpr3's detector keeps the last picture's geometry: shared by two threads, it mixes
    them up.
    """
    found = toys.made("toy", row_of(20, 90, 80, 24))
    reading = ReadingThread(recogniser_of(found, 1, "hyperlpr3"))
    small = on_grey((toy_plate("京A12345"), 40, 100), size=(480, 640))
    plate = toy_plate("沪B54321").repeat(2, axis=0).repeat(2, axis=1)
    large = on_grey((plate, 80, 200), size=(960, 1280))
    frames = [
        Frame(camera="in", number=n, at=0.0, pixels=pixels, encoded=b"", suffix=".jpg")
        for n, pixels in enumerate([small, large] * 6)
    ]

    answers = await asyncio.gather(*map(reading.read, frames))
    reading.close()

    told = [[(read.text, read.corners[0]) for read in reads] for reads in answers]
    assert told == [[("京A12345", (40, 100))], [("沪B54321", (80, 200))]] * 6


def test_hyperlpr3_refuses_parts_of_another_contract_by_name() -> None:
    with pytest.raises(NetworkSetError, match=r'contract "hyperlpr3" alone; its detector is "clp"'):
        recogniser_of(find("clp"), 1, "hyperlpr3")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("side = 320", "side = 640", r"y5fu_320x_sim\.onnx: does not take .*640, 640"),
        ('{ colour = "yellow" },', "", r"litemodel_cls_96x_r1\.onnx: gives \(1, 3\).*not \(1, 2\)"),
        (
            'file = "litemodel_cls_96x_r1.onnx"',
            'file = "rpv3_mdict_160_r3.onnx"',
            r"rpv3_mdict_160_r3\.onnx: does not take .*96, 96",
        ),
    ],
)
def test_foreign_shapes_are_refused_with_file_and_shape(
    toys: Toys, engine: EngineName, old: str, new: str, fault: str
) -> None:
    manifest = toys.made("toy").folder / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(NetworkSetError, match=fault):
        recogniser_of(find("toy", toys.folder), 1, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_alphabet_of_another_length_is_refused(toys: Toys, engine: EngineName) -> None:
    found = toys.made("toy")
    short = NetworkSet(found.folder, found.manifest)
    short.alphabet = lambda: ("京", "A")  # type: ignore[method-assign] # as a wrong file would say

    with pytest.raises(NetworkSetError, match=r"gives \(1, 40, 11\).*not \(1, any, 3\)"):
        recogniser_of(short, 1, engine)


def mixed(folder: Path, detector: NetworkSet, other: NetworkSet) -> NetworkSet:
    """A set with the detector of one, and all else of another."""
    folder.mkdir(parents=True)
    files = dict.fromkeys(detector.manifest.files, detector)
    files |= dict.fromkeys(other.manifest.files, other)
    for file, source in files.items():
        (folder / file).write_bytes(source.content(file))
    sums = {file: source.manifest.files[file] for file, source in files.items()}
    told = {"detector": detector.manifest.detector, "files": sums}
    return NetworkSet(folder, other.manifest.model_copy(update=told))


def test_a_recogniser_of_one_contract_runs_behind_a_detector_of_the_other(
    toys: Toys, row_of: Row, tmp_path: Path
) -> None:
    toy, clp = toys.made("toy", row_of(40, 100, 160, 48)), find("clp")
    plate = cv2.resize(draw("浙A8K302", Ground.BLUE), (160, 48), interpolation=cv2.INTER_AREA)
    picture = on_grey((np.asarray(plate, np.uint8), 40, 100))

    (read,) = recogniser_of(mixed(tmp_path / "one", toy, clp), 1).read(picture)

    assert read.text == "浙A8K302"


def test_a_detector_of_the_clp_contract_runs_before_a_recogniser_of_the_other(
    toys: Toys, street: Street, tmp_path: Path
) -> None:
    engine = recogniser_of(mixed(tmp_path / "two", find("clp"), toys.made("toy")), 1)

    (found,) = _found(engine, street("闽C12F57", Ground.BLUE))

    assert 100 < found.quad[1, 0] - found.quad[0, 0] < 300


def test_the_engine_comes_without_its_package_its_network_and_a_home(tmp_path: Path) -> None:
    """`import hyperlpr3` downloads networks over http, and fails where HOME is not set."""
    program = (
        "import sys, gatekeeper.lpr.hyperlpr as h\n"
        "h._module('inference.pipeline'), h._module('inference.multitask_detect')\n"
        "print(*sys.modules)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={key: told for key, told in os.environ.items() if key != "HOME"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = set(said.stdout.split())
    assert {"hyperlpr3.inference.pipeline", "hyperlpr3.inference.multitask_detect"} <= loaded
    foreign = {"hyperlpr3.hyperlpr3", "hyperlpr3.config", "requests", "fastapi", "tqdm", "loguru"}
    assert not foreign & loaded
    assert list(tmp_path.iterdir()) == []


SHARED = Path(os.environ.get("GATEKEEPER_SHARED", Path(__file__).resolve().parents[3] / "shared"))
OFFICIAL = SHARED / "networks" / "hyperlpr3-20230229"
"""HyperLPR3's own networks, where they lie beside the tree; they are no part of this project."""

official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason="no official networks beside the tree")


def with_official_parts(toys: Toys, side: int) -> NetworkSet:
    """A toy set whose detector and classifier are HyperLPR3's own."""
    folder = toys.made(f"official-{side}", side=side).folder
    manifest = folder / "manifest.toml"
    text = manifest.read_text(encoding="utf-8").replace(', kind = "new_energy"', "")
    for name in (f"y5fu_{side}x_sim.onnx", "litemodel_cls_96x_r1.onnx"):
        toy, own = (folder / name).read_bytes(), (OFFICIAL / name).read_bytes()
        (folder / name).write_bytes(own)
        text = text.replace(sha256(toy).hexdigest(), sha256(own).hexdigest())
    manifest.write_text(text, encoding="utf-8")
    return find(folder.name, folder.parent)


@official
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("side", [320, 640])
@pytest.mark.parametrize(
    ("text", "ground", "colour"),
    [
        ("闽C12F57", Ground.BLUE, Colour.BLUE),
        ("闽CD37619", Ground.GREEN, Colour.GREEN),
        ("粤B12345", Ground.YELLOW, Colour.YELLOW),
    ],
)
def test_the_official_detectors_and_classifier_see_plate_rows_and_colour(
    toys: Toys,
    street: Street,
    engine: EngineName,
    side: int,
    text: str,
    ground: Ground,
    colour: Colour,
) -> None:
    recogniser = recogniser_of(with_official_parts(toys, side), 1, engine)
    picture = street(text, ground)

    (found,) = _found(recogniser, picture)
    upright = rectify.cut_out(picture, found.quad, rectify.WHOLE, 160, 48)

    assert found.rows == 1
    assert 2.5 < rectify.extent(found.quad)[0] / rectify.extent(found.quad)[1] < 4
    if isinstance(recogniser, HyperlprEngine):
        assert recogniser._class_of(upright).colour is colour
    else:
        seen = recogniser._class_of(picture, found.quad, upright)  # type: ignore[attr-defined]
        assert seen.colour is colour


@official
@pytest.mark.parametrize("side", [320, 640])
def test_both_engines_see_the_same_plate_with_the_official_detector(
    toys: Toys, street: Street, side: int
) -> None:
    found = with_official_parts(toys, side)
    picture = street("闽C12F57", Ground.BLUE)

    (own,), (theirs,) = (_found(recogniser_of(found, 1, engine), picture) for engine in ENGINES)

    assert np.abs(own.quad - theirs.quad).max() < 0.1
    assert own.score == pytest.approx(theirs.score, abs=1e-4)


@official
def test_behind_the_official_detector_our_engine_reads_a_street(
    toys: Toys, street: Street, tmp_path: Path
) -> None:
    found = mixed(tmp_path / "three", with_official_parts(toys, 640), find("clp"))

    (read,) = recogniser_of(found, 1).read(street("闽C12F57", Ground.BLUE))

    assert read.text == "闽C12F57"
