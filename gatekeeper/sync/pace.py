"""How patient the link is: every waiting time of this room, in one place. It decides nothing."""

from dataclasses import dataclass

from gatekeeper.backoff import Backoff

_RETRY = Backoff(first_s=1.0, last_s=30.0)
_RESEND = Backoff(first_s=30.0, last_s=600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Starting values; only tests set others, to be short.

    `steady_s` is how long a connection must have held for the next one to be tried soon again
    (two controllers with one name throw each other out endlessly); `alone_s` how long it has to
    hold before it is believed that no other bears this name; `expiry_s` how long the broker keeps
    what it has for a controller that is away; `time_s` how long an order waits to be told what time
    it is; `races_s` how long changes that were on their way with a newer list may come after it;
    `report_good_for_s` how long a report is worth hearing: a peer that comes back must not take an
    old one for a sign of life.
    """

    tick_s: float = 1.0
    retry: Backoff = _RETRY
    steady_s: float = 30.0
    away_after_s: float = 5.0
    report_s: float = 30.0
    report_good_for_s: int = 90
    answer_s: float = 10.0
    resend: Backoff = _RESEND
    refused_s: float = 60.0
    ask_again_s: float = 10.0
    ask_all_s: float = 30.0
    races_s: float = 5.0
    obey_s: float = 30.0
    time_s: float = 5.0
    store_retry_s: float = 5.0
    expiry_s: int = 7 * 86_400
    alone_s: float = 120.0
