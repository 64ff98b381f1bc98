"""The inbox: one row per event at a provider, the proof that it was taken, and taken once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from bot import seals
from bot.db import insert_once
from bot.models.talks import inbox

_ADD = insert_once(lambda insert: insert(inbox).on_conflict_do_nothing().returning(inbox.c.id))


def add(
    db: Connection, lane: str, key: str, payload: str, now: datetime, address_id: int
) -> int | None:
    """The new row's id, or None if this event was taken before."""
    return _insert(db, lane, key, payload, now, "done", None, address_id)


def list_payloads(db: Connection, ids: Sequence[int]) -> list[str]:
    """What came in these events, in order, as far as it is kept."""
    statement = select(inbox.c.payload).where(inbox.c.id.in_(ids), inbox.c.payload.is_not(None))
    return list(db.execute(statement.order_by(inbox.c.id)).scalars())


def list_bubbles(db: Connection, id_: int) -> list[str]:
    """The provider's id of the bubble that came in an event; empty if it had none."""
    found = [json.loads(payload)["id"] for payload in list_payloads(db, [id_])]
    return [each for each in found if each]


def set_aside(db: Connection, id_: int, reason: str) -> None:
    """It is kept like what could not be used."""
    db.execute(update(inbox).where(inbox.c.id == id_).values(state="parked", reason=reason))


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
