"""Tasks that can be made to fail, or to be cancelled, at whatever they are waiting for."""

import asyncio
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary


class Breakable(Coroutine[Any, Any, Any]):
    """A coroutine that raises `fault` where it waits, once that is set."""

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self._inner = inner
        self.fault: BaseException | None = None

    def send(self, value: Any) -> Any:
        """Go on."""
        return self._inner.send(value)

    def throw(  # type: ignore[override] # what a task calls, and no older form
        self,
        error: BaseException,
        value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> Any:
        """A cancellation becomes the fault that is due."""
        fault, self.fault = self.fault, None
        task = asyncio.current_task()
        if fault is not None and task is not None:
            task.uncancel()
            return self._inner.throw(fault)
        return self._inner.throw(error)

    def close(self) -> None:
        """Give up."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()


class Tasks:
    """All tasks of a loop, and who made whom."""

    def __init__(self) -> None:
        self._parents: WeakKeyDictionary[asyncio.Task[Any], asyncio.Task[Any] | None] = (
            WeakKeyDictionary()
        )
        self._coroutines: WeakKeyDictionary[asyncio.Task[Any], Breakable] = WeakKeyDictionary()

    def make(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **more: Any,
    ) -> asyncio.Task[Any]:
        """The task factory of the loop."""
        assert isinstance(work, Coroutine)  # noqa: S101 - generators are no tasks here
        breakable = Breakable(work)
        task: asyncio.Task[Any] = asyncio.Task(breakable, loop=loop, **more)
        self._coroutines[task] = breakable
        self._parents[task] = asyncio.current_task(loop) if loop.is_running() else None
        return task

    def alive(self) -> int:
        """How many have not ended."""
        return sum(not task.done() for task in self._parents)

    def leaves(self, root: asyncio.Task[Any]) -> list[asyncio.Task[Any]]:
        """Of a task and all that came of it, those that wait for none of the others."""
        family = [task for task in list(self._parents) if self._is_of(task, root)]
        alive = [task for task in family if not task.done()]
        parents = {self._parents[task] for task in alive}
        found = [task for task in alive if task not in parents]
        return found or ([root] if not root.done() else [])

    def fail(self, task: asyncio.Task[Any], fault: BaseException) -> None:
        """It raises this where it waits, if it can be reached."""
        breakable = self._coroutines.get(task)
        if breakable is not None and not task.done():
            breakable.fault = fault
            task.cancel()

    def _is_of(self, task: asyncio.Task[Any] | None, root: asyncio.Task[Any]) -> bool:
        while task is not None and task is not root:
            task = self._parents.get(task)
        return task is root
