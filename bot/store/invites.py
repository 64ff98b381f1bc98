"""Invites: codes that let somebody into a community."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, insert, select, update

from bot import seals
from bot.models.people import communities, invites

# No letters or digits that are mistaken for one another, on paper or over the phone.
SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_CODE = re.compile(rf"(?<![A-Za-z0-9])([{SIGNS}]{{4}})[-_ ]([{SIGNS}]{{4}})(?![A-Za-z0-9])", re.I)
_BARE = re.compile(rf"[{SIGNS}]{{8}}", re.I)


@dataclass(frozen=True, slots=True)
class Invite:
    id: int
    community_id: int
    role: str


@dataclass(frozen=True, slots=True)
class Given:
    """An invite as the one who gives it out sees it."""

    id: int
    code: str
    uses: int
    used: int
    expires_at: datetime


def find_code(text: str) -> str | None:
    """A code in a text, as it was given out (ABCD-EFGH), or None."""
    found = _CODE.search(text)
    if found:
        return f"{found[1]}-{found[2]}".upper()
    bare = text.strip()
    return f"{bare[:4]}-{bare[4:]}".upper() if _BARE.fullmatch(bare) else None


def new_code() -> str:
    """39 random bits, useless after five wrong tries in half an hour."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"


def add(
    db: Connection, community_id: int, role: str, uses: int, lasts: timedelta, now: datetime
) -> str:
    """A new code, good for so many people and so long."""
    code = new_code()
    row = {
        "community_id": community_id,
        "key": _key(code),
        "code": code,
        "role": role,
        "uses": uses,
        "expires_at": now + lasts,
    }
    db.execute(insert(invites).values(row))
    return code


def find(db: Connection, code: str, now: datetime) -> Invite | None:
    """A code that still lets somebody in."""
    statement = (
        select(invites.c.id, invites.c.community_id, invites.c.role)
        .join(communities, communities.c.id == invites.c.community_id)
        .where(
            invites.c.key.in_(seals.lookups("invites.key", code)),
            *_open(now),
            communities.c.ended_at.is_(None),
        )
    )
    row = db.execute(statement).first()
    return None if row is None else Invite(row.id, row.community_id, row.role)


def use(db: Connection, invite_id: int, now: datetime) -> bool:
    """Count one use; False if the last one is gone."""
    changed = db.execute(
        update(invites)
        .where(invites.c.id == invite_id, *_open(now))
        .values(used=invites.c.used + 1)
    )
    return changed.rowcount == 1


def find_given(db: Connection, community_id: int, role: str, now: datetime) -> Given | None:
    """The latest code for a community that still lets somebody in."""
    statement = (
        select(invites.c.id, invites.c.code, invites.c.uses, invites.c.used, invites.c.expires_at)
        .where(invites.c.community_id == community_id, invites.c.role == role, *_open(now))
        .order_by(invites.c.id.desc())
        .limit(1)
    )
    row = db.execute(statement).first()
    return None if row is None else Given(*row)


def find_community(db: Connection, invite_id: int) -> int | None:
    """Which community an invite is for."""
    statement = select(invites.c.community_id).where(invites.c.id == invite_id)
    return db.execute(statement).scalar()


def end(db: Connection, invite_id: int, now: datetime) -> bool:
    """Let nobody in with it any more; False if it was ended before."""
    changed = db.execute(
        update(invites)
        .where(invites.c.id == invite_id, invites.c.ended_at.is_(None))
        .values(ended_at=now)
    )
    return changed.rowcount == 1


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        invites.c.used < invites.c.uses,
        invites.c.expires_at > now,
        invites.c.ended_at.is_(None),
    )


def _key(code: str) -> bytes:
    return seals.lookup("invites.key", code)


def get_role(db: Connection, invite_id: int) -> str:
    role: str = db.execute(select(invites.c.role).where(invites.c.id == invite_id)).scalar_one()
    return role
