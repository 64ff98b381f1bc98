"""Outcomes: what became of the questions of a community in a stretch of time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, literal, or_, select, text, update

from bot.columns import Moment
from bot.models.outbox import messages
from bot.models.talks import follows, posts, threads

_SLACK = timedelta(days=7)  # between the first bubble of a draft and the moment it is sent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question; who follows it has heard."""

    thread_id: int
    question_id: int
    answers: int
    helpful_id: int | None  # an answer that helped; None: there were only answers
    followers: frozenset[int]


def mark(db: Connection, thread_id: int, outcome: str) -> bool:
    """What came of it; False if that was told before. Who has not tried it may tell later."""
    again = or_(threads.c.outcome.is_(None), threads.c.outcome == "not_tried")
    told = case((threads.c.state == "closed", "closed"), else_="told")
    state = threads.c.state if outcome == "not_tried" else told
    changed = db.execute(
        update(threads).where(threads.c.id == thread_id, again).values(outcome=outcome, state=state)
    )
    return changed.rowcount == 1


def list_of(db: Connection, community_id: int, since: datetime, until: datetime) -> list[Outcome]:
    """Questions of a community that were answered, or helped, in this time.

    Answers without a name go to everybody anyway.
    """
    answered = _answered(db, community_id, since, until)
    helped = _helped(db, community_id, since, until)
    wanted = sorted({*answered, *helped})
    if not wanted:
        return []
    first = select(posts.c.thread_id, posts.c.id).where(
        posts.c.thread_id.in_(wanted), posts.c.kind == "question", posts.c.state == "live"
    )
    questions = {row.thread_id: row.id for row in db.execute(first)}
    heard: dict[int, set[int]] = defaultdict(set)
    following = select(follows.c.thread_id, follows.c.member_id)
    for thread_id, member_id in db.execute(following.where(follows.c.thread_id.in_(wanted))):
        heard[thread_id].add(member_id)
    return [
        Outcome(
            each, questions[each], answered.get(each, 0), helped.get(each), frozenset(heard[each])
        )
        for each in wanted
        if each in questions
    ]


def _answered(
    db: Connection, community_id: int, since: datetime, until: datetime
) -> dict[int, int]:
    """How many answers came, by thread."""
    statement = (
        select(posts.c.thread_id, func.count())
        .join(threads, threads.c.id == posts.c.thread_id)
        .join(messages, messages.c.id == posts.c.message_id)
        .where(
            posts.c.community_id == community_id,
            posts.c.created_at >= literal(since - _SLACK, Moment),
            posts.c.kind == "answer",
            posts.c.state == "live",
            messages.c.created_at >= literal(since, Moment),
            messages.c.created_at < literal(until, Moment),
            threads.c.scope == "community",
            ~threads.c.anonymous,
        )
        .group_by(posts.c.thread_id)
    )
    return {thread_id: count for thread_id, count in db.execute(statement)}


def _helped(db: Connection, community_id: int, since: datetime, until: datetime) -> dict[int, int]:
    """The last answer that helped, by thread."""
    statement = (
        select(posts.c.thread_id, func.max(posts.c.id))
        .join(threads, threads.c.id == posts.c.thread_id)
        .where(
            posts.c.community_id == community_id,
            text("posts.helpful_at IS NOT NULL"),
            posts.c.helpful_at >= literal(since, Moment),
            posts.c.helpful_at < literal(until, Moment),
            posts.c.state == "live",
            threads.c.scope == "community",
        )
        .group_by(posts.c.thread_id)
    )
    return {thread_id: post_id for thread_id, post_id in db.execute(statement)}
