"""Unfinished talks: which stand still for a while, and that they were looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    and_,
    func,
    literal,
    or_,
    select,
    update,
)

from bot.columns import Moment
from bot.models.people import addresses, communities, members, memberships
from bot.models.talks import conversations


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A talk that waits for her, in the app that is used unasked."""

    address_id: int
    member_id: int
    state: Mapping[str, Any]  # bot/talk.py
    expires_at: datetime
    timezone: str | None  # hers, or of where she is a member
    programme_id: int | None
    discreet: bool  # who sees her phone learns nothing


def list_still(
    db: Connection, since: datetime, until: datetime, now: datetime, after: int, most: int
) -> list[Unfinished]:
    """Those that expire between these moments, and were not looked at before."""
    programme = _of_hers(func.min(communities.c.programme_id))
    there = _of_hers(func.min(communities.c.timezone))
    paused = members.c.paused_until
    statement = (
        select(
            conversations.c.address_id,
            members.c.id,
            conversations.c.state,
            conversations.c.expires_at,
            func.coalesce(members.c.timezone, there),
            programme,
            members.c.discreet,
        )
        .join(addresses, addresses.c.id == conversations.c.address_id)
        .join(members, members.c.id == addresses.c.member_id)
        .where(
            conversations.c.address_id > after,
            conversations.c.offered_at.is_(None),
            conversations.c.expires_at > literal(since, Moment),
            conversations.c.expires_at <= literal(until, Moment),
            members.c.state == "active",
            or_(paused.is_(None), paused <= literal(now, Moment)),
            addresses.c.preferred,
            addresses.c.unreachable_at.is_(None),
            addresses.c.doubted_at.is_(None),
        )
        .order_by(conversations.c.address_id)
        .limit(most)
    )
    return [Unfinished(*row) for row in db.execute(statement)]


def _of_hers(value: ColumnElement[Any]) -> ScalarSelect[Any]:
    """Of the communities she is in."""
    return (
        select(value)
        .join(memberships, memberships.c.community_id == communities.c.id)
        .where(memberships.c.member_id == members.c.id, memberships.c.state == "active")
        .scalar_subquery()
    )


def mark(db: Connection, talk: Unfinished, now: datetime) -> bool:
    """False if she has gone on meanwhile, or somebody else was faster."""
    same = and_(
        conversations.c.address_id == talk.address_id,
        conversations.c.expires_at == literal(talk.expires_at, Moment),
        conversations.c.offered_at.is_(None),
    )
    changed = db.execute(update(conversations).where(same).values(offered_at=now))
    return changed.rowcount == 1
