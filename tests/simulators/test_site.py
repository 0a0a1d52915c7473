"""A whole site from one seed."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gatekeeper import config
from simulators.site.layout import MOST_LANES, Layout
from simulators.site.plan import Plan, drawn

if TYPE_CHECKING:
    from tests.simulators.conftest import Start

LAYOUTS = (
    *(Layout(lanes=lanes) for lanes in range(1, MOST_LANES + 1)),
    Layout(lanes=4, apart=3),
    Layout(lanes=2, serial=True, displays=False),
    Layout(lanes=4, streamed=("outer-exit",), keys={"outer-exit": {"open_timeout_s": 5.0}}),
)


def planned(seed: int, **changes: float) -> Plan:
    return drawn(seed, Layout(), **{"minutes": 60.0, "rate": 120.0, "faults": True, **changes})  # type: ignore[arg-type] # faults is a bool among them


def addresses(layout: Layout) -> dict[str, str]:
    streams = {lane: f"rtsp://127.0.0.1:8554/{lane}" for lane in layout.streamed}
    found = {"board": "serial:///dev/ttyS9" if layout.serial else "tcp://127.0.0.1:502"}
    for number, lane in enumerate(layout.lanes_there):
        found[f"camera-{lane.name}"] = streams.get(lane.name, f"http://127.0.0.1/{lane.name}")
        found[f"sign-{lane.name}"] = f"/dev/pts/{number}"
    return found


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_the_controller_takes_the_file_of_every_layout(layout: Layout, tmp_path: Path) -> None:
    file = tmp_path / "gatekeeper.toml"
    file.write_text(layout.config(addresses(layout), 1883), encoding="utf-8")
    settings = config.load(file)
    assert [lane.name for lane in settings.lane] == [lane.name for lane in layout.lanes_there]
    assert len(settings.board) == layout.apart + 1
    assert len(settings.display) == (layout.lanes if layout.displays else 0)


def test_a_seed_plans_the_same_play_each_time() -> None:
    assert planned(1) == planned(1)
    assert planned(1) != planned(2)


def test_cars_come_at_the_rate_and_in_order() -> None:
    moments = [journey.at_s for journey in planned(1, rate=600.0).journeys]
    assert moments == sorted(moments)
    assert 480 < len(moments) < 720


def test_nothing_breaks_unless_it_is_asked_for() -> None:
    assert planned(1).troubles
    assert not planned(1, faults=False).troubles


def test_a_car_stops_only_at_lanes_that_are_there() -> None:
    for lanes in range(1, MOST_LANES + 1):
        layout = Layout(lanes=lanes)
        plan = drawn(1, layout, minutes=60.0, rate=60.0, faults=False)
        there = {lane.name for lane in layout.lanes_there}
        assert {stop.lane for journey in plan.journeys for stop in journey.stops} <= there


async def test_a_site_starts_plays_and_leaves_nothing_behind(
    start: "Start", tmp_path: Path
) -> None:
    options = ("--lanes=1", "--minutes=0.1", "--rate=3600", "--speed=10")
    site = await start("site", *options, f"--folder={tmp_path}")
    ready = await site.said("ready")
    assert config.load(Path(ready["config"])).lane[0].name == "outer-entry"
    arrived = await site.said("arrived")
    shown = await site.do("tell camera state")
    assert shown["camera"]["lanes"]["outer-entry"]["shows"] in ("", arrived["plate"])
    assert (await site.tell("tell nobody state"))["said"] == "error"
    assert await site.end() == 0
