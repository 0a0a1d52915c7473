"""The page of alarms, and the alarms of the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from gatekeeper.health import HELD_OPEN
from gatekeeper.model import Doubt
from gatekeeper.rules.loops import Fault
from gatekeeper.rules.passage import DOUBTS, Output

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "alarms.md"

BY_VALUE = {
    "lane/visit.py": {
        Output.LOITERING.value,
        Output.LANE_BLOCKED.value,
        *(doubt.value for doubt in DOUBTS.values()),
    },
    "journal/journal.py": {"store_failed", "store_slow"},
    "lane/holder.py": {HELD_OPEN},
    "lane/inputs.py": {Doubt.BOOM_WITHOUT_COMMAND.value, *(fault.value for fault in Fault)},
}
"""Alarms that a file raises by the value of something else."""


def listed() -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def said(verb: str) -> Iterator[tuple[str, str | None]]:
    """What is raised, or cleared, in each file; None where it is no word of its own."""
    for file in sorted((ROOT / "gatekeeper").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == verb:
                name = file.relative_to(ROOT / "gatekeeper").as_posix()
                yield name, _word(call.args[0], tree)


def _word(alarm: ast.expr, tree: ast.Module) -> str | None:
    if isinstance(alarm, ast.Constant):
        return str(alarm.value)
    for line in tree.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == ast.unparse(alarm):
            return str(ast.literal_eval(line.value))
    return None


def raised() -> set[str]:
    return {word for _, word in said("raise_alarm") if word}.union(*BY_VALUE.values())


def test_every_alarm_that_the_code_raises_is_on_the_page_once_and_no_other() -> None:
    assert sorted(listed()) == sorted(raised())


def test_every_file_that_raises_alarms_by_value_is_known_here() -> None:
    assert {file for file, word in said("raise_alarm") if word is None} == set(BY_VALUE)


def test_every_alarm_is_in_the_test_of_some_situation() -> None:
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__)
    )
    assert [alarm for alarm in listed() if f'"{alarm}"' not in tests] == []
