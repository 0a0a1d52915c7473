"""What a power cut leaves on a disk: the writes, syncs and names of a program as strace recorded
them, and the files as they may be after a cut at any moment.

A write survives for sure once a sync of its file that began after it has ended; before that not at
all, whole, or by some of its sectors of 512 bytes. A name survives for sure once its folder was
synced; of the others those up to some moment do, as a journalling file system has it
(fsync(2); ext4 with data=ordered). What lies below a folder that is not there is not there.
"""

import codecs
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random
from typing import Final, TypeAlias

RECORDED: Final = "openat,pwrite64,write,ftruncate,fsync,fdatasync,rename,unlink,mkdir,sendto"
"""The system calls that are recorded."""

SECTOR: Final = 512

_LINE = re.compile(r"(\d+) +(?:<\.\.\. \w+ resumed>)?(.*)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_FILE = r"\d+<([^>]*)>"
_TEXT = r'"((?:[^"\\]|\\.)*)"'
_ARGUMENTS: Final = {
    "openat": re.compile(rf"[^,]*, {_TEXT}, ([A-Z_|]+)"),
    "pwrite64": re.compile(rf"{_FILE}, {_TEXT}, \d+, (\d+)"),
    "write": re.compile(rf"{_FILE}, {_TEXT}, \d+"),
    "ftruncate": re.compile(rf"{_FILE}, (\d+)"),
    "fsync": re.compile(_FILE),
    "fdatasync": re.compile(_FILE),
    "rename": re.compile(rf"{_TEXT}, {_TEXT}"),
    "unlink": re.compile(_TEXT),
    "mkdir": re.compile(_TEXT),
    "sendto": re.compile(rf"{_FILE}, {_TEXT}"),
}

_SEQ = re.compile(rb'"seq":(\d+)')


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: the moments at which it began and ended, counted in lines."""

    name: str
    began: int
    ended: int
    arguments: tuple[str, ...]


def recorded(trace: Path) -> Iterator[Call]:
    """The calls in the file of `strace -f -y` that succeeded, in the order in which they began."""
    waiting: dict[str, tuple[int, str]] = {}
    found: list[Call] = []
    with trace.open(encoding="latin-1", newline="\n") as lines:
        for number, line in enumerate(lines):
            parts = _LINE.match(line.rstrip("\n"))
            if parts is None:
                continue
            thread, text = parts.groups()
            if text.endswith(_UNFINISHED):
                waiting[thread] = number, text.removesuffix(_UNFINISHED)
                continue
            began, before = waiting.pop(thread, (number, ""))
            found += _call(before + text, began, number)
    yield from sorted(found, key=lambda call: call.began)


def _call(text: str, began: int, ended: int) -> Iterator[Call]:
    parts = _CALL.match(text)
    if parts is None or parts[1] not in _ARGUMENTS or int(parts[3]) < 0:
        return
    given = _ARGUMENTS[parts[1]].match(parts[2])
    if given is not None:
        yield Call(parts[1], began, ended, tuple(given.groups()))


def bytes_of(text: str) -> bytes:
    """The bytes that strace shows as a quoted text."""
    decoded: tuple[bytes, int] = codecs.escape_decode(text.encode("latin-1"))
    return decoded[0]


Change: TypeAlias = tuple[int, int, bytes | None]
"""When it began, at which place, and the bytes; None for a cut to that length."""


@dataclass(slots=True)
class File:
    """A file as it came about; `syncs` are the moments at which each sync began and ended."""

    changes: list[Change] = field(default_factory=list)
    syncs: list[tuple[int, int]] = field(default_factory=list)
    size: int = 0

    def put(self, began: int, place: int, data: bytes) -> None:
        """Bytes were written."""
        self.changes.append((began, place, data))
        self.size = max(self.size, place + len(data))

    def cut(self, began: int, size: int) -> None:
        """It was made that long."""
        self.changes.append((began, size, None))
        self.size = size

    def safe_until(self, cut: int) -> int:
        """What was written before this moment is on the disk at `cut`."""
        return max((began for began, ended in self.syncs if ended < cut), default=-1)

    def at(self, cut: int, chance: Random) -> bytes:
        """What may be there after a cut."""
        safe, content = self.safe_until(cut), bytearray()
        share = chance.choice((0.0, 0.5, 1.0))
        for began, place, data in self.changes:
            if began >= cut:
                break
            if began < safe or chance.random() < share:
                _apply(content, place, data)
            elif data is not None and share == 0.5 and chance.random() < share:
                _tear(content, place, data, chance)
        return bytes(content)

    def whole(self) -> bytes:
        """As the program meant it."""
        content = bytearray()
        for _, place, data in self.changes:
            _apply(content, place, data)
        return bytes(content)


def _apply(content: bytearray, place: int, data: bytes | None) -> None:
    if data is None:
        del content[place:]
        content.extend(bytes(place - len(content)))
        return
    content.extend(bytes(max(0, place - len(content))))
    content[place : place + len(data)] = data


def _tear(content: bytearray, place: int, data: bytes, chance: Random) -> None:
    """Some sectors of it arrive."""
    start = place
    while start < place + len(data):
        end = min(place + len(data), (start // SECTOR + 1) * SECTOR)
        if chance.random() < 0.5:
            _apply(content, start, data[start - place : end - place])
        start = end


@dataclass(frozen=True, slots=True)
class Named:
    """A name that came or went in a folder; `file` None: it went."""

    began: int
    path: str
    file: File | None


class Recording:
    """All that a program did below `root`. Syncs of files whose path contains one of `unsynced` are
    taken as not done: what would be lost then shows that a loss is noticed.
    """

    def __init__(self, trace: Path, root: Path, unsynced: Collection[str] = ()) -> None:
        self._root = str(root)
        self._unsynced = tuple(unsynced)
        self._names: list[Named] = []
        self._there: dict[str, File] = {}
        self._told: list[tuple[int, int]] = []
        self._folders = {self._root: File()}
        self.moments: list[int] = []
        for call in recorded(trace):
            self._take(call)

    def pictures(self) -> Iterator[tuple[str, float, File]]:
        """Each picture's path, the moment from which it counts as kept, its folder having been
        synced, and its file.
        """
        for named in self._names:
            if named.file is None or not named.path.endswith(".jpg"):
                continue
            folder = self._folders.get(str(PurePosixPath(named.path).parent), File())
            ends = [ended for began, ended in folder.syncs if began > named.began]
            yield named.path, min(ends, default=math.inf), named.file

    def told_by(self, cut: int) -> int:
        """The highest number of an event that others had been told of."""
        return max((seq for at, seq in self._told if at < cut), default=0)

    def state(self, cut: int, chance: Random) -> dict[str, bytes | None]:
        """Files by their path, as they may be after a cut; None for a folder."""
        until = chance.choice((-1, cut, chance.randrange(cut + 1)))
        names: dict[str, File] = {}
        for named in self._names:
            if named.began >= cut:
                break
            if named.began <= until or self._is_safe(named, cut):
                names.pop(named.path, None)
                if named.file is not None:
                    names[named.path] = named.file
        return {
            path: None if file is self._folders.get(path) else file.at(cut, chance)
            for path, file in names.items()
            if all(str(above) in names for above in self._above(path))
        }

    def _above(self, path: str) -> Iterator[PurePosixPath]:
        for folder in PurePosixPath(path).parents:
            if str(folder) == self._root:
                return
            yield folder

    def _is_safe(self, named: Named, cut: int) -> bool:
        folder = self._folders.get(str(PurePosixPath(named.path).parent))
        return folder is not None and named.began < folder.safe_until(cut)

    def _take(self, call: Call) -> None:
        if call.name == "sendto":
            seqs = [int(seq) for seq in _SEQ.findall(bytes_of(call.arguments[1]))]
            self._told += [(call.began, max(seqs))] if seqs else []
            return
        if not call.arguments[0].startswith(self._root):
            return
        self.moments.append(call.began)
        getattr(self, f"_{call.name}")(call, *call.arguments)

    def _name(self, began: int, path: str, file: File | None) -> None:
        self._names.append(Named(began, path, file))
        self._there.pop(path, None)
        if file is not None:
            self._there[path] = file

    def _openat(self, call: Call, path: str, flags: str) -> None:
        if path not in self._there and "O_CREAT" in flags:
            self._name(call.began, path, File())
        if "O_TRUNC" in flags and path in self._there:
            self._there[path].cut(call.began, 0)

    def _mkdir(self, call: Call, path: str) -> None:
        self._folders[path] = File()
        self._name(call.began, path, self._folders[path])

    def _rename(self, call: Call, path: str, to: str) -> None:
        file = self._there[path]
        self._name(call.began, to, file)
        self._name(call.began, path, None)

    def _unlink(self, call: Call, path: str) -> None:
        self._name(call.began, path, None)

    def _pwrite64(self, call: Call, path: str, data: str, place: str) -> None:
        if path in self._there:
            self._there[path].put(call.began, int(place), bytes_of(data))

    def _write(self, call: Call, path: str, data: str) -> None:
        if path in self._there:
            self._there[path].put(call.began, self._there[path].size, bytes_of(data))

    def _ftruncate(self, call: Call, path: str, size: str) -> None:
        if path in self._there:
            self._there[path].cut(call.began, int(size))

    def _fsync(self, call: Call, path: str) -> None:
        file = self._folders.get(path) or self._there.get(path)
        if file is not None and not any(part in path for part in self._unsynced):
            file.syncs.append((call.began, call.ended))

    _fdatasync = _fsync
