"""Seal what tells who is who: AES-GCM with rotating keys, and keyed lookups.

A sealed value is: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext with tag. The context
(table and column) is authenticated, so a value cannot be moved to a column that is shown to others.
Version 2 is padded, so that its length tells nothing of what has a usual length; version 1 was not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_UNPADDED, _PADDED = b"\x01", b"\x02"
_HEAD = 1 + 4  # version and key id: who sealed it, and how
_SHORTEST = _HEAD + 12 + 16  # of an empty text

# Bytes to which the plain text of a column is padded at least; above, it doubles. Words: so that
# the inbox of a member and a post without a name do not tell by their length that they are the
# same. The inbox wraps the words in JSON and is emptied after a while. A file's handle would tell
# the app by its length.
_FLOORS = {
    "inbox.payload": 2048,
    "bubbles.text": 1024,
    "conversations.state": 1024,
    "messages.body": 1024,
    "dispatches.content": 1024,
    "envelopes.content": 1024,
    "notes.text": 1024,
    "erasures.work": 1024,
    "messages.audience": 256,
    "bubbles.reference": 256,
    "members.secret": 256,
    "members.organisation": 128,
}
_FLOOR = 64  # names, addresses, provider ids, codes, links
_FILE_FLOOR = 4096
_FILE = "file "  # before the name of a file: no context of a column

# Lookups whose plain values are gone: they can never be made anew, so their key never changes.
# (Codes are drawn, not guessed, and over within a day.)
_EVENTS = frozenset(
    {"inbox.key", "messages.key", "prompts.chosen", "reports.key", "codes.key", "codes.rest"}
)


class SealError(Exception):
    """A sealed value cannot be opened with the keys we have."""


def new_key() -> str:
    """A fresh sealing key as it stands in LINKLINE_KEYS: 32 random bytes in base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@dataclass(frozen=True, slots=True)
class Lookups:
    """The store's own lookup keys, each as new_key() makes it, kept sealed in the store."""

    events: str
    write: str
    next: str | None = None  # announced: found by, not yet written with
    old: tuple[str, ...] = ()  # still found by, never written with; the latest first


class Keyring:
    """The sealing keys, newest first: the first one seals, all of them open."""

    def __init__(self, keys: Sequence[str]) -> None:
        raw = [_decode(key) for key in keys]
        if not raw:
            raise ValueError("no key")
        self.key_ids = [_key_id(key) for key in raw]
        self._ciphers = {_key_id(key): AESGCM(key) for key in raw}
        self._raw = {_key_id(key): key for key in raw}
        self._newest = self.key_ids[0]
        self._lookups: _LookupKeys | None = None

    @property
    def head(self) -> bytes:
        """How every value begins that is sealed as it is sealed now."""
        return _PADDED + self._newest

    def seal(self, plain: str, context: str) -> bytes:
        # Half a surrogate pair, which JSON can bring in, has no place in UTF-8.
        padded = _pad(plain.encode("utf-8", "replace"), _FLOORS.get(context, _FLOOR))
        return self._seal(padded, context)

    def open(self, sealed: bytes, context: str) -> str:
        """Raises SealError for an unknown key, a foreign context or damage."""
        return self._open(sealed, context).decode()

    def seal_file(self, content: bytes, name: str) -> bytes:
        """For the vault; the name is sealed in, so that no file stands for another."""
        return self._seal(_pad_file(content), _FILE + name)

    def open_file(self, sealed: bytes, name: str) -> bytes:
        """Raises SealError, as open() does."""
        return self._open(sealed, _FILE + name)

    def _seal(self, padded: bytes, context: str) -> bytes:
        nonce = os.urandom(12)
        sealed = self._ciphers[self._newest].encrypt(nonce, padded, _PADDED + context.encode())
        return _PADDED + self._newest + nonce + sealed

    def _open(self, sealed: bytes, context: str) -> bytes:
        version, cipher = sealed[:1], self._ciphers.get(sealed[1:_HEAD])
        known = version in (_UNPADDED, _PADDED)
        if not known or cipher is None or len(sealed) < _SHORTEST:
            raise SealError("sealed with a key that is not in LINKLINE_KEYS")
        padded = version == _PADDED
        place = (version if padded else b"") + context.encode()
        try:
            plain = cipher.decrypt(sealed[5:17], sealed[17:], place)
        except InvalidTag:
            raise SealError("a sealed value is damaged or out of place") from None
        return _unpad(plain) if padded else plain

    def chunks(self, key_id: bytes, salt: bytes, head: bytes) -> Chunks:
        """For one file: sealed with a key of its own, made from one of ours. Raises SealError."""
        key = self._raw.get(key_id)
        if key is None:
            raise SealError("sealed with a key that is not in LINKLINE_KEYS")
        return Chunks(hmac.digest(key, b"linkline file\0" + salt, hashlib.sha256), head)

    # Lookups

    def use_lookups(self, lookups: Lookups, read_at: float | None = None) -> None:
        """As they stood in the store at `read_at` (seconds()); what was read before is ignored."""
        at = seconds() if read_at is None else read_at
        if self._lookups is not None and self._lookups.read_at > at:
            return
        self._lookups = _LookupKeys(
            events=_decode(lookups.events),
            write=_decode(lookups.write),
            find=tuple(_decode(key) for key in (lookups.next, lookups.write, *lookups.old) if key),
            read_at=at,
        )

    def lookups_age(self) -> float:
        """Seconds since the lookup keys were read from the store."""
        return seconds() - self._known().read_at

    def lookup(self, plain: str, context: str) -> bytes:
        """16 bytes that find the same value again and tell nothing without the key."""
        known = self._known()
        key = known.events if context in _EVENTS else known.write
        return _digest(key, plain, context)

    def lookups(self, plain: str, context: str) -> list[bytes]:
        """All that a row may have been written with, the newest first: more while keys rotate."""
        known = self._known()
        keys = (known.events,) if context in _EVENTS else known.find
        return [_digest(key, plain, context) for key in keys]

    def _known(self) -> _LookupKeys:
        if self._lookups is None:
            raise SealError("the store is not open yet")
        return self._lookups


class Chunks:
    """A long text in pieces: their order, the end and what stands before them is sealed too."""

    def __init__(self, key: bytes, head: bytes) -> None:
        self._cipher = AESGCM(key)
        self._head = head

    def seal(self, number: int, plain: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, last), plain, self._head)

    def open(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        """Raises SealError for damage, another place, another head."""
        try:
            return self._cipher.decrypt(_nonce(number, last), sealed, self._head)
        except InvalidTag:
            raise SealError("damaged, or changed by somebody") from None


def _nonce(number: int, last: bool) -> bytes:
    """Never twice under one key: each file has its own."""
    return number.to_bytes(11, "big") + bytes([last])


@dataclass(frozen=True, slots=True)
class _LookupKeys:
    """Replaced as one, so that no thread sees half of a change."""

    events: bytes
    write: bytes
    find: tuple[bytes, ...]
    read_at: float


def _digest(key: bytes, plain: str, context: str) -> bytes:
    return hmac.digest(key, f"{context}\0{plain}".encode(), hashlib.sha256)[:16]


def _pad(plain: bytes, floor: int) -> bytes:
    """One mark, then zeros up to the floor or its double, and so on."""
    size = floor
    while size <= len(plain):
        size *= 2
    return (plain + b"\x80").ljust(size, b"\0")


def _pad_file(content: bytes) -> bytes:
    """In steps of an eighth at most: whoever sees the disk should not tell a file by its length."""
    size = len(content) + 1
    step = max(_FILE_FLOOR, 1 << max(0, size.bit_length() - 4))
    return (content + b"\x80").ljust(-(-size // step) * step, b"\0")


def _unpad(padded: bytes) -> bytes:
    return padded.rstrip(b"\0")[:-1]


def _decode(key: str) -> bytes:
    raw = base64.b64decode(key.strip(), altchars=b"-_", validate=True)
    if len(raw) != 32:
        raise ValueError("a key must be 32 bytes in base64")
    return raw


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"linkline key id" + key).digest()[:4]


def seconds() -> float:
    """A clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


_keyring: Keyring | None = None


def use(keyring: Keyring) -> None:
    """The keys of this process; sealed columns (models.Sealed) ask for them."""
    global _keyring
    _keyring = keyring


def keyring() -> Keyring:
    if _keyring is None:
        raise SealError("no sealing keys are in use")
    return _keyring


def lookup(context: str, *names: str) -> bytes:
    """What a row is written with, so that a provider's name (lane and id) finds it untold."""
    return keyring().lookup("\0".join(names), context)


def lookups(context: str, *names: str) -> list[bytes]:
    """What a row is found by: `.in_(lookups(…))`. More than one while the keys rotate."""
    return keyring().lookups("\0".join(names), context)
