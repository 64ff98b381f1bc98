"""Reminders of sessions: which messages they are, whose nights they keep, what is over of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, or_, select, update

from bot.models.outbox import deliveries, messages
from bot.models.people import members
from bot.models.sessions import reminders, sessions, signups

COMING = ("yes", "maybe")
PLANNED, OVER = "planned", "over"
_UNSAID = ("queued", "held")

Night = tuple[str | None, int | None, int | None]  # zone, quiet from, quiet until
_NIGHT = (members.c.timezone, members.c.quiet_from, members.c.quiet_until)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who need not say that she comes."""

    member_id: int
    night: Night
    since: datetime  # nothing is said late of before


def count_nights(db: Connection, session_id: int) -> dict[Night, int]:
    """The clocks and nights of those who come, and how many have each."""
    statement = (
        select(*_NIGHT, func.count())
        .join(signups, signups.c.member_id == members.c.id)
        .where(
            signups.c.session_id == session_id,
            signups.c.answer.in_(COMING),
            members.c.state == "active",
        )
        .group_by(*_NIGHT)
    )
    return {(zone, start, end): n for zone, start, end, n in db.execute(statement)}


def list_holders(db: Connection, session_id: int) -> list[Holder]:
    """Who holds it and who takes its notes: they come too, if they did not say anything else."""
    said = exists().where(
        signups.c.session_id == session_id,
        signups.c.member_id == members.c.id,
        signups.c.answer.in_((*COMING, "no")),
    )
    hold = or_(members.c.id == sessions.c.host_id, members.c.id == sessions.c.note_taker_id)
    statement = (
        select(members.c.id, *_NIGHT, sessions.c.created_at)
        .join(sessions, hold)
        .where(sessions.c.id == session_id, members.c.state == "active", ~said)
    )
    rows = db.execute(statement)
    return [Holder(id_, (zone, start, end), at) for id_, zone, start, end, at in rows]


def find_night(db: Connection, member_id: int) -> Night | None:
    row = db.execute(select(*_NIGHT).where(members.c.id == member_id)).first()
    return None if row is None else (row[0], row[1], row[2])


def find_message(db: Connection, session_id: int, starts_at: datetime, minutes: int) -> int | None:
    """The message that reminds of it so long before, as it is planned."""
    found: int | None = db.execute(
        select(reminders.c.message_id).where(
            reminders.c.session_id == session_id,
            reminders.c.starts_at == starts_at,
            reminders.c.minutes == minutes,
        )
    ).scalar()
    return found


def add(
    db: Connection, message_id: int, session_id: int, starts_at: datetime, minutes: int
) -> None:
    row = {"message_id": message_id, "session_id": session_id}
    db.execute(insert(reminders).values(row | {"starts_at": starts_at, "minutes": minutes}))


def keep_back(db: Connection, session_id: int, reason: str) -> int:
    """What has not left of them is not said any more; how many would have read it."""
    its = select(reminders.c.message_id).where(reminders.c.session_id == session_id)
    ids = list(db.execute(its).scalars())
    if not ids:
        return 0
    going_on = messages.c.id.in_(ids) & messages.c.audience.is_not(None)
    db.execute(update(messages).where(going_on).values(audience=None))
    unsaid = deliveries.c.message_id.in_(ids) & deliveries.c.state.in_(_UNSAID)
    dropped = update(deliveries).where(unsaid).values(state="dropped", reason=reason)
    return db.execute(dropped).rowcount


def list_overtaken(
    db: Connection, told: Collection[tuple[int, int, int]], now: datetime
) -> set[int]:
    """(delivery, member, message): reminders of what has begun or changed, or she does not come."""
    its = {message for _id, _member, message in told}
    statement = (
        select(
            reminders.c.message_id, reminders.c.session_id, sessions.c.state,
            reminders.c.starts_at.label("said_for"), sessions.c.starts_at,
            sessions.c.host_id, sessions.c.note_taker_id,
        )
        .join(sessions, sessions.c.id == reminders.c.session_id)
        .where(reminders.c.message_id.in_(its))
    )  # fmt: skip
    found = {row.message_id: row for row in db.execute(statement)}
    if not found:
        return set()
    answers = select(signups.c.session_id, signups.c.member_id, signups.c.answer).where(
        signups.c.session_id.in_({row.session_id for row in found.values()}),
        signups.c.member_id.in_({member for _id, member, _message in told}),
    )
    said = {(row.session_id, row.member_id): row.answer for row in db.execute(answers)}

    def is_over(row: Any, member_id: int) -> bool:
        if row.state != PLANNED or row.starts_at != row.said_for or row.starts_at <= now:
            return True
        answer = said.get((row.session_id, member_id))
        holds = member_id in (row.host_id, row.note_taker_id)
        return answer not in COMING and (answer == "no" or not holds)

    return {
        id_ for id_, member, message in told if message in found and is_over(found[message], member)
    }


def end(db: Connection, session_id: int, now: datetime) -> bool:
    """It is over; False if that was so before."""
    planned = (sessions.c.id == session_id, sessions.c.state == PLANNED)
    over = update(sessions).where(*planned).values(state=OVER, changed_at=now)
    return db.execute(over).rowcount == 1


def look_soon(db: Connection, member_id: int, now: datetime) -> None:
    """Her clock or her nights are others now: so are the moments of what she comes to."""
    comes = exists().where(
        signups.c.session_id == sessions.c.id,
        signups.c.member_id == member_id,
        signups.c.answer.in_(COMING),
    )
    holds = or_(sessions.c.host_id == member_id, sessions.c.note_taker_id == member_id)
    ahead = (sessions.c.state == PLANNED, sessions.c.starts_at > now)
    db.execute(update(sessions).where(comes | holds, *ahead).values(next_at=now))
