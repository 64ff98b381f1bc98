"""Partaking: what sessions and the market keep about one member, for her own eyes only.

What others wrote is theirs: of a session that somebody else holds she reads when it was, and what
she answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, or_, select

from bot.models.records import records, tasks
from bot.models.sessions import interests, needs, sessions, signups, topics
from bot.timing import date_of


@dataclass(frozen=True, slots=True)
class Held:
    """A session that she holds, or whose notes she writes."""

    at: datetime
    words: Sequence[str]  # what she said of it: what about, where, what to bring, why not


@dataclass(frozen=True, slots=True)
class Answered:
    """What she answered to a session."""

    at: datetime
    answer: str
    came: bool | None
    needs: str | None


@dataclass(frozen=True, slots=True)
class Noted:
    """A piece of notes of hers that was not sent yet."""

    at: datetime
    kind: str  # note, decision, taken
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class TakenOn:
    """What she has taken upon herself, or wrote down for somebody."""

    text: str
    until: date | None
    state: str
    hers: bool


@dataclass(frozen=True, slots=True)
class Partaking:
    """All of it."""

    held: Sequence[Held]
    writes: Sequence[datetime]  # when those were whose notes she writes for another host
    answered: Sequence[Answered]
    noted: Sequence[Noted]
    taken_on: Sequence[TakenOn]
    topics: Sequence[tuple[datetime, str, str]]  # (when, offer or ask, her words)
    interests: int  # what others offer or ask that she is interested in


def find(db: Connection, member_id: int) -> Partaking:
    """A life has some hundred of these at most: they are read at once."""
    others = or_(sessions.c.host_id.is_(None), sessions.c.host_id != member_id)
    writes = select(sessions.c.starts_at).where(sessions.c.note_taker_id == member_id, others)
    market = select(topics.c.created_at, topics.c.kind, topics.c.text).where(
        topics.c.member_id == member_id
    )
    liked = select(func.count()).where(interests.c.member_id == member_id)
    return Partaking(
        _held(db, member_id),
        list(db.execute(writes.order_by(sessions.c.starts_at)).scalars()),
        _answered(db, member_id),
        _noted(db, member_id),
        _taken_on(db, member_id),
        [(row[0], row[1], row[2]) for row in db.execute(market.order_by(topics.c.id))],
        db.execute(liked).scalar_one(),
    )


def _held(db: Connection, member_id: int) -> list[Held]:
    said = ("title", "place", "organisation", "packing", "reason")
    columns = (sessions.c.starts_at, *(sessions.c[name] for name in said))
    hers = select(*columns).where(sessions.c.host_id == member_id).order_by(sessions.c.starts_at)
    return [Held(row[0], [each for each in row[1:] if each]) for row in db.execute(hers)]


def _answered(db: Connection, member_id: int) -> list[Answered]:
    hers = (needs.c.session_id == signups.c.session_id) & (needs.c.member_id == signups.c.member_id)
    statement = (
        select(sessions.c.starts_at, signups.c.answer, signups.c.came, needs.c.text)
        .select_from(signups)
        .join(sessions, sessions.c.id == signups.c.session_id)
        .outerjoin(needs, hers)
        .where(signups.c.member_id == member_id)
        .order_by(sessions.c.starts_at, sessions.c.id)
    )
    return [Answered(*row) for row in db.execute(statement)]


def _noted(db: Connection, member_id: int) -> list[Noted]:
    columns = (records.c.created_at, records.c.kind, records.c.file, records.c.text)
    hers = select(*columns).where(records.c.author_id == member_id).order_by(records.c.id)
    return [Noted(*row) for row in db.execute(hers)]


def _taken_on(db: Connection, member_id: int) -> list[TakenOn]:
    statement = (
        select(tasks.c.text, tasks.c.day, tasks.c.state, tasks.c.member_id)
        .where(or_(tasks.c.member_id == member_id, tasks.c.author_id == member_id))
        .order_by(tasks.c.id)
    )
    return [
        TakenOn(
            row.text,
            None if row.day is None else date_of(row.day),
            row.state,
            row.member_id == member_id,
        )
        for row in db.execute(statement)
    ]
