"""The control socket: what runs the gate is asked, and told, on the same machine."""

from gatekeeper.control.client import ask
from gatekeeper.control.server import Answers, ControlSocket

__all__ = ["Answers", "ControlSocket", "ask"]
