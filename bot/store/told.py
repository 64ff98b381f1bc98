"""Told: what stories of change keep about one member beside her words, for her own eyes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.models.stories import candidates, choices, consents, rounds, stories, story_exports


@dataclass(frozen=True, slots=True)
class Agreed:
    """What she agreed to, and perhaps ended."""

    story_id: int
    words: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """All of it."""

    stories: Sequence[tuple[int, datetime]]  # (number, when it was begun)
    consents: Sequence[Agreed]
    chosen: Sequence[tuple[int, datetime | None]]  # (number, until when it is known)
    opened: Sequence[datetime]  # rounds
    exported: Sequence[datetime]  # files of stories that she made


def find(db: Connection, member_id: int) -> Told:
    mine = stories.c.member_id == member_id
    begun = select(stories.c.id, stories.c.created_at).where(mine).order_by(stories.c.id)
    agreed = (
        select(*(consents.c[name] for name in Agreed.__dataclass_fields__))
        .join(stories, stories.c.id == consents.c.story_id)
        .where(mine)
        .order_by(consents.c.id)
    )
    chosen = (
        select(candidates.c.story_id, rounds.c.closes_at)
        .join(choices, choices.c.candidate_id == candidates.c.id)
        .join(rounds, rounds.c.id == choices.c.round_id)
        .where(choices.c.member_id == member_id)
    )
    opened = select(rounds.c.opened_at).where(
        rounds.c.opened_by == member_id, rounds.c.opened_at.is_not(None)
    )
    made = select(story_exports.c.made_at).where(story_exports.c.made_by == member_id)
    return Told(
        [(row.id, row.created_at) for row in db.execute(begun)],
        [Agreed(*row) for row in db.execute(agreed)],
        [(row.story_id, row.closes_at) for row in db.execute(chosen.order_by(rounds.c.id))],
        [each for each in db.execute(opened.order_by(rounds.c.id)).scalars() if each is not None],
        list(db.execute(made.order_by(story_exports.c.id)).scalars()),
    )
