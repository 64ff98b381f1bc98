"""How much is said unasked: what goes to a whole community may be gathered for one message.

Nothing is lost by it: what is gathered is held, and bot/digests.py looks at it when its moment has
come. What concerns her (answers where she asked or follows, what is meant for her) is never
gathered and never counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.discretion import ASKED_LASTS
from bot.models.outbox import GATHERED
from bot.store import digests
from bot.store.deliveries import Due
from bot.store.fates import Fate
from bot.timing import MONDAY, MORNING, MOST_UNASKED, hours_of, next_at, quiet_until, week_of, zone

LOOKED_AT = timedelta(days=1)  # what is put off is looked at again, whatever it waits for


def is_unasked(due: Due) -> bool:
    """Whether it goes to a whole community, and not to her because of what she does there."""
    return due.wide and due.kind in MOST_UNASKED and due.community_id is not None


def counts(due: Due, now: datetime) -> bool:
    """Whether it is one of those of which there is a most in a week; what she opened is not."""
    asked = due.asked_at is not None and due.asked_at >= now - ASKED_LASTS
    # Counted; they come whatever came before: what is said every week, and her own words of old.
    alone = due.kind == "thread" and due.community_id is None
    hers = due.wide and (due.kind == "rhythm" or alone)
    return (is_unasked(due) or hers) and not asked and not due.parts


def verdict(due: Due, said: int, now: datetime) -> Fate | None:
    """When it is looked at again, if it may not be said now; `said`: to her, in this round."""
    where = zone(due.timezone)
    if due.pace in ("daily", "weekly"):
        return Fate(due.id, "held", "gathered", moment(due.pace, now, due.timezone))
    if due.paused_until is not None and due.paused_until > now:
        return Fate(due.id, "held", "rest", min(due.paused_until, now + LOOKED_AT))
    hours = hours_of(due.quiet_from, due.quiet_until, due.timezone)
    until = quiet_until(now, where, hours)
    if until is not None:
        return Fate(due.id, "held", "night", until)
    before = due.unasked if due.week == week_of(now, due.timezone) else 0
    if before + said >= MOST_UNASKED[due.kind] and not due.parts:
        return Fate(due.id, "held", "cap", next_at(now, where, MORNING))
    return None


def moment(pace: str, now: datetime, timezone: str | None) -> datetime:
    """When what is gathered at this pace is said."""
    return next_at(now, zone(timezone), MORNING, MONDAY if pace == "weekly" else None)


def arm(db: Connection, due: Sequence[Due], refused: Sequence[Fate]) -> None:
    """Those who wait for it are looked at when their moment comes."""
    gathered = {fate.delivery_id: fate.due_at for fate in refused if fate.reason in GATHERED}
    if not gathered:
        return
    wanted: dict[tuple[datetime, int], set[int]] = defaultdict(set)
    for each in due:
        at = gathered.get(each.id)
        if at is not None and each.community_id is not None and is_unasked(each):
            wanted[at, each.community_id].add(each.member_id)
    for (at, community_id), member_ids in wanted.items():
        digests.arm(db, community_id, sorted(member_ids), at)


def count(db: Connection, said: Sequence[Due], now: datetime) -> None:
    """What is said unasked from here on is counted, whatever becomes of it."""
    found: dict[int, int] = defaultdict(int)
    weeks: dict[int, int] = {}
    for each in said:
        if counts(each, now):
            found[each.member_id] += 1
            weeks[each.member_id] = week_of(now, each.timezone)
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for member_id, number in found.items():
        alike[weeks[member_id], number].append(member_id)
    for (week, number), member_ids in alike.items():
        digests.count_unasked(db, week, number, sorted(member_ids))
