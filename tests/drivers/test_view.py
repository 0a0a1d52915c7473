"""What is read of a picture: turned, masked, cut."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.config import ViewSettings
from gatekeeper.drivers.view import is_black, viewed
from gatekeeper.model import Pixels


def numbered(height: int = 4, width: int = 10) -> Pixels:
    """A picture in which every pixel is another one, and none is black."""
    return np.arange(1, height * width * 3 + 1, dtype=np.uint8).reshape(height, width, 3)


def test_without_settings_a_picture_is_read_as_it_is() -> None:
    assert np.array_equal(viewed(numbered(), ViewSettings()), numbered())


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, 3), (180, 2), (270, 1)])
def test_a_picture_is_turned_clockwise(rotation: Literal[0, 90, 180, 270], turns: int) -> None:
    turned = viewed(numbered(), ViewSettings(rotation=rotation))
    assert np.array_equal(turned, np.rot90(numbered(), turns))


def test_only_the_region_of_interest_is_read() -> None:
    seen = viewed(numbered(), ViewSettings(roi=(0.1, 0.25, 0.2, 0.5)))
    assert np.array_equal(seen, numbered()[1:3, 1:3])


def test_masks_are_black_and_the_picture_itself_is_left_alone() -> None:
    picture = numbered()
    seen = viewed(picture, ViewSettings(masks=((0, 0, 0.5, 0.25), (0.9, 0.5, 0.1, 0.5))))
    black = np.argwhere(~seen.any(axis=2)).tolist()
    assert black == [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [2, 9], [3, 9]]
    assert np.array_equal(picture, numbered())


def test_masks_and_region_are_told_of_the_upright_picture() -> None:
    view = ViewSettings(rotation=90, masks=((0, 0, 0.25, 0.1),), roi=(0, 0, 0.5, 0.5))
    upright = np.rot90(numbered(), 3).copy()
    upright[0, 0] = 0
    assert np.array_equal(viewed(numbered(), view), upright[:5, :2])


def test_noise_in_the_dark_is_black_and_a_plate_that_is_just_lit_is_not() -> None:
    noise = np.random.default_rng(1).normal(6, 4, (720, 1280, 3))
    dark = np.clip(noise, 0, 255).astype(np.uint8)
    assert is_black(dark)
    dark[400:424, 600:700] = 60
    assert not is_black(dark)


shares = st.floats(0.01, 0.5)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    area=st.tuples(shares, shares, shares, shares),
    rotation=st.sampled_from((0, 90, 180, 270)),
)
def test_whatever_the_settings_something_is_left_to_read(
    size: tuple[int, int],
    area: tuple[float, float, float, float],
    rotation: Literal[0, 90, 180, 270],
) -> None:
    seen = viewed(numbered(*size), ViewSettings(roi=area, rotation=rotation))
    assert seen.size > 0
    assert seen.flags.c_contiguous
