"""The window: after her last word a provider lets us write freely for a while, and then no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.deliveries import Due
from bot.store.fates import Fate


def is_open(last_inbound_at: datetime | None, window: timedelta | None, now: datetime) -> bool:
    if window is None:
        return True
    return last_inbound_at is not None and last_inbound_at >= now - window


def verdict(due: Due, window: timedelta | None, now: datetime) -> Fate | None:
    """What may not be said freely now is held until she writes."""
    open_ = is_open(due.last_inbound_at, window, now)
    return None if open_ else Fate(due.id, "held", "window")
