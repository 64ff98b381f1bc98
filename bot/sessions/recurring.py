"""Sessions that come again and again: each is followed by one, at the same hour of the clock there.

The next one is made when the one before it is over, or was cancelled alone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.sessions import calling
from bot.store import communities, recurring, sessions
from bot.store.sessions import Session
from bot.timing import moment_of, today, zone

WEEK = 7  # days
# What the next one has from the one before it.
_STAYS = (
    "kind", "scope", "title", "host_id", "note_taker_id", "minutes", "timezone", "place", "seats",
    "seats_each", "organisation", "packing", "languages", "reminders", "every",
)  # fmt: skip


def follow(db: Connection, now: datetime, session: Session) -> None:
    """The next one of its row, once, and those who may come hear of it."""
    if session.every is None or not recurring.goes_on(db, session.id):
        return
    id_ = sessions.add(
        db,
        now,
        community_id=session.community_id,
        for_communities=_others(db, session),
        starts_at=next_start(session, now),
        follows_id=session.id,
        **{name: getattr(session, name) for name in _STAYS},
    )
    if session.scope == "invited":
        recurring.ask_again(db, session.id, id_, now)
    calling.call(db, now, id_)


def _others(db: Connection, session: Session) -> list[int]:
    """Nothing goes out of a group that is discreet now, or into one."""
    if communities.get(db, session.community_id).discreet:
        return []
    found = sessions.list_communities(db, session.id)
    return [each for each in found if not communities.get(db, each).discreet]


def next_start(session: Session, now: datetime) -> datetime:
    """Counted from when it was to begin by its row, however it was moved; none that has passed."""
    first, where = session.moved_from or session.starts_at, zone(session.timezone)
    local = first.astimezone(where)
    minutes = local.hour * 60 + local.minute
    day = today(first, where)
    after = max(now, session.starts_at, first)
    while (at := moment_of(day, minutes, where)) <= after:
        day += WEEK * max(session.every or 1, 1)
    return at
