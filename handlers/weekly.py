"""Weekly: tips, questions and what peers said come when their moment has come."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import ahead, rhythm
from bot.scheduler import Counts, Progress, job


@job(every=timedelta(minutes=1))
def say(db: Connection, now: datetime) -> Progress:
    """Edition by edition; what a crash leaves is found again."""
    return rhythm.go_on(db, now)


@job(every=timedelta(hours=1))
def look_ahead(db: Connection, now: datetime) -> Counts:
    """No schedule stands still without anybody having stopped it."""
    return {"repaired": ahead.repair(db, now)}
