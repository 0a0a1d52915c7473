"""The page that lists the traps, and the tests it names."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "traps.md"

ROW = re.compile(r"^\| (?P<trap>.+) \| (?P<done>.+) \| (?P<tests>.+) \|$", re.MULTILINE)
NODE_ID = re.compile(r"`(tests/[^`:]+)::(test_\w+)`")


def rows() -> list[re.Match[str]]:
    return [row for row in ROW.finditer(PAGE.read_text(encoding="utf-8")) if row["trap"] != "trap"]


def names_in(file: str) -> set[str]:
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return {each.name for each in tree.body if isinstance(each, functions)}


def test_every_trap_names_its_tests_and_nothing_else() -> None:
    assert len(rows()) > 50
    for row in rows():
        named = row["tests"].split("<br>")
        assert [test for test in named if NODE_ID.fullmatch(test) is None] == []
        assert len(set(named)) == len(named)


def test_every_test_that_the_page_names_is_there() -> None:
    named = NODE_ID.findall(PAGE.read_text(encoding="utf-8"))
    assert [(file, test) for file, test in named if test not in names_in(file)] == []
