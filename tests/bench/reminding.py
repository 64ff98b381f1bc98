"""(k) sessions: 10,000 who come to one are reminded, and a tick finds what is due among 100,000."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from sqlalchemy import Connection, delete, event, func, insert, literal, select, text

from bot import clock, models
from bot.columns import Moment
from bot.db import Database
from bot.scheduler import Progress
from bot.sessions import recurring, reminding
from bot.store import audiences, communities, sessions
from tests.bench.rig import DATABASES, MEMBERS, Rig, met

AHEAD = 100_000  # sessions
MOST_STATEMENTS = MEMBERS // audiences.FAN_OUT
MOST_TICK = 20  # ms
FEW = 20  # who come to one of many
ZONE = "Asia/Vientiane"
BEGINS = datetime(2027, 1, 6, 7, 0, tzinfo=UTC)  # two in the afternoon there
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LOOK = partial(reminding.go_on, recurring.follow)


def run(rig: Rig) -> None:
    print(f"(k) a session of {MEMBERS:,}, and {AHEAD:,} sessions ahead")
    for name in DATABASES:
        database = rig.store(name, "reminding").open()
        clock.stand()
        clock.move(BEGINS - 2 * HOUR - clock.now())
        begins = database.run_now(partial(_session, MEMBERS))
        clock.move(begins - HOUR - clock.now())
        with _counting(database) as seen:
            seconds = _all(database)
        _print_one(name, database, seen, seconds)
        _print_ahead(name, *_among_many(database))
        database.close()
        clock.reset()


def _print_one(name: str, database: Database, seen: list[str], seconds: float) -> None:
    said = select(func.count()).select_from(models.deliveries)
    written = [each for each in seen if each.lstrip().startswith("INSERT INTO deliveries")]
    count = database.run_now(
        lambda db: db.execute(
            said.join(
                models.reminders, models.reminders.c.message_id == models.deliveries.c.message_id
            )
        ).scalar_one()
    )
    print(
        f"  {name}, {count:,} reminded: {len(written)} statements"
        f" (aim {MOST_STATEMENTS}: {met(len(written) <= MOST_STATEMENTS and count == MEMBERS)}),"
        f" {len(seen)} with all that is noted; {seconds * 1000:.0f} ms"
    )


def _print_ahead(name: str, idle: float, due: float) -> None:
    print(
        f"  {name}, a tick with nothing due: {idle * 1000:.2f} ms (aim {MOST_TICK}:"
        f" {met(idle * 1000 <= MOST_TICK)}); with one session of {FEW} to be reminded:"
        f" {due * 1000:.1f} ms"
    )


def _session(comers: int, db: Connection) -> datetime:
    """One to which so many come, and when it begins; its moments are an hour before, for all."""
    place = communities.find(db, "health")
    assert place is not None
    begins = clock.now() + 2 * HOUR
    id_ = sessions.add(
        db, clock.now(), community_id=place.id, title="Stock lists", starts_at=begins,
        timezone=ZONE, reminders=(60,),
    )  # fmt: skip
    signups, members = models.signups, models.members
    now = literal(clock.now(), Moment)
    rows = select(literal(id_), members.c.id, literal("yes"), now, now).order_by(members.c.id)
    columns = ["session_id", "member_id", "answer", "created_at", "answered_at"]
    new = insert(signups).from_select(columns, rows.limit(comers), include_defaults=False)
    db.execute(new)
    return begins


def _all(database: Database) -> float:
    """Seconds until all have it in their lanes."""
    begun = time.perf_counter()
    _tick(database)
    while database.run_now(audiences.go_on):
        pass
    return time.perf_counter() - begun


def _tick(database: Database) -> float:
    begun = time.perf_counter()
    then: Any = LOOK
    while then is not None:
        done: Progress = database.run_now(lambda db, work=then: work(db, clock.now()))
        then = done.then
    return time.perf_counter() - begun


def _among_many(database: Database) -> tuple[float, float]:
    """Seconds of a tick with nothing due, and of one with one session due; medians."""
    database.run_now(_ahead)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE"))
    _tick(database)
    idle = median(_tick(database) for _ in range(100))
    found = []
    for _ in range(20):
        begins = database.run_now(partial(_session, FEW))
        _tick(database)  # its first look: when is its moment?
        clock.move(begins - HOUR - clock.now())
        found.append(_tick(database))
        database.run_now(_take_away)
    return idle, median(found)


def _take_away(db: Connection) -> None:
    """What began and ended meanwhile would be looked at as well."""
    soon = models.sessions.c.starts_at < clock.now() + DAY
    db.execute(delete(models.sessions).where(soon))


def _ahead(db: Connection) -> None:
    """Sessions over the next years, none of which is looked at before next month."""
    place = communities.find(db, "health")
    assert place is not None
    now = clock.now()
    first = now + timedelta(days=30)
    usual = {
        "community_id": place.id, "scope": "communities", "title": "Later", "minutes": 60,
        "timezone": ZONE, "languages": [], "reminders": list(sessions.REMINDERS),
        "state": "planned", "created_at": now, "changed_at": now,
    }  # fmt: skip
    rows = [
        usual
        | {
            "uid": f"bench-{number}",
            "starts_at": first + timedelta(days=7, minutes=10 * number),
            "next_at": first + timedelta(minutes=10 * number),
        }
        for number in range(AHEAD)
    ]
    db.execute(insert(models.sessions), rows)


@contextmanager
def _counting(database: Database) -> Iterator[list[str]]:
    """What either database is given; the bookends of transactions aside."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)
