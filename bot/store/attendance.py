"""Attendance: who was there, as members said themselves or as the host noted it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from bot.db import insert_new
from bot.models.people import members, memberships
from bot.models.sessions import sessions, signups

EARLY = timedelta(minutes=15)  # so long before it begins she may say that she is there
_EXPECTED = ("yes", "maybe")
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Comer:
    """Somebody who is expected, or was there."""

    member_id: int
    name: str | None
    came: bool | None  # None = nobody said


def list_under_way(db: Connection, member_id: int, now: datetime) -> list[int]:
    """Sessions that she is expected at, or holds, and that are going on or about to begin."""
    hers = select(signups.c.session_id).where(
        signups.c.member_id == member_id, signups.c.answer != "no"
    )
    statement = (
        select(sessions.c.id, sessions.c.starts_at, sessions.c.minutes)
        .where(
            or_(
                sessions.c.id.in_(hers),
                sessions.c.host_id == member_id,
                sessions.c.note_taker_id == member_id,
            ),
            sessions.c.state.in_(("planned", "over")),
            sessions.c.starts_at <= now + EARLY,
            sessions.c.starts_at > now - _LONGEST,
        )
        .order_by(sessions.c.starts_at, sessions.c.id)
    )
    return [
        row.id
        for row in db.execute(statement)
        if now <= row.starts_at + timedelta(minutes=row.minutes)
    ]


def mark(db: Connection, session_id: int, member_ids: Collection[int], now: datetime) -> None:
    """They are there; whoever came without a word has no seat by it, and none is counted."""
    for member_id in sorted(member_ids):
        row = {"session_id": session_id, "member_id": member_id, "answer": "invited"}
        row |= {"came": True, "created_at": now}
        new = insert_new(db, signups).values(row)
        db.execute(
            new.on_conflict_do_update(
                index_elements=["session_id", "member_id"], set_={"came": True}
            )
        )


def unmark(db: Connection, session_id: int, member_ids: Collection[int]) -> None:
    """It was noted by mistake: nobody said anything about them."""
    db.execute(
        update(signups)
        .where(signups.c.session_id == session_id, signups.c.member_id.in_(member_ids))
        .values(came=None)
    )


def list_comers(db: Connection, session_id: int) -> list[Comer]:
    """Who is expected or was there, in the order of their answers; it is the same each time."""
    statement = (
        select(signups.c.member_id, members.c.name, signups.c.came)
        .join(members, members.c.id == signups.c.member_id)
        .where(
            signups.c.session_id == session_id,
            or_(signups.c.answer.in_(_EXPECTED), signups.c.came),
            members.c.state == "active",
        )
        .order_by(signups.c.created_at, signups.c.member_id)
    )
    return [Comer(*row) for row in db.execute(statement)]


def list_there(db: Connection, session_id: int) -> list[int]:
    """Who was there; where nobody said so of anybody, who had said that she comes."""
    found = [each for each in _answers(db, session_id) if each.answer == "yes" or each.came]
    there = [each.member_id for each in found if each.came]
    return there or [each.member_id for each in found]


def _answers(db: Connection, session_id: int) -> list[Any]:
    statement = (
        select(signups.c.member_id, signups.c.answer, signups.c.came)
        .join(members, members.c.id == signups.c.member_id)
        .where(signups.c.session_id == session_id, members.c.state == "active")
        .order_by(signups.c.member_id)
    )
    return list(db.execute(statement))


def list_outside(
    db: Connection, session_id: int, community_id: int, member_ids: Collection[int]
) -> list[int]:
    """Those of them who are not in this community."""
    inside = and_(
        memberships.c.member_id == members.c.id,
        memberships.c.community_id == community_id,
        memberships.c.state == "active",
    )
    statement = select(members.c.id).where(
        members.c.id.in_(member_ids), ~select(memberships.c.id).where(inside).exists()
    )
    return list(db.execute(statement.order_by(members.c.id)).scalars())


def find_held(db: Connection, member_id: int, now: datetime) -> int | None:
    """The latest session that she held and that has begun."""
    statement = (
        select(sessions.c.id)
        .where(
            sessions.c.host_id == member_id,
            sessions.c.state != "cancelled",
            sessions.c.starts_at <= now + EARLY,
        )
        .order_by(sessions.c.starts_at.desc(), sessions.c.id.desc())
        .limit(1)
    )
    return db.execute(statement).scalar()
