"""The devices of one controller, as its configuration names them: boards, displays, cameras."""

import asyncio
from collections.abc import Sequence
from functools import partial

from gatekeeper.app.fire import FireInputs, name_of
from gatekeeper.app.ports import Task
from gatekeeper.app.wiring import sides_of
from gatekeeper.clock import Clock
from gatekeeper.config import Config, InputSettings, LaneSettings
from gatekeeper.drivers.board import RelayBoard
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.camera import open_camera
from gatekeeper.drivers.display import LedDisplay
from gatekeeper.drivers.ports import Camera
from gatekeeper.health import Health
from gatekeeper.lane import Kerb
from gatekeeper.model import Sensor


class RealDevices:
    """What stands at the lanes. Nothing is connected before its task runs, or its lane looks."""

    def __init__(self, config: Config, clock: Clock, health: Health) -> None:
        buses = {board.line: Bus(board.line) for board in config.board}
        self._boards = {
            board.name: RelayBoard(
                board,
                [lane for lane in config.lane if lane.barrier.board == board.name],
                health,
                buses[board.line],
            )
            for board in config.board
        }
        self._displays = {each.name: LedDisplay(each, health) for each in config.display}
        self._cameras: list[Camera] = []
        self._sides = sides_of(config, clock, health)

    @property
    def tasks(self) -> list[Task]:
        """What has a task of its own: boards, displays, and the barriers that two lanes share."""
        turns = dict.fromkeys(side.turn for side in self._sides.values())
        return [
            *((f"board {name}", board.run) for name, board in self._boards.items()),
            *((f"display {name}", display.run) for name, display in self._displays.items()),
            *((f"turn of {turn.name}", turn.run) for turn in turns),
        ]

    def kerb(self, lane: LaneSettings) -> Kerb:
        """What stands at one lane."""
        camera = None
        if lane.camera is not None:
            camera = open_camera(lane.name, lane.camera)
            self._cameras.append(camera)
        board = self._boards[lane.barrier.board]
        return Kerb(
            camera=camera,
            barrier=board.barrier(lane.name),
            loops=board.loops(lane.name),
            display=self._displays.get(lane.display or ""),
            turn=self._sides.get(lane.name),
        )

    def watch_fire(self, wires: Sequence[InputSettings], fire: FireInputs) -> None:
        """From now on tell what the fire inputs say."""
        for wire in wires:
            name = name_of(wire)
            self._boards[wire.board].watch(name, Sensor.FIRE, wire, partial(fire.sensed, name))

    async def close(self) -> None:
        """Let go of cameras and displays, all at once: each may take as long as its last call
        hangs.
        """
        closings = [camera.close() for camera in self._cameras]
        closings += [display.close() for display in self._displays.values()]
        await asyncio.gather(*closings, return_exceptions=True)
