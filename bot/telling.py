"""Telling others something, from a turn or from a job: a message and its deliveries, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.messages import Message, Ref
from bot.store import audiences
from bot.store import messages as outbox
from bot.store.audiences import Audience


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
    for_role: str | None = None,
    expires_at: datetime | None = None,
    wide: bool = False,
) -> int | None:
    """The message's id, or None if something with this key was said before.

    `wide`: counted with what comes unasked, also if it goes to one person.
    """
    role = for_role or audience.role
    message_id = outbox.add(
        db,
        key,
        kind,
        message,
        now,
        community_id,
        wide=wide or audience.is_wide,
        for_role=role,
        expires_at=expires_at,
    )
    if message_id is not None:
        audiences.tell(db, message_id, kind, audience, due_at or now)
    return message_id


def retract(db: Connection, now: datetime, post_id: int, but: tuple[int, ...] = ()) -> None:
    """Delete a post where it stands and can be deleted: on both phones of whoever has two."""
    message = Message(retract=Ref("posts", post_id))
    for phone in ("holders", "other_holders"):  # a message comes once to a member
        audience = Audience(phone, post_id, but=but)
        tell(db, now, f"taken_back/{post_id}/{phone}", audience, message, kind="retract")
