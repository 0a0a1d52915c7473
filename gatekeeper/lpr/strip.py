"""An upright picture of one row of characters in, its text out: the recogniser of a set, whichever
contract it has.
"""

import cv2
import numpy as np

from gatekeeper.lpr import rectify
from gatekeeper.lpr.decode import Decode, Reading, decoded, softened, worth
from gatekeeper.lpr.detect import Quad
from gatekeeper.lpr.session import Floats, Network, check_shapes
from gatekeeper.model import Pixels
from gatekeeper.networks.manifest import Calibration, RecogniserContract


class StripReader:
    """`decode` is what makes a text of the network's shares."""

    def __init__(
        self,
        network: Network,
        contract: RecogniserContract,
        alphabet: tuple[str, ...],
        calibration: Calibration | None = None,
        decode: Decode = decoded,
    ) -> None:
        self._network = network
        self._contract = contract
        self._alphabet = alphabet
        self._calibration = calibration or Calibration()
        self._decode = decode

    @property
    def reads_rows_joined(self) -> bool:
        """Whether two rows are to be read side by side."""
        return self._contract.two_rows == "joined"

    @property
    def height(self) -> int:
        """Of what `read` wants, in pixels."""
        return self._contract.height

    def check(self) -> None:
        """Raises `NetworkSetError` unless the network's shapes are those of its contract."""
        told = self._contract
        given, wanted = (1, 3, told.height, told.width), (1, None, 1 + len(self._alphabet))
        check_shapes(self._network, told.file, given, wanted)

    def cut(
        self, pixels: Pixels, quad: Quad, part: rectify.Part, least_shape: float = 0.0
    ) -> Pixels:
        """A part of a plate, as the network wants to see it."""
        told = self._contract
        if told.fit == "stretch":
            return rectify.cut_out(pixels, quad, part, told.width, told.height)
        return rectify.row(pixels, quad, part, told.height, told.width, least_shape)

    def read(self, upright: Pixels) -> Reading:
        """What stands on a picture of the network's height."""
        told = self._contract
        upright = self.stretched(upright)
        if upright.shape[1] > told.width:
            upright = np.asarray(cv2.resize(upright, (told.width, told.height)), np.uint8)
        batch = np.zeros((1, 3, told.height, told.width), np.float32)
        inner = batch[0, :, :, : upright.shape[1]]
        np.subtract(upright.transpose(2, 0, 1), _planes(told.mean), out=inner, dtype=np.float32)
        inner *= np.float32(told.scale)
        return self.said(self._network(batch)[0][0])

    def stretched(self, upright: Pixels) -> Pixels:
        """The picture as wide as the network sees, where its set says that it is to be so."""
        told = self._contract
        if told.fit != "stretch" or upright.shape[:2] == (told.height, told.width):
            return upright
        return np.asarray(cv2.resize(upright, (told.width, told.height)), np.uint8)

    def said(self, shares: Floats) -> Reading:
        """What shares (T, symbols) say, and what that is worth."""
        known = self._calibration
        text = self._decode(softened(shares, known.temperature), self._alphabet)
        return worth(text, known.points)


def _planes(mean: tuple[float, ...]) -> Floats:
    return np.array(mean, np.float32)[:, None, None]
