"""Captioned: what is kept in words of somebody's voices and photos, for her own eyes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from bot.models.captions import agreements, captions
from bot.models.people import members
from bot.models.talks import bubbles, posts


@dataclass(frozen=True, slots=True)
class Captioned:
    """All of it."""

    under_hers: Sequence[tuple[datetime, str]]  # when, and the words
    written: Sequence[tuple[datetime, str]]  # what she wrote under those of others
    agreed: tuple[str, str, datetime] | None  # service, answer, when
    likes: str | None  # reads, described


def find(db: Connection, member_id: int, linked: Sequence[int]) -> Captioned:
    """`linked`: threads that she asked without her name."""
    unnamed = and_(
        posts.c.thread_id.in_(linked),
        posts.c.author_id.is_(None),
        posts.c.kind.in_(("question", "reply", "outcome")),
    )
    mine = (
        select(bubbles.c.media_id)
        .join(posts, posts.c.id == bubbles.c.post_id)
        .where(or_(posts.c.author_id == member_id, unnamed), bubbles.c.media_id.is_not(None))
    )
    shown = select(captions.c.created_at, captions.c.text).where(captions.c.state == "shown")
    shown = shown.order_by(captions.c.id)
    by_her, hers = captions.c.author_id == member_id, captions.c.media_id.in_(mine)
    agreed = select(agreements.c.service, agreements.c.answer, agreements.c.at)
    answered = db.execute(agreed.where(agreements.c.member_id == member_id)).first()
    return Captioned(
        [(at, text) for at, text in db.execute(shown.where(hers))],
        [(at, text) for at, text in db.execute(shown.where(by_her, ~hers))],
        None if answered is None else (answered.service, answered.answer, answered.at),
        db.execute(select(members.c.likes).where(members.c.id == member_id)).scalar(),
    )
