"""What a lane's camera sees at a moment: a car drives into view, stands and leaves, in any weather.

`taken` is pure: the same scene at the same moment is the same picture, to the last bit of noise.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from simulators import scene
from simulators.plate import Ground, Picture
from simulators.weather import Weather, weathered

_FAR_M = 12.0
"""From where a car stands to where it comes into view: it turns into the lane there."""
_PAST_M = -4.4
"""There it has driven past the camera."""
_STARTS_M_S2 = 1.5

ARRIVES_S = 3.0
LEAVES_S = math.sqrt(2 * -_PAST_M / _STARTS_M_S2)
BACKS_S = math.sqrt(2 * _FAR_M / _STARTS_M_S2)

_SHAKE_PX = 0.7
"""Of a camera on a pole."""
_FLICKER = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """When a car came into view, when it left, and which way; moments are in seconds."""

    came_at: float = -math.inf
    left_at: float = math.inf
    back: bool = False

    def distance_m(self, at: float) -> float | None:
        """How far it is from where it stands, less than nothing behind it; nothing if it is not in
        view.
        """
        rolled = 0.5 * _STARTS_M_S2 * max(0.0, at - self.left_at) ** 2
        togo = max(0.0, 1 - (at - self.came_at) / ARRIVES_S)
        distance = _FAR_M * togo**2 + (rolled if self.back else -rolled)
        in_view = at >= self.came_at and _PAST_M < distance < _FAR_M
        return distance if in_view else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What is before a camera: a photograph, or a road and perhaps a car with this plate."""

    seed: int
    plate: str = ""
    ground: Ground = Ground.BLUE
    drive: Drive = Drive()
    photograph: Picture | None = None
    weather: Mapping[Weather, float] = field(default_factory=dict)


def taken(scene: Scene, at: float) -> Picture:
    """The picture of this moment, (720, 1280, 3) or as large as the photograph."""
    picture = _drawn(scene, at) if scene.photograph is None else scene.photograph
    picture = weathered(picture, scene.weather, seed=scene.seed, at=at)
    return _sensed(picture, np.random.default_rng([scene.seed, int(at * 1000) % 2**32]))


def _drawn(what: Scene, at: float) -> Picture:
    distance_m = what.drive.distance_m(at) if what.plate else None
    if distance_m is None:
        return _road(what.seed)
    return _with_car(what.seed, what.plate, what.ground, round(distance_m, 3))


@lru_cache(maxsize=16)
def _road(seed: int) -> Picture:
    return scene.road(seed)


@lru_cache(maxsize=8)
def _with_car(seed: int, plate: str, ground: Ground, distance_m: float) -> Picture:
    """Kept, for a car that stands looks the same again and again."""
    return scene.with_car(_road(seed), plate, ground, distance_m)


def _sensed(picture: Picture, chance: np.random.Generator) -> Picture:
    """As the sensor has it: the camera shakes, the light flickers, the pixels are noisy."""
    height, width = picture.shape[:2]
    x, y = chance.uniform(-_SHAKE_PX, _SHAKE_PX, 2)
    move = np.array([[1, 0, x], [0, 1, y]])
    seen = cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    gain = chance.uniform(1 - _FLICKER, 1 + _FLICKER)
    return np.asarray(cv2.addWeighted(seen, gain, scene.noise(picture, chance), 1, -128), np.uint8)
