import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.model import PROVINCES, Colour
from gatekeeper.rules import plate
from gatekeeper.rules.plate import PlateKind

SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
EVERYTHING_CONFUSABLE = "0ODQ1IL2Z5S8B6G7T"

ordinary = st.builds(
    lambda province, letter, serial: province + letter + serial,
    st.sampled_from(PROVINCES),
    st.sampled_from("ABCDEFGHJKLMNOPQRSTUVWXYZ"),
    st.text(alphabet=SERIAL, min_size=5, max_size=5),
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("京A12345", PlateKind.ORDINARY),
        ("粤O0A1B2", PlateKind.ORDINARY),
        ("皖AD12345", PlateKind.NEW_ENERGY_SMALL),
        ("皖AFA1234", PlateKind.NEW_ENERGY_SMALL),
        ("沪AK12345", PlateKind.NEW_ENERGY_SMALL),
        ("粤B12345D", PlateKind.NEW_ENERGY_LARGE),
        ("粤B12345K", PlateKind.NEW_ENERGY_LARGE),
        ("京A1234学", PlateKind.TRAINING),
        ("冀B1234挂", PlateKind.TRAILER),
        ("苏A1234警", PlateKind.POLICE),
        ("浙OA123警", PlateKind.POLICE),
        ("粤Z1234港", PlateKind.HONG_KONG),
        ("粤ZAB12澳", PlateKind.MACAO),
        ("沪A1234领", PlateKind.CONSULATE),
        ("使123456", PlateKind.EMBASSY),
        ("123456使", PlateKind.EMBASSY),
        ("京X1234应急", PlateKind.EMERGENCY),
        ("川S1234应急", PlateKind.EMERGENCY),
        ("京12345应急", PlateKind.EMERGENCY),
        ("民航A1234", PlateKind.CIVIL_AVIATION),
        ("WJ粤1234X", PlateKind.ARMED_POLICE),
        ("WJ01234", PlateKind.ARMED_POLICE),
        ("WJ0112345", PlateKind.ARMED_POLICE),
        ("WJ31消0010", PlateKind.ARMED_POLICE),
        ("KA12345", PlateKind.MILITARY),
        ("QD12345", PlateKind.MILITARY),
        ("京A1234试", PlateKind.TEMPORARY),
        ("沪A1234超", PlateKind.TEMPORARY),
        ("粤B12345临", PlateKind.TEMPORARY),
    ],
)
def test_each_kind_of_plate_is_known(text: str, kind: PlateKind) -> None:
    assert plate.kind_of(text) is kind


@given(ordinary, st.sampled_from("ABCDEFGHJK"), st.integers(0, 99_999))
def test_ten_letters_make_a_new_energy_plate_in_front_or_behind(
    text: str, letter: str, number: int
) -> None:
    area, serial = text[:2], f"{number:05}"

    assert plate.kind_of(f"{area}{letter}{serial}") is PlateKind.NEW_ENERGY_SMALL
    assert plate.kind_of(f"{area}{serial}{letter}") is PlateKind.NEW_ENERGY_LARGE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CAM03",
        "20231123",
        "A12345",
        "京A1234",
        "京AI2345",
        "京A1O345",
        "京I12345",
        "京112345",
        "皖AL12345",
        "皖AI12345",
        "皖A12345L",
        "皖ADA12345",
        "皖ADAB123",
        "京Z1234港",
        "京A12345X9",
        "使12345",
        "京A12345应急",
        "XX12345",
    ],
)
def test_what_no_plate_can_say_is_refused(text: str) -> None:
    assert plate.kind_of(text) is None


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("京A·12345", "京A12345"),
        ("京a.12345", "京A12345"),
        (" 京 A-12345 ", "京A12345"),
        ("京A•12345", "京A12345"),
        ("京Ａ１２３４５", "京A12345"),
        ("苏AHOG66", "苏AH0G66"),
        ("苏AI2I45", "苏A12145"),
        ("粤O12345", "粤O12345"),
        ("224·578使", "224578使"),
    ],
)
def test_a_plate_is_written_in_one_way(written: str, plain: str) -> None:
    assert plate.normalise(written) == plain


@given(st.text(max_size=12))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = plate.normalise(text)

    assert plate.normalise(once) == once


@given(ordinary)
def test_a_plate_in_normal_form_stays_as_it_is(text: str) -> None:
    assert plate.normalise(text) == text
    assert plate.kind_of(text) is PlateKind.ORDINARY


@given(st.characters(), st.characters())
def test_confusable_is_symmetric(one: str, other: str) -> None:
    assert plate.confusable(one, other) == plate.confusable(other, one)


def test_confusable_characters_go_in_groups_and_never_with_themselves() -> None:
    pairs = {
        one + other
        for one in EVERYTHING_CONFUSABLE
        for other in EVERYTHING_CONFUSABLE
        if plate.confusable(one, other)
    }

    assert {"0D", "QO", "1L", "2Z", "5S", "8B", "6G", "7T"} <= pairs
    assert not {"88", "D8", "1Z", "6B", "17"} & pairs


def test_look_alikes_differ_in_one_confusable_character_and_are_plates() -> None:
    assert plate.look_alikes("京A83456") == {
        "京AB3456",
        "京A834S6",
        "京A8345G",
    }


def test_a_look_alike_may_be_of_another_kind() -> None:
    assert "京AD12345" in plate.look_alikes("京A012345")
    assert "皖AB12345" in plate.look_alikes("皖A812345")
    assert "皖A12345D" in plate.look_alikes("皖A123450")


@given(ordinary)
def test_being_a_look_alike_is_symmetric(text: str) -> None:
    assert all(text in plate.look_alikes(other) for other in plate.look_alikes(text))
    assert text not in plate.look_alikes(text)


@given(ordinary)
def test_no_look_alike_is_out_of_normal_form(text: str) -> None:
    assert all(plate.normalise(other) == other for other in plate.look_alikes(text))


def test_a_trailer_is_known_by_its_last_character() -> None:
    assert plate.is_trailer("冀B1234挂")
    assert not plate.is_trailer("冀B12345")


@pytest.mark.parametrize(
    ("read", "other", "count"),
    [
        ("京A12345", "京A12345", 0),
        ("京A12345", "京A12348", 1),
        ("京A12345", "京A1234S", 0),
        ("京A12345", "沪B67890", 7),
        ("皖AD1234", "皖AD12345", 0),
        ("皖A12345", "皖AD12345", 0),
        ("皖AD12345", "皖A12345", 1),
        ("京A2345", "京A12345", 0),
    ],
)
def test_sure_characters_contradict_under_the_kindest_alignment(
    read: str, other: str, count: int
) -> None:
    assert plate.contradictions(read, [True] * len(read), other) == count


def test_a_character_the_reader_was_unsure_of_contradicts_nothing() -> None:
    assert plate.contradictions("京A12345", [False] * 7, "沪B67890") == 0


def test_a_green_plate_that_lost_a_character_is_betrayed_by_its_colour() -> None:
    assert not plate.suits(PlateKind.ORDINARY, Colour.GREEN)
    assert not plate.suits(PlateKind.NEW_ENERGY_SMALL, Colour.BLUE)
    assert plate.suits(PlateKind.NEW_ENERGY_LARGE, Colour.YELLOW_GREEN)
    assert plate.suits(PlateKind.ORDINARY, Colour.UNKNOWN)


@pytest.mark.parametrize("kind", PlateKind)
def test_each_kind_has_its_colours_and_suits_them(kind: PlateKind) -> None:
    colours = plate.colours_of(kind)

    assert colours
    assert kind is PlateKind.TEMPORARY or Colour.UNKNOWN not in colours
    assert all(plate.suits(kind, colour) for colour in colours | {Colour.UNKNOWN})


@pytest.mark.parametrize(
    ("kind", "colour"),
    [
        pytest.param(PlateKind.TRAINING, Colour.WHITE, id="yellow under a white lamp"),
        pytest.param(PlateKind.POLICE, Colour.YELLOW, id="white under a yellow lamp"),
        pytest.param(PlateKind.HONG_KONG, Colour.BLUE, id="black at dusk"),
        pytest.param(PlateKind.ORDINARY, Colour.BLACK, id="blue at dusk"),
        pytest.param(PlateKind.CIVIL_AVIATION, Colour.BLACK, id="a dark green"),
    ],
)
def test_a_colour_that_the_light_explains_contradicts_nothing(
    kind: PlateKind, colour: Colour
) -> None:
    assert plate.suits(kind, colour)


@pytest.mark.parametrize(
    ("kind", "colour"),
    [
        (PlateKind.POLICE, Colour.BLUE),
        (PlateKind.EMBASSY, Colour.WHITE),
        (PlateKind.TRAILER, Colour.BLUE),
        (PlateKind.MILITARY, Colour.GREEN),
    ],
)
def test_a_dark_ground_is_told_from_a_light_one_and_both_from_green(
    kind: PlateKind, colour: Colour
) -> None:
    assert not plate.suits(kind, colour)
