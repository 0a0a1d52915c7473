"""Prints the play: a line a step, as it happens; JSON lines for programs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console

from gatekeeper.clock import monotonic
from simulators.demo.errors import DemoError
from simulators.site.program import ProgramError


class Teller:
    """Says what happens, and remembers whether all of it came out as told."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False, soft_wrap=True)
        self._act = ""
        self._failed: list[str] = []

    @property
    def failed(self) -> list[str]:
        """The acts that did not come out as told."""
        return self._failed

    def note(self, text: str, **fields: object) -> None:
        """Something worth knowing that is no step."""
        if self._as_json:
            self._line({"act": self._act, "note": text, **fields})
        else:
            self._console.print(f"  [dim]{text}[/dim]")

    @asynccontextmanager
    async def act(self, title: str) -> AsyncIterator[None]:
        """One act; what does not come out as told is said, and the play goes on."""
        self._act = title
        if not self._as_json:
            self._console.print(f"\n[bold]{title}[/bold]")
        try:
            yield
        except (DemoError, ProgramError) as error:
            self._failed.append(title)
            self._step(str(error), good=False, ms=None)
        else:
            if self._as_json:
                self._line({"act": title, "ended": True, "as_told": True})

    @asynccontextmanager
    async def step(self, text: str) -> AsyncIterator[None]:
        """One step, told when it has happened, with how long it took."""
        begun = monotonic()
        yield
        self._step(text, good=True, ms=(monotonic() - begun) * 1000)

    def _step(self, text: str, *, good: bool, ms: float | None) -> None:
        if self._as_json:
            self._line({"act": self._act, "step": text, "as_told": good, "ms": ms and round(ms)})
            return
        mark = "[green]✓[/green]" if good else "[red]✗ not as told:[/red]"
        took = "" if ms is None else f" [dim]{ms / 1000:.2f} s[/dim]"
        self._console.print(f"  {mark} {text}{took}")

    def end(self, verdict: str, **fields: object) -> None:
        """The last line."""
        if self._as_json:
            self._line({"demo": verdict, "as_told": not self._failed, **fields})
        else:
            colour = "red" if self._failed else "green"
            self._console.print(f"\n[bold {colour}]{verdict}[/bold {colour}]")

    def _line(self, said: dict[str, object]) -> None:
        print(json.dumps(said, ensure_ascii=False), flush=True)
