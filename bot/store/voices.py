"""Voices: who chose which story, and why; counted once, and then nobody's.

When a round is settled the reasons get new rows in an order drawn by lot: neither a number nor a
moment leads from a reason to who gave it, nor does a recording that was given with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
        _remove_posts(db, [before.post_id])


def find(db: Connection, round_id: int, member_id: int) -> Choice | None:
    hers = (choices.c.round_id == round_id, choices.c.member_id == member_id)
    columns = (choices.c.candidate_id, choices.c.post_id, choices.c.named)
    row = db.execute(select(*columns).where(*hers)).first()
    return None if row is None else Choice(*row)


def list_who(db: Connection, round_id: int, most: int) -> list[int]:
    """Who has chosen, for the machine alone: they are not called once more."""
    found = select(choices.c.member_id).where(choices.c.round_id == round_id)
    return list(db.execute(found.order_by(choices.c.member_id).limit(most)).scalars())


def count(db: Connection, round_id: int, who: Collection[int]) -> dict[int, int]:
    """Voices of those who still take part, by candidate."""
    counted = (
        select(choices.c.candidate_id, func.count().label("voices"))
        .where(choices.c.round_id == round_id, choices.c.member_id.in_(who))
        .group_by(choices.c.candidate_id)
    )
    return {row.candidate_id: row.voices for row in db.execute(counted)}


# Settling ---------------------------------------------------------------------------------------


def settle(
    db: Connection, round_id: int, who: Collection[int], now: datetime, *, names: bool
) -> None:
    """From here on nobody knows who chose what; `now` is coarse, `names`: as they wished.

    Of who takes part no more not even the reason stays.
    """
    found = select(
        choices.c.candidate_id, choices.c.post_id, choices.c.named, choices.c.member_id
    ).where(choices.c.round_id == round_id)
    rows = list(db.execute(found))
    secrets.SystemRandom().shuffle(rows)
    for row in rows:
        if row.member_id in who:
            author_id = row.member_id if names and row.named else None
            post_id = _without_traces(db, row.post_id, author_id, now)
            kept = {"candidate_id": row.candidate_id, "post_id": post_id}
            db.execute(insert(reasons).values(kept))
    db.execute(delete(choices).where(choices.c.round_id == round_id))
    _remove_posts(db, [row.post_id for row in rows])


def _without_traces(db: Connection, from_id: int, author_id: int | None, now: datetime) -> int:
    """The same words in a new post; the rows it is made of are new as well."""
    row = {"author_id": author_id, "kind": "reason", "state": "live", "created_at": now}
    [post_id] = insert_returning(db, posts, [row])
    said = select(bubbles).where(bubbles.c.post_id == from_id).order_by(bubbles.c.id)
    fresh = [_nobodys(each._mapping, post_id, now) for each in db.execute(said)]
    db.execute(delete(bubbles).where(bubbles.c.post_id == from_id))
    if fresh:
        db.execute(insert(bubbles), fresh)
    return post_id


def _nobodys(row: Any, post_id: int, now: datetime) -> dict[str, Any]:
    """Without the provider's id of it, which would lead to who wrote it."""
    kept = {name: value for name, value in row.items() if name != "id"}
    return kept | {"post_id": post_id, "key": None, "created_at": now}


def _remove_posts(db: Connection, ids: Collection[int]) -> None:
    db.execute(delete(posts).where(posts.c.id.in_(ids)))
    db.execute(delete(showings).where(showings.c.post_id.in_(ids)))  # to whom it was shown


def forget(db: Connection, round_id: int) -> None:
    """A second choice begins with none."""
    found = select(choices.c.post_id).where(choices.c.round_id == round_id)
    ids = list(db.execute(found).scalars())
    db.execute(delete(choices).where(choices.c.round_id == round_id))
    _remove_posts(db, ids)


# Reasons ----------------------------------------------------------------------------------------


def list_reasons(db: Connection, candidate_id: int, most: int, after: int = 0) -> list[Reason]:
    """Those that stand, in the order of the lot."""
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


def add_reason(db: Connection, candidate_id: int, post_id: int, now: datetime) -> None:
    """Of who decided a tie; it is not noted who that was. `now` is coarse."""
    kept = {"candidate_id": candidate_id, "post_id": _without_traces(db, post_id, None, now)}
    db.execute(insert(reasons).values(kept))
    _remove_posts(db, [post_id])


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
