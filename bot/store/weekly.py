"""Weekly questions as they came to a member: which, in which message, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from bot.messages import Ref
from bot.models.outbox import SETTLED, deliveries, dispatches, messages
from bot.models.people import communities, memberships
from bot.models.rhythm import edition_messages, editions
from bot.roles import TAKING_PART

_LATE = timedelta(days=1)  # between when a delivery was due and when it was handed over


@dataclass(frozen=True, slots=True)
class Question:
    """A weekly question, as one community was asked it."""

    edition_id: int
    community_id: int
    content_id: int | None

    @property
    def words(self) -> Ref | None:
        return None if self.content_id is None else Ref("contents", self.content_id)


def find_question(db: Connection, member_id: int, edition_id: int) -> Question | None:
    """If she takes part where it was asked."""
    statement = _questions(member_id).where(editions.c.id == edition_id)
    return next(iter(_list_questions(db, statement)), None)


def list_beside(db: Connection, member_id: int, edition_id: int) -> list[Question]:
    """The questions that came to her in the same message: several groups make one."""
    ids = _beside(member_id, edition_id)
    wanted = or_(editions.c.id == edition_id, editions.c.id.in_(ids))
    return _list_questions(db, _questions(member_id).where(wanted))


def list_together(db: Connection, member_id: int, edition_id: int) -> list[int]:
    """This edition, and all that came to her in the same message."""
    return sorted({edition_id, *db.execute(_beside(member_id, edition_id)).scalars()})


def _beside(member_id: int, edition_id: int) -> Select[tuple[int]]:
    beside = edition_messages.alias()
    return (
        select(beside.c.edition_id)
        .join(edition_messages, edition_messages.c.message_id == beside.c.message_id)
        .join(deliveries, deliveries.c.message_id == beside.c.message_id)
        .where(edition_messages.c.edition_id == edition_id, deliveries.c.member_id == member_id)
    )


def list_heard(db: Connection, member_id: int, since: datetime) -> list[Question]:
    """The questions of the last weekly message that came to her, if that was since then."""
    last = (
        select(deliveries.c.message_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(dispatches, dispatches.c.delivery_id == deliveries.c.id)
        .where(
            deliveries.c.member_id == member_id,
            SETTLED,
            deliveries.c.state.in_(("sent", "delivered", "read")),
            deliveries.c.due_at >= since - _LATE,
            messages.c.kind == "rhythm",
            dispatches.c.handed_at >= since,
        )
        .order_by(dispatches.c.handed_at.desc(), dispatches.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    ids = select(edition_messages.c.edition_id).where(edition_messages.c.message_id == last)
    return _list_questions(db, _questions(member_id).where(editions.c.id.in_(ids)))


def _questions(member_id: int) -> Select[Any]:
    return (
        select(editions.c.id, editions.c.community_id, editions.c.content_id)
        .join(memberships, memberships.c.community_id == editions.c.community_id)
        .join(communities, communities.c.id == editions.c.community_id)
        .where(
            editions.c.kind == "prompt",
            memberships.c.member_id == member_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            communities.c.ended_at.is_(None),
        )
        .order_by(editions.c.id)
    )


def _list_questions(db: Connection, statement: Select[Any]) -> list[Question]:
    return [Question(*row) for row in db.execute(statement)]
