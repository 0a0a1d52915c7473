"""Passwords and certificates, each in a file of its own. No error tells what such a file holds."""

import re
from pathlib import Path

from gatekeeper.config.text import QUOTES, plain, read_text, told
from gatekeeper.errors import ConfigError
from gatekeeper.ownership import denied

_LONGEST = 4096
"""Bytes: a longer file is no password file."""

_BLOCK = re.compile(r"^-----BEGIN ([A-Z0-9 ]+)-----\n.*?^-----END \1-----$", re.M | re.S)

_DER = b"\x30"
"""How a certificate begins that is not PEM: a sequence (X.690, 8.9)."""


def secret(path: Path) -> str:
    """The password in a file: one line of UTF-8, without byte order mark and line end.

    Raises `ConfigError` that names the file and the remedy, and nothing of what the file holds.
    """
    remedy = "write the password into it"
    text = read_text(path, "password file", remedy, _LONGEST + 1).strip(" \t\n")
    if not text:
        raise ConfigError(f"{path}: password file is empty; write the password into it")
    if "\n" in text or len(text) > _LONGEST:
        raise ConfigError(
            f"{path}: password file holds more than one line of text; leave the password alone in"
            " it"
        )
    for number, each in enumerate(text, start=1):
        if not each.isprintable() or (each in QUOTES and number in (1, len(text))):
            fault = f"line 1, character {number}: password file holds {told(each)}; delete it"
            raise ConfigError(f"{path}, {fault}")
    return text


def pem(path: Path, what: str) -> str:
    """The blocks of a PEM file, without what stands between them; raises `ConfigError`."""
    remedy = "put it there"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: {what} cannot be read: {denied(path, error)}; {remedy}"
        ) from error
    if not data:
        raise ConfigError(f"{path}: {what} is empty; {remedy}")
    if data.startswith(_DER) and b"-----BEGIN" not in data:
        how = "openssl x509 -inform der -in OLD -out NEW"
        raise ConfigError(f"{path}: {what} is DER, not PEM; change it: {how}")
    blocks = [match[0] for match in _BLOCK.finditer(plain(data, path, what))]
    if not blocks:
        raise ConfigError(
            f"{path}: {what} holds no -----BEGIN ...----- and its end; save it as PEM"
        )
    return "\n".join((*blocks, ""))
