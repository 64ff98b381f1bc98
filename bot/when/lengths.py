"""How long something lasts, as people say it: 1h30, two hours, ໜຶ່ງຊົ່ວໂມງເຄິ່ງ, ២ម៉ោង."""

from __future__ import annotations

from collections.abc import Callable

import regex

from bot.messages import Text, _n
from bot.when.words import codes, words_of

SHORTEST, LONGEST = 5, 14 * 24 * 60  # minutes
_HOUR, _DAY, _WEEK = 60, 24 * 60, 7 * 24 * 60
_MOST_HOURS = 12  # a number alone is so many hours, or else minutes

_ONE_AND_A_HALF = regex.compile(r"(\p{Nd})\s*[.,\u066b]\s*[5\u0ed5\u17e5\u0e55](?!\p{Nd})")
# What the words come to, from their numbers; `H` is a half of what stands beside it.
_WAYS: tuple[tuple[str, Callable[[list[int]], int]], ...] = (
    (r"C", lambda n: n[0] * _HOUR + n[1]),
    (r"[NA](?:h|O)", lambda n: n[0] * _HOUR),
    (r"[NA](?:[hO]H|H[hO])", lambda n: n[0] * _HOUR + 30),
    (r"hH", lambda n: 90),
    (r"HA?[hO]", lambda n: 30),
    (r"[NA][hO]r?[NL]u?", lambda n: n[0] * _HOUR + n[1]),
    (r"Ch?r?[NL]u", lambda n: n[0] * _HOUR + n[-1]),
    (r"[NLA]u", lambda n: n[0]),
    (r"[NA](?:dH|Hd)", lambda n: n[0] * _DAY + _DAY // 2),
    (r"[NA]d", lambda n: n[0] * _DAY),
    (r"HA?d", lambda n: _DAY // 2),
    (r"[NA]k", lambda n: n[0] * _WEEK),
    (r"[NL]", lambda n: n[0] * (_HOUR if n[0] <= _MOST_HOURS else 1)),
)


def read_length(text: str) -> int | None:
    """Minutes; None if it is none that a meeting has."""
    text = _ONE_AND_A_HALF.sub(r"\1 ½ ", text)
    words = words_of(regex.sub(r"(?i)½\s*h\b", "½ hour", text))
    words = [each for each in words if each.code not in "ai."]
    row = codes(words)
    numbers = [value for each in words for value in each.values if each.code in "NALC"]
    for pattern, minutes in _WAYS:
        if regex.fullmatch(pattern, row):
            found = minutes(numbers)
            is_clock = row == "C" and (numbers[0] > 24 or numbers[1] > 59)
            return found if SHORTEST <= found <= LONGEST and not is_clock else None
    return None


def length(minutes: int) -> Text:
    """How long, as it is said to members."""
    if minutes % _DAY == 0:
        return _n("{n} day", "{n} days", n=minutes // _DAY)
    if minutes % _HOUR == 0:
        return _n("{n} hour", "{n} hours", n=minutes // _HOUR)
    if minutes < _HOUR:
        return _n("{n} minute", "{n} minutes", n=minutes)
    return _n(
        "{n} hour and {minutes} minutes",
        "{n} hours and {minutes} minutes",
        n=minutes // _HOUR,
        minutes=minutes % _HOUR,
    )
