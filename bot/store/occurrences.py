"""Due moments that somebody took."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from bot.db import insert_new
from bot.models.outbox import occurrences


def take(db: Connection, key: str, now: datetime, *, skipped: str | None = None) -> bool:
    """False if this moment was taken before; `skipped`: why nothing is done at it."""
    new = insert_new(db, occurrences).values(key=key, taken_at=now, skipped=skipped)
    return db.execute(new.on_conflict_do_nothing()).rowcount == 1


def list_taken(db: Connection, keys: Collection[str]) -> set[str]:
    """Those of these moments that were taken."""
    statement = select(occurrences.c.key).where(occurrences.c.key.in_(sorted(keys)))
    return set(db.execute(statement).scalars())
