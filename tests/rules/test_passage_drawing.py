"""The drawing of the lane's state machine."""

import subprocess
import sys
from pathlib import Path

from gatekeeper.rules.passage import TABLE

ROOT = Path(__file__).resolve().parents[2]


def drawn() -> str:
    command = [sys.executable, str(ROOT / "setup" / "draw_passage.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def test_the_drawing_in_the_docs_is_what_the_table_says_now() -> None:
    assert (ROOT / "docs" / "passage.md").read_text(encoding="utf-8") == drawn(), (
        "draw it again: python setup/draw_passage.py > docs/passage.md"
    )


def test_every_move_of_the_table_is_an_arrow() -> None:
    arrows = [line for line in drawn().splitlines() if " --> " in line]
    assert len(arrows) == 1 + sum(len(moves) for moves in TABLE.values())
