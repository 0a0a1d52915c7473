"""HTTP authentication, the client's half: challenges in, an `Authorization` header out. Pure but
for the random numbers of Digest.

Digest (RFC 7616, and 2069 before it) wins wherever it is offered, in whatever order and in however
many headers; Basic (RFC 7617) shows the password to everyone on the way, and is given only where
the configuration allows it.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gatekeeper.drivers.login import Login
from gatekeeper.errors import CameraError

_TOKEN = re.compile(r'([\w!#$%&\'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,"]*)))?')

_HASHES: Mapping[str, Callable[[bytes], "hashlib._Hash"]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
}
"""MD5 is what nearly all cameras speak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way to log in that a server offers; names are in lower case."""

    scheme: str
    told: Mapping[str, str]

    @property
    def algorithm(self) -> str:
        """The hash of a digest, without `-sess`."""
        return self.told.get("algorithm", "MD5").upper().removesuffix("-SESS")

    @property
    def is_digest(self) -> bool:
        """Whether it is a digest that can be answered."""
        return (
            self.scheme == "digest"
            and bool(self.told.get("nonce"))
            and self.algorithm in _HASHES
            and ("qop" not in self.told or "auth" in _words(self.told["qop"]))
        )


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Those of all `WWW-Authenticate` headers; several may stand in one."""
    found: list[tuple[str, dict[str, str]]] = []
    for header in headers:
        for match in _TOKEN.finditer(header):
            name, quoted, bare = match.groups()
            if quoted is None and bare is None:
                found.append((name.lower(), {}))
            elif found:
                value = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                found[-1][1].setdefault(name.lower(), value)
    return [Challenge(scheme=scheme, told=told) for scheme, told in found]


class Authorization:
    """What one login says to one server, request for request."""

    def __init__(self, login: Login | None, *, basic: bool) -> None:
        self._login = login
        self._basic = basic
        self._chosen: Challenge | None = None
        self._count = 0

    def challenged(self, headers: Iterable[str]) -> None:
        """The server wants to know who asks; raises `CameraError` if that cannot be told."""
        offered = challenges(headers)
        if self._login is None:
            raise CameraError("it asks for a password; give username and password_file")
        digests = [challenge for challenge in offered if challenge.is_digest]
        basics = [challenge for challenge in offered if challenge.scheme == "basic"]
        if digests:
            self._chosen, self._count = digests[0], 0
        elif basics and self._basic:
            self._chosen = basics[0]
        elif basics:
            raise CameraError(
                "it takes the password by Basic only, readable for all on the way; switch Digest on"
                " in the camera, or allow it: basic = true"
            )
        else:
            names = ", ".join(challenge.scheme for challenge in offered) or "nothing"
            raise CameraError(
                f"it asks for a password by {names}, which is not known here; switch Digest on in"
                " the camera"
            )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What the server alone is told."""
        return () if self._login is None else (_basic(self._login), self._login.password)

    def header(self, target: str) -> str | None:
        """For the next GET of this target; None while the server has not asked."""
        if self._chosen is None or self._login is None:
            return None
        if self._chosen.scheme == "basic":
            return f"Basic {_basic(self._login)}"
        self._count += 1
        return _digest(self._login, self._chosen, target, self._count, secrets.token_hex(8))


def _basic(login: Login) -> str:
    return base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def _digest(login: Login, challenge: Challenge, target: str, count: int, cnonce: str) -> str:
    told, nc = challenge.told, f"{count:08x}"

    def hashed(*parts: str) -> str:
        return _HASHES[challenge.algorithm](":".join(parts).encode()).hexdigest()

    nonce, realm = told["nonce"], told.get("realm", "")
    who = hashed(login.username, realm, login.password)
    if told.get("algorithm", "").upper().endswith("-SESS"):
        who = hashed(who, nonce, cnonce)
    what = hashed("GET", target)
    fields = {"username": login.username, "realm": realm, "nonce": nonce, "uri": target}
    plain = {"algorithm": told["algorithm"]} if "algorithm" in told else {}
    if "qop" in told:
        fields |= {"response": hashed(who, nonce, nc, cnonce, "auth", what), "cnonce": cnonce}
        plain |= {"qop": "auth", "nc": nc}
    else:
        fields["response"] = hashed(who, nonce, what)
    if "opaque" in told:
        fields["opaque"] = told["opaque"]
    quoted = [f'{name}="{_escaped(value)}"' for name, value in fields.items()]
    return "Digest " + ", ".join((*quoted, *(f"{name}={value}" for name, value in plain.items())))


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",")]


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)
