"""Draw the lane's state machine as its table stands: a state diagram, and what each state does.

    python setup/draw_passage.py > docs/passage.md

In: `gatekeeper.rules.passage`. Out: Markdown with a Mermaid diagram, on standard output. Nothing
is told here that the table does not say: a change of the table is a change of the drawing.
"""

import sys
from collections.abc import Iterable, Iterator

from gatekeeper.rules.passage import TABLE, Input, Move, Passage, State, Timing, step

HEAD = """\
# A vehicle's visit to a lane

The state machine of `gatekeeper/rules/passage/table.py`, drawn from its table by
`python setup/draw_passage.py > docs/passage.md`; a test compares the two. An arrow bears what comes
in and, behind the slash, what goes out. What a state does not name changes nothing.
"""


def document() -> str:
    """The whole of docs/passage.md."""
    return "\n".join([HEAD, *_diagram(), "", *_states()]) + "\n"


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {Passage().state}"
    for state, what, move in _every_move():
        label = f"{what} / {_listed(move.outputs)}" if move.outputs else what
        yield f"    {state} --> {move.to}: {label}"
    yield "```"


def _states() -> Iterator[str]:
    yield "| state | `time` comes after | heeds | may answer |"
    yield "|---|---|---|---|"
    for state, moves in TABLE.items():
        outputs = [output for move in moves.values() for output in move.outputs]
        yield f"| {state} | {_woken(state)} | {_listed(moves)} | {_listed(outputs)} |"


def _every_move() -> Iterator[tuple[State, Input, Move]]:
    for state, moves in TABLE.items():
        for what, move in moves.items():
            yield state, what, move


def _woken(state: State) -> str:
    """When the state is woken, as the machine itself says on the way into it."""
    for before, what, move in _every_move():
        after = step(Passage(state=before), what, 0.0, Timing()).passage
        if move.to is state is after.state:
            return "never" if after.wake_at is None else f"{after.wake_at:g} s"
    return "-"


def _listed(words: Iterable[str]) -> str:
    """Each once, in the order of the table."""
    return ", ".join(dict.fromkeys(words))


if __name__ == "__main__":
    sys.stdout.write(document())
