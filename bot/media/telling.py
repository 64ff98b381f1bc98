"""Telling: who sent a file that could not be kept hears so, and why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.media.cleaning import BIGGEST
from bot.messages import Message, Text, _
from bot.store import media as files
from bot.store import messages as outbox
from bot.store.media import Media

MOST = f"{BIGGEST >> 20} MB"
MINUTES = 10

_WHAT = {
    "voice": _("Your voice note did not arrive."),
    "video": _("Your video did not arrive."),
    "photo": _("Your photo did not arrive."),
    "document": _("Your file did not arrive."),
}
_WHY = {
    "too_big": _("It is too big: at most {size} can be passed on.", size=MOST),
    "too_long": _("It is too long: at most {n} minutes can be passed on.", n=MINUTES),
    "broken": _("It could not be opened. Please send it again."),
    "unfit": _("It is of a kind that cannot be passed on."),
    "bomb": _("It is of a kind that cannot be passed on."),
}
_LOST = _("It could not be fetched. Please send it again.")


def sentences(kind: str, reason: str) -> tuple[Text, Text]:
    return _WHAT[kind], _WHY.get(reason, _LOST)


def tell(db: Connection, found: Media, reason: str, now: datetime) -> bool:
    """Once, where it came from. Whose it is, is not known of what came without a name.

    It counts as an answer to what she sent then: later, a discreet phone only says that something
    waits.
    """
    here = files.find_sender(db, found)
    if here is None:
        return False
    message = Message(sentences(found.kind, reason))
    outbox.say(db, [(f"media/{found.id}", message, now)], here, found.created_at)
    return True
