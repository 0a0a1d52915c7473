"""A barrier with its arm and its own closing logic, as physics on the loop's clock.

The relay contacts and the safety loop come in; where the arm is goes out as news. It opens on a
pulse of at least 100 ms, stays up while that contact is kept on, and closes by itself or on a
pulse of its other contact, never on an occupied safety loop; opening beats closing. All times
are divided by the speed.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum

PULSE_S = 0.1
"""A shorter contact moves nothing."""
TRAVEL_S = 1.0
"""From down to up, and back."""
AFTER_VEHICLE_S = 1.5
"""It falls so long after the safety loop has cleared ..."""
AFTER_PULSE_S = 8.0
"""... or so long after the pulse, if no car came."""


class State(StrEnum):
    """Where the arm is."""

    DOWN = "down"
    RISING = "rising"
    UP = "up"
    FALLING = "falling"


class Boom:
    """One arm; `moved(state)` is told each time it starts or ends moving."""

    def __init__(self, moved: Callable[[State], None], speed: float) -> None:
        self.state = State.DOWN
        self._moved = moved
        self._speed = speed
        self._contact = False
        self._held = False
        self.occupied = False
        self._stuck = False
        self._crossed = False
        self._free_since = 0.0
        self._risen = 0.0  # share of the way up when it last began to move
        self._since = 0.0
        self._pulse: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._motion: asyncio.TimerHandle | None = None

    def contact(self, on: bool) -> None:
        """The opening relay closes or opens; only a rising edge means anything."""
        if on == self._contact:
            return
        self._contact = on
        if on:
            self._pulse = self._after(PULSE_S, self._lift)
        elif self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None
        if not on and self._held:
            self._held = False
            self._freed()

    def closing(self, on: bool) -> None:
        """The closing relay closes or opens; this too takes 100 ms."""
        if self._closing is not None:
            self._closing.cancel()
        self._closing = self._after(PULSE_S, self._lower) if on else None

    def lift(self) -> None:
        """Somebody lifts it by hand; it comes down as after a pulse."""
        if self._stuck:
            return
        self._lift()
        if not self._contact:
            self._held = False
            self._freed()

    def stick(self, stuck: bool) -> None:
        """It starts no more, whatever it is told; a motion that has begun is ended."""
        self._stuck = stuck
        if not stuck and self._held:
            self._lift()
        elif not stuck and self.state is State.UP:
            self._wait_to_fall()

    def safety(self, on: bool) -> None:
        """The loop under the arm is occupied or clear."""
        if on == self.occupied:
            return
        self.occupied = on
        if on and self.state is State.FALLING:
            self._start(State.RISING)
        elif not on:
            self._crossed = True
            self._freed()

    @property
    def angle(self) -> float:
        """Degrees above the road, 0 to 90."""
        gone = (self._now() - self._since) * self._speed / TRAVEL_S
        match self.state:
            case State.RISING:
                return 90 * min(1.0, self._risen + gone)
            case State.FALLING:
                return 90 * max(0.0, self._risen - gone)
            case _:
                return 90.0 * (self.state is State.UP)

    def stop(self) -> None:
        """Let go of all timers."""
        for timer in (self._pulse, self._closing, self._motion):
            if timer is not None:
                timer.cancel()

    def _lift(self) -> None:
        self._held = True
        self._crossed = False
        if self.state in (State.DOWN, State.FALLING):
            self._start(State.RISING)

    def _lower(self) -> None:
        if self.state in (State.RISING, State.UP) and not self._held and not self.occupied:
            self._start(State.FALLING)

    def _start(self, state: State) -> None:
        """Begin to move, from wherever the arm is."""
        if self._stuck:
            return
        self._risen = self.angle / 90
        self._since = self._now()
        left = 1 - self._risen if state is State.RISING else self._risen
        self._become(state)
        self._plan(left * TRAVEL_S, self._arrived)

    def _arrived(self) -> None:
        if self.state is State.RISING:
            self._become(State.UP)
            self._wait_to_fall()
        else:
            self._become(State.DOWN)

    def _freed(self) -> None:
        self._free_since = self._now()
        if self.state is State.UP:
            self._wait_to_fall()

    def _wait_to_fall(self) -> None:
        wait = AFTER_VEHICLE_S if self._crossed else AFTER_PULSE_S
        self._plan(wait - (self._now() - self._free_since) * self._speed, self._fall)

    def _fall(self) -> None:
        if not self._held and not self.occupied:
            self._start(State.FALLING)

    def _become(self, state: State) -> None:
        self.state = state
        self._moved(state)

    def _plan(self, seconds: float, then: Callable[[], None]) -> None:
        if self._motion is not None:
            self._motion.cancel()
        self._motion = self._after(max(0.0, seconds), then)

    def _after(self, seconds: float, then: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds / self._speed, then)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
