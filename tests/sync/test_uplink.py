from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from gatekeeper.backoff import Backoff

if TYPE_CHECKING:
    from tests.sync.conftest import Broker, Cable, Centre, Gate


async def test_what_happened_while_the_broker_was_down_arrives_in_order_and_once(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port)
    await gate.until(lambda: gate.up)
    await centre.close()
    broker.stop()
    await gate.until(lambda: not gate.up)
    for _ in range(3):
        await gate.happen(25)

    broker.start()
    await centre.open()
    await gate.until(lambda: len(centre.events) >= 75)
    centre.confirm(gate.store.journal, 75)
    await _emptied(gate)

    assert [event["seq"] for event in centre.events] == list(range(1, 76))
    assert {event["journal"] for event in centre.events} == {gate.store.journal}


async def test_a_broker_killed_in_mid_stream_costs_no_event(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    centre.confirms = True
    await gate.happen(400)
    # What the broker had acknowledged and then lost comes once the confirmations stand still.
    gate.start(broker.port, replace(gate.pace, resend=Backoff(first_s=0.5, last_s=600.0)))
    await gate.until(lambda: len(centre.events) > 50)
    await centre.close()
    broker.kill()
    await gate.happen(50)

    broker.start()
    await centre.open()
    await _emptied(gate)

    assert {event["seq"] for event in centre.events} == set(range(1, 451))


async def test_a_puback_frees_nothing_and_a_confirmation_what_it_says(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port)
    await gate.happen(5)
    await gate.until(lambda: len(centre.events) == 5)
    await gate.until(lambda: centre.heard(f"{gate.topic}/health"))

    assert await gate.store.outbox_depth() == 5

    centre.confirm(gate.store.journal, 3)
    await _depth(gate, 2)


async def test_the_confirmation_of_another_journal_frees_nothing(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port)
    await gate.happen(5)
    await gate.until(lambda: len(centre.events) == 5)

    centre.confirm("0199-of-the-database-before", 5)
    centre.confirm(gate.store.journal, 1)
    await _depth(gate, 4)


async def test_what_is_not_confirmed_is_sent_again_and_the_centre_counts_as_away(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port, replace(gate.pace, resend=Backoff(first_s=0.3, last_s=600.0)))
    await gate.happen(2)
    await gate.until(lambda: len(centre.events) >= 4)

    assert [event["seq"] for event in centre.events][:4] == [1, 2, 1, 2]
    assert len({event["id"] for event in centre.events}) == 2
    assert gate.link.away_s > 0.0
    alarm = gate.alarm("centre_silent")
    assert alarm is not None
    assert "the broker takes events" in alarm

    centre.confirm(gate.store.journal, 2)
    await gate.until(lambda: gate.up and gate.alarm("centre_silent") is None)


async def test_a_live_event_does_not_wait_for_the_backlog(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    await gate.happen(600)
    gate.start(broker.port)
    await gate.until(lambda: len(centre.events) >= 500)
    await gate.happen()
    await gate.until(lambda: any(event["seq"] == 601 for event in centre.events))

    # A centre that confirms nothing is not flooded: the end of the backlog waits for it.
    assert [event["seq"] for event in centre.events] == [*range(1, 501), 601]

    centre.confirm(gate.store.journal, 500)
    await gate.until(lambda: len(centre.events) == 601)

    assert [event["seq"] for event in centre.events[501:]] == list(range(501, 601))


async def test_events_are_late_only_if_they_waited(
    broker: Broker, centre: Centre, gate: Gate
) -> None:
    gate.start(broker.port)
    await gate.happen()
    await gate.until(lambda: centre.events)

    [event] = centre.events
    assert event["late"] is False
    assert (event["site"], event["controller"]) == ("hall", "gate-1")
    assert (event["kind"], event["body"]) == ("vehicle.arrived", {})


async def test_a_cable_cut_again_and_again_costs_no_event(
    cable: Cable, centre: Centre, gate: Gate
) -> None:
    centre.confirms = True
    gate.start(cable.port)
    for cut in range(1, 6):
        await gate.happen(60)
        await gate.until(lambda cut=cut: len(centre.events) >= 50 * cut)  # type: ignore[misc] # bound
        await cable.cut(stay=True)
    await gate.happen()
    await _emptied(gate)

    assert {event["seq"] for event in centre.events} == set(range(1, 302))


async def _emptied(gate: Gate) -> None:
    await _depth(gate, 0)


async def _depth(gate: Gate, depth: int) -> None:
    async with asyncio.timeout(30):
        while await gate.store.outbox_depth() != depth:  # noqa: ASYNC110 - the store tells commits
            await asyncio.sleep(0.01)
