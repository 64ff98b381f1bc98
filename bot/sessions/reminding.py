"""Reminding of sessions: each of those who come, so long before, once, and never in her night.

A session is looked at when a moment of somebody who comes to it is there: all whose clocks and
nights are alike are told in one go. What is repeated after a crash finds who was told already by
the message they have. When a session has begun nothing more is said; when its end has passed it
is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.messages import Choice, Message, Ref, _
from bot.scheduler import Progress, attempt
from bot.store import audiences, communities, readership, reminders, sessions
from bot.store.audiences import Audience, Comers
from bot.store.reminders import Holder, Night
from bot.store.sessions import COMING, PLANNED, Session
from bot.telling import tell
from bot.timing import hours_of, moment_of, quiet_until, today, zone

KIND = "session"
BEFORE_NIGHT = timedelta(hours=1)  # so long before her quiet hours what falls into them is said
AGAIN = timedelta(minutes=1)
SOON = timedelta(hours=1)  # from here on she can be on her way
ASLEEP = timedelta(minutes=15)  # a group that has ended may go on one day, and is reminded then
LATER = timedelta(minutes=15)  # what failed is tried again

Follow = Callable[[Connection, datetime, Session], None]  # what comes after a session


def keep_back(db: Connection, session_id: int, reason: str = "overtaken") -> int:
    """A session was moved or cancelled: what was not said yet of it as it was is never said."""
    return reminders.keep_back(db, session_id, reason)


def look_soon(db: Connection, member_id: int, now: datetime) -> None:
    """Somebody's clock or nights are others now: all she comes to is looked at again."""
    reminders.look_soon(db, member_id, now)


def expect(db: Connection, now: datetime, session: Session, member_id: int) -> None:
    """She comes: a moment of hers may be before all those of the others."""
    night = reminders.find_night(db, member_id)
    ahead = [] if night is None else _ahead(session, night, now)
    if ahead and session.next_at is not None and min(ahead) < session.next_at:
        sessions.look_again(db, session.id, min(ahead))


# Its moment has come -----------------------------------------------------------------------------


def go_on(follow: Follow, db: Connection, now: datetime) -> Progress:
    """One session that is to be looked at; then the next."""
    found = sessions.list_due(db, now, 2)
    if not found:
        return Progress({})
    counts = attempt(db, partial(_look, follow, db, found[0].id, now))
    if counts is None:
        sessions.look_again(db, found[0].id, now + LATER)
    more = len(found) > 1 or "over" in (counts or ())
    return Progress(counts or {}, then=partial(go_on, follow) if more else None)


def _look(follow: Follow, db: Connection, session_id: int, now: datetime) -> dict[str, int]:
    session = sessions.lock(db, session_id)
    if session is None:
        return {}
    if session.state != PLANNED:
        keep_back(db, session.id)
        sessions.look_again(db, session.id, None)
        follow(db, now, session)
        return {}
    if session.ends_at <= now:
        keep_back(db, session.id, "expired")
        reminders.end(db, session.id, now)
        sessions.look_again(db, session.id, now)  # then what follows it, in its own transaction
        return {"over": 1}
    if session.starts_at <= now:
        keep_back(db, session.id, "expired")
        sessions.look_again(db, session.id, session.ends_at)
        return {}
    if communities.has_ended(db, session.community_id):
        sessions.look_again(db, session.id, min(now + ASLEEP, session.starts_at))
        return {}
    nights = reminders.count_nights(db, session.id)
    holders = reminders.list_holders(db, session.id)
    due = _due(session, nights, holders, now)
    done = [_remind(db, session, minutes, whom, now) for minutes, whom in due.items()]
    next_at = _next(session, [*nights, *(each.night for each in holders)], now)
    sessions.look_again(db, session.id, next_at if all(done) else min(next_at, now + AGAIN))
    return {"reminded": len(done)} if done else {}


# When --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Wave:
    """Those to whom a reminder is said now."""

    nights: list[tuple[str | None, int | None, int | None, str]] = field(default_factory=list)
    most: int = 0  # who come and have these nights
    holders: list[int] = field(default_factory=list)


def _due(
    session: Session, nights: dict[Night, int], holders: Sequence[Holder], now: datetime
) -> dict[int, Wave]:
    """To whom so many minutes before is said now."""
    due: dict[int, Wave] = defaultdict(Wave)
    for night, n in nights.items():
        minutes, at = _latest(session, night, now)
        if minutes is not None:
            due[minutes].nights.append((*night, at.isoformat()))
            due[minutes].most += n
    for each in holders:
        minutes, at = _latest(session, each.night, now)
        if minutes is not None and each.since <= at:
            due[minutes].holders.append(each.member_id)
    return due


def _next(session: Session, nights: Sequence[Night], now: datetime) -> datetime:
    """The next moment of anybody; or when it begins."""
    # Who says tomorrow that she comes has most likely the nights of the place where it is.
    likely: set[Night] = {(session.timezone, None, None), (None, None, None), *nights}
    return min(
        (at for each in likely for at in _ahead(session, each, now)), default=session.starts_at
    )


def _ahead(session: Session, night: Night, now: datetime) -> list[datetime]:
    found = [moment(session.starts_at, each, night) for each in session.reminders]
    return [at for at in (*found, session.starts_at) if at > now]


def _latest(session: Session, night: Night, now: datetime) -> tuple[int | None, datetime]:
    """Of those whose moment has come only the last one is said, if it is still of use.

    One that is late and nearer to the next one than to its own moment is not; nor what was to be
    said before the session was moved, since that was said instead.
    """
    moments = {each: moment(session.starts_at, each, night) for each in session.reminders}
    passed = [each for each, at in moments.items() if at <= now]
    if not passed:
        return None, now
    minutes = min(passed)
    its = moments[minutes]
    following = [at for at in moments.values() if at > now]
    too_late = bool(following) and now - its > min(following) - now
    before_it_moved = session.moved_at is not None and its <= session.moved_at
    return None if too_late or before_it_moved else minutes, its


def moment(starts_at: datetime, minutes: int, night: Night) -> datetime:
    """When somebody with these nights is reminded; in the evening before, if it would be one."""
    timezone, quiet_from, until = night
    at = starts_at - timedelta(minutes=minutes)
    where, hours = zone(timezone), hours_of(quiet_from, until, timezone)
    if quiet_until(at, where, hours) is None:
        return at
    day = today(at, where)
    begun = max(
        each for each in (moment_of(day - ago, hours[0], where) for ago in range(3)) if each <= at
    )
    early = begun - BEFORE_NIGHT
    awake = quiet_until(early, where, hours)  # who is hardly ever to be disturbed: when she may be
    return early if awake is None else min(awake, begun)


# What and to whom --------------------------------------------------------------------------------


def _remind(db: Connection, session: Session, minutes: int, wave: Wave, now: datetime) -> bool:
    """False if an earlier wave of this message is still on its way into the lanes."""
    comers = Comers(COMING, tuple(wave.nights), most=wave.most)
    audience = Audience("comers", session.id, comers=comers)
    said = reminders.find_message(db, session.id, session.starts_at, minutes)
    if said is None:
        key = f"reminder/{session.id}/{session.starts_at.isoformat()}/{minutes}"
        message, until = compose(db, session, now, minutes), session.starts_at
        # It belongs to no community: who was invited may be in none of those that hold it.
        said = tell(db, now, key, audience, message, kind=KIND, expires_at=until)
        if said is None:
            return True
        reminders.add(db, said, session.id, session.starts_at, minutes)
    elif readership.is_under_way(db, said):
        return False
    else:
        audiences.tell(db, said, KIND, audience, now)
    for each in wave.holders:
        audiences.tell(db, said, KIND, Audience("member", each), now)
    return True


def compose(db: Connection, session: Session, now: datetime, minutes: int) -> Message:
    """When and where; in a discreet community no more than that there is a session."""
    said = [_("A reminder: {session} is on {at}.", session=session.ref, at=session.starts_at)]
    if session.place and not communities.get(db, session.community_id).discreet:
        said.append(_("Where: {place}", place=Ref("places", session.id)))
    choices = [
        Choice(f"signup.no:{session.id}", _("Cannot come")),
        Choice(f"sessions.show:{session.id}", _("Details")),
    ]
    # The last bubble of it that she has before it begins; all waves of it say the same, and the
    # first of them may be the evening before, somewhere else.
    if min(session.starts_at - now, timedelta(minutes=minutes)) <= SOON:
        choices.insert(0, Choice(f"attendance.here:{session.id}", _("I am here")))
    return Message(tuple(said), tuple(choices), subject=session.ref)
