"""Responses: what members answer to a weekly question, and who may read it.

What is for herself alone has a state of its own (kept) and no community, so that nothing which
looks for live posts, or for those of a community, ever finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, or_, select, update

from bot.db import insert_returning
from bot.models.media import KINDS
from bot.models.people import memberships
from bot.models.rhythm import contents, editions
from bot.models.talks import bubbles, posts
from bot.roles import TAKING_PART

GROUP, FACILITATORS, ME = "community", "facilitators", "me"
WIDTH = {ME: 0, FACILITATORS: 1, GROUP: 2}  # how many may read it: more is wider
MOST = 500  # answers that one edition says
INTRODUCTION = "introduction"  # the question in which people say what they do and could show


@dataclass(frozen=True, slots=True)
class Response:
    """What somebody answered to it."""

    id: int
    author_id: int | None  # None: a former member
    edition_id: int | None
    community_id: int
    content_id: int | None
    seen_by: str  # GROUP, FACILITATORS or ME
    said_id: int | None  # the edition that told it to the group
    created_at: datetime  # when it was begun; other readers, or more words, do not make it newer


# Hers --------------------------------------------------------------------------------------------

_RESPONSES = (
    select(
        posts.c.id,
        posts.c.author_id,
        posts.c.edition_id,
        func.coalesce(posts.c.community_id, editions.c.community_id, 0),
        editions.c.content_id,
        posts.c.seen_by,
        posts.c.said_id,
        posts.c.created_at,
    )
    .outerjoin(editions, editions.c.id == posts.c.edition_id)
    .where(posts.c.kind == "response", posts.c.state.in_(("live", "kept")))
)


def find_untold(
    db: Connection, member_id: int, edition_id: int, seen_by: str, since: datetime | None
) -> Response | None:
    """What she has answered for these readers since a moment, and her group has not read yet."""
    hers = (posts.c.author_id == member_id, posts.c.edition_id == edition_id)
    statement = _RESPONSES.where(*hers, posts.c.seen_by == seen_by, posts.c.said_id.is_(None))
    if since is not None:
        statement = statement.where(posts.c.created_at >= since)
    return _first(db, statement.order_by(posts.c.id))


def find_own(db: Connection, member_id: int, post_id: int) -> Response | None:
    return _first(db, _RESPONSES.where(posts.c.id == post_id, posts.c.author_id == member_id))


def list_own(
    db: Connection, member_id: int, most: int, before: int, since: datetime | None
) -> list[Response]:
    """Her answers given before this one (0 = all) and since a moment, the latest first."""
    statement = _RESPONSES.where(posts.c.author_id == member_id)
    if before:
        statement = statement.where(posts.c.id < before)
    if since is not None:
        statement = statement.where(posts.c.created_at >= since)
    return _list(db, statement.order_by(posts.c.id.desc()).limit(most))


def _first(db: Connection, statement: Select[Any]) -> Response | None:
    row = db.execute(statement.limit(1)).first()
    return None if row is None else Response(*row)


def _list(db: Connection, statement: Select[Any]) -> list[Response]:
    return [Response(*row) for row in db.execute(statement)]


def publish(db: Connection, post_id: int, edition_id: int, community_id: int, seen_by: str) -> None:
    """A draft becomes her answer, or an answer gets other readers.

    Its moment stays: an app that she linked after it shows nothing of it, whoever reads it now.
    """
    mine = seen_by == ME
    db.execute(
        update(posts)
        .where(posts.c.id == post_id)
        .values(
            kind="response",
            state="kept" if mine else "live",
            edition_id=edition_id,
            community_id=None if mine else community_id,
            seen_by=seen_by,
        )
    )


def add_empty(db: Connection, author_id: int, created_at: datetime, kind: str = "response") -> int:
    """A draft that gets the words, and the moment, of another post."""
    row = {"author_id": author_id, "kind": kind, "state": "draft", "created_at": created_at}
    [post_id] = insert_returning(db, posts, [row])
    return post_id


def move_words(db: Connection, from_id: int, to_id: int) -> None:
    """What one post says is said by another; in the order in which it was written."""
    db.execute(update(bubbles).where(bubbles.c.post_id == from_id).values(post_id=to_id))


def has_words(db: Connection, post_id: int) -> bool:
    """Written or said; or shown in a picture. A place or a contact card alone tells nothing."""
    told = bubbles.c.kind.in_(("text", *KINDS))
    words = select(bubbles.c.id).where(bubbles.c.post_id == post_id, told)
    return db.execute(words.limit(1)).first() is not None


def empty(db: Connection, post_id: int) -> None:
    """Its words go; wherever it stood it reads as taken back."""
    db.execute(delete(bubbles).where(bubbles.c.post_id == post_id))
    db.execute(update(posts).where(posts.c.id == post_id).values(state="hidden", author_id=None))


def drop_words(db: Connection, post_id: int) -> None:
    """She writes them anew."""
    db.execute(delete(bubbles).where(bubbles.c.post_id == post_id))


# What others read --------------------------------------------------------------------------------


def gather(db: Connection, edition_id: int, community_id: int) -> bool:
    """What is shared and was not said yet is said by this edition; False if that is nothing.

    What comes while its readers get it, zone after zone, waits for the next one: so everybody
    reads each answer once. Who has left meanwhile is not quoted any more.
    """
    told = select(posts.c.id).where(posts.c.said_id == edition_id, posts.c.kind == "response")
    told = told.limit(1)
    if db.execute(told).first() is not None:
        return True
    ids = [each.id for each in list_unsaid(db, community_id)]
    db.execute(update(posts).where(posts.c.id.in_(ids)).values(said_id=edition_id))
    return bool(ids)


def list_unsaid(db: Connection, community_id: int) -> list[Response]:
    """What the next edition will say, as things stand; however long it has waited for one."""
    inside = select(memberships.c.id).where(
        memberships.c.member_id == posts.c.author_id,
        memberships.c.community_id == community_id,
        memberships.c.state == "active",
    )
    skipped = select(editions.c.id).where(
        editions.c.community_id == community_id, editions.c.state == "skipped"
    )
    statement = _RESPONSES.where(
        posts.c.community_id == community_id,
        posts.c.state == "live",
        posts.c.seen_by == GROUP,
        or_(posts.c.said_id.is_(None), posts.c.said_id.in_(skipped)),
        or_(posts.c.author_id.is_(None), inside.exists()),
    )
    return _list(db, statement.order_by(posts.c.edition_id, posts.c.id).limit(MOST))


def list_said(db: Connection, edition_id: int) -> list[Response]:
    """What this edition says, question by question."""
    said = _RESPONSES.where(
        posts.c.said_id == edition_id, posts.c.state == "live", posts.c.seen_by == GROUP
    )
    return _list(db, said.order_by(posts.c.edition_id, posts.c.id).limit(MOST))


def find_told(db: Connection, member_id: int, post_id: int) -> Response | None:
    """One that was told to her group, if she takes part there."""
    return _first(db, _told(member_id).where(posts.c.id == post_id))


def find_last_told(db: Connection, member_id: int) -> int | None:
    """The last edition of what peers said in a group of hers."""
    told = _told(member_id).order_by(posts.c.said_id.desc())
    found = _first(db, told)
    return None if found is None else found.said_id


def list_told(
    db: Connection,
    member_id: int,
    edition_ids: Sequence[int],
    most: int,
    after: Response | None = None,
) -> list[Response]:
    """What peers said in these editions, to groups of hers."""
    statement = _told(member_id).where(posts.c.said_id.in_(edition_ids))
    if after is not None:
        same = and_(posts.c.edition_id == after.edition_id, posts.c.id > after.id)
        statement = statement.where(or_(posts.c.edition_id > (after.edition_id or 0), same))
    return _list(db, statement.order_by(posts.c.edition_id, posts.c.id).limit(most))


def _told(member_id: int) -> Select[Any]:
    return _RESPONSES.join(memberships, memberships.c.community_id == posts.c.community_id).where(
        memberships.c.member_id == member_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
        posts.c.said_id.is_not(None),
        posts.c.state == "live",
        posts.c.seen_by == GROUP,
    )


def list_given(db: Connection, community_id: int, most: int, before: int = 0) -> list[Response]:
    """What facilitators may read, the latest first."""
    statement = _given(community_id)
    if before:
        statement = statement.where(posts.c.id < before)
    return _list(db, statement.order_by(posts.c.id.desc()).limit(most))


def find_given(db: Connection, post_id: int) -> Response | None:
    return _first(db, _RESPONSES.where(posts.c.id == post_id, posts.c.state == "live"))


def count_given(db: Connection, community_id: int, since: datetime) -> int:
    """To how much, given to the facilitators alone, words have come since then."""
    words = select(bubbles.c.id).where(
        bubbles.c.post_id == posts.c.id, bubbles.c.created_at >= since
    )
    given = _given(community_id).where(posts.c.seen_by == FACILITATORS, words.exists())
    return db.execute(select(func.count()).select_from(given.subquery())).scalar_one()


def _given(community_id: int) -> Select[Any]:
    return _RESPONSES.where(posts.c.community_id == community_id, posts.c.state == "live")


def list_introductions(db: Connection, community_id: int) -> Sequence[Response]:
    """What members shared of what they do and could show: of each the latest."""
    statement = (
        _RESPONSES.join(contents, contents.c.id == editions.c.content_id)
        .where(
            posts.c.community_id == community_id,
            posts.c.state == "live",
            posts.c.seen_by == GROUP,
            posts.c.author_id.is_not(None),
            contents.c.key.endswith(f"/prompt/{INTRODUCTION}"),
        )
        .order_by(posts.c.id)
    )
    return list({each.author_id: each for each in _list(db, statement)}.values())


def list_late_introductions(
    db: Connection, since: datetime, until: datetime, most: int
) -> Sequence[Response]:
    """What members of all groups shared of it in this time, with words, and are still there."""
    inside = select(memberships.c.id).where(
        memberships.c.member_id == posts.c.author_id,
        memberships.c.community_id == posts.c.community_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
    )
    words = select(bubbles.c.id).where(bubbles.c.post_id == posts.c.id, bubbles.c.kind == "text")
    statement = _RESPONSES.join(contents, contents.c.id == editions.c.content_id).where(
        posts.c.state == "live",
        posts.c.seen_by == GROUP,
        posts.c.created_at > since,
        posts.c.created_at <= until,
        contents.c.key.endswith(f"/prompt/{INTRODUCTION}"),
        inside.exists(),
        words.exists(),
    )
    return _list(db, statement.order_by(posts.c.id).limit(most))
