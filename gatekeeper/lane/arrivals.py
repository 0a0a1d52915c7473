"""Says when a vehicle arrives at a lane and when it leaves: the loop does, or the camera where no
loop is wired or it cannot be believed.

What the board says of the inputs and what each look shows comes in; the edges that the lane goes by
come out, and nothing after it knows where they came from.
"""

import math
from collections.abc import Callable

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.motion import Seen
from gatekeeper.health import Health
from gatekeeper.model import Presence, Sensor
from gatekeeper.rules import loops, trigger
from gatekeeper.rules.loops import ArrivalLoop, Fault, Limits
from gatekeeper.rules.trigger import Edge, Trigger, View

READ_AGAIN_S = 5.0
"""How often plates are looked for though nothing seems to have changed: whoever was not noticed
must not wait for ever."""

NEXT_S = 0.5
"""How often the plate of a vehicle that stands there is looked for, to notice when it is the next
vehicle's."""

_DETAILS = {
    Fault.STUCK: "the arrival loop is occupied, and nothing was seen for a long time",
    Fault.CHATTERING: "the arrival loop changes more often than vehicles can make it",
}


class Arrivals:
    """The arrival loop and the camera of one lane, as its corridor is told of them."""

    def __init__(
        self,
        settings: LaneSettings,
        limits: Limits,
        *,
        health: Health,
        tell: Callable[[Presence], None],
    ) -> None:
        """`tell` is given each change that counts, and those of the other inputs as they come."""
        self._lane = settings.name
        self._wired = settings.arrival_loop is not None
        self._limits = limits
        self._health = health
        self._tell = tell
        self._loop = ArrivalLoop()
        self._trigger = Trigger()
        self._told = False
        self._has_looked = False
        self._read_at: float | None = None

    @property
    def by_camera(self) -> bool:
        """Whether the camera is to say when a vehicle is there."""
        return not self._wired or self._loop.fault is not None

    @property
    def empty(self) -> bool:
        """Whether the lane is empty as far as loop and camera know."""
        doubtful = self._wired and self._loop.fault is None and self._loop.on
        return not doubtful and not self._trigger.occupied

    @property
    def blind(self) -> bool:
        """Whether nothing tells who comes: the camera is to, and it is stale."""
        return self.by_camera and self._health.stands("camera_stale", self._lane)

    def sensed(self, presence: Presence) -> None:
        """An input of the lane, as the board tells it."""
        if presence.sensor is not Sensor.ARRIVAL:
            self._tell(presence)
            return
        self._loop = loops.told(self._loop, presence.on, presence.at, self._limits)
        self._judge(presence.at)

    def wants_plates(self, seen: Seen, at: float) -> bool:
        """Whether the look at the moment `at`, for which nobody else asked, is worth reading."""
        waited_s = math.inf if self._read_at is None else at - self._read_at
        if not self.by_camera:
            return waited_s >= READ_AGAIN_S and self._loop.on and not seen.moving
        if self._trigger.occupied:
            return waited_s >= NEXT_S or not seen.changed
        something = seen.moving or seen.changed or self._trigger.plate_since is not None
        return something or waited_s >= READ_AGAIN_S

    def saw(self, seen: Seen, plates: tuple[str, ...] | None, at: float) -> bool:
        """What a look shows; `plates` is None where it was not read. Returns whether a vehicle has
        arrived by it.
        """
        self._has_looked = True
        if plates is not None:
            self._read_at = at
        if plates or seen.moving:
            self._loop = loops.seen(self._loop, at)
        view = View(at=at, moving=seen.moving, changed=seen.changed, plates=plates or ())
        after = trigger.step(self._trigger, view)
        self._trigger = after.trigger
        return self._judge(at, after.edges)

    def look_after(self, at: float) -> None:
        """Time goes by: a loop may have become stuck, or quiet again."""
        self._judge(at)

    def _judge(self, at: float, edges: tuple[Edge, ...] = ()) -> bool:
        """Tell what has changed; returns whether a vehicle has arrived by the camera."""
        if self._wired:
            self._loop = loops.judged(self._loop, at, self._limits)
            self._alarm()
        if not self._camera_counts:
            if any(each.on for each in edges[:1]) and self._is_blocked:
                self._say(Edge(False, at))
            self._say(Edge(self._loop.on, at))
            return False
        said = [each for each in (*edges, Edge(self._trigger.occupied, at)) if self._say(each)]
        return any(each.on for each in said)

    @property
    def _camera_counts(self) -> bool:
        """A loop that cannot be believed is better than a camera that is dead."""
        if not self._wired:
            return True
        return self._loop.fault is not None and self._has_looked and not self.blind

    @property
    def _is_blocked(self) -> bool:
        """Whoever comes to a blocked lane in view of its camera is a new vehicle, though the loop
        has not been free in between: by the time it counts as stuck nobody must be shut in.
        """
        return self._health.stands("lane_blocked", self._lane)

    def _say(self, edge: Edge) -> bool:
        """Pass on what is news; returns whether it is."""
        if edge.on == self._told:
            return False
        self._told = edge.on
        self._tell(Presence(lane=self._lane, sensor=Sensor.ARRIVAL, on=edge.on, at=edge.at))
        return True

    def _alarm(self) -> None:
        for fault, detail in _DETAILS.items():
            if self._loop.fault is fault:
                self._health.raise_alarm(fault.value, self._lane, detail)
            else:
                self._health.clear_alarm(fault.value, self._lane)
