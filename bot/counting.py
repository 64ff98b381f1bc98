"""Counting without shaming: what a group reflected on in a month, and nothing that names anybody.

Nothing is said of fewer than five people, whatever they did, and counts go up in fives: one person
more or less, from one look to the next, is not seen. Months are whole and over, so that looking
again the next day tells nothing new.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.messages import Month, Text, _
from bot.store import communities, figures
from bot.store.communities import Community
from bot.store.figures import Reflected
from bot.themes import THEMES
from bot.timing import zone

FEW = 5  # fewer than so many could be counted on one hand, and guessed


def months(now: datetime, timezone: str) -> tuple[datetime, datetime, datetime]:
    """When the last two whole months there began, and when the second of them ended."""
    this = now.astimezone(zone(timezone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (this - timedelta(days=1)).replace(day=1)
    return (last - timedelta(days=1)).replace(day=1), last, this


def reflected(db: Connection, community: Community, now: datetime) -> list[Text]:
    """The last month and the one before; nothing of a group that is too small for it."""
    if communities.count_active(db, community.id) < FEW:
        return []
    begin, middle, end = months(now, community.timezone)
    last = figures.count_reflected(db, community.id, middle, end)
    before = figures.count_reflected(db, community.id, begin, middle)
    return [_said(middle, last), *_themes(last), _said(begin, before)]


def _said(since: datetime, counted: Reflected) -> Text:
    return _(
        "Reflections in {month}: {said}. Voice notes: {voices}.",
        month=Month(since + timedelta(days=1)),  # whatever the clocks of the reader are
        said=about(counted.said, counted.people),
        voices=about(counted.voices, counted.speakers),
    )


def _themes(counted: Reflected) -> list[Text]:
    """In the order of the library, never by number."""
    return [
        _("{theme}: {said}", theme=label, said=about(people, people))
        for name, label in THEMES.items()
        if (people := counted.themes.get(name, 0)) >= FEW
    ]


def about(count: int, people: int) -> Text:
    """Down to the next five; too few people are not told apart."""
    if people < FEW:
        return _("from fewer than {few} people", few=FEW)
    return _("{count} or more", count=count - count % FEW)
