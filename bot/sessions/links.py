"""Links that people write: what is meant as one, and whether it can work."""

from __future__ import annotations

import regex

START = "https://"
GOOD, OPEN, NONE = "good", "open", "none"  # open: anybody on the way reads along

_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?"
_HOST = rf"(?:{_LABEL}\.)+\p{{L}}[\p{{L}}\p{{M}}\p{{N}}-]*"
_REST = r"(?::\d{2,5})?(?:[/?#][^\s<>\"]*)?"
_WHOLE = regex.compile(rf"(https?)://{_HOST}{_REST}", regex.I)
_BARE = regex.compile(rf"(?:www\.{_HOST}{_REST}|(?:[a-z0-9-]+\.)+[a-z]{{2,}}/\S*)", regex.I)
# Words that begin like an address: of another kind, or mistyped.
_MEANT = regex.compile(
    r"\S*://.*|h?t+ps?(?:[:;/].*)?|www\..*|(?:javascript|data|file|vbscript):.*", regex.I | regex.S
)
_EDGES = "()<>[]\"'«»“”‘’.,;!?"


def read(text: str) -> tuple[str | None, str]:
    """(GOOD, OPEN, NONE; None = no link is meant, the text with what was left out put in)."""
    found, words = set(), []
    for blank, word in regex.findall(r"(\s*)(\S+)", text):
        kind, said = _word(word)
        found.add(kind)
        words.append(blank + said)
    for kind in (NONE, OPEN, GOOD):
        if kind in found:
            return kind, "".join(words)
    return None, text


def _word(word: str) -> tuple[str | None, str]:
    bare = word.strip(_EDGES)
    if _BARE.fullmatch(bare):
        return GOOD, word.replace(bare, f"{START}{bare}", 1)
    whole = _WHOLE.fullmatch(bare)
    if whole is not None:
        safe = whole[1].casefold() == "https"
        return (GOOD, word) if safe else (OPEN, word)
    return (NONE if _MEANT.fullmatch(bare) else None), word


def secured(text: str) -> str:
    """The same with https, for whoever would like to try whether that works."""
    return regex.sub(r"\bhttp://", START, text, flags=regex.I)
