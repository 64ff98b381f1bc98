"""Threads (Q101) and who follows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.db import Collision, insert_new
from bot.messages import Ref
from bot.models.outbox import SETTLED, deliveries, messages
from bot.models.people import memberships
from bot.models.talks import follows, posts, threads
from bot.roles import TAKING_PART

FIRST_NUMBER = 101  # so that a thread number is never mistaken for a choice


@dataclass(frozen=True, slots=True)
class Thread:
    id: int
    number: int
    community_id: int
    asker_id: int | None
    state: str  # asked, answered, helped, closed
    created_at: datetime

    @property
    def ref(self) -> Ref:
        return Ref("threads", self.id)


_THREAD = (
    threads.c.id,
    threads.c.number,
    threads.c.community_id,
    threads.c.asker_id,
    threads.c.state,
    threads.c.created_at,
)


def add(db: Connection, community_id: int, asker_id: int, now: datetime) -> Thread:
    """Open a thread with the next number; its asker follows it."""
    number = select(func.coalesce(func.max(threads.c.number) + 1, FIRST_NUMBER)).scalar_subquery()
    new = insert_new(db, threads).values(
        number=number,
        community_id=community_id,
        asker_id=asker_id,
        state="asked",
        created_at=now,
    )
    try:
        row = db.execute(new.returning(*_THREAD)).one()
    except IntegrityError:  # another process took the number: rerun the turn
        raise Collision from None
    follow(db, row.id, asker_id, now)
    return Thread(*row)


def get(db: Connection, thread_id: int) -> Thread:
    return Thread(*db.execute(select(*_THREAD).where(threads.c.id == thread_id)).one())


def find_for(
    db: Connection, member_id: int, *, number: int | None = None, thread_id: int | None = None
) -> Thread | None:
    """A thread by number or id, if this member takes part in its community."""
    statement = (
        select(*_THREAD)
        .join(memberships, memberships.c.community_id == threads.c.community_id)
        .where(
            memberships.c.member_id == member_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
        )
    )
    wanted = threads.c.number == number if thread_id is None else threads.c.id == thread_id
    row = db.execute(statement.where(wanted)).first()
    return None if row is None else Thread(*row)


def mark_closed(db: Connection, thread_id: int, now: datetime) -> bool:
    """False if it was closed already."""
    changed = db.execute(
        update(threads)
        .where(threads.c.id == thread_id, threads.c.state != "closed")
        .values(state="closed", closed_at=now)
    )
    return changed.rowcount == 1


def mark_helped(db: Connection, thread_id: int) -> None:
    """The asker found help; a closed thread stays closed."""
    db.execute(
        update(threads)
        .where(threads.c.id == thread_id, threads.c.state.in_(("asked", "answered")))
        .values(state="helped")
    )


def mark_answered(db: Connection, thread_id: int) -> None:
    """The first answer has come; a thread that helped or is closed stays what it is."""
    db.execute(
        update(threads)
        .where(threads.c.id == thread_id, threads.c.state == "asked")
        .values(state="answered")
    )


def mark_unanswered(db: Connection, thread_id: int) -> None:
    """Its last answer was hidden: the question waits for one again."""
    left = select(posts.c.id).where(
        posts.c.thread_id == thread_id, posts.c.kind == "answer", posts.c.state == "live"
    )
    db.execute(
        update(threads)
        .where(threads.c.id == thread_id, threads.c.state != "closed", ~left.exists())
        .values(state="asked")
    )


def follow(db: Connection, thread_id: int, member_id: int, now: datetime) -> bool:
    """False if she follows it already."""
    new = insert_new(db, follows).values(thread_id=thread_id, member_id=member_id, created_at=now)
    return db.execute(new.on_conflict_do_nothing()).rowcount == 1


def unfollow(db: Connection, thread_id: int, member_id: int) -> bool:
    gone = db.execute(
        delete(follows).where(follows.c.thread_id == thread_id, follows.c.member_id == member_id)
    )
    return gone.rowcount == 1


def is_followed(db: Connection, thread_id: int, member_id: int) -> bool:
    statement = select(follows.c.member_id).where(
        follows.c.thread_id == thread_id, follows.c.member_id == member_id
    )
    return db.execute(statement).first() is not None


def has_answered(db: Connection, thread_id: int, member_id: int) -> bool:
    statement = select(posts.c.id).where(
        posts.c.thread_id == thread_id, posts.c.author_id == member_id, posts.c.kind == "answer"
    )
    return db.execute(statement.limit(1)).first() is not None


def list_asked_by(db: Connection, member_id: int, most: int) -> list[tuple[Thread, int]]:
    """Her threads with the id of the question, newest first."""
    statement = (
        select(*_THREAD, posts.c.id)
        .join(posts, posts.c.thread_id == threads.c.id)
        .where(threads.c.asker_id == member_id, posts.c.kind == "question")
        .order_by(threads.c.id.desc())
        .limit(most)
    )
    return [(Thread(*row[:6]), row[6]) for row in db.execute(statement)]


def list_unanswered(db: Connection, community_id: int, most: int) -> list[tuple[Thread, int]]:
    """Threads without an answer with the id of the question, the longest waiting first."""
    statement = (
        select(*_THREAD, posts.c.id)
        .join(posts, posts.c.thread_id == threads.c.id)
        .where(
            threads.c.community_id == community_id,
            threads.c.state == "asked",
            posts.c.kind == "question",
        )
        .order_by(threads.c.id)
        .limit(most)
    )
    return [(Thread(*row[:6]), row[6]) for row in db.execute(statement)]


def count_unanswered(db: Connection, community_id: int) -> int:
    statement = select(func.count()).where(
        threads.c.community_id == community_id, threads.c.state == "asked"
    )
    return db.execute(statement).scalar_one()


def move(db: Connection, thread_id: int, community_id: int) -> None:
    """Bring a thread and its posts to another community."""
    db.execute(update(threads).where(threads.c.id == thread_id).values(community_id=community_id))
    db.execute(
        update(posts).where(posts.c.thread_id == thread_id).values(community_id=community_id)
    )


def find_latest_heard(db: Connection, member_id: int, since: datetime) -> tuple[Thread, int] | None:
    """The last question of somebody else that reached her and that she has not answered."""
    answered = select(posts.c.thread_id).where(
        posts.c.author_id == member_id, posts.c.kind == "answer", posts.c.thread_id.is_not(None)
    )
    statement = (
        select(*_THREAD, posts.c.id)
        .select_from(deliveries)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(posts, posts.c.message_id == messages.c.id)
        .join(threads, threads.c.id == posts.c.thread_id)
        .where(
            deliveries.c.member_id == member_id,
            SETTLED,
            deliveries.c.state.in_(("sent", "delivered", "read")),
            deliveries.c.due_at >= since,
            posts.c.kind == "question",
            posts.c.state == "live",
            threads.c.state != "closed",
            threads.c.asker_id != member_id,
            threads.c.id.not_in(answered),
        )
        .order_by(deliveries.c.due_at.desc(), deliveries.c.id.desc())
        .limit(1)
    )
    row = db.execute(statement).first()
    return None if row is None else (Thread(*row[:6]), row[6])


def find_question(db: Connection, thread_id: int) -> int | None:
    """The id of the post that opened a thread."""
    statement = select(posts.c.id).where(posts.c.thread_id == thread_id, posts.c.kind == "question")
    return db.execute(statement).scalar()
