"""Withdrawing: what sessions and the market keep of one who is being forgotten.

Like bot/store/forgetting.py: each function takes what it finds, a few rows at a time, so that
whoever comes after a crash goes on where it broke off.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, or_, select, update

from bot.models.captions import agreements
from bot.models.records import records, tasks
from bot.models.sessions import interests, needs, sessions, signups, topics

FEW = 30  # rows in one transaction
_HERS: tuple[tuple[Table, str], ...] = (  # whose rows are about her alone, and their other key
    (needs, "id"),
    (topics, "id"),
    (signups, "session_id"),
    (interests, "topic_id"),
    (agreements, "service"),
)


def remove_answers(db: Connection, member_id: int) -> int:
    """Some of what she answered, offered, asked for and needed."""
    for table, key in _HERS:
        hers = select(table.c[key]).where(table.c.member_id == member_id).limit(FEW)
        ids = list(db.execute(hers).scalars())
        if ids:
            mine = (table.c.member_id == member_id, table.c[key].in_(ids))
            db.execute(delete(table).where(*mine))
            return FEW  # there may be more, of this or of the next kind
    return 0


def unname(db: Connection, member_id: int, *, words_too: bool) -> int:
    """Some of what she wrote for a session, and of what she holds or has taken upon herself.

    The words stay as those of a former member, or go, as she chose.
    """
    for table in (records, tasks):
        written = select(table.c.id).where(table.c.author_id == member_id).limit(FEW)
        ids = list(db.execute(written).scalars())
        if ids:
            mine = table.c.id.in_(ids)
            db.execute(
                delete(table).where(mine)
                if words_too
                else update(table).where(mine).values(author_id=None)
            )
            return FEW
    return _give_back(db, member_id) or _let_go(db, member_id, words_too=words_too)


def _give_back(db: Connection, member_id: int) -> int:
    """What she has taken upon herself is nobody's now, and nobody is asked about it."""
    hers = select(tasks.c.id).where(tasks.c.member_id == member_id).limit(FEW)
    ids = list(db.execute(hers).scalars())
    if ids:
        nobodys = {"member_id": None, "ask_at": None}
        db.execute(update(tasks).where(tasks.c.id.in_(ids)).values(nobodys))
    return FEW if ids else 0


def _let_go(db: Connection, member_id: int, *, words_too: bool) -> int:
    """Sessions that she holds: where she invited others to may be her own house or number."""
    hers = or_(sessions.c.host_id == member_id, sessions.c.note_taker_id == member_id)
    columns = (sessions.c.id, sessions.c.host_id, sessions.c.note_taker_id, sessions.c.state)
    rows = db.execute(select(*columns).where(hers).limit(FEW)).all()
    for row in rows:
        values: dict[str, Any] = {}
        if row.note_taker_id == member_id:
            values["note_taker_id"] = None
        if row.host_id == member_id:
            values |= {"host_id": None, **_without_words(row.state, words_too=words_too)}
        db.execute(update(sessions).where(sessions.c.id == row.id).values(values))
    return FEW if rows else 0


def _without_words(state: str, *, words_too: bool) -> dict[str, Any]:
    """Who comes to one that is planned finds it, unless she takes her words back."""
    gone: dict[str, Any] = {"place": None, "packing": None, "reason": None}
    if words_too:
        return gone | {"title": "", "organisation": None}
    return {} if state == "planned" else gone
