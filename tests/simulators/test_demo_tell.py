"""What the demonstration says of a play that does not come out as told."""

import json

import pytest

from simulators.demo.errors import DemoError
from simulators.demo.tell import Teller
from simulators.site.program import ProgramError


@pytest.mark.parametrize("error", [DemoError, ProgramError])
async def test_what_does_not_come_out_as_told_fails_its_act_and_no_other(
    error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    teller = Teller(as_json=True)
    async with teller.act("first"), teller.step("the relay closes"):
        raise error("board: no pulse")
    async with teller.act("second"), teller.step("it is off"):
        pass
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0] == {"act": "first", "step": "board: no pulse", "as_told": False, "ms": None}
    assert all(line["act"] == "second" and line["as_told"] for line in told[1:])
    assert teller.failed == ["first"]
