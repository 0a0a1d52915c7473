"""Gatekeeper: the controller that runs unattended at the gates of a public car park."""

__version__ = "0.1.0"
