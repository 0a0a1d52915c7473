"""The journal once more through the rules: what was decided must come out the same again.

Numbered facts come in, in the journal's order, and for each decision goes out what the rules make
of the same sighting, policy, grounds and list versions now. A difference means that the rules
have changed since, or that a decision rested on something its grounds do not tell.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from gatekeeper.model import Decision, Fact, PolicyAdopted, VehicleDecided, ZonePolicy
from gatekeeper.rules import access


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A decision of the journal (event `seq`), decided again.

    `again` is None where that cannot be done; `obstacle` then says why.
    """

    seq: int
    decided: Decision
    again: Decision | None
    obstacle: str = ""

    @property
    def differing(self) -> tuple[str, ...]:
        """The fields in which both differ: none if they are the same, or there is no other."""
        if self.again is None or self.again == self.decided:
            return ()
        names = [field.name for field in fields(Decision)]
        return tuple(
            name for name in names if getattr(self.decided, name) != getattr(self.again, name)
        )


def replay(facts: Iterable[tuple[int, Fact]]) -> Iterator[Replayed]:
    """Every decision among the facts, decided again by the policy its zone had by then."""
    policies: dict[str | None, ZonePolicy] = {}
    for seq, fact in facts:
        match fact:
            case PolicyAdopted(policy=policy):
                policies[policy.zone] = policy
            case VehicleDecided():
                yield _again(seq, fact, policies.get(fact.zone))


def _again(seq: int, fact: VehicleDecided, policy: ZonePolicy | None) -> Replayed:
    if fact.grounds is None:
        return _obstructed(seq, fact, "no grounds in the journal")
    if policy is None:
        return _obstructed(seq, fact, f"no policy of zone {fact.zone} before it in the journal")
    question = access.Question(
        sighting=fact.sighting,
        policy=policy,
        grounds=fact.grounds,
        versions=fact.decision.versions,
    )
    return Replayed(seq=seq, decided=fact.decision, again=access.decide(question))


def _obstructed(seq: int, fact: VehicleDecided, obstacle: str) -> Replayed:
    return Replayed(seq=seq, decided=fact.decision, again=None, obstacle=obstacle)
