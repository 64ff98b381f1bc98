"""Tallies: how often somebody did something in a time; the key tells neither who nor what."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, literal, select

from bot import seals
from bot.columns import Moment
from bot.db import insert_new
from bot.models.safeguards import tallies


def take(
    db: Connection, name: str, who: int | str, most: int, per: timedelta, now: datetime
) -> bool:
    """Count once more; False if that was too often. The time begins with the first of them.

    One statement, so that any number of processes count together.
    """
    row = {"key": _key(name, who), "count": 1, "expires_at": now + per}
    new = insert_new(db, tallies).values(row)
    over = tallies.c.expires_at <= now
    grown = new.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((over, 1), else_=tallies.c.count + 1),
            "expires_at": case((over, literal(now + per, Moment)), else_=tallies.c.expires_at),
        },
    )
    count: int = db.execute(grown.returning(tallies.c.count)).scalar_one()
    return count <= most


def is_over(db: Connection, name: str, who: int | str, most: int, now: datetime) -> bool:
    """Whether the next one would be too often; counts nothing."""
    wanted = (tallies.c.key == _key(name, who), tallies.c.expires_at > now)
    count = db.execute(select(tallies.c.count).where(*wanted)).scalar()
    return count is not None and count >= most


def forget(db: Connection, name: str, who: int | str) -> None:
    """Begin anew: she did it right."""
    db.execute(delete(tallies).where(tallies.c.key == _key(name, who)))


def _key(name: str, who: int | str) -> bytes:
    return seals.lookup("tallies.key", name, str(who))
