"""What has to outlive a power cut: the journal and its outbox, stays, counts, lists, pictures.

Facts, stays and list changes come in and are on the disk when the call returns; events, rows and
versions go out. It decides nothing, and never deletes a database that it cannot read.
"""

from gatekeeper.store.database import set_aside
from gatekeeper.store.lock import alone
from gatekeeper.store.pictures import Pictures
from gatekeeper.store.retention import Limits, Pruned
from gatekeeper.store.rows import BlacklistRow
from gatekeeper.store.store import Store
from gatekeeper.store.sweeping import PictureLimits
from gatekeeper.store.trouble import UnsoundStoreError

__all__ = [
    "BlacklistRow",
    "Limits",
    "PictureLimits",
    "Pictures",
    "Pruned",
    "Store",
    "UnsoundStoreError",
    "alone",
    "set_aside",
]
