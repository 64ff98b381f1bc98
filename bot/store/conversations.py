"""Where somebody is in a talk: one sealed row per address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete

from bot.db import Insert, insert_once
from bot.models.talks import conversations


def _save(insert: Callable[[Table], Insert]) -> Insert:
    new = insert(conversations)
    kept = {"state": new.excluded.state, "expires_at": new.excluded.expires_at}
    return new.on_conflict_do_update(index_elements=["address_id"], set_=kept)


_SAVE = insert_once(_save)


def save(db: Connection, address_id: int, state: dict[str, Any], expires_at: datetime) -> None:
    row = {"address_id": address_id, "state": state, "expires_at": expires_at}
    db.execute(_SAVE[db.dialect.name], row)


def forget(db: Connection, address_id: int) -> None:
    db.execute(delete(conversations).where(conversations.c.address_id == address_id))
