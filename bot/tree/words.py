"""What of a moment can stand on a leaf: in scripts that we draw right, in whole clusters, no more.

A shaper puts a dotted circle where a sign has nothing to stand on. So a cluster is drawn as its
script's shaper knows it, or its loose signs are left away.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import regex
from fontTools.ttLib import TTFont
from justmytype_intl_sea import get_font_pack

LAO, KHMER, THAI = "lo", "km", "th"  # scripts, by the language that tells a shaper of them
FILES = {LAO: "NotoSansLao", KHMER: "NotoSansKhmer", THAI: "NotoSansThai"}

# As HarfBuzz knows a Khmer syllable; whatever it does not know gets a dotted circle.
_C = "[\u1780-\u17b3]"
_CN = f"{_C}[\u17c9\u17ca\u17cc]?"
_X = "[\u17c6\u17cb\u17cd-\u17d1]*"
_PRE = "[\u17c1-\u17c3]"
_BELOW = "[\u17bb-\u17bd]"
_ABOVE = "[\u17b7-\u17ba]"
_SPLIT = "[\u17be\u17bf\u17c0\u17c4\u17c5]"  # stand before and after, or above
_VOWEL = f"(?:{_PRE}|{_SPLIT}|{_BELOW}{_X}{_ABOVE}?|{_ABOVE})?{_X}\u17b6?"
_AFTER = "[\u17c7\u17c8\u17d3\u17dd]*"
_SYLLABLE = f"{_CN}(?:\u17d2{_CN}){{0,2}}{_X}{_VOWEL}{_X}{_AFTER}"

_LAO_MARKS = "[\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece]"
_THAI_MARKS = "[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]"
_CLUSTERS = {
    KHMER: f"{_SYLLABLE}|[\u17d4-\u17dc\u17e0-\u17e9]",
    LAO: f"(?!{_LAO_MARKS})[\u0e80-\u0eff](?:{_LAO_MARKS}{{0,3}})",
    THAI: f"(?!{_THAI_MARKS})[\u0e01-\u0e5b](?:{_THAI_MARKS}{{0,3}})",
}
_ANY = regex.compile(
    "|".join(f"(?P<{name}>{each})" for name, each in _CLUSTERS.items()) + "|(?P<other>.)"
)
_SPACE = regex.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one line that one font draws."""

    script: str
    text: str


@cache
def font_file(script: str) -> str:
    """Where the font of a script lies."""
    [folder] = get_font_pack().get_font_directories()
    [found] = folder.rglob(f"{FILES[script]}[[]*.ttf")
    return str(found)


@cache
def _drawn(script: str) -> frozenset[str]:
    """The characters that the font of a script has."""
    with TTFont(font_file(script), lazy=True) as font:
        return frozenset(chr(code) for code in font.getBestCmap()) - {"\u25cc"}


def drawable(text: str) -> str:
    """What is left of somebody's words when all is gone that could not be drawn right."""
    found = []
    for cluster in _ANY.finditer(unicodedata.normalize("NFC", text)):
        piece = cluster.group()
        if cluster.lastgroup == "other":
            piece = " " if piece.isspace() else _plain(piece)
        elif not set(piece) <= _drawn(cluster.lastgroup or LAO):
            piece = ""
        found.append(piece)
    return _SPACE.sub(" ", "".join(found)).strip(" \u200b")


def _plain(character: str) -> str:
    """Latin letters, figures and signs that all three fonts have; a loose accent is none."""
    if unicodedata.category(character)[0] in "MC":
        return "\u200b" if character == "\u200b" else ""
    return character if character in _drawn(LAO) & _drawn(KHMER) else ""


def runs(line: str, script: str = LAO) -> Iterator[Run]:
    """A line by script; what belongs to none goes with what stands before it."""
    current, gathered = script, ""
    for character in line:
        own = _script(character)
        if own not in (None, current) and any(map(_script, gathered)):
            yield Run(current, gathered)
            gathered = ""
        current = own or current
        gathered += character
    if gathered:
        yield Run(current, gathered)


def _script(character: str) -> str | None:
    if "\u0e80" <= character <= "\u0eff":
        return LAO
    if "\u0e01" <= character <= "\u0e5b":
        return THAI
    return KHMER if "\u1780" <= character <= "\u17ff" else None
