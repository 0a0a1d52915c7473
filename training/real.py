"""Real pictures of plates, from a manifest and its folder: crops, and plates cut from scenes.

A scene whose plate has no labelled corners gets them from the teacher, if it finds exactly as many
plates as there are texts, and that is one.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.alphabet import writable
from training.config import Run, WithCrops
from training.corners import Teacher
from training.labels import usual_centres
from training.render import camera
from training.render.flat import Picture, Points
from training.render.texts import RARE
from training.split import Part, part_of

_ROOM = 0.5
"""Share of a plate's size that is kept around it when it is cut from its scene."""

_WIDEST = 400
"""Plates are kept at most so many pixels wide."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Real:
    """One plate in one picture. `corners` are None for a crop, which is all plate."""

    path: str
    text: str
    part: Part
    rows: int
    doubtful: bool
    picture: Picture
    corners: Points | None

    @property
    def kind(self) -> str:
        """The name under which it is measured: the folder, or what is special about a scene."""
        folder, _, name = self.path.partition("/")
        return f"scenes/{name.split('_')[0]}" if folder == "scenes" else folder


def load(config: WithCrops, data: Path, work: Path) -> list[Real]:
    """All plates of the manifest, and those of unlabelled scenes that two readers agreed on.

    Corners that the teacher found are kept in `work`.
    """
    lines = (data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    taught = _taught(rows, data, Path(config.detector), work / "corners.json")
    labelled = _loaded(rows, taught, data, config.salt)
    return [*labelled, *_agreed(work / "agreed.json", data, config.salt)]


def trained_on(config: Run, plates: Iterable[Real]) -> list[Real]:
    """Those a run may learn from: of the training part, not doubtful, of a set switched on."""
    return [
        plate
        for plate in plates
        if plate.part is Part.TRAIN and not plate.doubtful and config.set_of(plate.path)
    ]


def weights(plates: Iterable[Real]) -> list[float]:
    """How often each plate is to be drawn: those of a province that is seldom seen more often."""
    plates = list(plates)
    seen = Counter(plate.text[0] for plate in plates)
    return [
        (2.0 if plate.text[0] in RARE else 1.0) / np.sqrt(seen[plate.text[0]]) for plate in plates
    ]


def shot(plate: Real, chance: camera.Chance) -> camera.Shot:
    """The plate as training shows it; one-row plates with the places of their characters."""
    if plate.corners is None:
        return camera.shot_of_crop(plate.picture, usual_centres(len(plate.text)), chance)
    middles = centres(plate.text, plate.rows, plate.corners)
    if plate.rows == 2:
        return camera.shot_of_rows(plate.picture, plate.corners, middles, chance, gentle=True)
    return camera.shot(plate.picture, plate.corners, middles, chance, gentle=True)


def centres(text: str, rows: int, corners: Points) -> Points:
    """Where the characters stand in the picture, by the layout of such plates."""
    places = np.array([(x, 0.5) for x in usual_centres(len(text))], np.float32)
    if rows == 2:
        upper = [(0.34, 0.2), (0.66, 0.2)]
        lower = [(0.136 + 0.182 * at, 0.66) for at in range(len(text) - 2)]
        places = np.array(upper + lower, np.float32)
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    turn = cv2.getPerspectiveTransform(unit, corners)
    return np.asarray(cv2.perspectiveTransform(places[None], turn)[0], np.float32)


def plain_text(text: str) -> str:
    """The text as GA 36 has it: a serial holds no O and no I, though a few labels do."""
    return text[:2] + text[2:].replace("O", "0").replace("I", "1")


def read(path: Path) -> Picture:
    """A picture file; raises `ValueError` for anything else."""
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path}: is no picture")
    return np.asarray(picture, np.uint8)


def _taught(
    rows: list[Mapping[str, Any]], data: Path, detector: Path, found: Path
) -> dict[str, Any]:
    if found.exists():
        return dict(json.loads(found.read_text(encoding="utf-8")))
    told: dict[str, Any] = {}
    if detector.exists():
        teacher = Teacher(detector)
        for row in rows:
            if row["kind"] == "scene":
                plates = teacher.find(read(data / row["path"]))
                told[row["path"]] = [[plate.corners.tolist(), plate.rows] for plate in plates]
    found.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return told


def _loaded(
    rows: list[Mapping[str, Any]], taught: Mapping[str, Any], data: Path, salt: str
) -> Iterator[Real]:
    for row in rows:
        texts, path = [plain_text(text) for text in row["texts"]], row["path"]
        if len(texts) != 1 or not writable(texts[0]):
            continue
        part, doubtful = part_of(texts[0], salt), bool(row.get("doubtful"))
        picture = read(data / path)
        if row["kind"] != "scene":
            yield Real(
                path=path,
                text=texts[0],
                part=part,
                rows=1,
                doubtful=doubtful,
                picture=picture,
                corners=None,
            )
        elif (place := _place(row, taught.get(path, ()))) is not None:
            corners = np.array(place[0], np.float32)
            yield cut(path, texts[0], part, place[1], picture, corners, doubtful=doubtful)


def _agreed(file: Path, data: Path, salt: str) -> Iterator[Real]:
    """Plates that two readers agreed on (see `training.agreed`), if they were asked."""
    if file.exists():
        for path, text, rows, corners in json.loads(file.read_text(encoding="utf-8")):
            if part_of(text, salt) is Part.TRAIN:
                place = np.array(corners, np.float32)
                yield cut(path, text, Part.TRAIN, rows, read(data / path), place)


def _place(row: Mapping[str, Any], taught: Any) -> tuple[Any, int] | None:
    """Corners and rows: those labelled, with the teacher's rows, or else the teacher's alone."""
    if row["corners"]:
        return np.reshape(row["corners"], (-1, 4, 2))[0], 1
    return (taught[0][0], taught[0][1]) if len(taught) == 1 else None


def cut(
    path: str,
    text: str,
    part: Part,
    rows: int,
    scene: Picture,
    corners: Points,
    *,
    doubtful: bool = False,
) -> Real:
    """A plate cut from its scene with some room around it, not larger than need be."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    room = (high - low) * _ROOM
    left, top = np.maximum(low - room, 0).astype(int).tolist()
    right, bottom = np.minimum(high + room, scene.shape[1::-1]).astype(int).tolist()
    picture = scene[top:bottom, left:right]
    scale = min(1.0, _WIDEST / float(high[0] - low[0]))
    if scale < 1:
        way = cv2.INTER_AREA
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way))
    return Real(
        path=path,
        text=text,
        part=part,
        rows=rows,
        doubtful=doubtful,
        picture=np.asarray(picture, np.uint8).copy(),
        corners=np.asarray((corners - np.array([left, top])) * scale, np.float32),
    )
