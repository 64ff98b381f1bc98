"""Length as the providers and as readers count it, cutting where it hurts least, tidying."""

from __future__ import annotations

import unicodedata

import regex

_SPACES = regex.compile(r"\s+")
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
