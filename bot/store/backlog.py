"""The backlog: what waits on each lane and why, who works there, how much left lately; no person.

Nothing here reads more than MOST rows of a kind, by partial indexes: it costs the same with a
thousand deliveries in the store and with millions. A count that stopped there says so (`more`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text

from bot.columns import Moment
from bot.db import store_now
from bot.models.outbox import (
    CLOSED,
    GATHERED,
    HELD,
    UNDER_WAY,
    WAITING,
    deliveries,
    dispatches,
    lanes,
    messages,
)
from bot.models.people import addresses
from bot.models.talks import inbox

MOST = 10_000  # rows of a kind that are counted one by one
LATELY = timedelta(minutes=1)
# Why something waits, as we say it ourselves; a provider's own codes are one: "provider".
REASONS = frozenset(
    {"quiet", "paused", "pace", "week", "discreet", "doubt", "digest", "summary", "cut"}
    | {*CLOSED, *GATHERED}
)


@dataclass(frozen=True, slots=True)
class Lane:
    """One sending identity, as it stands now."""

    name: str
    owned: bool  # a worker holds its lease
    owner: str | None  # the random name of that worker, or of the last one
    leased_until: datetime | None
    paused_until: datetime | None  # only while it lasts
    paused_why: str | None  # the provider's code
    due: int  # may leave now
    later: dict[str, int]  # queued for another moment, by reason
    unknown: int  # perhaps sent; looked up or repeated
    sending: int
    held: dict[str, int]  # until somebody does something, by reason
    oldest_due_at: datetime | None
    handed: dict[str, int]  # bubbles handed over in the last minute, by what became of them
    nudged: int  # people who were told that something waits, and have not written since
    parked: int  # what came in, and our code failed at
    more: bool  # something of this stands for more: counting ended


@dataclass(frozen=True, slots=True)
class Backlog:
    """All lanes, and what is not said to its audience yet."""

    lanes: tuple[Lane, ...]
    fan_outs: int  # messages whose audience is not reached yet
    oldest_fan_out_at: datetime | None


def measure(db: Connection, now: datetime, configured: Iterable[str] = ()) -> Backlog:
    """Every lane that is configured, was owned once, or has something waiting."""
    at_store = _store_now(db)
    owned = {row.name: row for row in db.execute(select(lanes))}
    held = _held(db)
    handed, nudged, parked = _handed(db, now), _nudged(db), _parked(db)
    names = {*configured, *owned, *held, *nudged, *parked, *_with_waiting(db)}
    under_way = db.execute(_FAN_OUTS).one()
    found = []
    for name in sorted(names):
        row = owned.get(name)
        counts = _waiting(db, name, now)
        leased_until = None if row is None else row.leased_until
        paused = row is not None and row.paused_until is not None and row.paused_until > now
        found.append(
            Lane(
                name=name,
                owned=leased_until is not None and leased_until > at_store,
                owner=None if row is None else row.owner,
                leased_until=leased_until,
                paused_until=row.paused_until if row is not None and paused else None,
                paused_why=row.paused_why if row is not None and paused else None,
                sending=_sending(db, name),
                held=held.get(name, {}),
                handed=handed.get(name, {}),
                nudged=nudged.get(name, 0),
                parked=parked.get(name, 0),
                **counts,
            )
        )
    return Backlog(tuple(found), under_way.many, under_way.oldest)


def why(reason: str | None) -> str:
    """A reason as one of a closed list."""
    if reason is None:
        return "moment"  # said for a moment that is still to come
    return reason if reason in REASONS else "provider"


_FAN_OUTS = (
    select(func.count().label("many"), func.min(messages.c.created_at).label("oldest"))
    .select_from(messages)
    .where(text("audience IS NOT NULL"))
)


def _store_now(db: Connection) -> datetime:
    """Leases are written by the store's own clock."""
    at = Moment().process_result_value(db.execute(select(store_now(db))).scalar_one(), db.dialect)
    assert at is not None
    return at


def _with_waiting(db: Connection) -> list[str]:
    """Lanes with something in line, one step of the index for each."""
    found: list[str] = []
    last = ""
    while True:
        statement = select(deliveries.c.lane).where(WAITING, deliveries.c.lane > last)
        name = db.execute(statement.order_by(deliveries.c.lane).limit(1)).scalar()
        if name is None:
            return found
        found.append(name)
        last = name


def _waiting(db: Connection, lane: str, now: datetime) -> dict[str, Any]:
    """What is in line, the first of it."""
    line = (
        select(deliveries.c.state, deliveries.c.reason, deliveries.c.due_at)
        .where(deliveries.c.lane == lane, WAITING)
        .order_by(deliveries.c.priority, deliveries.c.place, deliveries.c.id)
        .limit(MOST + 1)
    ).subquery()
    is_due = line.c.due_at <= now
    statement = select(
        line.c.state,
        line.c.reason,
        is_due.label("is_due"),
        func.count().label("many"),
        func.min(line.c.due_at).label("oldest"),
    ).group_by(line.c.state, line.c.reason, is_due)
    rows = db.execute(statement).all()
    later: Counter[str] = Counter()
    for row in rows:
        if row.state == "queued" and not row.is_due:
            later[why(row.reason)] += row.many
    return {
        "due": sum(row.many for row in rows if row.state == "queued" and row.is_due),
        "later": dict(later),
        "unknown": sum(row.many for row in rows if row.state == "unknown"),
        "oldest_due_at": min((row.oldest for row in rows if row.is_due), default=None),
        "more": sum(row.many for row in rows) > MOST,
    }


def _sending(db: Connection, lane: str) -> int:
    statement = select(func.count()).where(deliveries.c.lane == lane, UNDER_WAY)
    return db.execute(statement.select_from(deliveries)).scalar_one()


def _held(db: Connection) -> dict[str, dict[str, int]]:
    """By lane and reason; of all lanes together at most MOST."""
    some = select(deliveries.c.lane, deliveries.c.reason).where(HELD).limit(MOST).subquery()
    statement = select(some.c.lane, some.c.reason, func.count()).group_by(
        some.c.lane, some.c.reason
    )
    found: dict[str, Counter[str]] = {}
    for lane, reason, many in db.execute(statement):
        found.setdefault(lane, Counter())[why(reason)] += many
    return {lane: dict(counts) for lane, counts in found.items()}


def _handed(db: Connection, now: datetime) -> dict[str, dict[str, int]]:
    lately = select(dispatches.c.delivery_id, dispatches.c.state)
    lately = lately.where(dispatches.c.handed_at > now - LATELY)
    some = lately.order_by(dispatches.c.handed_at).limit(MOST).subquery()
    statement = (
        select(deliveries.c.lane, some.c.state, func.count())
        .select_from(some.join(deliveries, deliveries.c.id == some.c.delivery_id))
        .group_by(deliveries.c.lane, some.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for lane, state, many in db.execute(statement):
        found.setdefault(lane, {})[state] = many
    return found


def _nudged(db: Connection) -> dict[str, int]:
    some = select(addresses.c.lane).where(text("nudges > 0")).limit(MOST).subquery()
    rows = db.execute(select(some.c.lane, func.count()).group_by(some.c.lane))
    return {lane: many for lane, many in rows}


def _parked(db: Connection) -> dict[str, int]:
    some = select(inbox.c.lane).where(text("state = 'parked'")).limit(MOST).subquery()
    rows = db.execute(select(some.c.lane, func.count()).group_by(some.c.lane))
    return {lane: many for lane, many in rows}
