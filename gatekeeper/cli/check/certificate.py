"""The dates of a certificate, read from its DER: Python's own library shows them of authorities
alone. No signature is looked at.
"""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

_UTC_TIME = 0x17
_VERSION = 0xA0


def validity(pem: str) -> tuple[datetime, datetime]:
    """From when to when it holds (RFC 5280, 4.1); raises `ValueError` for what is none."""
    try:
        (_, certificate), *_ = _parts(ssl.PEM_cert_to_DER_cert(pem))
        (_, signed), *_ = _parts(certificate)
        fields = [field for field in _parts(signed) if field[0] != _VERSION]
        _, dates = fields[3]  # after serial number, algorithm and issuer
        begins, ends = islice((_moment(tag, text) for tag, text in _parts(dates)), 2)
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError("is no certificate") from error
    return begins, ends


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element (X.690, 8.1)."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(data[at : at + octets], "big"), at + octets
        yield tag, data[at : at + length]
        at += length


def _moment(tag: int, text: bytes) -> datetime:
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)
