"""Stories of change: drafts of a few answers, told when she agrees, hers to take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from bot.db import insert_returning
from bot.models.stories import may_be, stories, story_parts
from bot.models.talks import bubbles, posts

DRAFT, TOLD, WITHDRAWN = "draft", "told", "withdrawn"
HIDDEN = "hidden"  # by a facilitator, for all but its teller
RECENT = 6  # stories of hers that are looked through
PARTS = ("who", "before", "happened", "matters")  # in the order in which they are asked
DOMAINS = ("empowerment", "influence", "amplifying")


@dataclass(frozen=True, slots=True)
class Story:
    id: int  # also its number, as others hear it
    member_id: int | None
    community_id: int
    state: str  # DRAFT, TOLD, WITHDRAWN, HIDDEN
    domain: str | None  # the kind of change
    others: str | None  # people in it: none, agreed, asking
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """What she answered to one of the questions."""

    name: str
    post_id: int
    heavy: bool = False  # others choose whether and when they read the story


@dataclass(frozen=True, slots=True)
class Counted:
    """Stories of one community in one month that may be used in one way, and who told them."""

    told: int
    people: int


_STORY = tuple(stories.c[name] for name in Story.__dataclass_fields__)
_HAS_WORDS = exists().where(
    story_parts.c.story_id == stories.c.id, bubbles.c.post_id == story_parts.c.post_id
)


def add(db: Connection, member_id: int, community_id: int, now: datetime) -> int:
    row = {"member_id": member_id, "community_id": community_id, "state": DRAFT, "created_at": now}
    id_: int = db.execute(insert(stories).values(row).returning(stories.c.id)).scalar_one()
    return id_


def find(db: Connection, story_id: int) -> Story | None:
    row = db.execute(select(*_STORY).where(stories.c.id == story_id)).first()
    return None if row is None else Story(*row)


def find_hers(db: Connection, story_id: int, member_id: int) -> Story | None:
    """One of her own in which there is something; held until the end of this transaction."""
    hers = (stories.c.id == story_id, stories.c.member_id == member_id, _HAS_WORDS)
    row = db.execute(select(*_STORY).where(*hers).with_for_update(of=stories)).first()
    return None if row is None else Story(*row)


def list_hers(
    db: Connection, member_id: int, most: int, since: datetime | None = None
) -> list[Story]:
    """The latest first; `since`: an app that was linked later shows nothing from before."""
    hers = select(*_STORY).where(stories.c.member_id == member_id, _HAS_WORDS)
    if since is not None:
        hers = hers.where(stories.c.created_at >= since)
    return [Story(*row) for row in db.execute(hers.order_by(stories.c.id.desc()).limit(most))]


def find_next(db: Connection, member_id: int) -> Story | None:
    """One of hers, whatever is in it."""
    hers = select(*_STORY).where(stories.c.member_id == member_id).order_by(stories.c.id)
    row = db.execute(hers.limit(1)).first()
    return None if row is None else Story(*row)


def find_grown(db: Connection, member_id: int, post_id: int) -> Story | None:
    """Her latest story that has begun with the words of this post."""
    said = _said(db, post_id)
    for each in list_hers(db, member_id, RECENT):
        part = find_part(db, each.id, "happened")
        if part is not None and _said(db, part.post_id) == said:
            return each
    return None


def _said(db: Connection, post_id: int) -> list[tuple[str, str, int | None]]:
    columns = (bubbles.c.kind, bubbles.c.text, bubbles.c.media_id)
    found = select(*columns).where(bubbles.c.post_id == post_id).order_by(bubbles.c.id)
    return [(row.kind, row.text, row.media_id) for row in db.execute(found)]


def list_told(db: Connection, community_id: int, most: int, before: int) -> list[Story]:
    """What members of a community may read at this moment, the latest first; 0 = from there on."""
    found = select(*_STORY).where(
        stories.c.community_id == community_id, may_be("community"), _HAS_WORDS
    )
    if before:
        found = found.where(stories.c.id < before)
    return [Story(*row) for row in db.execute(found.order_by(stories.c.id.desc()).limit(most))]


def find_told(db: Connection, story_id: int) -> Story | None:
    """One that its community may read; held until the end of this transaction."""
    told = select(*_STORY).where(stories.c.id == story_id, may_be("community"), _HAS_WORDS)
    row = db.execute(told.with_for_update(of=stories)).first()
    return None if row is None else Story(*row)


def mark(db: Connection, story_id: int, **values: Any) -> None:
    db.execute(update(stories).where(stories.c.id == story_id).values(values))


# Parts ------------------------------------------------------------------------------------------


def list_parts(db: Connection, story_id: int) -> list[Part]:
    """Those with something in them, in the order of the questions."""
    words = exists().where(bubbles.c.post_id == story_parts.c.post_id)
    found = (
        select(story_parts.c.name, story_parts.c.post_id, posts.c.heavy)
        .join(posts, posts.c.id == story_parts.c.post_id)
        .where(story_parts.c.story_id == story_id, words)
    )
    rows = [Part(*row) for row in db.execute(found)]
    return sorted(rows, key=lambda each: PARTS.index(each.name))


def find_part(db: Connection, story_id: int, name: str) -> Part | None:
    return next((each for each in list_parts(db, story_id) if each.name == name), None)


def put(db: Connection, story_id: int, name: str, post_id: int) -> None:
    """This post is that part from now on, and as heavy as the one before."""
    this = (story_parts.c.story_id == story_id, story_parts.c.name == name)
    before = select(story_parts.c.post_id).where(*this).scalar_subquery()
    old = posts.alias("old")
    was = exists().where(old.c.id == before, old.c.heavy)
    db.execute(update(posts).where(posts.c.id == post_id, was).values(heavy=True))
    db.execute(delete(story_parts).where(*this))
    db.execute(insert(story_parts).values({"story_id": story_id, "name": name, "post_id": post_id}))


def copy(db: Connection, post_id: int, member_id: int, now: datetime) -> int:
    """A post with the same words and files, for a story; a heavy one stays heavy."""
    row = {"author_id": member_id, "kind": "story", "state": "kept", "created_at": now}
    row["heavy"] = db.execute(select(posts.c.heavy).where(posts.c.id == post_id)).scalar_one()
    [new_id] = insert_returning(db, posts, [row])
    said = db.execute(select(bubbles).where(bubbles.c.post_id == post_id).order_by(bubbles.c.id))
    same = [{**each._mapping, "post_id": new_id, "key": None} for each in said]
    rows = [{name: value for name, value in each.items() if name != "id"} for each in same]
    if rows:
        db.execute(insert(bubbles), rows)
    return new_id


def list_words(db: Connection, story_id: int) -> list[tuple[str, str]]:
    """(kind, text) of every bubble, part by part."""
    found = (
        select(bubbles.c.kind, bubbles.c.text)
        .join(story_parts, story_parts.c.post_id == bubbles.c.post_id)
        .where(story_parts.c.story_id == story_id)
    )
    return [(row.kind, row.text) for row in db.execute(found.order_by(bubbles.c.id))]


def mark_posts(db: Connection, story: Story, state: str) -> None:
    """Whether others may find its words: live or kept."""
    mine = select(story_parts.c.post_id).where(story_parts.c.story_id == story.id)
    values = {"state": state, "community_id": story.community_id if state == "live" else None}
    db.execute(update(posts).where(posts.c.id.in_(mine)).values(values))


def renew(db: Connection, story: Story, names: Sequence[str], state: str) -> None:
    """The words go on in other posts: where the old ones stood they read as taken back."""
    for part in list_parts(db, story.id):
        if part.name not in names:
            continue
        row = {
            "author_id": story.member_id,
            "kind": "story",
            "state": state,
            "community_id": story.community_id if state == "live" else None,
            "created_at": story.created_at,
        }
        [post_id] = insert_returning(db, posts, [row])
        moved = update(bubbles).where(bubbles.c.post_id == part.post_id)
        db.execute(moved.values(post_id=post_id))
        empty(db, part.post_id)
        put(db, story.id, part.name, post_id)


def delete_words(db: Connection, story_id: int) -> None:
    """Her own words go too; that there was a story with this number is all that stays."""
    for part in list_parts(db, story_id):
        empty(db, part.post_id)
    db.execute(delete(story_parts).where(story_parts.c.story_id == story_id))
    mark(db, story_id, member_id=None, state=WITHDRAWN)


def empty(db: Connection, post_id: int) -> None:
    """Its words go; wherever it stood it reads as taken back."""
    db.execute(delete(bubbles).where(bubbles.c.post_id == post_id))
    db.execute(update(posts).where(posts.c.id == post_id).values(state="hidden", author_id=None))


# Figures ----------------------------------------------------------------------------------------


def count_stories(
    db: Connection, community_id: int, use: str, since: datetime, until: datetime
) -> Counted:
    """Of those told from `since` to before `until`, as their consents stand now."""
    told = (stories.c.told_at >= since, stories.c.told_at < until, may_be(use))
    found = select(func.count(), func.count(stories.c.member_id.distinct())).where(
        stories.c.community_id == community_id, *told
    )
    return Counted(*db.execute(found).one())
