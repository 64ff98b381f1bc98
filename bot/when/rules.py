"""A row of words about time, read from left to right."""

from __future__ import annotations

from datetime import date
from functools import cache

import regex

from bot.when import dayrules, hourrules
from bot.when.dayrules import dated
from bot.when.said import Hour, Read, Said
from bot.when.words import Word, codes


def said_in(words: list[Word], today: date) -> Said:
    """Days and hours, and what may be either."""
    said, row, at = Said(), codes(words), 0
    while at < len(row):
        at += _read_at(at, row, said, words, today)
    return said


def _read_at(at: int, row: str, said: Said, words: list[Word], today: date) -> int:
    """How many words were read there; a word that no rule begins with is passed over."""
    for pattern, read in _compiled():
        found = pattern.match(row, at)
        if found is not None and found.end() > at:
            read(said, words[at : found.end()], today)
            return found.end() - at
    return 1


@cache
def _compiled() -> tuple[tuple[regex.Pattern[str], Read], ...]:
    ways = (*dayrules.rule.ways, *hourrules.rule.ways)
    return tuple((regex.compile(pattern), read) for pattern, read in ways)


def joined(new: Said, old: Said, today: date) -> Said:
    """What is said now counts; what is missing was said before."""
    if old.hours and not (old.days or new.days) and not any(each.sure for each in new.hours):
        _take_numbers_as_days(new, today)  # the hour is known: a number alone is a day
    return Said(
        new.days or old.days,
        new.hours or old.hours,
        sides=new.sides or old.sides,
        minutes_ahead=new.minutes_ahead,
        vague=new.vague or (old.vague and not new.days),
    )


def settle(said: Said, today: date, *, day_wanted: bool = False) -> None:
    """Decide what 9.10, 9-11 and a number alone are, by what else was said."""
    for first, second, sign in said.pairs:
        fits_day = 1 <= first <= 31 and 1 <= second <= 12
        fits_hour = first <= 24 and (second <= 59 if sign == "." else first < second <= 24)
        known_day, known_hour = bool(said.days), any(each.sure for each in said.hours)
        is_hour = fits_hour and not day_wanted and (known_day or not fits_day)
        if sign == "-" and fits_hour and not known_hour and not day_wanted:
            is_hour = True
        if is_hour and not known_hour:
            said.hours.append(_of_pair(first, second, sign))
        else:
            said.days.append(dated(first, second, None, today))
    said.pairs = []
    if any(each.sure for each in said.hours):
        said.hours = [each for each in said.hours if each.sure]
    elif day_wanted and not said.days:
        _take_numbers_as_days(said, today)
    elif not said.days and len(said.hours) == 1 and said.hours[0].reason:
        _take_numbers_as_days(said, today)  # 25: no hour, so a day of the month


def _of_pair(first: int, second: int, sign: str) -> Hour:
    found = said_in([Word("C", (first, second if sign == "." else 0, 0))], date(2000, 1, 1))
    [hour] = found.hours
    if sign == ".":
        return hour
    return Hour(hour.options, hour.reason, second * 60, True, hour.typed, hour.whole)


def _take_numbers_as_days(said: Said, today: date) -> None:
    for each in said.hours:
        said.days += said_in([Word("n", (each.typed[0],))], today).days
    said.hours = []
