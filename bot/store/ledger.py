"""The ledger: who was erased, by number, so that an older backup forgets them again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, inspect, select

from bot.db import insert_new
from bot.models.safeguards import ledger


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Somebody who asked to be forgotten."""

    erased_at: datetime
    member_id: int
    posts_too: bool


_ENTRIES = select(ledger.c.erased_at, ledger.c.member_id, ledger.c.posts_too)


def list_all(db: Connection) -> list[Entry]:
    """Oldest first; none where there is no such table yet."""
    if not inspect(db).has_table(ledger.name):
        return []
    return [Entry(*row) for row in db.execute(_ENTRIES.order_by(ledger.c.erased_at))]


def merge(db: Connection, entries: Iterable[Entry]) -> None:
    """Take in what other copies of the ledger hold."""
    for each in entries:
        row = {
            "member_id": each.member_id,
            "erased_at": each.erased_at,
            "posts_too": each.posts_too,
        }
        db.execute(insert_new(db, ledger).values(row).on_conflict_do_nothing())


def forget(db: Connection, before: datetime, most: int) -> int:
    """No backup that is old enough to hold them should exist any more."""
    old = select(ledger.c.member_id).where(ledger.c.erased_at < before).limit(most)
    ids = list(db.execute(old).scalars())
    db.execute(delete(ledger).where(ledger.c.member_id.in_(ids)))
    return len(ids)
