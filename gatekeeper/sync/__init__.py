"""The link to the centre: the wire format, the outbox going up, lists and orders coming down."""

from gatekeeper.sync.book import JournalBook, OrderBook
from gatekeeper.sync.link import Link
from gatekeeper.sync.orders import carried_out
from gatekeeper.sync.pace import Pace
from gatekeeper.sync.pahothread import MakeClient, PahoThread

__all__ = ["JournalBook", "Link", "MakeClient", "OrderBook", "Pace", "PahoThread", "carried_out"]
