"""What a change of list means for open stays, while the store may fail."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from gatekeeper.app import lists
from gatekeeper.app.lists import WAITING, Lists
from gatekeeper.clock import SystemClock
from gatekeeper.errors import StoreError
from gatekeeper.lane import Bindings
from gatekeeper.model import ListChange, ListChanges, ListName, ListRow
from gatekeeper.zones import Zones

PATIENCE_S = 30.0
CAR = "京A12345"


class FakeZones:
    """Remembers which plates it was to ask the lists of."""

    def __init__(self) -> None:
        self.asked: list[frozenset[str] | None] = []
        self.failing = False

    async def ask_lists(self, of: frozenset[str] | None) -> None:
        if self.failing:
            raise StoreError("the store does not answer")
        self.asked.append(of)


def changes(plate: str) -> ListChanges:
    row = ListRow(list=ListName.INTERNALS, plate=plate)
    change = ListChange(remove=True, row=row)
    return ListChanges(list=ListName.INTERNALS, since=0, version=1, changes=(change,))


def lists_on(zones: FakeZones) -> Lists:
    return Lists(Bindings(), cast(Zones, zones), clock=SystemClock(), changed=lambda: None)


async def until(what: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - the fake has no event
            await asyncio.sleep(0.005)


async def test_a_change_is_asked_again_until_the_store_has_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lists, "AGAIN_S", 0.01)
    zones = FakeZones()
    zones.failing = True
    under_test = lists_on(zones)
    running = asyncio.create_task(under_test.run())
    under_test.changed(changes(CAR))
    await asyncio.sleep(0.05)
    assert not running.done()
    zones.failing = False
    await until(lambda: zones.asked)

    assert zones.asked == [frozenset({CAR})]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_of_too_many_changes_none_is_lost_for_every_stay_is_looked_at() -> None:
    zones = FakeZones()
    under_test = lists_on(zones)
    for number in range(WAITING + 1):
        under_test.changed(changes(f"京A{number:05}"))
    await under_test.look_up()

    assert len(zones.asked) == WAITING
    assert zones.asked[-1] is None


async def test_a_stay_that_begins_and_a_start_ask_the_lists_once_more() -> None:
    zones = FakeZones()
    under_test = lists_on(zones)
    under_test.began(CAR)
    under_test.restored()
    await under_test.look_up()

    assert zones.asked == [frozenset({CAR}), None]
