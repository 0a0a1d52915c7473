"""The real networks, and streets drawn for them."""

from collections.abc import Callable

import numpy as np
import pytest

from gatekeeper.lpr import Recogniser, open_recogniser
from gatekeeper.model import Pixels
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
