"""The ledger of the site's other controllers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gatekeeper.model import PeerEvent, PeerHealth, PeerMark
from gatekeeper.zones.peers import AWAY_AFTER_S, Peers

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
KEPT = 5000


def event(seq: int, *, controller: str = "north", journal: str = "j1") -> PeerEvent:
    return PeerEvent(
        controller=controller,
        journal=journal,
        seq=seq,
        lane="exit",
        passage=None,
        occurred_at=NINE,
        clock_trusted=True,
        fact=None,
    )


def health(
    seq: int, *, controller: str = "north", journal: str = "j1", online: bool = True
) -> PeerHealth:
    return PeerHealth(
        controller=controller,
        journal=journal,
        seq=seq,
        at=NINE,
        clock_trusted=True,
        online=online,
    )


def take(peers: Peers, *seqs: int, journal: str = "j1") -> list[int]:
    """Those that were news, in this order."""
    news = []
    for seq in seqs:
        told = event(seq, journal=journal)
        if peers.is_news(told):
            news.append(seq)
            peers.took(told, 0.0)
    return news


@pytest.fixture
def peers() -> Peers:
    return Peers({"north": ["hall"], "south": []})


# --- who is there ---------------------------------------------------------------------------


def test_a_peer_is_away_until_it_has_been_heard_and_when_it_has_been_silent(peers: Peers) -> None:
    assert peers.away(0.0) == ("north", "south")

    peers.hear(health(1), 100.0)
    peers.hear(health(1, controller="south"), 100.0)
    assert peers.away(100.0 + AWAY_AFTER_S) == ()
    assert peers.away(100.1 + AWAY_AFTER_S) == ("north", "south")


def test_an_event_is_a_sign_of_life(peers: Peers) -> None:
    peers.took(event(1), 100.0)

    assert peers.away(100.0) == ("south",)


def test_who_says_farewell_is_away_at_once_until_it_is_heard_again(peers: Peers) -> None:
    peers.hear(health(1, controller="south"), 100.0)
    peers.hear(health(1), 100.0)

    assert not peers.hear(health(0, journal="", online=False), 101.0)
    assert peers.away(101.0) == ("north",)
    assert peers.hear(health(1), 102.0)
    assert peers.away(102.0) == ()


def test_a_peer_runs_the_exits_of_these_zones(peers: Peers) -> None:
    assert peers.zones("north") == {"hall"}
    assert peers.zones("south") == frozenset()
    assert peers.zones("a stranger") == frozenset()


def test_a_stranger_is_not_listened_to(peers: Peers) -> None:
    assert not peers.is_news(event(1, controller="a stranger"))
    assert peers.hear(health(1, controller="a stranger"), 0.0)
    assert peers.away(0.0) == ("north", "south")


# --- what is news ---------------------------------------------------------------------------


def test_each_event_is_news_once(peers: Peers) -> None:
    assert take(peers, 1, 2, 2, 1, 3) == [1, 2, 3]


def test_a_backlog_may_come_after_live_events(peers: Peers) -> None:
    assert take(peers, 10, 4, 5, 11, 5, 6) == [10, 4, 5, 11, 6]


def test_after_a_restart_it_goes_on_from_where_it_was(peers: Peers) -> None:
    take(peers, 1, 2, 3)
    assert peers.marks == (PeerMark(controller="north", journal="j1", seq=3),)

    again = Peers({"north": ["hall"]})
    again.restore([*peers.marks, PeerMark(controller="a stranger", journal="j9", seq=1)])
    assert take(again, 2, 3, 4) == [4]


def test_another_journal_is_another_count_and_the_old_one_is_over(peers: Peers) -> None:
    take(peers, 1, 2)

    assert peers.starts_new_journal(event(1, journal="j2"))
    assert take(peers, 1, 2, journal="j2") == [1, 2]
    assert not peers.starts_new_journal(event(3, journal="j2"))
    assert take(peers, 2, 3) == []
    assert take(peers, 1, 2, 3, journal="j2") == [3]


def test_the_first_journal_is_none_that_begins_again(peers: Peers) -> None:
    assert not peers.starts_new_journal(event(7))


def test_a_number_far_ahead_costs_no_more_than_what_is_remembered(peers: Peers) -> None:
    far = 2**63 - 1

    assert take(peers, 1, far, far - 1, 2) == [1, far, far - 1]


# --- what is missing ------------------------------------------------------------------------


def test_what_was_written_before_the_last_health_should_have_come_with_this_one(
    peers: Peers,
) -> None:
    take(peers, 1, 2)

    assert peers.hear(health(4), 30.0)  # 3 and 4 are on their way
    take(peers, 4)
    assert not peers.hear(health(4), 60.0)


def test_what_is_missing_is_said_once_and_may_still_come(peers: Peers) -> None:
    take(peers, 1, 3)
    peers.hear(health(3), 30.0)

    assert not peers.hear(health(3), 60.0)
    assert peers.hear(health(3), 90.0)
    assert take(peers, 2, 2) == [2]


def test_events_that_do_not_come_at_all_are_missed_though_none_ever_came(peers: Peers) -> None:
    assert peers.hear(health(50), 0.0)  # what came before it was first heard, is not waited for
    assert peers.hear(health(52), 30.0)
    assert not peers.hear(health(52), 60.0)


def test_what_a_peer_wrote_shortly_before_it_was_first_heard_is_news(peers: Peers) -> None:
    peers.hear(health(50), 0.0)

    assert take(peers, 49, 50, 51, 49) == [49, 50, 51]


def test_a_health_of_another_journal_says_that_something_is_missing(peers: Peers) -> None:
    take(peers, 1)

    assert not peers.hear(health(1, journal="j2"), 30.0)
    take(peers, 1, journal="j2")
    assert peers.hear(health(1, journal="j2"), 60.0)


# --- in any order ---------------------------------------------------------------------------


@given(st.lists(st.integers(1, 60), max_size=150), st.data())
def test_of_any_stream_shuffled_doubled_and_thinned_each_event_is_taken_once(
    stream: list[int], data: st.DataObject
) -> None:
    peers = Peers({"north": ["hall"]})
    if data.draw(st.booleans()):
        peers.hear(health(data.draw(st.integers(0, 60))), 0.0)

    assert take(peers, *stream) == list(dict.fromkeys(stream))


class AnyBroker(RuleBasedStateMachine):
    """A peer that writes and tells of its health, and a broker that delays, doubles and loses."""

    @initialize(before=st.integers(0, 20))
    def begin(self, before: int) -> None:
        self.peers = Peers({"north": ["hall"]})
        self.journal, self.seq = "j1", before
        self.first = before
        self.taken: set[tuple[str, int]] = set()
        self.announced: int | None = None
        self.missed: set[int] = set()

    @rule(count=st.integers(1, 5))
    def it_writes(self, count: int) -> None:
        self.seq += count

    @precondition(lambda self: self.seq > 0)
    @rule(back=st.integers(0, 30))
    def an_event_comes(self, back: int) -> None:
        told = event(max(1, self.seq - back), journal=self.journal)
        assert self.peers.is_news(told) == ((told.journal, told.seq) not in self.taken)
        if self.peers.is_news(told):
            self.peers.took(told, 0.0)
            self.taken.add((told.journal, told.seq))

    @precondition(lambda self: self.announced is not None)
    @rule()
    def its_health_comes(self) -> None:
        """It is said that something is missing when there is, once for each that is passed by."""
        assert self.announced is not None
        due = set(range(self.first + 1, self.announced + 1)) - self.missed
        late = {seq for seq in due if (self.journal, seq) not in self.taken}
        assert self.peers.hear(health(self.seq, journal=self.journal), 0.0) == (not late)
        (mark,) = self.peers.marks
        self.missed |= {seq for seq in late if seq < mark.seq}
        self.announced = self.seq

    @precondition(lambda self: self.announced is None and not self.taken)
    @rule()
    def its_first_health_comes(self) -> None:
        assert self.peers.hear(health(self.seq, journal=self.journal), 0.0)
        self.first = self.announced = self.seq

    @invariant()
    def the_mark_is_the_highest_number_that_is_known(self) -> None:
        known = [seq for journal, seq in self.taken if journal == self.journal]
        known += [] if self.announced is None else [self.first]
        marks = self.peers.marks
        assert [mark.seq for mark in marks] == ([max(known)] if known else [])


TestAnyBroker = AnyBroker.TestCase
TestAnyBroker.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
