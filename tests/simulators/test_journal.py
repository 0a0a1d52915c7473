import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.journal import Journals


def event(seq: int, journal: str = "j") -> dict[str, Any]:
    return {"journal": journal, "seq": seq, "id": f"{journal}-{seq}", "kind": "vehicle.arrived"}


@given(st.lists(st.integers(1, 12), max_size=40))
@settings(max_examples=100, deadline=None)
def test_each_event_is_kept_once_and_complete_stops_at_the_first_gap(seqs: list[int]) -> None:
    journals = Journals(":memory:")
    new = [seq for seq in seqs if journals.keep("gate-1", event(seq))]

    assert sorted(new) == sorted(set(seqs))
    missing = next(seq for seq in range(1, 14) if seq not in seqs)
    assert journals.complete("j") == missing - 1
    told: Any = journals.told()
    assert (told["count"], told["duplicates"]) == (len(set(seqs)), len(seqs) - len(set(seqs)))
    journals.close()


def test_the_digest_does_not_depend_on_the_order_of_arrival() -> None:
    journals = Journals(":memory:")
    for seq in [*range(2, 21, 2), *range(19, 0, -2)]:
        journals.keep("gate-1", event(seq))

    told: Any = journals.told()
    wanted = hashlib.sha256("".join(f"j-{seq}" for seq in range(1, 21)).encode()).hexdigest()
    assert told["journals"]["j"]["digest"] == wanted
    journals.close()


def test_journals_are_counted_apart() -> None:
    journals = Journals(":memory:")
    for seq in (1, 2, 3):
        journals.keep("gate-1", event(seq, "a"))
    journals.keep("gate-2", event(2, "b"))

    told: Any = journals.told()
    names = ("controller", "count", "highest", "complete")
    assert {name: [j[key] for key in names] for name, j in told["journals"].items()} == {
        "a": ["gate-1", 3, 3, 3],
        "b": ["gate-2", 1, 2, 0],
    }
    journals.close()


def test_what_was_committed_is_there_after_a_restart_and_what_was_not_comes_again(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "events.db")
    first = Journals(path)
    first.keep("gate-1", event(1))
    first.commit()
    first.keep("gate-1", event(2))
    second = Journals(path)

    assert second.complete("j") == 1
    first.close()
    second.close()


def test_two_events_under_one_number_or_one_id_are_an_error() -> None:
    journals = Journals(":memory:")
    journals.keep("gate-1", event(1))
    with pytest.raises(ValueError, match="two events"):
        journals.keep("gate-1", {**event(1), "id": "other"})
    with pytest.raises(ValueError, match="two events"):
        journals.keep("gate-1", {**event(2), "id": "j-1"})
    journals.close()
