"""Where somebody is in a talk: one sealed row per address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete

from bot.db import insert_new
from bot.models import conversations


def save(db: Connection, address_id: int, state: dict[str, Any], expires_at: datetime) -> None:
    row = {"address_id": address_id, "state": state, "expires_at": expires_at}
    new = insert_new(db, conversations).values(row)
    db.execute(new.on_conflict_do_update(index_elements=["address_id"], set_=row))


def forget(db: Connection, address_id: int) -> None:
    db.execute(delete(conversations).where(conversations.c.address_id == address_id))


def forget_expired(db: Connection, now: datetime) -> int:
    """Remove what was never finished; its sealed words go with it."""
    return db.execute(delete(conversations).where(conversations.c.expires_at < now)).rowcount
