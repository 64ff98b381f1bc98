"""Reflections: what members kept for themselves or shared, and when it comes back to them.

Whose it is, its words, and who may see it stand in its post. Answers to weekly questions are
reflections too: they stand in the same list, without a row of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select, update

from bot.db import insert_returning
from bot.models.people import members
from bot.models.reflections import reflections
from bot.models.rhythm import editions
from bot.models.talks import posts, threads

KIND = "reflection"  # of posts


@dataclass(frozen=True, slots=True)
class Reflection:
    id: int
    post_id: int
    state: str  # kept: for herself alone; live: shared; hidden by a facilitator
    seen_by: str  # me, facilitators, community
    community_id: int | None  # where it is shared
    thread_id: int | None
    message_id: int | None  # how it was told
    edition_id: int | None
    content_id: int | None  # the weekly question it answers
    question: str | None  # or one of bot/reflecting.py
    theme: str | None
    pathway: str | None
    feeling: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of her list: a reflection, or an answer to a weekly question (no id)."""

    id: int | None
    post_id: int
    feeling: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """One that is to come back to whoever said it, and whether she wants that."""

    id: int
    post_id: int
    author_id: int | None
    created_at: datetime
    wanted: bool
    has_secret: bool
    timezone: str | None


_COLUMNS = (
    reflections.c.id,
    reflections.c.post_id,
    posts.c.state,
    posts.c.seen_by,
    posts.c.community_id,
    posts.c.thread_id,
    posts.c.message_id,
    posts.c.edition_id,
    editions.c.content_id,
    reflections.c.question,
    reflections.c.theme,
    reflections.c.pathway,
    reflections.c.feeling,
    reflections.c.created_at,
)


# Hers --------------------------------------------------------------------------------------------


def add(
    db: Connection,
    post_id: int,
    now: datetime,
    *,
    question: str | None,
    edition_id: int | None,
    earlier_id: int | None,
    adds_until: datetime,
    look_back_at: datetime,
) -> int:
    """A post becomes a reflection that only its author sees."""
    db.execute(
        update(posts).where(posts.c.id == post_id).values(seen_by="me", edition_id=edition_id)
    )
    row = {
        "post_id": post_id,
        "question": question,
        "earlier_id": earlier_id,
        "adds_until": adds_until,
        "look_back_at": look_back_at,
        "created_at": now,
    }
    [id_] = insert_returning(db, reflections, [row])
    return id_


def find_own(db: Connection, member_id: int, id_: int) -> Reflection | None:
    statement = _own(member_id).where(reflections.c.id == id_)
    row = db.execute(statement).first()
    return None if row is None else Reflection(*row)


def _own(member_id: int) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(posts, posts.c.id == reflections.c.post_id)
        .outerjoin(editions, editions.c.id == posts.c.edition_id)
        .where(posts.c.author_id == member_id)
    )


def list_own(
    db: Connection, member_id: int, most: int, skipped: int, since: datetime | None
) -> list[Listed]:
    """What she reflected on since a moment, the latest first, but so many of the latest.

    What a facilitator has hidden for others stays hers; of an answer the group's word counts.
    """
    answer = and_(posts.c.kind == "response", posts.c.state.in_(("live", "kept")))
    statement = (
        select(reflections.c.id, posts.c.id, reflections.c.feeling, posts.c.created_at)
        .select_from(posts)
        .outerjoin(reflections, reflections.c.post_id == posts.c.id)
        .where(posts.c.author_id == member_id, or_(reflections.c.id.is_not(None), answer))
        .order_by(posts.c.created_at.desc(), posts.c.id.desc())
        .limit(most)
        .offset(skipped)
    )
    if since is not None:
        statement = statement.where(posts.c.created_at >= since)
    return [Listed(*row) for row in db.execute(statement)]


def list_marked(db: Connection, member_id: int) -> list[Reflection]:
    """All of hers, the oldest first: for her own file."""
    statement = _own(member_id).order_by(reflections.c.id)
    return [Reflection(*row) for row in db.execute(statement)]


def count_own(db: Connection, member_id: int) -> int:
    statement = (
        select(func.count())
        .select_from(reflections)
        .join(posts, posts.c.id == reflections.c.post_id)
        .where(posts.c.author_id == member_id)
    )
    return db.execute(statement).scalar_one()


def find_last_question(db: Connection, member_id: int) -> str | None:
    """Of bot/reflecting.py; those of the week do not count."""
    statement = (
        select(reflections.c.question)
        .join(posts, posts.c.id == reflections.c.post_id)
        .where(posts.c.author_id == member_id, reflections.c.question.is_not(None))
        .order_by(reflections.c.id.desc())
        .limit(1)
    )
    found: str | None = db.execute(statement).scalar()
    return found


def find_open(db: Connection, member_id: int, now: datetime) -> tuple[int, int, datetime] | None:
    """(id, post, until when) of one that what she says now may be part of; others see none."""
    statement = (
        select(reflections.c.id, reflections.c.post_id, reflections.c.adds_until)
        .join(posts, posts.c.id == reflections.c.post_id)
        .where(
            posts.c.author_id == member_id,
            posts.c.state == "kept",
            reflections.c.adds_until > now,
        )
        .order_by(reflections.c.id.desc())
        .limit(1)
    )
    row = db.execute(statement).first()
    return None if row is None else (row.id, row.post_id, row.adds_until)


def mark(db: Connection, id_: int, **values: object) -> None:
    """Set columns of a reflection: theme, pathway, feeling, adds_until, look_back_at."""
    db.execute(update(reflections).where(reflections.c.id == id_).values(**values))


def give_post(db: Connection, found: Reflection, post_id: int) -> None:
    """Its words stand in another post now, which only she sees."""
    kept = {"kind": KIND, "state": "kept", "seen_by": "me", "edition_id": found.edition_id}
    db.execute(update(posts).where(posts.c.id == post_id).values(kept))
    mark(db, found.id, post_id=post_id)


def publish(
    db: Connection,
    post_id: int,
    seen_by: str,
    *,
    thread_id: int,
    community_id: int,
    message_id: int | None,
    heavy: bool,
) -> None:
    """From here on others may read it; nobody waits for an answer to it."""
    db.execute(
        update(posts)
        .where(posts.c.id == post_id)
        .values(
            state="live",
            seen_by=seen_by,
            thread_id=thread_id,
            community_id=community_id,
            message_id=message_id,
            heavy=heavy,
        )
    )
    db.execute(update(threads).where(threads.c.id == thread_id).values(state=KIND))


# Coming back -------------------------------------------------------------------------------------


def wants_back(db: Connection, member_id: int) -> bool | None:
    """Whether what she said a month ago shall come back; None = she was not asked yet."""
    statement = select(members.c.looks_back).where(members.c.id == member_id)
    found: bool | None = db.execute(statement).scalar()
    return found


def list_due(db: Connection, now: datetime, most: int) -> list[Due]:
    statement = (
        select(
            reflections.c.id,
            reflections.c.post_id,
            posts.c.author_id,
            reflections.c.created_at,
            and_(members.c.looks_back, members.c.state == "active").label("wanted"),
            members.c.secret.is_not(None).label("has_secret"),
            members.c.timezone,
        )
        .join(posts, posts.c.id == reflections.c.post_id)
        .outerjoin(members, members.c.id == posts.c.author_id)
        .where(reflections.c.look_back_at.is_not(None), reflections.c.look_back_at <= now)
        .order_by(reflections.c.look_back_at, reflections.c.id)
        .limit(most)
    )
    return [
        Due(
            row.id,
            row.post_id,
            row.author_id,
            row.created_at,
            bool(row.wanted),
            bool(row.has_secret),
            row.timezone,
        )
        for row in db.execute(statement)
    ]


def put_off(db: Connection, author_id: int, now: datetime, until: datetime) -> None:
    """One on a morning is enough: others of hers that are due come later."""
    hers = select(posts.c.id).where(posts.c.author_id == author_id)
    db.execute(
        update(reflections)
        .where(reflections.c.look_back_at <= now, reflections.c.post_id.in_(hers))
        .values(look_back_at=until)
    )
