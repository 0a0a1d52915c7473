"""What came of a simulation, for people and for programs."""

from collections import Counter
from collections.abc import Iterable

from simulators.simulate.ledger import Verdicts


def added(some: Iterable[Verdicts]) -> Verdicts:
    """The sums over several sites."""
    total = Verdicts()
    for each in some:
        total.add(each)
    return total


def figures(verdicts: Verdicts) -> dict[str, object]:
    """All figures under the names they have in the code."""
    found = {name: getattr(verdicts, name) for name in Verdicts.__slots__}
    return {
        name: dict(value.most_common()) if isinstance(value, Counter) else value
        for name, value in found.items()
    }


def line(verdicts: Verdicts) -> str:
    """The gist of one run."""
    return (
        f"wrong blacklistings {verdicts.wrong_blacklistings}, overstays {verdicts.overstays_true}:"
        f" certain {_share(verdicts.overstays_certain, verdicts.overstays_true)},"
        f" suspected {_share(verdicts.overstays_suspected, verdicts.overstays_true)};"
        f" innocent suspected {_share(verdicts.innocent_suspected, verdicts.innocent_stays)}"
    )


def table(verdicts: Verdicts, seconds: float) -> str:
    """The figures in words."""
    v = verdicts
    rows = [
        ("journeys to the site", f"{v.journeys}"),
        ("stays in the visitor zone", f"{v.stays}, of internal vehicles {v.internal_stays}"),
        ("wrong blacklistings", f"{v.wrong_blacklistings} of {v.blacklistings}"),
        ("true overstays", f"{v.overstays_true}"),
        ("  certain", _share(v.overstays_certain, v.overstays_true)),
        ("  suspected", _share(v.overstays_suspected, v.overstays_true)),
        ("  missed", _share(v.overstays_missed, v.overstays_true)),
        ("  why only suspected", _most(v.doubts)),
        ("innocent internal stays", f"{v.innocent_stays}"),
        ("  suspected", _share(v.innocent_suspected, v.innocent_stays)),
        ("blacklistings set aside", f"{v.suspended}"),
        ("admitted at the inner gate", _most(v.admitted)),
        ("refused", _most(v.refused)),
        ("of these wrongly", _most(v.wrong)),
        ("ways out of the zone", _most(v.ways_out)),
        ("occupancy error, largest", f"{v.occupancy_error_max}"),
        ("  while the gate was sure", f"{v.occupancy_error_max_trusted}"),
        ("faults drawn", f"{v.faults_drawn}"),
        ("promises broken", f"{v.promises_broken}"),
        ("seconds", f"{seconds:.1f}"),
    ]
    return "\n".join([f"{name:<28}  {value}" for name, value in rows] + v.victims + v.broken)


def _share(some: int, of: int) -> str:
    return f"{some} ({100 * some / of:.1f} %)" if of else f"{some}"


def _most(counts: Counter[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in counts.most_common()) or "none"
