"""A barrier, the lanes that lead under it, and the vehicles there, as physics.

Contacts of relays and what detectors see come in; what vehicles do to detectors goes out. A
vehicle gets through only under a raised arm, and only a fault lowers the arm on it: that is
told as `struck`.
"""

import asyncio
from collections.abc import Callable, Mapping

from simulators.boom import Boom, State
from simulators.console import CommandError, Fields, say
from simulators.wiring import Channel, Wiring

ROLL_S = 0.3
"""From standing on the arrival loop to touching the safety loop."""
LEAVE_ARRIVAL_S = 0.3
"""A vehicle is on two loops for so long."""
ON_SAFETY_S = 1.0
"""From leaving the arrival loop to leaving the safety loop."""
LEAVE_FAR_S = 0.7
"""From leaving the safety loop to leaving the far arrival loop of a reversible lane."""
TAILGATE_GAP_S = 0.5
"""Between two vehicles on one opening."""


SetInput = Callable[[Channel, bool], None]
"""Says what is on a detector; what the board and the barrier see of it may differ."""


class Barrier:
    """The arm, what drives it, and the detectors under it; lanes share it if it is reversible."""

    def __init__(self, wiring: Wiring, set_input: SetInput, speed: float) -> None:
        self.boom = Boom(self._moved, speed)
        self.lanes: list[Lane] = []
        self._wiring = wiring
        self._set_input = set_input
        self._contacts: set[Channel] = set()
        self._seen: set[Channel | None] = set()
        self._under = 0

    def contact(self, relay: Channel, on: bool) -> None:
        """A relay's contact closes or opens."""
        (self._contacts.add if on else self._contacts.discard)(relay)
        if relay in (self._wiring.coil, self._wiring.hold):
            self.boom.contact(bool(self._contacts & {self._wiring.coil, self._wiring.hold}))
        elif relay == self._wiring.close:
            self.boom.closing(on)

    def feel(self, detector: Channel | None, on: bool) -> None:
        """A detector sees something, or no more; the arm minds those under it."""
        if detector in (self._wiring.safety, self._wiring.photocell):
            (self._seen.add if on else self._seen.discard)(detector)
            self.boom.safety(bool(self._seen))

    def enter(self) -> None:
        """A vehicle comes under the arm."""
        self._under += 1
        self._look()

    def leave(self) -> None:
        """It is through."""
        self._under -= 1
        self._look()

    def _look(self) -> None:
        if self._wiring.safety is None:  # it has a loop of its own all the same
            self.feel(None, self._under > 0)
        for detector in (self._wiring.safety, self._wiring.photocell):
            if detector is not None:
                self._set_input(detector, self._under > 0)

    def _moved(self, state: State) -> None:
        for lane in self.lanes:
            say("boom", lane=lane.name, state=state, angle=round(self.boom.angle))
            if state is State.DOWN and self._under:
                say("struck", lane=lane.name)
        if self._wiring.boom_up is not None:
            self._set_input(self._wiring.boom_up, state is State.UP)
        if state is State.UP:
            for lane in self.lanes:
                lane.raised()


class Lane:
    """One lane's arrival loop, and the vehicle that stands there or drives through."""

    def __init__(self, wiring: Wiring, barrier: Barrier, set_input: SetInput, speed: float) -> None:
        self.name = wiring.lane
        self.wiring = wiring
        self.barrier = barrier
        self.opposite: Lane | None = None
        self._set_input = set_input
        self._speed = speed
        self._stands = False
        self._passed_over = False
        self._halted = False
        self._crossing = False
        self._waiting: asyncio.Future[None] | None = None

    def arrive(self) -> None:
        """A vehicle comes to stand on the arrival loop."""
        if self._stands:
            raise CommandError("a vehicle stands there already")
        self._stand(True)

    def back(self) -> None:
        """The vehicle leaves the way it came; from under the arm it comes to the arrival loop."""
        if self._halted:
            self._halted = False
            self._stand(True)
            self.barrier.leave()
            return
        if not self._stands:
            raise CommandError("no vehicle stands there")
        if self._crossing and self._waiting is None:
            raise CommandError("the vehicle is driving through")
        self._stand(False)
        if self._waiting is not None:
            self._waiting.set_exception(CommandError("the vehicle left backwards"))
            self._waiting = None

    async def cross(self, patience_s: float, followers: int = 0) -> None:
        """The vehicle drives through when the arm is up, with others close behind it."""
        await self._begin(patience_s)
        try:
            await self._drive_under()
            await self._drive_off()
            for _ in range(followers):
                self._stand(True)
                await self._pass(TAILGATE_GAP_S)
                await self._drive_under()
                await self._drive_off()
        finally:
            self._crossing = False

    async def halt(self, patience_s: float) -> None:
        """The vehicle drives under the arm when it is up, and stays there."""
        await self._begin(patience_s)
        try:
            await self._drive_under()
            self._halted = True
        finally:
            self._crossing = False

    async def go(self) -> None:
        """The vehicle under the arm drives on."""
        if not self._halted:
            raise CommandError("no vehicle halted under the boom")
        self._halted = False
        await self._drive_off()

    def raised(self) -> None:
        """The arm is up: the vehicle that waited for it drives."""
        if self._waiting is not None:
            self._waiting.set_result(None)
            self._waiting = None

    def put(self, on: bool) -> None:
        """Somebody switched the arrival loop's input by hand: it counts as a vehicle."""
        self._stands = on

    def fields(self) -> Fields:
        """What `state` answers for this lane."""
        boom = self.barrier.boom
        return {
            "boom": boom.state,
            "angle": round(boom.angle),
            "arrival": self._stands or self._passed_over,
            "safety": boom.occupied,
        }

    async def _begin(self, patience_s: float) -> None:
        if not self._stands:
            raise CommandError("no vehicle stands there")
        if self._crossing or self._halted:
            raise CommandError("a vehicle is crossing already")
        self._crossing = True
        try:
            await self._wait_for_arm(patience_s)
        except BaseException:
            self._crossing = False
            raise

    async def _wait_for_arm(self, patience_s: float) -> None:
        if self.barrier.boom.state is State.UP:
            return
        up = self._waiting = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(patience_s):
                await up
        except TimeoutError:
            raise CommandError("boom is down") from None
        finally:
            self._waiting = None

    async def _drive_under(self) -> None:
        """From the arrival loop onto the safety loop."""
        await self._pass(ROLL_S)
        self.barrier.enter()
        await self._pass(LEAVE_ARRIVAL_S)
        self._stand(False)

    async def _drive_off(self) -> None:
        """Away from the safety loop; nothing stops a vehicle half-way."""
        if self.opposite is None:
            await self._pass(ON_SAFETY_S)
            self.barrier.leave()
            return
        await self._pass(ON_SAFETY_S - LEAVE_ARRIVAL_S)
        self.opposite.pass_over(True)
        await self._pass(LEAVE_ARRIVAL_S)
        self.barrier.leave()
        await self._pass(LEAVE_FAR_S)
        self.opposite.pass_over(False)

    def pass_over(self, on: bool) -> None:
        """A vehicle that comes from under the arm is on this arrival loop, or has left it."""
        self._passed_over = on
        self._show()

    def _stand(self, on: bool) -> None:
        self._stands = on
        self._show()

    def _show(self) -> None:
        if self.wiring.arrival is not None:
            self._set_input(self.wiring.arrival, self._stands or self._passed_over)

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


def build(wirings: list[Wiring], set_input: SetInput, speed: float) -> Mapping[str, Lane]:
    """Lanes by name, with their barriers; lanes with the same opening relay share one."""
    barriers: dict[Channel, Barrier] = {}
    lanes: dict[str, Lane] = {}
    for wiring in wirings:
        barrier = barriers.get(wiring.coil) or Barrier(wiring, set_input, speed)
        barriers[wiring.coil] = barrier
        lane = lanes[wiring.lane] = Lane(wiring, barrier, set_input, speed)
        for other in barrier.lanes:
            lane.opposite, other.opposite = other, lane
        barrier.lanes.append(lane)
    return lanes
