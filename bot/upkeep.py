"""The machine's own jobs: forget what nobody needs any more, count what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import metrics
from bot.scheduler import job
from bot.store import conversations, deliveries, keyed, occurrences, secrets

BATCH = 500  # rows that a job writes at once, so that nobody waits long for the writer


@job(every=timedelta(hours=1))
def forget(db: Connection, now: datetime) -> dict[str, int]:
    """Talks that were never finished (their sealed words with them), and old due moments."""
    return {
        "talks": conversations.forget_expired(db, now),
        "occurrences": occurrences.forget_before(db, now - timedelta(days=60)),
    }


@job(every=timedelta(minutes=5))
def forget_old_lookups(db: Connection, now: datetime) -> dict[str, int]:
    """Some days after a rotation nothing is found by the older lookup key: it goes, bit by bit."""
    rotating = secrets.get_rotating(db)
    switched_at = rotating.switched_at
    if not rotating.old or not rotating.renewed or switched_at is None:
        return {}
    if now < switched_at + keyed.EDITED or keyed.count_unnamed(db):
        return {}
    dropped = keyed.drop_bubble_keys(db, switched_at, BATCH)
    if dropped == 0:
        secrets.forget_old(db)
    return {"bubbles": dropped}


@job(every=timedelta(seconds=15))
def count(db: Connection, now: datetime) -> dict[str, int]:
    """What waits, lane by lane, for /metrics."""
    metrics.WAITING.clear()  # a lane that is empty now has no row to say so
    for lane, waiting in deliveries.count_waiting(db).items():
        metrics.WAITING.labels(lane).set(waiting)
    return {}
