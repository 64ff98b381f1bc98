"""Codes for one person, used once: to link another app, or to bring a new number in.

Nine digits: never an invite, a thread number or a telephone number. The first four find the row;
the rest is made from it with the store's own key, so that every wrong try can be counted there
and no code stands in the store.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from bot import seals
from bot.db import Collision, insert_new
from bot.i18n import fold
from bot.models.people import members, memberships
from bot.models.safeguards import codes

TRIES = 5  # at one code, whoever tries
DRAWS = 50
_ALONE = re.compile(r"[2-9](?:[ .-]*[0-9]){8}")
_WITHIN = re.compile(r"(?<![0-9+])[2-9][0-9]{2}[ .-]?[0-9]{3}[ .-]?[0-9]{3}(?![0-9])")


@dataclass(frozen=True, slots=True)
class Code:
    id: int
    purpose: str  # link, vouch
    member_id: int


def find_code(text: str, *, alone: bool) -> str | None:
    """The nine digits in a text, in any script; `alone`: only if there is nothing else."""
    plain = fold(text)
    found = _ALONE.fullmatch(plain) or (None if alone else _WITHIN.search(plain))
    return None if found is None else re.sub("[^0-9]", "", found[0])


def spaced(code: str) -> str:
    """As it is read and typed: 482 915 730."""
    return f"{code[:3]} {code[3:6]} {code[6:]}"


def add(db: Connection, purpose: str, member_id: int, lasts: timedelta, now: datetime) -> str:
    """A new code; the one she had for this, and all that are over, are gone."""
    end(db, purpose, member_id)
    db.execute(delete(codes).where(codes.c.expires_at <= now))
    expires_at = now + lasts
    for _draw in range(DRAWS):
        first = draw()
        row = {"purpose": purpose, "member_id": member_id, "expires_at": expires_at}
        new = insert_new(db, codes).values(key=_key(first), **row).on_conflict_do_nothing()
        if db.execute(new).rowcount:
            return first + rest_of(first, member_id, expires_at)
    raise Collision


def end(db: Connection, purpose: str, member_id: int) -> bool:
    """Let nobody use it any more; False if there is none."""
    wanted = (codes.c.purpose == purpose, codes.c.member_id == member_id)
    return db.execute(delete(codes).where(*wanted, codes.c.used_at.is_(None))).rowcount > 0


def find(db: Connection, code: str, now: datetime) -> Code | None:
    """A code that can be used; a wrong try is counted."""
    row = db.execute(select(codes).where(codes.c.key == _key(code[:4]), *_open(now))).first()
    if row is None:
        return None
    if not hmac.compare_digest(code[4:], rest_of(code[:4], row.member_id, row.expires_at)):
        count_try(db, row.id)
        return None
    return Code(row.id, row.purpose, row.member_id)


def count_try(db: Connection, code_id: int) -> None:
    db.execute(update(codes).where(codes.c.id == code_id).values(tries=codes.c.tries + 1))


def use(db: Connection, code_id: int, now: datetime) -> bool:
    """False if somebody was quicker."""
    used = update(codes).where(codes.c.id == code_id, *_open(now)).values(used_at=now)
    return db.execute(used).rowcount == 1


def may_use(db: Connection, member_id: int) -> bool:
    """Only an address that belongs to nobody: not welcomed, expected nowhere."""
    expected = select(memberships.c.id).where(memberships.c.member_id == member_id)
    statement = select(members.c.id).where(
        members.c.id == member_id,
        members.c.state == "new",
        members.c.consent_at.is_(None),
        ~expected.exists(),
    )
    return db.execute(statement).first() is not None


def _open(now: datetime) -> tuple[Any, ...]:
    return (codes.c.used_at.is_(None), codes.c.expires_at > now, codes.c.tries < TRIES)


def draw() -> str:
    return f"{2000 + secrets.randbelow(8000)}"


def rest_of(first: str, member_id: int, expires_at: datetime) -> str:
    proof = seals.lookup("codes.rest", first, str(member_id), expires_at.isoformat())
    return f"{int.from_bytes(proof) % 100_000:05}"


def _key(first: str) -> bytes:
    return seals.lookup("codes.key", first)
