"""Figures of a community: how much was asked, answered, and found to help; nobody's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from bot.models.people import memberships
from bot.models.reflections import reflections
from bot.models.talks import bubbles, posts, threads
from bot.roles import TAKING_PART


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
    asks = posts.c.kind == "question"
    statement = select(
        func.count(),
        func.coalesce(func.sum(case((answer.exists(), 1), else_=0)), 0),
        func.coalesce(func.sum(case((outcome, 1), else_=0)), 0),
    ).where(
        threads.c.community_id == community_id,
        threads.c.scope == "community",
        threads.c.created_at >= since,
        threads.c.created_at < until,
        # notes, drafts and reflections are no questions
        select(posts.c.id).where(posts.c.thread_id == threads.c.id, asks).exists(),
    )
    return Figures(*db.execute(statement).one())


@dataclass(frozen=True, slots=True)
class Reflected:
    """What was reflected on in a month, whoever sees it, and how many people did."""

    said: int  # reflections and answers to weekly questions, those kept for oneself too
    people: int
    voices: int  # voice and video notes in what was shown to the group, of all kinds
    speakers: int  # people whose voices these are
    themes: Mapping[str, int]  # of what was shown to the group: how many people, by theme


def count_reflected(
    db: Connection, community_id: int, since: datetime, until: datetime
) -> Reflected:
    """What members who are there now said from `since` to before `until`."""
    said, people = db.execute(_said(community_id, since, until)).one()
    voices, speakers = db.execute(_voices(community_id, since, until)).one()
    themes = db.execute(_themes(community_id, since, until))
    return Reflected(said, people, voices, speakers, {row.theme: row.people for row in themes})


def _said(community_id: int, since: datetime, until: datetime) -> Select[int, int]:
    """What she keeps for herself belongs to no group: it counts where she takes part."""
    inside = select(memberships.c.id).where(
        memberships.c.member_id == posts.c.author_id,
        memberships.c.community_id == community_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
    )
    shown = and_(posts.c.state == "live", posts.c.community_id == community_id)
    kept = and_(posts.c.state == "kept", inside.exists())
    return _counted(since, until).where(
        posts.c.kind.in_(("reflection", "response")), or_(shown, kept)
    )


def _voices(community_id: int, since: datetime, until: datetime) -> Select[int, int]:
    spoken = bubbles.c.kind.in_(("voice", "video"))
    shown = and_(posts.c.state == "live", posts.c.community_id == community_id)
    return (
        _counted(since, until).join(bubbles, bubbles.c.post_id == posts.c.id).where(spoken, shown)
    )


def _themes(community_id: int, since: datetime, until: datetime) -> Select[Any]:
    people = func.count(posts.c.author_id.distinct()).label("people")
    return (
        select(reflections.c.theme, people)
        .join(posts, posts.c.id == reflections.c.post_id)
        .where(
            posts.c.state == "live",
            posts.c.seen_by == "community",
            posts.c.community_id == community_id,
            posts.c.created_at >= since,
            posts.c.created_at < until,
            reflections.c.theme.is_not(None),
        )
        .group_by(reflections.c.theme)
    )


def _counted(since: datetime, until: datetime) -> Select[int, int]:
    """How many, and by how many people; former members are nobody."""
    return (
        select(func.count(), func.count(posts.c.author_id.distinct()))
        .select_from(posts)
        .where(posts.c.created_at >= since, posts.c.created_at < until)
    )
