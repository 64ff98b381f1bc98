"""Choosing: what an edition says, and what is against saying anything on its day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.i18n import country_of, languages
from bot.store import communities, contents, editions, leaves, responses, schedules
from bot.store.contents import HOLD, Content
from bot.store.editions import Edition
from bot.store.schedules import Schedule

BY_HAND = "by_hand"  # a facilitator wanted it so: skipped, or said at once


def prepare(db: Connection, edition: Edition, schedule: Schedule, now: datetime) -> bool:
    """Whether it is said, with its content chosen; if not, it is skipped with the reason."""
    if edition.state != "ahead":
        return True
    reason = _objection(db, edition, schedule)
    if reason is None and edition.kind == "digest":
        said = responses.gather(db, edition.id, edition.community_id)
        hung = leaves.gather(db, edition.id, edition.community_id)
        reason = None if said or hung else "nothing"
    elif reason is None:
        content = choose(db, edition, schedule)
        if content is None:
            reason = "nothing"
        elif edition.content_id != content.id:
            editions.mark(db, edition.id, now, content_id=content.id)
    if reason is not None:
        editions.skip(db, edition.id, reason, now)
    return reason is None


def _objection(db: Connection, edition: Edition, schedule: Schedule) -> str | None:
    """What is against saying anything on this day."""
    if communities.has_ended(db, edition.community_id):
        return "ended"
    if schedule.stopped:
        return "stopped"
    if edition.reason == BY_HAND:
        return None
    community = communities.get(db, edition.community_id)
    found = schedules.list_holidays(db, community.id, edition.day, edition.day)
    here = country_of(schedule.timezone or community.timezone)
    return "holiday" if any(each.country == here for each in found) else None


def choose(db: Connection, edition: Edition, schedule: Schedule) -> Content | None:
    """What was picked; else what was said there least often, in the order of its sequence."""
    picked = contents.find(db, edition.content_id) if edition.content_id is not None else None
    if picked is not None and not picked.is_retired:
        return picked
    found = in_order(db, schedule)
    return found[0] if found else None


def in_order(db: Connection, schedule: Schedule) -> list[Content]:
    """What comes next in a community, and then, and then; empty where a facilitator picks."""
    if schedule.sequence == "picked":
        return []
    found = contents.list_for(db, schedule.community_id, schedule.kind)
    said = editions.count_said(db, schedule.community_id, schedule.kind)
    if schedule.sequence == "series":
        return sorted(found, key=lambda each: said.get(each.id, 0))
    liked = editions.count_liked(db, [each.id for each in found])
    return sorted(
        found,
        key=lambda each: (
            said.get(each.id, 0),
            -liked.get(each.id, 0),
            _shuffle(schedule.id, said.get(each.id, 0), each.id),
        ),
    )


def _shuffle(*numbers: int) -> bytes:
    """An order that is another one for each community and each round, and stays."""
    return hashlib.sha256(repr(numbers).encode()).digest()


def held_back(db: Connection, found: Sequence[Edition]) -> list[tuple[int, str]]:
    """(edition, language) of what is rather not said than in another language."""
    held = []
    for each in found:
        content = contents.find(db, each.content_id) if each.content_id else None
        if content is not None:
            held += [(each.id, code) for code in lacking(db, content)]
    return held


def lacking(db: Connection, content: Content) -> list[str]:
    """The languages whose readers rather get nothing of it."""
    if content.fallback != HOLD:
        return []
    there = contents.list_wordings(db, [content.id])[content.id]
    return [code for code in languages() if code not in there]
