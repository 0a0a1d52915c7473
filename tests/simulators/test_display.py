import os
from pathlib import Path
from typing import Any

import pytest

from simulators.led import Decoder, FrameError, Shown

WELCOME = bytes.fromhex("00 64 FF FF 30 09 01 BB B6 D3 AD B9 E2 C1 D9 32 58")
"""The protocol's own example: "欢迎光临", spoken."""

SHOWN = bytes.fromhex(
    "00 64 FF FF 6E 12 00 01 00 00 01 00 00 FF 00 00 00 02 D3 E0 00 0A 00 00 13 28"
)
"""One line, "余", and no voice."""


@pytest.fixture
async def display(start: Any) -> Any:
    return await start("display")


async def write(display: Any, message: bytes) -> None:
    port = (await display.said("listening"))["port"]
    line = os.open(port, os.O_WRONLY | os.O_NOCTTY)
    os.write(line, message)
    os.close(line)


async def test_what_is_spoken_is_told(display: Any) -> None:
    await write(display, WELCOME)
    assert (await display.said("spoken"))["voice"] == "欢迎光临"


async def test_what_is_shown_is_told_and_stays(display: Any) -> None:
    await write(display, SHOWN)
    assert (await display.said("shown"))["lines"] == ["余"]
    assert (await display.do("state"))["lines"] == ["余"]


async def test_a_frame_with_a_wrong_crc_shows_nothing(display: Any) -> None:
    await write(display, WELCOME[:-1] + b"\x59" + SHOWN)
    await display.said("shown")
    assert (await display.do("state"))["noise"] == len(WELCOME)
    assert not [said for said in display.news if said["said"] == "spoken"]


async def test_a_frame_for_another_address_shows_nothing(start: Any) -> None:
    display = await start("display", "--address=1")
    await write(display, WELCOME)
    await display.do("state")
    assert not [said for said in display.news if said["said"] in ("shown", "spoken")]


async def test_a_port_with_a_name_keeps_it_when_it_is_plugged_in_again(
    start: Any, tmp_path: Path
) -> None:
    link = tmp_path / "by-id"
    display = await start("display", f"--link={link}")
    await display.said("listening", port=str(link))
    await display.do("unplug")
    assert not link.exists()
    await display.do("plug")
    await write(display, WELCOME)
    await display.said("spoken")


async def test_what_cannot_be_done_twice_is_an_error(display: Any) -> None:
    assert (await display.tell("plug"))["detail"] == "it is plugged in"
    await display.do("unplug")
    assert (await display.tell("wedge"))["detail"] == "it is not plugged in"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (b"\x30\x01\x02", "a voice begins with 01"),
        (b"\x31\x00", "no such command: 31"),
        (b"\x6e\x03\x00\x05\x00", "one to four lines"),
        (b"\x6e\x02\x00\x01", "index out of range"),
    ],
)
def test_a_body_that_its_command_does_not_take_is_told(wrong: bytes, told: str) -> None:
    frame = b"\x00\x64\xff\xff" + wrong
    (one,) = Decoder().feed(frame + crc_of(frame))
    assert isinstance(one, FrameError)
    assert told in str(one)


def test_frames_that_follow_each_other_are_told_one_by_one() -> None:
    told = list(Decoder().feed(WELCOME + SHOWN))
    assert told == [Shown(0, None, "欢迎光临"), Shown(0, ("余",), "")]


def crc_of(frame: bytes) -> bytes:
    """The CRC of Modbus RTU, bit by bit as its specification draws it."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")
