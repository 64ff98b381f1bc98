"""What people type about time: hours, a while like "3 days", a day, a place or an offset."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import regex

from bot.i18n import fold, months, places, word_list
from bot.messages import N_
from bot.timing import FOR_GOOD, MORNING, Hours, morning_after, next_at
from bot.when.words import (
    AFTER_NOON,
    AT,
    BEFORE_NOON,
    DAYS,
    FROM,
    HALF,
    IN_THE_EVENING,
    MINUTES,
    MONTHS,
    OCLOCK,
    TO,
    TOMORROW,
    WEEKDAYS,
    WEEKS,
    numbers,
)

LONGEST_PAUSE = 366  # days

FOR_EVER = N_("until I come back, until I write, for good, for now")
_UNTIL_TOMORROW = N_("until tomorrow")
UNITS = ((1, DAYS), (7, WEEKS), (30, MONTHS))
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
_ALONE = regex.compile(r"(\d{1,2})(?:\s*[:.h ]\s*(\d{2}))?\s*(am|pm|h)?")
_ISO_DATE = regex.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS_DATE = regex.compile(r"(\d{1,2})[./-](\d{1,2})(?:[./-](\d{4}))?[./-]?")
_BUDDHIST = 543  # years that the other calendar of both countries is ahead
_OFFSET = regex.compile(r"(?:utc|gmt)?\s*([+\u2212\u2013-])\s*(\d{1,2})(?:[:.]?(\d{2}))?")


def hours(text: str) -> Hours | None:
    """Quiet hours as typed, in any digits: 21-6, 21:30-06:00, 9pm to 6am; None if it is none."""
    typed = fold(text)
    for words, instead in ((TO, "-"), (OCLOCK, " "), (FROM, " ")):
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
    if typed in word_list(TOMORROW) | word_list(_UNTIL_TOMORROW):
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
    spoken = sorted(numbers(), key=len, reverse=True)
    counts = "|".join([r"\d{1,3}", *(regex.escape(word) for word in spoken)])
    units = "|".join(_any_of(words) for _days, words in UNITS)
    return regex.compile(rf"(?<![a-z\d])(?P<count>{counts})\s*(?P<unit>{units})(?![a-z])")


def _any_of(words: str) -> str:
    longest_first = sorted(word_list(words), key=len, reverse=True)
    return "|".join(regex.escape(word) for word in longest_first)


def _count(typed: str) -> int:
    return int(typed) if typed.isdecimal() else numbers()[typed]


def _days_of(unit: str) -> int:
    return next(days for days, words in UNITS if unit in word_list(words))


def oclock(text: str) -> int | None:
    """Minutes after midnight, of 9, 8:30, "3 pm", "half past 8", in any digits; None if unclear."""
    typed = fold(text)
    if len(typed) > _LONGEST:
        return None
    typed, half = _without(typed, HALF)
    typed, morning = _without(typed, BEFORE_NOON)
    typed, later = _without(typed, AFTER_NOON, IN_THE_EVENING)
    typed, _around = _without(typed, OCLOCK, FROM, AT, MINUTES)
    found = _ALONE.fullmatch(regex.sub(r"\s+", " ", typed).strip(" .,:"))
    if found is None or (half and found[2]) or (morning and later):
        return None
    side = found[3] or ("am" if morning else None)
    side = "pm" if later and int(found[1]) <= 12 else side
    if morning and int(found[1]) > 12:
        return None
    return _minutes((found[1], "30" if half else found[2], side))


def _without(typed: str, *lists: str) -> tuple[str, bool]:
    """What is left when these words are taken out, and whether one was there."""
    rest = typed
    words = {word for each in lists for word in word_list(each)}
    for word in sorted(words, key=len, reverse=True):
        rest = regex.sub(_whole(word), " ", rest)
    return rest, rest != typed


def weekday(text: str) -> int | None:
    """Which day of the week is named, Monday is 0; None if none is, or several are."""
    typed = fold(text)
    if len(typed) > _LONGEST:
        return None
    names = [(name, day) for day, words in enumerate(WEEKDAYS) for name in word_list(words)]
    named = set()
    for name, day in sorted(names, key=lambda each: len(each[0]), reverse=True):
        rest = regex.sub(_whole(name), " ", typed)  # a short name may stand in a long one
        if rest != typed:
            named.add(day)
            typed = rest
    return named.pop() if len(named) == 1 else None


def day(text: str, today: date) -> date | None:
    """The day that is typed as "14 April", 14/4/2027, "Friday", "2 weeks"; None if unclear.

    Without a year it is the next one that comes. Years of the Buddhist era count too.
    """
    typed = fold(text)
    if len(typed) > _LONGEST:
        return None
    if typed in word_list(TOMORROW) | word_list(_UNTIL_TOMORROW):
        return today + timedelta(days=1)
    parts = _date_in(typed)
    if parts is not None:
        return _dated(*parts, today)
    while_ = _while().search(typed)
    if while_ is not None:
        days = _count(while_["count"]) * _days_of(while_["unit"])
        return today + timedelta(days=days) if 1 <= days <= LONGEST_PAUSE else None
    on = weekday(text)
    return None if on is None else today + timedelta(days=(on - today.weekday() - 1) % 7 + 1)


def _date_in(typed: str) -> tuple[int, int, int | None] | None:
    """(day, month, year) as numbers, as far as they are said."""
    iso = _ISO_DATE.fullmatch(typed)
    if iso is not None:
        return int(iso[3]), int(iso[2]), int(iso[1])
    plain = _NUMBERS_DATE.fullmatch(typed)
    if plain is not None:
        return int(plain[1]), int(plain[2]), int(plain[3]) if plain[3] else None
    rest, month = _month_in(typed)
    numbers = [int(each) for each in regex.findall(r"\d{1,4}", rest)]
    days = [each for each in numbers if each <= 31]
    years = [each for each in numbers if each > 31]
    if month is None or len(days) != 1 or len(years) > 1:
        return None
    return days[0], month, years[0] if years else None


def _month_in(typed: str) -> tuple[str, int | None]:
    """What stands around the month, and which it is: by its name, or "ເດືອນ 4", "ខែ៤"."""
    for name, number in months():
        if regex.search(_whole(name), typed):
            return regex.sub(_whole(name), " ", typed, count=1), number
    word = "|".join(regex.escape(each) for each in word_list(UNITS[2][1]) if not each.isascii())
    found = regex.search(rf"(?:{word})\s*(\d{{1,2}})(?!\d)", typed)
    if found is None:
        return typed, None
    return f"{typed[: found.start()]} {typed[found.end() :]}", int(found[1])


def _dated(day: int, month: int, year: int | None, today: date) -> date | None:
    for each in range(today.year, today.year + 5) if year is None else (year,):
        try:
            found = date(each - _BUDDHIST if each >= today.year + 300 else each, month, day)
        except ValueError:
            continue
        if year is not None or found >= today:
            return found
    return None


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
