"""Erasures: what is still to be deleted at a provider; these rows know nobody of ours."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bot.columns import Moment
from bot.db import locking_once
from bot.messages import Trace
from bot.models.safeguards import erasures

AT_ONCE = 50  # bubbles in one row


@dataclass(frozen=True, slots=True)
class Erasure:
    """One row as a worker took it."""

    id: str
    lane: str
    to: str
    traces: tuple[Trace, ...]
    attempts: int  # this one among them


def add(db: Connection, traces: Iterable[Trace], now: datetime) -> int:
    """Remember what is to be deleted at the providers; in how many rows."""
    chats: dict[tuple[str, str], list[Trace]] = defaultdict(list)
    for each in traces:
        chats[each.lane, each.to].append(each)
    rows = [
        _row(lane, to, found[start : start + AT_ONCE], now)
        for (lane, to), found in chats.items()
        for start in range(0, len(found), AT_ONCE)
    ]
    if rows:
        db.execute(insert(erasures), rows)
    return len(rows)


def _row(lane: str, to: str, traces: Collection[Trace], now: datetime) -> dict[str, Any]:
    ids = [[each.id, each.at.isoformat(), each.parting] for each in traces]
    work = {"to": to, "ids": ids}
    return {"id": secrets.token_urlsafe(15), "lane": lane, "work": work, "due_at": now}


_DUE = locking_once(
    select(erasures.c.id, erasures.c.lane, erasures.c.work, erasures.c.attempts)
    .where(
        erasures.c.lane.in_(bindparam("lanes", expanding=True)),
        erasures.c.due_at <= bindparam("now", type_=Moment()),
    )
    .order_by(erasures.c.due_at)
    .limit(bindparam("most")),
    skip_locked=True,
)


def claim(
    db: Connection, lanes: Collection[str], now: datetime, lease: timedelta, most: int
) -> list[Erasure]:
    """Take what is due; nobody else gets it before the lease is over."""
    wanted = {"lanes": list(lanes), "now": now, "most": most}
    rows = db.execute(_DUE[db.dialect.name], wanted).all()
    if not rows:
        return []
    db.execute(
        update(erasures)
        .where(erasures.c.id.in_([row.id for row in rows]))
        .values(due_at=now + lease, attempts=erasures.c.attempts + 1)
    )
    return [_erasure(row) for row in rows]


def _erasure(row: Any) -> Erasure:
    to = row.work["to"]
    traces = tuple(
        Trace(row.lane, to, id_, datetime.fromisoformat(at), parting)
        for id_, at, parting in row.work["ids"]
    )
    return Erasure(row.id, row.lane, to, traces, row.attempts + 1)


def postpone(db: Connection, erasure_id: str, due_at: datetime) -> None:
    """The provider could not just now."""
    db.execute(update(erasures).where(erasures.c.id == erasure_id).values(due_at=due_at))


def remove(db: Connection, erasure_id: str) -> None:
    """It is done, or given up."""
    db.execute(delete(erasures).where(erasures.c.id == erasure_id))
