"""Hosts: sessions that are held by nobody any more, since who was to hold them left or stopped."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from bot.models.people import members, memberships
from bot.models.sessions import sessions
from bot.roles import TAKING_PART


def list_unheld(db: Connection, now: datetime, after: int, most: int) -> list[int]:
    """Planned sessions that have not begun and that nobody holds, by their numbers."""
    statement = (
        select(sessions.c.id)
        .where(sessions.c.state == "planned", sessions.c.starts_at > now, ~_held())
        .where(sessions.c.id > after)
        .order_by(sessions.c.id)
        .limit(most)
    )
    return list(db.execute(statement).scalars())


def is_held(db: Connection, session_id: int) -> bool:
    """Whether somebody who is there and takes part holds it."""
    statement = select(sessions.c.id).where(sessions.c.id == session_id, _held())
    return db.execute(statement).first() is not None


def leave(db: Connection, member_id: int, community_id: int) -> None:
    """She left a community: she holds nothing there any more, nor takes notes, also if she is back.

    What was told of is past: it stays as it was.
    """
    there = (sessions.c.community_id == community_id, sessions.c.state.in_(("planned", "over")))
    for column in (sessions.c.host_id, sessions.c.note_taker_id):
        hers = update(sessions).where(column == member_id, *there)
        db.execute(hers.values({column.name: None}))


def _held() -> ColumnElement[bool]:
    held: ColumnElement[bool] = (
        select(members.c.id)
        .join(memberships, memberships.c.member_id == members.c.id)
        .where(
            members.c.id == sessions.c.host_id,
            members.c.state == "active",
            memberships.c.community_id == sessions.c.community_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
        )
        .exists()
    )
    return held
