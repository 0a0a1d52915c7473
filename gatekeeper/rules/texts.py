"""What the driver at the gate is shown and told of a decision.

A line that asks for what is not known (the plate of an unread car, the minutes of a car without a
limit, a count that is not trusted) is left out; in what is spoken, only the unknown itself is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gatekeeper.model import PLACEHOLDERS, Decision, DisplayText, Reason, Verdict, Wording

REASONS: Final[Mapping[Reason, str]] = {
    Reason.EXIT: "一路顺风",
    Reason.FIRE: "紧急疏散",
    Reason.HELD_OPEN: "道闸常开",
    Reason.EXEMPT: "免检车辆",
    Reason.LOCKDOWN: "临时封闭",
    Reason.UNREADABLE: "未识别车牌",
    Reason.BLACKLISTED: "禁止入内",
    Reason.LOOKS_BLACKLISTED: "正在人工核对",
    Reason.INTERNAL: "内部车辆",
    Reason.ZONE_FULL: "车位已满",
    Reason.VISITOR: "欢迎光临",
    Reason.UNVERIFIED: "欢迎光临",
    Reason.REGISTRY_MISSING: "欢迎光临",
    Reason.NOT_BOUND: "车牌未绑定",
    Reason.EVERYBODY: "欢迎光临",
    Reason.ORDERED: "人工放行",
    Reason.STORE_FAILED: "系统故障",
    Reason.OUTSIDE_HOURS: "非开放时段",
    Reason.COOLDOWN: "停车后未满间隔时间",
}
"""Each reason in a driver's words."""

_ADMITTED = Wording(lines=("{plate}", "{reason}", "请通行"), voice="{plate}请通行")
_REFUSED = Wording(lines=("{plate}", "{reason}", "请联系管理员"), voice="{reason}，请联系管理员")

ADMIT: Final[Mapping[Reason, Wording]] = {
    **dict.fromkeys(Reason, _ADMITTED),
    Reason.EXIT: Wording(lines=("{plate}", "{reason}"), voice="{plate}一路顺风"),
    Reason.FIRE: Wording(lines=("{reason}", "请迅速驶离"), voice="请迅速驶离"),
    Reason.INTERNAL: Wording(
        lines=("{plate}", "{reason}请通行", "限停{minutes}分钟"), voice="{plate}请通行，请勿超时"
    ),
    Reason.STORE_FAILED: Wording(lines=("{plate}", "请通行"), voice="{plate}请通行"),
    Reason.UNREADABLE: Wording(lines=("请通行",), voice="请通行"),
}
"""What an admitted driver is told."""

REFUSE: Final[Mapping[Reason, Wording]] = {
    **dict.fromkeys(Reason, _REFUSED),
    Reason.UNREADABLE: Wording(
        lines=("{reason}", "请稍候 正在人工处理"), voice="未识别车牌，请稍候"
    ),
    Reason.LOOKS_BLACKLISTED: Wording(
        lines=("{plate}", "{reason}", "请稍候"), voice="正在人工核对，请稍候"
    ),
    Reason.REGISTRY_MISSING: Wording(
        lines=("{plate}", "系统准备中", "请联系管理员"), voice="系统准备中，请联系管理员"
    ),
    Reason.UNVERIFIED: Wording(
        lines=("{plate}", "暂时无法核实", "请联系管理员"), voice="暂时无法核实，请联系管理员"
    ),
    Reason.ZONE_FULL: Wording(lines=("{plate}", "{reason}", "请改停其他区域"), voice="车位已满"),
    Reason.NOT_BOUND: Wording(
        lines=("{plate}", "{reason}", "请扫码绑定车牌"), voice="请扫描二维码绑定车牌"
    ),
}
"""What a refused driver is told, and what to do."""

LOOK_AGAIN: Final = Wording(lines=("请稍候",), voice="请稍候")

WAITS: Final = Wording(lines=("请稍候", "对向来车"), voice="请稍候，对向来车")

IDLE: Final = Wording(lines=("减速慢行 车牌识别", "余位 {free}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The wordings of a site; there is one for each reason."""

    idle: Wording = IDLE
    look_again: Wording = LOOK_AGAIN
    waits: Wording = WAITS
    reasons: Mapping[Reason, str] = field(default_factory=lambda: REASONS)
    admit: Mapping[Reason, Wording] = field(default_factory=lambda: ADMIT)
    refuse: Mapping[Reason, Wording] = field(default_factory=lambda: REFUSE)


def decided(texts: Texts, decision: Decision, *, free: int | None) -> DisplayText:
    """What the driver is told of a decision; `free` are the free spaces of the zone, if known."""
    minutes = None if decision.limit is None else round(decision.limit.limit_s) // 60
    return _filled(
        _wording(texts, decision),
        {
            "plate": decision.plate,
            "minutes": minutes,
            "reason": texts.reasons[decision.reason],
            "free": free,
        },
    )


def waits(texts: Texts) -> DisplayText:
    """What an admitted driver is told while the opposite lane has the barrier."""
    return _filled(texts.waits, {})


def idle(texts: Texts, *, free: int | None, held: Reason | None = None) -> DisplayText:
    """What the next driver is told; `held` is why the boom is kept up, if it is."""
    if held is None:
        return _filled(texts.idle, {"free": free})
    return _filled(texts.admit[held], {"reason": texts.reasons[held], "free": free})


def _wording(texts: Texts, decision: Decision) -> Wording:
    match decision.verdict:
        case Verdict.LOOK_AGAIN:
            return texts.look_again
        case Verdict.ADMIT:
            return texts.admit[decision.reason]
        case Verdict.REFUSE:
            return texts.refuse[decision.reason]


def _filled(wording: Wording, known: Mapping[str, object]) -> DisplayText:
    """One empty line where every line had to be left out: what stood there before must go."""
    lines = tuple(
        _put_in(line, known)
        for line in wording.lines
        if all(known.get(name) is not None for name in _PLACEHOLDER.findall(line))
    )
    none_left = ("",) if wording.lines else ()
    return DisplayText(lines=lines or none_left, voice=_put_in(wording.voice, known))


def _put_in(text: str, known: Mapping[str, object]) -> str:
    """In one go: what is put in is not looked at again."""

    def value(found: re.Match[str]) -> str:
        one = known.get(found[1])
        return "" if one is None else str(one)

    return _PLACEHOLDER.sub(value, text)


_PLACEHOLDER = re.compile(rf"\{{({'|'.join(PLACEHOLDERS)})\}}")
