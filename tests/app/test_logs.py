"""What the log holds, told by a program of its own: logging is set up once for a whole process."""

import json
import subprocess
import sys

TALKATIVE = """
import logging
from gatekeeper.app.logs import log_to_stderr

log_to_stderr(as_json=True)
logging.getLogger("pymodbus.logging").error("the last forty packets, byte by byte")
logging.getLogger("paho.mqtt").warning("connection lost")
logging.getLogger("another").warning("heard")
"""


def test_libraries_do_not_say_again_what_board_and_link_say_themselves() -> None:
    said = subprocess.run(
        [sys.executable, "-c", TALKATIVE], check=True, capture_output=True, text=True
    )
    (line,) = said.stderr.splitlines()
    assert json.loads(line)["event"] == "heard"


TIMED = """
from zoneinfo import ZoneInfo
import structlog
from gatekeeper.app.logs import log_to_stderr

log_to_stderr(as_json=True, zone=ZoneInfo("Asia/Shanghai"))
structlog.get_logger("gatekeeper").info("ours")
import logging
logging.getLogger("another").warning("theirs")
def fails(password):
    raise RuntimeError("a fault of the program")
try:
    fails("sesame")
except RuntimeError:
    structlog.get_logger("gatekeeper").exception("failed")
"""


def lines_of(program: str) -> list[dict[str, str]]:
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in said.stderr.splitlines()]


def test_the_log_tells_times_by_the_sites_clock_with_its_offset() -> None:
    lines = lines_of(TIMED)
    assert [line["event"] for line in lines] == ["ours", "theirs", "failed"]
    assert all(line["timestamp"].endswith("+08:00") for line in lines)


def test_row_55_an_error_in_the_log_shows_no_value_that_a_function_was_given() -> None:
    program = TIMED.replace("as_json=True", "as_json=False").replace(
        "import structlog", "import sys; sys.stderr.isatty = lambda: True\nimport structlog"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stderr
    assert "a fault of the program" in said
    assert "sesame" not in said
