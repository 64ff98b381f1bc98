"""Rows of sessions: whether one goes on after this one, and who is asked to it again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, exists, literal, select

from bot.columns import Moment
from bot.db import insert_new
from bot.models.people import communities, members
from bot.models.sessions import sessions, signups


def goes_on(db: Connection, session_id: int) -> bool:
    """Whether the next one is to be made: there is none yet, and its community still is."""
    after = sessions.alias()
    statement = (
        select(sessions.c.id)
        .join(communities, communities.c.id == sessions.c.community_id)
        .where(
            sessions.c.id == session_id,
            communities.c.ended_at.is_(None),
            ~exists().where(after.c.follows_id == session_id),
        )
    )
    return db.execute(statement).first() is not None


def ask_again(db: Connection, before_id: int, session_id: int, now: datetime) -> None:
    """Whoever was asked by name to the one before is asked to this one."""
    asked = (
        select(literal(session_id), signups.c.member_id, literal("invited"), literal(now, Moment))
        .join(members, members.c.id == signups.c.member_id)
        .where(signups.c.session_id == before_id, members.c.state == "active")
    )
    columns = ["session_id", "member_id", "answer", "created_at"]
    new = insert_new(db, signups).from_select(columns, asked, include_defaults=False)
    db.execute(new.on_conflict_do_nothing())
