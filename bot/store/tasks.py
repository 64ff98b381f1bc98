"""Tasks: who does what until when, as it was said in a session, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from bot.db import insert_returning
from bot.messages import Ref
from bot.models.people import communities, members
from bot.models.records import tasks
from bot.models.sessions import sessions
from bot.timing import date_of

OPEN, DONE, DROPPED = "open", "done", "dropped"


@dataclass(frozen=True, slots=True)
class Task:
    """What somebody has taken upon herself, or nobody yet."""

    id: int
    session_id: int
    member_id: int | None  # who does it
    author_id: int | None  # who wrote it down
    text: str
    day: int | None  # until when, in days since 1970
    state: str  # OPEN, DONE, DROPPED
    ask_at: datetime | None  # when she is asked about it
    timezone: str  # hers, or where the session was

    @property
    def ref(self) -> Ref:
        return Ref("tasks", self.id)

    @property
    def until(self) -> date | None:
        return None if self.day is None else date_of(self.day)


_COLUMNS = (
    tasks.c.id,
    tasks.c.session_id,
    tasks.c.member_id,
    tasks.c.author_id,
    tasks.c.text,
    tasks.c.day,
    tasks.c.state,
    tasks.c.ask_at,
    members.c.timezone,
    sessions.c.timezone.label("there"),
)


def _task(row: Any) -> Task:
    values = dict(row._mapping)
    there = values.pop("there")
    return Task(**values | {"timezone": row.timezone or there})


def _tasks() -> Any:
    return (
        select(*_COLUMNS)
        .join(sessions, sessions.c.id == tasks.c.session_id)
        .outerjoin(members, members.c.id == tasks.c.member_id)
        .order_by(tasks.c.id)
    )


def add(db: Connection, session_id: int, author_id: int, text: str, now: datetime) -> int:
    """Nobody's yet, and without a day."""
    row = {"session_id": session_id, "author_id": author_id, "text": text, "state": OPEN}
    [id_] = insert_returning(db, tasks, [row | {"created_at": now}])
    return int(id_)


def find(db: Connection, task_id: int) -> Task | None:
    row = db.execute(_tasks().where(tasks.c.id == task_id)).first()
    return None if row is None else _task(row)


def list_of(db: Connection, session_id: int) -> list[Task]:
    """All tasks of a session that were not given up."""
    wanted = (tasks.c.session_id == session_id, tasks.c.state != DROPPED)
    return [_task(row) for row in db.execute(_tasks().where(*wanted))]


def list_hers(db: Connection, member_id: int) -> list[Task]:
    """What she has to do, the next day first."""
    wanted = _tasks().where(tasks.c.member_id == member_id, tasks.c.state == OPEN)
    found = [_task(row) for row in db.execute(wanted.limit(30))]
    return sorted(found, key=lambda each: (each.day is None, each.day or 0, each.id))


def find_last(db: Connection, session_id: int, author_id: int) -> Task | None:
    """The latest that she wrote down there."""
    wanted = (tasks.c.session_id == session_id, tasks.c.author_id == author_id)
    found = [_task(row) for row in db.execute(_tasks().where(*wanted))]
    return found[-1] if found else None


def find_made(db: Connection, task_id: int) -> datetime | None:
    """When it was written down."""
    return db.execute(select(tasks.c.created_at).where(tasks.c.id == task_id)).scalar()


def give(db: Connection, task_id: int, member_id: int | None) -> None:
    """Somebody does it; None: nobody yet."""
    db.execute(update(tasks).where(tasks.c.id == task_id).values(member_id=member_id))


def reword(db: Connection, task_id: int, text: str) -> None:
    db.execute(update(tasks).where(tasks.c.id == task_id).values(text=text))


def put(db: Connection, task_id: int, day: int | None, ask_at: datetime | None) -> None:
    """Until when, and when she is asked about it."""
    db.execute(update(tasks).where(tasks.c.id == task_id).values(day=day, ask_at=ask_at))


def end(db: Connection, task_id: int, state: str, now: datetime) -> bool:
    """Done, or given up; False if it was before."""
    changed = db.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state == OPEN)
        .values(state=state, ask_at=None, ended_at=now)
    )
    return changed.rowcount == 1


def remove(db: Connection, task_id: int) -> None:
    db.execute(delete(tasks).where(tasks.c.id == task_id))


def take_due(db: Connection, now: datetime, most: int) -> list[Task]:
    """Those of which it is time to ask; nobody else takes them."""
    due = (
        _tasks()
        .join(communities, communities.c.id == sessions.c.community_id)
        .where(tasks.c.ask_at.is_not(None), tasks.c.ask_at <= now)
        .where(communities.c.ended_at.is_(None))  # a group that has ended may go on one day
        .limit(most)
    )
    found = []
    for task in [_task(row) for row in db.execute(due)]:
        mine = (tasks.c.id == task.id, tasks.c.ask_at == task.ask_at)
        if db.execute(update(tasks).where(*mine).values(ask_at=None)).rowcount:
            found.append(task)
    return found
