"""Every fact survives the journal, whatever is in it, and so does a stay."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, time
from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper import model
from gatekeeper.errors import StoreError
from gatekeeper.model import AlarmCleared, Fact, Limit, Stay
from gatekeeper.store import facts

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    NoneType: st.none(),
    str: st.text(max_size=20),
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: st.datetimes(timezones=st.just(UTC)),
    time: st.times(),
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type as the model may name it."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, UnionType):
        return st.one_of(*map(values, get_args(hint)))
    if get_origin(hint) is tuple:
        of = get_args(hint)
        if of[-1] is Ellipsis:
            return st.lists(values(of[0]), max_size=3).map(tuple)
        return st.tuples(*map(values, of))
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    assert isinstance(hint, type)
    assert is_dataclass(hint)
    hints = get_type_hints(hint, vars(model))
    return st.builds(hint, **{each.name: values(hints[each.name]) for each in fields(hint)})


@pytest.mark.parametrize("kind", facts.CLASSES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_fact_comes_back_as_it_was(kind: str, data: st.DataObject) -> None:
    fact: Fact = data.draw(values(facts.CLASSES[kind]))

    assert facts.fact_of(kind, facts.to_json(fact)) == fact


@settings(max_examples=50, deadline=None)
@given(values(Stay))
def test_a_stay_comes_back_as_it_was(stay: Stay) -> None:
    assert facts.stay_of(facts.to_json(stay)) == stay


def test_every_kind_of_fact_has_a_class_of_its_own() -> None:
    assert len(facts.CLASSES) == len(get_args(Fact))


def test_a_field_that_no_one_knows_is_passed_over() -> None:
    body = '{"alarm": "camera_stale", "subject": "gate-1", "since_version": 9}'

    fact = facts.fact_of("alarm.cleared", body)

    assert fact == AlarmCleared(alarm="camera_stale", subject="gate-1")


def test_a_field_that_was_not_written_takes_its_default() -> None:
    fact = facts.fact_of("controller.started", '{"version": "0.1.0", "boot_id": "b"}')

    assert fact == model.ControllerStarted(version="0.1.0", boot_id="b", unfinished=())


def test_a_kind_that_no_one_knows_is_an_error_that_names_it() -> None:
    with pytest.raises(StoreError, match=r"barrier\.melted"):
        facts.fact_of("barrier.melted", "{}")


def test_a_body_that_cannot_be_read_is_an_error_that_says_what() -> None:
    with pytest.raises(StoreError, match="Stay"):
        facts.stay_of('{"id": "s"}')


def test_the_kind_is_not_repeated_in_the_body() -> None:
    assert facts.to_json(AlarmCleared(alarm="a", subject="s")) == '{"alarm":"a","subject":"s"}'


def test_a_limit_is_written_with_its_units() -> None:
    limit = Limit(limit_s=600.0, warning_s=120.0, grace_s=60.0)
    decision = model.Decision(
        verdict=model.Verdict.ADMIT,
        reason=model.Reason.INTERNAL,
        rule="internal",
        plate="闽C12345",
        vehicle=model.VehicleClass.INTERNAL,
        certain=True,
        limit=limit,
    )

    body = facts.to_json(model.VehicleDecided(decision=decision, sighting=None, picture=None))

    assert '"limit":{"limit_s":600.0,"warning_s":120.0,"grace_s":60.0}' in body
    assert "闽C12345" in body
