"""Presence: what somebody has set for herself, what waits because of it, and how she leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from bot.db import mark_due
from bot.models.outbox import HELD, WAITING, deliveries
from bot.models.people import addresses, communities, members, memberships
from bot.models.talks import follows, posts, threads

PUT_OFF = ("quiet", "paused", "pace")  # why something waits though it could leave
REMINDED = timedelta(hours=20)  # while she is stopped, she hears that at most so often


@dataclass(frozen=True, slots=True)
class Presence:
    """What a member has set for herself."""

    organisation: str | None
    timezone: str  # hers, or that of her first community
    paused_until: datetime | None
    quiet_from: int | None  # minutes after midnight in her zone; None = as usual
    quiet_until: int | None
    rhythm: str  # of what is said every week: all, prompt, tip, fortnight, none


def get(db: Connection, member_id: int) -> Presence:
    first = (
        select(communities.c.timezone)
        .join(memberships, memberships.c.community_id == communities.c.id)
        .where(memberships.c.member_id == member_id, memberships.c.state.in_(("active", "waiting")))
        .order_by(memberships.c.id)
        .limit(1)
    )
    statement = select(
        members.c.organisation,
        func.coalesce(members.c.timezone, first.scalar_subquery(), "UTC"),
        members.c.paused_until,
        members.c.quiet_from,
        members.c.quiet_until,
        members.c.rhythm,
    )
    return Presence(*db.execute(statement.where(members.c.id == member_id)).one())


def release(db: Connection, member_id: int, now: datetime) -> None:
    """She set something anew: what was put off is looked at again, at once."""
    hers = addresses.c.member_id == member_id
    lanes, ids = select(addresses.c.lane).where(hers), select(addresses.c.id).where(hers)
    waiting = (deliveries.c.lane.in_(lanes), WAITING, deliveries.c.member_id == member_id)
    held = (deliveries.c.address_id.in_(ids), HELD)
    released = 0
    for those in (waiting, held):
        found = update(deliveries).where(*those, deliveries.c.reason.in_(PUT_OFF))
        released += db.execute(found.values(state="queued", due_at=now, reason=None)).rowcount
    if released:
        mark_due(db, now)


def leave(db: Connection, member_id: int, community_id: int) -> bool:
    """She is out, and nothing of her is under way there; False if she was not in.

    What is queued for her from there is dropped when it would be sent.
    """
    left = db.execute(
        update(memberships)
        .where(
            memberships.c.member_id == member_id,
            memberships.c.community_id == community_id,
            memberships.c.state.in_(("active", "waiting")),
        )
        .values(state="left", role="member", role_until=None, role_from=None, pace="at_once")
    )
    inside = select(threads.c.id).where(threads.c.community_id == community_id)
    db.execute(
        delete(follows).where(follows.c.member_id == member_id, follows.c.thread_id.in_(inside))
    )
    db.execute(
        delete(posts).where(
            posts.c.author_id == member_id,
            posts.c.community_id == community_id,
            posts.c.state.in_(("draft", "waiting")),
        )
    )
    return left.rowcount == 1


def is_only_facilitator(db: Connection, member_id: int, community_id: int) -> bool:
    """Whether nobody facilitates a community when she is gone."""
    hers = memberships.c.member_id == member_id
    statement = select(hers).where(
        memberships.c.community_id == community_id,
        memberships.c.role == "facilitator",
        memberships.c.state == "active",
    )
    return list(db.execute(statement).scalars()) in ([True], [1])
