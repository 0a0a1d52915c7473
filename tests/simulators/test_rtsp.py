import asyncio
from typing import Any

import cv2
import numpy as np
import pytest

from simulators import rtsp


@pytest.mark.parametrize("number", [0, 1, 4711, 65535])
def test_a_picture_bears_its_number_even_when_it_was_compressed(number: int) -> None:
    grey = np.full((720, 1280, 3), 90, np.uint8)
    _, jpeg = cv2.imencode(".jpg", rtsp.numbered(grey, number), [cv2.IMWRITE_JPEG_QUALITY, 30])

    picture = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)

    assert rtsp.number_in(picture) == number


async def answers(url: str) -> bytes:
    """What its server says to OPTIONS."""
    host, _, port = url.split("/")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
    line = await reader.readline()
    writer.close()
    return line


async def test_each_lane_has_a_server_of_its_own_and_no_one_plays_at_first(start: Any) -> None:
    cameras = await start("rtsp", "in", "out")
    urls = {(await cameras.said("listening", lane=lane))["url"] for lane in ("in", "out")}

    assert len(urls) == 2
    for url in urls:
        assert (await answers(url)).startswith(b"RTSP/1.0 200")
    assert (await cameras.do("state"))["played"] == []


async def test_a_dead_server_listens_again_at_its_port_and_its_neighbour_lives(start: Any) -> None:
    cameras = await start("rtsp", "in", "out")
    url, neighbour = [(await cameras.said("listening", lane=lane))["url"] for lane in ("in", "out")]

    await cameras.do("fault in dead")
    with pytest.raises(OSError, match="Connect"):
        await answers(url)
    assert (await answers(neighbour)).startswith(b"RTSP/1.0 200")
    await cameras.do("fault in none")
    assert (await answers(url)).startswith(b"RTSP/1.0 200")


async def test_a_stopped_server_ends_with_its_simulator(start: Any) -> None:
    cameras = await start("rtsp", "in")
    url = (await cameras.said("listening"))["url"]
    await cameras.do("fault in hang")

    assert await cameras.end() == 0
    with pytest.raises(OSError, match="Connect"):
        await answers(url)


async def test_what_cannot_be_shown_is_an_error(start: Any) -> None:
    cameras = await start("rtsp", "in")
    for command in ("show out 闽C12345", "fault in garbage", "fault in slow", "fault out none"):
        assert (await cameras.tell(command))["said"] == "error"
