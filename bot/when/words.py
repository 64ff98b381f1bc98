"""What people type about time, cut into words that mean something: in three languages, any digits.

A word is a letter and its values; `codes` of a text are what bot/when/rules.py reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import regex

from bot.i18n import catalogue, fold, languages, months, word_list
from bot.messages import N_

LONGEST = 200  # letters; more is a story and no time

MORNING, AFTERNOON, EVENING, NIGHT = range(4)

WEEKDAYS = (
    N_("monday, mon"),
    N_("tuesday, tue, tues"),
    N_("wednesday, wed, weds"),
    N_("thursday, thu, thur, thurs"),
    N_("friday, fri"),
    N_("saturday, sat"),
    N_("sunday, sun"),
)
TOMORROW = N_("tomorrow, tommorow, tomorow, tmrw")
BEFORE_NOON = N_("in the morning, morning, mornings, before noon")
AFTER_NOON = N_("in the afternoon, afternoon, afternoons, after noon")
IN_THE_EVENING = N_("in the evening, evening, evenings")
DAYS, WEEKS, MONTHS = N_("day, days"), N_("week, weeks"), N_("month, months")
OCLOCK = N_("o'clock, oclock")
MINUTES = N_("minute, minutes, min, mins")
HALF = N_("half past, and a half, half")
TO = N_("to, until, till, through")
FROM = N_("from")
AT = N_("at, at about, about, around")
ONE = N_("a, an")
# Where two languages need one word for two things, what stands first counts.
_WORDS: tuple[tuple[str, int, str], ...] = (
    ("R", 0, N_("today")),
    ("R", 1, TOMORROW),
    ("R", 2, N_("day after tomorrow, overmorrow")),
    ("R", -1, N_("yesterday")),
    ("E", NIGHT, N_("tonight")),
    ("s", MORNING, BEFORE_NOON),
    ("s", AFTERNOON, AFTER_NOON),
    ("s", EVENING, IN_THE_EVENING),
    ("s", NIGHT, N_("at night, in the night, night")),
    ("z", 0, N_("noon, midday, mid-day, lunchtime")),
    ("Z", 0, N_("midnight")),
    ("X", 0, N_("after next")),
    ("x", 0, N_("next, following")),
    ("t", 0, N_("this, this coming, coming")),
    ("l", 0, N_("last, previous, ago")),
    ("v", 0, N_("before")),  # and, behind a day in Lao and Khmer, the one before
    ("j", 0, N_("from now, from today, later, time")),
    ("i", 0, N_("in, after, within")),
    ("w", 0, N_("weekend, the weekend")),
    ("k", 0, WEEKS),
    ("d", 0, DAYS),
    ("o", 0, MONTHS),
    ("y", 0, N_("year, b.e, be, a.d, ad, ce")),
    ("O", 0, OCLOCK),
    ("h", 0, N_("hour, hr, hrs")),
    ("u", 0, MINUTES),
    ("H", 0, HALF),
    ("Q", 0, N_("quarter")),
    ("p", 0, N_("past")),
    ("b", 0, N_("short of")),
    ("G", 0, N_("o'clock at night")),
    ("g", 0, N_("o'clock before dawn")),
    ("-", 0, TO),
    ("r", 0, N_("or, and")),
    ("a", 0, AT),
    ("a", 0, FROM),
    ("T", 0, N_("date, the date")),
    ("A", 1, ONE),
    ("", 0, N_("on, of, the, please, for")),  # these tell nothing, and are no strangers
)
# One place for each number and month; other ways to write it stand behind a slash.
NUMBERS = N_(
    "one/first, two/second, three/third, four/fourth, five/fifth, six/sixth, seven/seventh, "
    "eight/eighth, nine/ninth, ten/tenth, eleven/eleventh, twelve/twelfth, thirteen/thirteenth, "
    "fourteen/fourteenth, fifteen/fifteenth, sixteen/sixteenth, seventeen/seventeenth, "
    "eighteen/eighteenth, nineteen/nineteenth, twenty/twentieth, twenty-one/twenty-first, "
    "twenty-two/twenty-second, twenty-three/twenty-third, twenty-four/twenty-fourth, "
    "twenty-five/twenty-fifth, twenty-six/twenty-sixth, twenty-seven/twenty-seventh, "
    "twenty-eight/twenty-eighth, twenty-nine/twenty-ninth, thirty/thirtieth, "
    "thirty-one/thirty-first"
)
_MONTHS = N_("jan, feb, mar, apr, may, jun, jul, aug, sept, oct, nov, dec")

_WEAK = "WNMsTi"  # short words that may stand within others: not amid letters we do not know
_FIGURES = (  # in this order
    ("I", r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)"),
    ("S", r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)"),
    ("C", r"(\d{1,3})\s?[:h]\s?(\d{1,2})(?!\d)(?:\s*([ap])\.?m(?![a-z]))?"),
    ("C", r"(\d{1,2})(?:\.(\d{2}))?\s*([ap])\.?m(?![a-z])"),
    ("C", r"(\d{1,2})()()h(?![a-z])"),
    ("S", r"(\d{1,2})(/)(\d{1,2})()(?!\d)"),
    ("D", r"(\d{1,2})\.(\d{1,2})(?!\d)"),
    ("n", r"(\d{1,3})\s?(?:st|nd|rd|th)(?![a-z])"),
    ("Y", r"(\d{4})(?!\d)"),
    ("N", r"(\d{1,2})(?!\d)"),
    ("L", r"(\d{3})(?!\d)"),
)


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that means something."""

    code: str
    values: tuple[int, ...]
    figures: bool = True  # typed in digits
    padded: bool = False  # with a nought before it: of 24 hours


@dataclass(frozen=True, slots=True)
class _Piece:
    word: Word
    start: int
    end: int
    weak: bool


def words_of(text: str) -> list[Word]:
    """What it says of time; what is strange to us is a word "." of its own."""
    typed = _tidied(text)
    if len(typed) > LONGEST:
        return []
    pieces = list(_pieces(typed))
    kept = [each for each in pieces if not (each.weak and _is_amid(typed, each, pieces))]
    return list(_with_strangers(typed, kept))


def codes(words: list[Word]) -> str:
    return "".join(word.code for word in words)


@cache
def numbers() -> dict[str, int]:
    """The folded words of numbers, to 31."""
    ones = dict.fromkeys(word_list(ONE), 1)
    return ones | {word: number for number, each in _row(NUMBERS) for word in each}


def _tidied(text: str) -> str:
    """Khmer writes its own sign between hours and minutes; a fraction is a half."""
    typed = regex.sub(r"(?<=\p{Nd})\s?[\u17c8\uff1a]\s?(?=\p{Nd})", ":", text)
    # The plural is a command of ours, and no list of words may have it besides.
    typed = regex.sub(r"(?i)\bhours\b", "hour", typed)
    typed = regex.sub(r"(?<=\p{Nd})?½", " and a half ", typed)
    return regex.sub(r"[\p{Pd}~]", "-", fold(typed).replace("\u2019", "'"))


def _pieces(typed: str) -> Iterator[_Piece]:
    at = 0
    while at < len(typed):
        piece = _figure(typed, at) or _known(typed, at)
        if piece is None:
            at += 1
        else:
            yield piece
            at = piece.end


def _figure(typed: str, at: int) -> _Piece | None:
    if not typed[at].isdecimal():
        return None
    for code, pattern in _figures():
        found = pattern.match(typed, at)
        if found is not None:
            return _Piece(_word_of_figures(code, found), at, found.end(), False)
    end = next((n for n in range(at, len(typed)) if not typed[n].isdecimal()), len(typed))
    return _Piece(Word(".", ()), at, end, False)


@cache
def _figures() -> tuple[tuple[str, regex.Pattern[str]], ...]:
    return tuple((code, regex.compile(pattern)) for code, pattern in _FIGURES)


def _word_of_figures(code: str, found: regex.Match[str]) -> Word:
    if code == "C":
        side = {"a": 1, "p": 2}.get(found[3] or "", 0)
        padded = found[1].startswith("0")
        return Word(code, (int(found[1]), int(found[2] or 0), side), padded=padded)
    values = [int(each) for each in found.groups() if each and each.isdecimal()]
    return Word(code, tuple(values), padded=found[1].startswith("0"))


def _known(typed: str, at: int) -> _Piece | None:
    found = _pattern().match(typed, at)
    if found is None:
        return None
    code, value = _lexicon()[found[0]]
    weak = code in _WEAK and not found[0].isascii() and not found[0].startswith(_PREFIXES)
    return _Piece(Word(code, (value,), figures=False), at, found.end(), weak)


_PREFIXES = ("ວັນ", "ມື້", "ថ្ងៃ")  # with one of these it is no part of another word


@cache
def _pattern() -> regex.Pattern[str]:
    longest_first = sorted(_lexicon(), key=len, reverse=True)
    ascii_ones = "|".join(regex.escape(each) for each in longest_first if each.isascii())
    others = "|".join(regex.escape(each) for each in longest_first if not each.isascii())
    return regex.compile(rf"(?<![a-z'])(?:{ascii_ones})(?![a-z'])|(?:{others})(?!\p{{M}})|-")


@cache
def _lexicon() -> dict[str, tuple[str, int]]:
    """What each folded word is."""
    found: dict[str, tuple[str, int]] = {"-": ("-", 0)}
    for code, value, msgid in _WORDS:
        for word in word_list(msgid):
            found.setdefault(word, (code, value))
    for weekday, msgid in enumerate(WEEKDAYS):
        found |= dict.fromkeys(word_list(msgid), ("W", weekday))
    found |= {word: ("M", number) for word, number in months()}
    for code, msgid in (("M", _MONTHS), ("N", NUMBERS)):
        for number, spellings in _row(msgid):
            for word in spellings:
                found.setdefault(word, (code, number))
    return found


def _row(msgid: str) -> Iterator[tuple[int, list[str]]]:
    for said in (msgid, *(catalogue(language).gettext(msgid) for language in languages())):
        for number, spellings in enumerate(said.split(","), 1):
            yield number, [fold(each) for each in spellings.split("/")]


def _is_amid(typed: str, piece: _Piece, pieces: list[_Piece]) -> bool:
    """Whether a letter stands at its side that belongs to no word we know."""
    known = {at for each in pieces for at in range(each.start, each.end)}
    return any(
        0 <= at < len(typed) and at not in known and typed[at].isalpha()
        for at in (piece.start - 1, piece.end)
    )


def _with_strangers(typed: str, pieces: list[_Piece]) -> Iterator[Word]:
    at = 0
    for each in [*pieces, _Piece(Word("", ()), len(typed), len(typed), False)]:
        if any(sign.isalnum() for sign in typed[at : each.start]):
            yield Word(".", ())
        if each.word.code:
            yield each.word
        at = each.end
