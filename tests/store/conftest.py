import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatekeeper.store import Store


@pytest.fixture(scope="session", autouse=True)
def _no_loop_comes_into_being_by_asking_for_one() -> None:
    """pytest-asyncio asks for the present loop, and Python 3.11 then makes one that nobody closes
    unless it has been told that there is none.
    """
    asyncio.set_event_loop(None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gatekeeper.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(path)
    yield opened
    await opened.close()
