"""What is taken for plates and is none: lettering on lorries, signs, a camera's clock, grilles,
lamps, badges. Each is drawn flat, as a picture and how far it covers what is behind it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training.render.flat import Picture
from training.render.glyphs import TALL, WIDE, drawn
from training.render.texts import any_kind, text_of

Cover: TypeAlias = npt.NDArray[np.float32]
"""Shape (H, W): 0 shows what is behind, 1 hides it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoy:
    """A flat thing that is no plate."""

    picture: Picture
    cover: Cover


_WORDS = (
    *("危险品", "严禁超载", "保持车距", "物流", "货运", "运输有限公司"),
    *("校车", "出租", "公交", "停车场", "出口", "入口"),
    *("欢迎光临", "加油站", "中国石化", "超市", "烟酒", "大众汽车"),
    *("一汽大众", "东风", "宝马", "北京现代", "长安", "请勿靠近"),
    *("消防通道", "限速", "收费处", "银行", "酒店", "美容美发"),
)
"""Seen on lorries, cars and over shops."""

_FONT = cv2.FontFace("uni")


def any_decoy(chance: Random) -> Decoy:
    """One of them, by chance."""
    return chance.choice(_DRAWERS)(chance)


def _lettering(chance: Random) -> Decoy:
    """Painted on a lorry's door or tail, without a ground of its own; at times the plate's text,
    enlarged, as lorries must carry it.
    """
    text = text_of(any_kind(chance), chance) if chance.random() < 0.5 else _words(chance)
    ink = _line(text, chance, chance.uniform(0.05, 0.8))
    if len(text) > 5 and chance.random() < 0.3:
        upper, lower = _line(text[:2], chance, 0.4), _line(text[2:], chance, 0.3)
        side = (lower.shape[1] - upper.shape[1]) // 2
        rest = lower.shape[1] - upper.shape[1] - side
        ink = np.vstack([np.pad(upper, ((0, 20), (side, rest))), lower])
    return _inked(ink, chance)


def _sign(chance: Random) -> Decoy:
    """Words on a board: too few or too many, or too tall or too long, for a plate."""
    text = _words(chance) if chance.random() < 0.7 else _digits(chance, chance.randint(9, 12))
    ink = _line(text, chance, chance.uniform(0.05, 0.4))
    around = chance.randint(4, 60), chance.randint(4, 60)
    ink = np.pad(ink, ((around[0], around[0]), (around[1], around[1])))
    ground, letters = np.array(chance.choice(_GROUNDS), np.float32), _ink_on(chance)
    share = ink[..., None] / np.float32(255)
    picture = ground + (letters - ground) * share
    return _opaque(picture)


def _clock(chance: Random) -> Decoy:
    """What a camera writes into its picture."""
    text = f"20{chance.randint(10, 29)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02} "
    text += f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"
    if chance.random() < 0.4:
        text = chance.choice((f"Camera {chance.randint(1, 99):02}", text[:10], text[11:]))
    page = np.zeros((60, 24 * len(text) + 40), np.uint8)
    cv2.putText(page, text, (10, 44), (255,), _FONT, 36, chance.choice((300, 500, 700)))
    return _inked(page, chance)


def _grille(chance: Random) -> Decoy:
    """Bars in front of a radiator, or of a gate."""
    tall, wide = chance.randint(40, 120), chance.randint(80, 300)
    pitch = chance.randint(5, 26)
    bars = (np.arange(tall)[:, None] % pitch < pitch * chance.uniform(0.3, 0.7)) * np.ones(wide)
    if chance.random() < 0.4:
        bars = (np.arange(wide)[None] % pitch < pitch * chance.uniform(0.3, 0.7)) * np.ones(
            (tall, 1)
        )
    dark, light = chance.uniform(0, 90), chance.uniform(60, 255)
    return _opaque((dark + (light - dark) * bars)[..., None] * np.ones(3))


def _lamp(chance: Random) -> Decoy:
    """A head or tail lamp, a bulb in its middle."""
    tall, wide = chance.randint(40, 90), chance.randint(60, 200)
    colour = chance.choice(((235, 240, 250), (30, 30, 210), (40, 150, 250), (250, 245, 235)))
    page = np.zeros((tall, wide, 3), np.uint8) + np.uint8(chance.randint(30, 130))
    middle, axes = (wide // 2, tall // 2), (wide // 2 - 3, tall // 2 - 3)
    cv2.ellipse(page, middle, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
    cv2.circle(page, middle, chance.randint(4, tall // 3), (255, 255, 255), -1, cv2.LINE_AA)
    disc = np.zeros((tall, wide), np.uint8)
    cv2.ellipse(disc, middle, axes, 0, 0, 360, (255,), -1, cv2.LINE_AA)
    return Decoy(picture=page, cover=np.asarray(disc / 255, np.float32))


def _badge(chance: Random) -> Decoy:
    """A maker's mark: rings, or a word of chromium."""
    if chance.random() < 0.5:
        letters = "".join(chance.choices("ABCDEGHILMNOPRSTUVWXYZ4360", k=chance.randint(2, 6)))
        return _inked(_line(letters, chance, chance.uniform(0.0, 0.4)), chance)
    count, radius = chance.randint(1, 4), chance.randint(14, 30)
    page = np.zeros((2 * radius + 12, radius * (count + 1) + radius // 2 * count + 12), np.uint8)
    for at in range(count):
        middle = (radius + 6 + at * 3 * radius // 2, radius + 6)
        cv2.circle(page, middle, radius, (255,), chance.randint(2, 7), cv2.LINE_AA)
    return _inked(page, chance)


_DRAWERS: tuple[Callable[[Random], Decoy], ...] = (
    *(_lettering, _lettering, _sign, _sign),
    *(_clock, _grille, _lamp, _badge),
)

_GROUNDS = ((150, 60, 10), (200, 90, 20), (40, 130, 30), (40, 180, 240), (40, 30, 190),
            (240, 240, 240), (30, 30, 30))  # fmt: skip


def _words(chance: Random) -> str:
    return chance.choice(_WORDS)


def _digits(chance: Random, length: int) -> str:
    return "".join(chance.choices("0123456789", k=length))


def _line(text: str, chance: Random, gap: float) -> npt.NDArray[np.uint8]:
    """A mask of the text, `gap` of a character's width between two."""
    weight, space = chance.choice((300, 500, 700)), round(gap * WIDE)
    wide = chance.choice((WIDE, TALL * 4 // 5))
    cells = [
        np.pad(cv2.resize(drawn(one, weight), (wide, TALL)), ((0, 0), (0, space))) for one in text
    ]
    return np.asarray(np.hstack(cells), np.uint8)


def _ink_on(chance: Random) -> npt.NDArray[np.float32]:
    inks = ((245, 245, 245), (20, 20, 20), (30, 30, 200), (40, 190, 240), (190, 190, 190))
    return np.array(chance.choice(inks), np.float32)


def _inked(mask: npt.NDArray[np.uint8], chance: Random) -> Decoy:
    picture = np.broadcast_to(_ink_on(chance), (*mask.shape, 3)).astype(np.uint8)
    cover = mask / 255 * chance.uniform(0.6, 1)
    return Decoy(picture=picture, cover=np.asarray(cover, np.float32))


def _opaque(picture: npt.NDArray[np.floating]) -> Decoy:
    seen = np.asarray(np.clip(picture, 0, 255), np.uint8)
    return Decoy(picture=seen, cover=np.ones(seen.shape[:2], np.float32))
