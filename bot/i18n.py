"""Lao, Khmer and English: catalogues, rendering, matching typed words.

A folder in locales/ is a language. Catalogues are read from their .po files at the start, so there
is nothing to compile and nothing to forget.
"""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from gettext import c2py
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo, available_timezones

import regex
from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_datetime, format_time, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from bot.cutting import graphemes as graphemes
from bot.cutting import shorten as shorten
from bot.cutting import split as split
from bot.cutting import tidy as tidy
from bot.cutting import tidy_name as tidy_name
from bot.cutting import units as units
from bot.messages import Month, Ref, Text

LOCALES = Path(__file__).resolve().parent.parent / "locales"
SOURCE = "en"

Lookup = Callable[[Ref, str], str]  # (what, in which language) -> words
# (language, sentence of the catalogues) -> how a programme would rather have it: its plural forms
Own = Mapping[tuple[str, str], Sequence[str]]
_FIELD = regex.compile(r"\{(\w+)\}")


@cache
def languages() -> tuple[str, ...]:
    """The codes of all languages, as there are folders; English first."""
    found = sorted(path.parent.parent.name for path in LOCALES.glob("*/LC_MESSAGES/messages.po"))
    return (SOURCE, *(code for code in found if code != SOURCE))


@cache
def own_name(language: str) -> str:
    """What a language calls itself, in its own script."""
    name = Locale.parse(language).get_display_name(language) or language
    return name[0].upper() + name[1:]


@cache
def catalogue(language: str) -> NullTranslations:
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    for retired in messages.obsolete.values():  # something unsent may still say it
        messages[retired.id] = retired
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def negotiate(hint: str | None) -> str | None:
    """One of our languages for an IETF tag such as km-KH (or a usual mistake), or None."""
    code = (hint or "").replace("_", "-").split("-")[0].lower()
    code = {"kh": "km", "khm": "km", "lao": "lo", "eng": "en"}.get(code, code)
    return code if code in languages() else None


class Reader:
    """Looks references up for readers whose programme has its own words for some sentences."""

    own: Own = MappingProxyType({})

    def __call__(self, ref: Ref, language: str) -> str:
        raise NotImplementedError


def render(text: Text, language: str, lookup: Lookup, timezone: str = "UTC") -> str:
    """The sentence in this language, with its parameters filled in."""
    if not text.msgid:
        return ""  # gettext would answer with the header of the catalogue
    language = text.language or language
    filled = {
        name: _param(value, language, lookup, timezone) for name, value in text.params.items()
    }
    own = lookup.own if isinstance(lookup, Reader) else None
    said = _own_words(text, language, own, filled) if own else None
    if said is not None:
        return said
    words = catalogue(language)
    if text.plural is None:
        sentence = words.gettext(text.msgid)
    else:
        sentence = words.ngettext(text.msgid, text.plural, _count(text))
    return sentence.format_map(filled) if text.params else sentence


def _own_words(text: Text, language: str, own: Own, filled: Mapping[str, object]) -> str | None:
    """As her programme words it; None if it does not, or if its words do not fit any more."""
    forms = own.get((language, text.msgid))
    if not forms:
        return None
    index = 0 if text.plural is None else plural_forms(language)[1](_count(text))
    form = forms[min(index, len(forms) - 1)]
    try:  # nothing but names in braces means anything here: people wrote it
        return _FIELD.sub(lambda found: str(filled[found[1]]), form)
    except KeyError:
        return None


@cache
def plural_forms(language: str) -> tuple[int, Callable[[int], int]]:
    """How many forms a sentence with a number has, and which of them a number takes."""
    rule = get_plural(language)
    return rule.num_plurals, c2py(rule.plural_expr)


def _count(text: Text) -> int:
    number = text.params.get("n")
    return number if isinstance(number, int) else 0


def _param(value: object, language: str, lookup: Lookup, timezone: str) -> object:
    if isinstance(value, Ref):
        return lookup(value, language)
    if isinstance(value, Text):
        return render(value, language, lookup, timezone)
    if isinstance(value, Month):
        return month(value.at, language, timezone)
    if isinstance(value, datetime):
        return moment(value, language, timezone)
    if isinstance(value, date):
        return day(value, language)
    return value


def moment(at: datetime, language: str, timezone: str) -> str:
    """Weekday, date with the month in words, 24-hour time, in the reader's zone."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{day(local, language)}, {format_time(local, 'HH:mm', locale=language)}"


def short_moment(at: datetime, language: str, timezone: str) -> str:
    """The same as short as a button: "Thu 7 Jan, 14:00"."""
    local = at.astimezone(ZoneInfo(timezone))
    pattern = {"km": "EEE d/M, HH:mm", "lo": "EEE d/M, HH:mm"}.get(language, "EEE d MMM, HH:mm")
    return format_datetime(local, pattern, locale=language)


def day(on: date, language: str) -> str:
    """Weekday and date with the month in words."""
    patterns = {
        "km": "'ថ្ងៃ'EEEE 'ទី'd 'ខែ'MMMM y",
        "lo": "'ວັນ'EEEE 'ທີ' d MMMM y",
    }
    written = format_date(on, patterns.get(language, "EEEE, d MMMM y"), locale=language)
    return written.replace("ວັນວັນ", "ວັນ")


def month(at: datetime, language: str, timezone: str) -> str:
    """The month in words, and its year."""
    patterns = {"km": "'ខែ'MMMM y", "lo": "'ເດືອນ'MMMM y"}
    local = at.astimezone(ZoneInfo(timezone)).date()
    return format_date(local, patterns.get(language, "MMMM y"), locale=language)


@cache
def months() -> tuple[tuple[str, int], ...]:
    """(folded name, number) of the months in all languages, the longest names first."""
    found = {
        fold(name): number
        for language in languages()
        for width in ("wide", "abbreviated")
        for number, name in Locale.parse(language).months["format"][width].items()
    }
    return tuple(sorted(found.items(), key=lambda each: len(each[0]), reverse=True))


def country_of(timezone: str) -> str | None:
    """The country (ISO, two letters) whose time this is, or None."""
    usual = get_global("zone_aliases").get(timezone, timezone)  # US/Eastern, Asia/Saigon
    territory: str | None = get_global("zone_territories").get(usual)
    return territory


def country_name(country: str, language: str) -> str:
    """What a country (ISO, two letters) is called in a language."""
    return str(Locale.parse(language).territories.get(country, country))


def place_of(timezone: str, language: str) -> str:
    """A time zone as people know it: its city, or the offset it is named by."""
    if timezone.startswith(("Etc/", "UTC")):
        offset = timezone.removeprefix("Etc/GMT").translate({43: 45, 45: 43})  # the sign turned
        return f"UTC{offset}" if offset[1:].isdecimal() else "UTC"
    return get_timezone_location(timezone, locale=language, return_city=True)


@cache
def places() -> Mapping[str, str]:
    """Time zones by the folded names of their cities and of countries that have but one."""
    known = available_timezones()
    zones = {zone: country for zone, country in _territories().items() if zone in known}
    found = {fold(zone): zone for zone in zones}
    found |= {fold(zone.rpartition("/")[2].replace("_", " ")): zone for zone in zones}
    in_country = Counter(zones.values())
    for language in languages():
        for zone, country in zones.items():
            found.setdefault(fold(place_of(zone, language)), zone)
            if in_country[country] == 1:
                found.setdefault(fold(country_name(country, language)), zone)
    return found


def _territories() -> dict[str, str]:
    """Countries by time zone; what lies in none is left out."""
    every: Mapping[str, str] = get_global("zone_territories")
    return {zone: country for zone, country in every.items() if not zone.startswith("Etc/")}


# Matching what people type ------------------------------------------------------------------

_INVISIBLE = regex.compile(r"[\u200b-\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f]")
_EDGES = regex.compile(r"^[\p{P}\p{S}\s]+|[\p{P}\p{S}\s]+$")
_SPACES = regex.compile(r"\s+")
_SPELLINGS = (
    ("ຫຼ", "ຫລ"),
    ("ໜ", "ຫນ"),
    ("ໝ", "ຫມ"),
    ("\u17d2\u178a", "\u17d2\u178f"),  # Khmer coeng DA written for coeng TA
)
_LAO_AM = regex.compile("\u0ecd([\u0ec8-\u0ecb]?)\u0eb2")  # niggahita + AA, a tone between them
_LAO_TONES = regex.compile("[\u0eb3\u0ec8-\u0ecb]{2,}")  # AM and tone, in either order
_KHMER_MARKS = regex.compile("[\u17bb\u17c6]{2,}")  # U and nikahit, typed in either order
_COENG_RO = regex.compile("(\u17d2\u179a)(\u17d2[\u1780-\u17a2])")


def fold(text: str) -> str:
    """What a person typed, made comparable: case, spelling variants, digits, invisible signs."""
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text).casefold())
    text = _LAO_AM.sub("\\1\u0eb3", text)
    text = _LAO_TONES.sub(lambda found: "".join(sorted(found[0], key=_am_last)), text)
    text = _KHMER_MARKS.sub(lambda found: "".join(sorted(found[0])), text)
    for variant, usual in _SPELLINGS:
        text = text.replace(variant, usual)
    text = _COENG_RO.sub(r"\2\1", text)
    text = "".join(_digit(sign) for sign in text)
    text = _SPACES.sub(" ", text).strip()
    return _EDGES.sub("", text) or text


def _am_last(sign: str) -> tuple[bool, str]:
    return sign == "\u0eb3", sign


def _digit(sign: str) -> str:
    return str(int(sign)) if not sign.isascii() and sign.isdecimal() else sign


@cache
def word_list(msgid: str) -> frozenset[str]:
    """The folded words of a comma-separated sentence of the catalogues, in all languages."""
    lists = [msgid, *(catalogue(language).gettext(msgid) for language in languages())]
    return frozenset(fold(word) for words in lists for word in words.split(","))


def in_all_languages(text: Text, lookup: Lookup) -> Iterator[str]:
    """The folded renderings of a text; for matching typed labels."""
    for language in languages():
        yield fold(render(text, language, lookup))


_SCRIPTS = {
    "lo": regex.compile(r"[\p{Lao}&&\p{L}]", regex.V1),
    "km": regex.compile(r"[\p{Khmer}&&\p{L}]", regex.V1),
}
_LETTER = regex.compile(r"\p{L}")


def guess_language(text: str) -> str | None:
    """Lao or Khmer if at least 30 % of the letters are; None otherwise (Latin tells nothing)."""
    letters = len(_LETTER.findall(text))
    found = {language: len(script.findall(text)) for language, script in _SCRIPTS.items()}
    likely = max(found, key=lambda language: found[language])
    return likely if letters and found[likely] / letters >= 0.3 else None


def written_in(text: str, language: str) -> str:
    """The language of a text by somebody who reads this one; Latin letters alone are English."""
    script = _SCRIPTS.get(language)
    fallback = language if script is None or script.search(text) else SOURCE
    return guess_language(text) or fallback
