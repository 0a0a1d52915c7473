"""Lists whose versions go back, that shrink, and that several people keep; by a real broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gatekeeper.model import Commit, ListName

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Centre, Gate

QUIET_S = 1.2
"""After this a connection delivers what is said now, and nothing that waited."""


def plate(number: int) -> str:
    return f"闽C{number:05}"


def change(version: int, plate: str, *, remove: bool = False, **row: object) -> dict[str, Any]:
    changes = [{"remove": remove, "row": {"plate": plate, **row}}]
    return {"list": "visitors", "since": version - 1, "version": version, "changes": changes}


def whole(version: int, count: int, **words: bool) -> dict[str, Any]:
    rows = [{"plate": plate(number)} for number in range(count)]
    return {"list": "visitors", "version": version, "rows": rows, **words}


class Lists:
    """The visitors at one gate, and the centre that tells of them."""

    def __init__(self, centre: Centre, gate: Gate) -> None:
        self.centre, self.gate = centre, gate
        self.topic = f"{gate.root}/registry/visitors"

    @classmethod
    async def up(cls, broker: Broker, centre: Centre, gate: Gate) -> Lists:
        gate.start(broker.port)
        await gate.until(lambda: gate.up)
        return cls(centre, gate)

    async def step(self, body: dict[str, Any]) -> None:
        """A change that is applied."""
        before = self.gate.changes
        self.centre.say(f"{self.topic}/changes", body)
        await self.gate.until(lambda: self.gate.changes > before)

    async def whole(self, body: dict[str, Any]) -> None:
        """A list that is applied."""
        before = self.gate.changes
        self.centre.say(f"{self.topic}/snapshot", body)
        await self.gate.until(lambda: self.gate.changes > before)

    async def version(self) -> int:
        held = {one.list: one.version for one in await self.gate.store.versions()}
        return held[ListName.VISITORS]

    async def count(self) -> int:
        return await self.gate.store.may_lose(ListName.VISITORS)

    @property
    def wanted(self) -> list[dict[str, Any]]:
        return self.centre.heard(f"{self.gate.topic}/registry/visitors/wanted")

    async def events(self, kind: str) -> list[Any]:
        return [each for each in await self.gate.store.pending(0, 1000) if each.kind == kind]


# --- 46 -------------------------------------------------------------------------------------


async def test_row_46_a_centre_that_was_restored_is_asked_for_the_whole_list_and_believed(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await lists.whole(whole(9, 2))
    await lists.step(change(10, plate(2)))
    await asyncio.sleep(QUIET_S)

    centre.say(f"{lists.topic}/changes", change(8, plate(3)))
    await gate.until(lambda: gate.alarm("registry_version_back"))
    await gate.until(lambda: {"have": 10, "back": True} in lists.wanted)
    centre.say(f"{lists.topic}/changes", change(11, plate(4)))  # follows on the 10 of another life
    await lists.whole(whole(8, 3, reset=True))

    assert await lists.version() == 8
    assert gate.alarm("registry_version_back") is None
    assert await gate.plates(plate(4)) == []


async def test_row_46_a_list_that_is_newer_is_believed_without_a_word(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await lists.whole(whole(9, 2))
    await asyncio.sleep(QUIET_S)
    centre.say(f"{lists.topic}/snapshot", whole(7, 2))
    await gate.until(lambda: gate.alarm("registry_version_back"))

    await lists.whole(whole(12, 2))
    assert gate.alarm("registry_version_back") is None


async def test_row_46_what_comes_twice_is_no_sign_of_it(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await lists.step(change(1, plate(1)))
    await lists.step(change(2, plate(2)))
    await asyncio.sleep(QUIET_S)

    centre.say(f"{lists.topic}/changes", change(1, plate(1)))
    centre.say(f"{lists.topic}/snapshot", {**whole(2, 2), "asked by": "another gate"})
    await lists.step(change(3, plate(3)))

    assert gate.alarm("registry_version_back") is None


async def test_row_46_what_was_on_its_way_with_a_newer_list_is_no_sign_of_it(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await asyncio.sleep(QUIET_S)
    await lists.whole(whole(9, 2))
    centre.say(f"{lists.topic}/changes", change(9, plate(1)))
    await lists.step(change(10, plate(3)))

    assert gate.alarm("registry_version_back") is None


# --- 47 -------------------------------------------------------------------------------------


async def test_row_47_the_centre_and_the_journal_learn_which_rows_were_left_out(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    body = whole(1, 3)
    body["rows"].insert(1, {"plate": "VISITOR"})
    await lists.whole(body)

    row = {
        "number": 1,
        "text": '{"plate": "VISITOR"}',
        "reason": "plate: Value error, is no plate",
    }
    await gate.until(lambda: {"have": 1, "refused": {"count": 1, "rows": [row]}} in lists.wanted)
    [event] = await lists.events("registry.rows_refused")
    assert b"VISITOR" in event.body
    assert gate.alarm("registry_rows_refused") is not None
    assert await lists.count() == 3

    await lists.whole(whole(2, 4))
    assert gate.alarm("registry_rows_refused") is None


# --- 48 -------------------------------------------------------------------------------------


async def test_row_48_a_list_that_would_lose_more_than_half_waits_for_a_word(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await lists.whole(whole(1, 60))

    centre.say(f"{lists.topic}/snapshot", whole(2, 29))
    await gate.until(lambda: gate.alarm("registry_shrunk"))
    assert (await lists.version(), await lists.count()) == (1, 60)

    await lists.whole(whole(2, 29, shrinks=True))
    assert await lists.count() == 29
    assert gate.alarm("registry_shrunk") is None


async def test_row_48_an_empty_list_waits_however_short_the_one_before_was(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await lists.whole(whole(1, 1))

    centre.say(f"{lists.topic}/snapshot", whole(2, 0))
    await gate.until(lambda: gate.alarm("registry_shrunk"))
    assert await lists.count() == 1


async def test_row_48_half_of_a_long_list_and_most_of_a_short_one_may_go(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    for version, count in enumerate((60, 30, 1), start=1):
        await lists.whole(whole(version, count))
    assert await lists.count() == 1


async def test_row_48_what_a_person_allowed_holds_for_the_next_list_alone(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await lists.whole(whole(1, 60))
    await gate.store.commit(Commit(records=(), may_shrink=ListName.VISITORS))

    await lists.whole(whole(2, 0))
    await lists.whole(whole(3, 60))
    centre.say(f"{lists.topic}/snapshot", whole(4, 0))
    await gate.until(lambda: gate.alarm("registry_shrunk"))


# --- 49 -------------------------------------------------------------------------------------


async def test_row_49_a_plate_that_two_have_bound_is_listed_until_both_unbind(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    await lists.step(change(1, plate(1), owner="a"))
    await lists.step(change(2, plate(1), owner="b"))

    await lists.step(change(3, plate(1), owner="a", remove=True))
    assert await gate.plates(plate(1)) == [(ListName.VISITORS, 2)]

    await lists.step(change(4, plate(1), owner="b", remove=True))
    assert await gate.plates(plate(1)) == []


async def test_row_49_who_removes_without_an_owner_removes_every_row(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    lists = await Lists.up(broker, centre, gate)
    for version, owner in enumerate(("a", "b"), start=1):
        await lists.step(change(version, plate(1), owner=owner))

    await lists.step(change(3, plate(1), remove=True))
    assert await gate.plates(plate(1)) == []
