"""Why: the life of one delivery, and how things stand with one member; no name, number or text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from bot import seals
from bot.db import store_now
from bot.models.outbox import (
    SETTLED,
    UNDER_WAY,
    WAITING,
    deliveries,
    dispatches,
    lanes,
    messages,
)
from bot.models.people import address_keys, addresses, communities, members, memberships

LAST = 10  # deliveries of a member on one screen


@dataclass(frozen=True, slots=True)
class Phone:
    """One of her addresses."""

    lane: str
    preferred: bool
    last_inbound_at: datetime | None
    unreachable_at: datetime | None
    doubted_at: datetime | None
    nudged_at: datetime | None
    nudges: int


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery in one line."""

    id: int
    kind: str
    community: str | None  # its slug
    lane: str
    state: str
    reason: str | None
    said_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Life:
    """A delivery with all that is known of it."""

    told: Told
    member_id: int
    timezone: str | None
    attempts: int
    expires_at: datetime | None
    parts: tuple[Any, ...]  # rows of dispatches, without what they say
    phone: Phone | None  # None: it has no address any more
    instead: Told | None  # the digest or summary that says it
    lane_owned: bool
    lane_paused_until: datetime | None
    lane_paused_why: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A member as far as it matters for what she gets."""

    id: int
    state: str
    timezone: str | None
    discreet: bool
    paused_until: datetime | None
    quiet_from: int | None
    quiet_until: int | None
    unasked: int
    places: tuple[tuple[str, str, str], ...]  # (slug, state, pace)
    phones: tuple[Phone, ...]
    told: tuple[Told, ...]


_TOLD = (
    select(
        deliveries.c.id,
        messages.c.kind,
        communities.c.slug,
        deliveries.c.lane,
        deliveries.c.state,
        deliveries.c.reason,
        messages.c.created_at,
        deliveries.c.due_at,
    )
    .join(messages, messages.c.id == deliveries.c.message_id)
    .outerjoin(communities, communities.c.id == messages.c.community_id)
)
_PARTS = (
    dispatches.c.part,
    dispatches.c.state,
    dispatches.c.error,
    dispatches.c.repeats,
    dispatches.c.created_at,
    dispatches.c.handed_at,
    dispatches.c.told_at,
)
_PHONE = (
    addresses.c.lane,
    addresses.c.preferred,
    addresses.c.last_inbound_at,
    addresses.c.unreachable_at,
    addresses.c.doubted_at,
    addresses.c.nudged_at,
    addresses.c.nudges,
)


def find_delivery(db: Connection, delivery_id: int, now: datetime) -> Life | None:
    more = (
        deliveries.c.member_id,
        deliveries.c.attempts,
        deliveries.c.address_id,
        deliveries.c.folded_id,
        messages.c.expires_at,
        members.c.timezone,
    )
    statement = _TOLD.add_columns(*more).outerjoin(members, members.c.id == deliveries.c.member_id)
    row = db.execute(statement.where(deliveries.c.id == delivery_id)).first()
    if row is None:
        return None
    owned, paused_until, why = _lane(db, row.lane, now)
    parts = select(*_PARTS).where(dispatches.c.delivery_id == delivery_id)
    phones = _phones(db, addresses.c.id == row.address_id)
    return Life(
        told=Told(*row[:8]),
        member_id=row.member_id,
        timezone=row.timezone,
        attempts=row.attempts,
        expires_at=row.expires_at,
        parts=tuple(db.execute(parts.order_by(dispatches.c.part))),
        phone=phones[0] if phones else None,
        instead=_instead(db, row.folded_id, row.member_id),
        lane_owned=owned,
        lane_paused_until=paused_until,
        lane_paused_why=why,
    )


def _instead(db: Connection, message_id: int | None, member_id: int) -> Told | None:
    if message_id is None:
        return None
    hers = (deliveries.c.message_id == message_id, deliveries.c.member_id == member_id)
    row = db.execute(_TOLD.where(*hers)).first()
    return None if row is None else Told(*row)


def _lane(db: Connection, name: str, now: datetime) -> tuple[bool, datetime | None, str | None]:
    owned = (lanes.c.leased_until > store_now(db)).label("owned")
    statement = select(owned, lanes.c.paused_until, lanes.c.paused_why)
    row = db.execute(statement.where(lanes.c.name == name)).first()
    if row is None:
        return False, None, None
    rests = row.paused_until is not None and row.paused_until > now
    return bool(row.owned), *((row.paused_until, row.paused_why) if rests else (None, None))


def _phones(db: Connection, wanted: Any) -> list[Phone]:
    statement = select(*_PHONE).where(wanted).order_by(addresses.c.preferred.desc())
    return [Phone(*row) for row in db.execute(statement)]


def find_member(db: Connection, member_id: int) -> Standing | None:
    columns = (
        members.c.id,
        members.c.state,
        members.c.timezone,
        members.c.discreet,
        members.c.paused_until,
        members.c.quiet_from,
        members.c.quiet_until,
        members.c.unasked,
    )
    row = db.execute(select(*columns).where(members.c.id == member_id)).first()
    if row is None:
        return None
    places = (
        select(communities.c.slug, memberships.c.state, memberships.c.pace)
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(memberships.c.member_id == member_id)
        .order_by(memberships.c.id)
    )
    return Standing(
        *row,
        places=tuple((each.slug, each.state, each.pace) for each in db.execute(places)),
        phones=tuple(_phones(db, addresses.c.member_id == member_id)),
        told=tuple(_last(db, member_id)),
    )


def _last(db: Connection, member_id: int) -> list[Told]:
    """What was settled last, by its index; and what is still in line for her."""
    hers = deliveries.c.member_id == member_id
    found = [*db.execute(_newest(_TOLD.where(hers, SETTLED)))]
    hers_there = select(addresses.c.lane).where(addresses.c.member_id == member_id)
    for still in (WAITING, UNDER_WAY):
        found += db.execute(_newest(_TOLD.where(hers, deliveries.c.lane.in_(hers_there), still)))
    newest = sorted({Told(*row) for row in found}, key=lambda each: -each.id)
    return newest[:LAST]


def _newest(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(deliveries.c.due_at.desc(), deliveries.c.id.desc()).limit(LAST)


def find_by_address(db: Connection, lane_names: Collection[str], name: str) -> int | None:
    """Whose address this is on one of the lanes; its member's id."""
    keys = [key for lane in lane_names for key in seals.lookups("address_keys.key", lane, name)]
    statement = (
        select(addresses.c.member_id)
        .join(address_keys, address_keys.c.address_id == addresses.c.id)
        .where(address_keys.c.key.in_(keys))
    )
    return db.execute(statement.limit(1)).scalar()
