"""The inbox: one row per event at a provider, the proof that it was taken, and taken once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot import seals
from bot.db import insert_once
from bot.models.talks import inbox

_ADD = insert_once(lambda insert: insert(inbox).on_conflict_do_nothing().returning(inbox.c.id))


def add(
    db: Connection, lane: str, key: str, payload: str, now: datetime, address_id: int
) -> int | None:
    """The new row's id, or None if this event was taken before."""
    return _insert(db, lane, key, payload, now, "done", None, address_id)


def park(
    db: Connection,
    lane: str,
    key: str,
    payload: str,
    now: datetime,
    reason: str,
    address_id: int | None = None,
) -> int | None:
    """Keep what could not be used, sealed, for a developer to look at."""
    return _insert(db, lane, key, payload, now, "parked", reason, address_id)


def _insert(
    db: Connection,
    lane: str,
    key: str,
    payload: str,
    now: datetime,
    state: str,
    reason: str | None,
    address_id: int | None,
) -> int | None:
    row = {
        "key": seals.lookup("inbox.key", lane, key),
        "lane": lane,
        "address_id": address_id,
        "state": state,
        "reason": reason,
        "payload": payload,
        "received_at": now,
    }
    return db.execute(_ADD[db.dialect.name], row).scalar()
