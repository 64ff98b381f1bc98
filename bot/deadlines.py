"""Deadlines: until which evening something is open, as she chooses or types it."""

from __future__ import annotations

from datetime import datetime

from bot.messages import _
from bot.store import presence
from bot.timing import zone
from bot.turn import Turn
from bot.when import evenings
from bot.when.dates import Unclear


def read(turn: Turn, after: datetime) -> datetime | None:
    """So many days later than this moment, or a day that is typed; None: she was asked again."""
    where = zone(presence.get(turn.db, turn.member.id).timezone)
    if turn.choice:
        return evenings.after(after, int(turn.choice), where)
    at = evenings.read(turn.text, turn.now, where)
    if isinstance(at, Unclear):
        turn.again(*evenings.question(at, where))
        return None
    if at <= after:
        turn.again(_("That day is too early. It must be later than {at}.", at=after))
        return None
    return at
