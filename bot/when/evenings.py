"""Evenings: until when on a day something is open, where a day is named without an hour."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.messages import Text, _
from bot.timing import day_of, moment_of
from bot.when import dates
from bot.when.dates import Unclear

EVENING = 17 * 60  # before the quiet hours, so that it can still be told on that day


def evening(on: date, where: ZoneInfo) -> datetime:
    return moment_of(day_of(on), EVENING, where)


def after(at: datetime, days: int, where: ZoneInfo) -> datetime:
    """The evening so many days after the day of this moment there."""
    return evening(at.astimezone(where).date() + timedelta(days=days), where)


def read(text: str, now: datetime, where: ZoneInfo) -> datetime | Unclear:
    """The moment that is typed; of a day alone its evening."""
    found = dates.read(text, now, where)
    if not isinstance(found, Unclear):
        return found.starts_at
    if found.reason in ("past", "no_such_hour", "morning_or_evening"):
        return found
    on = dates.read_day(text, now, where)
    return on if isinstance(on, Unclear) else evening(on, where)


def question(found: Unclear, where: ZoneInfo) -> tuple[Text, ...]:
    """What to ask her; where a day fits twice, both."""
    first, *_rest = dates.question(found)
    if found.reason != "two_days":
        return (first,)
    return first, *(_("{day}", day=each.astimezone(where).date()) for each in found.suggestions)
