"""Digests: once a day or once a week what was gathered comes in one message."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import digests
from bot.scheduler import Progress, job


@job(every=timedelta(minutes=1))
def say(db: Connection, now: datetime) -> Progress:
    """Those whose moment has come, batch by batch; what a crash leaves is found again."""
    count = digests.make_due(db, now)
    return Progress({"looked_at": count}, then=say.work if count == digests.BATCH else None)
