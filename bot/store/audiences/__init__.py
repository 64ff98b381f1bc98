"""Audiences: a message and its deliveries to each of those who are to hear it, in line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
    update,
)

from bot.codec import with_tuples
from bot.columns import Moment, microseconds
from bot.db import insert_new, locking_once, mark_due
from bot.models.outbox import PRIORITY, WAITING, deliveries, messages
from bot.models.people import addresses, memberships
from bot.store.audiences.who import Audience, Comers, Readers

__all__ = ["Audience", "Comers", "Readers", "go_on", "tell"]

FAN_OUT = 2000  # members per statement, each chunk a transaction of its own
A_SECOND = 10  # members of one message that stand in line for the same second
_SECOND = 1_000_000  # microseconds

_COLUMNS = [
    "message_id", "member_id", "address_id", "lane", "priority", "place", "state", "reason",
    "due_at",
]  # fmt: skip
AHEAD = 10_000  # of what is least urgent, that wait in a lane: more is not written there
_LEAST = max(PRIORITY.values())
_CAN_WAIT = messages.c.kind.in_([kind for kind, place in PRIORITY.items() if place == _LEAST])
_FULL = (
    select(deliveries.c.id)
    .where(deliveries.c.lane == bindparam("lane"), WAITING, deliveries.c.priority == _LEAST)
    .limit(1)
    .offset(AHEAD)
)
_NEXT_UNDER_WAY = locking_once(
    select(messages.c.id, messages.c.audience, messages.c.reached_id, _CAN_WAIT.label("can_wait"))
    .where(text("audience IS NOT NULL"))
    # What can wait: the community first that has stood in line for the shortest time.
    .order_by(_CAN_WAIT, case((_CAN_WAIT, func.coalesce(messages.c.line_until, 0)), else_=0))
    .order_by(messages.c.id)
    .limit(1),
    key_share=True,  # two lanes take chunks in turn: what was said first reaches everybody first
)


def tell(db: Connection, message_id: int, kind: str, audience: Audience, due_at: datetime) -> None:
    """Deliver a message to an audience: the first chunk now, the rest chunk by chunk.

    What is said in many communities at the same hour is only noted now.
    """
    if audience.readers is not None:
        return _remember(db, message_id, kind, audience, due_at)
    count = _deliver_chunk(db, message_id, kind, audience, due_at, after=0)
    left = _left(audience, count)
    if left is not None:
        _remember(db, message_id, kind, left, due_at)


def go_on(db: Connection, lane: str = "") -> bool:
    """One more chunk of a fan-out that is under way, the urgent ones first; False if there is none.

    What can wait is written only while little of it waits in this lane: not all of it at once.
    """
    row = db.execute(_NEXT_UNDER_WAY[db.dialect.name]).first()
    if row is None or (row.can_wait and db.execute(_FULL, {"lane": lane}).first() is not None):
        return False
    stored = with_tuples(row.audience)
    due_at = datetime.fromisoformat(stored.pop("due_at"))
    kind = stored.pop("message_kind")
    readers, comers = stored.pop("readers", None), stored.pop("comers", None)
    audience = Audience(**stored, comers=None if comers is None else Comers(**comers))
    if readers is not None:
        audience = replace(audience, readers=_chunk(db, audience.id, Readers(**readers)))
    count = _deliver_chunk(db, row.id, kind, audience, due_at, after=row.reached_id)
    left = _left(audience, count)
    if left is None:
        db.execute(update(messages).where(messages.c.id == row.id).values(audience=None))
    else:
        _remember(db, row.id, kind, left, due_at)
    return True


def _left(audience: Audience, count: int) -> Audience | None:
    """Those who are still to be told after so many were; None if that is nobody."""
    if audience.readers is not None:
        return None if audience.readers.upto is None else audience
    if count < FAN_OUT:
        return None
    comers = audience.comers
    if comers is None or comers.most is None:
        return audience
    most = comers.most - count
    return replace(audience, comers=replace(comers, most=most)) if most > 0 else None


def _chunk(db: Connection, community_id: int, readers: Readers) -> Readers:
    """The next members of a community, whether they read these editions or not."""
    statement = (
        select(memberships.c.member_id)
        .where(memberships.c.community_id == community_id)
        .where(memberships.c.member_id > (readers.upto or 0))
        .order_by(memberships.c.member_id)
        .offset(FAN_OUT - 1)
        .limit(1)
    )
    return replace(readers, after=readers.upto or 0, upto=db.execute(statement).scalar())


def _remember(
    db: Connection, message_id: int, kind: str, audience: Audience, due_at: datetime
) -> None:
    reached = select(func.max(deliveries.c.member_id)).where(deliveries.c.message_id == message_id)
    stored = asdict(audience) | {"message_kind": kind, "due_at": due_at.isoformat()}
    db.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(audience=stored, reached_id=func.coalesce(reached.scalar_subquery(), 0))
    )


def _deliver_chunk(
    db: Connection, message_id: int, kind: str, audience: Audience, due_at: datetime, after: int
) -> int:
    reachable = addresses.c.unreachable_at.is_(None)
    kinds = [each for each, urgency in PRIORITY.items() if urgency == PRIORITY[kind]]
    chosen = (
        select(
            literal(message_id),
            addresses.c.member_id,
            addresses.c.id,
            addresses.c.lane,
            literal(PRIORITY[kind]),
            _places(message_id, kinds, due_at),
            case((reachable, "queued"), else_="failed"),
            case((reachable, None), else_="unreachable"),
            literal(due_at, Moment),
        )
        .where(
            audience.addresses(),
            addresses.c.member_id.in_(audience.members()),
            *_not_yet(message_id, audience, after),
        )
        .order_by(addresses.c.member_id)
        .limit(FAN_OUT)
    )
    new = insert_new(db, deliveries).from_select(_COLUMNS, chosen, include_defaults=False)
    count = db.execute(new.on_conflict_do_nothing()).rowcount
    if count:
        _stand(db, message_id, kinds, due_at, count)
        mark_due(db, due_at)
    return count


def _not_yet(message_id: int, audience: Audience, after: int) -> list[ColumnElement[bool]]:
    """Those who were not reached before."""
    if audience.comers is None:
        start = after if audience.readers is None else audience.readers.after
        return [addresses.c.member_id > start]
    # One message for several waves: who has it is not known by a number.
    has = select(deliveries.c.id).where(
        deliveries.c.message_id == message_id, deliveries.c.member_id == addresses.c.member_id
    )
    return [~has.correlate(addresses).exists()]


# A place in line, so that a community with much to say does not hold up the others: each message
# to many stands as if its community had a lane to itself, ten members a second. Lanes claim by
# these places. What a community says later, as urgently, stands behind what it said before.


def _places(message_id: int, kinds: Sequence[str], at: datetime) -> ColumnElement[Any]:
    """The place of each member, in microseconds; `kinds` are as urgent as this one."""
    number = func.row_number().over(order_by=addresses.c.member_id) - 1
    tens = number - number % A_SECOND
    return _line(message_id, kinds, at) + tens * literal(_SECOND // A_SECOND, BigInteger)


def _line(message_id: int, kinds: Sequence[str], at: datetime) -> ColumnElement[Any]:
    """The moment itself, or when its community has said what it is still saying."""
    mine, before = messages.alias(), messages.alias()
    until = (
        select(func.max(before.c.line_until))
        .join(mine, mine.c.community_id == before.c.community_id)
        .where(mine.c.id == message_id, before.c.kind.in_(kinds))
        .where(before.c.line_until > literal(at, Moment))
    )
    return func.coalesce(until.scalar_subquery(), literal(microseconds(at), BigInteger))


def _stand(db: Connection, message_id: int, kinds: Sequence[str], at: datetime, count: int) -> None:
    """So many members stand in line with this message; what comes later stands behind them."""
    seconds = (count - 1) // A_SECOND
    if seconds > 0:
        until = _line(message_id, kinds, at) + literal(seconds * _SECOND, BigInteger)
        db.execute(update(messages).where(messages.c.id == message_id).values(line_until=until))
