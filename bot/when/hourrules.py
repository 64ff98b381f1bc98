"""How hours are said: each rule knows one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.when.said import DAY, NOON, Hour, Rules, Said, numbers_in
from bot.when.words import AFTERNOON, EVENING, MORNING, NIGHT, Word

rule = Rules()


@rule(r"[aO]*NO?bNu?")
def _short_of(said: Said, words: Sequence[Word], today: date) -> None:
    hour, short = numbers_in(words)
    _add(said, hour - 1, 60 - short)


@rule(r"[aO]*Nu?-Q?N(?=O)|[aO]*Q-NO?")
def _to_the_hour(said: Said, words: Sequence[Word], today: date) -> None:
    """Quarter to nine; nine to eleven o'clock is from one to the other."""
    if any(each.code in "Qu" for each in words):
        *short, hour = numbers_in(words)
        return _add(said, hour - 1, 60 - (short[0] if short else 15))
    first, last = numbers_in(words)
    _add(said, first, 0)
    _until(said, last, 0)


@rule(r"[aO]*(?:Nu?|Q)pNO?")
def _past_the_hour(said: Said, words: Sequence[Word], today: date) -> None:
    *past, hour = numbers_in(words)
    _add(said, hour, past[0] if past else 15)


@rule(r"[aO]*(?:HN|NO?H)O?")
def _half_past(said: Said, words: Sequence[Word], today: date) -> None:
    _add(said, numbers_in(words)[0], 30)


@rule(r"(?:[aO]*NO?)?a?zH?|[aO]+z")
def _noon(said: Said, words: Sequence[Word], today: date) -> None:
    half = 30 if words[-1].code == "H" else 0
    said.hours.append(Hour((NOON + half,)))


@rule(r"(?:[aO]*NO?)?a?Z")
def _midnight(said: Said, words: Sequence[Word], today: date) -> None:
    """Friday's midnight is its beginning to some, to others its end."""
    said.hours.append(Hour((0, DAY)))


@rule("gN")
def _before_dawn(said: Said, words: Sequence[Word], today: date) -> None:
    [hour] = numbers_in(words)
    said.hours.append(Hour((hour * 60,)) if 1 <= hour <= 5 else Hour((), "no_such_hour"))


@rule("NG")
def _at_night(said: Said, words: Sequence[Word], today: date) -> None:
    """The clock of the neighbours, whose night begins at six."""
    [hour] = numbers_in(words)
    said.hours.append(Hour(((18 + hour) * 60,)) if 1 <= hour <= 6 else Hour((), "no_such_hour"))


@rule(r"a*(?:NON(?![-oMkdOyYu])|NOr?Nu|ONr?Nu|ONN(?![-oMkdOyYu]))")
def _with_minutes(said: Said, words: Sequence[Word], today: date) -> None:
    hour, minutes = numbers_in(words)
    _add(said, hour, minutes)


@rule(r"[aO]*CO?-[aO]*(?:C|N)O?|[aO]*NO?-[aO]*CO?|[aO]+NO?-[aO]*NO?|[aO]*NO-[aO]*NO?")
def _between(said: Said, words: Sequence[Word], today: date) -> None:
    """From two to four."""
    first, last = [each for each in words if each.code in "CN"]
    _add_word(said, first)
    hour, minute = (*last.values, 0)[:2]
    side = last.values[2] if last.code == "C" else 0
    if side and first.code == "N" and said.hours and said.hours[-1].options:
        said.hours[-1] = _sided(said.hours[-1], AFTERNOON if side == 2 else MORNING)
    _until(said, hour % 12 + 12 if side == 2 else hour, minute)


@rule(r"[aO]*[CN]O?r[aO]*[CN]O?(?![oMkd])")
def _either(said: Said, words: Sequence[Word], today: date) -> None:
    """Nine or ten o'clock."""
    for each in words:
        if each.code in "CN":
            _add_word(said, each)


@rule(r"N-N")
def _joined(said: Said, words: Sequence[Word], today: date) -> None:
    first, second = numbers_in(words)
    said.pairs.append((first, second, "-"))


@rule(r"D")
def _dotted(said: Said, words: Sequence[Word], today: date) -> None:
    first, second = words[0].values
    said.pairs.append((first, second, "."))


@rule(r"[aO]*CO?")
def _clock(said: Said, words: Sequence[Word], today: date) -> None:
    _add_word(said, next(each for each in words if each.code == "C"))


@rule(r"[aO]*NO|[aO]+N")
def _oclock(said: Said, words: Sequence[Word], today: date) -> None:
    _add_word(said, next(each for each in words if each.code == "N"))


@rule(r"[aO]*Yh?")
def _military(said: Said, words: Sequence[Word], today: date) -> None:
    """1400; but 2027 and 2570 are years."""
    [figures] = numbers_in(words, "Y")
    if not any(abs(figures - year) < 100 for year in (today.year, today.year + 543)):
        _add(said, *divmod(figures, 100), whole=True)


@rule("N")
def _number(said: Said, words: Sequence[Word], today: date) -> None:
    """Perhaps an hour, if none is named otherwise."""
    if words[0].figures:
        _add_word(said, words[0])
        said.hours[-1] = replace(said.hours[-1], sure=False)


@rule("s")
def _side(said: Said, words: Sequence[Word], today: date) -> None:
    said.sides.append(words[0].values[0])


def _add_word(said: Said, word: Word) -> None:
    hour, minute, side = (*word.values, 0, 0)[:3]
    if side:
        whole = hour % 12 + (12 if side == 2 else 0)
        fits = 1 <= hour <= 12 and minute < 60
        hours = Hour((whole * 60 + minute,), whole=True, typed=(whole, minute))
        return said.hours.append(hours if fits else Hour((), "no_such_hour"))
    _add(said, hour, minute, whole=word.padded)


def _add(said: Said, hour: int, minute: int, *, whole: bool = False) -> None:
    said.hours.append(hour_of(hour, minute, whole=whole))


def hour_of(hour: int, minute: int, *, whole: bool = False) -> Hour:
    """From one to seven it may be of the morning or of the evening; `whole`: of 24 hours."""
    if not 0 <= hour <= 24 or not 0 <= minute <= 59 or hour * 60 + minute > DAY:
        return Hour((), "no_such_hour", typed=(hour, minute))
    at = hour * 60 + minute
    both = 1 <= hour <= 7 and not whole
    options = (at, at + NOON) if both else (at,)
    return Hour(options, typed=(hour, minute), whole=whole or hour > 12)


def _until(said: Said, hour: int, minute: int) -> None:
    """The end of what began at the hour that was added last."""
    last = said.hours[-1]
    if 0 <= hour <= 24 and minute < 60:
        said.hours[-1] = replace(last, until=hour * 60 + minute)


def with_side(hour: Hour, sides: Sequence[int]) -> Hour:
    """The hour, now that it is known of which part of the day it is."""
    kinds = set(sides)
    if not kinds or not hour.options or hour.typed == (0, 0):
        return hour  # noon needs no side
    if len(kinds) > 1:
        return _sided(hour, sides[0]) if hour.until is not None else hour
    return _sided(hour, sides[0])


def _sided(hour: Hour, side: int) -> Hour:
    on, minute = hour.typed
    if hour.whole:
        fits = {MORNING: on < 13, AFTERNOON: on >= 12, EVENING: on >= 12}.get(side, True)
        return hour if fits or on == 24 else Hour((), "no_such_hour", typed=hour.typed)
    at = on % 12 * 60 + minute
    options: tuple[int, ...]
    if side == MORNING:
        options = (at,) if on != 12 else ()
    elif side == AFTERNOON:
        options = (at + NOON,)
    elif side == EVENING:
        options = (at + NOON,) if on != 12 else (0, DAY)
    else:
        # By night: before midnight, or after it, when the day has become another one.
        options = (at + NOON,) if 6 <= on <= 11 else tuple({at, at + DAY})
    return replace(hour, options=tuple(sorted(options)), reason="" if options else "no_such_hour")


USUAL_HOURS = {
    None: (9 * 60, 14 * 60),
    MORNING: (8 * 60, 9 * 60, 10 * 60),
    AFTERNOON: (13 * 60, 14 * 60, 15 * 60),
    EVENING: (17 * 60, 18 * 60, 19 * 60),
    NIGHT: (18 * 60, 19 * 60, 20 * 60),
}
