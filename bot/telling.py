"""Telling others something, from a turn or from a job: a message and its deliveries, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.messages import Message
from bot.store import messages as outbox
from bot.store.messages import Audience


def tell(
    db: Connection,
    now: datetime,
    key: str,
    audience: Audience,
    message: Message,
    *,
    kind: str = "thread",
    community_id: int | None = None,
    due_at: datetime | None = None,
) -> int | None:
    """The message's id, or None if something with this key was said before."""
    message_id = outbox.add(db, key, kind, message, now, community_id, wide=audience.is_wide)
    if message_id is not None:
        outbox.tell(db, message_id, kind, audience, due_at or now)
    return message_id
