"""HTTP digest authentication, the server's half: RFC 7616 with MD5 and qop "auth".

Headers come in, a verdict or a challenge goes out. MD5 because that is what cameras speak; it
guards nothing here.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping

_REALM = "simulated camera"
_NONCES = 100
"""Nonces kept; the oldest is forgotten, and its holder is challenged again."""
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]*))')


class Digest:
    """Knows one user and the nonces it has given out."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._secret = _md5(f"{user}:{_REALM}:{password}")
        self._nonces: dict[str, None] = {}

    def challenge(self, authorization: str = "") -> str:
        """A `WWW-Authenticate` header with a fresh nonce, for who gave this `Authorization`."""
        nonce = secrets.token_hex(16)
        stale = "nonce" in (given := _fields(authorization)) and given["nonce"] not in self._nonces
        self._nonces[nonce] = None
        if len(self._nonces) > _NONCES:
            del self._nonces[next(iter(self._nonces))]
        told = ", stale=true" if stale else ""
        return f'Digest realm="{_REALM}", qop="auth", algorithm=MD5, nonce="{nonce}"{told}'

    def expire(self) -> None:
        """From now on every nonce given out is stale."""
        self._nonces.clear()

    def accepts(self, method: str, target: str, authorization: str) -> bool:
        """Whether an `Authorization` header is this user's, for this request."""
        fields = _fields(authorization)
        known = fields.get("nonce") in self._nonces and fields.get("uri") == target
        if not known or fields.get("username") != self._user:
            return False
        return secrets.compare_digest(
            fields.get("response", "").encode(), self._response(method, fields).encode()
        )

    def _response(self, method: str, fields: Mapping[str, str]) -> str:
        """RFC 7616, 3.4.1."""
        parts = (fields.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        asked = _md5(f"{method}:{fields.get('uri', '')}")
        return _md5(":".join((self._secret, *parts, asked)))


def _fields(authorization: str) -> dict[str, str]:
    """What a digest says; nothing, if it is none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(rest)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
