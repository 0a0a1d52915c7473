from random import Random

import numpy as np
import pytest

from training.render import camera
from training.render.flat import Flat, flat
from training.render.glyphs import Glyphs, drawn
from training.render.layouts import layout_of
from training.render.texts import Kind, text_of

GLYPHS = Glyphs(None, None, lambda _name: True)


def plate(kind: Kind, seed: int = 1) -> Flat:
    return flat(kind, GLYPHS, Random(seed))


@pytest.mark.parametrize("kind", Kind)
def test_every_character_has_a_cell_of_its_own_on_the_plate(kind: Kind) -> None:
    chance = Random(5)
    for _ in range(20):
        text = text_of(kind, chance)
        layout = layout_of(kind, text, chance)

        assert len(layout.cells) == len(text)
        assert all(
            cell.left >= 0 and cell.left + cell.wide <= layout.width for cell in layout.cells
        )
        assert all(cell.top >= 0 and cell.top + cell.tall <= layout.height for cell in layout.cells)
        rows = {cell.top for cell in layout.cells}
        assert len(rows) == layout.rows
        for one, other in zip(layout.cells, layout.cells[1:], strict=False):
            assert one.top < other.top or one.left + one.wide <= other.left


@pytest.mark.parametrize("kind", Kind)
def test_a_plate_is_drawn_without_any_data_beside_it(kind: Kind) -> None:
    drawing = plate(kind)

    assert drawing.picture.dtype == np.uint8
    assert len(drawing.centres) == len(drawing.text)
    low, high = drawing.corners.min(axis=0), drawing.corners.max(axis=0)
    assert (drawing.centres > low).all()
    assert (drawing.centres < high).all()
    assert (high < drawing.picture.shape[1::-1]).all()


def test_the_same_seed_draws_the_same_plate() -> None:
    one, other = plate(Kind.GREEN_SMALL, 7), plate(Kind.GREEN_SMALL, 7)

    assert one.text == other.text
    assert (one.picture == other.picture).all()


def test_ink_stands_where_the_middles_of_the_characters_are() -> None:
    drawing = plate(Kind.BLUE, 3)
    bright = drawing.picture.min(axis=2) > 180

    for x, y in np.rint(drawing.centres).astype(int):
        assert bright[y - 28 : y + 28, x - 14 : x + 14].any()


@pytest.mark.parametrize("character", ["京", "A", "0", "警", "急"])
def test_a_drawn_character_fills_its_cell(character: str) -> None:
    mask = drawn(character, 400)

    assert mask.shape == (90, 45)
    assert 0.08 < (mask > 127).mean() < 0.8


def test_a_1_stays_thin() -> None:
    ink = drawn("1", 400) > 127

    assert ink.any(axis=0).sum() < 30


@pytest.mark.parametrize("kind", Kind)
def test_what_a_camera_sees_is_what_the_network_takes(kind: Kind) -> None:
    drawing = plate(kind)
    for seed in range(10):
        view = camera.shot if drawing.rows == 1 else camera.shot_of_rows
        seen = view(drawing.picture, drawing.corners, drawing.centres, np.random.default_rng(seed))

        assert seen.picture.shape == (48, 160, 3)
        assert seen.picture.dtype == np.uint8
        assert list(seen.centres) == sorted(seen.centres)
        assert all(-0.05 < place < 1.05 for place in seen.centres)


def test_the_middles_go_where_the_characters_go() -> None:
    page = np.zeros((140, 440, 3), np.uint8)
    places = np.array([[60.0, 70.0], [220.0, 70.0], [380.0, 70.0]], np.float32)
    for x, y in places.astype(int):
        page[y - 20 : y + 20, x - 8 : x + 8] = 255
    corners = np.array([[0, 0], [440, 0], [440, 140], [0, 140]], np.float32)

    for seed in range(30):
        seen = camera.shot(page, corners, places, np.random.default_rng(seed), gentle=True)
        grey = seen.picture[12:36].mean(axis=(0, 2))
        for place in seen.centres:
            here = round(place * 160)
            around = grey[max(0, here - 3) : here + 4]
            assert around.max() >= np.median(grey)


def test_where_a_crop_keeps_its_shape_the_middles_keep_off_the_padding() -> None:
    drawing = plate(Kind.POLICE)
    padded = 0
    for seed in range(60):
        seen = camera.shot(
            drawing.picture, drawing.corners, drawing.centres, np.random.default_rng(seed)
        )
        blank = (seen.picture == camera.PAD).all(axis=(0, 2))
        wide = 160 - int(blank[::-1].cumprod().sum())
        padded += wide < 150
        assert max(seen.centres) * 160 < wide

    assert padded > 2


def test_one_row_of_two_is_cut_as_hyperlpr3_does() -> None:
    drawing = plate(Kind.YELLOW_TWO_ROWS)

    for upper, count in ((True, 2), (False, 5)):
        seen = camera.shot_of_half(
            drawing.picture, drawing.corners, drawing.centres, upper, np.random.default_rng(1)
        )
        assert len(seen.centres) == count
        assert all(0 < place < 1 for place in seen.centres)


def test_a_real_crop_keeps_its_characters_in_view() -> None:
    crop = np.full((24, 94, 3), 120, np.uint8)
    for seed in range(30):
        seen = camera.shot_of_crop(crop, (0.1, 0.5, 0.9), np.random.default_rng(seed))

        assert seen.picture.shape == (48, 160, 3)
        assert all(-0.2 < place < 1.2 for place in seen.centres)
