"""Asking without a name: how long words are held, and what in them may tell who wrote them."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import regex
from sqlalchemy import Connection

from bot.i18n import fold, graphemes
from bot.messages import Text, _
from bot.naming import holds_number
from bot.store import envelopes

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=10)  # that words and acts are held
SMALL = 5  # in a group of fewer, the others may guess who asks
TELLING = _(
    "Something in it may tell who you are: a number, an @name, a link, your name or organisation."
)

_VOICE = _("A voice is recognisable: who knows you may hear that it is you.")
_SEEN = _("A picture may tell who you are: a face, a place, a thing that others know.")
_FILE = _("A file may tell who you are by what stands in it.")

_HANDLE = regex.compile(r"(?<![\w.])@\w{2,}|\b[\w.+-]+@[\w-]+\.\w+")
_LINK = regex.compile(
    r"(?:https?://|www\.|\bt\.me/|\bwa\.me/)\S+|\b[\w-]+\.(?:com|org|net|la|kh)\b", regex.I
)


def tells_who(text: str, *names: str | None) -> bool:
    """Whether words hold a number, an @name, a link, or one of these names."""
    if holds_number(text) or _HANDLE.search(text) or _LINK.search(text):
        return True
    folded = f" {fold(text)} "
    return any(_holds(folded, fold(each)) for each in names if each and graphemes(each) > 1)


def tells_by_sight(kinds: Collection[str]) -> list[Text]:
    """What recordings, pictures and files may tell, whatever the words hide."""
    said = [
        _VOICE if "voice" in kinds or "video" in kinds else None,
        _SEEN if "photo" in kinds or "video" in kinds else None,
        _FILE if "document" in kinds else None,
    ]
    return [each for each in said if each is not None]


def _holds(text: str, name: str) -> bool:
    """As a word where words are spaced; Lao and Khmer write without spaces."""
    spaced = name.isascii()
    return (
        regex.search(rf"\b{regex.escape(name)}\b" if spaced else regex.escape(name), text)
        is not None
    )


def hold(db: Connection, content: dict[str, Any], now: datetime) -> None:
    """Keep this sealed until a random moment; what she does in one thread keeps its order."""
    same = (
        due_at
        for _id, due_at, each in envelopes.list_of(db, content["member"])
        if each.get("thread") == content.get("thread")
    )
    after = max(same, default=now) + timedelta(seconds=5)
    envelopes.add(db, {**content, "at": now.isoformat()}, max(now + delay(content), after))


def delay(_content: dict[str, Any]) -> timedelta:
    """How long something is held; nothing about it decides, only chance."""
    span = LONGEST - SHORTEST
    return SHORTEST + timedelta(seconds=secrets.randbelow(int(span.total_seconds())))
