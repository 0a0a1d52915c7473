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
