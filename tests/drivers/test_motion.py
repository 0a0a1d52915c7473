"""What moves and what stands in view, on rendered sequences."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gatekeeper.drivers.motion import CHANGED, FIRST_LOOKS, PixelMotion, Seen
from gatekeeper.model import Pixels
from simulators.plate import Ground
from simulators.scene import Camera, road, with_car

ROAD = road(1)
CAR = with_car(ROAD, "闽C12F57", Ground.BLUE)
CHANCE = np.random.default_rng(0)
NOISES = [CHANCE.normal(128, 6, ROAD.shape).clip(0, 255).astype(np.uint8) for _ in range(4)]
STEP_S = 0.2

Take = Callable[[Pixels], Pixels]


def still(scene: Pixels) -> Pixels:
    """As a camera on a firm mast sees it at night: with much noise."""
    noise = NOISES[int(CHANCE.integers(len(NOISES)))]
    return np.asarray(cv2.addWeighted(scene, 1, noise, 1, -128), np.uint8)


@pytest.fixture(params=["firm", "swaying"])
def take(request: pytest.FixtureRequest) -> Take:
    """A camera on a firm mast, and one on a mast that sways with every frame."""
    return still if request.param == "firm" else Camera(3).frame


def lit(scene: Pixels, light: float) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(scene, alpha=light), np.uint8)


class Watched:
    """A lane that is looked at five times a second, from when it is empty."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._motion = PixelMotion()
        self._at = 0.0
        self.sees(*[ROAD] * 30)

    def sees(self, *scenes: Pixels, empty: bool = True) -> list[Seen]:
        return list(self._looks(scenes, empty=empty))

    def _looks(self, scenes: tuple[Pixels, ...], *, empty: bool) -> Iterator[Seen]:
        for scene in scenes:
            self._at += STEP_S
            yield self._motion.look(self._take(scene))
            self._motion.learn(self._at, empty=empty)


def anything(seen: list[Seen]) -> list[Seen]:
    return [each for each in seen if each.moving or each.changed]


def test_in_an_empty_lane_nothing_moves_and_nothing_stands(take: Take) -> None:
    assert not anything(Watched(take).sees(*[ROAD] * 20))


def test_a_car_that_comes_moves_and_one_that_stands_is_there(take: Take) -> None:
    came, *stands = Watched(take).sees(*[CAR] * 5, empty=False)
    assert came.moving
    assert came.changed
    assert all(each.changed for each in stands)


def test_a_car_on_a_firm_view_stands_still() -> None:
    _, *stands = Watched(still).sees(*[CAR] * 5, empty=False)
    assert not any(each.moving for each in stands)


def test_a_car_that_goes_leaves_the_empty_lane(take: Take) -> None:
    lane = Watched(take)
    lane.sees(*[CAR] * 25, empty=False)
    went, *empty = lane.sees(*[ROAD] * 5)
    assert went.moving
    assert not any(each.changed for each in (went, *empty))


def test_a_car_at_night_is_there(take: Take) -> None:
    lane = Watched(take)
    for light in np.linspace(1.0, 0.2, 20):
        lane.sees(lit(ROAD, light))
    assert lane.sees(lit(CAR, 0.2), empty=False)[0].changed


def test_dawn_and_dusk_are_no_vehicles(take: Take) -> None:
    lane = Watched(take)
    for light in (*np.linspace(1.0, 0.2, 20), *np.linspace(0.2, 1.3, 20)):
        assert not anything(lane.sees(lit(ROAD, light)))


def test_a_cloud_is_no_vehicle(take: Take) -> None:
    lane = Watched(take)
    assert not anything(lane.sees(lit(ROAD, 0.6), lit(ROAD, 0.55), ROAD, lit(ROAD, 1.25)))


def test_headlights_that_come_and_go_are_no_vehicle(take: Take) -> None:
    lane = Watched(take)
    y, x = np.mgrid[:720, :1280]
    pool = 120 * np.exp(-((((x - 640) / 350) ** 2) + ((y - 500) / 160) ** 2))
    night = lit(ROAD, 0.4)
    lane.sees(*[night] * 5)
    for strength in (0.3, 1.0, 0.6, 0.0):
        glare = np.clip(night + strength * pool[..., None], 0, 255).astype(np.uint8)
        assert not anything(lane.sees(glare))


def test_rain_is_no_vehicle(take: Take) -> None:
    lane = Watched(take)
    for _ in range(10):
        wet = ROAD.copy()
        for x, y in CHANCE.integers((0, 0), (1280, 700), (400, 2)):
            cv2.line(wet, (int(x), int(y)), (int(x) + 3, int(y) + 25), (200, 200, 200), 1)
        assert not anything(lane.sees(wet))


def test_what_has_come_a_moment_ago_is_not_learned_as_the_empty_lane() -> None:
    lane = Watched(still)
    assert all(each.changed for each in lane.sees(*[CAR] * 50))


def test_what_is_left_in_view_belongs_to_the_lane_at_last() -> None:
    left = ROAD.copy()
    cv2.rectangle(left, (300, 300), (800, 650), (30, 30, 200), -1)
    left[300:650:20, 300:800] = 255
    lane = Watched(still)
    assert lane.sees(left, empty=False)[0].changed
    for _ in range(10):
        lane._at += 100.0
        last = lane.sees(left, empty=False)
    assert not anything(last)


def test_a_car_that_stands_there_at_first_is_not_taken_for_the_empty_lane() -> None:
    motion = PixelMotion()
    first = motion.look(still(CAR))
    motion.learn(0.0, empty=False)
    assert first.moving
    assert first.differs is None
    assert motion.look(still(CAR)).differs is None
    motion.learn(1.0, empty=False)
    for look in range(FIRST_LOOKS):
        assert motion.look(still(ROAD)).differs is None
        motion.learn(5.0 + look, empty=True)
    assert not motion.look(still(ROAD)).changed
    assert motion.look(still(CAR)).changed


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300), st.just(3)).flatmap(
        lambda shape: st.tuples(arrays(np.uint8, shape), arrays(np.uint8, shape))
    ),
    st.booleans(),
)
def test_any_two_pictures_give_shares(pictures: tuple[Pixels, Pixels], empty: bool) -> None:
    motion = PixelMotion()
    for at, picture in enumerate((*pictures, *pictures)):
        seen = motion.look(picture)
        motion.learn(float(at), empty=empty)
        assert 0.0 <= seen.moved <= 1.0
        assert seen.differs is None or 0.0 <= seen.differs <= 1.0
        assert seen.changed == (seen.differs is not None and seen.differs >= CHANGED)
