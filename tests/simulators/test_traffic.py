import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import traffic
from simulators.plate import Ground, Picture
from simulators.traffic import Drive, Scene, taken
from simulators.weather import Weather, weathered

CAR = Scene(seed=5, plate="闽C12F57", drive=Drive(came_at=10.0, left_at=20.0))
STANDING_SINCE = 10.0 + traffic.ARRIVES_S
GONE_AT = 20.0 + traffic.LEAVES_S


def blue_in(picture: Picture) -> tuple[int, float]:
    """How much of a blue plate is in the picture, in pixels, and how far to the right."""
    wide = picture.astype(int)
    rows, columns = np.nonzero((wide[..., 0] > 150) & (wide[..., 2] < 90))
    return len(rows), float(columns.mean()) if len(columns) else math.nan


def differing(one: Picture, other: Picture) -> float:
    """The share of pixels that are clearly not the same."""
    return float((np.abs(one.astype(int) - other).max(axis=-1) > 60).mean())


@pytest.mark.parametrize("at", [0.0, 11.0, 15.0, 21.0])
def test_the_same_moment_of_the_same_scene_is_the_same_picture(at: float) -> None:
    rainy = Scene(seed=5, plate="闽C12F57", drive=CAR.drive, weather=dict.fromkeys(Weather, 0.3))
    assert np.array_equal(taken(rainy, at), taken(rainy, at))


def test_another_moment_and_another_seed_are_other_pictures() -> None:
    now, later = taken(CAR, 15.0), taken(CAR, 15.1)
    other = taken(Scene(seed=6, plate="闽C12F57"), 15.0)
    assert not np.array_equal(now, later)
    assert not np.array_equal(now, other)


def test_a_car_grows_as_it_drives_into_view_stands_and_drives_past_the_camera() -> None:
    sizes = [blue_in(taken(CAR, at))[0] for at in (9.9, 11.0, 12.0, STANDING_SINCE, 21.0)]
    assert sizes == sorted(set(sizes))
    assert blue_in(taken(CAR, GONE_AT))[0] == sizes[0] == 0


def test_a_car_comes_from_the_right_and_leaves_to_the_left() -> None:
    places = [blue_in(taken(CAR, at))[1] for at in (11.0, 12.0, STANDING_SINCE, 21.0)]
    assert places == sorted(places, reverse=True)


def test_a_car_that_backs_out_grows_smaller_until_it_is_out_of_view() -> None:
    backing = Scene(seed=5, plate="闽C12F57", drive=Drive(left_at=20.0, back=True))
    sizes = [blue_in(taken(backing, at))[0] for at in (20.0, 21.5, 23.0, 20.0 + traffic.BACKS_S)]
    assert sizes == sorted(set(sizes), reverse=True)
    assert sizes[-1] == 0


def test_what_drives_moves_many_pixels_and_what_stands_next_to_none() -> None:
    assert differing(taken(CAR, 11.0), taken(CAR, 11.5)) > 0.02
    assert differing(taken(CAR, 15.0), taken(CAR, 15.5)) < 0.005
    assert differing(taken(CAR, 1.0), taken(CAR, 1.5)) < 0.005


@given(
    came_at=st.floats(-1e6, 1e6),
    stood_s=st.floats(0, 1e5),
    back=st.booleans(),
    at=st.floats(-2e6, 2e6),
)
def test_a_car_is_between_where_it_comes_into_view_and_where_it_is_past(
    came_at: float, stood_s: float, back: bool, at: float
) -> None:
    drive = Drive(came_at=came_at, left_at=came_at + traffic.ARRIVES_S + stood_s, back=back)
    distance = drive.distance_m(at)
    assert distance is None or -4.4 < distance < 12.0
    if at < came_at or at > drive.left_at + traffic.BACKS_S + 1:
        assert distance is None


def plain() -> Picture:
    return np.full((360, 640, 3), 128, np.uint8)


@pytest.mark.parametrize("kind", Weather)
def test_weather_of_no_strength_changes_nothing_and_more_of_it_more(kind: Weather) -> None:
    road = traffic.taken(Scene(seed=1, plate="闽C12F57"), 0.0)

    def change(strength: float) -> float:
        seen = weathered(road, {kind: strength}, seed=3, at=1.0)
        return float(np.abs(seen.astype(int) - road).mean())

    assert change(0.0) == 0
    assert 0 < change(0.3) < change(0.6) < change(0.9)


def test_it_is_darker_at_night_and_brighter_against_the_sun() -> None:
    night, glare = (
        weathered(plain(), {kind: 0.5}, seed=3, at=1.0).mean()
        for kind in (Weather.NIGHT, Weather.GLARE)
    )
    assert night < 128 < glare


def test_rain_falls_and_dirt_stays_where_it_is() -> None:
    def seen(kind: Weather, at: float) -> Picture:
        return weathered(plain(), {kind: 0.5}, seed=3, at=at)

    assert not np.array_equal(seen(Weather.RAIN, 1.0), seen(Weather.RAIN, 1.1))
    assert np.array_equal(seen(Weather.DIRT, 1.0), seen(Weather.DIRT, 1.1))


def test_a_photograph_keeps_its_size_in_any_weather() -> None:
    photograph = np.full((300, 500, 3), 90, np.uint8)
    scene = Scene(seed=1, photograph=photograph, weather=dict.fromkeys(Weather, 0.4))
    assert taken(scene, 1.0).shape == photograph.shape


def test_a_green_plate_is_green() -> None:
    picture = taken(Scene(seed=5, plate="闽CD12345", ground=Ground.GREEN), 0.0).astype(int)
    green = (picture[..., 1] > 170) & (picture[..., 0] < 150) & (picture[..., 2] < 130)
    assert np.count_nonzero(green) > 300
