"""(i) a long queue: claims among a million due deliveries beside a tenth, and a worker's memory."""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median

from sqlalchemy import Connection, text

from bot import clock
from bot.columns import microseconds
from bot.db import Database
from bot.messages import Message, Text
from bot.store import deliveries, messages
from tests.bench.cast import NEWS
from tests.bench.rig import DATABASES, MEMBERS, Rig, met
from tests.bench.stores import Store

MOST_TIMES = 1.2
MOST_MB = 150
CLAIMED = 64
CLAIMS = 40
WORKED = 15  # seconds in which a worker is looked at

_TO_ALL = text(
    "INSERT INTO deliveries (message_id, member_id, address_id, lane, priority, place, state,"
    " due_at) SELECT :message, member_id, id, lane, 3, :now + id * 100000, 'queued', :now"
    " FROM addresses ORDER BY id"
)


def run(rig: Rig) -> None:
    print(f"(i) {rig.size.due:,} deliveries due, beside a tenth; {MEMBERS:,} members in both")
    for database in DATABASES:
        few, many = (rig.store(database, name) for name in ("few_due", "many_due"))
        _fill(few, rig.size.due // 10)
        _fill(many, rig.size.due)
        pairs = _claim_both(few, many)
        times = median(b / a for a, b in pairs)
        print(
            f"  {database}, a claim of {CLAIMED}: {median(a for a, _ in pairs) * 1000:.1f} ms, then"
            f" {median(b for _, b in pairs) * 1000:.1f}: {times:.2f} times"
            f" (aim {MOST_TIMES}: {met(times <= MOST_TIMES)})"
        )
        resident = _work(rig, many)
        print(f"  {database}, a worker at it: {resident:.0f} MB (aim {MOST_MB}: "
              f"{met(resident <= MOST_MB)})")  # fmt: skip


def _fill(store: Store, count: int) -> None:
    database = store.open()
    for number in range(count // MEMBERS):
        database.run_now(lambda db: _add(db, f"due/{number}"))  # noqa: B023
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ANALYZE"))
    database.close()


def _add(db: Connection, key: str) -> None:
    now = clock.now()
    message_id = messages.add(db, key, "broadcast", Message((Text(NEWS),)), now)
    db.execute(_TO_ALL, {"message": message_id, "now": microseconds(now)})


def _claim_both(few: Store, many: Store) -> list[tuple[float, float]]:
    """Pairs, one right after the other: the machine is now quick and now slow."""
    opened = few.open(), many.open()
    found = [tuple(_claim(each) for each in opened) for _ in range(CLAIMS)]
    for each in opened:
        each.close()
    return [(a, b) for a, b in found[CLAIMS // 4 :]]


def _claim(database: Database) -> float:
    """A claim that is rolled back, so that all of them find the same."""
    with database.engine.connect() as db:
        lane = db.execute(text("SELECT lane FROM addresses LIMIT 1")).scalar_one()
        begun = time.perf_counter()
        found, _ = deliveries.claim(db, lane, 1, [], CLAIMED, clock.now())
        took = time.perf_counter() - begun
        db.rollback()
    assert len(found) == CLAIMED
    return took


def _work(rig: Rig, store: Store) -> float:
    """The most it held in memory while it sent."""
    most = 0.0
    with ExitStack() as exits:
        worker = rig.linkline(exits, store, "worker")
        end = time.monotonic() + WORKED
        while time.monotonic() < end:
            most = max(most, worker.resident_mb())
            time.sleep(0.5)
    return most
