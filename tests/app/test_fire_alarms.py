"""The alarms of a fire, in virtual time."""

from pathlib import Path

from gatekeeper.app.fire import FireInputs, name_of
from gatekeeper.config import InputSettings
from gatekeeper.health import Health
from gatekeeper.journal import Journal
from gatekeeper.model import Presence, Sensor
from gatekeeper.store import Store
from simulators.virtual import VirtualClock, at_once

WIRE = InputSettings(board="relays", input=7)


class Panel:
    """A fire panel on one input, and the alarms that stand for the site."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.health = Health(self.clock)
        self.inputs = FireInputs(
            [WIRE],
            journal=Journal(
                Store.unflushed(folder / "gate.db"), clock=self.clock, health=self.health
            ),
            clock=self.clock,
            health=self.health,
            latched=lambda _: None,
        )
        self.says(on=False)

    def says(self, *, on: bool) -> None:
        at = self.clock.boot_s()
        self.inputs.sensed(name_of(WIRE), Presence(lane="", sensor=Sensor.FIRE, on=on, at=at))
        self.wait(0.0)

    def wait(self, seconds: float) -> None:
        self.clock.true_s += seconds
        at_once(self.inputs.wake())

    @property
    def standing(self) -> set[str]:
        return {alarm.alarm for alarm in self.health.alarms}


def test_a_fire_is_an_alarm_until_a_person_says_that_it_is_over(tmp_path: Path) -> None:
    panel = Panel(tmp_path)
    panel.says(on=True)
    panel.wait(1.0)
    panel.says(on=False)
    panel.wait(60.0)
    assert panel.standing == {"fire"}
    assert panel.inputs.release("guard", "a drill") is None
    assert panel.standing == set()


def test_an_input_that_is_on_for_half_an_hour_is_an_alarm_until_it_is_off(tmp_path: Path) -> None:
    panel = Panel(tmp_path)
    panel.says(on=True)
    panel.wait(1.0)
    panel.wait(1799.5)
    assert panel.standing == {"fire", "fire_long"}
    panel.says(on=False)
    assert panel.standing == {"fire"}
