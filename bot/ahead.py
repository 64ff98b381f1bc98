"""Ahead: what a community will hear, and how that is changed: picked, skipped, said at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice

from sqlalchemy import Connection

from bot.choosing import BY_HAND, in_order
from bot.i18n import country_of
from bot.store import communities, contents, copies, editions, readership, schedules
from bot.store.communities import Community
from bot.store.contents import Content
from bot.store.editions import Edition
from bot.store.schedules import Holiday, Schedule
from bot.timing import MONDAY, moment_of, today, zone

FIRST_ZONE = zone("Etc/GMT-14")  # where each day begins
WEEK = 7
FRIDAY = 4
# When each kind is said if nobody has said otherwise: weekday, minutes after midnight.
USUAL = {"tip": (MONDAY, 9 * 60), "prompt": (MONDAY, 9 * 60), "digest": (FRIDAY, 15 * 60)}
SETTLING = 2  # days at least before anything is said in a new community
RECENT = 8  # days for which something said may still wait for somebody
FAR = 60  # days of a schedule, looked at when many were skipped


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One day of a schedule, as it will be if nothing is changed."""

    schedule: Schedule
    day: int
    at: datetime  # in its zone, or in that of its community
    edition: Edition | None  # None = nothing was decided for this day yet
    content: Content | None
    holiday: Holiday | None


def upcoming(db: Connection, community: Community, now: datetime, weeks: int = 4) -> list[Upcoming]:
    """What a community will hear in so many weeks, in order."""
    first = today(now, zone(community.timezone))
    last = first + WEEK * weeks
    known = {
        (each.schedule_id, each.day): each
        for each in editions.list_between(db, community.id, first, last)
    }
    holidays = schedules.list_holidays(db, community.id, first, last)
    found: list[Upcoming] = []
    for schedule in schedules.list_of(db, community.id):
        country = country_of(schedule.timezone or community.timezone)
        free = [each for each in holidays if each.country == country]
        found += _upcoming(db, schedule, community, (first, last), known, free)
    return sorted(found, key=lambda each: (each.at, each.schedule.id))


def _upcoming(
    db: Connection,
    schedule: Schedule,
    community: Community,
    stretch: tuple[int, int],
    known: dict[tuple[int, int], Edition],
    free: Sequence[Holiday],
) -> Iterator[Upcoming]:
    first, last = stretch
    days = {day for day in islice(schedule.days(first), FAR) if day <= last}
    days |= {day for schedule_id, day in known if schedule_id == schedule.id}
    picked = {each.content_id for each in known.values() if each.picked and each.state == "ahead"}
    # When all were said once, it begins anew.
    rest = cycle([each for each in in_order(db, schedule) if each.id not in picked])
    for day in sorted(days):
        edition = known.get((schedule.id, day))
        holiday = next((each for each in free if each.first_on <= day <= each.last_on), None)
        content = None
        if edition is not None and edition.content_id is not None:
            content = contents.find(db, edition.content_id)
            if content is not None and content.is_retired and edition.state == "ahead":
                content = next(rest, None)
        elif holiday is None and (edition is None or edition.state == "ahead"):
            content = next(rest, None)
        at = moment_of(day, schedule.minutes, zone(schedule.timezone or community.timezone))
        yield Upcoming(schedule, day, at, edition, content, holiday)


def usual(community: Community, kind: str, now: datetime) -> Schedule:
    """From the first Monday that leaves a little time, at each reader's own hour, in series."""
    weekday, minutes = USUAL[kind]
    settled = today(now, zone(community.timezone)) + SETTLING
    monday = settled + (MONDAY - schedules.weekday_of(settled)) % WEEK
    return Schedule(community.id, kind, weekday, minutes, first_on=monday)


def save(db: Connection, schedule: Schedule, now: datetime) -> Schedule:
    """Keep a schedule, and bring what lies ahead in line.

    What was picked keeps its week; where that has no day any more, it comes on the next one.
    """
    kept = schedules.save(db, schedule, now)
    if kept.stopped:  # what was picked is there when it begins again
        return kept
    picked = editions.take_ahead(db, kept.id)
    start = _first_free(db, kept, now)
    look_ahead(db, kept, start)
    free = start
    for before, content_id in picked:
        week = before - schedules.weekday_of(before)
        for day in kept.next_days(max(free, week), 1):
            pick(db, kept, day, content_id, now)
            free = day + 1
    return kept


def _first_free(db: Connection, schedule: Schedule, now: datetime) -> int:
    """Today, if its hour there is still to come; else tomorrow."""
    where = zone(schedule.timezone or communities.get(db, schedule.community_id).timezone)
    day = today(now, where)
    return day if moment_of(day, schedule.minutes, where) > now else day + 1


def repair(db: Connection, now: datetime) -> int:
    """Schedules that go on, and of which nothing lies ahead, have a next day again."""
    found = [schedules.get(db, id_) for id_ in editions.list_ended(db)]
    return sum(look_ahead(db, each, _first_free(db, each, now)) for each in found)


def look_ahead(db: Connection, schedule: Schedule, start: int) -> bool:
    """The next edition from this day on stands in the store; False if there is no such day."""
    return any(_ensure(db, schedule, day) for day in islice(schedule.days(start), FAR))


def _ensure(db: Connection, schedule: Schedule, day: int) -> bool:
    """There is an edition on this day; False if it is over."""
    return editions.ensure(
        db,
        schedule.id,
        schedule.community_id,
        schedule.kind,
        day,
        next_at=_begins(schedule, day),
    )


def _begins(schedule: Schedule, day: int) -> datetime:
    """Its hour on a day, where that comes first."""
    where = zone(schedule.timezone) if schedule.timezone else FIRST_ZONE
    return moment_of(day, schedule.minutes, where)


def pick(
    db: Connection, schedule: Schedule, day: int, content_id: int | None, now: datetime
) -> bool:
    """What is said on a day; None: as the sequence goes. False if it was said, or skipped."""
    edition = _on(db, schedule, day)
    return edition is not None and editions.pick(db, edition.id, content_id, now)


def _on(db: Connection, schedule: Schedule, day: int) -> Edition | None:
    """Its edition on a day; None if that is no day of it (any more)."""
    if editions.find_on(db, schedule.id, day) is None:
        if schedule.next_days(day, 1) != [day]:
            return None
        _ensure(db, schedule, day)
    return editions.find_on(db, schedule.id, day)


def skip(db: Connection, schedule: Schedule, day: int, now: datetime) -> bool:
    """Nothing is said on a day; False if it was said, or is being said.

    Who is in two communities gets both in one message: when one half is out, the other one stays.
    """
    edition = _on(db, schedule, day)
    if edition is None or edition.state != "ahead":
        return False
    if any(each.state in ("going", "out") for each in editions.list_beside(db, edition)):
        return False
    if not editions.skip(db, edition.id, BY_HAND, now):
        return False
    look_ahead(db, schedule, day + 1)
    return True


def resume(db: Connection, schedule: Schedule, day: int, now: datetime) -> bool:
    """A day that was skipped by hand is said after all; False if it is over."""
    edition = editions.find_on(db, schedule.id, day)
    if edition is None or edition.state != "skipped" or edition.reason != BY_HAND:
        return False
    where = zone(communities.get(db, schedule.community_id).timezone)
    if day < today(now, where):
        return False
    begins = _begins(schedule, day)
    editions.mark(db, edition.id, now, state="ahead", reason=None, next_at=begins)
    return True


def send_now(
    db: Connection,
    schedule: Schedule,
    content_id: int | None,
    now: datetime,
    day: int | None = None,
) -> bool:
    """One more, out of turn, at once; False if something of this kind went out today.

    `day`: where it was picked; there the sequence goes on.
    """
    on = today(now, zone(communities.get(db, schedule.community_id).timezone))
    _ensure(db, schedule, on)
    edition = editions.find_on(db, schedule.id, on)
    if edition is None or edition.state not in ("ahead", "skipped"):
        return False
    editions.mark(db, edition.id, now, state="ahead", reason=BY_HAND, next_at=now)
    if content_id is not None:
        editions.pick(db, edition.id, content_id, now)
    if day is not None and day != on:
        pick(db, schedule, day, None, now)
    return True


def take_back(db: Connection, content_id: int, now: datetime) -> int:
    """What says this and has not left is kept back; how many that were."""
    kept = 0
    for edition in editions.list_of_content(db, content_id, today(now, FIRST_ZONE) - RECENT):
        schedule = schedules.get(db, edition.schedule_id)
        for message_id in readership.list_messages(db, edition.id):
            kept += copies.keep_back(db, message_id, "taken_back")
        editions.mark(db, edition.id, now, state="out", next_at=None)
        look_ahead(db, schedule, edition.day + 1)
    return kept
