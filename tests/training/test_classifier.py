from pathlib import Path
from random import Random

import numpy as np
import pytest

from gatekeeper.lpr.classify import SIDE
from gatekeeper.model import Colour
from gatekeeper.rules.plate import PlateKind, colours_of, kind_of
from training import classifier
from training.classifier.samples import CLASSES, MEANT, rendered, stream
from training.config import load_classifier
from training.render.flat import flat
from training.render.glyphs import Glyphs
from training.render.texts import Kind, text_of

CONFIG = Path(classifier.__file__).parent / "classifier.toml"
GLYPHS = Glyphs(None, None, lambda _name: True)


@pytest.mark.parametrize("kind", Kind)
def test_a_rendered_plate_is_of_the_kind_that_its_text_says(kind: Kind) -> None:
    colour, meant = MEANT[kind]

    assert kind_of(text_of(kind, Random(3))) is meant
    assert colour in colours_of(meant)


def test_every_kind_of_the_rules_has_a_class() -> None:
    assert {kind for _, kind in CLASSES} == set(PlateKind)
    assert len(set(CLASSES)) == len(CLASSES)


@pytest.mark.parametrize("kind", Kind)
def test_a_sample_is_what_the_network_is_given(kind: Kind) -> None:
    picture, of = rendered(flat(kind, GLYPHS, Random(2)), np.random.default_rng(2))

    assert picture.shape == (SIDE, SIDE, 3)
    assert CLASSES[of] == MEANT[kind]


def test_the_same_seed_gives_the_same_samples() -> None:
    config = load_classifier(CONFIG)
    one, other = (stream(config, GLYPHS, [], 9) for _ in range(2))

    for _ in range(10):
        first, second = next(one), next(other)
        assert (first[0] == second[0]).all()
        assert first[1] == second[1]


def test_the_config_that_is_kept_is_sound_and_names_every_licence() -> None:
    config = load_classifier(CONFIG)

    assert all(one.licence for one in config.sets)
    assert Colour.BLUE in {colour for colour, _ in CLASSES}
