"""A gate for the world alone: it opens for everybody who arrives."""

from simulators.world.gate import Read


class OpenGate:
    """Opens at once when a car is on the arrival loop, and looks for as long as it stands there."""

    def __init__(self) -> None:
        self._openings: list[str] = []
        self._waiting: set[str] = set()

    def wake_at(self) -> float:
        """Never."""
        return float("inf")

    def wake(self, at: float) -> None:
        """Nothing."""

    def edge(self, lane: str, sensor: str, on: bool, at: float) -> None:
        """A car arrives, or has gone."""
        if sensor == "arrival":
            if on:
                self._openings.append(lane)
                self._waiting.add(lane)
            else:
                self._waiting.discard(lane)

    def looking(self, lane: str) -> bool:
        """While a car is there."""
        return lane in self._waiting

    def look(self, lane: str, frame: int, reads: tuple[Read, ...], at: float) -> None:
        """Nothing."""

    def openings(self) -> list[str]:
        """Those opened since last asked."""
        if not self._openings:
            return self._openings
        opened, self._openings = self._openings, []
        return opened

    def held(self) -> tuple[str, ...]:
        """None."""
        return ()

    def camera(self, lane: str, alive: bool, at: float) -> None:
        """Nothing."""

    def power(self, controller: str, on: bool, at: float) -> None:
        """Nothing."""

    def clock_step(self, controller: str, by_s: float, trusted: bool, at: float) -> None:
        """Nothing."""

    def broker(self, up: bool, at: float) -> None:
        """Nothing."""

    def bind(self, plate: str, at: float) -> None:
        """Nothing."""

    def list_change(self, name: str, plate: str, remove: bool, at: float) -> None:
        """Nothing."""

    def recount(self, zone: str, count: int, at: float) -> None:
        """Nothing."""
