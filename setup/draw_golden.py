"""Draw the pictures by which a set of networks is tried before it reads at a gate.

    python setup/draw_golden.py

In: the simulators' road, cars and camera. Out: the files of gatekeeper/lpr/golden, the same each
time; what stands on them is told in gatekeeper/lpr/selftest.py.
"""

from pathlib import Path

import cv2

from gatekeeper.lpr.selftest import EMPTY, GOLDEN
from simulators.plate import ground_of
from simulators.scene import Camera, road, with_car

FOLDER = Path(__file__).resolve().parent.parent / "gatekeeper" / "lpr" / "golden"
SIZE = (640, 360)


def main() -> None:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for number, (file, text) in enumerate(GOLDEN.items()):
        scene = road(seed=11 + number)
        if text != EMPTY:
            scene = with_car(scene, text, ground_of(text))
        frame = cv2.resize(Camera(seed=5).frame(scene), SIZE, interpolation=cv2.INTER_AREA)
        encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
        (FOLDER / file).write_bytes(encoded.tobytes())


if __name__ == "__main__":
    main()
