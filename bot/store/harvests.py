"""Harvests: sessions that are over, how far their notes are, and the threads these have become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from bot.db import insert_new, insert_returning
from bot.models.people import communities, memberships
from bot.models.records import harvests, records
from bot.models.sessions import sessions, signups
from bot.models.talks import bubbles, posts, threads
from bot.roles import TAKING_PART

# Written out, so that SQLite sees the conditions of its partial indexes.
_OVER = text("sessions.state = 'over'")
KINDS = ("harvest", "decision", "taken")  # of the posts that it is made of


@dataclass(frozen=True, slots=True)
class Told:
    """A session whose notes have been sent."""

    session_id: int
    thread_id: int
    number: int
    starts_at: datetime


def list_new(db: Connection, most: int) -> list[int]:
    """Sessions that are over and of which nobody was asked anything yet; a group may go on."""
    begun = select(harvests.c.session_id).where(harvests.c.session_id == sessions.c.id)
    ended = select(communities.c.id).where(
        communities.c.id == sessions.c.community_id, communities.c.ended_at.is_not(None)
    )
    statement = select(sessions.c.id).where(_OVER, ~begun.exists(), ~ended.exists())
    return list(db.execute(statement.order_by(sessions.c.id).limit(most)).scalars())


def begin(db: Connection, session_id: int, now: datetime, look_at: datetime) -> bool:
    """False if somebody else was faster."""
    row = {"session_id": session_id, "begun_at": now, "look_at": look_at}
    new = insert_new(db, harvests).values(row)
    return db.execute(new.on_conflict_do_nothing()).rowcount == 1


def list_due(db: Connection, now: datetime, most: int) -> list[int]:
    """Whose notes go out by themselves, if there are any."""
    statement = select(harvests.c.session_id).where(
        harvests.c.look_at.is_not(None), harvests.c.look_at <= now
    )
    return list(db.execute(statement.order_by(harvests.c.look_at).limit(most)).scalars())


def look_again(db: Connection, session_id: int, at: datetime | None) -> None:
    db.execute(update(harvests).where(harvests.c.session_id == session_id).values(look_at=at))


def close(db: Connection, session_id: int, thread_id: int | None) -> None:
    """It is told, as this thread; or there was nothing to tell."""
    db.execute(
        update(sessions)
        .where(sessions.c.id == session_id)
        .values(state="told", thread_id=thread_id)
    )
    look_again(db, session_id, None)
    if thread_id is not None:  # nobody waits for an answer in it
        db.execute(update(threads).where(threads.c.id == thread_id).values(state="harvest"))


def add_post(
    db: Connection,
    thread_id: int,
    community_id: int,
    author_id: int | None,
    kind: str,
    pieces: Sequence[Any],
    now: datetime,
) -> int:
    """Pieces of one author become a post of the thread, and are no notes any more."""
    row: dict[str, object] = {"author_id": author_id, "kind": kind, "state": "live"}
    row |= {"thread_id": thread_id, "community_id": community_id, "created_at": now}
    [post_id] = insert_returning(db, posts, [row])
    rows = [
        {
            "post_id": post_id,
            "kind": each.file,
            "text": each.text,
            "media_id": each.media_id,
            "forwarded": False,
            "created_at": each.created_at,
        }
        for each in pieces
    ]
    db.execute(insert(bubbles), rows)
    ids = [each.id for each in pieces]
    db.execute(records.delete().where(records.c.id.in_(ids)))
    return int(post_id)


def find_thread(db: Connection, thread_id: int) -> int | None:
    """The session of whose notes this thread is made."""
    statement = select(sessions.c.id).where(sessions.c.thread_id == thread_id)
    return db.execute(statement).scalar()


def list_posts(db: Connection, thread_id: int) -> list[tuple[int, str, int | None]]:
    """(id, kind, author) of all live posts of a thread, in the order they came."""
    statement = select(posts.c.id, posts.c.kind, posts.c.author_id).where(
        posts.c.thread_id == thread_id, posts.c.state == "live"
    )
    return [(row.id, row.kind, row.author_id) for row in db.execute(statement.order_by(posts.c.id))]


def list_told(db: Connection, member_id: int, most: int) -> list[Told]:
    """The latest sessions of her communities whose notes were sent."""
    inside = select(memberships.c.community_id).where(
        memberships.c.member_id == member_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
    )
    statement = (
        select(sessions.c.id, threads.c.id, threads.c.number, sessions.c.starts_at)
        .join(threads, threads.c.id == sessions.c.thread_id)
        .where(threads.c.community_id.in_(inside))
        .order_by(threads.c.id.desc())
        .limit(most)
    )
    return [Told(*row) for row in db.execute(statement)]


def find_asked(db: Connection, member_id: int, since: datetime) -> int | None:
    """The latest session that she was at and was asked about since then, if it is not told yet."""
    statement = (
        select(sessions.c.id)
        .join(harvests, harvests.c.session_id == sessions.c.id)
        .join(signups, signups.c.session_id == sessions.c.id)
        .where(
            _OVER,
            harvests.c.begun_at >= since,
            signups.c.member_id == member_id,
            (signups.c.answer == "yes") | signups.c.came,
        )
        .order_by(harvests.c.begun_at.desc())
        .limit(1)
    )
    return db.execute(statement).scalar()


def has_said(db: Connection, session_id: int, member_id: int) -> bool:
    """Whether she has said already what she takes with her."""
    statement = select(records.c.id).where(
        records.c.session_id == session_id,
        records.c.author_id == member_id,
        records.c.kind == "taken",
    )
    return db.execute(statement.limit(1)).first() is not None


def adopt(
    db: Connection, post_id: int, session_id: int, author_id: int, kind: str, now: datetime
) -> bool:
    """A draft of hers becomes a piece of the notes; False if it is not there any more."""
    hers = (posts.c.id == post_id, posts.c.author_id == author_id, posts.c.state == "draft")
    if db.execute(select(posts.c.id).where(*hers)).first() is None:
        return False
    about = {"session_id": session_id, "author_id": author_id, "kind": kind, "created_at": now}
    columns = (bubbles.c.kind.label("file"), bubbles.c.text, bubbles.c.media_id)
    found = select(*columns).where(bubbles.c.post_id == post_id).order_by(bubbles.c.id)
    rows = [{**about, **row._mapping} for row in db.execute(found)]
    db.execute(insert(records), rows)
    db.execute(posts.delete().where(posts.c.id == post_id))
    return True
