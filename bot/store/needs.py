"""Needs: what somebody has to have to take part; only the host reads it, until it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select

from bot.db import insert_new
from bot.messages import Ref
from bot.models.sessions import needs, sessions, signups

PLANNED = "planned"
COMING = ("yes", "maybe", "waiting", "offered")


def add(db: Connection, session_id: int, member_id: int, text: str, now: datetime) -> Ref:
    """Once for each session: what she said before is removed first."""
    row = {"session_id": session_id, "member_id": member_id, "text": text, "created_at": now}
    new = insert_new(db, needs).values(row).returning(needs.c.id)
    return Ref("needs", db.execute(new).scalar_one())


def remove(db: Connection, session_id: int, member_id: int) -> None:
    hers = (needs.c.session_id == session_id, needs.c.member_id == member_id)
    db.execute(delete(needs).where(*hers))


def find(db: Connection, session_id: int, member_id: int) -> Ref | None:
    hers = (needs.c.session_id == session_id, needs.c.member_id == member_id)
    id_ = db.execute(select(needs.c.id).where(*hers)).scalar()
    return None if id_ is None else Ref("needs", id_)


def list_of(db: Connection, session_id: int) -> list[tuple[int, Ref]]:
    """(member, what she needs) of those who come, or would like to."""
    statement = (
        select(needs.c.member_id, needs.c.id)
        .join(
            signups,
            (signups.c.session_id == needs.c.session_id)
            & (signups.c.member_id == needs.c.member_id),
        )
        .where(needs.c.session_id == session_id, signups.c.answer.in_(COMING))
        .order_by(needs.c.id)
    )
    return [(row.member_id, Ref("needs", row.id)) for row in db.execute(statement)]


def forget(db: Connection, now: datetime) -> int:
    """Those of sessions that are over or do not take place; how many."""
    statement = (
        select(needs.c.id, sessions.c.state, sessions.c.starts_at, sessions.c.minutes)
        .join(sessions, sessions.c.id == needs.c.session_id)
        .where(or_(sessions.c.state != PLANNED, sessions.c.starts_at <= now))
    )
    over = [
        row.id
        for row in db.execute(statement)
        if row.state != PLANNED or row.starts_at + timedelta(minutes=row.minutes) <= now
    ]
    db.execute(delete(needs).where(needs.c.id.in_(over)))
    return len(over)
