"""What waits for somebody's window: counted, said, put off, brought to her other app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from bot.columns import Moment, microseconds
from bot.db import mark_due
from bot.models.outbox import ELSEWISE, HELD, deliveries, messages
from bot.models.people import addresses, members, memberships

# What nobody is called back for, nor asked about: answers to what she did, and what is no words.
SMALL = ("direct", "retract", "nudge", "aside")

# The first nudge comes at once; unanswered, others on the days 1, 3 and 7 after it, then monthly:
GAPS = (1, 1, 2, 4)  # days since the last one, by how many there were since she wrote
MONTH = 30

# What decides whether it may be now, and in which words: (zone, quiet from, quiet until, language).
Group = tuple[str | None, int | None, int | None, str | None]
_GROUP = (members.c.timezone, members.c.quiet_from, members.c.quiet_until, members.c.language)


@dataclass(frozen=True, slots=True)
class Held:
    """One delivery that waits."""

    id: int
    created_at: datetime  # when it was said


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that may be told, and how its member is spoken to."""

    address_id: int
    member_id: int
    nudges: int


def is_worth(now: datetime) -> tuple[Any, ...]:
    """Of deliveries with their messages and memberships: what is held and still of use to her."""
    wanted = and_(
        memberships.c.state == "active",
        memberships.c.pace != "muted",
        or_(messages.c.for_role.is_(None), messages.c.for_role == memberships.c.role),
        or_(~messages.c.wide, memberships.c.pace != "concerns"),
    )
    return (
        HELD,
        deliveries.c.reason.not_in(ELSEWISE),
        messages.c.kind.not_in(SMALL),
        or_(messages.c.expires_at.is_(None), messages.c.expires_at >= literal(now, Moment)),
        or_(messages.c.community_id.is_(None), wanted),
    )


def with_its_message(statement: Select[Any]) -> Select[Any]:
    """From deliveries: each with its message, and her membership where that is from."""
    mine = (memberships.c.member_id == deliveries.c.member_id) & (
        memberships.c.community_id == messages.c.community_id
    )
    return (
        statement.select_from(deliveries)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .outerjoin(memberships, mine)
    )


def list_of(db: Connection, address_id: int, now: datetime) -> list[Held]:
    """What waits for her at an address and is still of use, in the order it was said."""
    statement = with_its_message(select(deliveries.c.id, messages.c.created_at))
    statement = statement.where(deliveries.c.address_id == address_id, *is_worth(now))
    return [Held(*row) for row in db.execute(statement.order_by(deliveries.c.id))]


def wants(db: Connection, member_id: int, now: datetime) -> bool:
    """Whether she may be asked at all: neither stopped nor paused, and not on a discreet phone."""
    statement = select(members.c.id).where(
        members.c.id == member_id,
        members.c.state == "active",
        ~members.c.discreet,
        or_(members.c.paused_until.is_(None), members.c.paused_until <= literal(now, Moment)),
    )
    return db.execute(statement).first() is not None


def release(db: Connection, address_id: int, now: datetime) -> int:
    """All that waited for her goes out, in order; how much. What she opens herself stays."""
    return _release(db, address_id, now)


def release_small(db: Connection, address_id: int, now: datetime) -> int:
    """What she is not asked about goes out: answers that came too late for her last window."""
    small = select(messages.c.id).where(
        messages.c.id == deliveries.c.message_id, messages.c.kind.in_(SMALL)
    )
    return _release(db, address_id, now, small.exists())


def show(db: Connection, address_id: int, now: datetime, *, below: bool) -> int:
    """She asked for what waits: it goes out now, in order; `below` what is said in this turn."""
    asked: dict[str, Any] = {"asked_at": now, "priority": 0}
    return _release(db, address_id, now, **asked | ({"place": microseconds(now)} if below else {}))


def _release(
    db: Connection, address_id: int, now: datetime, *wanted: ColumnElement[bool], **values: Any
) -> int:
    other = [each for each in ELSEWISE if each != "doubt"]
    here = (deliveries.c.address_id == address_id, HELD, deliveries.c.reason.not_in(other))
    values |= {"state": "queued", "reason": None, "due_at": now}
    released = db.execute(update(deliveries).where(*here, *wanted).values(**values))
    if released.rowcount:
        mark_due(db, now)
    return released.rowcount


def put_off(db: Connection, address_id: int, until: datetime | None) -> None:
    """From when on she is asked what shall become of it; None = there is nothing to ask."""
    db.execute(update(addresses).where(addresses.c.id == address_id).values(offer_at=until))


# Missed ------------------------------------------------------------------------------------------


def list_missed(
    db: Connection, opened: Mapping[str, datetime], silent: datetime, now: datetime, most: int
) -> list[Any]:
    """Addresses where something waits though their window is open and nobody was asked.

    It was held in the very moment she wrote, or she was in the middle of something and has been
    silent since. Rows of (id, member_id, lane, timezone, discreet, state, quiet_from, quiet_until).
    """
    if not opened:
        return []
    statement = (
        _with_member(
            select(
                addresses.c.id,
                addresses.c.member_id,
                addresses.c.lane,
                members.c.timezone,
                members.c.discreet,
                members.c.state,
                members.c.quiet_from,
                members.c.quiet_until,
            ).distinct()
        )
        .where(
            *is_worth(now),
            deliveries.c.reason != "unreachable",
            addresses.c.last_inbound_at < silent,
            or_(*(_is_open(lane, since) for lane, since in opened.items())),
            addresses.c.unreachable_at.is_(None),
            addresses.c.doubted_at.is_(None),
            or_(
                addresses.c.offer_at.is_(None), addresses.c.offer_at <= addresses.c.last_inbound_at
            ),
            or_(members.c.paused_until.is_(None), members.c.paused_until <= literal(now, Moment)),
        )
        .order_by(addresses.c.id)
        .limit(most)
    )
    return list(db.execute(statement).all())


def _is_open(lane: str, since: datetime) -> ColumnElement[bool]:
    heard = addresses.c.last_inbound_at >= literal(since, Moment)
    return and_(addresses.c.lane == lane, heard)


# Who is to be called back -----------------------------------------------------------------------


def _with_member(statement: Select[Any]) -> Select[Any]:
    return (
        with_its_message(statement)
        .join(addresses, addresses.c.id == deliveries.c.address_id)
        .join(members, members.c.id == addresses.c.member_id)
    )


def _may_be(lane: str, closed: datetime, now: datetime) -> tuple[Any, ...]:
    """Who may be told at all now, her night aside."""
    gap = case(
        *((addresses.c.nudges == number, days) for number, days in enumerate(GAPS)), else_=MONTH
    )
    day = timedelta(days=1) // timedelta(microseconds=1)
    at = literal(now, Moment)
    return (
        *is_worth(now),
        deliveries.c.reason != "unreachable",
        addresses.c.lane == lane,
        addresses.c.preferred,
        addresses.c.member_id == deliveries.c.member_id,
        addresses.c.unreachable_at.is_(None),
        addresses.c.doubted_at.is_(None),
        func.coalesce(addresses.c.last_inbound_at, literal(0)) < literal(closed, Moment),
        func.coalesce(addresses.c.nudged_at, literal(0)) + gap * literal(day, BigInteger) <= at,
        members.c.state == "active",
        or_(members.c.paused_until.is_(None), members.c.paused_until <= at),
    )


def list_groups(db: Connection, lane: str, closed: datetime, now: datetime) -> list[Group]:
    """The kinds of members that might be told: where it is night is known only outside."""
    statement = _with_member(select(*_GROUP).distinct()).where(*_may_be(lane, closed, now))
    return [(row[0], row[1], row[2], row[3]) for row in db.execute(statement)]


def list_due(
    db: Connection,
    lane: str,
    closed: datetime,
    groups: Sequence[Group],
    now: datetime,
    most: int,
) -> list[Candidate]:
    """Those to tell now, whoever has a question to herself first."""
    if not groups:
        return []
    theirs = or_(
        *(
            and_(
                *(
                    column.is_not_distinct_from(value)
                    for column, value in zip(_GROUP, each, strict=True)
                )
            )
            for each in groups
        )
    )
    urgent = func.min(deliveries.c.priority * 2 + case((messages.c.wide, 1), else_=0))
    statement = (
        _with_member(select(addresses.c.id, addresses.c.member_id, addresses.c.nudges))
        .where(*_may_be(lane, closed, now), theirs)
        .group_by(addresses.c.id, addresses.c.member_id, addresses.c.nudges)
        .order_by(urgent, func.min(deliveries.c.id))
        .limit(most)
    )
    return [Candidate(*row) for row in db.execute(statement)]


def list_called(db: Connection, address_ids: Sequence[int], now: datetime) -> set[int]:
    """Those of the addresses for which something still waits."""
    statement = _with_member(select(addresses.c.id).distinct())
    statement = statement.where(addresses.c.id.in_(address_ids), *is_worth(now))
    return set(db.execute(statement).scalars())
