"""The configuration file: what is wrong is named, all at once."""

from pathlib import Path

import pytest

from gatekeeper import config
from gatekeeper.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "config" / "gatekeeper.toml"


def faults_of(text: str, folder: Path) -> list[str]:
    file = folder / "gate.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    return str(caught.value).splitlines()


def example(*changes: tuple[str, str]) -> str:
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_the_example_is_good_and_has_nothing_to_warn_of() -> None:
    settings = config.load(EXAMPLE)
    assert [lane.name for lane in settings.lane] == [
        "outer-entry",
        "outer-exit",
        "inner-entry",
        "inner-exit",
    ]
    assert config.warnings(settings) == []


def test_paths_count_from_the_folder_of_the_file() -> None:
    centre = config.load(EXAMPLE).centre
    assert centre is not None
    assert centre.ca == EXAMPLE.parent.resolve() / "ca.pem"


def test_a_typing_error_is_named_with_its_table_and_a_guess(tmp_path: Path) -> None:
    faults = faults_of(example(("pulse_ms", "puls_ms")), tmp_path)
    assert len(faults) == 1
    assert 'lane "outer-entry".barrier.puls_ms: no such key; did you mean "pulse_ms"?' in faults[0]
    assert str(tmp_path / "gate.toml") in faults[0]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    faults = faults_of(
        example(("capacity = 400", "capacity = 0"), ("unit = 1", 'unit = "one"')), tmp_path
    )
    assert len(faults) >= 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('zone = "car_park"', 'zone = "carpark"', 'no zone is called "carpark"'),
        ('inside = "car_park"', 'inside = "visitor_zone"', "no zone is called"),
        ('board = "relays", coil = 1', 'board = "relay", coil = 1', 'no board is called "relay"'),
        ("poll_ms = 50", "poll_ms = 5000", "less than or equal to 500"),
        ("coil = 1 }", "coil = 9 }", "has no coil 9"),
        ("coil = 1 }", "coil = 0 }", "is already"),
        ("tcp://192.0.2.7:502", "192.0.2.7", "address must look like"),
        ("http://192.0.2.11/", "rtsp://192.0.2.11/", "must be an http or https address"),
        ('name = "outer-exit"', 'name = "outer-entry"', "is used twice"),
        ('name = "outer-exit"', 'name = "outer exit/+"', "should match pattern"),
        ("warning_s = 120", "warning_s = 700", "shorter than internal_limit_s"),
        ('direction = "exit"', 'direction = "out"', "direction"),
    ],
)
def test_what_cannot_be_is_said_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(said in fault for fault in faults_of(example((old, new)), tmp_path))


SECOND_BOARD = """
[[board]]
name = "more"
address = "tcp://192.0.2.7"
"""


def test_two_boards_cannot_share_an_address(tmp_path: Path) -> None:
    faults = faults_of(example() + SECOND_BOARD, tmp_path)
    assert any('board "more".address' in fault for fault in faults)


def test_a_lane_is_wired_to_one_board(tmp_path: Path) -> None:
    other = SECOND_BOARD.replace("192.0.2.7", "192.0.2.8")
    lane = example(
        ('barrier = { board = "relays", coil = 1 }', 'barrier = { board = "more", coil = 1 }')
    )
    faults = faults_of(lane + other, tmp_path)
    assert any('lane "outer-exit": all its wires' in fault for fault in faults)


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        config.load(tmp_path / "absent.toml")
    assert "is not TOML" in faults_of("site = ", tmp_path)[0]
    (tmp_path / "latin.toml").write_bytes(b'site = "\xe9"')
    with pytest.raises(ConfigError, match="is not UTF-8"):
        config.load(tmp_path / "latin.toml")


def test_an_exit_without_a_camera_makes_the_limits_advisory(tmp_path: Path) -> None:
    lines = example().splitlines()
    inner_exit = lines.index('name = "inner-exit"')
    camera = next(n for n in range(inner_exit, len(lines)) if lines[n].startswith("camera"))
    del lines[camera]
    file = tmp_path / "gate.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert any("advisory" in warning for warning in config.warnings(config.load(file)))


def test_a_password_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"camera\.password: password file cannot be read"):
        config.secret(tmp_path / "camera.password")
