"""Due moments that somebody took."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.db import insert_new
from bot.models.outbox import occurrences


def take(db: Connection, key: str, now: datetime) -> bool:
    """False if this moment was taken before."""
    new = insert_new(db, occurrences).values(key=key, taken_at=now)
    return db.execute(new.on_conflict_do_nothing()).rowcount == 1
