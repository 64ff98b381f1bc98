"""Envelopes: words and acts that are held for a short random time, so that the moment names nobody.

Each row is sealed whole; its number is random and tells no order.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bot.models.safeguards import envelopes

Held = tuple[str, datetime, dict[str, Any]]  # id, due, content


def add(db: Connection, content: dict[str, Any], due_at: datetime) -> None:
    """Hold this until then; content is JSON, its "kind" says who opens it."""
    row = {"id": secrets.token_urlsafe(12), "due_at": due_at, "content": content}
    db.execute(insert(envelopes), row)


def list_due(db: Connection, now: datetime, most: int) -> list[Held]:
    due = select(envelopes.c.id, envelopes.c.due_at, envelopes.c.content)
    due = due.where(envelopes.c.due_at <= now).order_by(envelopes.c.due_at, envelopes.c.id)
    return [(row.id, row.due_at, row.content) for row in db.execute(due.limit(most))]


def list_of(db: Connection, member_id: int) -> list[Held]:
    """Hers, in the order they come out; all are opened: nothing else joins them to her."""
    every = select(envelopes.c.id, envelopes.c.due_at, envelopes.c.content)
    found = db.execute(every.order_by(envelopes.c.due_at))
    return [
        (row.id, row.due_at, row.content) for row in found if row.content.get("member") == member_id
    ]


def change(db: Connection, id_: str, content: dict[str, Any]) -> None:
    db.execute(update(envelopes).where(envelopes.c.id == id_).values(content=content))


def postpone(db: Connection, id_: str, due_at: datetime) -> None:
    """It could not be opened; it is tried again then."""
    again = {"due_at": due_at, "attempts": envelopes.c.attempts + 1}
    db.execute(update(envelopes).where(envelopes.c.id == id_).values(again))


def remove(db: Connection, id_: str) -> bool:
    """False if it is gone already."""
    return db.execute(delete(envelopes).where(envelopes.c.id == id_)).rowcount == 1
