"""Files from whatever editor: configuration, passwords, certificates."""

import contextlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper import config
from gatekeeper.config.lines import line_of
from gatekeeper.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "config" / "gatekeeper.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")


def fault_of(folder: Path, data: bytes) -> str:
    """The one line that is said of a configuration."""
    file = folder / "gate.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    (fault,) = str(caught.value).splitlines()
    return fault.removeprefix(str(file))


# --- what is taken off, and what is told ------------------------------------------------------


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "mark"])
def test_row_55_a_byte_order_mark_and_carriage_returns_are_taken_off(
    tmp_path: Path, mark: bytes, ends: str, certificate: Path
) -> None:
    for name, text, read in (
        ("gate.toml", TEXT, lambda path: config.load(path).controller),
        ("password", "sesame 芝麻\n", config.secret),
        ("ca.pem", certificate.read_text(encoding="ascii"), lambda path: config.pem(path, "ca")),
    ):
        plain, odd = tmp_path / f"plain-{name}", tmp_path / f"odd-{name}"
        plain.write_text(text, encoding="utf-8")
        odd.write_bytes(mark + text.replace("\n", ends).encode())
        assert read(odd) == read(plain)


ODD: dict[str, tuple[Callable[[str], bytes], str]] = {
    "UTF-16": (lambda text: text.encode("utf-16"), "is UTF-16; save it as UTF-8"),
    "UTF-16 without a mark": (lambda text: text.encode("utf-16-le"), "is UTF-16"),
    "GBK": (lambda text: ("闽\n" + text).encode("gbk"), "is not UTF-8; save it as UTF-8 (it looks"),
    "Ctrl-Z": (lambda text: f"{text}\x1a".encode(), "holds Ctrl-Z (U+001A); delete it"),
    "zero bytes": (lambda text: f"{text}\0".encode(), "holds U+0000; delete it"),
    "an escape": (lambda text: f"\x1b[0m{text}".encode(), "holds U+001B; delete it"),
    "a mark within": (lambda text: f"{text}\ufeff".encode(), "a byte order mark (U+FEFF)"),
}
"""Encodings of a text, and what is said of each."""


@pytest.mark.parametrize("kind", ["configuration", "password", "certificate"])
@pytest.mark.parametrize("oddity", ODD)
def test_row_55_every_other_encoding_is_one_line_with_file_line_character_and_remedy(
    tmp_path: Path, certificate: Path, kind: str, oddity: str
) -> None:
    kinds: dict[str, tuple[str, Callable[[Path], object]]] = {
        "configuration": (TEXT, config.load),
        "password": ("sesame", config.secret),
        "certificate": (certificate.read_text("ascii"), lambda path: config.pem(path, "ca")),
    }
    text, read = kinds[kind]
    encoded, says = ODD[oddity]
    file = tmp_path / "odd"
    file.write_bytes(encoded(text))
    with pytest.raises(ConfigError) as caught:
        read(file)
    said = str(caught.value)
    assert re.fullmatch(rf"{file}, line \d+, character \d+: .*{re.escape(says)}.*", said)
    assert "sesame" not in said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('site = "', "site = “", 'line 6, character 8: is not TOML: “ (U+201C); write "'),
        ('centre"        #', "centre”        #", "character 23: is not TOML: ” (U+201D); write"),
        ("site = ", "site ＝ ", "line 6, character 6: is not TOML: ＝ (U+FF1D); write ="),
        (
            "site = ",
            "\u3000site = ",
            "line 6, character 1: is not TOML: U+3000; write a plain space",
        ),
        ("[store]", "［store］", "line 10, character 1: is not TOML: ［ (U+FF3B); write ["),
        ("inverted = true }]", "inverted = true }］", "］ (U+FF3D); write ]"),
        ("site = ", "\u200bsite = ", "U+200B; write nothing at all"),
        ('"service-centre"', "service-centre", 'Invalid value; a text stands in "quotes"'),
    ],
)
def test_row_55_a_character_of_chinese_typing_is_named_with_the_one_that_is_meant(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert says in fault_of(tmp_path, TEXT.replace(old, new, 1).encode())


@pytest.mark.parametrize("quoted", ["“sesame”", "＂sesame＂", "‘sesame’"])
def test_row_55_full_width_quotes_around_a_password_are_no_part_of_it(
    tmp_path: Path, quoted: str
) -> None:
    file = tmp_path / "password"
    file.write_text(quoted, encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"password, line 1, character 1: .*; delete it"
    ) as caught:
        config.secret(file)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "ca cannot be read: No such file"),
        (b"", "ca is empty; put it there"),
        (b"\x30\x82\x01\x00" + bytes(range(200)), "ca is DER, not PEM; change it: openssl x509"),
        (b"no certificate", "ca holds no -----BEGIN"),
        (b"-----BEGIN CERTIFICATE-----\ncut off", "ca holds no -----BEGIN"),
    ],
)
def test_row_55_what_is_no_certificate_is_named_with_its_cure(
    tmp_path: Path, data: bytes | None, says: str
) -> None:
    file = tmp_path / "ca.pem"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(ConfigError, match=re.escape(f"{file}: {says}")):
        config.pem(file, "ca")


def test_row_55_what_stands_around_a_certificate_may_be_chinese(
    tmp_path: Path, certificate: Path
) -> None:
    file, block = tmp_path / "ca.pem", certificate.read_text("ascii")
    file.write_text(f"主体：停车场\n{block}第二\n{block}", encoding="utf-8")
    assert config.pem(file, "ca").count("BEGIN CERTIFICATE") == 2
    assert config.pem(file, "ca").isascii()


@given(data=st.binary(max_size=60))
def test_whatever_bytes_a_file_holds_they_are_a_text_or_a_configuration_error(data: bytes) -> None:
    with contextlib.suppress(ConfigError):
        text = config.plain(data, Path("file"), "file")
        assert text.encode() == data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=c"
    files = ["-out", str(folder / "ca.pem"), "-keyout", str(folder / "key.pem")]
    subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    return folder / "ca.pem"


# --- lines, values and cures -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[[lane]]", "[lane]", "lane: there may be several of it: write [[lane]], not [lane]"),
        ("[store]", "[[store]]", "store: there is one of it: write [store], not [[store]]"),
        (
            '"Asia/Shanghai"',
            '"GMT+8"',
            'timezone: no time zone is called "GMT+8" here; name a place',
        ),
        ('"Asia/Shanghai"', '"CST"', 'name a place: "Asia/Shanghai" is the time of all China'),
        ('"Asia/Shanghai"', '"/etc/localtime"', "name a place"),
        ("poll_ms = 50", "poll_ms = 5000", 'line 87: board "relays".poll_ms: Input should be less'),
        ("poll_ms = 50", "poll_ms = 5000", "or equal to 500, not 5000"),
        ('direction = "exit"', 'direction = "out"', "'entry' or 'exit', not \"out\""),
        ('zone = "car_park"', 'zone = "carpark"', 'line 147: lane "outer-entry".zone: no zone is'),
        ("input = 15,", "input = 16,", "line 105: fire.inputs"),
    ],
)
def test_a_fault_tells_line_value_and_cure(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = TEXT.replace(old, new, 1)
    if new == "[lane]":
        text = text[: text.index("[[lane]]")]
    assert says in fault_of(tmp_path, text.encode())


@pytest.mark.parametrize(
    ("zone", "warned"),
    [("Etc/GMT+8", True), ("Etc/GMT-8", True), ("Etc/GMT", False), ("Asia/Shanghai", False)],
)
def test_a_time_zone_whose_sign_is_the_other_way_round_is_warned_of(
    tmp_path: Path, zone: str, warned: bool
) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(TEXT.replace("Asia/Shanghai", zone, 1), encoding="utf-8")
    said = config.warnings(config.load(file))
    assert any("its sign is the other way round" in each for each in said) is warned


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        (("site",), 1),
        (("store",), 2),
        (("store", "path"), 3),
        (("zone", 1, "name"), 7),
        (("zone", 1, "schedule", 1, "class"), 11),
        (("zone", 1, "absent"), 6),
        (("lane", 0, "geometry", "longest_m"), 14),
        (("lane", 0, "camera", "url"), 13),
        (("display",), None),
    ],
)
def test_the_line_of_a_key_is_that_of_its_innermost_table(
    loc: tuple[int | str, ...], line: int | None
) -> None:
    text = """site = "a"
[store] # here
  path = 'x'
[[zone]]
name = "a"
[[ zone ]]
name = "b"
[[zone.schedule]]
class = "a"
[[zone.schedule]]
"class" = "b"
[[lane]]
camera = { kind = "rtsp", url = "u" }
geometry.longest_m = 3
"""
    assert line_of(text, loc) == line


@given(text=st.text(), loc=st.lists(st.text() | st.integers(0, 3), max_size=3))
def test_no_text_breaks_the_search_for_a_line(text: str, loc: list[int | str]) -> None:
    line = line_of(text, loc)
    assert line is None or 1 <= line <= text.count("\n") + 1


# --- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:sesame@192.0.2.11/picture",
        "admin:sesame@192.0.2.11",
        "http://admin:ses/ame@192.0.2.11/sesame@x",
        "http://admin:sesame#1@192.0.2.11/",
        "http://admin:sesame@192.0.2.11:port/",
        "http://admin:sesame@192.0.2.11:0/",
        "http://admin:sesame@[192.0.2.11/",
        "http://admin:sesame\u2100@192.0.2.11/",
        "ftp://192.0.2.11/x?password=sesame",
    ],
)
def test_row_55_a_password_in_an_address_that_is_refused_is_not_told(
    tmp_path: Path, url: str
) -> None:
    fault = fault_of(
        tmp_path,
        re.sub(r'url = "http://192.0.2.11[^"]*"', f'url = "{url}"', TEXT, count=1).encode(),
    )
    assert "must be an http or https address" in fault
    assert re.search("ses|same", fault) is None


def test_row_55_a_password_in_an_address_that_is_allowed_is_warned_of_and_not_told(
    tmp_path: Path,
) -> None:
    file = tmp_path / "gate.toml"
    text = TEXT.replace("http://192.0.2.11/", "http://admin:sesame@192.0.2.11/")
    file.write_text(text, encoding="utf-8")
    (said,) = config.warnings(config.load(file))
    assert said.startswith("lane outer-entry: camera.url holds a password")
    assert "sesame" not in said


@pytest.mark.parametrize("address", ["tcp://192.0.2.7:99999", "tcp://192.0.2.7:x", "tcp://[1"])
def test_an_address_with_a_port_that_is_none_is_a_fault_and_no_more(
    tmp_path: Path, address: str
) -> None:
    text = TEXT.replace("tcp://192.0.2.7:502", address)
    assert "address must look like" in fault_of(tmp_path, text.encode())


@given(
    password=st.text(st.characters(exclude_characters="@", exclude_categories=["Cs"]), max_size=12)
)
def test_row_55_no_password_is_left_in_an_address_that_is_shown(password: str) -> None:
    shown = config.without_secrets(f"rtsp://admin:{password}@192.0.2.11/stream?token={password}")
    assert shown == "rtsp://192.0.2.11/stream" or "@" not in shown
    assert "admin" not in shown


@pytest.mark.parametrize("how_many", [1, 4])
def test_row_55_one_of_several_tables_that_stands_alone_is_named_with_its_cure(
    tmp_path: Path, how_many: int
) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(EXAMPLE.read_text("utf-8").replace("[[lane]]", "[lane]", how_many), "utf-8")
    with pytest.raises(ConfigError, match=r"of lane there may be several: write \[\[lane\]\]"):
        config.load(file)
