"""Expiry: what was held so long that it is of no use any more, and whose question that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal, or_, select, update

from bot.columns import Moment
from bot.models.outbox import ELSEWISE, HELD, deliveries, messages
from bot.models.people import members, memberships
from bot.models.talks import posts, threads

# A notice tells of everything that came meanwhile; what a discreet phone keeps closed and what
# waits for an app or a name was not held for want of a word from her.
_STAYS = ("notice",)


@dataclass(frozen=True, slots=True)
class Unsaid:
    """What became of one message."""

    dropped: int
    missed: int  # who still takes part where it is from, and did not get it
    whatsapp: bool  # all of these would have got it there


@dataclass(frozen=True, slots=True)
class Question:
    """Whose question a message told, where that may be said to her."""

    thread_id: int
    asker_id: int
    community_id: int


def list_overdue(
    db: Connection, before: Mapping[str, datetime], now: datetime, most: int
) -> list[int]:
    """Messages of which something is held and was said before its kind's moment, or too late."""
    old = (
        and_(messages.c.kind == kind, messages.c.created_at < literal(at, Moment))
        for kind, at in before.items()
    )
    statement = (
        select(messages.c.id)
        .join(deliveries, deliveries.c.message_id == messages.c.id)
        .where(
            *_is_held(),
            or_(messages.c.expires_at < literal(now, Moment), *old),
        )
        .distinct()
        .order_by(messages.c.id)
        .limit(most)
    )
    return list(db.execute(statement).scalars())


def _is_held() -> tuple[Any, ...]:
    return HELD, deliveries.c.reason.not_in(ELSEWISE), messages.c.kind.not_in(_STAYS)


def drop(db: Connection, message_id: int) -> Unsaid:
    """What is still held of it is not said any more."""
    mine = and_(
        memberships.c.member_id == deliveries.c.member_id,
        memberships.c.community_id == messages.c.community_id,
        memberships.c.state == "active",
    )
    here = (deliveries.c.message_id == message_id, HELD, deliveries.c.reason.not_in(ELSEWISE))
    elsewhere = case((deliveries.c.lane.contains("whatsapp"), 0), else_=1)
    statement = (
        select(func.count(), func.coalesce(func.sum(elsewhere), 0))
        .select_from(deliveries)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(memberships, mine)
        .join(members, members.c.id == deliveries.c.member_id)
        .where(*here, members.c.state == "active")
    )
    missed, others = db.execute(statement).one()
    dropped = db.execute(update(deliveries).where(*here).values(state="dropped", reason="expired"))
    return Unsaid(dropped.rowcount, missed, others == 0)


def find_question(db: Connection, message_id: int) -> Question | None:
    """None if it is no question, was asked without a name, or its asker is not there any more."""
    here = and_(
        memberships.c.member_id == threads.c.asker_id,
        memberships.c.community_id == threads.c.community_id,
        memberships.c.state == "active",
    )
    statement = (
        select(threads.c.id, threads.c.asker_id, threads.c.community_id)
        .join(posts, posts.c.thread_id == threads.c.id)
        .join(memberships, here)
        .where(
            posts.c.message_id == message_id,
            posts.c.kind == "question",
            posts.c.state == "live",
            ~threads.c.anonymous,
        )
    )
    row = db.execute(statement).first()
    return None if row is None else Question(*row)
