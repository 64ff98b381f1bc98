"""A pseudo-language: it shows which sentences reach a reader without being in any catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from unittest import mock

import regex
from babel.core import Locale, get_global
from babel.support import NullTranslations

from bot import fitting, i18n, planning
from bot.fitting import Fitted
from bot.messages import Limits, Message, Text
from bot.store import references

OPEN, CLOSE = "\u27e6", "\u27e7"  # around everything that went through a catalogue
_INNERMOST = regex.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
_NO_SENTENCE = regex.compile(
    r"https?://\S+|\S+@\S+|UTC[+-]?\d*|[A-Z]{4,5}-[A-Z0-9]+(-[A-Z0-9]+)*|Telegram|WhatsApp"
)
_LETTERS = regex.compile(r"\p{L}{2,}")
ENDLESS = 10**7


class Watched(NullTranslations):
    """Brackets every sentence and keeps those that no catalogue has."""

    def __init__(self, known: frozenset[str], strangers: set[str]) -> None:
        super().__init__()
        self._known = known
        self._strangers = strangers

    def gettext(self, message: str) -> str:
        return self._say(message, message)

    def ngettext(self, singular: str, plural: str, num: int) -> str:
        return self._say(singular, singular if num == 1 else plural)

    def _say(self, msgid: str, said: str) -> str:
        if msgid not in self._known:
            self._strangers.add(msgid)
        return f"{OPEN}{said}{CLOSE}"


@contextmanager
def watching(known: frozenset[str]) -> Iterator[set[str]]:
    """While it is open, every language is the pseudo-language; gives the strangers it met."""
    strangers: set[str] = set()
    watched = Watched(known, strangers)
    own_words = i18n._own_words

    def own(text: Text, *rest: Any) -> str | None:
        said = own_words(text, *rest)
        return None if said is None else watched.gettext(text.msgid) and f"{OPEN}{said}{CLOSE}"

    with (
        mock.patch.object(i18n, "catalogue", lambda _language: watched),
        mock.patch.object(i18n, "_own_words", own),  # as a programme words them
    ):
        yield strangers


@dataclass
class Overheard:
    """What was said to anybody while a talk was played, looked at in the pseudo-language."""

    known: frozenset[str]
    bubbles: int = 0
    strays: set[str] = field(default_factory=set)  # said beside the catalogues
    strangers: set[str] = field(default_factory=set)  # sentences that no catalogue has
    words: set[str] = field(default_factory=set)  # filled into sentences as they are

    def listen(
        self, message: Message, language: str, limits: Limits, *rest: Any, **more: Any
    ) -> None:
        wide = replace(limits, text=ENDLESS, label=ENDLESS)
        param = i18n._param

        def noted(value: object, *others: Any) -> object:
            if isinstance(value, str) and _LETTERS.search(value):
                self.words.add(value)
            return param(value, *others)

        with (
            watching(self.known) as strangers,
            mock.patch.object(i18n, "_param", noted),
            mock.patch.object(references, "shorten", _shorten),
        ):
            fitted = fitting.fit(message, language, wide, *rest, **more)
        self.strangers |= strangers - {i18n.own_name(code) for code in i18n.languages()}
        for said in _said(fitted):
            self.bubbles += 1
            self.strays |= {said} if _LETTERS.search(without_sentences(said)) else set()

    def strange_words(self, typed: str) -> set[str]:
        """What was filled in and is nobody's: not typed, no code, link, place or language."""
        known = {i18n.own_name(language) for language in i18n.languages()}
        return {
            word
            for word in self.words - known
            if word.removesuffix("…") not in typed
            and not _NO_SENTENCE.fullmatch(word)
            and word not in _places()
            and not _is_moment(word)
        }


def _is_moment(word: str) -> bool:
    """Whether it is only a day and an hour: elsewhere than she is, they are filled in ready."""
    return _LETTERS.search(_of_calendars().sub("", word)) is None


@cache
def _of_calendars() -> regex.Pattern[str]:
    """Names of days and months as the bot writes them, and what stands before them."""
    names = {"ວັນ", "ທີ", "ថ្ងៃ", "ទី", "ខែ"}
    for language in i18n.languages():
        known = Locale.parse(language)
        for width in ("wide", "abbreviated"):
            for each in (known.days["format"], known.months["format"]):
                names |= set(each[width].values())
    longest_first = sorted(names, key=len, reverse=True)
    return regex.compile("|".join(regex.escape(each) for each in longest_first))


@cache
def _places() -> frozenset[str]:
    countries = set(get_global("territory_zones"))
    zones = get_global("zone_territories")
    return frozenset(
        name
        for language in i18n.languages()
        for name in (
            *(i18n.country_name(country, language) for country in countries),
            *(i18n.place_of(zone, language) for zone in zones),
        )
    )


def _shorten(words: str, most: int) -> str:
    """A sentence that is cut is still one."""
    short = i18n.shorten(words, most)
    return short + CLOSE * (short.count(OPEN) - short.count(CLOSE))


def without_sentences(said: str) -> str:
    """What stands beside everything that went through a catalogue."""
    shorter = _INNERMOST.sub("", said)
    return shorter if shorter == said else without_sentences(shorter)


def _said(fitted: Fitted) -> Iterator[str]:
    for content in fitted.contents:
        yield str(content.get("text", ""))
        yield from (label for label, _data in content.get("buttons", ()))


@contextmanager
def overhearing(known: frozenset[str]) -> Iterator[Overheard]:
    """While it is open, whatever is put into words for a phone is looked at as well."""
    overheard = Overheard(known)
    real = planning.fit

    def fit(*words: Any, **more: Any) -> Fitted:
        overheard.listen(*words, **more)
        return real(*words, **more)

    with mock.patch.object(planning, "fit", fit):
        yield overheard
