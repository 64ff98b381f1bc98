"""Leaves: the happy moments of a community, as they hang on its tree.

A leaf hangs as long as its words stand and who wrote it is in the community, or nobody knows any
more who that was. Nothing here tells others whose a leaf without a name is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, delete, func, insert, or_, select, update

from bot.models.captions import captions
from bot.models.leaves import LEAF, leaves
from bot.models.people import communities, members, memberships
from bot.models.rhythm import editions
from bot.models.talks import bubbles, posts
from bot.roles import TAKING_PART

KIND = LEAF  # of its post
PIECES = 20  # bubbles of one leaf that are read for a picture


@dataclass(frozen=True, slots=True)
class Leaf:
    """A happy moment."""

    id: int  # of its post
    community_id: int
    author_id: int | None  # for her own eyes, and where she wished it
    named: bool
    said_id: int | None  # the edition that told it to the group
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Painted:
    """What a picture shows of one."""

    id: int
    words: str
    name: str | None
    spoken: bool


def _leaves() -> Select[Any]:
    return (
        select(
            posts.c.id,
            leaves.c.community_id,
            posts.c.author_id,
            leaves.c.named,
            posts.c.said_id,
            posts.c.created_at,
        )
        .join(leaves, leaves.c.post_id == posts.c.id)
        .where(posts.c.state == "live", _hangs())
    )


def _hangs() -> Any:
    """Whose author is in its community, or is not known any more."""
    inside = select(memberships.c.id).where(
        memberships.c.member_id == posts.c.author_id,
        memberships.c.community_id == leaves.c.community_id,
        memberships.c.state == "active",
    )
    return or_(posts.c.author_id.is_(None), inside.exists())


def _list(db: Connection, statement: Select[Any]) -> list[Leaf]:
    return [Leaf(*row) for row in db.execute(statement)]


def hang(db: Connection, post_id: int, community_id: int, now: datetime, *, named: bool) -> None:
    """A draft becomes a leaf."""
    live = {"state": "live", "community_id": community_id}
    db.execute(update(posts).where(posts.c.id == post_id).values(live))
    row = {"post_id": post_id, "community_id": community_id, "named": named, "hung_at": now}
    db.execute(insert(leaves).values(row))


def take_down(db: Connection, post_id: int) -> None:
    """Its words go; wherever it stood it reads as taken back."""
    db.execute(delete(bubbles).where(bubbles.c.post_id == post_id))
    db.execute(update(posts).where(posts.c.id == post_id).values(state="hidden", author_id=None))


# What members read -------------------------------------------------------------------------------


def _read_by(member_id: int) -> Any:
    """In the communities where she takes part at this moment."""
    hers = select(memberships.c.community_id).where(
        memberships.c.member_id == member_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
    )
    return leaves.c.community_id.in_(hers)


def list_for(
    db: Connection, member_id: int, community_ids: Sequence[int], most: int, before: int = 0
) -> list[Leaf]:
    """The newest first; those before this one, 0 = all."""
    statement = _leaves().where(leaves.c.community_id.in_(community_ids), _read_by(member_id))
    if before:
        statement = statement.where(posts.c.id < before)
    return _list(db, statement.order_by(posts.c.id.desc()).limit(most))


def find_for(db: Connection, member_id: int, post_id: int) -> Leaf | None:
    found = _list(db, _leaves().where(posts.c.id == post_id, _read_by(member_id)))
    return found[0] if found else None


def count_for(db: Connection, member_id: int, community_ids: Sequence[int]) -> int:
    statement = _leaves().where(leaves.c.community_id.in_(community_ids), _read_by(member_id))
    return db.execute(select(func.count()).select_from(statement.subquery())).scalar_one()


def paint_for(
    db: Connection, member_id: int, community_ids: Sequence[int], most: int, worded: int
) -> list[Painted]:
    """What a picture shows her, the newest first; only the newest with their words."""
    found = list_for(db, member_id, community_ids, most)
    shown = [each.id for each in found[:worded]]
    named = and_(leaves.c.named, ~communities.c.discreet)
    names = (
        select(posts.c.id, case((named, members.c.name), else_=None).label("name"))
        .join(leaves, leaves.c.post_id == posts.c.id)
        .join(communities, communities.c.id == leaves.c.community_id)
        .outerjoin(members, members.c.id == posts.c.author_id)
        .where(posts.c.id.in_(shown))
    )
    whose = {row.id: row.name for row in db.execute(names)}
    typed = _words(db, shown, typed=True)
    said = _words(db, shown, typed=False) | typed
    return [
        Painted(each.id, said.get(each.id, ""), whose.get(each.id), each.id not in typed)
        for each in found
    ]


def _words(db: Connection, post_ids: Sequence[int], *, typed: bool) -> dict[int, str]:
    """What was typed; else what stands there for a voice."""
    words = bubbles.c.text if typed else captions.c.text
    heard = and_(
        captions.c.media_id == bubbles.c.media_id,
        captions.c.state == "shown",
        captions.c.kind != "described",
    )
    statement = (
        select(bubbles.c.post_id, words)
        .outerjoin(captions, heard)
        .where(bubbles.c.post_id.in_(post_ids), (bubbles.c.kind == "text") if typed else heard)
    )
    found: dict[int, list[str]] = {}
    for post_id, text in db.execute(statement.order_by(bubbles.c.id)):
        found.setdefault(post_id, []).append(text)
    return {post_id: " ".join(texts[:PIECES]) for post_id, texts in found.items()}


# Hers --------------------------------------------------------------------------------------------


def list_own(db: Connection, member_id: int, most: int, before: int = 0) -> list[Leaf]:
    """The newest first; those before this one, 0 = all."""
    statement = _leaves().where(posts.c.author_id == member_id)
    if before:
        statement = statement.where(posts.c.id < before)
    return _list(db, statement.order_by(posts.c.id.desc()).limit(most))


def find_own(db: Connection, member_id: int, post_id: int) -> Leaf | None:
    hers = _leaves().where(posts.c.id == post_id, posts.c.author_id == member_id)
    found = _list(db, hers)
    return found[0] if found else None


# What is said on Friday --------------------------------------------------------------------------


def gather(db: Connection, edition_id: int, community_id: int) -> bool:
    """The leaves that no edition has told yet are told by this one; False if there are none.

    Of a discreet community none is ever told unasked.
    """
    told = select(posts.c.id).where(posts.c.said_id == edition_id, posts.c.kind == KIND).limit(1)
    if db.execute(told).first() is not None:
        return True
    skipped = select(editions.c.id).where(
        editions.c.community_id == community_id, editions.c.state == "skipped"
    )
    fresh = _leaves().where(
        leaves.c.community_id == community_id,
        ~_discreet(),
        or_(posts.c.said_id.is_(None), posts.c.said_id.in_(skipped)),
    )
    ids = [each.id for each in _list(db, fresh)]
    db.execute(update(posts).where(posts.c.id.in_(ids)).values(said_id=edition_id))
    return bool(ids)


def _discreet() -> Any:
    return leaves.c.community_id.in_(select(communities.c.id).where(communities.c.discreet))


def list_said(db: Connection, edition_ids: Sequence[int]) -> list[Leaf]:
    """What these editions tell, the newest first."""
    statement = _leaves().where(posts.c.said_id.in_(edition_ids), ~_discreet())
    return _list(db, statement.order_by(posts.c.id.desc()))
