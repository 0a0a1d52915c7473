"""Parts of one whole: none ends unnoticed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from gatekeeper.errors import CameraError, PartEndedError
from gatekeeper.parts import Parts

LIMIT_S = 5.0

Work = Callable[[], Coroutine[Any, Any, None]]


async def goes_on() -> None:
    await asyncio.Event().wait()


async def ends() -> None:
    await asyncio.sleep(0)


async def fails() -> None:
    await asyncio.sleep(0)
    raise CameraError("lost")


class Whole:
    """Runs parts in a task of its own, and keeps those tasks."""

    def __init__(self, *works: Work, may_end: bool = False) -> None:
        self.parts: list[asyncio.Task[None]] = []
        self._works, self._may_end = works, may_end
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with Parts() as parts:
            for number, work in enumerate(self._works):
                self.parts.append(parts.part(work(), f"part {number}", ends=self._may_end))

    async def errors(self) -> list[str]:
        """What it fails with."""
        with pytest.raises(ExceptionGroup) as caught:
            await asyncio.wait_for(self.task, LIMIT_S)
        return [repr(each) for each in caught.value.exceptions]


@pytest.mark.parametrize("may_end", [False, True])
async def test_a_part_that_is_cancelled_alone_ends_the_whole(may_end: bool) -> None:
    whole = Whole(goes_on, goes_on, may_end=may_end)
    await asyncio.sleep(0.01)
    whole.parts[0].cancel()
    assert await whole.errors() == [repr(PartEndedError("part 0 was cancelled"))]
    assert whole.parts[1].cancelled()


async def test_a_part_that_comes_to_its_end_ends_the_whole() -> None:
    whole = Whole(goes_on, ends)
    assert await whole.errors() == [repr(PartEndedError("part 1 ended"))]
    assert whole.parts[0].cancelled()


async def test_a_part_that_may_end_ends_alone() -> None:
    await Whole(ends, ends, may_end=True).task


async def test_the_error_of_a_part_is_told_and_no_other() -> None:
    assert await Whole(goes_on, fails, goes_on).errors() == [repr(CameraError("lost"))]


async def test_a_whole_that_is_cancelled_has_not_failed() -> None:
    whole = Whole(goes_on, goes_on)
    await asyncio.sleep(0.01)
    whole.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole.task
    assert all(part.cancelled() for part in whole.parts)


async def test_a_body_that_fails_ends_its_parts_and_is_told_alone() -> None:
    async def body() -> None:
        async with Parts() as parts:
            parts.part(goes_on(), "part")
            await fails()

    with pytest.raises(ExceptionGroup) as caught:
        await body()
    assert [repr(each) for each in caught.value.exceptions] == [repr(CameraError("lost"))]
