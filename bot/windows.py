"""The window: after her last word a provider lets us write freely for a while, and then no more.

What it closes goes to another app of hers, or waits. Then a template that the provider has
approved, a nudge, says that something waits, and no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.messages import Choice, Limits, Message, _, _n
from bot.store import addresses, moves, nudges, templates, waiting
from bot.store.deliveries import Due
from bot.store.fates import Fate
from bot.timing import Hours, hours_of, quiet_until, zone

NUDGE = "nudge"  # the kind of message, and the name of its template
# Who is in no community yet has no zone: where the programme works it is the same hour everywhere.
NUDGE_ZONE = "Asia/Vientiane"
CLOSED = "window"  # why something is held
FEW = 2  # so many come by themselves when she writes; of more she is asked

_SHOW = Choice("waiting.show", _("Show"))
_SUMMARY = Choice("waiting.summary", _("Summary"))
_LATER = Choice("waiting.later", _("Later"))


def lengths(limits: Mapping[str, Limits]) -> dict[str, timedelta]:
    """How long a last word keeps the window open, for each lane that has one."""
    return {lane: each.window for lane, each in limits.items() if each.window is not None}


def is_open(last_inbound_at: datetime | None, window: timedelta | None, now: datetime) -> bool:
    if window is None:
        return True
    return last_inbound_at is not None and last_inbound_at >= now - window


def verdict(due: Due, window: timedelta | None, now: datetime) -> Fate | None:
    """What may not be said freely now is held until she writes."""
    open_ = is_open(due.last_inbound_at, window, now)
    return None if open_ else Fate(due.id, "held", CLOSED)


def offer(n: int) -> Message:
    """More waits than she may want at once; not a word of what it is."""
    words = (_n("{n} message waits for you.", "{n} messages wait for you.", n=n),)
    return Message(words, (_SHOW, _SUMMARY, _LATER))


# Her other app -----------------------------------------------------------------------------------


def elsewhere(db: Connection, closed: Sequence[Due], now: datetime) -> set[int]:
    """What a window closes goes to another app of hers at once, where she has one; those that go.

    What was sent on already, and finds that window closed too, waits at the app she prefers.
    """
    whole = [each for each in closed if all(part.state == "failed" for part in each.parts)]
    others = moves.list_others(db, [each.address_id for each in whole]) if whole else {}
    gone: set[int] = set()
    for due in whole:
        other = addresses.find(db, others.get(due.address_id, 0))
        if other is None:
            continue
        sent_on = due.reason == CLOSED
        if not sent_on:
            moved = addresses.move(db, [due.id], other, now, since=other.linked_at)
            moves.note_window(db, moved)
        elif other.preferred:
            moved = addresses.move(db, [due.id], other, now, since=None)
            moves.hold(db, moved)
        else:
            continue
        gone.update(moved)
    return gone


# Nudges ------------------------------------------------------------------------------------------


def nudge_verdict(due: Due, window: timedelta | None, now: datetime) -> Fate | None:
    """A nudge is for whom it can still serve, and for the day."""
    for reason, stands in (
        ("stopped", due.member_state != "active"),
        ("unreachable", due.unreachable),
        ("doubt", due.doubted),
        ("opened", is_open(due.last_inbound_at, window, now)),
        ("paused", due.paused_until is not None and due.paused_until > now),
    ):
        if stands:
            return Fate(due.id, "dropped", reason)
    where, hours = nudged_in(due.timezone, due.quiet_from, due.quiet_until)
    until = quiet_until(now, zone(where), hours)
    return None if until is None else Fate(due.id, "held", "quiet", until)


def nudged_in(timezone: str | None, start: int | None, end: int | None) -> tuple[str, Hours]:
    """(zone, quiet hours) that a nudge keeps."""
    where = timezone or NUDGE_ZONE
    return where, hours_of(start, end, where)


def overtaken(db: Connection, lane: str, due: Sequence[Due], now: datetime) -> dict[int, Fate]:
    """Nudges for which nothing waits any more, or whose template the provider took away."""
    told = [each for each in due if each.kind == NUDGE]
    if not told:
        return {}
    waits = waiting.list_called(db, [each.address_id for each in told], now)
    found = {
        each.id: Fate(each.id, "dropped", "opened") for each in told if each.address_id not in waits
    }
    for each in told:
        if templates.find_approved(db, lane, NUDGE, each.language) is None:
            found.setdefault(each.id, Fate(each.id, "dropped", "no_template"))
    return found


def left_now(db: Connection, due: Sequence[Due], now: datetime) -> None:
    """These are said: nudges among them are counted from now on, not from when they were made."""
    told = [each.address_id for each in due if each.kind == NUDGE and not each.parts]
    if told:
        nudges.mark(db, told, now)
