"""Figures of a community: how much was asked, answered, and found to help; nobody's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, or_, select

from bot.models.sessions import sessions
from bot.models.talks import posts, threads


@dataclass(frozen=True, slots=True)
class Figures:
    asked: int  # questions to the whole community
    answered: int  # of these
    helped: int  # with an outcome: the one who asked says what helped


def count(db: Connection, community_id: int, since: datetime, until: datetime) -> Figures:
    """Of questions asked from `since` to before `until`."""
    of_it = and_(posts.c.thread_id == threads.c.id, posts.c.kind == "answer")
    answer = select(posts.c.id).where(of_it, posts.c.state == "live")
    helpful = answer.where(posts.c.helpful_at.is_not(None)).exists()
    outcome = or_(threads.c.state.in_(("helped", "told")), helpful)
    statement = select(
        func.count(),
        func.coalesce(func.sum(case((answer.exists(), 1), else_=0)), 0),
        func.coalesce(func.sum(case((outcome, 1), else_=0)), 0),
    ).where(
        threads.c.community_id == community_id,
        threads.c.scope == "community",
        threads.c.created_at >= since,
        threads.c.created_at < until,
        ~select(sessions.c.id).where(sessions.c.thread_id == threads.c.id).exists(),  # no questions
    )
    return Figures(*db.execute(statement).one())
