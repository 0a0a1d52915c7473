"""What is to be said of a configuration that is understood: what is unwise in it, and what is found
where it points to.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from gatekeeper import config
from gatekeeper.app.recognition import calibrated, sets_of
from gatekeeper.cli.check.account import READ, SEARCH, WRITE, Account
from gatekeeper.cli.check.certificate import validity
from gatekeeper.clock import wall
from gatekeeper.config import CentreSettings, Config, SnapshotSettings, Wire
from gatekeeper.errors import ConfigError, NetworkSetError
from gatekeeper.ownership import denied, user_name
from gatekeeper.sync.credentials import trust

Finding = tuple[str, str]
"""`warning` or `note`, and what it says."""

SOON_DAYS = 30
"""A certificate that ends sooner is warned of."""

_BLOCK_ENDS = "-----END CERTIFICATE-----\n"


def found(settings: Config, file: Path) -> Iterator[Finding]:
    """Warnings, and notes for who wants to see that a file was found."""
    account = Account.of_the_service(settings.store.path.parent)
    try:
        sets = sets_of(settings)
        live = sets.live
        settings = calibrated(settings, sets.find(live).manifest.certain)
        yield "note", f"networks: {live} reads; each of its files has its sum"
    except NetworkSetError as error:
        live = settings.recognition.networks
        yield "warning", f"networks: {error}"
    for warning in config.warnings(settings, live):
        yield "warning", warning
    for piece in (*_of_files(settings, file, account), *_of_folders(settings, account)):
        yield from _as_far_as_seen(piece)


def _as_far_as_seen(piece: Iterator[Finding]) -> Iterator[Finding]:
    """Who checks may be an ordinary user, who may not look everywhere."""
    try:
        yield from piece
    except OSError as error:
        place = Path(error.filename or "/")
        yield "warning", f"{place}: cannot be checked: {denied(place, error)}"


def _of_files(settings: Config, file: Path, account: Account | None) -> Iterator[Iterator[Finding]]:
    yield _rights(account, file, READ)
    for path in _passwords(settings):
        yield _of_password(path)
        yield _rights(account, path, READ)
    for path, what in _certificates(settings):
        yield _of_certificate(path, what, wall())
        yield _rights(account, path, READ)
    for path, rights in _devices(settings):
        yield _of_device(path)
        yield _rights(account, path, rights)
    if (centre := settings.centre) is not None:
        yield _of_the_pair(centre)


def _of_the_pair(centre: CentreSettings) -> Iterator[Finding]:
    """Certificate and key of this controller have to belong together."""
    if centre.ca is None or centre.certificate is None:
        return
    with suppress(ConfigError):  # each file by itself was told of
        for path in (centre.ca, centre.certificate, centre.key):
            config.pem(path or centre.ca, "")
        if fault := _fault_of_trust(centre.ca, centre.certificate, centre.key):
            yield "warning", f"centre: {fault}"


def _fault_of_trust(ca: Path, certificate: Path, key: Path | None) -> str:
    try:
        trust(ca, certificate, key)
    except ConfigError as error:
        return str(error)
    return ""


def _rights(account: Account | None, path: Path, rights: int) -> Iterator[Finding]:
    """What the service lacks of a file; one that is not there was told of."""
    with suppress(FileNotFoundError, NotADirectoryError):
        if account is not None and (lacks := account.lacks(path, rights)):
            yield "warning", f"{lacks}; change its owner, group or mode"


def _passwords(settings: Config) -> Iterable[Path]:
    files = [getattr(lane.camera, "password_file", None) for lane in settings.lane]
    files.append(None if settings.centre is None else settings.centre.password_file)
    return dict.fromkeys(file for file in files if file is not None)


def _of_password(path: Path) -> Iterator[Finding]:
    try:
        text = config.secret(path)
    except ConfigError as error:
        yield "warning", str(error)
        return
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        yield "warning", f"{path}: the password stands in quotes: are they part of it?"
    yield from _shut(path)


def _shut(path: Path) -> Iterator[Finding]:
    if path.stat().st_mode & 0o004:
        yield "warning", f"{path}: every user of this machine may read it: chmod o-r {path}"


def _certificates(settings: Config) -> Iterable[tuple[Path, str]]:
    cameras = [lane.camera for lane in settings.lane]
    files = [(each.ca, "ca") for each in cameras if isinstance(each, SnapshotSettings)]
    if (centre := settings.centre) is not None:
        files += [(centre.ca, "ca"), (centre.certificate, "certificate"), (centre.key, "key")]
    return dict.fromkeys((path, what) for path, what in files if path is not None)


def _of_certificate(path: Path, what: str, now: datetime) -> Iterator[Finding]:
    try:
        blocks = config.pem(path, what)
        if what == "key":
            yield from _shut(path)
            return
        for block in blocks.split(_BLOCK_ENDS)[:-1]:
            begins, ends = validity(block[block.index("-----BEGIN CERT") :] + _BLOCK_ENDS)
            yield _lasts(path, begins, ends, now)
    except ConfigError as error:
        yield "warning", str(error)
    except ValueError:
        yield "warning", f"{path}: {what} holds a damaged certificate; get it once more"


def _lasts(path: Path, begins: datetime, ends: datetime, now: datetime) -> Finding:
    days = (ends - now).days
    if now < begins:
        return "warning", f"{path}: the certificate holds only from {begins:%Y-%m-%d} on"
    if ends < now:
        return "warning", f"{path}: the certificate ended on {ends:%Y-%m-%d}; renew it"
    if days < SOON_DAYS:
        return "warning", f"{path}: the certificate ends in {days} days; renew it"
    return "note", f"{path}: the certificate holds for {days} days"


def _devices(settings: Config) -> Iterable[tuple[Path, int]]:
    """Ports, which are written as well, and what cameras of files show."""
    boards = (board.line.device for board in settings.board if board.line.wire is Wire.SERIAL)
    cameras = [getattr(lane.camera, "device", None) for lane in settings.lane]
    usb = (f"/dev/video{each}" if isinstance(each, int) else each for each in cameras)
    ports = [*boards, *(display.port for display in settings.display), *usb]
    shown = (getattr(lane.camera, "path", None) for lane in settings.lane)
    return dict.fromkeys(
        [(Path(each), READ | WRITE) for each in ports if each is not None]
        + [(each, READ) for each in shown if each is not None]
    )


def _of_device(path: Path) -> Iterator[Finding]:
    try:
        path.stat()
    except FileNotFoundError:
        yield "warning", f"{path}: is not there; a port: is its adapter plugged in?"


def _of_folders(settings: Config, account: Account | None) -> Iterator[Iterator[Finding]]:
    store = settings.store
    yield _of_folder(store.path.parent, store.min_free_mb, account, needed=True)
    for folder in dict.fromkeys((store.pictures, settings.sets_folder)):
        yield _of_folder(folder, store.min_free_mb, account)
    for follower in ("", "-wal", "-shm", ".lock"):
        yield _rights(account, Path(f"{store.path}{follower}"), READ | WRITE)


def _of_folder(
    folder: Path, least_mb: int, account: Account | None, *, needed: bool = False
) -> Iterator[Finding]:
    try:
        owner = user_name(folder.stat().st_uid)
    except FileNotFoundError:
        if needed:
            yield "warning", f"{folder}: is not there: make it, and give it to the service's user"
        return
    free_mb = shutil.disk_usage(folder).free >> 20
    said = f"{folder}: belongs to {owner}, {free_mb} MB free"
    if free_mb < least_mb:
        yield "warning", f"{said}, less than min_free_mb = {least_mb}"
    else:
        yield "note", said
    yield from _rights(account, folder, WRITE | SEARCH)
