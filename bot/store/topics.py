"""Topics: the market of a community, what members offer to show and what they would like to learn.

What one sees of it is looked at each time: who has left, stopped or was erased offers nothing, and
nothing goes into a discreet community or out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.db import insert_new
from bot.messages import Ref
from bot.models.people import communities, members, memberships
from bot.models.sessions import interests, sessions, signups, topics
from bot.roles import TAKING_PART

OFFER, ASK = "offer", "ask"
DRAFT, OPEN, PLANNED, CLOSED = "draft", "open", "planned", "closed"


@dataclass(frozen=True, slots=True)
class Topic:
    """Something a member offers to show, or would like to learn."""

    id: int
    community_id: int
    member_id: int | None  # None: somebody who was erased
    kind: str  # OFFER, ASK
    wide: bool  # all groups of the programme see it, but for discreet ones
    theme: str | None
    text: str
    post_id: int | None  # what she said aloud
    state: str  # DRAFT, OPEN, PLANNED, CLOSED
    created_at: datetime
    veiled: bool  # in a discreet group: nobody reads who it is

    @property
    def ref(self) -> Ref:
        return Ref("topics", self.id)

    @property
    def is_offer(self) -> bool:
        return self.kind == OFFER

    def is_of(self, member_id: int) -> bool:
        return self.member_id == member_id


_DISCREET = (
    select(communities.c.discreet)
    .where(communities.c.id == topics.c.community_id)
    .correlate(topics)
    .scalar_subquery()
)
_COLUMNS = (
    *(topics.c[name] for name in Topic.__dataclass_fields__ if name != "veiled"),
    _DISCREET.label("veiled"),
)


# Hers --------------------------------------------------------------------------------------------


def add(
    db: Connection, now: datetime, *, community_id: int, member_id: int, kind: str, text: str
) -> int:
    """A draft: nobody else sees it yet."""
    row = {"community_id": community_id, "member_id": member_id, "kind": kind, "text": text}
    row |= {"state": DRAFT, "created_at": now}
    added = db.execute(insert(topics).values(row).returning(topics.c.id))
    return int(added.scalar_one())


def change(db: Connection, topic_id: int, **values: Any) -> None:
    db.execute(update(topics).where(topics.c.id == topic_id).values(values))


def find(db: Connection, topic_id: int) -> Topic | None:
    """Whatever its state."""
    return _first(db, select(*_COLUMNS).where(topics.c.id == topic_id))


def lock(db: Connection, topic_id: int) -> None:
    """Nobody else changes it until the end of this transaction, and who is interested is counted.

    It is written, not only locked: a transaction that began before and counts what was there then
    fails on PostgreSQL, and is run again.
    """
    same = {"state": topics.c.state}
    db.execute(update(topics).where(topics.c.id == topic_id).values(same))


def find_own(db: Connection, topic_id: int, member_id: int) -> Topic | None:
    """One of hers, a draft too, as long as it is not closed."""
    return _first(db, _own(member_id).where(topics.c.id == topic_id))


def list_own(db: Connection, member_id: int, most: int) -> list[Topic]:
    """What she offers and asks for, the latest first."""
    statement = _own(member_id).where(topics.c.state != DRAFT)
    return _list(db, statement.order_by(topics.c.id.desc()).limit(most))


def _own(member_id: int) -> Select[Any]:
    return select(*_COLUMNS).where(topics.c.member_id == member_id, topics.c.state != CLOSED)


def remove(db: Connection, topic_id: int) -> None:
    """Drop a draft that is not wanted; what others have seen is never removed this way."""
    db.execute(delete(topics).where(topics.c.id == topic_id, topics.c.state == DRAFT))


def remove_drafts(db: Connection, before: datetime) -> int:
    """Drafts that were begun before this moment and never put up."""
    gone = (topics.c.state == DRAFT, topics.c.created_at < before)
    return db.execute(delete(topics).where(*gone)).rowcount


# What she sees -----------------------------------------------------------------------------------


def find_for(db: Connection, topic_id: int, member_id: int) -> Topic | None:
    """One that she may see, hers too; also one of which a session is planned."""
    return _first(db, _seen_by(member_id, (OPEN, PLANNED)).where(topics.c.id == topic_id))


def list_for(
    db: Connection,
    member_id: int,
    most: int,
    *,
    kind: str | None = None,
    theme: str | None = None,
    before: int = 0,
    hers: bool = True,
) -> list[Topic]:
    """What stands in the market for her, the latest first; a theme of "" = of those without one."""
    statement = _seen_by(member_id, (OPEN,))
    if kind is not None:
        statement = statement.where(topics.c.kind == kind)
    if theme is not None:
        of_it = topics.c.theme == theme if theme else topics.c.theme.is_(None)
        statement = statement.where(of_it)
    if before:
        statement = statement.where(topics.c.id < before)
    if not hers:
        statement = statement.where(topics.c.member_id != member_id)
    return _list(db, statement.order_by(topics.c.id.desc()).limit(most))


def count_themes(db: Connection, member_id: int) -> dict[str, int]:
    """How many stand there for her, by theme; "" = without one."""
    found = _seen_by(member_id, (OPEN,)).subquery()
    theme = func.coalesce(found.c.theme, "")
    rows = db.execute(select(theme, func.count()).group_by(theme))
    return {row[0]: row[1] for row in rows}


def _seen_by(member_id: int, states: Collection[str]) -> Select[Any]:
    part = (memberships.c.state == "active", memberships.c.role.in_(TAKING_PART))
    hers = (
        select(memberships.c.community_id)
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(memberships.c.member_id == member_id, communities.c.ended_at.is_(None), *part)
    )
    theirs = communities.alias()
    programmes = select(theirs.c.programme_id).where(theirs.c.id.in_(hers), ~theirs.c.discreet)
    there = topics.c.community_id.in_(hers)
    wide = and_(topics.c.wide, ~communities.c.discreet, communities.c.programme_id.in_(programmes))
    inside = exists().where(
        memberships.c.member_id == topics.c.member_id,
        memberships.c.community_id == topics.c.community_id,
        *part,
    )
    return (
        select(*_COLUMNS)
        .join(communities, communities.c.id == topics.c.community_id)
        .join(members, members.c.id == topics.c.member_id)
        .where(
            topics.c.state.in_(states),
            members.c.state == "active",
            communities.c.ended_at.is_(None),
            or_(there, wide),
            inside,
        )
    )


def has_neighbours(db: Connection, community_id: int) -> bool:
    """Whether other groups of its programme could see what stands in it; none of a discreet one."""
    here, there = communities.alias(), communities.alias()
    statement = (
        select(there.c.id)
        .join(here, here.c.programme_id == there.c.programme_id)
        .where(here.c.id == community_id, there.c.id != here.c.id, ~here.c.discreet)
        .where(~there.c.discreet, there.c.ended_at.is_(None))
    )
    return db.execute(statement.limit(1)).first() is not None


# Interest ----------------------------------------------------------------------------------------


def add_interest(db: Connection, topic_id: int, member_ids: Collection[int], now: datetime) -> int:
    """How many of them were not interested before."""
    rows = [{"topic_id": topic_id, "member_id": each, "created_at": now} for each in member_ids]
    if not rows:
        return 0
    new = insert_new(db, interests).values(rows).on_conflict_do_nothing()
    return len(db.execute(new.returning(interests.c.member_id)).all())


def remove_interest(db: Connection, topic_id: int, member_id: int) -> None:
    db.execute(
        delete(interests).where(
            interests.c.topic_id == topic_id, interests.c.member_id == member_id
        )
    )


def is_interested(db: Connection, topic_id: int, member_id: int) -> bool:
    hers = (interests.c.topic_id == topic_id, interests.c.member_id == member_id)
    return db.execute(select(interests.c.topic_id).where(*hers)).first() is not None


def list_interested(db: Connection, topic_id: int) -> list[int]:
    """Who would like to be there and has not stopped."""
    statement = (
        select(interests.c.member_id)
        .join(members, members.c.id == interests.c.member_id)
        .where(interests.c.topic_id == topic_id, members.c.state == "active")
        .order_by(interests.c.member_id)
    )
    return list(db.execute(statement).scalars())


def forget_strangers(db: Connection, topic_id: int) -> None:
    """Who was interested and does not see it any more: she left, or the group is discreet now."""
    theirs, home = communities.alias(), communities.alias()
    near = and_(
        topics.c.wide, ~home.c.discreet, ~theirs.c.discreet,
        theirs.c.programme_id == home.c.programme_id,
    )  # fmt: skip
    sees = (
        select(memberships.c.member_id)
        .join(theirs, theirs.c.id == memberships.c.community_id)
        .join(topics, topics.c.id == topic_id)
        .join(home, home.c.id == topics.c.community_id)
        .where(memberships.c.state == "active", memberships.c.role.in_(TAKING_PART))
        .where(theirs.c.ended_at.is_(None), or_(theirs.c.id == home.c.id, near))
    )
    its = interests.c.topic_id == topic_id
    db.execute(delete(interests).where(its, interests.c.member_id.not_in(sees)))


def mark_suggested(db: Connection, topic_id: int, now: datetime) -> bool:
    """Note that its session was suggested; False if it was before."""
    new = (topics.c.id == topic_id, topics.c.suggested_at.is_(None))
    return db.execute(update(topics).where(*new).values(suggested_at=now)).rowcount == 1


# Its sessions ------------------------------------------------------------------------------------


def invite(db: Connection, session_id: int, member_ids: Sequence[int], now: datetime) -> list[int]:
    """Ask them to a session by name; those of them who were asked only now."""
    row = {"session_id": session_id, "answer": "invited", "created_at": now}
    rows = [row | {"member_id": each} for each in member_ids]
    if not rows:
        return []
    new = insert_new(db, signups).values(rows).on_conflict_do_nothing()
    return sorted(db.execute(new.returning(signups.c.member_id)).scalars())


def count_sessions(db: Connection, topic_id: int) -> int:
    """How many were made of it, whatever became of them."""
    statement = select(func.count()).where(sessions.c.topic_id == topic_id)
    return db.execute(statement).scalar_one()


def find_session(db: Connection, topic_id: int) -> int | None:
    """The one of it that is planned."""
    planned = (sessions.c.topic_id == topic_id, sessions.c.state == "planned")
    return db.execute(select(sessions.c.id).where(*planned).order_by(sessions.c.id)).scalar()


def list_settled(db: Connection, most: int) -> list[tuple[int, bool]]:
    """(topic, was it held) of which no session lies ahead any more."""
    its = sessions.c.topic_id == topics.c.id
    held = exists().where(its, sessions.c.state.in_(("over", "told")))
    ahead = exists().where(its, sessions.c.state == "planned")
    statement = select(topics.c.id, held).where(topics.c.state == PLANNED, ~ahead)
    rows = db.execute(statement.order_by(topics.c.id).limit(most))
    return [(row[0], bool(row[1])) for row in rows]


def reopen(db: Connection, topic_id: int, *, held: bool) -> None:
    """It stands in the market again; once it was held, an ask is answered, an offer begins anew."""
    answered = case((topics.c.kind == ASK, CLOSED), else_=OPEN)
    its = update(topics).where(topics.c.id == topic_id)
    db.execute(its.values(state=answered if held else OPEN, suggested_at=None))
    if held:
        db.execute(delete(interests).where(interests.c.topic_id == topic_id))


def _first(db: Connection, statement: Select[Any]) -> Topic | None:
    row = db.execute(statement).first()
    return None if row is None else Topic(**row._mapping)


def _list(db: Connection, statement: Select[Any]) -> list[Topic]:
    return [Topic(**row._mapping) for row in db.execute(statement)]
