"""Proofs of secret words: never the word itself, only what shows that she knows it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from bot.i18n import fold
from bot.models.people import members

TRIES = 5  # wrong words ...
TRIES_LAST = timedelta(minutes=30)  # ... then so long none is heard
FORGOTTEN = timedelta(days=7)  # after which a word that was forgotten is gone


@dataclass(frozen=True, slots=True)
class Proof:
    """What is kept, sealed, with a member who has a secret word. Times are ISO texts."""

    proof: str
    tries: int = 0
    since: str | None = None  # of the wrong tries
    forgotten_at: str | None = None  # she asked to be rid of it

    def is_over(self, now: datetime) -> bool:
        return self.forgotten_at is not None and now >= _moment(self.forgotten_at) + FORGOTTEN

    def is_closed(self, now: datetime) -> bool:
        """Too many wrong words were tried."""
        return self.tries >= TRIES and not self._is_past(now)

    def _is_past(self, now: datetime) -> bool:
        return self.since is None or now >= _moment(self.since) + TRIES_LAST

    def missed(self, now: datetime) -> Proof:
        """One more wrong try; half an hour begins with the last one."""
        tries = 0 if self._is_past(now) else self.tries
        return replace(self, tries=tries + 1, since=now.isoformat())


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def make(word: str) -> str:
    """Salt and proof of a word; capital letters, digits and spellings do not matter."""
    salt = os.urandom(16)
    return f"{salt.hex()}.{_digest(word, salt).hex()}"


def matches(proof: str, word: str) -> bool:
    salt, _dot, digest = proof.partition(".")
    return hmac.compare_digest(_digest(word, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(word: str, salt: bytes) -> bytes:
    return hashlib.scrypt(fold(word).encode("utf-8", "replace"), salt=salt, n=2**13, r=8, p=1)


def find(db: Connection, member_id: int, now: datetime) -> Proof | None:
    """That of her word, if she has one now; one that was forgotten long ago is removed."""
    stored = db.execute(select(members.c.secret).where(members.c.id == member_id)).scalar()
    if stored is None:
        return None
    found = Proof(**json.loads(stored))
    if found.is_over(now):
        remove(db, member_id)
        return None
    return found


def save(db: Connection, member_id: int, proof: Proof) -> None:
    stored = json.dumps(asdict(proof))
    db.execute(update(members).where(members.c.id == member_id).values(secret=stored))


def remove(db: Connection, member_id: int) -> None:
    db.execute(update(members).where(members.c.id == member_id).values(secret=None))


def check(db: Connection, member_id: int, word: str, now: datetime) -> bool:
    """Whether this is her word; wrong ones are counted, the right one ends the counting."""
    found = find(db, member_id, now)
    if found is None:
        return True
    if found.is_closed(now):
        return False
    if not matches(found.proof, word):
        save(db, member_id, found.missed(now))
        return False
    if found.tries or found.forgotten_at:
        save(db, member_id, Proof(found.proof))
    return True
