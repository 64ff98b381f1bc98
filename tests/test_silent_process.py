"""A process that falls silent in the middle of its work, on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, func, select, text

from bot import connecting
from bot.db import Database, StoreDown
from bot.models import lanes

TAKE = text("UPDATE lanes SET owner = :owner WHERE name = 'telegram'")


pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def silent(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(connecting, "IDLE", "300ms")
    with closing(Database(database_url)) as found:
        yield found


def test_its_rows_are_let_go(silent: Database, database_url: str) -> None:
    other = Database(database_url)
    other.run_now(lambda db: db.execute(lanes.insert().values(name="telegram", fence=1)))

    def fall_silent(db: Connection) -> None:
        db.execute(TAKE, {"owner": "silent"})
        other.run_now(lambda db: db.execute(TAKE, {"owner": "other"}))  # it waits for the row
        db.execute(select(1))

    with pytest.raises(StoreDown):
        silent.run_now(fall_silent)
    owners = [
        each.run_now(lambda db: db.execute(select(lanes.c.owner)).scalar())
        for each in (silent, other)
    ]
    assert owners == ["other", "other"]  # the silent one is connected again
    other.close()


def test_who_reads_may_take_time(silent: Database) -> None:
    with silent.snapshot() as db:
        before = db.execute(select(func.now())).scalar()
        time.sleep(0.6)
        assert db.execute(select(func.now())).scalar() == before
