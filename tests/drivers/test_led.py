"""The frames of an LED and voice board, read back by a decoder that shares no code with them."""

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.drivers.led import crc16, frame_of, show_frame, voice_frame
from gatekeeper.model import DisplayText
from simulators.led import Decoder, FrameError, Shown

WELCOME = bytes.fromhex("00 64 FF FF 30 09 01 BB B6 D3 AD B9 E2 C1 D9 32 58")
"""The protocol's own example of command 0x30."""

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("闽皖余位车牌请通行A1·")), max_size=80)


def seen(frame: bytes) -> Shown | FrameError:
    (one,) = Decoder().feed(frame)
    return one


def shown(*lines: str, voice: str = "") -> Shown:
    one = seen(show_frame(DisplayText(lines=lines, voice=voice)))
    assert isinstance(one, Shown)
    return one


def test_the_example_of_the_protocol_comes_out_byte_by_byte() -> None:
    assert voice_frame("欢迎光临") == WELCOME
    assert crc16(WELCOME[:-2]).to_bytes(2, "little") == WELCOME[-2:]


def test_a_shown_text_is_laid_out_as_the_protocol_says() -> None:
    first = bytes.fromhex("00 00 01 00 00 FF 00 00 00 02 41 42 0D")
    last = bytes.fromhex("01 00 01 00 00 FF 00 00 00 01 43 00")
    body = b"\x00\x02" + first + last + b"\x0a\x01\x44\x00"
    frame = show_frame(DisplayText(lines=("AB", "C"), voice="D"), address=7)
    assert frame[:6] == bytes((7, 0x64, 0xFF, 0xFF, 0x6E, len(body)))
    assert frame[6:-2] == body


def test_a_text_without_lines_is_spoken_and_one_without_anything_is_no_frame() -> None:
    assert frame_of(DisplayText(voice="欢迎光临")) == WELCOME
    assert frame_of(DisplayText()) == b""


def test_a_line_that_is_too_long_is_cut_after_a_whole_character() -> None:
    assert shown("A" + "闽" * 20).lines == ("A" + "闽" * 15,)


def test_a_voice_that_is_too_long_is_cut_after_a_whole_character() -> None:
    assert shown("", voice="A" + "闽" * 40).voice == "A" + "闽" * 31


def test_lines_beyond_the_fourth_are_left_out() -> None:
    assert shown(*"ABCDE").lines == tuple("ABCD")


def test_what_gbk_cannot_hold_becomes_a_question_mark() -> None:
    assert shown("🚗闽").lines == ("?闽",)


def test_a_control_character_ends_no_line() -> None:
    assert shown("A\rB\nC\x00").lines == ("A B C ",)


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS, st.integers(0, 255))
def test_whatever_the_text_the_board_can_read_it_within_its_limits(
    lines: list[str], voice: str, address: int
) -> None:
    frame = show_frame(DisplayText(lines=tuple(lines), voice=voice), address)
    one = seen(frame)
    assert isinstance(one, Shown)
    assert one.address == address
    assert frame[5] == len(frame) - 8
    assert one.lines is not None
    for meant, read in zip(lines, one.lines, strict=False):
        assert len(read.encode("gbk")) <= 32
        assert "".join(as_gbk(meant)).startswith(read)


@given(TEXTS)
def test_whatever_the_voice_the_board_can_say_it(voice: str) -> None:
    one = seen(voice_frame(voice))
    assert isinstance(one, Shown)
    assert as_gbk(voice).startswith(one.voice)


@given(st.binary(max_size=20), st.integers(1, 5))
def test_a_frame_is_found_behind_noise_and_however_it_is_cut(noise: bytes, piece: int) -> None:
    decoder, sent = Decoder(), noise.replace(b"\x64", b"") + WELCOME
    pieces = [sent[at : at + piece] for at in range(0, len(sent), piece)]
    assert [one for each in pieces for one in decoder.feed(each)] == [seen(WELCOME)]


def as_gbk(text: str) -> str:
    printable = "".join(each if each.isprintable() else " " for each in text)
    return printable.encode("gbk", "replace").decode("gbk")
