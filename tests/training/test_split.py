from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from training.split import Part, part_of

TOLD = ("京A00000", "粤B0GJ76", "沪AMS087")
TEXTS = [f"京A{number:05}" for number in range(4000)]


@given(st.text("京沪A0O1I9", min_size=2, max_size=8), st.text(max_size=5))
def test_a_plate_always_falls_on_the_same_side(text: str, salt: str) -> None:
    assert part_of(text, salt) is part_of(text, salt)


def test_a_serial_with_o_for_0_is_the_same_plate() -> None:
    assert all(part_of(text, "s") is part_of(text.replace("0", "O"), "s") for text in TEXTS)


def test_half_of_all_plates_measure_and_a_twelfth_calibrates() -> None:
    parts = Counter(part_of(text, "s") for text in TEXTS)

    assert 0.47 < parts[Part.TEST] / len(TEXTS) < 0.53
    assert 0.06 < parts[Part.CALIBRATION] / len(TEXTS) < 0.10


def test_another_salt_divides_otherwise() -> None:
    moved = sum(part_of(text, "one") is not part_of(text, "two") for text in TEXTS)

    assert moved > len(TEXTS) / 3


def test_the_division_is_the_one_that_shipped_figures_were_measured_with() -> None:
    parts = [part_of(text, "gatekeeper-1").value for text in TOLD]

    assert parts == ["train", "calibration", "test"]
