"""How days are said: each rule knows one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from bot.when.said import FAR, Day, Rules, Said, numbers_in
from bot.when.words import Word, codes

_BUDDHIST = 543  # years that the other calendar of both countries is ahead

rule = Rules()


@rule("I")
def _iso(said: Said, words: Sequence[Word], today: date) -> None:
    year, month, day = words[0].values
    said.days.append(dated(day, month, year, today))


@rule("S")
def _with_slashes(said: Said, words: Sequence[Word], today: date) -> None:
    day, month, *year = words[0].values
    said.days.append(dated(day, month, year[0] if year else None, today))


@rule(r"T?[Nn](?:[-r]T?[Nn](?:o?M|oN)|T?[Nn]o?M)(?:y*Y|yN)?")
def _two_days_of_a_month(said: Said, words: Sequence[Word], today: date) -> None:
    """7 and 8 January."""
    first, second = numbers_in(words)[:2]
    month, year = _month_and_year(words, numbers_in(words)[2:])
    said.days += [dated(first, month, year, today), dated(second, month, year, today)]


@rule(r"T?[Nn](?:o?M|oN(?!O(?![NCz])))(?:y*Y|yN)?")  # of 2 months at 9 it is none
def _day_and_month(said: Said, words: Sequence[Word], today: date) -> None:
    day, *others = numbers_in(words)
    said.days.append(dated(day, *_month_and_year(words, others), today))


@rule(r"o?MT?[Nn](?![Ou])(?:y*Y|yN)?")
def _month_and_day(said: Said, words: Sequence[Word], today: date) -> None:
    day, *others = numbers_in(words)
    said.days.append(dated(day, *_month_and_year(words, others), today))


def _month_and_year(words: Sequence[Word], others: list[int]) -> tuple[int, int | None]:
    """By its name, or by its number, which stands between the day and the year."""
    named = numbers_in(words, "M")
    month = named[0] if named else others.pop(0)
    years = [*numbers_in(words, "Y"), *others]
    return month, years[0] if years else None


@rule(r"(?:TN|T?n)(?:o[xt]|[xt]o)?")
def _day_of_the_month(said: Said, words: Sequence[Word], today: date) -> None:
    """The 14th: of this month or, if it is over, of the next that has one."""
    [day] = numbers_in(words)
    first = today.replace(day=1)
    if any(each.code == "x" for each in words):
        first = (first + timedelta(days=32)).replace(day=1)
        return said.days.append(dated(day, first.month, first.year, today))
    if any(each.code == "t" for each in words):
        return said.days.append(dated(day, first.month, first.year, today))
    for _month in range(3):
        found = _date(first.year, first.month, day)
        if found is not None and found >= today:
            return said.days.append(Day((found,)))
        first = (first + timedelta(days=32)).replace(day=1)
    said.days.append(Day(reason="no_such_day"))


@rule(r"[xtX]kW|k[xtX]W|W[xtX]k|Wk[xtX]")
def _weekday_of_a_week(said: Said, words: Sequence[Word], today: date) -> None:
    """Friday next week: weeks begin on Monday."""
    weeks = {"t": 0, "x": 1, "X": 2}
    [ahead] = [weeks[each.code] for each in words if each.code in weeks]
    monday = today - timedelta(days=today.weekday())
    on = monday + timedelta(weeks=ahead, days=numbers_in(words, "W")[0])
    said.days.append(Day((on,)) if on >= today else Day((), "past"))


@rule(r"lkW|k[lv]W|Wlk|Wk[lv]")
def _weekday_of_last_week(said: Said, words: Sequence[Word], today: date) -> None:
    said.days.append(Day((), "past"))


@rule(r"Wk")
def _a_week_after(said: Said, words: Sequence[Word], today: date) -> None:
    """Thursday week: a week after the coming one."""
    [weekday] = numbers_in(words, "W")
    coming = today + timedelta(days=(weekday - today.weekday()) % 7)
    said.days.append(Day((coming + timedelta(weeks=1),)))


@rule(r"[xtl]?W[xtlv]?")
def _on_a_weekday(said: Said, words: Sequence[Word], today: date) -> None:
    """Next Friday is for some the coming one, for others that of the next week."""
    [weekday] = numbers_in(words, "W")
    how = {each.code for each in words}
    coming = today + timedelta(days=(weekday - today.weekday()) % 7)
    later = coming + timedelta(weeks=1)
    if how & {"l", "v"}:
        return said.days.append(Day((), "past"))
    if "x" not in how:
        both = coming == today and "t" not in how
        found = (coming, later) if both else (coming,)
        return said.days.append(Day(found, weekday=None if "t" in how else weekday))
    coming = later if coming == today else coming
    monday = today - timedelta(days=today.weekday())
    of_next_week = monday + timedelta(weeks=1, days=weekday)
    said.days.append(Day(tuple(sorted({coming, of_next_week}))))


@rule(r"[Nn]W(?:o?M|[xt]o|o[xt])")
def _weekday_of_a_month(said: Said, words: Sequence[Word], today: date) -> None:
    """The first Monday of February."""
    [count], [weekday], named = (numbers_in(words, each) for each in ("Nn", "W", "M"))
    first = today.replace(day=1)
    if any(each.code == "x" for each in words):
        first = (first + timedelta(days=32)).replace(day=1)
    elif named:
        year = today.year + (named[0] < today.month)
        first = date(year, named[0], 1)
    on = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))
    fits = 1 <= count <= 5 and on.month == first.month
    said.days.append(Day((on,), "" if on >= today else "past") if fits else Day((), "no_such_day"))


@rule(r"(?:[xt]w|w[xt]?)k?")
def _weekend(said: Said, words: Sequence[Word], today: date) -> None:
    ahead = 7 if any(each.code == "x" for each in words) else 0
    saturday = today + timedelta(days=5 - today.weekday() + ahead)
    found = (saturday, saturday + timedelta(days=1))
    said.days.append(Day(tuple(each for each in found if each >= today)))


@rule("R")
def _from_today(said: Said, words: Sequence[Word], today: date) -> None:
    days = words[0].values[0]
    found = today + timedelta(days=days)
    said.days.append(Day((found,)) if days >= 0 else Day((), "past"))


@rule(r"ts|st(?![Wkow])")
def _this_evening(said: Said, words: Sequence[Word], today: date) -> None:
    said.days.append(Day((today,)))
    said.sides += numbers_in(words, "s")


@rule("E")
def _tonight(said: Said, words: Sequence[Word], today: date) -> None:
    said.days.append(Day((today,)))
    said.sides.append(words[0].values[0])


@rule(r"[NA][dkoh][lv]")
def _ago(said: Said, words: Sequence[Word], today: date) -> None:
    said.days.append(Day((), "past"))


@rule(r"iH?[NA]?(?:[hu]|(?<=[NH])O)H?j?|(?:[NA]H?[hu]H?|NOH?|HA?[hO])j")
def _hours_ahead(said: Said, words: Sequence[Word], today: date) -> None:
    """In two hours, in half an hour."""
    row = codes([each for each in words if each.code not in "ij"])
    count, half = numbers_in(words), "H" in row
    if not count and not half:
        return
    unit = 1 if "u" in row else 60
    whole = 0 if row.startswith("H") else (count or [1])[0]  # half an hour; in hour and half
    said.minutes_ahead = whole * unit + (unit // 2 if half else 0)


@rule(r"i?[NA][dko]j?")
def _days_ahead(said: Said, words: Sequence[Word], today: date) -> None:
    """In two weeks."""
    [count] = numbers_in(words)
    unit = next(each.code for each in words if each.code in "dko")
    if unit == "o":
        month = today.month - 1 + count
        found = dated(today.day, month % 12 + 1, today.year + month // 12, today)
        return said.days.append(found)
    found_on = today + timedelta(days=count * (7 if unit == "k" else 1))
    is_far = (found_on - today).days > FAR
    said.days.append(Day((), "no_such_day") if is_far else Day((found_on,)))


@rule(r"[xtXl]?[koM][xtXl]?")
def _some_week(said: Said, words: Sequence[Word], today: date) -> None:
    said.vague = True


def dated(day: int, month: int, year: int | None, today: date) -> Day:
    """A day of a month; without a year the next one. Years of the Buddhist era count too."""
    years = range(today.year, today.year + 5) if year is None else _years(year, today)
    found = [on for on in (_date(each, month, day) for each in years) if on is not None]
    ahead = [on for on in found if on >= today]
    if not found:
        return Day(_instead(day, month, today), "no_such_day")
    if not ahead:
        again = dated(day, month, None, today)
        return replace(again, reason="past")
    if (ahead[0] - today).days > FAR and (day, month) != (29, 2):
        return replace(dated(day, month, None, today), reason="no_such_day")
    return Day((ahead[0],))


def _instead(day: int, month: int, today: date) -> tuple[date, ...]:
    """What she may have meant: the days around the end of a month, or both numbers turned."""
    turned = dated(month, day, None, today) if day <= 12 < month <= 31 else Day()
    if turned.dates or not (28 < day <= 31 and 1 <= month <= 12):
        return turned.dates
    first = date(today.year, month, 1)
    first = first.replace(year=today.year + 1) if first < today else first
    after = (first + timedelta(days=32)).replace(day=1)
    return (after - timedelta(days=1), after)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _years(year: int, today: date) -> list[int]:
    """What a year may be that is written with two or four figures."""
    if year >= 1000:
        return [year - _BUDDHIST if year >= today.year + 300 else year]
    century = today.year // 100 * 100
    usual, other = century + year, (century + 500) + year - _BUDDHIST
    near = [each for each in (usual, other) if today.year - 1 <= each <= today.year + 3]
    return near or [usual]
