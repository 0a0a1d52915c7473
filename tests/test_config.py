"""The configuration file: what is wrong is named, all at once."""

import re
from datetime import datetime, time
from pathlib import Path

import pytest

from gatekeeper import config
from gatekeeper.app.wiring import texts_of
from gatekeeper.errors import ConfigError
from gatekeeper.model import PROVINCES, Limit, Reason, Schedule, Then, VehicleClass, Wording
from gatekeeper.rules.texts import REFUSE
from gatekeeper.zones import policy_of

EXAMPLE = Path(__file__).parents[1] / "config" / "gatekeeper.toml"


def faults_of(text: str, folder: Path) -> list[str]:
    file = folder / "gate.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    return str(caught.value).splitlines()


def loaded(text: str, folder: Path) -> config.Config:
    file = folder / "gate.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(file)


def written(folder: Path, *changes: tuple[str, str]) -> config.Config:
    return loaded(example(*changes), folder)


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
        ('inside = "car_park"', 'inside = "visitor_zone"', "but the zone itself"),
        (
            'name = "car_park"',
            'name = "car_park"\ninside = "visitor_zone"',
            'zone "car_park".inside: it lies in "visitor_zone", which lies in it; one must not',
        ),
        ('direction = "exit"', 'direction = "out"', "direction"),
        ('"Asia/Shanghai"', '"Asia/Shanghia"', 'did you mean "Asia/Shanghai"?'),
        ('"Asia/Shanghai"', "8", 'timezone: must be a name like "Asia/Shanghai"'),
        ("window_s = 3.0", 'province = "警"', "recognition.province: String should match"),
        ("window_s = 3.0", 'province = "闽A"', "recognition.province: String should match"),
        (
            'when_full = "refuse"',
            'exempt_kinds = ["polise"]',
            'zone "visitor_zone".exempt_kinds number 1: no kind of plate to exempt is called'
            ' "polise" (known: police, armed_police, military, emergency, embassy, consulate,'
            ' civil_aviation); did you mean "police"?',
        ),
        ('when_full = "refuse"', 'exempt_kinds = ["ordinary"]', "no kind of plate to exempt"),
        ("unreadable_after_s = 60", "unreadable_after_s = -1", "greater than or equal to 0"),
        ("abandon_days = 30", "blacklist_days = 0", "blacklist_days: Input should be greater"),
        ("safety_long_s = 6.0", "safety_long_s = 0.1", "safety_long_s: Input should be greater"),
    ],
)
def test_what_cannot_be_is_said_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(said in fault for fault in faults_of(example((old, new)), tmp_path))


def test_row_50_one_camera_is_not_taken_for_two_lanes(tmp_path: Path) -> None:
    faults = faults_of(example(("192.0.2.12", "192.0.2.11")), tmp_path)
    assert 'lane "outer-exit".camera: is already that of lane "outer-entry"' in str(faults)


def test_row_50_two_opposite_lanes_may_be_seen_by_one(tmp_path: Path) -> None:
    settings = loaded(reversible(("192.0.2.12", "192.0.2.11")), tmp_path)
    cameras = [lane.camera for lane in settings.lane[:2]]
    assert cameras[0] == cameras[1]


@pytest.mark.parametrize("name", ["centre", "registry"])
def test_a_controller_bears_no_name_that_others_bear_in_the_topics(
    tmp_path: Path, name: str
) -> None:
    faults = faults_of(example(('controller = "gate-1"', f'controller = "{name}"')), tmp_path)
    assert any(f'"{name}" is not a controller by the protocol' in each for each in faults)


def test_the_examples_in_the_comments_are_good_too(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(re.sub(r"^# (?=\[|[a-z_]+ = )", "", example(), flags=re.M), encoding="utf-8")

    settings = config.load(file)

    assert config.warnings(settings) == []
    assert [len(zone.schedule) for zone in settings.zone] == [0, 2]
    assert settings.recognition.province == "闽"
    assert [peer.controller for peer in settings.peer] == ["gate-2"]
    assert settings.lane[-1].geometry is not None


def test_every_province_may_be_the_local_one(tmp_path: Path) -> None:
    for province in PROVINCES:
        recognition = written(tmp_path, ("window_s = 3.0", f'province = "{province}"')).recognition
        assert recognition.province == province


def test_the_site_keeps_the_time_of_its_zone(tmp_path: Path) -> None:
    settings = written(tmp_path, ('timezone = "Asia/Shanghai"', ""))

    noon = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    assert noon.astimezone(settings.timezone).hour == 20


# --- hours ----------------------------------------------------------------------------------


def hours(*rows: str, zone: str = "visitor_zone") -> tuple[str, str]:
    """The change that gives a zone of the example these schedules, each as `key = value` pairs."""
    tables = "\n".join(f"[[zone.schedule]]\n{row}\n" for row in rows)
    following = '[[zone]]\nname = "visitor_zone"' if zone == "car_park" else "[[board]]"
    return following, f"{tables}\n{following}"


NIGHT = 'class = "internal"\ndays = ["fri"]\nfrom = "22:00"\nuntil = "06:00"\nthen = "free"'


def test_a_zone_has_the_policy_its_tables_tell(tmp_path: Path) -> None:
    settings = written(
        tmp_path,
        hours(NIGHT),
        ('unreadable = "refuse"', 'unreadable = "admit"\nexempt_kinds = ["police"]'),
        ("abandon_days = 30", "abandon_days = 2\nblacklist_days = 90\ncooldown_s = 1800"),
    )

    policy = policy_of(settings, "visitor_zone")

    assert policy.limit == Limit(limit_s=600, warning_s=120, grace_s=60)
    assert policy.schedules == (
        Schedule(
            vehicle=VehicleClass.INTERNAL,
            weekdays=(4,),
            begins=time(22),
            until=time(6),
            then=Then.FREE,
        ),
    )
    assert (policy.unreadable_admit, policy.unreadable_after_s) == (True, 60.0)
    assert policy.exempt_kinds == ("police",)
    assert (policy.cooldown_s, policy.binding_fresh_s, policy.blacklist_days) == (1800, 300, 90)
    assert (policy.abandon_limited_s, policy.abandon_s) == (86_400, 2 * 86_400)


def test_hours_hold_on_every_day_unless_days_are_named(tmp_path: Path) -> None:
    settings = written(tmp_path, hours(NIGHT.replace('days = ["fri"]\n', "")))

    [schedule] = policy_of(settings, "visitor_zone").schedules

    assert schedule.weekdays == (0, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('class = "internal"', 'class = "staff"', "class: Input should be 'visitor'"),
        ('class = "internal"', 'class = "exempt"', "class: Input should be 'visitor'"),
        ('class = "internal"', "", "class: missing"),
        ("class", "clas", 'clas: no such key; did you mean "class"?'),
        ('["fri"]', "[]", "days: Tuple should have at least 1 item"),
        ('["fri"]', '["friday"]', "days number 1: Input should be 'mon'"),
        ("22:00", "24:00", "from: Input should be in a valid time format"),
        ("22:00", "22:00Z", "from: must be a time of the site's own day"),
        ('"free"', '"allow"', "then: Input should be 'refuse'"),
    ],
)
def test_hours_that_cannot_be_are_told_by_zone_number_and_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    faults = faults_of(example(hours(NIGHT.replace(old, new))), tmp_path)

    assert any(f'zone "visitor_zone".schedule number 1.{said}' in fault for fault in faults)


def warned(folder: Path, *changes: tuple[str, str]) -> list[str]:
    return config.warnings(written(folder, *changes))


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ([NIGHT], NIGHT.replace("free", "refuse")),
        ([NIGHT], NIGHT.replace('"fri"', '"sat"').replace("22:00", "00:00").replace("06", "02")),
        (
            [NIGHT.replace("06:00", "23:00"), NIGHT.replace("22:00", "23:00")],
            NIGHT.replace("22:00", "22:30").replace("06:00", "05:00"),
        ),
        (
            [NIGHT.replace('["fri"]', '["sun"]')],
            NIGHT.replace('["fri"]', '["mon"]').replace("22:00", "01:00"),
        ),
    ],
    ids=["the same", "after midnight", "two make one", "over the end of the week"],
)
def test_hours_that_can_never_fit_are_warned_of(
    tmp_path: Path, above: list[str], below: str
) -> None:
    number = len(above) + 1

    assert warned(tmp_path, hours(*above, below)) == [
        f"zone visitor_zone: schedule number {number} (internal) can never fit: rows above it take"
        " all its hours"
    ]


@pytest.mark.parametrize(
    "below",
    [
        NIGHT.replace("06:00", "06:01"),
        NIGHT.replace("22:00", "21:59"),
        NIGHT.replace('["fri"]', '["fri", "sat"]'),
        NIGHT.replace("internal", "visitor"),
    ],
)
def test_hours_that_may_fit_at_some_moment_are_not_warned_of(tmp_path: Path, below: str) -> None:
    assert warned(tmp_path, hours(NIGHT, below)) == []


def test_hours_for_unread_cars_fit_only_where_these_are_ever_admitted(tmp_path: Path) -> None:
    unread = hours(NIGHT.replace("internal", "unread"))
    admitting = ('unreadable = "refuse"', 'unreadable = "admit"')
    outer = hours(NIGHT.replace("internal", "unread"), zone="car_park")

    assert any(
        "schedule number 1 (unread) can never fit" in said for said in warned(tmp_path, unread)
    )
    assert warned(tmp_path, unread, admitting) == []
    assert warned(tmp_path, outer) == []


def test_a_cooldown_of_more_than_a_day_or_without_effect_is_warned_of(tmp_path: Path) -> None:
    inner = ('when_full = "refuse"', 'when_full = "refuse"\ncooldown_s = 86401')
    outer = ("capacity = 400", "capacity = 400\ncooldown_s = 60")

    assert any("away for over a day" in said for said in warned(tmp_path, inner))
    assert any("cooldown_s has no effect" in said for said in warned(tmp_path, outer))


# --- exits, and other controllers -----------------------------------------------------------


def without_lane(text: str, name: str) -> str:
    lanes = text.split("[[lane]]")
    return "[[lane]]".join(lane for lane in lanes if f'name = "{name}"' not in lane)


def peers(*names: str, exits_of: str = "visitor_zone") -> str:
    return "".join(
        f'\n[[peer]]\ncontroller = "{name}"\nexits_of = ["{exits_of}"]\nexits_measured = true\n'
        for name in names
    )


def test_a_zone_needs_its_exits_here_or_at_a_peer(tmp_path: Path) -> None:
    text = without_lane(example(), "inner-exit")

    assert config.warnings(loaded(text, tmp_path)) == [
        "zone visitor_zone: no exit lane here, nor at a [[peer]] by its exits_of: limits are"
        " advisory"
    ]
    assert config.warnings(loaded(text + peers("gate-2"), tmp_path)) == []


def test_peers_without_a_centre_are_never_heard(tmp_path: Path) -> None:
    text = re.sub(r"\[centre\].*?\n\n", "", example() + peers("gate-2"), flags=re.S)

    assert any("nothing is ever heard" in said for said in config.warnings(loaded(text, tmp_path)))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (peers("gate-1"), 'peer "gate-1".controller: is this controller itself'),
        (peers("gate-2", "gate-2"), 'peer: the name "gate-2" is used twice'),
        (peers("gate-2", exits_of="attic"), 'peer "gate-2".exits_of: no zone is called "attic"'),
        (
            peers("gate-2").replace("exits_of", "exit_of"),
            'peer "gate-2".exit_of: no such key; did you mean "exits_of"?',
        ),
    ],
)
def test_a_peer_is_another_controller_told_once_whose_zones_are_known(
    tmp_path: Path, more: str, said: str
) -> None:
    assert any(said in fault for fault in faults_of(example() + more, tmp_path))


GEOMETRY = "\n[lane.geometry]\narrival_to_safety_m = 2.5\nsafety_loop_m = 1.5\n"


def unmeasured(text: str) -> str:
    """The example without the geometry of its last lane."""
    return text.partition("[lane.geometry]")[0]


def test_the_geometry_of_a_lane_takes_no_single_vehicle_to_be_longer_than_six_and_a_half_metres(
    tmp_path: Path,
) -> None:
    geometry = loaded(unmeasured(example()) + GEOMETRY, tmp_path).lane[-1].geometry

    assert geometry is not None
    assert (geometry.arrival_to_safety_m, geometry.safety_loop_m) == (2.5, 1.5)
    assert geometry.longest_m == 6.5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("safety_loop_m = 1.5", "safety_loop_m = 0", "geometry.safety_loop_m: Input should be"),
        ("safety_loop_m = 1.5", "", "geometry.safety_loop_m: missing"),
        ("safety_loop_m", "safety_loop", 'did you mean "safety_loop_m"?'),
    ],
)
def test_a_wrong_geometry_is_told_by_lane_and_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    faults = faults_of(unmeasured(example()) + GEOMETRY.replace(old, new), tmp_path)

    assert any('lane "inner-exit".geometry' in fault and said in fault for fault in faults)


def test_a_geometry_needs_a_safety_loop(tmp_path: Path) -> None:
    bare = example(('safety_loop = { board = "relays", input = 7 }', ""))

    assert "the lane has no safety_loop" in faults_of(unmeasured(bare) + GEOMETRY, tmp_path)[0]


def test_a_geometry_needs_an_arrival_loop(tmp_path: Path) -> None:
    bare = example(('arrival_loop = { board = "relays", input = 6 }', ""))

    assert "the lane has no arrival_loop" in faults_of(unmeasured(bare) + GEOMETRY, tmp_path)[0]


def test_a_lane_without_an_arrival_loop_needs_a_camera_and_is_warned_of(tmp_path: Path) -> None:
    bare = unmeasured(example(('arrival_loop = { board = "relays", input = 6 }', "")))
    settings = loaded(bare, tmp_path)
    lane = settings.lane[-1]
    assert (lane.arrival_loop, "arrival_loop" in lane.inputs) == (None, False)
    assert any("inner-exit: no arrival loop" in said for said in config.warnings(settings))

    blind = re.sub(r"^camera = .*192\.0\.2\.14.*$", "", bare, flags=re.M)
    (fault,) = faults_of(blind, tmp_path)
    assert 'lane "inner-exit"' in fault
    assert "a lane needs an arrival_loop or a camera" in fault


# --- cameras ----------------------------------------------------------------------------------


def with_camera(camera: str) -> str:
    return re.sub(r"(?<=^camera = ).*$", camera, example(), count=1, flags=re.M)


def test_every_kind_of_camera_in_the_comments_is_good(tmp_path: Path) -> None:
    cameras = re.findall(r"^#   camera = (.*)$", example(), flags=re.M)
    settings = [loaded(with_camera(camera), tmp_path).lane[0].camera for camera in cameras]
    kinds = {each.kind for each in settings if each is not None}
    assert kinds == {"rtsp", "mjpeg", "usb", "video", "folder"}


def test_every_kind_of_camera_may_have_a_view(tmp_path: Path) -> None:
    masks = "[[0, 0, 0.5, 0.5], [0.9, 0.9, 0.1, 0.1]]"
    view = f"roi = [0.1, 0.2, 0.9, 0.8], masks = {masks}, rotation = 90"
    for camera in (
        'kind = "snapshot", url = "http://192.0.2.11/x"',
        'kind = "rtsp", url = "rtsps://192.0.2.11/x"',
        'kind = "mjpeg", url = "https://192.0.2.11/x"',
        'kind = "usb", device = 0',
        'kind = "video", path = "x.avi"',
        'kind = "folder", path = "x"',
    ):
        settings = loaded(with_camera(f"{{ {camera}, {view} }}"), tmp_path).lane[0].camera
        assert settings is not None
        assert settings.roi == (0.1, 0.2, 0.9, 0.8)
        assert (len(settings.masks), settings.rotation) == (2, 90)


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ('kind = "webcam"', "camera: Input tag 'webcam'"),
        ('kind = "rtsp", url = "http://192.0.2.11/x"', "must be an rtsp or rtsps address"),
        ('kind = "mjpeg", url = "rtsp://192.0.2.11/x"', "must be an http or https address"),
        ('kind = "mjpeg", url = "http://192.0.2.11/x", username = "gate"', "go together"),
        ('kind = "rtsp", url = "rtsp://192.0.2.11/x", timeout_ms = 3000', "equal to 2000"),
        ('kind = "rtsp", link = "rtsp://192.0.2.11/x"', "camera.link: no such key"),
        ('kind = "usb", device = "video0"', "camera.device"),
        ('kind = "usb", device = 0, rotation = 45', "camera.rotation: Input should be 0, 90"),
        ('kind = "usb", device = 0, roi = [0.5, 0, 0.6, 1]', "partly outside the picture"),
        ('kind = "usb", device = 0, roi = [0, 0, 1, 0]', "camera.roi number 4: Input should"),
        ('kind = "usb", device = 0, roi = [0, 0, 1]', "camera.roi"),
        ('kind = "usb", device = 0, roi = [0, 0, nan, 1]', "camera.roi number 3"),
        ('kind = "usb", device = 0, masks = [[0, 0.8, 1, 0.3]]', "camera.masks number 1: [x, y"),
        ('kind = "usb", device = 0, masks = [[0, 0, 1, 1]]', "a mask hides all that is read"),
        (
            'kind = "usb", device = 0, roi = [0.2, 0.2, 0.1, 0.1], masks = [[0.1, 0.1, 0.3, 0.3]]',
            "a mask hides all that is read",
        ),
    ],
)
def test_a_camera_that_cannot_be_is_told_by_lane_and_key(
    tmp_path: Path, camera: str, said: str
) -> None:
    faults = faults_of(with_camera(f"{{ {camera} }}"), tmp_path)
    assert any('lane "outer-entry"' in fault and said in fault for fault in faults), faults


# --- boards, files, secrets -----------------------------------------------------------------

SECOND_BOARD = """
[[board]]
name = "more"
address = "tcp://192.0.2.7"
"""


def test_boards_at_one_address_differ_in_their_unit(tmp_path: Path) -> None:
    same = SECOND_BOARD.replace("192.0.2.7", "192.0.2.7:502")
    assert any('board "more".unit' in fault for fault in faults_of(example() + same, tmp_path))
    loaded(example() + same + "unit = 2", tmp_path)


@pytest.mark.parametrize("key", ["baudrate = 19200", 'parity = "E"', "stopbits = 2", "gap_ms = 40"])
def test_boards_on_one_line_agree_in_what_is_the_lines(tmp_path: Path, key: str) -> None:
    address = "serial:///dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
    one = ("tcp://192.0.2.7:502", address)
    two = SECOND_BOARD.replace("tcp://192.0.2.7", address) + "unit = 2\n"
    loaded(example(one) + two, tmp_path)
    (fault,) = faults_of(example(one) + two + key, tmp_path)
    assert 'board "more": on one line with "relays"' in fault


def test_a_board_and_a_display_cannot_share_a_port(tmp_path: Path) -> None:
    text = example(("tcp://192.0.2.7:502", "serial:///dev/ttyUSB0"))
    display = '\n[[display]]\nname = "sign"\nport = "/dev/ttyUSB0"\n'
    assert any('display "sign"' in fault for fault in faults_of(text + display, tmp_path))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("192.0.2.7", "must look like"),
        ("udp://192.0.2.7", "must look like"),
        ("tcp://192.0.2.7/a", "must look like"),
        ("serial:ttyUSB0", "must look like"),
        ("serial://ttyUSB0", "must look like"),
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str, said: str) -> None:
    (fault,) = faults_of(example(("tcp://192.0.2.7:502", address)), tmp_path)
    assert said in fault


def test_a_board_that_speaks_rtu_has_no_unit_0(tmp_path: Path) -> None:
    rtu = ("tcp://192.0.2.7:502", "rtu+tcp://192.0.2.7:4196")
    (fault,) = faults_of(example(rtu, ("unit = 1", "unit = 0")), tmp_path)
    assert "1 to 247" in fault


def test_a_silent_board_on_a_serial_line_has_to_be_noticed_in_time(tmp_path: Path) -> None:
    slow = ("unit = 1", "unit = 1\ntimeout_ms = 900")
    (fault,) = faults_of(example(("tcp://192.0.2.7:502", "serial:///dev/ttyUSB0"), slow), tmp_path)
    assert "noticed within 2 s" in fault
    loaded(example(slow), tmp_path)


def test_channels_are_those_of_the_profile_if_not_told(tmp_path: Path) -> None:
    four = ("unit = 1", 'unit = 1\nprofile = "zlan6042"')
    untold = ("inputs = 16 ", "# ")
    assert any("no input 4" in fault for fault in faults_of(example(four, untold), tmp_path))
    assert loaded(example(four), tmp_path).board[0].inputs == 16


def test_a_profile_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    (fault,) = faults_of(example(("unit = 1", 'profile = "waveshare"')), tmp_path)
    assert 'board "relays".profile: no profile is called "waveshare"' in fault
    assert "waveshare8" in fault


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "coil"', 'kind = "flsh"', r"pulse: .*flsh"),
        ("read = 2", "read = 5", r"inputs\.read: .*not 5"),
        ("write = 5", "write = 6", r"coils: on and off must be told"),
        ("count = 8", "count = 0", r"coils\.count: .*not 0"),
        ("verified", "verfied", r"verified: Field required"),
        ("[coils]", "[coils", r"is not TOML"),
    ],
)
def test_a_bad_profile_is_named_with_file_key_and_value(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    plain = (Path(config.__file__).parent / "boards" / "plain.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(plain, encoding="utf-8")
    own = example(("unit = 1", 'profile = "own.toml"'))
    assert loaded(own, tmp_path).board[0].profile.pulse.kind == "coil"
    (tmp_path / "own.toml").write_text(plain.replace(old, new, 1), encoding="utf-8")
    fault = " ".join(faults_of(own, tmp_path))
    assert re.search(rf'board "relays".profile: .*own\.toml: .*{said}', fault)


def test_every_profile_that_comes_with_the_program_is_good() -> None:
    assert {"plain", "waveshare8", "lc8", "juying8", "eletechsup4", "zlan6042"} <= set(
        config.profile_names()
    )
    for name in config.profile_names():
        board = config.BoardSettings(name="b", address="tcp://192.0.2.7", profile=name)
        assert board.profile.source


@pytest.mark.parametrize(
    ("profile", "pulse_ms", "said"),
    [
        ("waveshare8", 550, "in steps of 100"),
        ("eletechsup4", 500, "always last 1000 ms"),
    ],
)
def test_a_pulse_that_the_board_cannot_give_is_refused(
    tmp_path: Path, profile: str, pulse_ms: int, said: str
) -> None:
    text = example(
        ("unit = 1", f'profile = "{profile}"\ncoils = 8'),
        ("pulse_ms = 500", f"pulse_ms = {pulse_ms}"),
    )
    faults = faults_of(text, tmp_path)
    assert f'lane "outer-entry".barrier.pulse_ms: board "relays": its pulses {said}' in faults[
        0
    ].replace("last 100 to 3276700 ms, ", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("unit = 1", 'profile = "lc8"', "board relays: its profile was made from documents"),
        ("tcp://192.0.2.7:502", "serial:///dev/ttyUSB0", "take its name below /dev/serial/by-id"),
    ],
)
def test_a_profile_no_one_tried_and_a_port_that_may_change_are_warned_of(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    (warning,) = config.warnings(written(tmp_path, (old, new)))
    assert said in warning


def test_relays_of_a_barrier_are_its_own(tmp_path: Path) -> None:
    held = ("coil = 1 }", "coil = 1, hold_coil = 0, close_coil = 9 }")
    faults = faults_of(example(held), tmp_path)
    assert any(".hold_coil: coil 0" in fault and "is already" in fault for fault in faults)
    assert any('.close_coil: board "relays" has no coil 9' in fault for fault in faults)


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


# --- displays and texts ---------------------------------------------------------------------

DISPLAYS = """
[[display]]
name = "in"
port = "/dev/serial/by-id/usb-1"

[[display]]
name = "out"
port = "/dev/serial/by-id/usb-2"
"""

TEXTS = """
[texts.refuse.not_bound]
lines = ["{plate}", "扫码"]
voice = "请扫码"

[texts.reasons]
not_bound = "未登记"
"""


def with_displays(*changes: tuple[str, str]) -> str:
    """The example with two displays, one at each of the outer lanes."""
    lanes = (
        ('name = "outer-entry"', 'name = "outer-entry"\ndisplay = "in"'),
        ('name = "outer-exit"', 'name = "outer-exit"\ndisplay = "out"'),
    )
    text = example(*lanes) + DISPLAYS + TEXTS
    for old, new in changes:
        before, found, after = text.rpartition(old)  # the example tells of displays in comments
        assert found
        text = before + new + after
    return text


def test_a_lane_has_the_display_it_names(tmp_path: Path) -> None:
    settings = loaded(with_displays(), tmp_path)
    assert [lane.display for lane in settings.lane] == ["in", "out", None, None]
    assert (settings.display[0].baudrate, settings.display[0].address) == (9600, 0)


def test_a_site_words_one_reason_its_own_way_and_keeps_the_others(tmp_path: Path) -> None:
    texts = texts_of(loaded(with_displays(), tmp_path))
    assert texts.refuse[Reason.NOT_BOUND] == Wording(lines=("{plate}", "扫码"), voice="请扫码")
    assert texts.reasons[Reason.NOT_BOUND] == "未登记"
    assert {**texts.refuse, Reason.NOT_BOUND: None} == {**REFUSE, Reason.NOT_BOUND: None}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('display = "in"', 'display = "sign"', 'no display is called "sign"'),
        (
            'display = "out"',
            'display = "in"',
            'lane "outer-exit".display: "in" is already that of lane "outer-entry"',
        ),
        ("usb-2", "usb-1", 'display "out".port: /dev/serial/by-id/usb-1 has another display'),
        ('name = "out"', 'name = "in"', 'display: the name "in" is used twice'),
        ("/dev/serial/by-id/usb-2", "COM1", 'display "out".port: String should match'),
        ('name = "out"\n', 'name = "out"\nbaudrate = 9601\n', 'display "out".baudrate: Input'),
        ('name = "out"\n', 'name = "out"\nbaud = 9600\n', 'did you mean "baudrate"?'),
        (
            "{plate}",
            "{plat}",
            'texts.refuse.not_bound.lines number 1: no placeholder is called "plat"'
            ' (known: plate, minutes, reason, free); did you mean "plate"?',
        ),
        ('voice = "请扫码"', 'voice = "{}"', "texts.refuse.not_bound.voice: no placeholder is"),
        ("refuse.not_bound", "refuse.notbound", 'no reason is called "notbound"'),
        ("not_bound = ", "not_bond = ", 'did you mean "not_bound"?'),
        ("voice =", "voise =", 'texts.refuse.not_bound.voise: no such key; did you mean "voice"?'),
        ("[texts.refuse", "[texts.refuze", 'texts.refuze: no such key; did you mean "refuse"?'),
        ('"扫码"]', '"1", "2", "3", "4"]', "texts.refuse.not_bound.lines: Tuple should have at"),
    ],
)
def test_a_wrong_display_or_text_is_told_by_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    faults = faults_of(with_displays((old, new)), tmp_path)
    assert any(said in fault for fault in faults), faults


# --- reversible lanes -------------------------------------------------------------------------


def reversible(*changes: tuple[str, str]) -> str:
    """The example with its outer lanes on the two sides of one barrier."""
    text = example(
        ('name = "outer-exit"', 'name = "outer-exit"\nopposite = "outer-entry"'),
        ("coil = 1 }", "coil = 0 }"),
        ("input = 3 }", "input = 1 }"),
    )
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_lanes_that_are_opposite_share_barrier_and_safety_loop(tmp_path: Path) -> None:
    settings = loaded(reversible(), tmp_path)
    ((one, other),) = config.reversible_lanes(settings)
    assert (one.name, other.name) == ("outer-exit", "outer-entry")
    assert one.barrier == other.barrier
    assert one.safety_loop == other.safety_loop
    assert config.warnings(settings) == []


def test_each_may_name_the_other(tmp_path: Path) -> None:
    named = ('name = "outer-entry"', 'name = "outer-entry"\nopposite = "outer-exit"')
    assert len(config.reversible_lanes(loaded(reversible(named), tmp_path))) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'opposite = "outer-entry"',
            'opposite = "outer"',
            'lane "outer-exit".opposite: no lane is called "outer"',
        ),
        ('opposite = "outer-entry"', "", 'coil 0 of "relays" is already lane "outer-entry"'),
        (
            'opposite = "outer-entry"',
            'opposite = "outer-exit"',
            'lane "outer-exit".opposite: "outer-exit" is an exit too; one has to lead back',
        ),
        (
            'opposite = "outer-entry"',
            'opposite = "inner-entry"',
            'lane "outer-exit".opposite: "inner-entry" belongs to another zone, "visitor_zone"',
        ),
        (
            'name = "inner-exit"',
            'name = "inner-exit"\nopposite = "outer-entry"',
            'lane "outer-entry".opposite: is that of "outer-exit" and "inner-exit"; one only can',
        ),
        (
            "coil = 0, pulse_ms = 500",
            "coil = 6, pulse_ms = 500",
            'lane "outer-exit".barrier: has to be the same as that of its opposite "outer-entry"',
        ),
        (
            'safety_loop = { board = "relays", input = 1 }\n',
            "",
            'lane "outer-exit".safety_loop: has to be the same as that of its opposite',
        ),
        (
            "coil = 0 }",
            "coil = 0, close_coil = 5 }",
            'lane "outer-exit".barrier.close_coil: neither of two lanes sees all who may be under',
        ),
        (
            "input = 2 }",
            "input = 0 }",
            'lane "outer-exit".arrival_loop.input: input 0 of "relays" is already lane',
        ),
    ],
)
def test_lanes_that_cannot_be_opposite_are_told_by_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    faults = faults_of(reversible((old, new)), tmp_path)
    assert any(said in fault for fault in faults), faults


def test_a_shared_barrier_needs_its_safety_loop(tmp_path: Path) -> None:
    wire = 'safety_loop = { board = "relays", input = 1 }\n'
    faults = faults_of(reversible((wire, ""), (wire, "")), tmp_path)
    assert any(
        '"outer-exit".safety_loop: missing; without it, it is not known when' in each
        for each in faults
    )


# --- fire, holding and closing --------------------------------------------------------------

OUTER = 'barrier = { board = "relays", coil = 0, pulse_ms = 500, deadline_ms = 2000 }'


def barrier(more: str) -> tuple[str, str]:
    return OUTER, OUTER.replace("pulse_ms = 500, deadline_ms = 2000", more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('open_input = "toggle"', 'a second "open" would close the boom'),
        ("close_coil = 6, self_reversing = true", "a self_reversing barrier closes by itself"),
        ("close_after_s = 3", "there is no close_coil to close with"),
        ("hold_coil = 1", "coil 1 of"),
        ("close_coil = 8", 'board "relays" has no coil 8'),
    ],
)
def test_a_barrier_that_may_hit_somebody_is_refused(tmp_path: Path, more: str, said: str) -> None:
    faults = faults_of(example(barrier(more)), tmp_path)

    assert any(said in fault for fault in faults)


def test_a_close_relay_needs_a_safety_loop(tmp_path: Path) -> None:
    relay = barrier("close_coil = 6, close_after_s = 3")
    loop = ('safety_loop = { board = "relays", input = 1 }', "")

    assert loaded(example(relay), tmp_path).lane[0].barrier.close_coil == 6
    (fault,) = faults_of(example(relay, loop), tmp_path)
    assert "a close relay needs a safety_loop" in fault


def test_a_boom_is_held_by_a_relay_of_its_own_or_by_the_opening_one(tmp_path: Path) -> None:
    lanes = loaded(example(barrier("hold_coil = 7")), tmp_path).lane

    assert [lane.barrier.held_by for lane in lanes[:2]] == [7, 1]


def test_without_a_fire_input_somebody_else_has_to_open_the_barriers(tmp_path: Path) -> None:
    (said,) = warned(tmp_path, ('inputs = [{ board = "relays", input = 15, inverted = true }]', ""))

    assert said.startswith("fire: no inputs")


def test_a_fire_contact_that_closes_hides_a_broken_wire(tmp_path: Path) -> None:
    (said,) = warned(tmp_path, ("input = 15, inverted = true", "input = 15"))

    assert "if its wire breaks, it is not noticed" in said


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        ("input = 16", "fire.inputs number 1.input: board"),
        ("input = 7", "input 7 of"),
        ("inputt = 15", 'no such key; did you mean "input"?'),
    ],
)
def test_a_fire_input_has_to_be_there_and_no_one_elses(
    tmp_path: Path, wire: str, said: str
) -> None:
    faults = faults_of(example(("input = 15", wire)), tmp_path)

    assert any(said in fault for fault in faults)
