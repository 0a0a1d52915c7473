"""Values that are allowed and hardly ever meant: `check` names key, value and cost."""

from pathlib import Path

import pytest

from gatekeeper import config
from gatekeeper.config import networks, unwise
from gatekeeper.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "config" / "gatekeeper.toml"


def loaded(folder: Path, *changes: tuple[str, str]) -> config.Config:
    """The example configuration with these changes."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "gate.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(file)


def warned(folder: Path, *changes: tuple[str, str]) -> list[str]:
    return config.warnings(loaded(folder, *changes))


EXIT = 'name = "inner-exit"'
ZONE = 'name = "visitor_zone"\ninside'

CASES = [
    ("window_s = 3.0", "lone = 0.6", "recognition: lone = 0.6: a single doubtful frame"),
    ("window_s = 3.0", "window_s = 0.5", "recognition: window_s = 0.5: too few frames"),
    ("window_s = 3.0", "window_s = 20", "recognition: window_s = 20: a driver who cannot"),
    ("exit_window_s = 1.5", "exit_window_s = 9", "recognition: exit_window_s = 9: a car that"),
    ("limit_s = 600", "limit_s = 100", "zone visitor_zone: internal_limit_s = 100: internal cars"),
    ("grace_s = 60", "grace_s = 0", "zone visitor_zone: grace_s = 0: a moment too late"),
    ("warning_s = 60", "warning_s = 5", "zone visitor_zone: warning_s = 5: the driver is told"),
    ("unreadable_after_s = 60", "unreadable_after_s = 0", "unreadable_after_s = 0: a covered"),
    ("offline_after_s = 60", "offline_after_s = 1", "offline_after_s = 1: a short break"),
    ("binding_fresh_s = 300", "binding_fresh_s = 3600", "binding_fresh_s = 3600: an old binding"),
    ("deadline_ms = 2000", "deadline_ms = 100", "barrier: deadline_ms = 100: a board that is"),
    ("deadline_ms = 2000", "deadline_ms = 9000", "barrier: deadline_ms = 9000: another car"),
    ("pulse_ms = 500", "pulse_ms = 50", "lane outer-entry: barrier: pulse_ms = 50: many"),
    (EXIT, f"{EXIT}\nopen_timeout_s = 5", "lane inner-exit: open_timeout_s = 5: who is slow"),
    (EXIT, f"{EXIT}\nopen_timeout_s = 600", "open_timeout_s = 600: the open boom"),
    ("safety_long_s = 6.0", "safety_long_s = 60", "lane inner-exit: safety_long_s = 60: two cars"),
    (EXIT, f"{EXIT}\nloop_stuck_s = 30", "lane inner-exit: loop_stuck_s = 30: a driver who"),
    ("longest_m = 6.5", "longest_m = 12", "lane inner-exit: geometry: longest_m = 12: two small"),
    ("longest_m = 6.5", "longest_m = 3", "lane inner-exit: geometry: longest_m = 3: a single car"),
    ("pictures_days = 30", "pictures_days = 3650", "store: pictures_days = 3650: pictures of"),
    ("min_free_mb = 500", "min_free_mb = 16", "store: min_free_mb = 16: the alarm comes"),
]


@pytest.mark.parametrize(("old", "new", "said"), CASES)
def test_a_value_that_is_hardly_meant_is_warned_of_with_key_value_and_cost(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    (warning,) = warned(tmp_path, ("warning_s = 120", "warning_s = 60"), (old, new))
    assert said in warning


def test_every_such_value_has_a_case_here() -> None:
    rows = (
        *unwise.RECOGNITION,
        *unwise.LIMITED,
        *unwise.BARRIER,
        *unwise.LANE,
        *unwise.GEOMETRY,
        *unwise.STORE,
    )
    told = [said for _, _, said in CASES]
    assert len(rows) == len(CASES)
    assert all(any(f"{row.key} = " in said for said in told) for row in rows)


def test_the_usual_values_of_a_zone_that_admits_everybody_are_not_warned_of(
    tmp_path: Path,
) -> None:
    outer = ("capacity = 400", "capacity = 400\ngrace_s = 0\nwarning_s = 0")
    assert warned(tmp_path, outer) == []


def test_a_stay_that_is_given_up_before_it_could_be_judged_makes_limits_idle(
    tmp_path: Path,
) -> None:
    (warning,) = warned(tmp_path, ("abandon_limited_h = 24", "abandon_limited_h = 0.18"))
    assert warning.startswith("zone visitor_zone: abandon_limited_h = 0.18: stays are given up")
    assert warned(tmp_path, ("abandon_limited_h = 24", "abandon_limited_h = 0.2")) == []


# --- what is certain ----------------------------------------------------------------------------


def test_the_level_of_the_networks_is_used_unless_the_site_sets_another(tmp_path: Path) -> None:
    measured = networks.calibrated("gk")
    assert 0.5 < measured < 1
    assert loaded(tmp_path).recognition.certain == measured
    stricter = loaded(tmp_path, ("window_s = 3.0", "certain = 0.995"))
    assert stricter.recognition.certain == 0.995
    assert config.warnings(stricter) == []


def test_a_level_below_the_measured_one_is_warned_of(tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, ("window_s = 3.0", "certain = 0.51"))
    assert "recognition: certain = 0.51: misreads may count against drivers" in warning
    assert f"measured for gk is {networks.calibrated('gk'):g}" in warning


def test_with_networks_that_say_no_level_nothing_is_certain(tmp_path: Path) -> None:
    strange = ('networks = "gk"', 'networks = "cpl"')
    assert loaded(tmp_path, strange).recognition.certain == 1.0
    (warning,) = warned(tmp_path, strange)
    assert 'recognition: networks = "cpl": no manifest of that set' in warning
    assert "known: clp" in warning


@pytest.mark.parametrize(
    ("manifest", "level"),
    [
        ("certain = 0.97", 0.97),
        ('certain = "high"', 1.0),
        ("certain = 0.3", 1.0),
        ("certain = 7.0", 1.0),
        ("", 1.0),
        ("certain = ", 1.0),
    ],
)
def test_a_manifest_is_believed_only_where_it_says_a_level(
    tmp_path: Path, manifest: str, level: float
) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "manifest.toml").write_text(manifest, encoding="utf-8")
    assert networks.calibrated("tiny", tmp_path) == level
    assert networks.set_names(tmp_path) == ["tiny"]
    assert networks.calibrated("absent", tmp_path) == 1.0


def test_a_name_of_networks_that_cannot_be_is_one_fault_and_not_two(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, ('networks = "gk"', 'networks = "c l p"'))
    (fault,) = str(caught.value).splitlines()
    assert "recognition.networks" in fault


# --- the broker ---------------------------------------------------------------------------------


def test_a_password_for_a_broker_that_is_not_encrypted_is_warned_of(tmp_path: Path) -> None:
    said = warned(tmp_path, ('ca = "ca.pem"', ""))
    assert [warning for warning in said if "no ca" in warning]
    (warning,) = [warning for warning in said if "password_file" in warning]
    assert "centre.password" in warning
    assert "in the clear" in warning
