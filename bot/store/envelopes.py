"""Envelopes: words and acts that are held for a short random time, so that the moment names nobody.

Each row is sealed whole; its number is random and tells no order.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, LargeBinary, delete, insert, select, type_coerce, update

from bot import seals
from bot.models.safeguards import envelopes

Held = tuple[str, datetime, dict[str, Any]]  # id, due, content


def add(db: Connection, content: dict[str, Any], due_at: datetime) -> None:
    """Hold this until then; content is JSON, its "kind" says who opens it."""
    row = {"id": secrets.token_urlsafe(12), "due_at": due_at, "content": content}
    db.execute(insert(envelopes), row)


def list_due(db: Connection, now: datetime, most: int) -> list[Held]:
    """What is to be opened now; a damaged one waits for an operator and holds up nobody."""
    due = _STORED.where(envelopes.c.due_at <= now).order_by(envelopes.c.due_at, envelopes.c.id)
    rows = db.execute(due.limit(most)).all()
    found = [each for row in rows if (each := _open(row)) is not None]
    for row in rows[: 0 if len(found) == len(rows) else None]:
        if row.id not in {id_ for id_, _due, _content in found}:
            postpone(db, row.id, now + timedelta(days=1))
    return found


def list_of(db: Connection, member_id: int) -> list[Held]:
    """Hers, in the order they come out; all are opened: nothing else joins them to her."""
    rows = db.execute(_STORED.order_by(envelopes.c.due_at)).all()
    found = [each for row in rows if (each := _open(row)) is not None]
    return [each for each in found if each[2].get("member") == member_id]


def list_contents(db: Connection) -> list[dict[str, Any]]:
    """Of all that can be read."""
    found = (_open(row) for row in db.execute(_STORED).all())
    return [each[2] for each in found if each is not None]


_STORED = select(
    envelopes.c.id,
    envelopes.c.due_at,
    type_coerce(envelopes.c.content, LargeBinary).label("sealed"),
)


def _open(row: Any) -> Held | None:
    """None if it cannot be read."""
    try:
        content = json.loads(seals.keyring().open(row.sealed, "envelopes.content"))
    except (seals.SealError, ValueError):
        return None
    return row.id, row.due_at, content


def change(db: Connection, id_: str, content: dict[str, Any]) -> None:
    db.execute(update(envelopes).where(envelopes.c.id == id_).values(content=content))


def postpone(db: Connection, id_: str, due_at: datetime) -> None:
    """It could not be opened; it is tried again then."""
    again = {"due_at": due_at, "attempts": envelopes.c.attempts + 1}
    db.execute(update(envelopes).where(envelopes.c.id == id_).values(again))


def remove(db: Connection, id_: str) -> bool:
    """False if it is gone already."""
    return db.execute(delete(envelopes).where(envelopes.c.id == id_)).rowcount == 1
