"""A pseudo-language: it shows which sentences reach a reader without being in any catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from babel.support import NullTranslations

from bot import i18n

OPEN, CLOSE = "\u27e6", "\u27e7"  # around everything that went through a catalogue


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
    real, watched = i18n.catalogue, Watched(known, strangers)
    i18n.catalogue = lambda _language: watched  # type: ignore[assignment]
    try:
        yield strangers
    finally:
        i18n.catalogue = real
