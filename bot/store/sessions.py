"""Sessions: when a community meets, what about, who holds it, and whom it is for."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from bot.columns import Moment
from bot.messages import Ref
from bot.models.people import communities, members, memberships
from bot.models.sessions import session_communities, sessions, signups
from bot.roles import TAKING_PART

PLANNED, OVER, TOLD, CANCELLED = "planned", "over", "told", "cancelled"
REMINDERS = (7 * 24 * 60, 24 * 60, 60)  # minutes before
USUAL_LENGTH = 60  # minutes
COMING = ("yes", "maybe")
_NEXT_VERSION = {"sequence": sessions.c.sequence + 1}


@dataclass(frozen=True, slots=True)
class Session:
    """A meeting of one community or of several."""

    id: int
    community_id: int  # that holds it
    kind: str  # session, visit
    scope: str  # communities, invited
    title: str
    host_id: int | None
    note_taker_id: int | None
    starts_at: datetime
    moved_at: datetime | None  # the last time
    moved_from: datetime | None  # when it would have begun by its row
    minutes: int  # how long
    timezone: str  # where it is held
    place: str | None  # or a link, a number to call
    seats: int | None  # None = as many as come
    seats_each: int | None  # most of one organisation
    organisation: str | None  # that is visited
    packing: str | None  # what to bring
    languages: tuple[str, ...]
    reminders: tuple[int, ...]  # minutes before, the longest first
    every: int | None  # weeks to the next one
    follows_id: int | None  # the one before it
    topic_id: int | None
    thread_id: int | None  # its harvest
    state: str  # PLANNED, OVER, TOLD, CANCELLED
    reason: str | None  # why it was cancelled
    uid: str
    sequence: int
    next_at: datetime | None  # when it is looked at again

    @property
    def ref(self) -> Ref:
        """What it is called wherever it is spoken of; in a discreet community it tells nothing."""
        return Ref("sessions", self.id)

    @property
    def title_ref(self) -> Ref:
        """What it is about, for whoever asked to see it."""
        return Ref("titles", self.id)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    def is_led_by(self, member_id: int) -> bool:
        return self.host_id == member_id

    def takes_notes(self, member_id: int) -> bool:
        return member_id in (self.host_id, self.note_taker_id)


_COLUMNS = tuple(sessions.c[name] for name in Session.__dataclass_fields__)


def _session(row: Any) -> Session:
    values = dict(row._mapping)
    return Session(
        **values | {"languages": tuple(row.languages), "reminders": tuple(row.reminders)}
    )


def add(
    db: Connection,
    now: datetime,
    *,
    community_id: int,
    title: str,
    starts_at: datetime,
    timezone: str,
    for_communities: Collection[int] = (),
    **values: Any,
) -> int:
    """A new session, planned; the next tick looks at it. `for_communities`: others that may come.

    `values`: other columns of the table, where they are not as usual.
    """
    usual: dict[str, Any] = {
        "minutes": USUAL_LENGTH,
        "reminders": REMINDERS,
        "scope": "communities",
    }
    told = {"community_id": community_id, "title": title, "starts_at": starts_at}
    row = usual | {"languages": ()} | values | told | {"timezone": timezone}
    row |= {
        "reminders": sorted(row["reminders"], reverse=True),
        "languages": list(row["languages"]),
    }
    row |= {"state": PLANNED, "uid": new_uid(), "next_at": now}
    row |= {"created_at": now, "changed_at": now}
    id_: int = db.execute(insert(sessions).values(row).returning(sessions.c.id)).scalar_one()
    places = sorted({community_id, *for_communities})
    db.execute(
        insert(session_communities),
        [{"session_id": id_, "community_id": each} for each in places],
    )
    return id_


def new_uid() -> str:
    """The name that calendars know it by for ever, and that opens its file: nobody guesses it."""
    return secrets.token_urlsafe(24)


def change(db: Connection, session_id: int, now: datetime, **values: Any) -> None:
    """Other values, another version: of its calendar file, and of what is said of it.

    The next tick looks at it again.
    """
    if "starts_at" in values:
        values = _moved(values["starts_at"], now) | values
    db.execute(
        update(sessions)
        .where(sessions.c.id == session_id)
        .values({"next_at": now, **values, "changed_at": now, **_NEXT_VERSION})
    )


def open_to(db: Connection, session_id: int, community_ids: Collection[int]) -> None:
    """The members of these communities may come, and of no others."""
    this = session_communities.c.session_id == session_id
    db.execute(delete(session_communities).where(this))
    rows = [{"session_id": session_id, "community_id": each} for each in sorted(community_ids)]
    db.execute(insert(session_communities), rows)


def _moved(to: datetime, now: datetime) -> dict[str, Any]:
    """Nobody is reminded of what was planned before; a row of sessions goes on as it was."""
    stays = sessions.c.starts_at == literal(to, Moment)
    was = func.coalesce(sessions.c.moved_from, sessions.c.starts_at)
    return {
        "moved_at": case((stays, sessions.c.moved_at), else_=literal(now, Moment)),
        "moved_from": case((stays, sessions.c.moved_from), else_=was),
    }


def is_followed(db: Connection, session_id: int) -> bool:
    """Whether the next one of its row is there already."""
    statement = select(sessions.c.id).where(sessions.c.follows_id == session_id)
    return db.execute(statement).first() is not None


def look_again(db: Connection, session_id: int, at: datetime | None) -> None:
    """When it is looked at next; None: nothing more is to come."""
    db.execute(update(sessions).where(sessions.c.id == session_id).values(next_at=at))


def get(db: Connection, session_id: int) -> Session:
    return _session(db.execute(select(*_COLUMNS).where(sessions.c.id == session_id)).one())


def find(db: Connection, session_id: int) -> Session | None:
    row = db.execute(select(*_COLUMNS).where(sessions.c.id == session_id)).first()
    return None if row is None else _session(row)


def lock(db: Connection, session_id: int) -> Session | None:
    """The session, as it is and stays until the end of this transaction: seats are counted so.

    The row is written, not only held: whoever waited for it begins anew (bot/db.py) and sees what
    was answered meanwhile, which is not in this row.
    """
    same = update(sessions).where(sessions.c.id == session_id).values(state=sessions.c.state)
    row = db.execute(same.returning(*_COLUMNS)).first()
    return None if row is None else _session(row)


def find_for(db: Connection, session_id: int, member_id: int) -> Session | None:
    """A session that she may come to: of a community of hers, or to which she was asked."""
    statement = select(*_COLUMNS).where(sessions.c.id == session_id, _for(member_id))
    row = db.execute(statement).first()
    return None if row is None else _session(row)


def list_strange(db: Connection, told: Collection[tuple[int, int, int]]) -> set[int]:
    """(delivery, member, session): those that tell of a session which she may not see any more."""
    readers = members.alias()
    statement = select(readers.c.id, sessions.c.id).where(
        readers.c.id.in_({member for _id, member, _session in told}),
        sessions.c.id.in_({session for _id, _member, session in told}),
        _for(readers.c.id),
    )
    seen = {(row[0], row[1]) for row in db.execute(statement)}
    return {id_ for id_, member, session in told if (member, session) not in seen}


def find_uid(db: Connection, uid: str) -> Session | None:
    """By the name that calendars know it by, which nobody guesses."""
    row = db.execute(select(*_COLUMNS).where(sessions.c.uid == uid)).first()
    return None if row is None else _session(row)


def list_ahead(db: Connection, member_id: int, now: datetime, most: int = 10) -> list[Session]:
    """Planned sessions that she may come to and that are not over yet, the next one first."""
    return _list(db, _planned(now).where(_for(member_id)).limit(most))


def list_of(db: Connection, community_id: int, now: datetime, most: int = 10) -> list[Session]:
    """Planned sessions held by a community or open to it, the next one first."""
    there = exists().where(
        session_communities.c.session_id == sessions.c.id,
        session_communities.c.community_id == community_id,
    )
    return _list(db, _planned(now).where(there).limit(most))


def list_due(db: Connection, now: datetime, most: int) -> list[Session]:
    """Sessions that are to be looked at, those first that have waited longest."""
    statement = select(*_COLUMNS).where(sessions.c.next_at <= now, sessions.c.next_at.is_not(None))
    return _list(db, statement.order_by(sessions.c.next_at, sessions.c.id).limit(most))


def list_communities(db: Connection, session_id: int) -> list[int]:
    """The communities whose members may come."""
    statement = select(session_communities.c.community_id).where(
        session_communities.c.session_id == session_id
    )
    return list(db.execute(statement.order_by(session_communities.c.community_id)).scalars())


def _list(db: Connection, statement: Select[Any]) -> list[Session]:
    return [_session(row) for row in db.execute(statement)]


def _planned(now: datetime) -> Select[Any]:
    """Also the one that is going on: at most a day, however long it is."""
    return (
        select(*_COLUMNS)
        .where(sessions.c.state == PLANNED, sessions.c.starts_at > now - timedelta(days=1))
        .order_by(sessions.c.starts_at, sessions.c.id)
    )


def _for(member_id: int | ColumnElement[int]) -> Any:
    """Whether this member may come to a session, or holds it, or writes its notes.

    Who held it and has left has nothing to do with it any more.
    """
    takes_part = (
        select(session_communities.c.session_id)
        .join(
            memberships,
            memberships.c.community_id == session_communities.c.community_id,
        )
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(
            session_communities.c.session_id == sessions.c.id,
            memberships.c.member_id == member_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            communities.c.ended_at.is_(None),
        )
        .exists()
    )
    asked = exists().where(signups.c.session_id == sessions.c.id, signups.c.member_id == member_id)
    hers = or_(
        sessions.c.scope == "communities",
        sessions.c.host_id == member_id,
        sessions.c.note_taker_id == member_id,
    )
    active = exists().where(members.c.id == member_id, members.c.state == "active")
    return or_(takes_part & hers, asked) & active
