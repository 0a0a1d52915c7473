"""Moments as people at the site read them."""

from datetime import datetime, tzinfo


def at_site(moment: datetime | str, zone: tzinfo) -> str:
    """A moment, or one in ISO 8601, by the site's clock and with its offset, to the second."""
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return known.astimezone(zone).isoformat(sep=" ", timespec="seconds")
