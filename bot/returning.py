"""Returning: she writes after a silence. She is answered first; then comes what waited for her.

A little comes by itself. Of more she is asked, once a day, and never in the middle of something:
what a number means is the list that stands last on her screen.
"""

from __future__ import annotations

from datetime import datetime

from bot.store import waiting
from bot.timing import next_at, zone
from bot.turn import Turn
from bot.windows import FEW, NUDGE_ZONE, offer

_HERS = ("message", "tap", "unblocked")  # after what she did she may be asked


def take_up(turn: Turn) -> None:
    """At the end of a turn, when it is known what was said and whether she is asked something."""
    found = waiting.list_of(turn.db, turn.address_id, turn.now)
    many = len(found) > FEW and waiting.wants(turn.db, turn.member.id, turn.now)
    if not many:
        waiting.release(turn.db, turn.address_id, turn.now)
    else:
        waiting.release_small(turn.db, turn.address_id, turn.now)
    until = _asked(turn, len(found)) if many else None
    if until != turn.sender.offer_at:
        waiting.put_off(turn.db, turn.address_id, until)


def _asked(turn: Turn, n: int) -> datetime:
    """Ask her, unless something else is asked; when she is asked the next time."""
    if turn.asked is not None or turn.offered or turn.inbound.kind not in _HERS:
        return turn.sender.offer_at or turn.now
    message = offer(n)
    turn.say(*message.paragraphs, choices=message.choices)
    return another_day(turn.now, turn.member.timezone)


def another_day(now: datetime, timezone: str | None) -> datetime:
    """When her next day begins."""
    return next_at(now, zone(timezone or NUDGE_ZONE), 0)
