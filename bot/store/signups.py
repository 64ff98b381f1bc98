"""Sign-ups: who was asked to a session, who comes, who waits for a seat, and who left one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)

from bot.db import insert_new
from bot.models.people import addresses, members, memberships
from bot.models.sessions import session_communities, sessions, signups
from bot.roles import TAKING_PART

INVITED, YES, MAYBE, NO, LINED_UP, OFFERED = "invited", "yes", "maybe", "no", "waiting", "offered"
SEATED = (YES, OFFERED)  # a seat is hers, or is kept for her


@dataclass(frozen=True, slots=True)
class Signup:
    """What one member answered."""

    session_id: int
    member_id: int
    answer: str  # invited (none yet), yes, maybe, no, waiting, offered
    place: int  # in the waiting list: who came first has the smallest
    offered_until: datetime | None
    came: bool | None  # None = nobody said
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who has a seat or waits for one, with what decides about it."""

    member_id: int
    answer: str  # yes, offered, waiting
    offered_until: datetime | None
    organisation: str | None
    active: bool  # has not stopped, and is not being forgotten
    reachable: bool
    timezone: str | None
    quiet_from: int | None
    quiet_until: int | None
    paused_until: datetime | None


_COLUMNS = tuple(signups.c[name] for name in Signup.__dataclass_fields__)
# Written out, not as parameters: SQLite uses a partial index only if it sees its condition.
_WAITED_FOR = select(signups.c.session_id).where(text("signups.answer = 'waiting'"))
_KEPT = select(signups.c.session_id).where(text("signups.answer = 'offered'"))
_ORDER = (signups.c.place, signups.c.answered_at, signups.c.member_id)


def find(db: Connection, session_id: int, member_id: int) -> Signup | None:
    row = db.execute(select(*_COLUMNS).where(_is(session_id, member_id))).first()
    return None if row is None else Signup(*row)


def list_of(db: Connection, session_id: int, answers: Collection[str] = (YES,)) -> list[Signup]:
    """Those who answered so and have not stopped, the first one first."""
    statement = (
        select(*_COLUMNS)
        .join(members, members.c.id == signups.c.member_id)
        .where(signups.c.session_id == session_id, signups.c.answer.in_(answers))
        .where(members.c.state == "active")
        .order_by(*_ORDER)
    )
    return [Signup(*row) for row in db.execute(statement)]


def list_for(db: Connection, member_id: int, session_ids: Collection[int]) -> dict[int, Signup]:
    """What she answered to each of these."""
    hers = (signups.c.member_id == member_id, signups.c.session_id.in_(session_ids))
    return {row.session_id: Signup(*row) for row in db.execute(select(*_COLUMNS).where(*hers))}


def count(db: Connection, session_id: int) -> dict[str, int]:
    """How many answered what, of those who have not stopped."""
    statement = (
        select(signups.c.answer, func.count())
        .join(members, members.c.id == signups.c.member_id)
        .where(signups.c.session_id == session_id, members.c.state == "active")
        .group_by(signups.c.answer)
    )
    found = dict.fromkeys((INVITED, YES, MAYBE, NO, LINED_UP, OFFERED), 0)
    return found | {row[0]: row[1] for row in db.execute(statement)}


def count_free(db: Connection, session_id: int, seats: int) -> int:
    """Seats that are nobody's and kept for nobody; the host needs none."""
    taken = [each for each in list_candidates(db, session_id) if each.answer in SEATED]
    return max(seats - len(taken), 0)


def count_before(db: Connection, signup: Signup) -> int:
    """How many are before her in the waiting list."""
    statement = select(func.count()).where(
        signups.c.session_id == signup.session_id,
        signups.c.answer == LINED_UP,
        signups.c.place < signup.place,
    )
    return db.execute(statement).scalar_one()


def invite(db: Connection, session_id: int, member_ids: Collection[int], now: datetime) -> int:
    """These are asked by name; who answered before stays as she answered. How many are new."""
    rows = [
        {"session_id": session_id, "member_id": id_, "answer": INVITED, "created_at": now}
        for id_ in sorted(set(member_ids))
    ]
    if not rows:
        return 0
    return db.execute(insert_new(db, signups).values(rows).on_conflict_do_nothing()).rowcount


def mark(
    db: Connection,
    session_id: int,
    member_id: int,
    answer: str,
    now: datetime,
    *,
    offered_until: datetime | None = None,
) -> None:
    """What she answers now, whatever it was before; at the end of the list if she is to wait."""
    place = _next_place(db, session_id) if answer == LINED_UP else 0
    values = {"answer": answer, "place": place, "offered_until": offered_until, "answered_at": now}
    row = {"session_id": session_id, "member_id": member_id, "created_at": now, **values}
    new = insert_new(db, signups).values(row)
    db.execute(new.on_conflict_do_update(index_elements=["session_id", "member_id"], set_=values))


def _next_place(db: Connection, session_id: int) -> int:
    last = select(func.coalesce(func.max(signups.c.place), 0) + 1)
    place: int = db.execute(last.where(signups.c.session_id == session_id)).scalar_one()
    return place


def offer(db: Connection, session_id: int, member_id: int, until: datetime) -> None:
    """A seat is kept for her so long; her place in the list stays hers."""
    hers = update(signups).where(_is(session_id, member_id))
    db.execute(hers.values(answer=OFFERED, offered_until=until))


def list_candidates(db: Connection, session_id: int) -> list[Candidate]:
    """All who have a seat or wait for one, the first in the list first. The host needs none."""
    held = addresses.alias()
    reachable = exists().where(
        held.c.member_id == signups.c.member_id,
        held.c.preferred,
        held.c.unreachable_at.is_(None),
        held.c.doubted_at.is_(None),
    )
    statement = (
        select(
            signups.c.member_id,
            signups.c.answer,
            signups.c.offered_until,
            members.c.organisation,
            (members.c.state == "active").label("active"),
            reachable.label("reachable"),
            members.c.timezone,
            members.c.quiet_from,
            members.c.quiet_until,
            members.c.paused_until,
        )
        .join(members, members.c.id == signups.c.member_id)
        .join(sessions, sessions.c.id == signups.c.session_id)
        .where(
            signups.c.session_id == session_id,
            signups.c.answer.in_((*SEATED, LINED_UP)),
            sessions.c.host_id.is_distinct_from(signups.c.member_id),
        )
        .order_by(*_ORDER)
    )
    return [Candidate(*row) for row in db.execute(statement)]


def list_due(db: Connection, now: datetime, most: int) -> list[int]:
    """Sessions with an offer that nobody took in time, or with a seat and somebody who waits.

    Also what was called off while seats were kept.
    """
    found = set(db.execute(union_all(_WAITED_FOR, _KEPT)).scalars())
    if not found:
        return []
    ahead = (sessions.c.state == "planned") & (sessions.c.starts_at > now)
    lapsed = _KEPT.where(signups.c.offered_until <= now)
    due = or_(
        ahead & sessions.c.id.in_(lapsed),
        ahead & sessions.c.id.in_(_WAITED_FOR) & _has_room(),
        (sessions.c.state == "cancelled") & sessions.c.id.in_(_KEPT),
    )
    few = sessions.c.id.in_(sorted(found))  # all others are not even looked at
    statement = select(sessions.c.id).where(few, due).order_by(sessions.c.starts_at, sessions.c.id)
    return list(db.execute(statement.limit(most)).scalars())


def _has_room() -> Any:
    taken = (
        select(func.count())
        .select_from(signups)
        .join(members, members.c.id == signups.c.member_id)
        .where(
            signups.c.session_id == sessions.c.id,
            signups.c.answer.in_(SEATED),
            members.c.state == "active",
            sessions.c.host_id.is_distinct_from(signups.c.member_id),
        )
        .correlate(sessions)
        .scalar_subquery()
    )
    return case((sessions.c.seats.is_(None), True), else_=taken < sessions.c.seats)


def leave(db: Connection, member_id: int, community_id: int, now: datetime) -> list[int]:
    """She left a community: she is in none of its sessions that no other brings her to.

    Those to come that she was signed up for. Who was at one that is over and left is not told
    any more what came of it.
    """
    here, other = session_communities.alias(), session_communities.alias()
    still = (
        select(other.c.session_id)
        .join(memberships, memberships.c.community_id == other.c.community_id)
        .where(
            other.c.session_id == sessions.c.id,
            memberships.c.member_id == member_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
        )
        .exists()
    )
    of_it = exists().where(here.c.session_id == sessions.c.id, here.c.community_id == community_id)
    statement = (
        select(signups.c.session_id, sessions.c.state, sessions.c.starts_at)
        .join(sessions, sessions.c.id == signups.c.session_id)
        .where(signups.c.member_id == member_id, of_it, ~still)
        .order_by(signups.c.session_id)
    )
    rows = db.execute(statement).all()
    remove(db, member_id, [row.session_id for row in rows])
    return [row.session_id for row in rows if row.state == "planned" and row.starts_at > now]


def remove(db: Connection, member_id: int, session_ids: Sequence[int]) -> None:
    """As if she had never been asked."""
    hers = (signups.c.member_id == member_id, signups.c.session_id.in_(session_ids))
    db.execute(delete(signups).where(*hers))


def _is(session_id: int, member_id: int) -> Any:
    return (signups.c.session_id == session_id) & (signups.c.member_id == member_id)
