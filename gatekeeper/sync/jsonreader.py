"""Reads a long JSON body piece by piece: of a list of a million rows one row at a time is a value.

Pure. Only a window of the body is text, and what one array holds is handed out element by element;
`json` alone would need twenty times the body's own size. Raises `WireError`, and no other error.
"""

import codecs
import json
import re
from collections.abc import Iterator

from gatekeeper.errors import WireError
from gatekeeper.sync.fields import whole

VALUE_CHARACTERS = 64 * 1024
"""The longest single value that is read: a row with all its texts full has a twentieth of it."""

_SPACE = re.compile(r"[ \t\r\n]*")


class JsonReader:
    """A cursor over a body, used once from its beginning to its end."""

    def __init__(self, body: bytes) -> None:
        self._body, self._fed = body, 0
        self._text, self._at = "", 0
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._scan = json.JSONDecoder(parse_int=whole).raw_decode

    def members(self) -> Iterator[str]:
        """The names in the object that begins here; each one's value, or the array that it is, has
        to be read before the next.
        """
        self._take("{")
        if self._next() != "}":
            while True:
                name = self.value()
                if not isinstance(name, str):
                    raise WireError(f"is not JSON: {name!r} is no name")
                self._take(":")
                yield name
                if self._next() == "}":
                    break
                self._take(",")
        self._take("}")

    def elements(self) -> Iterator[object]:
        """The values in the array that begins here."""
        self._take("[")
        if self._next() != "]":
            while True:
                yield self.value()
                if self._next() == "]":
                    break
                self._take(",")
        self._take("]")

    def value(self) -> object:
        """The value that begins here, as a whole."""
        self._next()
        try:
            value, end = self._scan(self._text, self._at)
        except ValueError as error:
            raise WireError(f"is not JSON, or a value in it is too long: {error}") from error
        except RecursionError as error:
            raise WireError("is nested too deeply") from error
        if end - self._at > VALUE_CHARACTERS:
            raise WireError("a value in it is too long")
        self._at = end
        return value

    def end(self) -> None:
        """Nothing but space may follow."""
        if self._next():
            raise WireError("is not JSON: something stands behind it")

    def _take(self, mark: str) -> None:
        if self._next() != mark:
            raise WireError(f"is not JSON: {mark} is missing")
        self._at += 1

    def _next(self) -> str:
        """The next character that is no space, empty at the end; a whole value stands behind it."""
        while True:
            if len(self._text) - self._at < VALUE_CHARACTERS:
                self._feed()
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._fed >= len(self._body):
                break
        return self._text[self._at : self._at + 1]

    def _feed(self) -> None:
        piece = self._body[self._fed : self._fed + 2 * VALUE_CHARACTERS]
        self._fed += len(piece)
        try:
            more = self._utf8.decode(piece, final=self._fed >= len(self._body))
        except UnicodeDecodeError as error:
            raise WireError(f"is not in UTF-8: {error}") from error
        self._text, self._at = self._text[self._at :] + more, 0
