"""The page that lists the situations, and the tests it names."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "situations.md"

COVERED = {*range(1, 58)}
"""Every row."""

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def listed() -> list[str]:
    return re.findall(r"`(tests/[^`]+::test_\w+)`", PAGE.read_text(encoding="utf-8"))


def names_in(file: Path) -> list[str]:
    """The tests of a file as pytest names them, those in its classes too."""
    told: list[str] = []
    for each in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        inside = each.body if isinstance(each, ast.ClassDef) else [each]
        prefix = f"{each.name}::" if isinstance(each, ast.ClassDef) else ""
        told += [f"{prefix}{one.name}" for one in inside if isinstance(one, FUNCTION)]
    return [f"{file.as_posix()}::{name}" for name in told if name.split("::")[-1][:5] == "test_"]


def scenarios() -> set[str]:
    files = [
        path.relative_to(ROOT)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "def test_row_" in path.read_text(encoding="utf-8")
    ]
    return {test for file in files for test in names_in(file) if "::test_row_" in test}


def test_every_test_that_the_page_names_is_there() -> None:
    assert [test for test in listed() if test not in names_in(Path(test.split("::")[0]))] == []


def test_every_scenario_is_on_the_page_once() -> None:
    assert sorted(test for test in listed() if "::test_row_" in test) == sorted(scenarios())


def test_every_row_has_a_scenario() -> None:
    rows = {int(found) for test in scenarios() for found in re.findall(r"::test_row_(\d\d)", test)}
    assert rows >= COVERED


def test_the_page_lists_each_scenario_at_its_own_row() -> None:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| (\d+) \|", line)
        for found in re.findall(r"::test_row_(\d\d)", line):
            assert row is not None
            assert int(row.group(1)) == int(found)
