"""The local province as a prior: it may break a tie between provinces, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gatekeeper.model import Colour, PlateRead
from gatekeeper.rules.votes import Quorum, tally

PLAIN = Quorum()
LOCAL = Quorum(province="浙")
TEXTS = ("浙A12345", "沪A12345", "湘A12345", "浙A72345", "沪A7234S", "沪A1234S", "浙AD12345")


def read(text: str, frame: int, confidence: float = 0.99, *, province: float = 0.9) -> PlateRead:
    return PlateRead(
        text=text,
        confidences=(min(province, confidence), *[confidence] * (len(text) - 1)),
        colour=Colour.UNKNOWN,
        rows=1,
        corners=((0.0, 0.0), (120.0, 0.0), (120.0, 40.0), (0.0, 40.0)),
        frame=frame,
        at=frame / 10,
    )


@st.composite
def visits(draw: st.DrawFn) -> list[PlateRead]:
    """Frames that read two provinces about as often, and anything beside them."""
    sure = st.sampled_from([0.3, 0.6, 0.9, 0.99])
    texts = draw(st.lists(st.sampled_from(TEXTS[:2]), max_size=6))
    texts += draw(st.lists(st.sampled_from(TEXTS), max_size=5))
    return [read(text, frame, draw(sure), province=draw(sure)) for frame, text in enumerate(texts)]


def tied() -> list[PlateRead]:
    return [read(text, frame) for frame, text in enumerate(("浙A12345", "沪A12345") * 3)]


def test_a_tie_between_provinces_goes_to_the_local_one_and_is_never_certain() -> None:
    sighting = tally(tied(), LOCAL, last_call=False)

    assert sighting is not None
    assert sighting.plate == "浙A12345"
    assert not sighting.certain
    assert sighting.confidences[0] < 0.5 < sighting.confidences[1]
    assert dict(sighting.alternatives) == pytest.approx({"沪A12345": 0.5})


@pytest.mark.parametrize("province", [None, "粤"])
def test_without_a_local_text_a_tie_stays_a_tie(province: str | None) -> None:
    assert tally(tied(), Quorum(province=province), last_call=True) is None


def test_the_local_province_does_not_outweigh_a_clear_lead() -> None:
    reads = [*tied(), read("沪A12345", 10)]

    sighting = tally(reads, LOCAL, last_call=False)

    assert sighting is not None
    assert sighting.plate == "沪A12345"


def test_texts_that_differ_in_more_than_the_province_are_not_tied_by_it() -> None:
    reads = [read(text, frame) for frame, text in enumerate(("浙A12345", "沪A72345") * 3)]

    assert tally(reads, LOCAL, last_call=True) is None


def test_one_frame_of_each_province_is_too_little_for_the_prior() -> None:
    reads = [read("浙A12345", 1, province=0.99), read("沪A12345", 2, province=0.99)]

    assert tally(reads, LOCAL, last_call=True) is None


@given(visits(), st.booleans())
def test_the_prior_never_changes_a_decided_vote(reads: list[PlateRead], last_call: bool) -> None:
    decided = tally(reads, PLAIN, last_call=last_call)
    assume(decided is not None)

    assert tally(reads, LOCAL, last_call=last_call) == decided


@given(visits(), st.booleans())
def test_what_the_prior_decides_was_read_with_another_province_too(
    reads: list[PlateRead], last_call: bool
) -> None:
    sighting = tally(reads, LOCAL, last_call=last_call)

    if sighting is not None and tally(reads, PLAIN, last_call=last_call) is None:
        assert sighting.plate[0] == LOCAL.province
        assert not sighting.certain
        assert sighting.agreeing >= LOCAL.agreeing
        assert any(text[1:] == sighting.plate[1:] for text, _ in sighting.alternatives)


@given(visits(), st.sampled_from([0.1, 0.6, 0.99]), st.booleans())
def test_one_more_agreeing_read_never_flips_what_the_prior_decided(
    reads: list[PlateRead], confidence: float, last_call: bool
) -> None:
    before = tally(reads, LOCAL, last_call=last_call)
    assume(before is not None)
    assert before is not None
    agreeing = replace(read(before.plate, 99, confidence), frame=99)

    after = tally([*reads, agreeing], LOCAL, last_call=last_call)

    assert after is not None
    assert after.plate == before.plate
