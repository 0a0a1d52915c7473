"""Corners of plates in scenes that have none labelled, by a teacher's detector.

The teacher is HyperLPR3's y5fu network (Apache-2.0): (1, 3, side, side) in, rows of centre, size,
objectness, four corner points and the shares of one row and two rows out.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from training.render.flat import Picture, Points

_LEAST = 0.4
_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A plate in a scene: corners from the top left clockwise, in pixels, and its rows."""

    corners: Points
    rows: int
    share: float


class Teacher:
    """The detector, opened once."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._side = int(self._session.get_inputs()[0].shape[2])

    def find(self, scene: Picture) -> list[Found]:
        """The plates in a scene, the surest first."""
        tall, wide = scene.shape[:2]
        scale = self._side / max(tall, wide)
        page = np.zeros((self._side, self._side, 3), np.uint8)
        small = cv2.resize(scene, (round(wide * scale), round(tall * scale)))
        page[: small.shape[0], : small.shape[1]] = small
        planes = page[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        rows = self._session.run(None, {self._input: planes})[0][0]
        shares = rows[:, 4] * rows[:, 13:15].max(axis=1)
        rows, shares = rows[shares > _LEAST], shares[shares > _LEAST]
        boxes = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], axis=1)
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), shares.tolist(), _LEAST, _OVERLAP)
        return [
            Found(
                corners=np.asarray(rows[at, 5:13].reshape(4, 2) / scale, np.float32),
                rows=1 + int(rows[at, 13:15].argmax()),
                share=float(shares[at]),
            )
            for at in np.asarray(kept).flatten().tolist()
        ]
