"""Labels for scenes without any: what two readers that know nothing of each other agree on.

One is a network of ours, the other the clp set with the controller's engine; the corners are the
teacher's. Only plates whose text falls to the training part are kept, so nothing that measures is
touched by a machine's label.
"""

import json
from pathlib import Path

import cv2

from gatekeeper.lpr import open_recogniser
from gatekeeper.rules.plate import kind_of
from training import real
from training.config import Config
from training.corners import Teacher
from training.evaluate import beam_way, engine_way
from training.reader import Reader
from training.split import Part, part_of

FOLDER = "scenes_unlabelled"
NAME = "agreed.json"

_SURE = 0.8
"""Of our own reader's weakest character."""


def agree(config: Config, data: Path, work: Path, network: Path) -> str:
    """Writes `agreed.json` in the work folder; what it came to as text."""
    cv2.setNumThreads(1)
    teacher = Teacher(Path(config.detector))
    ours, other = beam_way(Reader(network)), engine_way(open_recogniser("clp", 1))
    rows, seen = [], 0
    for path in sorted((data / FOLDER).iterdir()):
        scene = real.read(path)
        for found in teacher.find(scene):
            seen += 1
            plate = real.cut(
                f"{FOLDER}/{path.name}", "", Part.TRAIN, found.rows, scene, found.corners
            )
            (text, sure), (again, _) = ours(plate), other(plate)
            trains = part_of(text, config.salt) is Part.TRAIN
            if text == again and sure >= _SURE and kind_of(text) and trains:
                rows.append([plate.path, text, found.rows, found.corners.tolist()])
    (work / NAME).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return f"{len(rows)} of {seen} plates found are agreed upon, and train"
