"""What drivers did with their phones in the last minutes."""

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.lane import Bindings
from gatekeeper.model import ListChange, ListChanges, ListName, ListRow

BOUND, OTHER = "京A12345", "沪B67890"
MISREAD = "京A1234S"
"""How a camera might read the bound plate: one confusable character away."""

KEYS = frozenset({BOUND, MISREAD})
FRESH_S = 300.0


def changes(*plates: str, remove: bool = False, of: ListName = ListName.VISITORS) -> ListChanges:
    rows = tuple(ListChange(remove=remove, row=ListRow(list=of, plate=plate)) for plate in plates)
    return ListChanges(list=of, since=0, version=1, changes=rows)


def fresh(bindings: Bindings, at: float, lane: str = "in") -> tuple[str, ...]:
    return bindings.fresh(lane, KEYS, at, FRESH_S)


def test_a_plate_that_was_just_bound_may_be_meant_by_the_vehicle_that_waits() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND, OTHER), 100.0)

    assert fresh(bindings, 101.0) == (BOUND,)


def test_after_five_minutes_a_binding_is_like_any_other() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND), 100.0)

    assert fresh(bindings, 400.0) == (BOUND,)
    assert fresh(bindings, 400.1) == ()


def test_who_binds_again_is_fresh_again() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND), 100.0)
    bindings.changed(changes(BOUND), 600.0)

    assert fresh(bindings, 700.0) == (BOUND,)


def test_who_unbinds_means_no_one() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND), 100.0)
    bindings.changed(changes(BOUND, remove=True), 110.0)

    assert fresh(bindings, 111.0) == ()


def test_a_whole_list_holds_no_fresh_bindings_and_takes_none_away() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND), 100.0)
    bindings.changed(None, 110.0)

    assert fresh(bindings, 111.0) == (BOUND,)


def test_only_visitors_bind() -> None:
    bindings = Bindings()
    for name in set(ListName) - {ListName.VISITORS}:
        bindings.changed(changes(BOUND, of=name), 100.0)

    assert fresh(bindings, 101.0) == ()


def test_a_binding_that_could_be_meant_by_another_waiting_vehicle_admits_neither() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND), 100.0)
    bindings.waits("in", MISREAD)
    for read in (BOUND, MISREAD):
        bindings.waits("in-2", read)
        assert fresh(bindings, 101.0) == ()

    bindings.waits("in-2", OTHER)
    assert fresh(bindings, 101.0) == (BOUND,)


def test_the_vehicle_itself_is_no_other() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND), 100.0)
    bindings.waits("in", BOUND)

    assert fresh(bindings, 101.0) == (BOUND,)
    assert fresh(bindings, 101.0, lane="in-2") == ()


def test_who_no_longer_waits_is_in_no_ones_way() -> None:
    bindings = Bindings()
    bindings.changed(changes(BOUND), 100.0)
    bindings.waits("in-2", BOUND)
    bindings.waits("in-2", None)
    bindings.waits("in-3", None)

    assert fresh(bindings, 101.0) == (BOUND,)


@given(st.integers(1, 3000))
def test_the_newest_thousand_are_remembered(count: int) -> None:
    bindings = Bindings()
    plates = [f"京A{number:05}" for number in range(count)]
    bindings.changed(changes(*plates), 100.0)

    kept = bindings.fresh("in", frozenset(plates), 101.0, FRESH_S)
    assert list(kept) == plates[-1000:]
