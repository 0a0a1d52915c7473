"""What a simulated site leaves behind in its process, put back."""

import gc
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _nothing_is_left_of_the_simulation() -> Iterator[None]:
    """A site runs without logs and with few collections, in a process of its own otherwise."""
    settings, thresholds = structlog.get_config(), gc.get_threshold()
    yield
    structlog.configure(**settings)
    gc.set_threshold(*thresholds)
