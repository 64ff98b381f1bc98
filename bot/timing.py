"""Hours of a day in somebody's own zone: when it is quiet there, and when the next morning comes.

Clocks that are put forward or back: an hour that does not exist counts as the one after it, of an
hour that comes twice the first one counts.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FIRST_DAY = date(1970, 1, 1).toordinal()

Hours = tuple[int, int]  # from, until: minutes after midnight; equal = never

USUAL: Hours = (20 * 60, 7 * 60)
OFFICE: Hours = (17 * 60, 8 * 60)  # quiet outside the hours of an office
NEVER: Hours = (0, 0)
MORNING = 8 * 60  # when what is gathered for a day or a week comes
MONDAY = 0
# Unasked, in one week, over all her communities; the last places are for what matters more.
MOST_UNASKED = {"thread": 7, "session": 6, "broadcast": 5}
SPARED = ("concerns", "muted")  # paces of who gets nothing that goes to a whole community
FOR_GOOD = datetime(2999, 1, 1, tzinfo=UTC)  # a pause until she comes back


@cache
def zone(name: str | None) -> ZoneInfo:
    """A zone by its name; UTC for none, and for one that is gone."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def day_of(on: date) -> int:
    """Days are counted from 1970-01-01."""
    return on.toordinal() - _FIRST_DAY


def date_of(day: int) -> date:
    return date.fromordinal(day + _FIRST_DAY)


def today(now: datetime, where: ZoneInfo) -> int:
    """The day it is there."""
    return day_of(now.astimezone(where).date())


def moment_of(day: int, minutes: int, where: ZoneInfo) -> datetime:
    """When the clocks there show this hour on this day, for the first time.

    An hour that a clock leaves out counts as the one after it.
    """
    hour = time(minutes // 60, minutes % 60)
    return datetime.combine(date_of(day), hour, where).astimezone(UTC)


def next_at(now: datetime, where: ZoneInfo, minutes: int, weekday: int | None = None) -> datetime:
    """The next moment when the clocks there show this hour (on this weekday, Monday is 0)."""
    first = now.astimezone(where).date()
    hour = time(minutes // 60, minutes % 60)
    for days in range(9):
        on = first + timedelta(days=days)
        if weekday is not None and on.weekday() != weekday:
            continue
        for fold in (0, 1):
            at = datetime.combine(on, hour.replace(fold=fold), where).astimezone(UTC)
            if at > now:
                return at
    raise AssertionError("a week has every weekday")


def morning_after(now: datetime, where: ZoneInfo, days: int) -> datetime:
    """The morning so many days from today there."""
    on = now.astimezone(where).date() + timedelta(days=days)
    midnight = datetime.combine(on, time(0), where).astimezone(UTC)
    return next_at(midnight, where, MORNING)


def quiet_until(now: datetime, where: ZoneInfo, hours: Hours) -> datetime | None:
    """When the quiet hours end that it is in now there; None if it is not quiet."""
    start, end = hours
    if start == end:
        return None
    local = now.astimezone(where)
    minutes = local.hour * 60 + local.minute
    within = start <= minutes < end if start < end else minutes >= start or minutes < end
    return next_at(now, where, end) if within else None


def hours_of(quiet_from: int | None, quiet_until: int | None, timezone: str | None) -> Hours:
    """Somebody's quiet hours. Where it is night we know only by her zone, or when she said it."""
    if quiet_from is not None and quiet_until is not None:
        return quiet_from, quiet_until
    return NEVER if timezone is None else USUAL


def week_of(now: datetime, timezone: str | None) -> int:
    """The week it is there: days since 1970 of its Monday."""
    on = now.astimezone(zone(timezone)).date()
    return day_of(on) - on.weekday()


def coarse(now: datetime) -> datetime:
    """The hour: as far as it is kept when words came whose moment could name somebody."""
    return now.replace(minute=0, second=0, microsecond=0)


def shown(hours: Hours) -> str:
    """20:00-07:00"""
    start, end = hours
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
