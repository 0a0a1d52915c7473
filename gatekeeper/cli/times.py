"""Moments as people at the site read them."""

import re
from datetime import datetime, tzinfo
from typing import Any

_STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
"""A moment as the journal writes it."""


def at_site(moment: datetime | str, zone: tzinfo) -> str:
    """A moment, or one in ISO 8601, by the site's clock and with its offset, to the second."""
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return known.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def by_site(told: Any, zone: tzinfo) -> Any:
    """What JSON tells, with each moment in it by the site's clock and with its offset."""
    if isinstance(told, dict):
        return {key: by_site(each, zone) for key, each in told.items()}
    if isinstance(told, list):
        return [by_site(each, zone) for each in told]
    if isinstance(told, str) and _STORED.fullmatch(told):
        return datetime.fromisoformat(told).astimezone(zone).isoformat()
    return told
