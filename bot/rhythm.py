"""The weekly rhythm: whose moment has come, what is said then, and to whom; by any process.

A schedule has editions, one for each of its days. An edition is said when the clocks of its readers
show its hour: zone by zone, and at the end to whoever is left. Each zone's moment is an occurrence
that is taken once, or recorded as skipped with its reason. Every step is a transaction of its own
and may be repeated: a message has a key of the editions that it says, and a member gets it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import combinations

from sqlalchemy import Connection

from bot import responses
from bot.ahead import look_ahead
from bot.choosing import BY_HAND, held_back, prepare
from bot.i18n import own_name
from bot.messages import Message, Ref, _n
from bot.scheduler import Progress
from bot.store import audiences, communities, editions, occurrences, readership, schedules
from bot.store.audiences import Audience, Readers
from bot.store.editions import Edition
from bot.store.schedules import Schedule
from bot.telling import tell
from bot.timing import moment_of, zone
from bot.weekly import compose

KIND = "rhythm"  # of its messages
LATE = {  # so much later it is still useful
    "tip": timedelta(days=3),
    "prompt": timedelta(days=3),
    "digest": timedelta(days=2),
}
LASTS = timedelta(days=6)  # for who is away: then the next one comes
AGAIN = timedelta(minutes=1)
REST = "*"  # the place of those whose zone was gone when its moment came


# Its moment has come -----------------------------------------------------------------------------


def go_on(db: Connection, now: datetime) -> Progress:
    """One edition whose moment has come, step by step; then the next."""
    edition = editions.find_due(db, now)
    if edition is None:
        return Progress({})
    schedule = schedules.get(db, edition.schedule_id)
    moments = _moments(db, edition, schedule, now)
    due = {place for place, at in moments.items() if at <= now}
    if not due:
        return _wait(db, edition, moments, now)
    if not _is_said(db, edition, now):
        return Progress({"skipped": 1}, then=go_on)
    late = {place for place in due if now - moments[place] > LATE[edition.kind]}
    if late == due:
        return _leave_out(db, edition, schedule, moments, late, now)
    editions.mark(db, edition.id, now, state="going")
    step = _Step(edition.id, tuple(sorted(due)), len(due) == len(moments))
    return Progress({}, then=partial(_begin, step))


@dataclass(frozen=True, slots=True)
class _Step:
    """The zones of an edition that are served in one go."""

    edition_id: int
    zones: tuple[str, ...]
    last: bool  # there are no others: whoever is left gets it, wherever she is
    beside: tuple[int, ...] = ()  # editions that some of its readers get in the same message


def _moments(
    db: Connection, edition: Edition, schedule: Schedule, now: datetime
) -> dict[str, datetime]:
    """When it is said, by zone; without those that were served before."""
    community = communities.get(db, edition.community_id)
    if edition.reason == BY_HAND:
        return {"": now}
    where = [schedule.timezone] if schedule.timezone else readership.list_zones(db, community.id)
    found = {
        each: moment_of(edition.day, schedule.minutes, zone(each))
        for each in where or [community.timezone]
    }
    taken = occurrences.list_taken(db, [_key(edition, each) for each in found])
    return {each: at for each, at in found.items() if _key(edition, each) not in taken}


def _key(edition: Edition, place: str) -> str:
    return f"edition/{edition.id}/{place}"


def _is_said(db: Connection, edition: Edition, now: datetime) -> bool:
    """Whether something is said on its day; if not, the next one lies ahead."""
    schedule = schedules.get(db, edition.schedule_id)
    if prepare(db, edition, schedule, now):
        return True
    look_ahead(db, schedule, edition.day + 1)
    return False


def _wait(
    db: Connection, edition: Edition, moments: dict[str, datetime], now: datetime
) -> Progress:
    """Until the next zone's moment; if there is none, whoever is left gets it."""
    if not moments:
        if edition.state == "going" and not occurrences.list_taken(db, [_key(edition, REST)]):
            return Progress({}, then=partial(_begin, _Step(edition.id, (REST,), last=True)))
        return _end(db, edition, schedules.get(db, edition.schedule_id), now, "out")
    editions.mark(db, edition.id, now, next_at=min(moments.values()))
    return Progress({}, then=go_on)


def _leave_out(
    db: Connection,
    edition: Edition,
    schedule: Schedule,
    moments: dict[str, datetime],
    late: set[str],
    now: datetime,
) -> Progress:
    for place in sorted(late):
        occurrences.take(db, _key(edition, place), now, skipped="late")
    if late == set(moments):
        if edition.state == "ahead":
            editions.skip(db, edition.id, "late", now)
            return _end(db, edition, schedule, now, "skipped")
        return _end(db, edition, schedule, now, "out")
    return Progress({}, then=go_on)


def _end(
    db: Connection, edition: Edition, schedule: Schedule, now: datetime, state: str
) -> Progress:
    """It is over; the next one lies ahead."""
    if state == "out":
        editions.mark(db, edition.id, now, state="out", next_at=None)
    look_ahead(db, schedule, edition.day + 1)
    return Progress({state: 1}, then=go_on)


# To whom -----------------------------------------------------------------------------------------


def _begin(step: _Step, db: Connection, now: datetime) -> Progress:
    """What is said beside it is chosen by now; and what of that is said together, to whom."""
    edition = editions.find(db, step.edition_id)
    if edition is None or edition.state != "going":
        return Progress({}, then=go_on)
    found = editions.list_beside(db, edition)
    for each in found:
        _is_said(db, each, now)
    beside = editions.list_these(db, [each.id for each in found])
    step = replace(step, beside=tuple(each.id for each in beside))
    return Progress({}, then=partial(_say_next, step, list(_sets(db, edition, beside))))


def _say_next(
    step: _Step, left: Sequence[tuple[int, ...]], db: Connection, now: datetime
) -> Progress:
    """One message to the readers for whom it says all that their communities have that day."""
    beside = editions.list_these(db, step.beside)
    if len(beside) < len(step.beside):  # one was skipped meanwhile: what is together has changed
        return Progress({}, then=partial(_begin, step))
    if not left:
        return _served(db, step, now)
    wanted, *left = left
    if not _tell(db, beside, [each for each in beside if each.id in wanted], step, now):
        editions.mark(db, step.edition_id, now, next_at=now + AGAIN)
        return Progress({}, then=go_on)
    return Progress({}, then=partial(_say_next, step, left))


def _sets(db: Connection, edition: Edition, beside: Sequence[Edition]) -> Iterator[tuple[int, ...]]:
    """Which editions are said together in a message that this one leads."""
    order = {each.id: number for number, each in enumerate(beside)}
    own = [each.id for each in beside if each.community_id == edition.community_id]
    found = [set_ for size in range(1, len(own) + 1) for set_ in combinations(own, size)]
    if len(own) < len(beside):
        whole, unread = _readers(edition, beside, ()).whole, held_back(db, beside)
        found += readership.list_sets(db, edition.community_id, list(order), whole, unread)
    for each in dict.fromkeys(tuple(sorted(set_, key=order.__getitem__)) for set_ in found):
        if each[0] == edition.id:
            yield each


def _readers(
    edition: Edition, together: Sequence[Edition], unread: Sequence[tuple[int, str]]
) -> Readers:
    whole = ["all"]
    if edition.day // 7 % 2 == 0:
        whole.append("fortnight")
    if edition.kind == "digest":
        whole.append("prompt")
    ids = tuple(each.id for each in together)
    alone = edition.reason == BY_HAND
    return Readers(
        ids, edition.day, edition.together, tuple(whole), unread=tuple(unread), alone=alone
    )


def _tell(
    db: Connection,
    beside: Sequence[Edition],
    together: Sequence[Edition],
    step: _Step,
    now: datetime,
) -> bool:
    """False if an earlier part of this message is still on its way into the lanes."""
    ids = [each.id for each in together]
    for each in together:  # some have it from here on: it cannot be skipped any more
        if each.state == "ahead":
            editions.mark(db, each.id, now, state="going")
    before = readership.find_message(db, ids)
    if before is not None and readership.is_under_way(db, before):
        return False
    found = replace(
        _readers(together[0], together, held_back(db, beside)),
        zones=None if step.last else step.zones,
    )
    audience = Audience("readers", together[0].community_id, readers=found)
    if before is not None:
        audiences.tell(db, before, KIND, audience, now)
    else:
        _write(db, together, audience, now)
    return True


def _write(db: Connection, together: Sequence[Edition], audience: Audience, now: datetime) -> None:
    """The message itself, once, if there is something to say."""
    ids = [each.id for each in together]
    message = compose(together) or responses.compose(db, together)
    if message is None:
        return
    message_id = tell(
        db,
        now,
        "rhythm/" + "+".join(map(str, sorted(ids))),
        audience,
        message,
        kind=KIND,
        community_id=audience.id,
        expires_at=now + LASTS,
    )
    if message_id is not None:
        readership.add_message(db, message_id, ids)


def _served(db: Connection, step: _Step, now: datetime) -> Progress:
    """These zones have it; what could not be read there is told to the facilitators."""
    edition = editions.find(db, step.edition_id)
    if edition is None:
        return Progress({}, then=go_on)
    for place in step.zones:
        occurrences.take(db, _key(edition, place), now)
    _tell_held_back(db, edition, now)
    if not step.last:
        editions.mark(db, edition.id, now, next_at=now)  # looked at again: when is the next zone's?
        return Progress({}, then=go_on)
    return _end(db, edition, schedules.get(db, edition.schedule_id), now, "out")


# Languages it is not in --------------------------------------------------------------------------


def _tell_held_back(db: Connection, edition: Edition, now: datetime) -> None:
    """Facilitators hear it once, with how many are concerned."""
    for _edition, language in held_back(db, [edition]):
        n = readership.count_readers(db, edition.community_id, language)
        if n == 0:
            continue
        told = _n(
            "{n} member of {community} did not get this week's text: it is not in {language}.",
            "{n} members of {community} did not get this week's text: it is not in {language}.",
            n=n,
            community=Ref("communities", edition.community_id),
            language=own_name(language),
        )
        tell(
            db,
            now,
            f"held_back/{edition.id}/{language}",
            Audience("facilitators", edition.community_id),
            Message((told,)),
            kind="session",
            community_id=edition.community_id,
        )
