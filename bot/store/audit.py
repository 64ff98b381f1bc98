"""The audit: who did what to whom among those with a role; lines are only added, without words.

Who asked without a name, and who reported a concern, stand in no line: only people with a role do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from bot.models.people import communities
from bot.models.safeguards import audit


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    actor_id: int | None  # a member; None: an operator, or the clock
    action: str  # "admit", "role.given facilitator", ...
    community: str | None  # its slug
    subject_id: int | None  # a member, post, thread or invite, as the action says


def add(
    db: Connection,
    actor_id: int | None,
    action: str,
    now: datetime,
    *,
    community_id: int | None = None,
    subject_id: int | None = None,
) -> None:
    """One line; it commits or is undone with what it tells of."""
    row = {
        "at": now,
        "actor_id": actor_id,
        "action": action,
        "community_id": community_id,
        "subject_id": subject_id,
    }
    db.execute(insert(audit), row)


def list_lines(
    db: Connection, since: datetime, community: str | None = None, most: int = 1000
) -> list[Line]:
    """The latest lines since then, oldest first."""
    statement = (
        select(audit.c.at, audit.c.actor_id, audit.c.action, communities.c.slug, audit.c.subject_id)
        .outerjoin(communities, communities.c.id == audit.c.community_id)
        .where(audit.c.at >= since)
        .order_by(audit.c.at.desc(), audit.c.id.desc())
        .limit(most)
    )
    if community is not None:
        statement = statement.where(communities.c.slug == community)
    return [Line(*row) for row in db.execute(statement)][::-1]
