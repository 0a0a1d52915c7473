"""Sets of recognition networks: what a set is, whether its files are the right ones, which one a
gate reads with. Files only: nothing is loaded here, and nothing is ever downloaded.
"""

from gatekeeper.networks.folder import SetsFolder
from gatekeeper.networks.manifest import Manifest
from gatekeeper.networks.sets import BUILT_IN, NetworkSet, find, names, opened

__all__ = ["BUILT_IN", "Manifest", "NetworkSet", "SetsFolder", "find", "names", "opened"]
