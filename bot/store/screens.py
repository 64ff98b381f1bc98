"""What stands on a screen: the message behind one bubble, to be said again in another language."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bot.codec import message_from_json
from bot.messages import Message
from bot.models.outbox import deliveries, dispatches, messages, prompts
from bot.models.people import members


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as one member got it."""

    message: Message
    timezone: str
    experienced: bool
    closing: bool  # its choices stand in a last bubble that tells nothing
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
        select(
            messages.c.body,
            members.c.timezone,
            members.c.answers,
            prompts.c.clears,
            dispatches.c.part,
            parts,
        )
        .select_from(dispatches)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(members, members.c.id == deliveries.c.member_id)
        .outerjoin(
            prompts,
            (prompts.c.message_id == messages.c.id)
            & (prompts.c.address_id == deliveries.c.address_id),
        )
        .where(dispatches.c.token == token)
    )
    row = db.execute(statement).first()
    if row is None:
        return None
    message = message_from_json(row.body)
    return Shown(
        message, row.timezone or "UTC", row.answers >= 3, bool(row.clears), row.part, row[5]
    )
