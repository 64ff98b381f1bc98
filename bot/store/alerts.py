"""Alerts: what one app of hers is told about her other one, whichever of them she uses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bot import seals
from bot.codec import message_to_json
from bot.db import insert_new, mark_due
from bot.messages import Message
from bot.models.outbox import deliveries, messages
from bot.models.people import addresses


def add(
    db: Connection, key: str, message: Message, address_id: int, due_at: datetime, now: datetime
) -> None:
    """Say this to one address when it is due; once for a key."""
    row = {
        "key": _key(key),
        "kind": "alert",
        "body": message_to_json(message),
        "created_at": now,
    }
    new = insert_new(db, messages).values(row).on_conflict_do_nothing().returning(messages.c.id)
    message_id = db.execute(new).scalar()
    if message_id is None:
        return
    whose = select(addresses.c.member_id, addresses.c.lane).where(addresses.c.id == address_id)
    member_id, lane = db.execute(whose).one()
    delivery = {
        "message_id": message_id,
        "member_id": member_id,
        "address_id": address_id,
        "lane": lane,
        "priority": 0,
        "state": "queued",
        "due_at": due_at,
    }
    db.execute(insert(deliveries), delivery)
    mark_due(db, due_at, lane)


def drop(db: Connection, keys: Iterable[str]) -> None:
    """Say these no more, where they have not been said."""
    wanted = select(messages.c.id).where(messages.c.key.in_([_key(each) for each in keys]))
    db.execute(
        update(deliveries)
        .where(deliveries.c.message_id.in_(wanted), deliveries.c.state.in_(("queued", "held")))
        .values(state="dropped", reason="undone")
    )


def _key(key: str) -> bytes:
    return seals.lookup("messages.key", key)
