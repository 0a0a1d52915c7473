"""Booms that are kept up, and closed, against a Modbus server with faults, in this process."""

from test_board import lane

from gatekeeper.config import InputSettings

LANES = (
    lane(
        "entry",
        1,
        arrival=InputSettings(board="gate", input=0),
        safety_loop=InputSettings(board="gate", input=1),
    ),
    lane(
        "exit",
        3,
        hold_coil=2,
        close_coil=4,
        arrival=InputSettings(board="gate", input=2),
        safety_loop=InputSettings(board="gate", input=3),
    ),
)
"""`entry` opens and holds by coil 1; `exit` opens by coil 3, holds by 2 and closes by 4."""
