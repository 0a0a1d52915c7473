"""The fire inputs of a controller."""

from gatekeeper.config.lanes import InputSettings
from gatekeeper.config.settings import Settings


class FireSettings(Settings):
    """The contacts of the fire controller (GB 50116-2013, 4.10.3), on whatever boards; any of them
    means fire. `inverted` for a contact that opens on fire: a broken wire is a fire, then.
    """

    inputs: tuple[InputSettings, ...] = ()
