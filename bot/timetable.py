"""Timetable: what a programme file says of the weekly rhythm, and of holidays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy import Connection

from bot import ahead, clock
from bot.i18n import country_name, languages, tidy_name
from bot.store import communities, schedules
from bot.store.schedules import KINDS, Holiday, Schedule
from bot.timing import day_of

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_EVERY = 8  # weeks
LONGEST_HOLIDAY = timedelta(days=31)  # more is a year that was mistyped
WEEK = 7
NO_COUNTRIES = ("EU", "EZ", "QO", "UN", "XA", "XB", "ZZ")  # that have a code all the same


def known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value} is no time zone; write it like Asia/Vientiane")
    return value


def all_languages(value: dict[str, str]) -> dict[str, str]:
    unknown = next((code for code in value if code not in languages()), None)
    if unknown is not None:
        raise ValueError(f"{unknown} is no language here; use one of {', '.join(languages())}")
    tidied = {code: tidy_name(name, 120) for code, name in value.items()}
    missing = [code for code in languages() if not tidied.get(code)]
    if missing:
        raise ValueError(f"a name in {', '.join(missing)} is missing")
    return tidied


def _weekday(value: object) -> object:
    name = value.casefold() if isinstance(value, str) else value
    if name not in WEEKDAYS:
        raise ValueError("write a weekday in English, like monday")
    return WEEKDAYS.index(name)


def _minutes(value: object) -> object:
    """9:00 without quotes is 540 to YAML, which is right; 9 alone is nine minutes, which is not."""
    if type(value) is int and value < 60:
        value = None
    hour, colon, minute = value.partition(":") if isinstance(value, str) else ("", "", "")
    if colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and int(minute) < 60:
        value = int(hour) * 60 + int(minute)
    if type(value) is not int or not 0 <= value < 24 * 60:
        raise ValueError('write a time of the day from 00:00 to 23:59, like "09:00"')
    return value


def _every(value: object) -> object:
    if type(value) is not int or not 1 <= value <= LONGEST_EVERY:
        raise ValueError(f"use a whole number of weeks from 1 to {LONGEST_EVERY}")
    return value


def _day(value: object) -> object:
    if type(value) is not date or not 2020 <= value.year <= 2100:
        raise ValueError("write a day like 2027-04-14")
    return value


def _known_country(value: str) -> str:
    if country_name(value, "en") == value or value in NO_COUNTRIES:
        raise ValueError(f"{value} is no country; write it like LA or KH")
    return value


Names = Annotated[dict[str, str], AfterValidator(all_languages)]
Day = Annotated[date, BeforeValidator(_day)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SchedulePart(_Part):
    """When one kind of thing is said; what is left out is as usual."""

    weekday: Annotated[int | None, BeforeValidator(_weekday)] = None
    time: Annotated[int | None, BeforeValidator(_minutes)] = None
    # each reader's own, if it is left out
    timezone: Annotated[str | None, AfterValidator(known_zone)] = None
    every: Annotated[int, BeforeValidator(_every)] = 1  # weeks
    first: Day | None = Field(None, alias="from")
    until: Day | None = None
    order: Literal["series", "shuffled", "picked"] | None = None
    stopped: bool = False

    @model_validator(mode="after")
    def _ever_comes(self) -> SchedulePart:
        if self.until is None:
            return self
        if self.first is None:
            # A season that ended lately must not hold up the rest of the file.
            if self.until < clock.now().date() - timedelta(days=365):
                raise ValueError("until is over, so it never comes: change it, or leave it out")
            return self
        if self.until < self.first:
            raise ValueError("until is before from: change one of them")
        days = (self.first + timedelta(days=each) for each in range(WEEK))
        first = next(each for each in days if self.weekday in (None, each.weekday()))
        if first > self.until:
            raise ValueError("no such weekday lies from the first day until the last: change one")
        return self


def _not_at_all(value: object) -> object:
    return {"stopped": True} if value is False else value


Scheduled = Annotated[SchedulePart | None, BeforeValidator(_not_at_all)]


class RhythmPart(_Part):
    """Of one community; `false` in place of one of them: it is not said at all."""

    tip: Scheduled = None
    prompt: Scheduled = None
    digest: Scheduled = None  # what peers said

    @model_validator(mode="after")
    def _no_order(self) -> RhythmPart:
        if self.digest and self.digest.order is not None:
            raise ValueError("what peers said has no order: leave it out of digest")
        return self


class HolidayPart(_Part):
    """Days on which nothing is said unasked, and on which follow-ups wait."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$"), AfterValidator(_known_country)]
    names: Names
    first: Day = Field(alias="from")
    until: Day | None = None  # the last day; one day, if it is left out

    @model_validator(mode="after")
    def _makes_sense(self) -> HolidayPart:
        last = self.until or self.first
        if last < self.first:
            raise ValueError("until is before from: change one of them")
        if last - self.first >= LONGEST_HOLIDAY:
            raise ValueError("it is longer than a month: check the days, or write it as two")
        return self


def save_holidays(db: Connection, programme_id: int, parts: Sequence[HolidayPart]) -> None:
    """Those of the file, and no others."""
    wanted = [
        Holiday(each.country, day_of(each.first), day_of(each.until or each.first), each.names)
        for each in parts
    ]
    schedules.save_holidays(db, programme_id, wanted)


def save_rhythm(db: Connection, community_id: int, rhythm: RhythmPart, now: datetime) -> None:
    """What the file says anew counts; what was changed by chat since it last did stays.

    A community that has no rhythm yet gets the usual one.
    """
    community = communities.get(db, community_id)
    for kind in KINDS:
        part: SchedulePart | None = getattr(rhythm, kind)
        hash_ = None if part is None else _hash(part)
        before = schedules.find(db, community_id, kind)
        said = None if before is None else schedules.find_file_hash(db, before.id)
        if before is not None and part is None and said is not None:
            schedules.mark_file_hash(db, before.id, None)  # what it says next is new
            if before.stopped and said == _hash(SchedulePart.model_validate({"stopped": True})):
                ahead.save(db, ahead.usual(community, kind, now), now)
        elif before is None or (part and hash_ != said):
            usual = before or ahead.usual(community, kind, now)
            kept = ahead.save(db, usual if part is None else _as_in(part, usual), now)
            schedules.mark_file_hash(db, kept.id, hash_)


def _hash(part: SchedulePart) -> str:
    return hashlib.sha256(part.model_dump_json().encode()).hexdigest()[:16]


def _as_in(part: SchedulePart, before: Schedule) -> Schedule:
    """As the file has it; what it leaves out is as usual, and weeks are counted as before."""
    weekday, minutes = ahead.USUAL[before.kind]
    return replace(
        before,
        weekday=weekday if part.weekday is None else part.weekday,
        minutes=minutes if part.time is None else part.time,
        timezone=part.timezone,
        every=part.every,
        first_on=before.first_on if part.first is None else day_of(part.first),
        until_on=None if part.until is None else day_of(part.until),
        sequence=part.order or "series",
        stopped=part.stopped,
    )
