"""Parts of one whole that run side by side: when one has ended, the others end, too."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from gatekeeper.errors import PartEndedError


class Parts(asyncio.TaskGroup):
    """A task group that does not overlook a task of its own that was cancelled alone: asyncio takes
    that for an orderly end, and what the task was there for would never be done again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._whole: asyncio.Task[Any] | None = None
        self._ending = False

    async def __aenter__(self) -> Self:
        self._whole = asyncio.current_task()
        return await super().__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending |= kind is not None
        await super().__aexit__(kind, error, traceback)

    def part(
        self, work: Coroutine[Any, Any, None], name: str, *, ends: bool = False
    ) -> asyncio.Task[None]:
        """Run a part; only one that `ends` may come to its end before the whole does. The group
        fails with `PartEndedError` when one ends otherwise without an error of its own.
        """
        return self.create_task(self._run(work, name, ends=ends), name=name)

    async def _run(self, work: Coroutine[Any, Any, None], name: str, *, ends: bool) -> None:
        try:
            await work
            if not ends:
                raise PartEndedError(f"{name} ended")
        except asyncio.CancelledError:
            if self._ending or (self._whole is not None and self._whole.cancelling()):
                raise
            self._ending = True
            raise PartEndedError(f"{name} was cancelled") from None
        except BaseException:
            self._ending = True
            raise
