"""A controller's files, as the command line finds them."""

import asyncio
from pathlib import Path

import pytest

from gatekeeper.model import Commit
from gatekeeper.store import Store

EXAMPLE = Path(__file__).parents[2] / "config" / "gatekeeper.toml"


class Gate:
    """A configuration `file` and the `database` it names, which a controller has written."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gate.toml"
        self.database = folder / "gatekeeper.db"
        text = EXAMPLE.read_text(encoding="utf-8").replace("/var/lib/gatekeeper/", "")
        text = text.replace('networks = "gk"', 'networks = "clp"')  # the other set of the two
        self.file.write_text(text, encoding="utf-8")

    def write(self, commit: Commit) -> None:
        """What the controller committed before it was switched off."""
        asyncio.run(self._write(commit))

    async def _write(self, commit: Commit) -> None:
        store = await Store.opened(self.database)
        await store.commit(commit)
        await store.close()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)
