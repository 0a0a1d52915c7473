"""What a person beside the gate orders is kept, whatever becomes of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gatekeeper.app.controlroom import ControlRoom
from gatekeeper.app.orders import Orders
from gatekeeper.errors import StoreError, WireError
from gatekeeper.model import Order, OrderAnswer, OrderAnswered
from simulators.simulate.site import INNER, config_of
from simulators.virtual import Broker, Machine, VirtualLoop


class Beside:
    """A controller in virtual time, and who stands beside it."""

    def __init__(self, folder: Path) -> None:
        self.loop = VirtualLoop()
        config = config_of(INNER, folder)
        broker = Broker(lambda _to, _of, _event: False)
        self.machine = Machine(config, config.store.path, self.loop, broker=broker)
        self.machine.begin()
        self.room = ControlRoom(self.machine.controller, config, self.machine.clock)

    def orders(self, verb: str, **fields: object) -> Mapping[str, object]:
        question = {"ask": "order", "verb": verb, "reason": "a test", **fields}
        return self.loop.finish(self.room.answer(question, "li"))

    def kept(self) -> list[OrderAnswered]:
        self.loop.run_to(self.loop.time() + 2.0)
        facts = (told.event.record.fact for told in self.machine.told)
        return [fact for fact in facts if isinstance(fact, OrderAnswered)]


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    made = Beside(tmp_path)
    yield made
    made.machine.kill()
    made.loop.close()


def test_an_order_is_answered_and_kept_with_who_gave_it(beside: Beside) -> None:
    assert beside.orders("hold", lane="inner-exit", minutes=5)["outcome"] == "done"
    [kept] = beside.kept()
    assert (kept.verb, kept.by, kept.reason) == ("hold", "li, at the box", "a test")
    assert beside.machine.kerbs.held == {"inner-exit"}


def test_an_order_that_fails_on_the_way_is_unknown_and_kept(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: Orders, order: Order) -> OrderAnswer:
        raise StoreError("disk I/O error")

    monkeypatch.setattr(Orders, "obey", fails)
    assert beside.orders("lockdown", on=True) == {"outcome": "unknown", "detail": "disk I/O error"}
    [kept] = beside.kept()
    assert (kept.outcome, kept.detail) == ("unknown", "disk I/O error")


@pytest.mark.parametrize(
    ("verb", "fields", "why"),
    [
        ("recount", {"zone": "visitor_zone"}, "recount lacks count"),
        ("recount", {"zone": "visitor_zone", "count": -1}, "count: "),
        ("explode", {}, "no such order: explode"),
    ],
)
def test_what_is_no_order_is_refused_by_the_words_of_the_wire(
    beside: Beside, verb: str, fields: dict[str, object], why: str
) -> None:
    with pytest.raises(WireError, match=why):
        beside.orders(verb, **fields)
    assert beside.kept() == []


def test_the_status_tells_of_each_lane_and_zone(beside: Beside) -> None:
    beside.orders("hold", lane="inner-exit")
    told = beside.loop.finish(beside.room.answer({"ask": "status"}, "li"))
    lanes = told["lanes"]
    assert isinstance(lanes, list)
    assert {each["name"]: each["kept_up"] for each in lanes} == {
        "inner-entry": [],
        "inner-exit": ["order"],
    }
