"""Seats: who has one, who waits for one, and to whom one that is free is offered.

All of it happens while the session's row is held, so that however many answer at the same moment,
there are never more people than seats, and who came first is asked first. A seat is offered for a
day at most, less when the session is near; the time counts from when she can hear of it. Whoever
rests or cannot be reached keeps her place, and the seat goes to the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.i18n import fold
from bot.messages import Choice, Message, _
from bot.store import copies, hosts, members, needs, sessions, signups
from bot.store import messages as outbox
from bot.store.audiences import Audience
from bot.store.sessions import PLANNED, Session
from bot.store.signups import INVITED, LINED_UP, MAYBE, NO, OFFERED, SEATED, YES, Candidate
from bot.telling import tell
from bot.timing import Hours, hours_of, next_at, quiet_until, zone

LONGEST = timedelta(hours=24)  # that a seat is kept for somebody
SPARE = timedelta(hours=1)  # before it begins, for the one after her
QUARTER = timedelta(minutes=15)
LEAST = timedelta(minutes=10)  # with less time nobody can be asked any more


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer."""

    # yes, maybe, no; waiting (all seats are taken); full (and it has begun, so nobody waits);
    # over, cancelled: nothing was changed
    kind: str
    was: str | None = None  # what she answered before
    number: int = 0  # in the waiting list, from 1


def answer(db: Connection, now: datetime, session: Session, member_id: int, answer: str) -> Outcome:
    """She says yes, maybe or no; said twice it is the same."""
    held = sessions.lock(db, session.id) if _is_limited(session) else sessions.find(db, session.id)
    if held is None or held.state != PLANNED or held.ends_at <= now:
        return Outcome("cancelled" if held is not None and held.state == "cancelled" else "over")
    before = signups.find(db, held.id, member_id)
    was = None if before is None else before.answer
    if before is not None and before.offered_until is not None:
        _keep_back(db, held.id, member_id, before.offered_until)
    if answer == YES:
        return _come(db, now, held, member_id, was)
    signups.mark(db, held.id, member_id, MAYBE if answer == MAYBE else NO, now)
    if was in SEATED:
        _settle(db, now, held)
    return Outcome(answer, was)


def free_up(db: Connection, now: datetime, session_id: int) -> int:
    """Seats that are free, for whatever reason, go to those who wait; how many were offered.

    Of a session that was called off nothing is offered any more.
    """
    session = sessions.lock(db, session_id)
    return 0 if session is None else _settle(db, now, session)


def leave(db: Connection, now: datetime, member_id: int, community_id: int) -> None:
    """She left a community: her seats there go to others, and what she needed is forgotten."""
    hosts.leave(db, member_id, community_id)
    for session_id in signups.leave(db, member_id, community_id, now):
        needs.remove(db, session_id, member_id)
        free_up(db, now, session_id)


def pass_on(db: Connection, now: datetime, most: int) -> int:
    """Where a seat was not taken in time, or somebody went silently; how many were offered."""
    return sum(free_up(db, now, id_) for id_ in signups.list_due(db, now, most))


# One who would like to come ----------------------------------------------------------------------


def _come(
    db: Connection, now: datetime, session: Session, member_id: int, was: str | None
) -> Outcome:
    if was == YES:
        return Outcome(YES, was)
    if not _is_limited(session) or session.is_led_by(member_id):
        signups.mark(db, session.id, member_id, YES, now)
        return Outcome(YES, was)
    _settle(db, now, session)
    hers = signups.find(db, session.id, member_id)
    is_kept = hers is not None and hers.answer == OFFERED
    room = _room(session, signups.list_candidates(db, session.id))
    if is_kept or room.has_seat_for(members.find_organisation(db, member_id)):
        signups.mark(db, session.id, member_id, YES, now)
        return Outcome(YES, was)
    if session.starts_at <= now:
        return Outcome("full", was)
    if hers is None or hers.answer != LINED_UP:
        signups.mark(db, session.id, member_id, LINED_UP, now)
        hers = signups.find(db, session.id, member_id)
    assert hers is not None
    return Outcome(LINED_UP, was, signups.count_before(db, hers) + 1)


def _is_limited(session: Session) -> bool:
    return session.seats is not None or session.seats_each is not None


# Seats -------------------------------------------------------------------------------------------


@dataclass
class _Room:
    """What is taken of a session."""

    seats: int | None
    seats_each: int | None
    taken: int = 0
    by_organisation: Counter[str] = field(default_factory=Counter)

    def take(self, organisation: str | None) -> None:
        self.taken += 1
        if organisation:
            self.by_organisation[fold(organisation)] += 1

    def has_seat_for(self, organisation: str | None) -> bool:
        """Of one organisation only so many; who is of none is nobody's."""
        if self.seats is not None and self.taken >= self.seats:
            return False
        if self.seats_each is None or not organisation:
            return True
        return self.by_organisation[fold(organisation)] < self.seats_each


def _room(session: Session, found: Sequence[Candidate]) -> _Room:
    room = _Room(session.seats, session.seats_each)
    for each in found:
        if each.answer in SEATED:
            room.take(each.organisation)
    return room


def _settle(db: Connection, now: datetime, session: Session) -> int:
    """Offers that lapsed end, who went gives way, and free seats are offered, the first first."""
    found = signups.list_candidates(db, session.id)
    if session.state != PLANNED:
        _end_offers(db, now, session, found)
        return 0
    left = [each for each in found if not _gives_way(db, now, session, each)]
    room, offered = _room(session, left), 0
    for each in left:
        if each.answer != LINED_UP or not room.has_seat_for(each.organisation):
            continue
        until = _keeps_until(each, session.starts_at, now)
        if until is not None:
            room.take(each.organisation)
            _offer(db, now, session, each.member_id, until)
            offered += 1
    return offered


def _gives_way(db: Connection, now: datetime, session: Session, each: Candidate) -> bool:
    """Whether she is counted no more; who stopped may come back, and is asked anew then."""
    until = each.offered_until or now
    if not each.active:
        signups.mark(db, session.id, each.member_id, INVITED, now)
        _keep_back(db, session.id, each.member_id, until)
        return True
    if each.answer != OFFERED or min(until, session.starts_at) > now:
        return False
    signups.mark(db, session.id, each.member_id, INVITED, now)
    if session.starts_at > now:
        _say_it_lapsed(db, now, session, each.member_id, until)
    return True


def _end_offers(
    db: Connection, now: datetime, session: Session, found: Sequence[Candidate]
) -> None:
    for each in found:
        if each.answer == OFFERED and each.offered_until is not None:
            signups.mark(db, session.id, each.member_id, INVITED, now)
            _keep_back(db, session.id, each.member_id, each.offered_until)


# For how long ------------------------------------------------------------------------------------


def _keeps_until(each: Candidate, starts_at: datetime, now: datetime) -> datetime | None:
    """How long a seat is kept for her; None if she would not hear of it in time."""
    if not each.reachable:
        return None
    where, hours = zone(each.timezone), hours_of(each.quiet_from, each.quiet_until, each.timezone)
    hears_at = max(now, each.paused_until or now)
    hears_at = quiet_until(hears_at, where, hours) or hears_at
    left = starts_at - hears_at
    if left < 2 * LEAST or hears_at > now + LONGEST:
        return None
    last = starts_at - min(SPARE, left / 2)
    until = min(hears_at + LONGEST, last, _awake(hears_at, left / 2, last, each))
    return _tidy(until) if until > hears_at + 4 * QUARTER else until


def _tidy(at: datetime) -> datetime:
    """At a quarter of an hour, as people say it."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def _awake(at: datetime, length: timedelta, last: datetime, each: Candidate) -> datetime:
    """When so much time has passed in which her phone may ring; `last` at the latest."""
    where = zone(each.timezone)
    hours: Hours = hours_of(each.quiet_from, each.quiet_until, each.timezone)
    while at < last:
        at = quiet_until(at, where, hours) or at
        night = last if hours[0] == hours[1] else next_at(at, where, hours[0])
        if night - at >= length:
            return at + length
        length -= night - at
        at = night
    return last


# What is said ------------------------------------------------------------------------------------


def _offer(
    db: Connection, now: datetime, session: Session, member_id: int, until: datetime
) -> None:
    signups.offer(db, session.id, member_id, until)
    message = Message(
        (
            _(
                "A seat is free for you now: {session}, {when}.",
                session=session.ref,
                when=session.starts_at,
            ),
            _("Would you like it? It is kept for you until {until}.", until=until),
        ),
        (
            Choice(f"signup.yes:{session.id}", _("I come")),
            Choice(f"signup.no:{session.id}", _("Not this time")),
        ),
        subject=session.ref,
    )
    key = _key(session.id, member_id, "offered", until)
    audience = Audience("member", member_id)
    tell(db, now, key, audience, message, kind="session", expires_at=until)


def _say_it_lapsed(
    db: Connection, now: datetime, session: Session, member_id: int, until: datetime
) -> None:
    message = Message(
        (
            _(
                "The seat that was kept for you is open to others now: {session}, {when}. "
                "If you would still like to come, say so, and you have the next one.",
                session=session.ref,
                when=session.starts_at,
            ),
        ),
        (Choice(f"signup.yes:{session.id}", _("I come")),),
        subject=session.ref,
    )
    key = _key(session.id, member_id, "lapsed", until)
    audience = Audience("member", member_id)
    tell(db, now, key, audience, message, kind="session", expires_at=session.starts_at)


def _keep_back(db: Connection, session_id: int, member_id: int, until: datetime) -> None:
    """She need not read any more that a seat is free: she has answered, or it is not."""
    for message_id in outbox.list_ids(db, [_key(session_id, member_id, "offered", until)]):
        copies.keep_back(db, message_id, "overtaken")


def _key(session_id: int, member_id: int, what: str, until: datetime) -> str:
    """She may be asked again another time: until when tells one time from the other."""
    return f"seats/{session_id}/{member_id}/{what}/{until.isoformat()}"
