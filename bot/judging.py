"""May what is due still be said? Its member is looked at again each time, whatever was before.

A verdict is None (say it) or the Fate that it gets instead; the first rule that has something
against it decides. What is gathered and what waits for a window have rooms of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import gathering, windows
from bot.channels import Channel
from bot.discretion import ASKED_LASTS, is_unasked
from bot.gathering import LOOKED_AT
from bot.messages import refs_of
from bot.store import (
    addresses,
    consents,
    copies,
    fates,
    followups,
    notices,
    readership,
    reminders,
    sessions,
    threads,
)
from bot.store.deliveries import Due
from bot.store.enclosures import NOTES, list_awaited, shown_in_full
from bot.store.fates import Fate
from bot.timing import hours_of, quiet_until, zone

ATTEMPTS = 5  # a delivery that was taken so often and never even rendered is poison
PERSONAL = ("direct", "safety")
ARRIVES_IN = timedelta(minutes=30)  # so long words wait for the recording that belongs to them
SOON = timedelta(seconds=2)


class Judge:
    """Judges what is due on one channel; holds nothing else."""

    def __init__(self, channel: Channel) -> None:
        self._lane = channel.lane
        self._limits = channel.limits

    def judge(
        self, db: Connection, due: Sequence[Due], unreadable: Sequence[int], now: datetime
    ) -> tuple[list[Due], set[int]]:
        """What may be said, and the addresses that may only hear that something waits."""
        due = _stay(db, due, now)
        due = _anew(db, due)
        over = (
            _misplaced(db, due)
            | _overtaken(db, due, now)
            | windows.overtaken(db, self._lane, due, now)
            | _awaited(db, due, now)
        )
        said: dict[int, int] = {}  # what these say unasked, by member
        verdicts = [over.get(each.id) or self._verdict(each, said, now) for each in due]
        gone = self._elsewhere(db, due, verdicts, now)
        refused = [each for each in verdicts if each is not None and each.delivery_id not in gone]
        gathering.arm(db, due, refused)
        waits = [fate for fate in refused if fate.state in ("queued", "held")]
        ended = [fate for fate in refused if fate.state not in ("queued", "held")]
        ended += [Fate(id_, "failed", "unreadable") for id_ in unreadable]
        if waits:
            fates.put_back(db, waits)
        if ended:
            fates.settle(db, self._lane, ended)
        judged = [pair for pair in zip(due, verdicts, strict=True) if pair[0].id not in gone]
        fine = [each for each, fate in judged if fate is None]
        windows.left_now(db, fine, now)
        return fine, {each.address_id for each, fate in judged if _is_discreet(fate)}

    def _elsewhere(
        self, db: Connection, due: Sequence[Due], verdicts: Sequence[Fate | None], now: datetime
    ) -> set[int]:
        """What waits with its window closed is said in another app of hers; those that go there."""
        if self._limits.window is None:
            return set()
        held = [
            each
            for each, fate in zip(due, verdicts, strict=True)
            if fate is not None
            and fate.reason in (windows.CLOSED, notices.DISCREET)
            and not windows.is_open(each.last_inbound_at, self._limits.window, now)
        ]
        return windows.elsewhere(db, held, now) if held else set()

    def _verdict(self, due: Due, said: dict[int, int], now: datetime) -> Fate | None:
        if due.message.retract is not None:  # takes away, whatever became of her since
            return None if self._limits.retract else Fate(due.id, "dropped", "no_retract")
        if due.kind == windows.NUDGE:
            return self._useless(due, now) or windows.nudge_verdict(due, self._limits.window, now)
        fate = (
            self._useless(due, now)
            or _unwanted(due)
            or _too_early(due, said, now)
            or _closed(due, now)
            or windows.verdict(due, self._limits.window, now)
            or _poison(due)
        )
        if fate is None and gathering.counts(due, now):
            said[due.member_id] = said.get(due.member_id, 0) + 1
        return fate

    def _useless(self, due: Due, now: datetime) -> Fate | None:
        if due.message.commands and not self._limits.commands:
            return Fate(due.id, "dropped", "no_commands")
        if due.expires_at is not None and due.expires_at < now:
            return Fate(due.id, "dropped", "expired")
        return None


# Several at once ---------------------------------------------------------------------------------


def _stay(db: Connection, due: Sequence[Due], now: datetime) -> list[Due]:
    """Without what goes to another app of hers, or to none: this one is of no use."""
    lost = [each.id for each in due if each.unreachable or not each.hers]
    gone = addresses.follow(db, lost, now) if lost else set()
    return [each for each in due if each.id not in gone]


def _anew(db: Connection, due: Sequence[Due]) -> list[Due]:
    """A list of which no bubble has left is rendered anew: what was hidden since is not in it."""
    stale = [
        each.id
        for each in due
        if each.message.listings and each.parts and all(p.state == "failed" for p in each.parts)
    ]
    if stale:
        copies.forget_frozen(db, stale)
    return [replace(each, parts=()) if each.id in stale else each for each in due]


def _overtaken(db: Connection, due: Sequence[Due], now: datetime) -> dict[int, Fate]:
    """What must not be said any more: words that were hidden, notices of what was opened."""
    tried = [each.id for each in due if each.parts]
    hidden = copies.list_hidden(db, tried) if tried else set()
    told = {each.id: each.address_id for each in due if each.kind == "notice"}
    waiting = notices.list_waiting(db, [*told.values()]) if told else set()
    opened = [id_ for id_, address_id in told.items() if address_id not in waiting]
    over = {
        id_: Fate(id_, "dropped", "overtaken")
        for id_ in (*_answered(db, due), *_of_no_use(db, due, now))
    }
    return (
        over
        | {id_: Fate(id_, "dropped", "taken_back") for id_ in (*hidden, *_not_agreed(db, due))}
        | {id_: Fate(id_, "dropped", "opened") for id_ in opened}
    )


def _not_agreed(db: Connection, due: Sequence[Due]) -> list[int]:
    """Those that tell a story which may not be told so any more."""
    told = {
        each.id: each.message.subject.id
        for each in due
        if each.message.subject is not None and each.message.subject.table == consents.TABLE
    }
    over = consents.list_over(db, set(told.values())) if told else set()
    return [id_ for id_, consent_id in told.items() if consent_id in over]


def _answered(db: Connection, due: Sequence[Due]) -> list[int]:
    """Those that say a question waits, which it does no more; none of a digest that says more."""
    waits = {
        each.id: {ref.id for ref in refs_of(each.message) if ref.table == "waiting"}
        for each in due
        if not each.message.listings and all(part.state == "failed" for part in each.parts)
    }
    wanted = set().union(*waits.values())
    still = followups.list_still_waiting(db, wanted) if wanted else set()
    return [id_ for id_, ids in waits.items() if not ids <= still]


def _of_no_use(db: Connection, due: Sequence[Due], now: datetime) -> set[int]:
    """Reminders of a session that is not as it was, or to which she does not come any more."""
    told = [
        (each.id, each.member_id, each.message_id)
        for each in due
        if each.kind == "session"
        and each.message.subject is not None
        and each.message.subject.table == "sessions"
    ]
    return reminders.list_overtaken(db, told, now) if told else set()


def _misplaced(db: Connection, due: Sequence[Due]) -> dict[int, Fate]:
    """What is for a role that she has no more: all but what is about her own question."""
    found = [each for each in due if each.misplaced]
    hers = threads.list_hers(
        db, [(each.id, each.member_id, each.message.subject) for each in found]
    )
    weekly = [each for each in due if each.kind == "rhythm"]
    # One message may speak of several communities: who has left one of them reads none of it.
    told = [(each.id, each.member_id, each.message_id) for each in weekly]
    strange = readership.list_strange(db, told) if told else set()
    wrong = [each for each in found if each.id not in hers]
    wrong += [each for each in weekly if each.id in strange]
    wrong += _of_strange_sessions(db, due)
    return {each.id: Fate(each.id, "dropped", "left") for each in wrong}


def _of_strange_sessions(db: Connection, due: Sequence[Due]) -> list[Due]:
    """What belongs to no community, about a session of one that she has left."""
    found = {
        (each.id, each.member_id, each.message.subject.id): each
        for each in due
        if each.kind == "session"
        and each.community_id is None
        and each.message.subject is not None
        and each.message.subject.table == "sessions"
    }
    strange = sessions.list_strange(db, found.keys()) if found else set()
    return [each for each in found.values() if each.id in strange]


def _awaited(db: Connection, due: Sequence[Due], now: datetime) -> dict[int, Fate]:
    """What brings a recording along waits for it a while; what is said to her herself does not."""
    new = [
        each
        for each in due
        if not each.parts and each.kind != "direct" and now < each.created_at + ARRIVES_IN
    ]
    posts = {
        each.id: {ref.id for ref in shown_in_full(each.message) if ref.table != NOTES}
        for each in new
    }
    wanted = set[int]().union(*posts.values())
    awaited = list_awaited(db, wanted) if wanted else set()
    found = {}
    for each in new:
        if posts[each.id] & awaited:
            waits = max(SOON, (now - each.created_at) / 4)
            again_at = min(now + waits, each.created_at + ARRIVES_IN)
            found[each.id] = Fate(each.id, "queued", "media", again_at)
    return found


# One by one --------------------------------------------------------------------------------------


def _unwanted(due: Due) -> Fate | None:
    """She left, stopped or was erased, cannot be reached, or wants none of it."""
    personal = due.kind in PERSONAL
    if due.member_state == "erasing" and due.kind != "direct":
        return Fate(due.id, "dropped", "erased")
    if due.member_state == "stopped" and not personal:
        return Fate(due.id, "dropped", "stopped")
    if due.community_id is not None and due.membership_state != "active":
        return Fate(due.id, "dropped", "left")
    if due.unreachable and not personal:
        return Fate(due.id, "failed", "unreachable")
    if due.doubted and due.kind != "direct":
        return Fate(due.id, "held", "doubt")
    to_all = due.wide or due.kind == "digest"
    muted = due.pace == "muted" or (to_all and due.pace == "concerns")
    return Fate(due.id, "dropped", "pace") if muted and not personal else None


def _too_early(due: Due, said: dict[int, int], now: datetime) -> Fate | None:
    """It waits because she set it so; what she just asked for does not, nor what has begun."""
    asked = due.asked_at is not None and due.asked_at >= now - ASKED_LASTS
    begun = any(part.state != "failed" for part in due.parts)
    if due.kind in PERSONAL or asked or begun:
        return None
    if gathering.is_unasked(due):
        return gathering.verdict(due, said.get(due.member_id, 0), now)
    if due.paused_until is not None and due.paused_until > now:
        return _wait(due, due.paused_until, "paused", now)
    hours = hours_of(due.quiet_from, due.quiet_until, due.timezone)
    until = quiet_until(now, zone(due.timezone), hours)
    return None if until is None else _wait(due, until, "quiet", now)


def _wait(due: Due, until: datetime, why: str, now: datetime) -> Fate:
    return Fate(due.id, "held", why, min(until, now + LOOKED_AT))


def _closed(due: Due, now: datetime) -> Fate | None:
    """A discreet phone only hears that it waits."""
    if due.discreet and is_unasked(due.kind, due.message, due.asked_at, now):
        return Fate(due.id, "held", notices.DISCREET)
    return None


def _poison(due: Due) -> Fate | None:
    poison = due.attempts >= ATTEMPTS and not due.parts
    return Fate(due.id, "failed", "poison") if poison else None


def _is_discreet(fate: Fate | None) -> bool:
    return fate is not None and fate.reason == notices.DISCREET
