"""How many vehicles are inside a zone (situations, 15, 28 and 29)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import Direction, Doubt, Instant, PassageEnd, ZoneState
from gatekeeper.rules.journey import THROUGH, Ended
from gatekeeper.rules.occupancy import MISCOUNTS, counted

AT = Instant(boot_id="a", boot_s=0.0, wall=datetime(2026, 11, 23, 9, tzinfo=UTC), trusted=True)
FIVE = ZoneState(zone="hall", count=5, trusted=True)
EMPTY = ZoneState(zone="hall", count=0, trusted=True)


def passage(end: PassageEnd = PassageEnd.PASSED, *doubts: Doubt) -> Ended:
    return Ended(
        lane="lane",
        passage="p1",
        end=end,
        sighting=None,
        decision=None,
        arrived=AT,
        at=AT,
        doubts=doubts,
    )


@pytest.mark.parametrize("end", THROUGH)
@pytest.mark.parametrize(("direction", "count"), [(Direction.ENTRY, 6), (Direction.EXIT, 4)])
def test_each_vehicle_that_is_through_counts_once(
    end: PassageEnd, direction: Direction, count: int
) -> None:
    after = counted(FIVE, direction, passage(end))
    assert after is not None
    assert after.state == ZoneState(zone="hall", count=count, trusted=True)
    assert after.doubtful is None


@pytest.mark.parametrize("end", [PassageEnd.BACKED_OUT, PassageEnd.TIMED_OUT])
def test_who_is_not_through_changes_nothing(end: PassageEnd) -> None:
    assert counted(FIVE, Direction.ENTRY, passage(end)) is None


def test_the_last_vehicle_that_leaves_leaves_none_and_the_count_is_trusted_still() -> None:
    one = ZoneState(zone="hall", count=1, trusted=True)
    after = counted(one, Direction.EXIT, passage())
    assert after is not None
    assert after.state == EMPTY
    assert after.doubtful is None


def test_below_no_one_there_is_nothing_to_count() -> None:
    after = counted(EMPTY, Direction.EXIT, passage())
    assert after is not None
    assert after.state == ZoneState(zone="hall", count=0, trusted=False)
    assert after.doubtful == "more have left than had come"


@pytest.mark.parametrize("doubt", sorted(MISCOUNTS))
@pytest.mark.parametrize("end", list(PassageEnd))
def test_where_it_is_doubtful_how_many_passed_the_count_is_trusted_no_longer(
    end: PassageEnd, doubt: Doubt
) -> None:
    after = counted(FIVE, Direction.ENTRY, passage(end, doubt))
    assert after is not None
    assert not after.state.trusted
    assert after.doubtful == "a passage in doubt"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Direction),
            st.sampled_from(PassageEnd),
            st.sets(st.sampled_from(Doubt), max_size=2),
        ),
        max_size=12,
    )
)
def test_a_trusted_count_is_the_number_of_entries_less_that_of_exits(
    passages: list[tuple[Direction, PassageEnd, set[Doubt]]],
) -> None:
    state, truth = FIVE, 5
    for direction, end, doubts in passages:
        after = counted(state, direction, passage(end, *doubts))
        assert after is None or state.trusted or not after.state.trusted
        state = state if after is None else after.state
        truth += (end in THROUGH) * (1 if direction is Direction.ENTRY else -1)
        assert state.count >= 0
        assert not state.trusted or state.count == truth
