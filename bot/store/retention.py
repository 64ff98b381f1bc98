"""Retention: what has been kept long enough, some of it at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, or_, select, update

from bot.models.media import media
from bot.models.outbox import occurrences
from bot.models.records import records, tasks
from bot.models.safeguards import audit, codes, erasures, tallies
from bot.models.sessions import needs, sessions, signups, topics
from bot.models.talks import bubbles, conversations, inbox, posts, threads

TALK_LASTS = timedelta(days=7)  # an unfinished talk; shorter where a programme wants it so

PLACES_LAST = timedelta(days=30)  # where a session was, what to bring, why it was called off
ANSWERS_LAST = timedelta(days=365)  # who was to come to a session, and who came
NOTES_LAST = timedelta(days=90)  # those of a session that were never sent
SETTLED_LAST = timedelta(days=180)  # tasks that are done, what nobody offers any more


def _delete(db: Connection, table: Table, key: str, old: ColumnElement[bool], most: int) -> int:
    """At most so many; how many."""
    column = table.c[key]
    ids = list(db.execute(select(column).where(old).limit(most)).scalars())
    db.execute(delete(table).where(column.in_(ids)))
    return len(ids)


def _empty(db: Connection, table: Table, old: ColumnElement[bool], most: int, **values: Any) -> int:
    ids = list(db.execute(select(table.c.id).where(old).limit(most)).scalars())
    db.execute(update(table).where(table.c.id.in_(ids)).values(values))
    return len(ids)


def empty_inbox(db: Connection, before: datetime, most: int) -> int:
    """What came, and from whom; that it came is known for ever, since signatures never expire."""
    old = and_(inbox.c.payload.is_not(None), inbox.c.received_at < before)
    return _empty(db, inbox, old, most, payload=None, address_id=None)


def forget_conversations(db: Connection, now: datetime, kept: timedelta, most: int) -> int:
    """Talks that were never finished; their sealed words go with them."""
    old = conversations.c.expires_at < now + max(TALK_LASTS - kept, timedelta(0))
    return _delete(db, conversations, "address_id", old, most)


def forget_drafts(db: Connection, before: datetime, most: int) -> int:
    """What was begun and never sent."""
    old = and_(posts.c.state == "draft", posts.c.created_at < before)
    return _delete(db, posts, "id", old, most)


def unlink_askers(
    db: Connection, closed_before: datetime, asked_before: datetime, most: int
) -> int:
    """From here on nobody can tell who asked."""
    over = or_(
        threads.c.closed_at < closed_before,
        and_(threads.c.closed_at.is_(None), threads.c.created_at < asked_before),
    )
    old = select(threads.c.id).where(threads.c.asker.is_not(None), over).limit(most)
    ids = list(db.execute(old).scalars())
    hers = select(posts.c.id).where(
        posts.c.thread_id.in_(ids), posts.c.author_id.is_(None), posts.c.kind != "answer"
    )
    # The provider's ids of her bubbles and files would lead to her as well.
    bare = update(bubbles).where(bubbles.c.post_id.in_(hers))
    db.execute(bare.values(key=None))
    files = select(bubbles.c.media_id).where(bubbles.c.post_id.in_(hers))
    unfetched = update(media).where(media.c.id.in_(files), media.c.reference.is_not(None))
    late = {"state": "failed", "reason": "late", "reference": None, "due_at": None}
    db.execute(unfetched.values(late))
    db.execute(update(threads).where(threads.c.id.in_(ids)).values(asker=None))
    return len(ids)


def forget_audit(db: Connection, before: datetime, most: int) -> int:
    return _delete(db, audit, "id", audit.c.at < before, most)


def forget_codes(db: Connection, now: datetime, most: int) -> int:
    """A day later nobody comes back to one that was used or has expired."""
    return _delete(db, codes, "id", codes.c.expires_at < now - timedelta(days=1), most)


def forget_tallies(db: Connection, now: datetime, most: int) -> int:
    return _delete(db, tallies, "key", tallies.c.expires_at < now, most)


def forget_erasures(db: Connection, before: datetime, most: int) -> int:
    """Nobody has taken them for so long: their lane is no more."""
    return _delete(db, erasures, "id", erasures.c.due_at < before, most)


def forget_occurrences(db: Connection, before: datetime, most: int) -> int:
    return _delete(db, occurrences, "key", occurrences.c.taken_at < before, most)


def empty_sessions(db: Connection, before: datetime, most: int) -> int:
    """Where it was may be somebody's house or number; that it was, and what about, stays."""
    said = or_(*(sessions.c[name].is_not(None) for name in ("place", "packing", "reason")))
    old = and_(sessions.c.state != "planned", sessions.c.starts_at < before, said)
    return _empty(db, sessions, old, most, place=None, packing=None, reason=None)


def forget_answers(db: Connection, before: datetime, most: int) -> int:
    """Of sessions that are long over: who answered what, who came."""
    past = select(sessions.c.id).where(sessions.c.state != "planned", sessions.c.starts_at < before)
    there = (
        select(signups.c.session_id).where(signups.c.session_id.in_(past)).distinct().limit(most)
    )
    ids = list(db.execute(there).scalars())
    for table in (signups, needs):
        db.execute(delete(table).where(table.c.session_id.in_(ids)))
    return len(ids)


def forget_notes(db: Connection, before: datetime, most: int) -> int:
    """What nobody sent: of sessions that were called off, or by invitation alone."""
    past = select(sessions.c.id).where(sessions.c.state != "planned", sessions.c.starts_at < before)
    return _delete(db, records, "id", records.c.session_id.in_(past), most)


def forget_settled(db: Connection, before: datetime, most: int) -> int:
    """Tasks that are done, given up or long silent; what is offered or asked no more."""
    silent = and_(tasks.c.ended_at.is_(None), tasks.c.ask_at.is_(None), tasks.c.created_at < before)
    count = _delete(db, tasks, "id", or_(tasks.c.ended_at < before, silent), most)
    closed = and_(topics.c.state == "closed", topics.c.created_at < before)
    return max(count, _delete(db, topics, "id", closed, most))
