"""(j) one Monday: what all communities hear is planned, and written only as far as it can leave."""

from __future__ import annotations

import resource
import time
from statistics import median
from typing import Any

from sqlalchemy import Connection, func, select, text

from bot import ahead, clock, models, rhythm
from bot.db import Database
from bot.store import audiences, communities, contents
from bot.store.schedules import Schedule
from bot.timing import today, zone
from tests.bench.rig import DATABASES, MEMBERS, Rig, met

MOST_IDLE = 5  # ms of a tick in which nothing is due
MOST_HELD = 50  # ms for which one transaction may hold the writer
ZONE = "Asia/Vientiane"

_MEMBERS = (
    "INSERT INTO members (id, state, language, timezone, rhythm, discreet, answers, unasked,"
    " erases_posts, created_at) SELECT id + :by, state, language, timezone, rhythm, discreet,"
    " answers, unasked, erases_posts, created_at FROM members WHERE id <= :count",
    "INSERT INTO addresses (id, member_id, lane, sealed, preferred, first_choice, heard_count,"
    " nudges, wrong_codes, created_at) SELECT id + :by, member_id + :by, lane, sealed, preferred,"
    " first_choice, 0, 0, 0, created_at FROM addresses WHERE id <= :count",
    "INSERT INTO memberships (member_id, community_id, role, state, pace, created_at)"
    " SELECT member_id + :by, :community, role, state, pace, created_at FROM memberships"
    " WHERE member_id <= :count",
)


def run(rig: Rig) -> None:
    count = rig.size.communities
    print(f"(j) {count:,} communities of {MEMBERS:,} members: one Monday's tips and questions")
    for name in DATABASES:
        store = rig.store(name, "rhythm")
        database = store.open()
        _fill(database, count)
        idle = median(_timed(database, rhythm.go_on) for _ in range(200))
        _to_monday(database)
        planned = _plan(database)
        written = _write(database)
        stored = database.run_now(
            lambda db: db.execute(select(func.count()).select_from(models.deliveries)).scalar_one()
        )
        database.close()
        clock.reset()
        longest = max(*planned, *written)
        _print(name, count, idle, planned, written, stored, longest)


def _print(
    name: str,
    count: int,
    idle: float,
    planned: list[float],
    written: list[float],
    stored: int,
    longest: float,
) -> None:
    whole = sum(planned)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  {name}, a tick with nothing due: {idle * 1000:.2f} ms"
        f" (aim {MOST_IDLE}: {met(idle * 1000 <= MOST_IDLE)})"
    )
    print(
        f"  {name}, planned: {whole:.1f} s in {len(planned):,} transactions,"
        f" {whole / count * 1000:.1f} ms a community; {stored:,} of {count * MEMBERS:,}"
        f" deliveries stored by then; {memory:.0f} MB"
    )
    print(
        f"  {name}, a chunk of {audiences.FAN_OUT:,}: {median(written) * 1000:.1f} ms;"
        f" the longest transaction of all {longest * 1000:.0f} ms"
        f" (aim {MOST_HELD}: {met(longest * 1000 <= MOST_HELD)})"
    )


def _fill(database: Database, count: int) -> None:
    def more(db: Connection, number: int) -> None:
        row = {
            "slug": f"c{number}",
            "language": "en",
            "timezone": ZONE,
            "approval": False,
            "discreet": False,
        }
        programme = db.execute(select(models.programmes.c.id)).scalar_one()
        id_ = communities.save_community(db, programme, row)
        for statement in _MEMBERS:
            values = {"by": number * MEMBERS, "count": MEMBERS, "community": id_}
            db.execute(text(statement), values)

    def plan(db: Connection) -> None:
        now = clock.now()
        for kind in ("tip", "prompt"):
            for number in range(52):
                key = f"bench/{kind}/{number}"
                contents.save(db, key, kind, "en", f"{kind} {number}", now, position=number)
        for each in db.execute(select(models.communities.c.id)).scalars().all():
            for kind in ("tip", "prompt"):
                day = today(now, zone(ZONE))
                ahead.save(db, Schedule(each, kind, 0, 540, day), now)

    for number in range(1, count):
        database.run_now(lambda db, number=number: more(db, number))
    database.run_now(plan)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE"))
    _pass_first_zone(database)


def _pass_first_zone(database: Database) -> None:
    """The first look at each edition, when its day begins somewhere on Earth, is over."""
    first = database.run_now(
        lambda db: db.execute(select(func.max(models.editions.c.next_at))).scalar_one()
    )
    clock.stand()
    clock.move(first - clock.now())
    _plan(database)


def _to_monday(database: Database) -> None:
    """Nine o'clock, when all is due."""
    at = database.run_now(
        lambda db: db.execute(select(func.max(models.editions.c.next_at))).scalar_one()
    )
    clock.move(at - clock.now())


def _plan(database: Database) -> list[float]:
    """Seconds of each transaction of a tick."""
    found = []
    work: Any = rhythm.go_on
    while work is not None:
        begun = time.perf_counter()
        done = database.run_now(lambda db, work=work: work(db, clock.now()))
        found.append(time.perf_counter() - begun)
        work = done.then
    return found


def _write(database: Database) -> list[float]:
    """The chunks until a lane has enough for now."""
    lane = database.run_now(
        lambda db: db.execute(select(models.addresses.c.lane).limit(1)).scalar_one()
    )
    found = []
    more = True
    while more:
        begun = time.perf_counter()
        more = database.run_now(lambda db: audiences.go_on(db, lane))
        found.append(time.perf_counter() - begun)
    return found


def _timed(database: Database, work: Any) -> float:
    begun = time.perf_counter()
    database.run_now(lambda db: work(db, clock.now()))
    return time.perf_counter() - begun
