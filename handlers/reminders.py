"""Reminders: the job that looks at sessions whose moment has come."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.scheduler import Progress, job
from bot.sessions import recurring, reminding


@job(every=timedelta(minutes=1))
def look(db: Connection, now: datetime) -> Progress:
    """One session after the other; what a crash leaves is found again."""
    return reminding.go_on(recurring.follow, db, now)
