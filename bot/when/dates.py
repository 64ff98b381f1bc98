"""Dates as people say them, in Lao, Khmer and English: what was meant, or what to ask back.

Nothing is guessed silently: what fits twice is asked, with both, and all is read back by whoever
asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.i18n import short_moment
from bot.messages import Choice, Text, _
from bot.timing import day_of, moment_of
from bot.when.hourrules import USUAL_HOURS, with_side
from bot.when.rules import joined, said_in, settle
from bot.when.said import DAY, FAR, NOON, Day, Hour, Said
from bot.when.words import words_of

MOST = 3  # suggestions
SOONEST = timedelta(minutes=1)

Reason = Literal[
    "past",  # it is over
    "no_such_day",  # 31 February; or so far ahead that nobody plans it
    "no_such_hour",  # 25:00
    "no_hour",  # a day alone; or several hours
    "no_day",  # an hour alone, or a week
    "two_days",  # it fits more than one
    "morning_or_evening",
    "nothing",  # neither a day nor an hour
]


@dataclass(frozen=True, slots=True)
class When:
    """A moment that was meant."""

    starts_at: datetime  # UTC
    minutes: int | None = None  # how long, if an end was said too ("14:00-16:00")


@dataclass(frozen=True, slots=True)
class Unclear:
    """What is not clear, and what may have been meant."""

    reason: Reason
    suggestions: tuple[datetime, ...] = ()


def read(text: str, now: datetime, zone: ZoneInfo, said: str = "") -> When | Unclear:
    """The moment that she means, or what to ask her.

    `said`: what she wrote before, which lacked something: a day or an hour that is not named now
    is taken from there.
    """
    found = _found(text, now, zone)
    if said:
        found = joined(found, _found(said, now, zone), now.astimezone(zone).date())
    return _decided(found, now, zone)


def read_day(text: str, now: datetime, zone: ZoneInfo) -> date | Unclear:
    """The day that she means; what is said of an hour does not count.

    Suggestions are moments of the days that she may have meant, at noon.
    """
    today = now.astimezone(zone).date()
    found = said_in(words_of(text), today)
    settle(found, today, day_wanted=True)
    found.hours, found.minutes_ahead = [Hour((NOON,))], None
    if not found.days:
        return Unclear("no_day" if found.vague else "nothing")
    days = _days(found.days, today)
    if days.reason:
        return Unclear(_reason(days.reason), _moments(days.dates, (NOON,), now, zone))
    ahead = [each for each in days.dates if each >= today]
    if (len(ahead) == 1 and not days.doubtful) or (ahead and days.weekday is not None):
        return ahead[-1]  # a weekday that is today's is the next one
    return Unclear("two_days", _moments(days.dates, (NOON,), now, zone)[:MOST])


def read_hour(text: str) -> int | Unclear:
    """Minutes after midnight; what is said of a day does not count."""
    found = said_in(words_of(text), date(2000, 1, 1))
    settle(found, date(2000, 1, 1))
    hour = _hour(found)
    if hour is None:
        return Unclear("nothing" if not found.sides else "no_hour")
    if hour.reason:
        return Unclear(_reason(hour.reason))
    if len(hour.options) > 1:
        return Unclear("no_hour" if len(_sure(found)) > 1 else "morning_or_evening")
    return hour.options[0] % DAY


def join(day: date, minutes: int, now: datetime, zone: ZoneInfo) -> When | Unclear:
    """A day and an hour that were said one after the other."""
    at = moment_of(day_of(day), minutes, zone)
    if at < now + SOONEST:
        return Unclear("past", _moments((day + timedelta(days=1),), (minutes,), now, zone))
    return When(at)


# What is said to her -----------------------------------------------------------------------------

_QUESTIONS = {
    "past": _("That time is over. Which day and hour do you mean?"),
    "no_such_day": _("I do not find that day in the calendar of the next two years."),
    "no_such_hour": _("I do not know that hour. Please write it like 9:00 or 14:30."),
    "no_hour": _("At which hour? For example 9:00 or 14:30."),
    "no_day": _("On which day? For example 14 April, or next Thursday."),
    "two_days": _("That fits more than one day. Which one do you mean?"),
    "morning_or_evening": _("In the morning, or later in the day?"),
    "nothing": _(
        "I did not find a day in this. Please write it with the hour, "
        "for example: Thursday 14:00, tomorrow 9:00, or 14 April 10:30."
    ),
}


def question(found: Unclear) -> tuple[Text, ...]:
    """What to ask her; the moments that she may have meant stand below it, in full."""
    return (
        _QUESTIONS[found.reason],
        *(_("{moment}", moment=each) for each in found.suggestions),
    )


def choices(found: Unclear, language: str, zone: ZoneInfo) -> tuple[Choice, ...]:
    """One for each suggestion; `chosen` reads their keys."""
    return tuple(
        Choice(
            f"at:{int(each.timestamp())}",
            _("{moment}", moment=short_moment(each, language, zone.key)),
        )
        for each in found.suggestions
    )


def chosen(key: str) -> datetime:
    """The moment of such a choice, by its key or by what follows its colon."""
    return datetime.fromtimestamp(int(key.rpartition(":")[2]), UTC)


# How it is found ---------------------------------------------------------------------------------


def _found(text: str, now: datetime, zone: ZoneInfo) -> Said:
    today = now.astimezone(zone).date()
    found = said_in(words_of(text), today)
    settle(found, today)
    return found


# What it comes to --------------------------------------------------------------------------------


def _decided(said: Said, now: datetime, zone: ZoneInfo) -> When | Unclear:
    today = now.astimezone(zone).date()
    if said.minutes_ahead is not None:
        return _ahead(said.minutes_ahead, now)
    hour = _hour(said)
    if not said.days:
        return _without_day(said, hour, now, zone)
    days = _days(said.days, today)
    options = hour.options if hour is not None and hour.options else ()
    if days.reason:
        usual = options or _usual(said)
        return Unclear(_reason(days.reason), _moments(days.dates, usual, now, zone)[:MOST])
    if hour is None:
        return Unclear("no_hour", _moments(days.dates, _usual(said), now, zone)[:MOST])
    if hour.reason:
        return Unclear(_reason(hour.reason))
    if len(_sure(said)) > 1:
        return Unclear("no_hour", _moments(days.dates[:1], options, now, zone)[:MOST])
    return _moment(days, hour, now, zone)


def _ahead(minutes: int, now: datetime) -> When | Unclear:
    if not 0 < minutes <= FAR * DAY:
        return Unclear("nothing")
    at = now + timedelta(minutes=minutes)
    return When(at.replace(second=0, microsecond=0))


def _without_day(said: Said, hour: Hour | None, now: datetime, zone: ZoneInfo) -> Unclear:
    today = now.astimezone(zone).date()
    if hour is None:
        return Unclear("no_day" if said.vague or said.sides else "nothing")
    if hour.reason:
        return Unclear(_reason(hour.reason))
    if said.vague or len(_sure(said)) > 1:
        return Unclear("no_day")
    two = (today, today + timedelta(days=1))
    return Unclear("no_day", _moments(two, hour.options[-1:], now, zone))


def _sure(said: Said) -> set[tuple[int, ...]]:
    return {with_side(each, said.sides).options for each in said.hours}


def _hour(said: Said) -> Hour | None:
    """The hour that was said; several in one, if they differ."""
    found = [with_side(each, said.sides) for each in said.hours]
    wrong = [each for each in found if each.reason]
    if not found or wrong:
        return wrong[0] if wrong else None
    if len({each.options for each in found}) == 1:
        return found[0]
    return Hour(tuple(each.options[-1] for each in found))


def _days(days: list[Day], today: date) -> Day:
    """What all that was said of days leaves: several dates if it contradicts itself."""
    wrong = next((each for each in days if each.reason), None)
    if wrong is not None:
        return wrong
    named = [each for each in days if each.weekday is None]
    if named and len(named) < len(days):
        weekdays = {each.weekday for each in days} - {None}
        fitting = [on for each in named for on in each.dates if on.weekday() in weekdays]
        if fitting and len(weekdays) == 1:
            return Day(tuple(sorted(set(fitting))))
        near = [_nearest(on, day or 0, today) for on in named[0].dates for day in weekdays]
        return Day(tuple(sorted({*named[0].dates, *near})), doubtful=True)
    common = set(days[0].dates).intersection(*(each.dates for each in days[1:]))
    if common:
        return Day(tuple(sorted(common)), weekday=days[0].weekday if len(days) == 1 else None)
    every = {on for each in days for on in each.dates}
    return Day(tuple(sorted(every)), doubtful=True)


def _nearest(on: date, weekday: int, today: date) -> date:
    near = [on + timedelta(days=days) for days in (0, 1, -1, 2, -2, 3, -3, 4, 5, 6)]
    return next(each for each in near if each.weekday() == weekday and each >= today)


def _moment(days: Day, hour: Hour, now: datetime, zone: ZoneInfo) -> When | Unclear:
    ahead = _moments(days.dates, hour.options, now, zone)
    if not ahead:
        return Unclear("past", _instead(days, hour, now, zone))
    if len(ahead) == 1 and not days.doubtful:
        return When(ahead[0], _length(hour))
    several_days = len(days.dates) > 1 or hour.options == (0, DAY)
    reason: Reason = "two_days" if several_days else "morning_or_evening"
    if len(days.dates) > 1 and len(hour.options) > 1:
        ahead = _moments(days.dates, hour.options[-1:], now, zone)
    return Unclear(reason, ahead[:MOST])


def _length(hour: Hour) -> int | None:
    """Until the hour that was said; in the afternoon, if it began in the morning."""
    if hour.until is None or len(hour.options) > 1:
        return None
    for until in (hour.until, hour.until + NOON):
        if 0 < until - hour.options[0] <= NOON:
            return until - hour.options[0]
    return None


def _instead(days: Day, hour: Hour, now: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Later the same day, or at that hour on the next one."""
    on, at = days.dates[0], hour.options[0]
    later = (at + NOON,) if at + NOON < DAY and not hour.whole else ()
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return (*_moments((on,), later, now, zone), *_moments((tomorrow,), (at,), now, zone))


def _usual(said: Said) -> tuple[int, ...]:
    sides = set(said.sides)
    return USUAL_HOURS[said.sides[0]] if len(sides) == 1 else USUAL_HOURS[None]


def _moments(
    dates: tuple[date, ...], minutes: tuple[int, ...], now: datetime, zone: ZoneInfo
) -> tuple[datetime, ...]:
    """Those that are ahead, in their order."""
    found = {
        moment_of(day_of(on) + each // DAY, each % DAY, zone) for on in dates for each in minutes
    }
    return tuple(sorted(at for at in found if at >= now + SOONEST))


def _reason(reason: str) -> Reason:
    return "past" if reason == "past" else "no_such_hour" if "hour" in reason else "no_such_day"
