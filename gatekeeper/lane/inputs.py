"""What the inputs of one lane are believed: its arrival loop, its safety loop, and its boom.

What the board says of the inputs and what each look shows comes in; out go the edges that the lane
goes by, and the alarms of what cannot be believed.
"""

import math
from collections.abc import Callable

from gatekeeper.config import LaneSettings
from gatekeeper.drivers.motion import Seen
from gatekeeper.health import Health
from gatekeeper.lane.context import LaneContext
from gatekeeper.model import Doubt, PassageEnd, Presence, Sensor
from gatekeeper.rules import loops, trigger
from gatekeeper.rules.loops import ArrivalLoop, Fault, Limits, SafetyLoop
from gatekeeper.rules.trigger import Edge, Trigger, View

READ_AGAIN_S = 5.0
"""How often plates are looked for though nothing seems to have changed: a vehicle that was not
noticed must not wait indefinitely."""

NEXT_S = 0.5
"""How often the plate of a vehicle that stands there is looked for, to notice when it is the next
vehicle's."""

_DETAILS = {
    Fault.STUCK: "the arrival loop is occupied, and nothing was seen for a long time",
    Fault.CHATTERING: "the arrival loop changes more often than vehicles can make it",
}


NOT_UP = "boom_not_up"
"""The alarm of a boom that a pulse did not raise; its subject is the lane."""

WITHOUT_COMMAND = Doubt.BOOM_WITHOUT_COMMAND
"""The doubt on those inside, and the alarm, of a boom that nothing here has raised."""

RISES_S = 10.0
"""How long after a pulse a boom may rise because of it."""


class Arrivals:
    """Says when a vehicle arrives at a lane and when it leaves: the loop does, or the camera where
    no loop is wired or it cannot be believed. Nothing after it knows which of them did.
    """

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
        self._loop = loops.changed(self._loop, presence.on, presence.at, self._limits)
        self._judge(presence.at)

    def wants_plates(self, seen: Seen, at: float) -> bool:
        """Whether the look at the moment `at`, for which the lane did not ask, is worth reading."""
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

    @property
    def wake_at(self) -> float | None:
        """When `look_after` is due (boot clock): the loop may have become stuck by then, or quiet
        again. None if time alone changes nothing.
        """
        loop, limits = self._loop, self._limits
        if not self._wired or loop.fault is Fault.STUCK:
            return None
        if loop.fault is Fault.CHATTERING:
            return loop.since + limits.quiet_s
        return max(loop.since, loop.seen_at) + limits.stuck_s if loop.on else None

    def look_after(self, at: float) -> None:
        """The moment `wake_at` has come, or what else is known of the camera."""
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
        """What comes to a blocked lane in view of its camera is a new vehicle, though the loop
        has not been free in between: before it counts as stuck it must shut in no driver.
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


class SafetyWatch:
    """Whether the safety loop of one lane is believed. One that is dead counts as none, and has
    passages presumed, until it moves again.
    """

    def __init__(self, context: LaneContext) -> None:
        self._lane = context.name
        self._wired = context.timing.safety_loop
        self._health = context.rooms.health
        self._loop = SafetyLoop()

    @property
    def tells(self) -> bool:
        """Whether there is one that tells what passes."""
        return self._wired and not self._loop.dead

    def moved(self) -> None:
        """It is occupied from now on, or clear: it lives."""
        self._believe(SafetyLoop())

    def ended(self, end: PassageEnd, *, opened: bool, occupied: bool) -> None:
        """A visit is over: `opened` is whether its barrier was opened, `occupied` what it says."""
        if self._wired:
            self._believe(loops.after(self._loop, end, opened=opened, occupied=occupied))

    def _believe(self, loop: SafetyLoop) -> None:
        self._loop = loop
        if loop.dead:
            detail = "vehicles pass, and the safety loop does not tell of them"
            self._health.raise_alarm("safety_loop_dead", self._lane, detail)
        else:
            self._health.clear_alarm("safety_loop_dead", self._lane)


class BoomWatch:
    """Whether the boom of one lane came up after its pulse, and whether it came up because of one,
    where an input tells of it. `wake_at` is when `late` wants to be called (boot clock), None while
    no pulse is waited for, and always where no input tells of the boom.
    """

    def __init__(self, context: LaneContext, kept_up: Callable[[], bool]) -> None:
        """`kept_up` is whether a boom that is up now may be so because it is kept up."""
        self.wake_at: float | None = None
        self._context = context
        self._health = context.rooms.health
        self._wired = context.settings.boom_up is not None
        self._rises_s = context.settings.boom_up_s
        self._last_pulse = context.last_pulse
        self._kept_up = kept_up

    def pulsed(self) -> None:
        """The barrier was opened, by a boom that was not up."""
        if self._wired:
            self.wake_at = self._context.rooms.clock.boot_s() + self._rises_s

    def moved(self, presence: Presence) -> None:
        """The boom is up, or no longer. If by hand, or by a button that is not ours, any vehicle
        may have left.
        """
        lane = self._context.name
        self._last_pulse.used = False
        if not presence.on:
            self._health.clear_alarm(WITHOUT_COMMAND.value, lane)
            return
        self.wake_at = None
        self._health.clear_alarm(NOT_UP, lane)
        if not self._explains(presence.at):
            detail = "the boom is up, and nothing here has opened it"
            self._health.raise_alarm(WITHOUT_COMMAND.value, lane, detail)
            self._context.doubt(WITHOUT_COMMAND)

    def passed(self) -> None:
        """A vehicle has been under it: the next needs a pulse of its own, also while it is up."""
        self._last_pulse.used = True

    def late(self) -> None:
        """It has not come up in time."""
        self.wake_at = None
        detail = f"the boom is not up {self._rises_s:g} s after its relay closed"
        self._health.raise_alarm(NOT_UP, self._context.name, detail)

    def _explains(self, rise_at: float) -> bool:
        """Whether what was commanded explains that the boom rose then (boot clock)."""
        pulsed_at = self._last_pulse.at
        pulsed = pulsed_at is not None and rise_at - pulsed_at <= RISES_S
        return pulsed or self._kept_up()
