"""Seal what tells who is who: AES-GCM with rotating keys, and keyed lookups that survive rotation.

A sealed value is: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext with tag. The context
(table and column) is authenticated, so a value cannot be moved to a column that is shown to others.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_SHORTEST = 1 + 4 + 12 + 16  # of an empty text


class SealError(Exception):
    """A sealed value cannot be opened with the keys we have."""


def new_key() -> str:
    """A fresh sealing key as it stands in LINKLINE_KEYS: 32 random bytes in base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


class Keyring:
    """The sealing keys, newest first: the first one seals, all of them open."""

    def __init__(self, keys: Sequence[str]) -> None:
        raw = [_decode(key) for key in keys]
        if not raw:
            raise ValueError("no key")
        self._ciphers = {_key_id(key): AESGCM(key) for key in raw}
        self._newest = _key_id(raw[0])
        self._lookup_key: bytes | None = None

    def seal(self, plain: str, context: str) -> bytes:
        nonce = os.urandom(12)
        cipher = self._ciphers[self._newest]
        return (
            _VERSION
            + self._newest
            + nonce
            + cipher.encrypt(nonce, plain.encode(), context.encode())
        )

    def open(self, sealed: bytes, context: str) -> str:
        """Raises SealError for an unknown key, a foreign context or damage."""
        cipher = self._ciphers.get(sealed[1:5])
        if sealed[:1] != _VERSION or cipher is None or len(sealed) < _SHORTEST:
            raise SealError("sealed with a key that is not in LINKLINE_KEYS")
        try:
            return cipher.decrypt(sealed[5:17], sealed[17:], context.encode()).decode()
        except InvalidTag:
            raise SealError("a sealed value is damaged or out of place") from None

    def use_lookup_key(self, secret: str) -> None:
        """The store's own lookup key, kept sealed in it: rotating the keys leaves lookups alone."""
        self._lookup_key = _decode(secret)

    def lookup(self, plain: str, context: str) -> bytes:
        """16 bytes that find the same value again and tell nothing without the key."""
        if self._lookup_key is None:
            raise SealError("the store is not open yet")
        message = f"{context}\0{plain}".encode()
        return hmac.digest(self._lookup_key, message, hashlib.sha256)[:16]


def _decode(key: str) -> bytes:
    raw = base64.b64decode(key.strip(), altchars=b"-_", validate=True)
    if len(raw) != 32:
        raise ValueError("a key must be 32 bytes in base64")
    return raw


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"linkline key id" + key).digest()[:4]


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
    """What finds a row by a provider's name (lane and id) without telling the name."""
    return keyring().lookup("\0".join(names), context)
