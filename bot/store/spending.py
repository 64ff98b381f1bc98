"""Spending: how much was handed to each provider in a month, and what the programmes want to spend.

Counted bit by bit into a row a month: bubbles go with those who are forgotten, the sum stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from bot.db import insert_new
from bot.models.outbox import deliveries, dispatches
from bot.models.people import programmes
from bot.models.safeguards import spendings

SETTLES = timedelta(minutes=2)  # what was handed over just now may still come back
STEP = timedelta(hours=6)  # counted in one transaction

_NOT_SPENT = ("sending", "failed")


def get_budget(db: Connection) -> int | None:
    """US dollars a month: what all programmes give together, since they share their senders."""
    return db.execute(select(func.sum(programmes.c.budget))).scalar()


def count_spent(db: Connection, prices: Mapping[str, float], now: datetime) -> float:
    """US dollars of this month, about, as far as it was counted."""
    rows = db.execute(
        select(spendings.c.lane, spendings.c.bubbles).where(spendings.c.month == month_of(now))
    )
    return float(sum(prices.get(row.lane, 0.0) * row.bubbles for row in rows))


def month_of(now: datetime) -> int:
    return now.year * 100 + now.month


def count_more(db: Connection, lane: str, now: datetime) -> bool:
    """Take in what was handed over since the last look; whether there is more to count."""
    begins = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last_month = month_of(begins - timedelta(days=1))
    more = _count(db, lane, last_month, begins)
    new = {"lane": lane, "month": month_of(now), "bubbles": 0, "counted_until": begins}
    db.execute(insert_new(db, spendings).values(new).on_conflict_do_nothing())
    return _count(db, lane, month_of(now), now - SETTLES) or more


def _count(db: Connection, lane: str, month: int, end: datetime) -> bool:
    mine = (spendings.c.lane == lane, spendings.c.month == month)
    since: datetime | None = db.execute(select(spendings.c.counted_until).where(*mine)).scalar()
    if since is None or since >= end:
        return False
    until = min(since + STEP, end)
    handed = (
        select(func.count())
        .select_from(dispatches)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .where(
            dispatches.c.handed_at >= since,
            dispatches.c.handed_at < until,
            dispatches.c.state.not_in(_NOT_SPENT),
            deliveries.c.lane == lane,
        )
    )
    count = db.execute(handed).scalar_one()
    # Another worker that was first has moved the moment.
    db.execute(
        update(spendings)
        .where(*mine, spendings.c.counted_until == since)
        .values(bubbles=spendings.c.bubbles + count, counted_until=until)
    )
    return until < end
