"""Voices: who chose which story, and why; counted once, and then nobody's.

When a round is settled the reasons get new rows, in the order of their words: neither a number nor
a moment leads from a reason to who gave it, nor does a recording that was given with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from bot.db import insert_new, insert_returning
from bot.messages import Ref
from bot.models.outbox import showings
from bot.models.stories import choices, reasons, story_questions
from bot.models.talks import bubbles, posts


@dataclass(frozen=True, slots=True)
class Choice:
    """What she has chosen so far."""

    candidate_id: int
    post_id: int
    named: bool


@dataclass(frozen=True, slots=True)
class Given:
    """A choice and its reason, as long as it is known whose they are."""

    candidate_id: int
    member_id: int
    post_id: int
    named: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a story was chosen; by whom only if she wished it to be known."""

    post_id: int
    author_id: int | None

    @property
    def ref(self) -> Ref:
        return Ref("posts", self.post_id)


def choose(
    db: Connection,
    round_id: int,
    member_id: int,
    candidate_id: int,
    post_id: int,
    *,
    named: bool,
) -> None:
    """This one, whatever she chose before; the reason she gave for that is forgotten."""
    before = find(db, round_id, member_id)
    values = {"candidate_id": candidate_id, "post_id": post_id, "named": named}
    new = insert_new(db, choices).values({"round_id": round_id, "member_id": member_id} | values)
    db.execute(new.on_conflict_do_update(index_elements=["round_id", "member_id"], set_=values))
    db.execute(update(posts).where(posts.c.id == post_id).values(state="kept"))
    if before is not None and before.post_id != post_id:
        remove(db, [before.post_id])


def find(db: Connection, round_id: int, member_id: int) -> Choice | None:
    hers = (choices.c.round_id == round_id, choices.c.member_id == member_id)
    columns = (choices.c.candidate_id, choices.c.post_id, choices.c.named)
    row = db.execute(select(*columns).where(*hers)).first()
    return None if row is None else Choice(*row)


def count(db: Connection, round_id: int, who: Collection[int]) -> dict[int, int]:
    """Voices of those who still take part, by candidate."""
    counted = (
        select(choices.c.candidate_id, func.count().label("voices"))
        .where(choices.c.round_id == round_id, choices.c.member_id.in_(who))
        .group_by(choices.c.candidate_id)
    )
    return {row.candidate_id: row.voices for row in db.execute(counted)}


# Settling ---------------------------------------------------------------------------------------


def list_given(db: Connection, round_id: int) -> list[Given]:
    """All of a round, in the order of their words: it tells nothing of who spoke when.

    Of recordings, which have none, the lot decides.
    """
    found = select(
        choices.c.candidate_id, choices.c.member_id, choices.c.post_id, choices.c.named
    ).where(choices.c.round_id == round_id)
    given = [Given(*row) for row in db.execute(found)]
    secrets.SystemRandom().shuffle(given)
    said = select(bubbles.c.post_id, bubbles.c.text).where(
        bubbles.c.post_id.in_([each.post_id for each in given])
    )
    words: dict[int, str] = {}
    for row in db.execute(said.order_by(bubbles.c.id)):
        words[row.post_id] = words.get(row.post_id, "") + row.text
    return sorted(given, key=lambda each: words.get(each.post_id, ""))


def add_reason(
    db: Connection,
    candidate_id: int,
    author_id: int | None,
    said: Sequence[tuple[str, str, int | None, bool]],
    now: datetime,
) -> None:
    """Of bubbles (kind, text, media, forwarded) in rows of their own; `now` is coarse.

    The provider's ids of the old ones would lead to who wrote them.
    """
    row = {"author_id": author_id, "kind": "reason", "state": "live", "created_at": now}
    [post_id] = insert_returning(db, posts, [row])
    names = ("kind", "text", "media_id", "forwarded")
    about = {"post_id": post_id, "created_at": now}
    db.execute(insert(bubbles), [{**about, **dict(zip(names, each, strict=True))} for each in said])
    db.execute(insert(reasons).values({"candidate_id": candidate_id, "post_id": post_id}))


def remove(db: Connection, ids: Collection[int]) -> None:
    """Reasons as they were given, with the choice they belong to, and to whom they were shown."""
    db.execute(delete(posts).where(posts.c.id.in_(ids)))
    db.execute(delete(showings).where(showings.c.post_id.in_(ids)))


# Reasons ----------------------------------------------------------------------------------------


def list_reasons(db: Connection, candidate_id: int, most: int, after: int = 0) -> list[Reason]:
    """Those that stand, in the order in which they were written down anew."""
    words = select(bubbles.c.id).where(bubbles.c.post_id == posts.c.id)
    found = (
        select(posts.c.id, posts.c.author_id)
        .join(reasons, reasons.c.post_id == posts.c.id)
        .where(reasons.c.candidate_id == candidate_id, posts.c.state == "live", words.exists())
        .where(posts.c.id > after)
    )
    return [Reason(*row) for row in db.execute(found.order_by(posts.c.id).limit(most))]


def list_posts(db: Connection, candidate_id: int) -> list[int]:
    """All that was said of it: reasons, also those not counted yet, and a question back."""
    found: list[int] = []
    for table in (reasons, choices, story_questions):
        mine = select(table.c.post_id).where(table.c.candidate_id == candidate_id)
        found += db.execute(mine).scalars().all()
    return sorted(found)


# The question back ------------------------------------------------------------------------------


def add_question(db: Connection, candidate_id: int, asked_by: int, post_id: int) -> bool:
    """False if one was asked before."""
    row = {"candidate_id": candidate_id, "asked_by": asked_by, "post_id": post_id}
    new = insert_new(db, story_questions).values(row).on_conflict_do_nothing()
    return db.execute(new).rowcount == 1


def find_question(db: Connection, candidate_id: int) -> tuple[int | None, int] | None:
    """(who asked, the post) as long as it is not answered."""
    found = select(story_questions.c.asked_by, story_questions.c.post_id).where(
        story_questions.c.candidate_id == candidate_id, ~story_questions.c.answered
    )
    row = db.execute(found).first()
    return None if row is None else (row.asked_by, row.post_id)


def has_question(db: Connection, candidate_id: int) -> bool:
    found = select(story_questions.c.candidate_id)
    return (
        db.execute(found.where(story_questions.c.candidate_id == candidate_id)).first() is not None
    )


def mark_answered(db: Connection, candidate_id: int) -> None:
    mine = story_questions.c.candidate_id == candidate_id
    db.execute(update(story_questions).where(mine).values(answered=True))
