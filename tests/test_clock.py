"""The one file that reads a clock."""

import ctypes

import pytest

from gatekeeper import clock
from gatekeeper.clock import SystemClock


def test_the_c_library_is_loaded_once_and_not_for_each_instant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[object] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda *args, **_: loaded.append(args))
    for _ in range(3):
        SystemClock().instant()
    assert loaded == []


@pytest.mark.parametrize(("state", "trusted"), [(0, True), (4, True), (5, False), (-1, False)])
def test_the_wall_clock_is_trusted_as_far_as_the_kernel_says_so(
    monkeypatch: pytest.MonkeyPatch, state: int, trusted: bool
) -> None:
    class Kernel:
        def adjtimex(self, _: object) -> int:
            return state

    monkeypatch.setattr(clock, "_LIBC", Kernel())
    assert SystemClock().instant().trusted is trusted
