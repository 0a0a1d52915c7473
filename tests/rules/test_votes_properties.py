"""What holds of votes whatever the frames show."""

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from gatekeeper.model import Colour, Corners, PlateRead
from gatekeeper.rules import plate
from gatekeeper.rules.votes import Quorum, tally

QUORUM = Quorum()
CAR, NEXT = "京A12345", "沪B88888"
TEXTS = (
    CAR,
    "京A1234S",
    "京A72345",
    "京A·12345",
    "京AD12345",
    "京AD1234",
    NEXT,
    "沪BB8888",
    "CAM03",
)
PROVINCES = st.sampled_from([None, "京", "沪"])


def box(width: float) -> Corners:
    return ((0.0, 0.0), (width, 0.0), (width, width / 3), (0.0, width / 3))


def read(text: str, frame: int, confidence: float, width: float) -> PlateRead:
    return PlateRead(
        text=text,
        confidences=(confidence,) * len(text),
        colour=Colour.UNKNOWN,
        rows=1,
        corners=box(width),
        frame=frame,
        at=frame / 10,
    )


reads_of_anything = st.builds(
    read,
    st.sampled_from(TEXTS),
    st.integers(1, 8),
    st.sampled_from([0.1, 0.5, 0.9, 0.98, 1.0]),
    st.sampled_from([40.0, 80.0, 120.0, 180.0]),
)
visits = st.lists(reads_of_anything, max_size=14)


@given(visits, PROVINCES, st.booleans())
def test_no_plate_is_invented(
    reads: list[PlateRead], province: str | None, last_call: bool
) -> None:
    sighting = tally(reads, Quorum(province=province), last_call=last_call)
    assume(sighting is not None)
    assert sighting is not None
    read_so = {plate.normalise(one.text) for one in reads}

    assert sighting.plate in read_so
    assert {text for text, _ in sighting.alternatives} < read_so


@given(visits, st.randoms(use_true_random=False), PROVINCES, st.booleans())
def test_frames_may_come_in_any_order(
    reads: list[PlateRead], chance: Random, province: str | None, last_call: bool
) -> None:
    quorum = Quorum(province=province)
    shuffled = list(reads)
    chance.shuffle(shuffled)

    assert tally(shuffled, quorum, last_call=last_call) == tally(reads, quorum, last_call=last_call)


@given(visits, PROVINCES)
def test_without_the_last_call_one_frame_never_decides(
    reads: list[PlateRead], province: str | None
) -> None:
    sighting = tally(reads, Quorum(province=province), last_call=False)

    assert sighting is None or len(set(sighting.frames)) >= QUORUM.agreeing


@given(visits, PROVINCES)
def test_in_the_last_call_a_lone_frame_decides_only_if_sure_of_every_character(
    reads: list[PlateRead], province: str | None
) -> None:
    sighting = tally(reads, Quorum(province=province), last_call=True)

    assert (
        sighting is None
        or sighting.agreeing >= QUORUM.agreeing
        or any(
            one.frame in sighting.frames
            and plate.normalise(one.text) == sighting.plate
            and one.confidence >= QUORUM.lone
            for one in reads
        )
    )


@given(
    visits,
    st.sampled_from(TEXTS[:-1]),
    st.lists(st.sampled_from([0.1, 0.5, 0.98, 1.0]), min_size=1, max_size=3),
    st.sampled_from([40.0, 120.0, 300.0]),
    PROVINCES,
    st.booleans(),
)
def test_more_agreeing_reads_of_any_size_never_flip_or_withdraw_a_sighting(
    reads: list[PlateRead],
    text: str,
    confidences: list[float],
    width: float,
    province: str | None,
    last_call: bool,
) -> None:
    quorum = Quorum(province=province)
    reads = [*reads, *(read(text, 20 + nth, 0.98, 120.0) for nth in range(2))]
    before = tally(reads, quorum, last_call=last_call)
    assume(before is not None)
    assert before is not None
    more = [read(before.plate, 50 + nth, sure, width) for nth, sure in enumerate(confidences)]

    after = tally([*reads, *more], quorum, last_call=last_call)

    assert after is not None
    assert after.plate == before.plate
    assert after.agreeing == before.agreeing + len(more)


@given(
    st.lists(st.sampled_from([0.9, 1.0]), min_size=2, max_size=4),
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.9, 1.0])), max_size=40),
    st.floats(0.05, 0.69),
    st.booleans(),
)
def test_another_vehicle_half_as_large_never_wins_against_a_clear_one(
    clear: list[float], behind: list[tuple[int, float]], ratio: float, last_call: bool
) -> None:
    nearer = [read(CAR, frame, sure, 150.0) for frame, sure in enumerate(clear)]
    further = [read(NEXT, frame, sure, 150.0 * ratio) for frame, sure in behind]

    sighting = tally(nearer + further, QUORUM, last_call=last_call)

    assert sighting is not None
    assert sighting.plate == CAR


@given(
    st.lists(st.tuples(st.sampled_from([0.5, 0.9, 1.0]), st.floats(0.1, 0.99)), max_size=12),
    st.booleans(),
)
def test_another_vehicle_smaller_in_every_frame_never_wins(
    frames: list[tuple[float, float]], last_call: bool
) -> None:
    reads = [
        one
        for frame, (sure, ratio) in enumerate(frames)
        for one in (read(CAR, frame, sure, 150.0), read(NEXT, frame, sure, 150.0 * ratio))
    ]

    sighting = tally(reads, QUORUM, last_call=last_call)

    assert sighting is None or sighting.plate == CAR
    assert sighting is None or sighting.company
