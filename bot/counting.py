"""Counting without shaming: what a group reflected on and told in a month; nobody is named.

Nothing is said of fewer than five people, whatever they did, and counts go up in fives: one person
more or less, from one look to the next, is not seen. Months are whole and over, so that looking
again the next day tells nothing new.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.messages import Month, Text, _
from bot.store import communities, figures, stories
from bot.store.communities import Community
from bot.store.consents import COMMUNITY, PROGRAMME, PUBLIC
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
    return [
        _said(middle, last),
        *_themes(last),
        *_told(db, community.id, middle, end),
        _said(begin, before),
        *_told(db, community.id, begin, middle),
    ]


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


def _told(db: Connection, community_id: int, since: datetime, until: datetime) -> list[Text]:
    """Stories of change; what else they may be used for only where that is not of a few."""
    told, wider, widest = (
        stories.count_stories(db, community_id, use, since, until)
        for use in (COMMUNITY, PROGRAMME, PUBLIC)
    )
    month = Month(since + timedelta(days=1))
    said = [
        _("Stories of change in {month}: {told}.", month=month, told=about(told.told, told.people))
    ]
    if told.people >= FEW:
        said.append(
            _(
                "The whole programme may read: {programme}. Everybody: {public}.",
                programme=about(wider.told, wider.people),
                public=about(widest.told, widest.people),
            )
        )
    return said


def about(count: int, people: int) -> Text:
    """Down to the next five; too few people are not told apart."""
    if people < FEW:
        return _("from fewer than {few} people", few=FEW)
    return _("{count} or more", count=count - count % FEW)
