"""The real controller in virtual time: loop, clocks, disk, devices, broker, and the machines they
make up. For simulations and for the tests of situations.
"""

from simulators.virtual.broker import Broker
from simulators.virtual.clock import EPOCH, VirtualClock
from simulators.virtual.kerbs import Kerbs, Picture, Shown, Sight
from simulators.virtual.loop import VirtualLoop, at_once
from simulators.virtual.machine import Machine, Told

__all__ = [
    "EPOCH",
    "Broker",
    "Kerbs",
    "Machine",
    "Picture",
    "Shown",
    "Sight",
    "Told",
    "VirtualClock",
    "VirtualLoop",
    "at_once",
]
