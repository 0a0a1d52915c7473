"""A journal put through the rules again."""

from dataclasses import replace
from datetime import UTC, datetime

from gatekeeper.model import (
    Admits,
    Colour,
    ControllerStopped,
    Decision,
    Direction,
    Grounds,
    Limit,
    ListName,
    ListRow,
    ListVersion,
    PolicyAdopted,
    Reason,
    Sighting,
    SiteState,
    VehicleClass,
    VehicleDecided,
    Verdict,
    ZonePolicy,
    ZoneState,
)
from gatekeeper.rules import access
from gatekeeper.rules.replay import Replayed, replay

PLATE = "闽A12345"
VERSIONS = tuple(
    ListVersion(list=name, version=1, as_of=datetime(2026, 11, 23, tzinfo=UTC)) for name in ListName
)
POLICY = ZonePolicy(
    zone="hall",
    admits=Admits.REGISTERED,
    capacity=60,
    limit=Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0),
)
GROUNDS = Grounds(
    direction=Direction.ENTRY,
    rows=(ListRow(list=ListName.VISITORS, plate=PLATE),),
    zone=ZoneState(zone="hall", count=0, trusted=True),
    site=SiteState(),
    now=datetime(2026, 11, 23, 9, tzinfo=UTC),
    certain=0.98,
)
SIGHTING = Sighting(
    plate=PLATE,
    confidences=(0.99,) * 7,
    colour=Colour.BLUE,
    rows=1,
    agreeing=3,
    frames=(1, 2, 3),
    alternatives=(),
    certain=True,
    first_at=1.0,
    last_at=2.0,
)


def decided(policy: ZonePolicy, grounds: Grounds = GROUNDS) -> VehicleDecided:
    decision = access.decide(
        access.Question(sighting=SIGHTING, policy=policy, grounds=grounds, versions=VERSIONS)
    )
    return VehicleDecided(
        decision=decision, sighting=SIGHTING, picture=None, zone=policy.zone, grounds=grounds
    )


def only(*facts: PolicyAdopted | VehicleDecided | ControllerStopped) -> Replayed:
    (one,) = replay(enumerate(facts, start=1))
    return one


def test_a_decision_comes_out_the_same_on_the_same_grounds() -> None:
    fact = decided(POLICY)
    one = only(PolicyAdopted(policy=POLICY), fact)
    assert (one.seq, one.again, one.differing) == (2, fact.decision, ())
    assert fact.decision.reason is Reason.VISITOR


def test_a_decision_that_the_rules_no_longer_give_is_told_with_what_differs() -> None:
    fact = decided(POLICY)
    was = replace(fact.decision, verdict=Verdict.REFUSE, reason=Reason.NOT_BOUND)
    one = only(PolicyAdopted(policy=POLICY), replace(fact, decision=was))
    assert (one.decided, one.again) == (was, fact.decision)
    assert one.differing == ("verdict", "reason")


def test_each_decision_is_judged_by_the_policy_its_zone_had_by_then() -> None:
    full = replace(GROUNDS, zone=ZoneState(zone="hall", count=60, trusted=True))
    wide, elsewhere = replace(POLICY, capacity=90), replace(POLICY, zone="yard", capacity=1)
    before, after = decided(POLICY, full), decided(wide, full)
    facts = (
        PolicyAdopted(policy=POLICY),
        before,
        PolicyAdopted(policy=wide),
        PolicyAdopted(policy=elsewhere),
        after,
    )
    assert [one.differing for one in replay(enumerate(facts))] == [(), ()]
    assert before.decision.verdict is not after.decision.verdict


def test_a_decision_without_grounds_cannot_be_replayed() -> None:
    ordered = Decision(
        verdict=Verdict.ADMIT,
        reason=Reason.ORDERED,
        rule="order",
        plate=None,
        vehicle=VehicleClass.UNREAD,
        certain=False,
    )
    one = only(
        PolicyAdopted(policy=POLICY),
        VehicleDecided(decision=ordered, sighting=None, picture=None, zone="hall"),
    )
    assert (one.again, one.differing, one.obstacle) == (None, (), "no grounds in the journal")


def test_a_decision_in_a_zone_whose_policy_no_one_told_cannot_be_replayed() -> None:
    one = only(decided(POLICY))
    assert one.again is None
    assert one.obstacle == "no policy of zone hall before it in the journal"


def test_other_facts_say_nothing() -> None:
    assert list(replay([(1, ControllerStopped()), (2, PolicyAdopted(policy=POLICY))])) == []
