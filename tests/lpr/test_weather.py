"""The networks read what the simulated cameras show in weather that a kept camera has to bear."""

import pytest

from gatekeeper.lpr import Recogniser
from simulators.plate import ground_of
from simulators.traffic import Drive, Scene, taken
from simulators.weather import MILD, Weather

PLATES = ("闽C12F57", "沪A50318", "粤BD12345", "京KH7736")


@pytest.mark.parametrize("kind", Weather)
@pytest.mark.parametrize("plate", PLATES)
def test_a_clean_plate_is_read_in_mild_weather(
    recogniser: Recogniser, plate: str, kind: Weather
) -> None:
    scene = Scene(seed=3, plate=plate, ground=ground_of(plate), weather={kind: MILD})
    assert [read.text for read in recogniser.read(taken(scene, 1.0))] == [plate]


def test_a_plate_is_read_before_its_car_stands(recogniser: Recogniser) -> None:
    scene = Scene(seed=3, plate=PLATES[0], drive=Drive(came_at=0.0))
    assert [read.text for read in recogniser.read(taken(scene, 2.5))] == [PLATES[0]]
