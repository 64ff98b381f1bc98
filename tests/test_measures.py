"""/metrics: each process tells the same of the store, as it is now, and nothing of anybody."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update

from bot import clock, models
from bot.app import App
from bot.db import Database, StoreDown
from bot.settings import Settings
from bot.store import backlog
from bot.web.measures import Measures
from tests.stage import PUBLIC
from tests.test_backlog import LANE, Outbox

Figures = dict[tuple[str, ...], float]


def scraped() -> Figures:
    """(name, label values in the order of their names ...) -> value"""
    families = text_string_to_metric_families(generate_latest().decode())
    return {
        (sample.name, *(value for _label, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def app(database_url: str) -> Any:
    found = App(Settings(_env_file=None, database_url=database_url, public_url=PUBLIC))  # type: ignore[call-arg]
    yield found
    found.database.close()


def test_what_waits_is_told_lane_by_lane(app: App) -> None:
    def work(db: Any) -> None:
        outbox = Outbox(db)
        now = outbox.now
        outbox.add("queued", due_at=now - timedelta(seconds=90))
        outbox.add("queued", "quiet", due_at=now + timedelta(hours=2))
        outbox.add("unknown")
        outbox.add("held", "window")
        lane = {"name": LANE, "fence": 1, "paused_until": now + timedelta(seconds=40)}
        lane |= {"leased_until": backlog._store_now(db) + timedelta(seconds=15)}
        db.execute(insert(models.lanes).values(lane))

    app.database.run_now(work)
    asyncio.run(Measures(app).bring())
    found = scraped()
    assert found["linkline_store_up",] == 1
    assert found["linkline_backlog", LANE, "due", "queued"] == 1
    assert found["linkline_backlog", LANE, "quiet", "queued"] == 1
    assert found["linkline_backlog", LANE, "", "unknown"] == 1
    assert found["linkline_backlog", LANE, "window", "held"] == 1
    assert found["linkline_lane_owned", LANE] == 1
    assert 85 < found["linkline_oldest_due_seconds", LANE] < 120
    assert 10 < found["linkline_lane_paused_seconds", LANE] <= 40


def test_two_processes_tell_the_same_and_nothing_stale(app: App) -> None:
    """A process that measured before does not go on telling it."""
    first, second = Measures(app), Measures(app)

    async def play() -> None:
        app.database.run_now(lambda db: Outbox(db).add("queued"))
        await first.bring()
        assert scraped()["linkline_backlog", LANE, "due", "queued"] == 1
        rows = update(models.deliveries).values(state="sent")
        app.database.run_now(lambda db: db.execute(rows))
        await second.bring()
        assert ("linkline_backlog", LANE, "due", "queued") not in scraped()
        clock.move(timedelta(seconds=30))
        await first.bring()
        assert ("linkline_backlog", LANE, "due", "queued") not in scraped()

    asyncio.run(play())


def test_the_store_is_asked_once_however_many_ask(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    measure = backlog.measure

    def counted(*given: Any) -> Any:
        asked.append(1)
        return measure(*given)

    monkeypatch.setattr(backlog, "measure", counted)
    measures = Measures(app)

    async def play() -> None:
        await asyncio.gather(*(measures.bring() for _ in range(20)))
        assert len(asked) == 1
        clock.move(timedelta(seconds=6))
        await measures.bring()
        assert len(asked) == 2

    asyncio.run(play())


def test_a_store_that_is_away_is_not_told_as_empty(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = Measures(app)

    async def away(_self: Database, _work: Any) -> None:
        raise StoreDown("OperationalError")

    async def play() -> None:
        app.database.run_now(lambda db: Outbox(db).add("queued"))
        await measures.bring()
        clock.move(timedelta(seconds=6))
        with monkeypatch.context() as patched:
            patched.setattr(Database, "run", away)
            await measures.bring()
            found = scraped()
            assert found["linkline_store_up",] == 0
            assert not [each for each in found if each[0] == "linkline_backlog"]
            assert found["linkline_fan_outs",] != 0
        await measures.bring()  # at once, not after a while
        assert scraped()["linkline_store_up",] == 1

    asyncio.run(play())
