"""Threads (Q101) and who follows them.

A thread that was asked without a name knows its asker only by a sealed link. Everybody in the
community follows it, until she stops: whoever alone got its answers would be the asker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.db import Collision, insert_new
from bot.messages import Ref
from bot.models.outbox import SETTLED, deliveries, messages
from bot.models.people import memberships
from bot.models.safeguards import floors
from bot.models.talks import follows, posts, threads
from bot.roles import TAKING_PART

_FLOOR = select(floors.c.value).where(floors.c.name == "threads")
_OPENS = ("question", "idea", "reflection")
FIRST_NUMBER = 101  # so that a thread number is never mistaken for a choice


@dataclass(frozen=True, slots=True)
class Thread:
    id: int
    number: int
    community_id: int
    asker_id: int | None  # of a nameless one: through its sealed link, for the machine alone
    anonymous: bool  # asked without a name
    scope: str  # community; facilitators: only they and the asker read it
    state: str  # asked, answered, helped, told, closed
    created_at: datetime
    outcome: str | None = None  # what came of it: worked, partly, not_tried

    @property
    def ref(self) -> Ref:
        return Ref("threads", self.id)

    @property
    def may_move(self) -> bool:
        """Where a nameless one may go would tell where its asker is; the other has its readers."""
        return not self.anonymous and self.scope == "community"


_THREAD = (
    threads.c.id,
    threads.c.number,
    threads.c.community_id,
    threads.c.asker_id,
    threads.c.anonymous,
    threads.c.scope,
    threads.c.asker,
    threads.c.state,
    threads.c.created_at,
    threads.c.outcome,
)


def _thread(row: Any) -> Thread:
    return Thread(
        id=row.id,
        number=row.number,
        community_id=row.community_id,
        asker_id=row.asker["member"] if row.asker else row.asker_id,
        anonymous=row.anonymous,
        scope=row.scope,
        state=row.state,
        created_at=row.created_at,
        outcome=row.outcome,
    )


def add(
    db: Connection, community_id: int, asker_id: int | None, now: datetime, scope: str = "community"
) -> Thread:
    """Open a thread with the next number; its asker follows it. A draft may be nobody's."""
    thread = _add(db, community_id, now, asker_id=asker_id, scope=scope)
    if asker_id is not None:
        follow(db, thread, asker_id, now)
    return thread


def add_nameless(db: Connection, community_id: int, asker_id: int, now: datetime) -> Thread:
    """Open a thread that only a sealed link joins to its asker; `now` is coarse."""
    return _add(db, community_id, now, anonymous=True, asker={"member": asker_id})


def _add(db: Connection, community_id: int, now: datetime, **values: object) -> Thread:
    given = union_all(select(func.max(threads.c.number)), _FLOOR).subquery()
    number = select(func.coalesce(func.max(given.c[0]) + 1, FIRST_NUMBER)).scalar_subquery()
    row = {"community_id": community_id, "state": "asked", "created_at": now, **values}
    new = insert_new(db, threads).values(number=number, **row)
    try:
        return _thread(db.execute(new.returning(*_THREAD)).one())
    except IntegrityError:  # another process took the number: rerun the turn
        raise Collision from None


def get(db: Connection, thread_id: int) -> Thread:
    return _thread(db.execute(select(*_THREAD).where(threads.c.id == thread_id)).one())


def find_for(
    db: Connection, member_id: int, *, number: int | None = None, thread_id: int | None = None
) -> Thread | None:
    """A thread by number or id, if this member takes part where it is and may read it."""
    statement = (
        select(*_THREAD)
        .join(memberships, memberships.c.community_id == threads.c.community_id)
        .where(
            memberships.c.member_id == member_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            or_(
                threads.c.scope == "community",
                threads.c.asker_id == member_id,
                memberships.c.role == "facilitator",
            ),
        )
    )
    wanted = threads.c.number == number if thread_id is None else threads.c.id == thread_id
    row = db.execute(statement.where(wanted)).first()
    return None if row is None else _thread(row)


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
    goes_on = threads.c.state.not_in(("told", "harvest", "reflection", "closed"))
    waits = update(threads).where(threads.c.id == thread_id, goes_on, ~left.exists())
    db.execute(waits.values(state="asked"))


def follow(db: Connection, thread: Thread, member_id: int, now: datetime) -> None:
    if thread.anonymous:
        return _forget_follow(db, thread.id, member_id)
    _add_follow(db, thread.id, member_id, now, muted=False)


def unfollow(db: Connection, thread: Thread, member_id: int, now: datetime) -> None:
    if thread.anonymous:
        return _add_follow(db, thread.id, member_id, now, muted=True)
    _forget_follow(db, thread.id, member_id)


def _add_follow(
    db: Connection, thread_id: int, member_id: int, now: datetime, *, muted: bool
) -> None:
    row = {"thread_id": thread_id, "member_id": member_id, "muted": muted, "created_at": now}
    db.execute(insert_new(db, follows).values(row).on_conflict_do_nothing())


def _forget_follow(db: Connection, thread_id: int, member_id: int) -> None:
    wanted = (follows.c.thread_id == thread_id, follows.c.member_id == member_id)
    db.execute(delete(follows).where(*wanted))


def is_followed(db: Connection, thread: Thread, member_id: int) -> bool:
    statement = select(follows.c.member_id).where(
        follows.c.thread_id == thread.id, follows.c.member_id == member_id
    )
    noted = db.execute(statement).first() is not None
    return noted is not thread.anonymous


def has_answered(db: Connection, thread_id: int, member_id: int) -> bool:
    statement = select(posts.c.id).where(
        posts.c.thread_id == thread_id, posts.c.author_id == member_id, posts.c.kind == "answer"
    )
    return db.execute(statement.limit(1)).first() is not None


def list_asked_by(
    db: Connection, member_id: int, most: int, since: datetime | None = None
) -> list[tuple[Thread, int]]:
    """Her threads with the id of the question, newest first; those without her name too."""
    named = _with_question().where(threads.c.asker_id == member_id)
    if since is not None:
        named = named.where(threads.c.created_at >= since)
    found = _list(db, named.order_by(threads.c.id.desc()).limit(most))
    found += [
        each
        for each in list_nameless(db, member_id)
        if each[0].asker_id == member_id and (since is None or each[0].created_at >= since)
    ]
    return sorted(found, key=lambda each: -each[0].id)[:most]


def list_nameless(db: Connection, member_id: int) -> list[tuple[Thread, int]]:
    """Nameless threads of her communities that still have a link: all must be opened."""
    inside = select(memberships.c.community_id).where(memberships.c.member_id == member_id)
    statement = _with_question().where(
        threads.c.anonymous, threads.c.asker.is_not(None), threads.c.community_id.in_(inside)
    )
    return _list(db, statement)


def _with_question() -> Select[Any]:
    return (
        select(*_THREAD, posts.c.id.label("question_id"))
        .join(posts, posts.c.thread_id == threads.c.id)
        .where(posts.c.kind == "question")
    )


def _list(db: Connection, statement: Select[Any]) -> list[tuple[Thread, int]]:
    return [(_thread(row), row.question_id) for row in db.execute(statement)]


def list_unanswered(
    db: Connection, community_id: int, role: str, most: int
) -> list[tuple[Thread, int]]:
    """Threads without an answer with the id of the question, the longest waiting first."""
    waiting = _with_question().where(*_waits(community_id, role))
    return _list(db, waiting.order_by(threads.c.id).limit(most))


def count_unanswered(db: Connection, community_id: int, role: str) -> int:
    statement = select(func.count()).select_from(threads).where(*_waits(community_id, role))
    return db.execute(statement).scalar_one()


def _waits(community_id: int, role: str) -> list[ColumnElement[bool]]:
    """Without an answer, among those that somebody with this role reads."""
    found = [threads.c.community_id == community_id, threads.c.state == "asked"]
    return found if role == "facilitator" else [*found, threads.c.scope == "community"]


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
        select(*_THREAD, posts.c.id.label("question_id"))
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
            or_(threads.c.asker_id.is_(None), threads.c.asker_id != member_id),
            threads.c.id.not_in(answered),
        )
        .order_by(deliveries.c.due_at.desc(), deliveries.c.id.desc())
        .limit(1)
    )
    row = db.execute(statement).first()
    return None if row is None else (_thread(row), row.question_id)


def find_question(db: Connection, thread_id: int) -> int | None:
    """The id of the post that opened a thread: a question, an idea that is drafted there, ..."""
    statement = select(posts.c.id).where(posts.c.thread_id == thread_id, posts.c.kind.in_(_OPENS))
    return db.execute(statement).scalar()


def list_hers(db: Connection, told: Sequence[tuple[int, int, Ref | None]]) -> set[int]:
    """Of (delivery, member, what it is about): those about a question she asked herself."""
    found = set()
    for id_, member_id, about in told:
        if about is None or about.table not in ("threads", "posts"):
            continue
        inside = select(posts.c.thread_id).where(posts.c.id == about.id).scalar_subquery()
        thread = threads.c.id == (about.id if about.table == "threads" else inside)
        asked = select(threads.c.id).where(thread, threads.c.asker_id == member_id)
        if db.execute(asked).first() is not None:
            found.add(id_)
    return found
