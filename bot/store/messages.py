"""Messages: what is to be said, written in the turn's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    insert,
    select,
    update,
)

from bot import seals
from bot.codec import message_from_json, message_to_json
from bot.db import insert_once, insert_returning, mark_due
from bot.messages import Message
from bot.models.outbox import PRIORITY, deliveries, messages

_ADD = insert_once(
    lambda insert: insert(messages).on_conflict_do_nothing().returning(messages.c.id)
)
_DELIVER = insert(deliveries)
_BODY = select(messages.c.body).where(messages.c.id == bindparam("message_id"))


def add(
    db: Connection,
    key: str,
    kind: str,
    message: Message,
    now: datetime,
    community_id: int | None = None,
    *,
    wide: bool = False,
    for_role: str | None = None,
    expires_at: datetime | None = None,
) -> int | None:
    """Something to be said, once: None if there is a message with this key already."""
    row = _row(key, kind, message, now) | {"community_id": community_id, "wide": wide}
    row["for_role"] = None if community_id is None else for_role
    row["expires_at"] = expires_at
    return db.execute(_ADD[db.dialect.name], row).scalar()


def _row(key: str, kind: str, message: Message, now: datetime) -> dict[str, Any]:
    key_of = seals.lookup("messages.key", key)  # it may name members and rows: sealed like them
    return {"key": key_of, "kind": kind, "body": message_to_json(message), "created_at": now}


def say(
    db: Connection,
    said: Sequence[tuple[str, Message, datetime]],
    address: tuple[int, int, str],
    now: datetime,
) -> list[int]:
    """Messages (key, what, due) to one address (id, member id, lane), in order; their ids."""
    ids = insert_returning(
        db, messages, [_row(key, "direct", message, now) for key, message, _ in said]
    )
    address_id, member_id, lane = address
    rows = [
        {
            "message_id": message_id,
            "member_id": member_id,
            "address_id": address_id,
            "lane": lane,
            "priority": PRIORITY["direct"],
            "state": "queued",
            "due_at": due_at,
            "asked_at": now,
        }
        for message_id, (_, _, due_at) in zip(ids, said, strict=True)
    ]
    db.execute(_DELIVER, rows)
    mark_due(db, min(due_at for _, _, due_at in said), lane)
    return ids


def find(db: Connection, message_id: int) -> Message | None:
    body = db.execute(_BODY, {"message_id": message_id}).scalar()
    return None if body is None else message_from_json(body)


def list_ids(db: Connection, keys: Sequence[str]) -> Sequence[int]:
    """The messages that were said with these keys."""
    known = [seals.lookup("messages.key", key) for key in keys]
    return db.execute(select(messages.c.id).where(messages.c.key.in_(known))).scalars().all()


def postpone(db: Connection, message_id: int, due_at: datetime) -> bool:
    """Let a message wait a little longer; False if it has left."""
    changed = db.execute(
        update(deliveries)
        .where(deliveries.c.message_id == message_id, deliveries.c.state == "queued")
        .values(due_at=due_at)
    )
    return changed.rowcount > 0
