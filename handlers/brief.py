"""The brief: on Monday morning a facilitator hears in one message how her communities stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.briefing import WEEK, Place, list_wanted, look, put_together
from bot.conversation import Conversation
from bot.messages import N_
from bot.scheduler import Counts, Progress, job
from bot.store import briefs, occurrences
from bot.store.audiences import Audience
from bot.store.briefs import Reader
from bot.telling import tell
from bot.timing import MONDAY, next_at, zone
from bot.turn import Turn

HALF_PAST_EIGHT = 8 * 60 + 30  # half an hour before the weekly message, which she may still change
STILL = 3  # days for which it is of use, Monday the first of them

brief = Conversation("brief", words=N_("brief, monday brief"))


@brief.start
def start(turn: Turn) -> None:
    """At any time, as it stands now."""
    wanted = list_wanted(turn.db, turn.member.id, turn.now)
    if not wanted:
        return turn.start("facilitate.refuse")
    places = [look(turn.db, each, turn.language, turn.now) for each in wanted]
    message = put_together(turn.db, turn.member.id, places)
    turn.say(*message.paragraphs, choices=message.choices)


@brief.action
def given(turn: Turn) -> None:
    turn.start("facilitate.choose", then="given.show", power="brief")


# Once a week -------------------------------------------------------------------------------------


@job(every=timedelta(minutes=15))
def tell_weekly(db: Connection, now: datetime) -> Counts | Progress:
    """On Monday at half past eight where she is; late until Wednesday, and then not at all."""
    found = {_key(zone_, day): (zone_, day, at) for zone_, day, at in _mondays(db, now)}
    taken = occurrences.list_taken(db, list(found))
    return _go_on([each for key, each in found.items() if key not in taken], db, now)


_Monday = tuple[str, date, datetime]  # zone, day, half past eight


def _mondays(db: Connection, now: datetime) -> Iterator[_Monday]:
    """The last one in each zone; with a clock that is put forward or back a week is no 7 days."""
    for name in briefs.list_zones(db, now):
        where = zone(name)
        at = next_at(now - WEEK - timedelta(days=1), where, HALF_PAST_EIGHT, MONDAY)
        after = next_at(at, where, HALF_PAST_EIGHT, MONDAY)
        at = after if after <= now else at
        yield name, at.astimezone(where).date(), at


def _key(zone_: str, day: date) -> str:
    return f"brief/{zone_}/{day}"


def _until(zone_: str, day: date) -> datetime:
    """After an outage it is said up to then."""
    return datetime.combine(day + timedelta(days=STILL), time(0), zone(zone_))


def _go_on(mondays: list[_Monday], db: Connection, now: datetime) -> Progress:
    """Zone by zone; where a crash leaves off, the next moment finds the rest."""
    if not mondays:
        return Progress({})
    (zone_, day, at), *_left = mondays
    if now < _until(zone_, day):
        readers = briefs.list_readers(db, zone_, at, now)
        return Progress({}, then=partial(_tell_next, mondays, readers, {}))
    skipped = occurrences.take(db, _key(zone_, day), now, skipped="late")
    return Progress({"skipped": 1} if skipped else {}, then=partial(_go_on, _left))


_Looks = dict[tuple[int, str | None], Place]  # by community and language


def _tell_next(
    mondays: list[_Monday], readers: list[Reader], looks: _Looks, db: Connection, now: datetime
) -> Progress:
    """A look at one community, or one facilitator told, in one transaction."""
    (zone_, day, _at), *left = mondays
    if not readers:
        occurrences.take(db, _key(zone_, day), now)
        return Progress({}, then=partial(_go_on, left))
    reader, *others = readers
    wanted = list_wanted(db, reader.member_id, now)
    for each in wanted:
        if (each.id, reader.language) not in looks:
            looks[each.id, reader.language] = look(db, each, reader.language, now)
            return Progress({}, then=partial(_tell_next, mondays, readers, looks))
    places = [looks[each.id, reader.language] for each in wanted]
    told = _tell(db, reader, places, zone_, day, now) if places else 0
    return Progress({"briefs": told}, then=partial(_tell_next, mondays, others, looks))


def _tell(
    db: Connection, reader: Reader, places: list[Place], zone_: str, day: date, now: datetime
) -> int:
    message = put_together(db, reader.member_id, places)
    message_id = tell(
        db,
        now,
        f"brief/{reader.member_id}/{day}",
        Audience("member", reader.member_id),
        message,
        kind="session" if message.choices else "aside",
        expires_at=_until(zone_, day),
    )
    return 0 if message_id is None else 1
