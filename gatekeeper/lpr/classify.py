"""Colour and kind of a plate, by the network of a set that has one."""

import cv2
import numpy as np

from gatekeeper.lpr.session import Floats, Network, check_shapes
from gatekeeper.model import Pixels
from gatekeeper.networks.manifest import ClassifierContract, PlateClass

SIDE = 96


class Classifier:
    """A network of the contract `hyperlpr3`."""

    def __init__(self, network: Network, contract: ClassifierContract) -> None:
        self._network = network
        self._contract = contract

    def check(self) -> None:
        """Raises `NetworkSetError` unless the network's shapes are those of its contract."""
        given, wanted = (1, 3, SIDE, SIDE), (1, len(self._contract.classes))
        check_shapes(self._network, self._contract.file, given, wanted)

    def told(self, upright: Pixels) -> PlateClass:
        """What an upright plate (H, W, 3) is."""
        small = cv2.resize(upright, (SIDE, SIDE))
        batch = np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        return self.meant(self._network(batch)[0])

    def meant(self, output: Floats) -> PlateClass:
        """What an output (1, classes) says."""
        return self._contract.classes[int(output[0].argmax())]
