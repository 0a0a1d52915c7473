"""What every room's tests rest on."""

import asyncio
import os
import signal
from pathlib import PurePath

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Here, because pytest asks for options before it has looked into the folders of the tests."""
    bench = parser.getgroup("bench", "a relay board on a bench, instead of the simulated ones")
    bench.addoption("--board", metavar="ADDRESS", help="as in [[board]]: tcp://192.0.2.7")
    bench.addoption("--profile", default="plain", help="what kind of board it is")
    bench.addoption("--unit", type=int, default=1)
    bench.addoption("--coil", type=int, default=0, help="the relay that is switched; wire nothing")


TALKING_ROOMS = {"drivers", "sync", "simulators", "e2e", "kerb"}
"""Where tests open sockets of their own, on loopback; everywhere else a socket is a mistake."""


WAITING_FILES = {
    "test_barrier",
    "test_booms",
    "test_camera",
    "test_contract",
    "test_daemon",
    "test_demo",
    "test_reversible",
    "test_rtsp",
    "test_shared_line",
}
"""Their tests start programs of their own and wait for them: each may go to another worker."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """A file is one worker's, for its tests may share what is costly; so is the site of `kerb`."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePath(nodeid.split("::")[0])
        if file.stem in WAITING_FILES:
            return nodeid
        return str(file.parent if file.parent.name == "kerb" else file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in TALKING_ROOMS:
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """By the programs that tests start, also where a shell runs the tests in the background, and
    therefore has them ignore it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_loop_comes_into_being_by_asking_for_one() -> None:
    """pytest-asyncio asks for the present loop, and Python 3.11 then makes one that is not closed
    unless it has been told that there is none.
    """
    asyncio.set_event_loop(None)
