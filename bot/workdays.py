"""Working days: time that counts, without weekends and holidays, and the hours to write in.

A day of work has 24 hours here: what was asked on Monday at ten has waited a day on Tuesday at ten,
what was asked on Friday at ten on Monday at ten. It is spoken of only in the hours of an office.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.timing import day_of

DAY = timedelta(days=1)
BEGIN, END = 8, 17  # o'clock: when what waits so long is spoken of
FRIDAY = 4

Stretch = tuple[int, int]  # the first and the last day of a holiday, since 1970


def is_workday(on: date, holidays: Iterable[Stretch] = ()) -> bool:
    """Neither a weekend nor a holiday."""
    day = day_of(on)
    return on.weekday() <= FRIDAY and not any(first <= day <= last for first, last in holidays)


def is_open(now: datetime, where: ZoneInfo, holidays: Iterable[Stretch] = ()) -> bool:
    """Whether people there are at work at this moment."""
    local = now.astimezone(where)
    return BEGIN <= local.hour < END and is_workday(local.date(), holidays)


def has_passed(
    since: datetime,
    now: datetime,
    wanted: timedelta,
    where: ZoneInfo,
    holidays: Iterable[Stretch] = (),
) -> bool:
    """Whether so much working time lies between two moments; clocks that change are no matter."""
    resting = tuple(holidays)
    counted, at = timedelta(0), since
    while at < now and counted < wanted:
        on = at.astimezone(where).date()
        midnight = datetime.combine(on + DAY, time(0), where).astimezone(UTC)
        until = min(max(midnight, at + timedelta(minutes=1)), now)
        if is_workday(on, resting):
            counted += until - at
        at = until
    return counted >= wanted
