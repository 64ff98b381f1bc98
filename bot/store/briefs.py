"""Briefs: which facilitators hear on Monday how things stand, and what has come in the week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from bot.models.people import FACILITATES, communities, members, memberships
from bot.roles import TAKING_PART, may

_their_zone = func.coalesce(members.c.timezone, communities.c.timezone)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who facilitates, and has not switched all of it off."""

    member_id: int
    language: str | None


def list_zones(db: Connection, now: datetime) -> list[str]:
    """Where facilitators are; who has no zone is where the community is."""
    return sorted(db.execute(_facilitating(select(_their_zone).distinct(), now)).scalars())


def list_readers(db: Connection, where: str, since: datetime, now: datetime) -> list[Reader]:
    """Those in a zone who were there at a moment, and neither stopped nor pause now."""
    goes_on = or_(members.c.paused_until.is_(None), members.c.paused_until <= now)
    statement = _facilitating(select(members.c.id, members.c.language).distinct(), now)
    statement = statement.where(_their_zone == where, memberships.c.created_at <= since, goes_on)
    return [Reader(*row) for row in db.execute(statement.order_by(members.c.id))]


def _facilitating(statement: Select[Any], now: datetime) -> Select[Any]:
    return (
        statement.select_from(memberships)
        .join(members, members.c.id == memberships.c.member_id)
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(
            FACILITATES,
            or_(memberships.c.role_until.is_(None), memberships.c.role_until > now),
            memberships.c.state == "active",
            memberships.c.pace != "muted",
            members.c.state == "active",
            communities.c.ended_at.is_(None),
        )
    )


# What has come -----------------------------------------------------------------------------------


def count_newcomers(db: Connection, community_id: int, since: datetime) -> int:
    """Those who have come in since then and take part, but who facilitates."""
    statement = select(func.count()).where(
        memberships.c.community_id == community_id,
        memberships.c.state == "active",
        memberships.c.role.in_([role for role in TAKING_PART if not may(role, "brief")]),
        memberships.c.created_at >= since,
    )
    return db.execute(statement).scalar_one()
