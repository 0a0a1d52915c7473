"""A database that was restored or copied, and a name that is borne twice; by a real broker."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sync.conftest import Broker, Centre, Gate


ROLLED_BACK = "journal.rolled_back"


async def depth(gate: Gate, wanted: int) -> None:
    """Wait until so many events are unconfirmed."""
    async with asyncio.timeout(30):
        while await gate.store.outbox_depth() != wanted:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def up(broker: Broker, gate: Gate) -> None:
    gate.start(broker.port)
    await gate.until(lambda: gate.up)


def told(centre: Centre, journal: str) -> dict[int, str]:
    """The events of a journal that the centre has heard of, by number."""
    return {each["seq"]: each["id"] for each in centre.events if each["journal"] == journal}


@pytest.mark.parametrize("beyond", [{"seq": 9}, {"seq": 2, "id": "an event of another life"}])
async def test_row_45_what_the_centre_has_and_the_gate_has_not_begins_another_journal(
    broker: Broker, centre: Centre, gate: Gate, beyond: dict[str, Any]
) -> None:
    await up(broker, gate)
    await gate.happen(3)
    before = gate.store.journal
    await gate.until(lambda: len(told(centre, before)) == 3)
    centre.confirm(before, 1)
    await depth(gate, 2)
    centre.say(f"{gate.topic}/confirmations", {"journal": before, **beyond})
    await gate.until(lambda: gate.alarm("journal_rolled_back"))
    after = gate.store.journal
    await gate.until(lambda: len(told(centre, after)) == 3)

    assert after != before
    assert {seq: name for seq, name in told(centre, before).items() if seq > 1} == {
        seq: name for seq, name in told(centre, after).items() if seq < 4
    }
    [rolled_back] = [each for each in centre.events if each["kind"] == ROLLED_BACK]
    assert rolled_back["body"] == {"before": before, "first": 2}
    assert {each["first"] for each in centre.events if each["journal"] == after} == {2}
    assert await gate.store.outbox_depth() == 3


async def test_row_45_a_database_that_was_restored_tells_what_is_new_under_another_name(
    broker: Broker, centre: Centre, gate: Gate, make_gate: Any, tmp_path: Path
) -> None:
    centre.confirms = True
    await up(broker, gate)
    await gate.happen(3)
    await gate.until(lambda: len(centre.events) == 3)
    before = gate.store.journal
    back_up(tmp_path / "0.db", tmp_path / "restored.db")
    await gate.happen(2)
    await gate.until(lambda: len(centre.events) == 5)
    await gate.stop()
    centre.confirms = False
    names = told(centre, before)

    restored = await make_gate(name="restored")
    await up(broker, restored)
    await restored.happen(1)
    await restored.until(lambda: len(centre.events) > 5)
    centre.confirm(before, 5, id=names[5])
    await restored.until(lambda: restored.store.journal != before)
    after = restored.store.journal
    await restored.until(lambda: any(each["kind"] == ROLLED_BACK for each in centre.events))
    unconfirmed = await restored.store.outbox_depth()
    await restored.until(lambda: len(told(centre, after)) == unconfirmed)

    kinds = {each["seq"]: each["kind"] for each in centre.events if each["journal"] == after}
    assert {"vehicle.arrived", ROLLED_BACK} == {kinds[seq] for seq in sorted(kinds)[-2:]}
    assert await restored.store.confirm(before, 5) == 0


def back_up(path: Path, copy: Path) -> None:
    """As it is now, also while it is in use."""
    with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(copy)) as there:
        here.backup(there)


async def test_row_45_a_confirmation_that_fits_frees_what_it_confirms(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await up(broker, gate)
    await gate.happen(3)
    journal = gate.store.journal
    await gate.until(lambda: len(told(centre, journal)) == 3)

    centre.confirm(journal, 3, id=told(centre, journal)[3])
    await gate.until(lambda: not gate.health.stands("centre_silent", "centre"))
    await gate.happen(1)
    await gate.until(lambda: len(told(centre, journal)) == 4)
    assert gate.store.journal == journal
    assert gate.alarm("journal_rolled_back") is None


async def test_row_45_two_controllers_of_one_name_both_say_so(
    broker: Broker, gate: Gate, make_gate: Any
) -> None:
    twin = await make_gate()
    for each in (gate, twin):
        each.start(broker.port)
    await gate.until(lambda: gate.alarm("name_taken") and twin.alarm("name_taken"))
    await twin.stop()
    await gate.until(lambda: gate.up and gate.alarm("name_taken") is None)
