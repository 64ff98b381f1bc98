"""The machine's own jobs: forget what nobody needs any more, count what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import metrics
from bot.scheduler import job
from bot.store import conversations, deliveries, occurrences


@job(every=timedelta(hours=1))
def forget(db: Connection, now: datetime) -> dict[str, int]:
    """Talks that were never finished (their sealed words with them), and old due moments."""
    return {
        "talks": conversations.forget_expired(db, now),
        "occurrences": occurrences.forget_before(db, now - timedelta(days=60)),
    }


@job(every=timedelta(seconds=15))
def count(db: Connection, now: datetime) -> dict[str, int]:
    """What waits, lane by lane, for /metrics."""
    metrics.WAITING.clear()  # a lane that is empty now has no row to say so
    for lane, waiting in deliveries.count_waiting(db).items():
        metrics.WAITING.labels(lane).set(waiting)
    return {}
