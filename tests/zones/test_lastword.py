"""What a peer said last about a plate of the blacklist."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import (
    BlacklistAdded,
    BlacklistRemoved,
    BlacklistSuspended,
    PeerEvent,
    VehicleArrived,
)
from gatekeeper.zones import lastword
from gatekeeper.zones.lastword import LastWords

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
ZONES = ("hall", "yard")
PLATE = "闽C12345"

Fact = BlacklistAdded | BlacklistRemoved | BlacklistSuspended


def added(zone: str = "hall", plate: str = PLATE) -> BlacklistAdded:
    return BlacklistAdded(zone=zone, plate=plate, stay="s", by="gate", reason="overstay")


def removed(zone: str | None = "hall", plate: str = PLATE) -> BlacklistRemoved:
    return BlacklistRemoved(zone=zone, plate=plate, by="Li", reason="paid")


def suspended(zone: str = "hall", plate: str = PLATE) -> BlacklistSuspended:
    return BlacklistSuspended(zone=zone, plate=plate, stay="s", reason="seen outside")


def event(
    seq: int, fact: Fact | VehicleArrived, *, controller: str = "north", journal: str = "j1"
) -> PeerEvent:
    return PeerEvent(
        controller=controller,
        journal=journal,
        seq=seq,
        lane=None,
        passage=None,
        occurred_at=NINE,
        clock_trusted=True,
        fact=fact,
    )


@pytest.fixture
def words() -> LastWords:
    return LastWords(ZONES)


def test_a_ban_that_comes_after_its_own_removal_does_not_stay(words: LastWords) -> None:
    assert words.heard(event(8, removed())) == ("hall",)
    assert words.heard(event(5, added())) == ()


def test_a_removal_that_comes_late_does_not_take_off_a_ban_that_was_renewed(
    words: LastWords,
) -> None:
    assert words.heard(event(8, added())) == ("hall",)
    assert words.heard(event(5, removed())) == ()


def test_a_ban_that_was_set_aside_stays_so_when_it_comes_late(words: LastWords) -> None:
    assert words.heard(event(8, suspended())) == ("hall",)
    assert words.heard(event(5, added())) == ()


def test_in_order_each_counts_and_is_asked_about_as_often_as_wanted(words: LastWords) -> None:
    facts: list[Fact] = [added(), suspended(), removed(), added()]
    for seq, fact in enumerate(facts, start=1):
        assert words.heard(event(seq, fact)) == ("hall",)
        assert words.heard(event(seq, fact)) == ("hall",)


def test_a_removal_from_all_zones_is_later_than_a_ban_in_any(words: LastWords) -> None:
    assert words.heard(event(8, removed(None))) == (None,)
    assert words.heard(event(5, added("yard"))) == ()
    assert words.heard(event(9, added("yard"))) == ("yard",)


def test_a_late_removal_from_all_zones_spares_the_zone_with_a_later_ban(words: LastWords) -> None:
    words.heard(event(8, added("hall")))

    assert words.heard(event(5, removed(None))) == ("yard",)


def test_other_plates_zones_and_controllers_have_words_of_their_own(words: LastWords) -> None:
    words.heard(event(8, removed()))

    assert words.heard(event(5, added(plate="闽C00001"))) == ("hall",)
    assert words.heard(event(5, added("yard"))) == ("yard",)
    assert words.heard(event(5, added(), controller="south")) == ("hall",)


def test_another_journal_begins_from_nothing(words: LastWords) -> None:
    words.heard(event(8, removed()))

    assert words.heard(event(1, added(), journal="j2")) == ("hall",)


def test_any_other_event_counts_for_no_zone(words: LastWords) -> None:
    assert words.heard(event(1, VehicleArrived())) == ()


def test_what_was_forgotten_bans_no_one_and_the_memory_has_an_end(
    words: LastWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lastword, "_KEPT", 3)
    for seq in range(10, 16):
        words.heard(event(seq, removed(plate=f"闽C{seq:05}")))

    assert words.heard(event(9, added(plate="闽C00010"))) == ()
    assert words.heard(event(8, removed(plate="闽C00010"))) == ("hall",)
    assert words.heard(event(16, added(plate="闽C00010"))) == ("hall",)


FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.sampled_from(ZONES).map(added),
    st.sampled_from((*ZONES, None)).map(removed),
    st.sampled_from(ZONES).map(suspended),
)


class Blacklist:
    """What stands on it, and what of that is set aside."""

    def __init__(self) -> None:
        self.rows: dict[str, bool] = {}

    def apply(self, fact: Fact, zones: tuple[str | None, ...]) -> None:
        for zone in ZONES if None in zones else zones:
            assert zone is not None
            match fact:
                case BlacklistAdded():
                    self.rows[zone] = True
                case BlacklistRemoved():
                    self.rows.pop(zone, None)
                case BlacklistSuspended() if zone in self.rows:
                    self.rows[zone] = False

    @property
    def bans(self) -> set[str]:
        return {zone for zone, counts in self.rows.items() if counts}


@given(st.lists(FACTS, max_size=8), st.data())
def test_in_whatever_order_they_come_the_same_is_banned_as_in_the_journals_own(
    history: list[Fact], data: st.DataObject
) -> None:
    truth, heard, words = Blacklist(), Blacklist(), LastWords(ZONES)
    for fact in history:
        truth.apply(fact, (fact.zone,))
    events = [event(seq, fact) for seq, fact in enumerate(history, start=1)]
    for each in data.draw(st.permutations(events)):
        assert isinstance(each.fact, Fact)
        heard.apply(each.fact, words.heard(each))

    assert heard.bans == truth.bans
