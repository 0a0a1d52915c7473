"""Text files that people write, whatever editor they have.

A byte order mark and carriage returns are taken off. Everything else that is no plain UTF-8 is a
`ConfigError` of one line: file, line, character and remedy, and nothing else that the file holds.
"""

import re
import unicodedata
from pathlib import Path

from gatekeeper.errors import ConfigError
from gatekeeper.ownership import denied

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

_CONTROLS = {"\x1a": "Ctrl-Z", "\ufeff": "a byte order mark", "\r": "a carriage return alone"}

LOOK_ALIKES = {
    **dict.fromkeys("“”„‟＂「」『』", '"'),
    **dict.fromkeys("‘’‚‛＇", "'"),
    **dict.fromkeys("，、", ","),
    **dict.fromkeys("［【〔", "["),
    **dict.fromkeys("］】〕", "]"),
    **dict.fromkeys("\u3000\u00a0\u2002\u2003\u2009", "a plain space"),
    **dict.fromkeys("\u200b\u200c\u200d\u2060", "nothing at all"),
    "＝": "=",
    "｛": "{",
    "｝": "}",
    "．": ".",
    "。": ".",
    "＃": "#",
    "：": ":",
    "－": "-",
    "＿": "_",
}
"""What Chinese typing puts in place of the characters that are meant."""

QUOTES = frozenset(each for each, meant in LOOK_ALIKES.items() if meant in "\"'")


def read_text(path: Path, what: str, remedy: str, most: int = -1) -> str:
    """The text of a file, at most so many bytes of it; `what` it is (empty, if its name says so)
    and the `remedy` are told where it cannot be read. Raises `ConfigError`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most)
    except OSError as error:
        fault = f"{what} cannot be read: {denied(path, error)}; {remedy}".lstrip()
        raise ConfigError(f"{path}: {fault}") from error
    return plain(data, path, what)


def plain(data: bytes, where: Path, what: str) -> str:
    """What the bytes of the file `where` say; raises `ConfigError`."""
    if data.startswith(_UTF_16) or _looks_like_utf_16(data):
        raise _fault(where, what, "", "is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        looks = " (it looks like GBK)" if _is_gbk(data) else ""
        # from None: the error holds what the file holds
        raise _fault(where, what, before, f"is not UTF-8; save it as UTF-8{looks}") from None
    for number, each in enumerate(text):
        if _is_control(each):
            raise _fault(where, what, text[:number], f"holds {told(each)}; delete it")
    return text


def _single_table(text: str, line: str) -> str | None:
    """The table that is declared here, if it is one of several and was once declared alone."""
    found = re.match(r"\s*\[\[?\s*(\w+)\s*\]", line)
    name = None if found is None else found[1]
    alone = name is not None and re.search(rf"^\s*\[\s*{name}\s*\]", text, re.MULTILINE)
    return name if alone else None


def no_toml(text: str, said: str) -> str:
    """Where `tomllib` gave up, by what it `said`, and what stands there in place of what is meant;
    nothing else of the line.
    """
    found = re.search(r"\(at line (\d+), column (\d+)\)$", said)
    number, column = map(int, found.groups()) if found else (text.count("\n") + 1, 1)
    line, why = text.split("\n")[number - 1], said.partition(" (at ")[0]
    if why.startswith("Illegal character"):  # an end of line: where was the text to end?
        column = max((line.rfind(each) + 1 for each in QUOTES), default=0) or column
    there = line[column - 1 : column]
    if meant := LOOK_ALIKES.get(there):
        why = f"{told(there)}; write {meant}"
    elif why == "Invalid value":
        why += '; a text stands in "quotes"'
    elif single := _single_table(text, line):
        why = f"of {single} there may be several: write [[{single}]], not [{single}], each time"
    return f"line {number}, character {column}: is not TOML: {why}"


def _fault(where: Path, what: str, before: str, fault: str) -> ConfigError:
    return ConfigError(f"{where}, {place(before)}: " + f"{what} {fault}".lstrip())


def place(before: str) -> str:
    """Line and character of what comes after this text."""
    return f"line {before.count(chr(10)) + 1}, character {len(before) - before.rfind(chr(10))}"


def told(character: str) -> str:
    """A character as a person can find it, also where it is not to be seen."""
    shown = _CONTROLS.get(character, character if character.isprintable() else "")
    code = f"U+{ord(character):04X}"
    return f"{shown} ({code})" if shown else code


def _is_control(character: str) -> bool:
    if character in "\n\t":
        return False
    return character == "\ufeff" or unicodedata.category(character) == "Cc"


def _looks_like_utf_16(data: bytes) -> bool:
    """Every other byte of ASCII in UTF-16 is zero."""
    return max(data[::2].count(0), data[1::2].count(0)) * 5 > len(data) * 2


def _is_gbk(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True
