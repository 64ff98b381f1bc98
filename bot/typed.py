"""What people type about time: hours like "21-6", a while like "3 days", a place or an offset."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import regex

from bot.i18n import fold, places, word_list
from bot.messages import N_
from bot.timing import FOR_GOOD, MORNING, Hours, morning_after, next_at

LONGEST_PAUSE = 366  # days

FOR_EVER = N_("until I come back, until I write, for good, for now")
TOMORROW = N_("tomorrow, until tomorrow")
UNITS = (
    (1, N_("day, days")),
    (7, N_("week, weeks")),
    (30, N_("month, months")),
)
NUMBERS = (N_("one, a"), N_("two"), N_("three"), N_("four"))
WEEKDAYS = (
    N_("monday, mon"),
    N_("tuesday, tue"),
    N_("wednesday, wed"),
    N_("thursday, thu"),
    N_("friday, fri"),
    N_("saturday, sat"),
    N_("sunday, sun"),
)
_TO = N_("to, until")
_AROUND = N_("o'clock, from")
_LONGEST = 60  # letters; more is a story and no time
_HALVES = {  # offsets that are no whole hour, and a place that has them
    (3, 30): "Asia/Tehran",
    (4, 30): "Asia/Kabul",
    (5, 30): "Asia/Kolkata",
    (5, 45): "Asia/Kathmandu",
    (6, 30): "Asia/Yangon",
    (9, 30): "Australia/Darwin",
}

_HOUR = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|h)?"
_BETWEEN = regex.compile(rf"{_HOUR}\s*(?:\p{{Pd}}|~|/)\s*{_HOUR}")
_OFFSET = regex.compile(r"(?:utc|gmt)?\s*([+\u2212\u2013-])\s*(\d{1,2})(?:[:.]?(\d{2}))?")


def hours(text: str) -> Hours | None:
    """Quiet hours as typed, in any digits: 21-6, 21:30-06:00, 9pm to 6am; None if it is none."""
    typed = fold(text)
    for words, instead in ((_TO, "-"), (_AROUND, " ")):
        for word in sorted(word_list(words), key=len, reverse=True):
            typed = regex.sub(_whole(word), instead, typed)
    found = _BETWEEN.fullmatch(regex.sub(r"\s+", " ", typed).strip())
    if found is None:
        return None
    start, end = _minutes(found.groups()[:3]), _minutes(found.groups()[3:])
    return None if start is None or end is None else (start, end)


def _whole(word: str) -> str:
    """A word of its own; Lao and Khmer write none apart."""
    escaped = regex.escape(word)
    return rf"(?<![a-z]){escaped}(?![a-z])" if word.isascii() else escaped


def _minutes(typed: Sequence[str | None]) -> int | None:
    """Minutes after midnight; 24 o'clock is midnight."""
    hour, minute, half = int(typed[0] or 0), int(typed[1] or 0), typed[2]
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    return hour % 24 * 60 + minute


def pause_end(text: str, now: datetime, where: ZoneInfo) -> datetime | None:
    """When a pause ends that is typed as "3 days", "two weeks", "until Friday"; None if unclear."""
    typed = fold(text)
    if len(typed) > _LONGEST:
        return None
    if typed in word_list(FOR_EVER):
        return FOR_GOOD
    if typed in word_list(TOMORROW):
        return morning_after(now, where, 1)
    while_ = _while().search(typed)
    if while_ is not None:
        days = _count(while_["count"]) * _days_of(while_["unit"])
        return morning_after(now, where, days) if 1 <= days <= LONGEST_PAUSE else None
    for weekday, names in enumerate(WEEKDAYS):
        if any(regex.search(_whole(name), typed) for name in word_list(names)):
            return next_at(now, where, MORNING, weekday)
    return None


@cache
def _while() -> regex.Pattern[str]:
    counts = "|".join([r"\d{1,3}", *(_any_of(words) for words in NUMBERS)])
    units = "|".join(_any_of(words) for _days, words in UNITS)
    return regex.compile(rf"(?<![a-z\d])(?P<count>{counts})\s*(?P<unit>{units})(?![a-z])")


def _any_of(words: str) -> str:
    longest_first = sorted(word_list(words), key=len, reverse=True)
    return "|".join(regex.escape(word) for word in longest_first)


def _count(typed: str) -> int:
    if typed.isdecimal():
        return int(typed)
    return next(n for n, words in enumerate(NUMBERS, 1) if typed in word_list(words))


def _days_of(unit: str) -> int:
    return next(days for days, words in UNITS if unit in word_list(words))


def timezone(text: str) -> str | None:
    """The zone of a city, of a country with one time, of UTC+7 or Asia/Manila; None if unclear."""
    typed = "".join(_ascii_digit(sign) for sign in text.strip().casefold())
    if typed in ("utc", "gmt"):
        return _at_offset("+", 0, 0)
    offset = _OFFSET.fullmatch(typed)
    if offset is not None:
        return _at_offset(offset[1], int(offset[2]), int(offset[3] or 0))
    return places().get(fold(text)) if len(text) <= _LONGEST else None


def _at_offset(sign: str, hour: int, minute: int) -> str | None:
    if minute:
        return _HALVES.get((hour, minute)) if sign == "+" else None
    if hour > (14 if sign == "+" else 12):
        return None
    # In these names the signs are turned round.
    return "Etc/GMT" if not hour else f"Etc/GMT{'-' if sign == '+' else '+'}{hour}"


def _ascii_digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
