"""Prompts: choices as they were shown, which a tap, a number or a label comes back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from bot import seals
from bot.codec import message_from_json
from bot.discretion import clearable
from bot.messages import Message
from bot.models.outbox import deliveries, dispatches, messages, prompts
from bot.models.people import addresses


@dataclass(frozen=True, slots=True)
class Prompt:
    id: int | None  # None: a message without choices that was quoted
    message_id: int
    message: Message
    consumed_at: datetime | None
    chosen: bytes | None
    community_id: int | None = None  # whose message it was

    def was_chosen(self, index: int) -> bool:
        """Whether it was this choice that consumed it."""
        return self.chosen is not None and bytes(self.chosen) == _key(self.id or 0, index)


def _key(prompt_id: int, index: int) -> bytes:
    return seals.lookup("prompts.chosen", str(prompt_id), str(index))


_PROMPT = select(
    prompts.c.id,
    prompts.c.message_id,
    messages.c.body,
    prompts.c.clears,
    prompts.c.consumed_at,
    prompts.c.chosen,
    messages.c.community_id,
).join(messages, messages.c.id == prompts.c.message_id)


def find(db: Connection, token: str, address_id: int) -> Prompt | None:
    """The prompt a tap names, if it was shown to this address."""
    wanted = (prompts.c.token == token, prompts.c.address_id == address_id)
    return _one(db, _PROMPT.where(*wanted))


def find_of(db: Connection, message_id: int, address_id: int) -> Prompt | None:
    """The prompt a message was shown with at this address."""
    wanted = (prompts.c.message_id == message_id, prompts.c.address_id == address_id)
    return _one(db, _PROMPT.where(*wanted).order_by(prompts.c.id.desc()).limit(1))


# Asked of each prompt, from the last one on: joined, PostgreSQL may read every delivery of a
# message to thousands, because most messages have one.
_STATE_OF_ITS_DELIVERY = (
    select(deliveries.c.state)
    .where(
        deliveries.c.message_id == prompts.c.message_id,
        deliveries.c.member_id == addresses.c.member_id,
        deliveries.c.address_id == addresses.c.id,
    )
    .scalar_subquery()
)
_LAST = (
    _PROMPT.join(addresses, addresses.c.id == prompts.c.address_id)
    .where(
        prompts.c.address_id == bindparam("address"),
        _STATE_OF_ITS_DELIVERY.in_(("sending", "sent", "delivered", "read", "unknown")),
    )
    .order_by(prompts.c.id.desc())
    .limit(1)
)


def find_last(db: Connection, address_id: int) -> Prompt | None:
    """The last list that was sent to this address."""
    return _one(db, _LAST, {"address": address_id})


def find_quoted(db: Connection, lane: str, provider_id: str, address_id: int) -> Prompt | None:
    """The message behind a quoted bubble, with its prompt if it had choices."""
    keys = seals.lookups("dispatches.provider_key", lane, provider_id)
    statement = (
        select(
            prompts.c.id,
            messages.c.id.label("message_id"),
            messages.c.body,
            prompts.c.clears,
            prompts.c.consumed_at,
            prompts.c.chosen,
            messages.c.community_id,
        )
        .select_from(dispatches)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .outerjoin(
            prompts,
            (prompts.c.message_id == messages.c.id)
            & (prompts.c.address_id == deliveries.c.address_id),
        )
        .where(dispatches.c.provider_key.in_(keys), deliveries.c.address_id == address_id)
    )
    return _one(db, statement)


def consume(db: Connection, prompt_id: int, chosen: int, now: datetime) -> bool:
    """Take a choice; False if one was taken before."""
    changed = db.execute(
        update(prompts)
        .where(prompts.c.id == prompt_id, prompts.c.consumed_at.is_(None))
        .values(consumed_at=now, chosen=_key(prompt_id, chosen))
    )
    return changed.rowcount == 1


def _one(
    db: Connection, statement: Select[Any], values: Mapping[str, Any] | None = None
) -> Prompt | None:
    row = db.execute(statement, values or {}).first()
    if row is None:
        return None
    message = message_from_json(row.body)
    shown = clearable(message) if row.clears else message
    return Prompt(row.id, row.message_id, shown, row.consumed_at, row.chosen, row.community_id)
