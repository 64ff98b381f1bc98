"""The file of a backup: a head in the clear, then rows, sealed piece by piece.

The head says which schema and which key it takes, and when it was made; it is sealed in with every
piece, as are the place of each piece and the end. So a file that was cut, changed or put together
from two is refused, and it is read as it is written: a piece at a time.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, BinaryIO

from bot.seals import Keyring, SealError

MAGIC = b"LINKLINE BACKUP\n"
FORMAT = 1
PIECE = 256 * 1024  # bytes of plain text in one piece, about
_LAST = 1 << 31  # in the four bytes before a piece: it is the last one
_LONGEST_HEAD = 4096


class ArchiveError(Exception):
    """The file is no backup that can be used; the text says why and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands in the clear before the rows."""

    revision: str  # of the schema
    made_at: str  # ISO; what was said later is not in it
    key_id: str  # which of LINKLINE_KEYS has sealed it
    salt: str
    format: int = FORMAT

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


class Writer:
    """Takes records, one after the other; `close` seals the end."""

    def __init__(self, file: BinaryIO, ring: Keyring, revision: str, now: datetime) -> None:
        salt = os.urandom(32)
        head = Head(revision, now.isoformat(), ring.key_ids[0].hex(), salt.hex())
        line = json.dumps(asdict(head)).encode() + b"\n"
        self._chunks = ring.chunks(ring.key_ids[0], salt, line)
        self._file = file
        self._number = self._held = self.size = 0
        self._lines: list[bytes] = []
        self._write(MAGIC + line)

    def add(self, record: Any) -> None:
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        self._lines.append(line)
        self._held += len(line)
        if self._held >= PIECE:
            self._flush(last=False)

    def close(self) -> None:
        self._flush(last=True)

    def _flush(self, *, last: bool) -> None:
        plain = zlib.compress(b"".join(self._lines), 1)
        sealed = self._chunks.seal(self._number, plain, last=last)
        self._write((len(sealed) | (_LAST if last else 0)).to_bytes(4, "big") + sealed)
        self._number += 1
        self._lines, self._held = [], 0

    def _write(self, some: bytes) -> None:
        self._file.write(some)
        self.size += len(some)


def read_head(file: BinaryIO) -> tuple[Head, bytes]:
    """The head and its line. Raises ArchiveError."""
    if file.read(len(MAGIC)) != MAGIC:
        raise ArchiveError("this is no backup of Linkline: choose another file")
    line = file.readline(_LONGEST_HEAD)
    try:
        found = json.loads(line)
        if found["format"] != FORMAT:
            raise ArchiveError("this backup was made by a newer Linkline: bring this one up to it")
        head = Head(**found)
        head.moment, bytes.fromhex(head.key_id), bytes.fromhex(head.salt)
    except (ValueError, KeyError, TypeError):
        raise ArchiveError("the head of this backup is damaged: choose another file") from None
    return head, line


def read(file: BinaryIO, ring: Keyring) -> Iterator[Any]:
    """The records, from the beginning of the file to its end. Raises ArchiveError."""
    head, line = read_head(file)
    try:
        chunks = ring.chunks(bytes.fromhex(head.key_id), bytes.fromhex(head.salt), line)
    except SealError:
        raise ArchiveError(
            "this backup was sealed with a key that is not in LINKLINE_KEYS: "
            "add the key that belongs to it"
        ) from None
    number, last = 0, False
    while not last:
        size = int.from_bytes(_take(file, 4), "big")
        last = bool(size & _LAST)
        sealed = _take(file, size & ~_LAST)
        try:
            plain = zlib.decompress(chunks.open(number, sealed, last=last))
        except SealError:
            raise ArchiveError(
                "this backup is damaged, or was changed by somebody: choose another file"
            ) from None
        yield from map(json.loads, plain.splitlines())
        number += 1
    if file.read(1):
        raise ArchiveError("something was added to this backup: choose another file")


def _take(file: BinaryIO, size: int) -> bytes:
    if size > 64 * PIECE:
        raise ArchiveError("this backup is damaged: choose another file")
    found = file.read(size)
    if len(found) < size:
        raise ArchiveError("this backup was cut off: choose another file")
    return found
