"""The backlog: what waits and why, counted truthfully, and at the same cost in a large store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, text, update

from bot import clock, models
from bot.db import Database
from bot.store import backlog, meeting
from bot.store.backlog import Backlog, Lane
from bot.store.secrets import open_store

LANE = "whatsapp/ab12"
MINUTE = timedelta(minutes=1)
# Partial indexes, which hold only what is counted.
SMALL = (
    "ix_addresses_silent",
    "ix_deliveries_waiting",
    "ix_deliveries_under_way",
    "ix_deliveries_held",
    "ix_messages_under_way",
    "ix_addresses_nudged",
    "ix_addresses_silent",
    "ix_inbox_parked",
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    found.run_now(open_store)
    yield found
    found.close()


class Outbox:
    """Deliveries as they may stand, each to somebody of her own."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self.now = clock.now()
        self.member_id, self.address_id = meeting.add_ready(
            db, LANE, "name", self.now, language="lo"
        )
        self.count = 0

    def add(
        self, state: str, reason: str | None = None, lane: str = LANE, **values: Any
    ) -> tuple[int, int]:
        """(message id, delivery id)"""
        self.count += 1
        message = {
            "key": f"{lane}{self.count}".encode()[-16:],
            "kind": "thread",
            "body": {},
            "created_at": self.now,
        }
        message_id = self.db.execute(
            insert(models.messages).values(message).returning(models.messages.c.id)
        ).scalar_one()
        row = {
            "message_id": message_id,
            "member_id": self.member_id,
            "address_id": self.address_id,
            "lane": lane,
            "priority": 1,
            "state": state,
            "reason": reason,
            "due_at": self.now,
        } | values
        delivery_id = self.db.execute(
            insert(models.deliveries).values(row).returning(models.deliveries.c.id)
        ).scalar_one()
        return message_id, delivery_id


def _lane(found: Backlog, name: str = LANE) -> Lane:
    return next(each for each in found.lanes if each.name == name)


def test_each_state_and_reason_is_counted(database: Database) -> None:
    def work(db: Connection) -> Backlog:
        outbox = Outbox(db)
        now = outbox.now
        outbox.add("queued", due_at=now - 3 * MINUTE)
        outbox.add("queued", "63018", due_at=now)  # its wait is over
        outbox.add("queued", "quiet", due_at=now + MINUTE)
        outbox.add("queued", "20429", due_at=now + MINUTE)
        outbox.add("queued", due_at=now + MINUTE)
        outbox.add("unknown", due_at=now - MINUTE)
        outbox.add("sending")
        for reason in ("window", "window", "discreet", "doubt"):
            outbox.add("held", reason)
        for state in ("sent", "delivered", "read", "failed", "dropped", "folded"):
            outbox.add(state)
        return backlog.measure(db, now)

    now = clock.now()
    lane = _lane(database.run_now(work))
    assert (lane.due, lane.unknown, lane.sending) == (2, 1, 1)
    assert lane.later == {"quiet": 1, "provider": 1, "moment": 1}
    assert lane.held == {"window": 2, "discreet": 1, "doubt": 1}
    assert lane.oldest_due_at is not None
    assert abs(lane.oldest_due_at - (now - 3 * MINUTE)) < MINUTE
    assert not lane.owned
    assert not lane.more


def test_what_was_handed_over_lately(database: Database) -> None:
    def work(db: Connection) -> Backlog:
        outbox = Outbox(db)
        for number, age in enumerate((timedelta(seconds=5), timedelta(seconds=50), 2 * MINUTE)):
            _message, delivery_id = outbox.add("sent")
            row = {"delivery_id": delivery_id, "part": 0, "token": f"t{number}", "state": "sent"}
            row |= {"created_at": outbox.now, "handed_at": outbox.now - age}
            db.execute(insert(models.dispatches).values(row))
        return backlog.measure(db, outbox.now, ["telegram/1", LANE])

    found = database.run_now(work)
    assert _lane(found).handed == {"sent": 2}
    assert _lane(found, "telegram/1") == Lane(
        "telegram/1", False, None, None, None, None, 0, {}, 0, 0, {}, None, {}, 0, 0, False
    )


def test_who_owns_a_lane_is_told_by_the_clock_of_the_store(database: Database) -> None:
    """A moved clock makes no lease longer or shorter."""
    clock.move(timedelta(days=3))

    def work(db: Connection) -> Backlog:
        real = backlog._store_now(db)
        rows = [
            ("alive", real + MINUTE, None),
            ("silent", real - MINUTE, clock.now() + MINUTE),
            ("rested", None, clock.now() - MINUTE),
        ]
        for name, leased_until, paused_until in rows:
            row = {"name": name, "fence": 1, "owner": "w", "leased_until": leased_until}
            row |= {"paused_until": paused_until, "paused_why": "429"}
            db.execute(insert(models.lanes).values(row))
        return backlog.measure(db, clock.now())

    found = database.run_now(work)
    assert [(each.name, each.owned) for each in found.lanes] == [
        ("alive", True), ("rested", False), ("silent", False),
    ]  # fmt: skip
    assert _lane(found, "silent").paused_why == "429"
    assert _lane(found, "rested").paused_until is None
    assert _lane(found, "rested").paused_why is None


def test_a_lane_that_nobody_ever_owned_is_seen(database: Database) -> None:
    def work(db: Connection) -> Backlog:
        outbox = Outbox(db)
        outbox.add("queued", lane="a")
        outbox.add("unknown", lane="b")
        outbox.add("held", "window", lane="c")
        db.execute(update(models.addresses).values(nudges=2))
        row = {"key": b"k", "lane": "d", "state": "parked", "received_at": outbox.now}
        db.execute(insert(models.inbox).values(row))
        return backlog.measure(db, outbox.now)

    found = database.run_now(work)
    assert [each.name for each in found.lanes] == ["a", "b", "c", "d", LANE]
    assert _lane(found).nudged == 1
    assert _lane(found, "d").parked == 1


def test_what_is_said_to_many_and_has_not_reached_all(database: Database) -> None:
    def work(db: Connection) -> tuple[Backlog, Backlog]:
        outbox = Outbox(db)
        message_id, _delivery = outbox.add("queued")
        before = backlog.measure(db, outbox.now)
        under_way = {"audience": {"kind": "community"}, "created_at": outbox.now - MINUTE}
        db.execute(
            update(models.messages).where(models.messages.c.id == message_id).values(under_way)
        )
        return before, backlog.measure(db, outbox.now)

    before, after = database.run_now(work)
    assert (before.fan_outs, before.oldest_fan_out_at) == (0, None)
    assert after.fan_outs == 1
    assert after.oldest_fan_out_at is not None


def test_counting_ends_somewhere(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST", 5)

    def work(db: Connection) -> Backlog:
        outbox = Outbox(db)
        for _number in range(9):
            outbox.add("queued")
        return backlog.measure(db, outbox.now)

    lane = _lane(database.run_now(work))
    assert (lane.due, lane.more) == (6, True)


def test_no_statement_reads_a_whole_table(database: Database) -> None:
    """Each is explained in a store where most is settled: all go by an index."""
    statements: list[tuple[str, Any]] = []

    def fill(db: Connection) -> None:
        outbox = Outbox(db)
        for state in ("queued", "held", "sending"):
            outbox.add(state, "window")
        for number in range(3000):
            _message, delivery_id = outbox.add("sent")
            row = {"delivery_id": delivery_id, "part": 0, "token": f"t{number}", "state": "sent"}
            row |= {"created_at": outbox.now, "handed_at": outbox.now - timedelta(days=1)}
            db.execute(insert(models.dispatches).values(row))
            row = {"key": f"k{number}".encode(), "lane": LANE, "state": "done"}
            db.execute(insert(models.inbox).values(row | {"received_at": outbox.now}))
            if number % 3 == 0:
                meeting.add_ready(db, LANE, f"name{number}", outbox.now, language="lo")

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        statements.append((statement, given))

    database.run_now(fill)
    database.run_now(lambda db: db.execute(text("ANALYZE")))
    event.listen(database.engine, "before_cursor_execute", note)
    database.run_now(lambda db: backlog.measure(db, clock.now()))
    event.remove(database.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    for statement, given in statements:
        if statement.startswith("BEGIN") or "FROM lanes" in statement:
            continue
        plan = database.run_now(
            lambda db, what=statement, given=given: db.exec_driver_sql(explain + what, given).all()
        )
        lines = [str(row[-1]) for row in plan]
        whole = [
            line
            for line in lines
            for table in ("deliveries", "dispatches", "messages", "addresses", "inbox")
            if f"Seq Scan on {table}" in line
            or (line.startswith(f"SCAN {table}") and not any(each in line for each in SMALL))
        ]
        assert not whole, (statement, lines)
