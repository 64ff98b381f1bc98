"""What stands on a screen: the message behind one bubble, to be said again in another language."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bot.codec import message_from_json
from bot.messages import Message
from bot.models import deliveries, dispatches, members, messages


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as one member got it."""

    message: Message
    timezone: str
    experienced: bool
    part: int  # which bubble of it
    parts: int  # how many there are


def find(db: Connection, token: str) -> Shown | None:
    """The message whose bubble was handed over with this token."""
    others = dispatches.alias()
    parts = (
        select(func.count())
        .select_from(others)
        .where(others.c.delivery_id == dispatches.c.delivery_id)
        .scalar_subquery()
    )
    statement = (
        select(messages.c.body, members.c.timezone, members.c.answers, dispatches.c.part, parts)
        .select_from(dispatches)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(members, members.c.id == deliveries.c.member_id)
        .where(dispatches.c.token == token)
    )
    row = db.execute(statement).first()
    if row is None:
        return None
    message = message_from_json(row.body)
    return Shown(message, row.timezone or "UTC", row.answers >= 3, row.part, row[4])
