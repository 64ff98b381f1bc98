"""Who is not reached, and why: at the moment, or in the whole last week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select

from bot.models.outbox import CLOSED, HELD, SETTLED, deliveries, messages, templates
from bot.models.people import addresses, members, memberships
from bot.roles import TAKING_PART


@dataclass(frozen=True, slots=True)
class Unreached:
    member_id: int
    # stopped: her own wish; unreachable: blocked or gone; window: until she writes again;
    # doubt: perhaps somebody else has her number; failed: the provider did not deliver
    why: str
    lane: str | None
    silent: int | None  # full days since her last word, as far as it is known


def list_now(
    db: Connection, community_id: int, windows: Mapping[str, timedelta], now: datetime
) -> list[Unreached]:
    """Those in a community who get nothing at the moment; who pauses or muted it is left alone."""
    found = []
    for row in db.execute(_members(community_id).where(*_wants_it(now))):
        why = _why_now(row, windows, now)
        if why is not None:
            found.append(_unreached(row, why, now))
    return found


def _why_now(row: Any, windows: Mapping[str, timedelta], now: datetime) -> str | None:
    if row.state == "stopped":
        return "stopped"
    if row.unreachable_at is not None or row.lane is None:  # cut off, and nowhere else yet
        return "unreachable"
    if row.doubted_at is not None:
        return "doubt"
    window = windows.get(row.lane)
    closed = window and (row.last_inbound_at is None or row.last_inbound_at < now - window)
    return "window" if closed else None


def list_since(
    db: Connection, community_id: int, since: datetime, now: datetime
) -> list[Unreached]:
    """Those to whom nothing of a community has come since then, though they want it.

    Who has stopped, pauses or wants nothing of it is not among them; nor is she for whom there was
    nothing.
    """
    statement = (
        _members(community_id)
        .add_columns(
            _any(HELD, deliveries.c.reason.in_(CLOSED), at=addresses.c.id).label("waits"),
            _any(*_since(since), deliveries.c.reason == "expired").label("expired"),
            _any(*_since(since), deliveries.c.state == "failed").label("failed"),
            _any(*_since(since), deliveries.c.state.in_(("sent", "delivered", "read"))).label(
                "got"
            ),
        )
        .where(members.c.state == "active", *_wants_it(now))
    )
    found = ((row, _why_since(row)) for row in db.execute(statement))
    return [_unreached(row, why, now) for row, why in found if why is not None]


def _why_since(row: Any) -> str | None:
    if row.unreachable_at is not None or row.lane is None:
        return "unreachable"
    if row.doubted_at is not None:
        return "doubt"
    if row.got:
        return None
    if row.waits or row.expired:
        return "window"
    return "failed" if row.failed else None


def _members(community_id: int) -> Select[Any]:
    return (
        select(
            members.c.id,
            members.c.state,
            addresses.c.lane,
            addresses.c.unreachable_at,
            addresses.c.doubted_at,
            addresses.c.last_inbound_at,
        )
        .join(memberships, memberships.c.member_id == members.c.id)
        .outerjoin(addresses, (addresses.c.member_id == members.c.id) & addresses.c.preferred)
        .where(
            memberships.c.community_id == community_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
        )
        .order_by(memberships.c.id)
    )


def _wants_it(now: datetime) -> tuple[ColumnElement[bool], ...]:
    goes_on = or_(members.c.paused_until.is_(None), members.c.paused_until <= now)
    return goes_on, memberships.c.pace != "muted"


def _since(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return SETTLED, deliveries.c.due_at >= since  # type: ignore[return-value]


def _any(*wanted: Any, at: Any = None) -> ColumnElement[bool]:
    """Whether she has such a delivery from this community."""
    hers = deliveries.c.member_id == members.c.id if at is None else deliveries.c.address_id == at
    here = messages.c.community_id == memberships.c.community_id
    joined = deliveries.join(messages, messages.c.id == deliveries.c.message_id)
    found = select(deliveries.c.id).select_from(joined).where(hers, here, *wanted)
    return found.correlate(members, memberships, addresses).exists()


def _unreached(row: Any, why: str, now: datetime) -> Unreached:
    heard_at = row.last_inbound_at
    silent = None if heard_at is None else max((now - heard_at).days, 0)
    return Unreached(row.id, why, row.lane, silent)


def can_nudge(db: Connection, lanes: set[str | None]) -> bool:
    """Whether on each of these lanes a template may tell that something waits."""
    statement = select(templates.c.lane).where(
        templates.c.lane.in_(lanes), templates.c.state == "approved", templates.c.name == "nudge"
    )
    return lanes <= set(db.execute(statement).scalars())
