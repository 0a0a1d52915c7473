import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.networks.manifest import Calibration, Measured
from training import config as configs
from training import real
from training.calibrate import (
    Files,
    Read,
    bins,
    chosen,
    confusions,
    levels,
    loss,
    mapped,
    points,
    softened,
    tail,
    written,
)
from training.card import card
from training.evaluate import Outcome, by_province, light_of, summary, wilson


def outcome(truth: str, text: str, sure: float, kind: str = "gate") -> Outcome:
    return Outcome(kind=kind, path="a", truth=truth, text=text, sure=sure)


def read(truth: str, text: str, sure: float) -> Read:
    return Read(truth=truth, text=text, sure=sure, real=True)


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (98, 100, 0.930, 0.994), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=1e-3)


def test_right_is_every_character() -> None:
    assert outcome("京A12345", "京A12345", 1).right
    assert not outcome("京A12345", "京A1234", 1).right


def test_an_o_in_a_serial_is_a_0() -> None:
    assert outcome("京A00000", "京AO0O00", 1).right
    assert not outcome("京O00000", "京000000", 1).right


def test_figures_are_told_by_kind_and_in_all() -> None:
    told = summary(
        [
            outcome("京A12345", "京A12345", 0.99),
            outcome("京A12345", "沪A12345", 0.98),
            outcome("京A12345", "沪A12345", 0.5, kind="road"),
        ]
    )

    assert (told["gate"]["pictures"], told["gate"]["right"]) == (2, 1)
    assert (told["gate"]["sure"], told["gate"]["sure_wrong"]) == (2, 1)
    assert (told["all"]["pictures"], told["all"]["sure_wrong"]) == (3, 1)


def test_provinces_are_told_by_what_is_true_not_by_what_was_read() -> None:
    told = by_province([outcome("京A12345", "沪A12345", 0.5), outcome("V A", "V A", 0.5)])

    assert set(told) == {"京", "all"}


def test_a_temperature_softens_and_changes_no_order() -> None:
    shares = np.array([[0.7, 0.2, 0.1], [0.05, 0.9, 0.05]], np.float32)

    soft = softened(shares, 2.0)

    assert soft.sum(axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert (soft.argmax(axis=1) == shares.argmax(axis=1)).all()
    assert soft[0, 0] < shares[0, 0]
    assert softened(shares, 1.0) == pytest.approx(shares, abs=1e-6)


@given(st.floats(0.02, 0.98))
def test_an_honest_confidence_has_the_least_loss(share: float) -> None:
    right = round(1000 * share)
    texts = ["京"] * right + ["沪"] * (1000 - right)

    losses = [loss([read("京", text, sure) for text in texts]) for sure in (0.01, share, 0.99)]

    assert losses[1] <= min(losses) + 1e-3


def test_levels_count_reads_and_wrong_ones() -> None:
    lines = levels([read("京", "京", 0.999), read("京", "沪", 0.96), read("京", "沪", 0.1)])

    assert "1 wrong" in next(line for line in lines if "0.95" in line)
    assert "0 wrong" in next(line for line in lines if "0.98" in line)


def test_what_is_sure_comes_first_and_then_the_least_loss() -> None:
    bold = [read("京", "京", 0.999)] * 9 + [read("京", "沪", 0.99)]
    meek = [read("京", "京", 0.9)] * 9 + [read("京", "沪", 0.4)]
    shy = [read("京", "京", 0.5)] * 9 + [read("京", "沪", 0.4)]

    assert tail(bold) == pytest.approx(0.1)
    assert chosen({0.8: bold, 1.0: meek, 1.5: shy}) == 1.0
    assert chosen({0.8: bold, 1.0: bold}) == 1.0


def test_confusions_are_counted_where_lengths_agree() -> None:
    told = confusions([read("京A", "沪A", 1), read("京A", "沪A", 1), read("京A", "A", 1)])

    assert told == "京>沪 2"


def test_bins_hold_what_falls_into_them() -> None:
    told = bins(
        [read("京", "京", 0.2), read("京", "沪", 0.3), read("京", "京", 0.9)], (0, 0.5, 1.01)
    )

    assert [(round(mean, 2), share) for mean, share, _ in told] == [(0.25, 0.5), (0.9, 1.0)]


def test_points_say_what_was_right_and_never_fall() -> None:
    reads = [read("京", "京" if n % 10 < 8 else "沪", 0.55) for n in range(100)]
    reads += [read("京", "京" if n % 10 < 6 else "沪", 0.65) for n in range(100)]

    known = points(reads)

    assert known == ((0.0, 0.0), (0.55, 0.8), (0.65, 0.8), (0.98, 0.98), (1.0, 1.0))
    assert mapped(reads, known) < loss(reads)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_points_make_nothing_sure_that_was_not(told: list[tuple[float, bool]]) -> None:
    reads = [read("京", "京" if right else "沪", sure) for sure, right in told]
    said, right = zip(*points(reads), strict=True)

    assert list(said) == sorted(set(said))
    assert list(right) == sorted(right)
    assert all((np.interp(one, said, right) >= 0.98) == (one >= 0.98) for one, _ in told)


def test_what_was_measured_is_told_as_tables_of_a_manifest(tmp_path: Path) -> None:
    figures, manifest = tmp_path / "figures.json", tmp_path / "tables.toml"
    group = summary([outcome("京A12345", "京A12345", 0.99), outcome("京A12345", "沪", 0.1)])
    figures.write_text(json.dumps({"beam": group}), encoding="utf-8")
    reads = [read("京A0", "京AD", 0.5)] * 2 + [read("京A0", "沪A0", 0.7), read("京A0", "京A0", 0.9)]

    written(reads, 1.3, Files(manifest=manifest, figures=figures))

    told = tomllib.loads(manifest.read_text(encoding="utf-8"))
    assert Calibration.model_validate(told["calibration"]).temperature == 1.3
    assert told["confusions"] == {"0": {"D": 2}}
    assert Measured.model_validate(told["measured"]["gate"]).right == 1


def test_the_config_that_is_kept_is_sound_and_names_every_licence() -> None:
    config = configs.load(Path(real.__file__).parent / "recogniser.toml")

    assert all(one.licence for one in config.sets)
    assert config.set_of("crops/a.jpg") is not None
    assert config.set_of("elsewhere/a.jpg") is None


def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    kept = (Path(real.__file__).parent / "recogniser.toml").read_text(encoding="utf-8")
    file.write_text('speed = "fast"\n' + kept, encoding="utf-8")

    with pytest.raises(ValueError, match="speed"):
        configs.load(file)


def test_light_is_told_by_the_mean_of_the_strip() -> None:
    shades = (20, 100, 220)

    told = [light_of(np.full((48, 160, 3), shade, np.uint8)) for shade in shades]

    assert told == ["dark", "middling", "bright"]


def test_the_card_names_every_data_set_its_licence_and_every_figure() -> None:
    config = configs.load(Path(real.__file__).parent / "recogniser.toml")
    group = summary([outcome("京A12345", "京A12345", 0.99), outcome("京A12345", "沪", 0.1)])
    figures = {
        "network": "net.onnx",
        "classes": 82,
        "part": "test",
        "doubtful_left_out": 7,
        "ms": {"network": 0.8, "with_beam": 1.4},
        **dict.fromkeys(
            ("beam", "greedy", "light", "province", "rendered", "rendered_province"), group
        ),
    }

    told = card(config, figures, "weak at night")

    assert all(one.name in told and one.licence in told for one in config.sets)
    assert "| gate | 2 | 50.00% | 9.4% to 90.5% | 1 | 0 |" in told
    assert told.endswith("weak at night\n")
