import asyncio
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from gatekeeper.errors import PictureError
from gatekeeper.lpr import ReadingThread, Recogniser
from gatekeeper.model import Frame, Pixels
from simulators.plate import Ground

Street = Callable[[str, Ground], Pixels]


def frame(number: int, pixels: Pixels) -> Frame:
    return Frame(
        camera="in", number=number, at=number * 0.1, pixels=pixels, encoded=b"", suffix=".jpg"
    )


@pytest.fixture
def reading(recogniser: Recogniser) -> Iterator[ReadingThread]:
    thread = ReadingThread(recogniser)
    yield thread
    thread.close()


async def test_reads_bear_the_number_and_moment_of_their_frame(
    reading: ReadingThread, street: Street
) -> None:
    (read,) = await reading.read(frame(7, street("闽C12F57", Ground.BLUE)))

    assert (read.text, read.frame) == ("闽C12F57", 7)
    assert read.at == pytest.approx(0.7)


async def test_lanes_that_ask_at_once_each_get_their_own_answer(
    reading: ReadingThread, street: Street, empty_road: Pixels
) -> None:
    pictures = [street("闽C12F57", Ground.BLUE), empty_road, street("闽CD37619", Ground.GREEN)]

    answers = await asyncio.gather(
        *(reading.read(frame(number, pixels)) for number, pixels in enumerate(pictures))
    )

    assert [[read.text for read in reads] for reads in answers] == [["闽C12F57"], [], ["闽CD37619"]]


async def test_a_broken_picture_is_its_own_callers_error_alone(
    reading: ReadingThread, street: Street
) -> None:
    with pytest.raises(PictureError):
        await reading.read(frame(1, np.zeros((2, 2, 3), np.uint8)))

    assert await reading.read(frame(2, street("闽C12F57", Ground.BLUE)))


async def test_one_thread_reads_and_close_ends_it(recogniser: Recogniser, street: Street) -> None:
    thread = ReadingThread(recogniser)
    pixels = street("闽C12F57", Ground.BLUE)
    await asyncio.gather(*(thread.read(frame(number, pixels)) for number in range(3)))

    assert len([one for one in threading.enumerate() if one.name.startswith("lpr")]) == 1

    thread.close()

    assert not [one for one in threading.enumerate() if one.name.startswith("lpr")]


async def test_a_caller_that_gives_up_does_not_stop_the_next(
    reading: ReadingThread, street: Street
) -> None:
    pixels = street("闽C12F57", Ground.BLUE)
    given_up = [asyncio.create_task(reading.read(frame(number, pixels))) for number in range(3)]
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()

    assert await reading.read(frame(9, pixels))
