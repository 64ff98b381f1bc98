"""What is gathered for a day or a week, instead of being said one by one."""

from __future__ import annotations

from datetime import datetime

from bot.store.deliveries import Due
from bot.store.fates import Fate
from bot.timing import MONDAY, MORNING, next_at, zone


def verdict(due: Due, now: datetime) -> Fate | None:
    """It waits for her next morning, or the next Monday's, if she wants it so."""
    if not due.wide or due.pace not in ("daily", "weekly"):
        return None
    weekday = MONDAY if due.pace == "weekly" else None
    gathered = next_at(due.created_at, zone(due.timezone), MORNING, weekday)
    return Fate(due.id, "queued", "pace", gathered) if gathered > now else None
