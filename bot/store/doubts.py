"""Doubts: whether an address is still in the hands of the one we know."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from bot.models.people import addresses


def mark(db: Connection, address_id: int, now: datetime) -> None:
    """Perhaps somebody else has it: nothing is shown before she has said who she is."""
    _set(db, address_id, doubted_at=now, wrong_codes=0, wrong_codes_since=None)


def mark_wrong(db: Connection, address_id: int, tries: int) -> None:
    _set(db, address_id, wrong_codes=tries)


def end(db: Connection, address_id: int) -> None:
    """It is she."""
    _set(db, address_id, doubted_at=None, wrong_codes=0)


def unlock(db: Connection, address_id: int, until: datetime | None) -> None:
    """Her secret word was given there: for a while it is not asked again."""
    _set(db, address_id, unlocked_until=until)


def _set(db: Connection, address_id: int, **values: object) -> None:
    db.execute(update(addresses).where(addresses.c.id == address_id).values(**values))
