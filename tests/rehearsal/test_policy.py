"""A site changes its mind while cars are inside, and starts the daemon with other settings."""

from typing import TYPE_CHECKING

import pytest

from gatekeeper.model import ListName, StaySuspected

if TYPE_CHECKING:
    from tests.rehearsal.conftest import Build, Gate

STAFF = "闽C66666"
ENTRY = "inner-entry"


def inside(gate: "Gate") -> None:
    gate.put(ListName.INTERNALS, STAFF)
    gate.arrive(ENTRY, gate.car(STAFF, STAFF), "right")
    gate.drive(ENTRY)
    gate.wait(5.0)


def suspected(gate: "Gate") -> int:
    return sum(isinstance(told.fact, StaySuspected) for told in gate.told)


@pytest.mark.parametrize(
    ("limit_s", "wait_s", "judged"),
    [(1200.0, 900.0, 0), (1200.0, 1400.0, 1), (300.0, 500.0, 0), (300.0, 700.0, 1)],
    ids=["lengthened", "and over all the same", "shortened for others only", "as it began"],
)
def test_a_new_limit_may_lengthen_that_of_a_stay_and_never_shorten_it(
    build: "Build", limit_s: float, wait_s: float, judged: int
) -> None:
    gate = build()
    inside(gate)

    gate.adopt(internal_limit_s=limit_s)
    gate.wait(wait_s)

    assert suspected(gate) == judged
