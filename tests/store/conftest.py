from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatekeeper.store import Store
from tests.store.disk import Disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gatekeeper.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.opened(path)
    yield opened
    await opened.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    mounted = Disk(tmp_path / "disk")
    mounted.mount()
    yield mounted
    mounted.unmount()
