"""Schedules: what a community hears again and again, on which days, and when it rests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, select, update

from bot.db import insert_new
from bot.models.people import communities
from bot.models.rhythm import editions, holidays, schedules

KINDS = ("tip", "prompt", "digest")
SEQUENCES = ("series", "shuffled", "picked")
_WEEK = 7
_MONDAY = 3  # of days since 1970-01-01, a Thursday: (day + 3) % 7 is the weekday


@dataclass(frozen=True, slots=True)
class Schedule:
    """When one kind of thing is said in a community."""

    community_id: int
    kind: str  # one of KINDS
    weekday: int  # Monday is 0
    minutes: int  # after midnight ...
    first_on: int  # days since 1970; weeks are counted from it
    timezone: str | None = None  # ... there; None = where each reader is
    every: int = 1  # weeks
    until_on: int | None = None  # the last day
    rests_until: int | None = None  # nothing before this day
    sequence: str = "series"  # one of SEQUENCES
    stopped: bool = False
    id: int = 0  # 0 = not kept yet

    def days(self, start: int) -> Iterator[int]:
        """Its days from this one on, in order; endless, unless it has a last day."""
        if self.stopped:
            return
        begin = max(start, self.first_on, self.rests_until or start)
        day = begin + (self.weekday - weekday_of(begin)) % _WEEK
        first_week = self.first_on - weekday_of(self.first_on)
        while self.until_on is None or day <= self.until_on:
            weeks = (day - self.weekday - first_week) // _WEEK
            if weeks % self.every == 0:
                yield day
            day += _WEEK

    def next_days(self, start: int, count: int) -> list[int]:
        return list(islice(self.days(start), count))


def weekday_of(day: int) -> int:
    """Monday is 0."""
    return (day + _MONDAY) % _WEEK


_COLUMNS = (
    schedules.c.community_id,
    schedules.c.kind,
    schedules.c.weekday,
    schedules.c.minutes,
    schedules.c.first_on,
    schedules.c.timezone,
    schedules.c.every,
    schedules.c.until_on,
    schedules.c.rests_until,
    schedules.c.sequence,
    schedules.c.stopped,
    schedules.c.id,
)


def get(db: Connection, schedule_id: int) -> Schedule:
    return Schedule(*db.execute(select(*_COLUMNS).where(schedules.c.id == schedule_id)).one())


def find(db: Connection, community_id: int, kind: str) -> Schedule | None:
    its = (schedules.c.community_id == community_id, schedules.c.kind == kind)
    row = db.execute(select(*_COLUMNS).where(*its)).first()
    return None if row is None else Schedule(*row)


def list_of(db: Connection, community_id: int) -> list[Schedule]:
    statement = select(*_COLUMNS).where(schedules.c.community_id == community_id)
    return [Schedule(*row) for row in db.execute(statement.order_by(schedules.c.id))]


def save(db: Connection, schedule: Schedule, now: datetime) -> Schedule:
    """Keep it, in place of what there was for this kind in its community; with its id.

    bot/ahead.py's `save` also brings its editions in line.
    """
    row: dict[str, Any] = asdict(schedule) | {"changed_at": now}
    row.pop("id")
    new = insert_new(db, schedules).values(row)
    new = new.on_conflict_do_update(index_elements=["community_id", "kind"], set_=row)
    return replace(schedule, id=db.execute(new.returning(schedules.c.id)).scalar_one())


def find_file_hash(db: Connection, schedule_id: int) -> str | None:
    """Of what the programme file last said of it."""
    its = schedules.c.id == schedule_id
    found: str | None = db.execute(select(schedules.c.file_hash).where(its)).scalar()
    return found


def mark_file_hash(db: Connection, schedule_id: int, file_hash: str | None) -> None:
    its = schedules.c.id == schedule_id
    db.execute(update(schedules).where(its).values(file_hash=file_hash))


def remove(db: Connection, schedule_id: int) -> None:
    """With all its editions."""
    db.execute(delete(editions).where(editions.c.schedule_id == schedule_id))
    db.execute(delete(schedules).where(schedules.c.id == schedule_id))


# Holidays ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days on which nothing is said unasked."""

    country: str  # ISO, two letters
    first_on: int
    last_on: int
    names: dict[str, str]  # by language


def list_holidays(db: Connection, community_id: int, first: int, last: int) -> list[Holiday]:
    """Those of its programme, in any country, that touch these days."""
    programme = select(communities.c.programme_id).where(communities.c.id == community_id)
    statement = select(
        holidays.c.country, holidays.c.first_on, holidays.c.last_on, holidays.c.names
    ).where(
        holidays.c.programme_id == programme.scalar_subquery(),
        holidays.c.first_on <= last,
        holidays.c.last_on >= first,
    )
    return [Holiday(*row) for row in db.execute(statement.order_by(holidays.c.first_on))]


def save_holidays(db: Connection, programme_id: int, found: list[Holiday]) -> None:
    """These, and no others."""
    columns = (holidays.c.country, holidays.c.first_on, holidays.c.last_on, holidays.c.names)
    theirs = select(*columns).where(holidays.c.programme_id == programme_id)
    if [Holiday(*row) for row in db.execute(theirs.order_by(holidays.c.id))] == found:
        return
    db.execute(delete(holidays).where(holidays.c.programme_id == programme_id))
    if found:
        rows = [asdict(each) | {"programme_id": programme_id} for each in found]
        db.execute(insert_new(db, holidays), rows)
