"""What a lane remembers of the vehicle that stands there."""

import numpy as np

from gatekeeper.lane.visit import READS_KEPT, Look, Visit
from gatekeeper.model import Colour, Frame, PlateRead


def look(number: int, *plates: str, encoded: bytes = b"jpeg") -> Look:
    pixels = np.zeros((1, 1, 3), np.uint8)
    frame = Frame(
        camera="lane", number=number, at=float(number), pixels=pixels, encoded=encoded, suffix=""
    )
    reads = tuple(
        PlateRead(
            text=text,
            confidences=(0.99,) * len(text),
            colour=Colour.BLUE,
            rows=1,
            corners=((0, 0), (1, 0), (1, 1), (0, 1)),
            frame=number,
            at=float(number),
        )
        for text in plates
    )
    return Look(frame=frame, reads=reads)


def seen(*looks: Look) -> Visit:
    visit = Visit(passage="p-1", arrived=0.0)
    for each in looks:
        visit.take(each)
    return visit


def test_of_a_car_that_stands_there_for_long_the_newest_reads_vote() -> None:
    visit = seen(*(look(number, "闽C12F57") for number in range(READS_KEPT + 5)))
    assert [read.frame for read in visit.reads] == list(range(5, READS_KEPT + 5))


def test_a_picture_with_a_plate_is_kept_and_otherwise_the_first() -> None:
    first, later, plate, after = look(1), look(2), look(3, "闽C12F57"), look(4)
    assert seen(first, later).best is first.frame
    assert seen(first, later, plate, after).best is plate.frame
    assert seen(look(5, encoded=b"")).best is None
