"""Lao, Khmer and English: catalogues, rendering, matching typed words, cutting long text.

A folder in locales/ is a language. Catalogues are read from their .po files at the start, so there
is nothing to compile and nothing to forget.
"""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import regex
from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_time, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from bot.messages import Ref, Text

LOCALES = Path(__file__).resolve().parent.parent / "locales"
SOURCE = "en"

Lookup = Callable[[Ref, str], str]  # (what, in which language) -> words


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


def render(text: Text, language: str, lookup: Lookup, timezone: str = "UTC") -> str:
    """The sentence in this language, with its parameters filled in."""
    if not text.msgid:
        return ""  # gettext would answer with the header of the catalogue
    language = text.language or language
    words = catalogue(language)
    if text.plural is None:
        sentence = words.gettext(text.msgid)
    else:
        sentence = words.ngettext(text.msgid, text.plural, _count(text))
    if not text.params:
        return sentence
    filled = {
        name: _param(value, language, lookup, timezone) for name, value in text.params.items()
    }
    return sentence.format_map(filled)


def _count(text: Text) -> int:
    number = text.params.get("n")
    return number if isinstance(number, int) else 0


def _param(value: object, language: str, lookup: Lookup, timezone: str) -> object:
    if isinstance(value, Ref):
        return lookup(value, language)
    if isinstance(value, Text):
        return render(value, language, lookup, timezone)
    if isinstance(value, datetime):
        return moment(value, language, timezone)
    if isinstance(value, date):
        return day(value, language)
    return value


def moment(at: datetime, language: str, timezone: str) -> str:
    """Weekday, date with the month in words, 24-hour time, in the reader's zone."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{day(local, language)}, {format_time(local, 'HH:mm', locale=language)}"


def day(on: date, language: str) -> str:
    """Weekday and date with the month in words."""
    patterns = {
        "km": "'ថ្ងៃ'EEEE 'ទី'd 'ខែ'MMMM y",
        "lo": "'ວັນ'EEEE 'ທີ' d MMMM y",
    }
    written = format_date(on, patterns.get(language, "EEEE, d MMMM y"), locale=language)
    return written.replace("ວັນວັນ", "ວັນ")


def country_of(timezone: str) -> str | None:
    """The country (ISO, two letters) whose time this is, or None."""
    territory: str | None = get_global("zone_territories").get(timezone)
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


# Length and cutting -------------------------------------------------------------------------

_GRAPHEME = regex.compile(r"\X")
_LEADING_VOWELS = "ເແໂໃໄ"  # Lao: written before the consonant they belong to
_BREAKS = ("\n\n", "\n", "។", ". ", "? ", " ", "\u200b")


def units(text: str) -> int:
    """Length in UTF-16 units, which is what the providers count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def graphemes(text: str) -> int:
    """Length as a reader sees it."""
    return len(_GRAPHEME.findall(text))


def shorten(text: str, most: int) -> str:
    """At most so many graphemes, on one line, with … where something is missing."""
    signs = _GRAPHEME.findall(_SPACES.sub(" ", text).strip())
    if len(signs) <= most:
        return "".join(signs)
    return "".join(signs[: most - 1]).rstrip(_LEADING_VOWELS + " ") + "…"


def split(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut where it hurts least, never inside a grapheme."""
    parts = []
    while units(text) > limit:
        cut = _cut(text, limit)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [part for part in (*parts, text) if part]


def _cut(text: str, limit: int) -> int:
    end = _fitting(text, limit)
    for mark in _BREAKS:
        found = text.rfind(mark, end // 2, end)
        if found > 0:
            return found + len(mark)
    return end


def _fitting(text: str, limit: int) -> int:
    """The longest prefix of whole graphemes within the limit (at least one sign is taken)."""
    end = used = 0
    for match in _GRAPHEME.finditer(text):
        used += units(match.group())
        if used > limit:
            break
        end = match.end()
    return end or _fitting_signs(text, limit)


def _fitting_signs(text: str, limit: int) -> int:
    """Where one grapheme alone is too long for a part: as many of its signs as fit."""
    end = used = 0
    while end < len(text) and used + units(text[end]) <= max(limit, 2):
        used += units(text[end])
        end += 1
    return end


_LINE_END = regex.compile(r"\r\n|[\r\u0085\u2028\u2029]")
# Markup of both apps, signs that turn the direction of text, and names that cannot be seen.
_NOT_IN_NAMES = regex.compile(
    r"[*_~`<>\[\]|@\p{Bidi_Control}\u200b\u2060\ufeff\u00ad\u3164\u115f\u1160\uffa0]"
)


def tidy(text: str) -> str:
    """Text as it is stored: NFC, no control signs but line ends, no edges of white space."""
    text = _LINE_END.sub("\n", text).replace("\t", " ")
    kept = (sign for sign in text if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def tidy_name(text: str, most: int = 40) -> str:
    """A name for one line of others' screens: no line ends, no markup, not endless."""
    return shorten(_NOT_IN_NAMES.sub("", tidy(text)), most)
