from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gatekeeper.model import Colour, Corners, PlateRead
from gatekeeper.rules.votes import Quorum, tally

QUORUM = Quorum()
TEXTS = (
    "京A12345",
    "京A1234S",
    "京A72345",
    "京A1Z34S",
    "京AD12345",
    "京AD1234",
    "沪B88888",
    "CAM03",
    "京A·12345",
)


def box(width: float, left: float = 0.0) -> Corners:
    height = width / 3
    return ((left, 0.0), (left + width, 0.0), (left + width, height), (left, height))


def read(
    text: str,
    confidence: float = 0.99,
    *,
    frame: int = 1,
    colour: Colour = Colour.UNKNOWN,
    corners: Corners | None = None,
    weak: dict[int, float] | None = None,
) -> PlateRead:
    confidences = tuple((weak or {}).get(place, confidence) for place in range(len(text)))
    return PlateRead(
        text=text,
        confidences=confidences,
        colour=colour,
        rows=1,
        corners=corners or box(120.0),
        frame=frame,
        at=frame / 10,
    )


@st.composite
def plate_reads(draw: st.DrawFn) -> PlateRead:
    text = draw(st.sampled_from(TEXTS))
    steps = st.integers(0, 100).map(lambda percent: percent / 100)
    return PlateRead(
        text=text,
        confidences=tuple(draw(st.lists(steps, min_size=len(text), max_size=len(text)))),
        colour=draw(st.sampled_from([Colour.BLUE, Colour.GREEN, Colour.UNKNOWN])),
        rows=1,
        corners=box(draw(st.sampled_from([60.0, 120.0]))),
        frame=draw(st.integers(1, 6)),
        at=draw(st.integers(0, 30)) / 10,
    )


@st.composite
def visits(draw: st.DrawFn) -> list[PlateRead]:
    """Several frames that mostly agree, and any other reads beside them."""
    text = draw(st.sampled_from(TEXTS))
    sure = draw(st.lists(st.sampled_from([0.6, 0.9, 0.99]), max_size=6))
    reads = [read(text, confidence, frame=10 + nth) for nth, confidence in enumerate(sure)]
    return reads + draw(st.lists(plate_reads(), max_size=5))


def test_two_agreeing_frames_are_a_sighting() -> None:
    sighting = tally(
        [read("京A12345", frame=4), read("京A12345", frame=7)], QUORUM, last_call=False
    )

    assert sighting is not None
    assert sighting.plate == "京A12345"
    assert sighting.agreeing == 2
    assert sighting.frames == (4, 7)
    assert (sighting.first_at, sighting.last_at) == (0.4, 0.7)
    assert sighting.confidence == pytest.approx(0.99)
    assert sighting.alternatives == ()


def test_the_same_frame_twice_is_one_opinion() -> None:
    assert tally([read("京A12345"), read("京A12345")], QUORUM, last_call=False) is None


def test_nothing_read_is_no_sighting() -> None:
    assert tally([], QUORUM, last_call=True) is None


@pytest.mark.parametrize("text", ["CAM03", "2026-11-23", "京A1234", "顺丰速运"])
def test_what_is_no_plate_never_votes(text: str) -> None:
    reads = [read(text, frame=frame) for frame in range(5)]

    assert tally(reads, QUORUM, last_call=True) is None


def test_separators_and_impossible_letters_do_not_divide_the_votes() -> None:
    reads = [read("京A·I2345", frame=1), read("京A12345", frame=2)]

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.plate == "京A12345"
    assert len(sighting.confidences) == 7


def test_a_read_whose_confidences_do_not_fit_its_text_is_not_counted() -> None:
    broken = replace(read("京A12345"), confidences=(0.99,) * 6)

    assert tally([broken, replace(broken, frame=2)], QUORUM, last_call=True) is None


def test_a_lone_read_is_believed_in_the_last_call_if_every_character_is_sure() -> None:
    assert tally([read("京A12345")], QUORUM, last_call=False) is None
    assert tally([read("京A12345")], QUORUM, last_call=True) is not None
    assert tally([read("京A12345", weak={0: 0.97})], QUORUM, last_call=True) is None


def test_a_tie_between_texts_is_no_sighting_in_the_last_call_neither() -> None:
    reads = [read(text, frame=frame) for frame, text in enumerate(("京A12345", "京A72345") * 2)]

    assert tally(reads, QUORUM, last_call=True) is None


def test_a_hair_of_confidence_does_not_decide_between_texts() -> None:
    reads = [read("京A12345", 0.99, frame=frame) for frame in range(2)]
    reads += [read("京A72345", 0.9, frame=frame) for frame in range(2, 4)]

    assert tally(reads, QUORUM, last_call=True) is None
    assert tally([*reads, read("京A12345", frame=4)], QUORUM, last_call=False) is not None


def test_which_of_two_equal_reads_of_a_frame_counts_is_not_left_to_their_order() -> None:
    reads = [read("京A12345", frame=1), replace(read("京A12345", frame=1), at=0.0)]
    other = read("京A12345", frame=2)

    assert tally([*reads, other], QUORUM, last_call=False) == tally(
        [other, *reversed(reads)], QUORUM, last_call=False
    )


def test_read_and_sighting_are_as_sure_as_their_weakest_character() -> None:
    blurred = [read("京A12345", frame=frame, weak={0: 0.6}) for frame in range(3)]

    sighting = tally(blurred, QUORUM, last_call=False)

    assert blurred[0].confidence == 0.6
    assert sighting is not None
    assert sighting.confidence == pytest.approx(0.6)
    assert not sighting.certain


def test_dissent_lowers_the_confidence_of_the_character_it_is_about() -> None:
    reads = [read("京A12345", frame=frame) for frame in range(3)]
    reads.append(read("京A1234S", frame=9))

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.plate == "京A12345"
    assert sighting.confidences[:6] == pytest.approx((0.99,) * 6)
    assert sighting.confidences[6] == pytest.approx(0.99 * 3 / (3 + 0.99))
    assert [text for text, _ in sighting.alternatives] == ["京A1234S"]
    assert sighting.alternatives[0][1] == pytest.approx(0.25)


def test_unsure_dissent_lowers_it_less_than_sure_dissent() -> None:
    agreed = [read("京A12345", frame=frame) for frame in range(3)]

    sure = tally([*agreed, read("京A1234S", frame=9)], QUORUM, last_call=False)
    unsure = tally([*agreed, read("京A1234S", frame=9, weak={6: 0.3})], QUORUM, last_call=False)

    assert sure is not None
    assert unsure is not None
    assert sure.confidence < unsure.confidence


def test_a_character_that_most_frames_deny_yields_no_sighting() -> None:
    reads = [
        read("京A12345", frame=1),
        read("京A12345", frame=2),
        read("京A7234S", frame=3),
        read("京A72365", frame=4),
        read("京A72945", frame=5),
    ]

    assert tally(reads, QUORUM, last_call=True) is None


def test_a_green_plate_is_not_taken_for_its_first_seven_characters() -> None:
    truncated = [read("京AD1234", frame=frame, colour=Colour.GREEN) for frame in range(3)]
    whole = [read("京AD12345", frame=frame, colour=Colour.GREEN) for frame in range(3, 5)]

    sighting = tally(truncated + whole, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.plate == "京AD12345"
    assert sighting.colour is Colour.GREEN


def test_a_length_that_most_frames_deny_yields_no_sighting() -> None:
    short = [read("京AD1234", frame=frame) for frame in range(2)]
    long = [
        read(text, frame=5 + nth)
        for nth, text in enumerate(("京AD12345", "京AD12346", "京AD12375"))
    ]

    assert tally(short, QUORUM, last_call=True) is not None
    assert tally(short + long, QUORUM, last_call=True) is None


def test_a_colour_that_was_told_in_some_frames_is_the_sighting_s() -> None:
    reads = [read("京A12345", frame=frame) for frame in range(3)]
    reads.append(read("京A12345", frame=9, colour=Colour.BLUE))

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.colour is Colour.BLUE


def test_a_text_that_contradicts_its_colour_is_never_certain() -> None:
    reads = [read("京AD1234", frame=frame, colour=Colour.GREEN) for frame in range(5)]

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert not sighting.certain
    assert tally(reads[:1], QUORUM, last_call=True) is None


def test_the_nearer_of_two_cars_in_view_is_the_one_at_the_barrier() -> None:
    reads = [
        one
        for frame in range(4)
        for one in (
            read("京A12345", frame=frame, corners=box(150.0)),
            read("沪B88888", frame=frame, corners=box(60.0, left=400.0)),
        )
    ]

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.plate == "京A12345"
    assert not sighting.certain


def test_the_next_car_seen_alone_for_long_has_no_vote() -> None:
    clear = [read("京A12345", frame=frame, corners=box(150.0)) for frame in range(2)]
    alone = [read("沪B88888", frame=frame, corners=box(60.0)) for frame in range(2, 20)]

    sighting = tally(clear + alone, QUORUM, last_call=True)

    assert sighting is not None
    assert sighting.plate == "京A12345"
    assert sighting.alternatives == (("沪B88888", 0.0),)
    assert not sighting.certain


@pytest.mark.parametrize(("share", "winner"), [(0.49, "京A12345"), (0.51, "沪B88888")])
def test_a_plate_is_the_next_cars_only_if_it_was_never_half_as_large(
    share: float, winner: str
) -> None:
    clear = [read("京A12345", frame=frame, corners=box(150.0)) for frame in range(2)]
    smaller = box(150.0 * share**0.5)
    alone = [read("沪B88888", frame=frame, corners=smaller) for frame in range(2, 8)]

    sighting = tally(clear + alone, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.plate == winner


def test_a_car_read_from_afar_and_misread_close_by_is_not_the_next_car() -> None:
    afar = [read("京A12345", frame=frame, corners=box(60.0)) for frame in range(6)]
    close = [read("京A1234S", frame=frame, corners=box(150.0)) for frame in range(6, 8)]

    sighting = tally(afar + close, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.plate == "京A12345"


def test_a_frame_with_two_plates_is_company_and_two_frames_with_one_each_are_not() -> None:
    car = [read("京A12345", frame=frame) for frame in range(4)]

    beside = tally([*car, read("沪B88888", 0.5, frame=3)], QUORUM, last_call=False)
    apart = tally([*car, read("沪B88888", 0.5, frame=9)], QUORUM, last_call=False)

    assert beside is not None
    assert beside.company
    assert not beside.certain
    assert apart is not None
    assert not apart.company


def test_two_equally_near_plates_are_no_sighting() -> None:
    reads = [read(text, frame=frame) for frame in range(4) for text in ("京A12345", "沪B88888")]

    assert tally(reads, QUORUM, last_call=True) is None


def test_three_frames_sure_of_every_character_are_certain() -> None:
    reads = [read("京A12345", frame=frame) for frame in range(3)]

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.certain


@pytest.mark.parametrize(
    "spoiler",
    [
        pytest.param(read("京A72345", frame=9), id="a frame surely read another character"),
        pytest.param(read("京AD12345", frame=9), id="a frame surely read another length"),
        pytest.param(read("沪B88888", 0.7, frame=2), id="a second plate was in view"),
    ],
)
def test_what_spoils_certainty(spoiler: PlateRead) -> None:
    reads = [read("京A12345", frame=frame) for frame in range(4)]

    sighting = tally([*reads, spoiler], QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.plate == "京A12345"
    assert not sighting.certain


def test_two_sure_frames_and_an_unsure_one_are_not_certain() -> None:
    reads = [read("京A12345", frame=1), read("京A12345", frame=2)]
    reads.append(read("京A12345", frame=3, weak={3: 0.97}))

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert not sighting.certain


def test_a_blurred_frame_beside_three_sure_ones_leaves_them_certain() -> None:
    reads = [read("京A12345", frame=frame) for frame in range(3)]
    reads.append(read("京A1234S", 0.5, frame=9))

    sighting = tally(reads, QUORUM, last_call=False)

    assert sighting is not None
    assert sighting.certain


@given(visits(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_reads_does_not_matter(
    reads: list[PlateRead], chance: Random, last_call: bool
) -> None:
    shuffled = list(reads)
    chance.shuffle(shuffled)

    assert tally(shuffled, QUORUM, last_call=last_call) == tally(reads, QUORUM, last_call=last_call)


@given(plate_reads(), st.booleans())
def test_one_read_never_commits_below_lone(one: PlateRead, last_call: bool) -> None:
    sighting = tally([one], QUORUM, last_call=last_call)

    assert sighting is None or (last_call and one.confidence >= QUORUM.lone)


@given(visits(), plate_reads(), st.booleans())
def test_one_more_agreeing_read_never_flips(
    reads: list[PlateRead], other: PlateRead, last_call: bool
) -> None:
    before = tally(reads, QUORUM, last_call=last_call)
    assume(before is not None)
    assert before is not None
    agreeing = replace(
        other,
        text=before.plate,
        confidences=(other.confidence,) * len(before.plate),
        frame=99,
    )

    after = tally([*reads, agreeing], QUORUM, last_call=last_call)

    assert after is not None
    assert after.plate == before.plate
    assert after.agreeing == before.agreeing + 1


@given(visits(), st.booleans())
def test_a_sighting_was_read_by_the_frames_it_names(
    reads: list[PlateRead], last_call: bool
) -> None:
    sighting = tally(reads, QUORUM, last_call=last_call)
    assume(sighting is not None)
    assert sighting is not None
    shares = [share for _, share in sighting.alternatives]

    assert len(set(sighting.frames)) == sighting.agreeing
    assert all(0.0 <= confidence <= 1.0 for confidence in sighting.confidences)
    assert len(sighting.confidences) == len(sighting.plate)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 0.5
    assert not sighting.certain or sighting.agreeing >= QUORUM.certain_frames
