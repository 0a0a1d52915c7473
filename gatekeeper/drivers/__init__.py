"""Devices: cameras and relay boards, each behind a port of `ports.py`; they hold no rule."""
