"""The model card of a network: what it was trained on, how well it reads, what it is weak at.

Written from the config and from the figures that `evaluate --json` gave, so that no number in it is
copied by hand.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from training.config import Config
from training.split import CALIBRATION_SHARE, TEST_SHARE

_HEAD = """# {name}: reads number plates

A recogniser in HyperLPR3's contract, trained from nothing; no weight of another network is in it.
In: (N, 3, 48, 160), B G R, (pixel - 127.5) / 127.5. Out: (N, 40, {classes}), shares, the CTC blank
first, then the characters of the alphabet file in their order.

It is for pictures of plates of mainland China, cut out and upright, both rows of a two-row plate
side by side. It is not for plates of other countries, and was not tried on worse pictures than
those below.

## Trained on

Rendered plates ({rendered:.0%} of what it saw), and the training part of these real pictures. A
hash of the plate's text divides them: {train:.0%} train, {calibration:.0%} calibrate, {test:.0%}
measure.
"""


def card(config: Config, told: Mapping[str, Any], notes: str) -> str:
    """The card as Markdown; `notes` are the known weaknesses and what calibration came to."""
    return "\n".join((*_head(config, told), *_figures(told), notes.strip(), ""))


def _head(config: Config, told: Mapping[str, Any]) -> Iterator[str]:
    yield _HEAD.format(
        name=told["network"],
        classes=told["classes"],
        rendered=1 - config.schedule.real_share,
        train=1 - TEST_SHARE - CALIBRATION_SHARE,
        calibration=CALIBRATION_SHARE,
        test=TEST_SHARE,
    )
    yield "| data | licence | used |"
    yield "|---|---|---|"
    for one in config.sets:
        yield f"| {one.name} | {one.licence} | {'yes' if one.use else 'no'} |"
    drawing = config.rendering
    yield f"| glyphs of rendered plates | {drawing.glyphs_licence} | {_yes(drawing.glyphs)} |"
    yield f"| textures of characters | {drawing.textures_licence} | {_yes(drawing.textures)} |"
    yield ""


def _yes(folder: str) -> str:
    return "yes" if folder else "no"


def _figures(told: Mapping[str, Any]) -> Iterator[str]:
    yield "## How well it reads"
    yield ""
    yield (
        f"Pictures of plates it has never seen ({told['part']} part),"
        f" {told['doubtful_left_out']} with doubtful labels left out;"
        " plates of scenes are cut out by their corners. Every character"
        " right, with the 95 % interval; sure is a weakest character of 0.98 or more. A crop takes"
        f" {told['ms']['network']} ms on one thread, {told['ms']['with_beam']} with the beam."
    )
    yield ""
    for title, key in (
        ("kind of picture", "beam"),
        ("the same without the grammar", "greedy"),
        ("light", "light"),
        ("province, real pictures", "province"),
        ("rendered plates, by kind", "rendered"),
        ("rendered plates, by province", "rendered_province"),
    ):
        yield f"| {title} | pictures | right | 95 % | sure | wrong of these |"
        yield "|---|---|---|---|---|---|"
        for kind, one in told[key].items():
            low, high = one["interval"]
            yield (
                f"| {kind} | {one['pictures']} | {one['share']:.2%} | {low:.1%} to {high:.1%}"
                f" | {one['sure']} | {one['sure_wrong']} |"
            )
        yield ""
