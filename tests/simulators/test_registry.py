from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.registry import LISTS, Registry


def test_every_list_exists_from_the_start_and_is_empty() -> None:
    registry = Registry()
    assert [registry.snapshot(name) for name in LISTS] == [
        {"list": name, "version": 1, "rows": []} for name in LISTS
    ]


def test_a_pardon_without_a_zone_lifts_the_bans_of_all_zones() -> None:
    registry = Registry()
    registry.add("blacklist", "闽C12345", "a")
    registry.add("blacklist", "闽C12345")
    registry.add("blacklist", "闽C54321", "a")

    change = registry.remove("blacklist", "闽C12345")

    assert change is not None
    assert (change["since"], change["version"]) == (4, 5)
    rows: Any = registry.snapshot("blacklist")["rows"]
    assert [row["plate"] for row in rows] == ["闽C54321"]


def test_a_pardon_for_one_zone_leaves_the_others() -> None:
    registry = Registry()
    registry.add("blacklist", "闽C12345", "a")
    assert registry.remove("blacklist", "闽C12345", "b") is None
    assert registry.remove("blacklist", "闽C12345", "a") is not None


def test_lists_survive_in_their_file(tmp_path: Path) -> None:
    path = tmp_path / "lists.json"
    first = Registry(path)
    first.add("visitors", "闽C12345")
    first.add("blacklist", "京A00001", "a", "by hand")

    assert [Registry(path).snapshot(name) for name in LISTS] == [
        first.snapshot(name) for name in LISTS
    ]


PLATES = st.sampled_from(["闽C12345", "京A00001", "沪B88888"])
ZONES = st.sampled_from([None, "a", "b"])


@given(st.lists(st.tuples(st.booleans(), PLATES, ZONES), max_size=30))
@settings(max_examples=100)
def test_who_follows_every_change_holds_the_snapshot(
    steps: list[tuple[bool, str, str | None]],
) -> None:
    registry, version = Registry(), 1
    held: dict[tuple[str, str | None], Any] = {}
    for remove, plate, zone in steps:
        act = registry.remove if remove else registry.add
        change: Any = act("blacklist", plate, zone)
        if change is None:
            continue
        assert change["since"] == version
        version = change["version"]
        for each in change["changes"]:
            row = each["row"]
            key = (row["plate"], row["zone"])
            if each["remove"]:
                del held[key]
            else:
                held[key] = row
    whole: Any = registry.snapshot("blacklist")
    assert whole["version"] == version
    assert whole["rows"] == list(held.values())
