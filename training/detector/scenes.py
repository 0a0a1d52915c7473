"""Scenes with their plates: places by two teachers that agree, parts by what stands on the plates.

A place that one teacher alone sees is neither plate nor none: training does not judge it. Corners
are looked at again from near by, for a whole picture shows them to a teacher at a pixel of its 640.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gatekeeper.rules.plate import kind_of
from training import real
from training.config import DetectorConfig
from training.corners import Found, Teacher
from training.reader import Reader, strip_of
from training.render.flat import Picture, Points
from training.split import Part, part_of

NAME = "scenes.json"
"""In the work folder: what the teachers saw."""

_LONGEST = 1440
"""Pixels; larger pictures are shrunk, for no network here sees more than 960 of them."""

_NEAR = (3.0, 4.5)
"""Widths of a plate that the closer looks show."""

_SAME = 0.5
"""Overlap of two boxes, by their union, from which they mean one plate."""

_SURE = 0.8
"""Of the reader's weakest character, where its text decides of a scene's part."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A plate: corners from the top left clockwise, in pixels, and its rows. `sure` where both
    teachers see it.
    """

    corners: Points
    rows: int
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A picture and the plates in it. `part` is None where it is not known whose plates they are:
    such a scene is not used.
    """

    path: str
    part: Part | None
    texts: tuple[str, ...]
    picture: Picture
    places: tuple[Place, ...]


def load(config: DetectorConfig, data: Path, work: Path) -> list[Scene]:
    """All scenes; what the teachers see is kept in `work`, for it takes them a second a scene."""
    lines = (data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    told = {row["path"]: row for row in rows if row["kind"] == "scene"}
    for path in sorted((data / "scenes_unlabelled").iterdir()):
        told[f"scenes_unlabelled/{path.name}"] = {"texts": [], "corners": None}
    seen = _seen(config, data, work / NAME, list(told))
    return [_scene(config, data, path, row, seen[path]) for path, row in told.items()]


def trained_on(config: DetectorConfig, scenes: list[Scene]) -> list[Scene]:
    """Those a run may learn from."""
    return [scene for scene in scenes if scene.part is Part.TRAIN and config.set_of(scene.path)]


def _scene(
    config: DetectorConfig, data: Path, path: str, row: dict[str, Any], seen: dict[str, Any]
) -> Scene:
    picture = real.read(data / path)
    scale = min(1.0, _LONGEST / max(picture.shape[:2]))
    if scale < 1:
        way = cv2.INTER_AREA
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way))
    texts = tuple(row["texts"] or seen["texts"])
    labelled = np.reshape(row["corners"] or [], (-1, 4, 2)).astype(np.float32)
    places = [
        Place(
            corners=_labelled(np.array(corners, np.float32), labelled) * scale, rows=rows, sure=sure
        )
        for corners, rows, sure in seen["places"]
    ]
    return Scene(
        path=path,
        part=_part(texts, len(places), config.salt),
        texts=texts,
        picture=picture,
        places=tuple(places),
    )


def _part(texts: tuple[str, ...], places: int, salt: str) -> Part | None:
    """The strictest part of all its plates; without plates it trains."""
    parts = {part_of(text, salt) for text in texts}
    for part in (Part.TEST, Part.CALIBRATION):
        if part in parts:
            return part
    return Part.TRAIN if len(texts) >= places else None


def _labelled(corners: Points, known: Points) -> Points:
    """What is labelled of this plate, or else what the teachers say."""
    for one in known:
        if overlap(one, corners) > _SAME:
            return np.asarray(one, np.float32)
    return corners


def _seen(
    config: DetectorConfig, data: Path, file: Path, paths: list[str]
) -> dict[str, dict[str, Any]]:
    if file.exists():
        return dict(json.loads(file.read_text(encoding="utf-8")))
    teachers = [Teacher(Path(one)) for one in config.teachers]
    reader = Reader(Path(config.reader))
    told = {path: _taught(real.read(data / path), teachers, reader) for path in paths}
    file.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return told


def _taught(picture: Picture, teachers: list[Teacher], reader: Reader) -> dict[str, Any]:
    """What the teachers see in a picture; texts only where every plate is read surely."""
    places, texts = [], []
    for found in _apart([one for teacher in teachers for one in teacher.find(picture)]):
        near = list(_nearer(picture, found, teachers))
        middle = np.mean([one.corners for one in near] or [found.corners], axis=0)
        sure = len(near) >= len(teachers) * len(_NEAR) - 1
        rows = 1 + int(np.median([one.rows for one in near] or [found.rows]) > 1.4)
        places.append([middle.tolist(), rows, sure])
        plate = real.cut("", "", Part.TRAIN, rows, picture, np.asarray(middle, np.float32))
        said = reader.read(strip_of(plate))
        if kind_of(said.text) and said.sure >= _SURE:
            texts.append(said.text)
    return {"places": places, "texts": texts}


def _nearer(picture: Picture, found: Found, teachers: list[Teacher]) -> Iterator[Found]:
    """The same plate in closer looks, as far as it is seen there."""
    low, high = found.corners.min(axis=0), found.corners.max(axis=0)
    middle, wide = (low + high) / 2, float(high[0] - low[0])
    for span in _NEAR:
        left, top = np.maximum(middle - wide * span / 2, 0).astype(int).tolist()
        right, bottom = (middle + wide * span / 2).astype(int).tolist()
        for teacher in teachers:
            for one in teacher.find(picture[top:bottom, left:right]):
                corners = np.asarray(one.corners + np.array([left, top]), np.float32)
                if overlap(corners, found.corners) > _SAME:
                    yield Found(corners=corners, rows=one.rows, share=one.share)
                    break


def _apart(found: list[Found]) -> list[Found]:
    """The surest of those that mean the same plate."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda each: -each.share):
        if all(overlap(one.corners, other.corners) <= _SAME for other in kept):
            kept.append(one)
    return kept


def overlap(one: Points, other: Points) -> float:
    """What the boxes around two plates share, by their union."""
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    shared = float(np.prod(np.maximum(high - low, 0)))
    areas = [float(np.prod(np.ptp(each, axis=0))) for each in (one, other)]
    return shared / max(sum(areas) - shared, 1e-6)
