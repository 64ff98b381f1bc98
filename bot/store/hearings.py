"""Hearings: up to when everything that came in at a provider is known to have come to us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select

from bot import seals
from bot.db import insert_new
from bot.models.outbox import lanes
from bot.models.talks import inbox

CHUNK = 500  # keys asked for at once


def find(db: Connection, lane: str) -> datetime | None:
    found: datetime | None = db.execute(
        select(lanes.c.heard_at).where(lanes.c.name == lane)
    ).scalar()
    return found


def mark(db: Connection, lane: str, at: datetime) -> None:
    """Never backwards: somebody else may have listened further."""
    new = insert_new(db, lanes).values(name=lane, fence=0, heard_at=at)
    further = or_(lanes.c.heard_at.is_(None), lanes.c.heard_at < at)
    same = new.on_conflict_do_update(index_elements=["name"], set_={"heard_at": at}, where=further)
    db.execute(same)


def list_missed(db: Connection, lane: str, keys: Sequence[str]) -> set[str]:
    """Those of a provider's events that never came to us."""
    missed: set[str] = set()
    for start in range(0, len(keys), CHUNK):
        named = {
            found: key
            for key in keys[start : start + CHUNK]
            for found in seals.lookups("inbox.key", lane, key)
        }
        rows = db.execute(select(inbox.c.key).where(inbox.c.key.in_(named))).scalars()
        known = {named[bytes(each)] for each in rows}
        missed |= set(named.values()) - known
    return missed
