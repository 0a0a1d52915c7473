from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatekeeper.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gatekeeper.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.opened(path)
    yield opened
    await opened.close()
