"""Devices: cameras, boards and displays, each behind a port of `ports.py`; they hold no rule."""
