"""The scheduler: a due moment is taken once, by whoever comes first; a failure stops nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from bot import clock, logs, models, upkeep
from bot.db import Database, StoreDown
from bot.messages import Inbound
from bot.scheduler import Job, Scheduler, job
from bot.store import conversations, meeting, occurrences, posts
from bot.store.secrets import open_store
from handlers import ask

HOUR = timedelta(hours=1)
PAYLOAD = "+8562059411223"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    found.run_now(open_store)
    yield found
    found.close()


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that was logged so far."""
    lines: list[str] = []
    logs.configure("DEBUG")

    def read() -> str:
        lines.append(capsys.readouterr().err)
        return "".join(lines)

    return read


def counting(done: list[datetime], name: str = "test.count", every: timedelta = HOUR) -> Job:
    def work(_db: Connection, now: datetime) -> dict[str, int]:
        done.append(now)
        return {"rows": 1}

    return Job(name, every, work)


def failing(_db: Connection, _now: datetime) -> dict[str, int]:
    raise RuntimeError(PAYLOAD)


def tick(*schedulers: Scheduler) -> None:
    async def together() -> None:
        await asyncio.gather(*(each.tick() for each in schedulers))

    asyncio.run(together())


def count(database: Database, table: Any) -> int:
    found: int = database.run_now(
        lambda db: db.execute(select(func.count()).select_from(table)).scalar_one()
    )
    return found


# Once over all


def test_two_schedulers_take_a_moment_once(database_url: str, database: Database) -> None:
    other = Database(database_url)
    done: list[datetime] = []
    both = [Scheduler(each, [counting(done)]) for each in (database, other)]
    clock.move(HOUR)
    tick(*both, *both)
    assert len(done) == 1
    clock.move(HOUR)
    tick(*both)
    assert len(done) == 2
    other.close()
    assert count(database, models.occurrences) == 2


def test_a_restart_does_not_repeat(database: Database) -> None:
    done: list[datetime] = []
    clock.move(_until_next(HOUR))
    tick(Scheduler(database, [counting(done)]))
    clock.move(HOUR - timedelta(minutes=1))
    tick(Scheduler(database, [counting(done)]))
    assert len(done) == 1
    clock.move(timedelta(minutes=1))
    tick(Scheduler(database, [counting(done)]))
    assert len(done) == 2


def _until_next(every: timedelta) -> timedelta:
    return every - timedelta(seconds=clock.now().timestamp() % every.total_seconds() - 1)


def test_jobs_have_moments_of_their_own(database: Database) -> None:
    hourly: list[datetime] = []
    daily: list[datetime] = []
    scheduler = Scheduler(
        database,
        [counting(hourly, "a.hourly"), counting(daily, "a.daily", timedelta(days=1))],
    )
    clock.move(_until_next(timedelta(days=1)))
    for _ in range(24):
        tick(scheduler)
        clock.move(HOUR)
    assert (len(hourly), len(daily)) == (24, 1)


def test_a_jump_of_the_clock_is_one_moment(database: Database) -> None:
    done: list[datetime] = []
    scheduler = Scheduler(database, [counting(done)])
    tick(scheduler)
    clock.move(timedelta(days=30))
    tick(scheduler)
    tick(scheduler)
    assert len(done) == 2
    assert done[1] - done[0] >= timedelta(days=30)


def test_a_moment_is_taken_once(database: Database) -> None:
    now = clock.now()
    taken = [database.run_now(lambda db: occurrences.take(db, "a/1", now)) for _ in range(3)]
    assert taken == [True, False, False]
    assert database.run_now(lambda db: occurrences.take(db, "a/2", now))


# Failures


def test_a_failing_job_stops_no_other(database: Database, logged: Callable[[], str]) -> None:
    done: list[datetime] = []
    jobs = [counting(done, "a.before"), Job("b.fail", HOUR, failing), counting(done, "c.after")]
    tick(Scheduler(database, jobs))
    assert len(done) == 2
    [line] = [each for each in logged().splitlines() if "job_failed" in each]
    assert "job=b.fail" in line
    assert "error=RuntimeError" in line
    assert PAYLOAD not in logged()
    assert logged().count("job_done") == 2


def test_a_failed_job_is_rolled_back_and_tried_again(database: Database) -> None:
    tries: list[datetime] = []

    def work(db: Connection, now: datetime) -> dict[str, int]:
        meeting.add(db, "lane", ["name"], now, state="new")
        tries.append(now)
        if len(tries) == 1:
            raise RuntimeError
        return {}

    scheduler = Scheduler(database, [Job("a.work", HOUR, work)])
    tick(scheduler)
    assert count(database, models.members) == 0
    clock.move(HOUR)
    tick(scheduler)
    assert len(tries) == 2
    assert count(database, models.members) == 1


def test_a_store_that_is_down(
    database: Database, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_self: Database, _work: Any) -> None:
        raise StoreDown("OperationalError")

    monkeypatch.setattr(Database, "run", down)
    tick(Scheduler(database, [counting([], "a.one"), counting([], "b.two")]))
    assert logged().count("store_down") == 2


def test_a_job_that_did_nothing_is_not_logged(
    database: Database, logged: Callable[[], str]
) -> None:
    def work(_db: Connection, _now: datetime) -> dict[str, int]:
        return {"rows": 0}

    tick(Scheduler(database, [Job("a.quiet", HOUR, work)]))
    assert count(database, models.occurrences) == 1
    assert "a.quiet" not in logged()


# The ticker


def test_start_and_stop(database: Database) -> None:
    async def live() -> None:
        scheduler = Scheduler(database, [])
        scheduler.stop()  # before it began: no harm
        scheduler.start()
        [ticking] = scheduler._ticker.get_jobs()
        assert ticking.coalesce
        assert ticking.misfire_grace_time is None
        scheduler.stop()
        await asyncio.sleep(0)
        assert not scheduler._ticker.running

    asyncio.run(live())


def test_a_job_is_named_after_its_place() -> None:
    @job(every=HOUR)
    def something(_db: Connection, _now: datetime) -> dict[str, int]:
        return {}

    assert something.name == "test_scheduler.something"
    assert (upkeep.forget.name, ask.forget_drafts.name) == ("upkeep.forget", "ask.forget_drafts")


# What the jobs do


def add_talk(db: Connection, name: str, expires_at: datetime) -> None:
    _member, address_id = meeting.add_ready(db, "lane", name, clock.now(), language="lo")
    assert address_id is not None
    conversations.save(db, address_id, {"step": "ask.question"}, expires_at)


def run_through(database: Database, each: Job) -> Counter[str]:
    """Transaction after transaction, as the scheduler does."""
    return asyncio.run(Scheduler(database, [])._go_on(each.work))


def test_forget_removes_expired_talks_and_old_moments(database: Database) -> None:
    now = clock.now()

    def work(db: Connection) -> None:
        add_talk(db, "over", now - timedelta(seconds=1))
        add_talk(db, "open", now + timedelta(seconds=60))
        for key, age in (("old", 61), ("older", 400), ("young", 59)):
            taken = {"key": key, "taken_at": now - timedelta(days=age)}
            db.execute(insert(models.occurrences).values(taken))

    database.run_now(work)
    assert run_through(database, upkeep.forget) == {"conversations": 1, "occurrences": 2}
    assert count(database, models.conversations) == 1
    kept = database.run_now(lambda db: list(db.execute(select(models.occurrences.c.key)).scalars()))
    assert kept == ["young"]
    assert run_through(database, upkeep.forget) == {}


def test_drafts_are_removed_after_a_week(database: Database) -> None:
    now = clock.now()

    def add(db: Connection, author: int, state: str, age: timedelta) -> None:
        inbound = Inbound("lane", f"{state}{age}", ("name",), text=f"{state} {age.days}")
        posts.add(db, author, inbound, now - age, kind="question", state=state)

    def work(db: Connection) -> dict[str, int]:
        author = meeting.add(db, "lane", ["name"], now, state="active")
        for state in ("draft", "waiting", "live", "hidden"):
            add(db, author, state, timedelta(days=8))
        add(db, author, "draft", timedelta(days=6))
        return ask.forget_drafts.work(db, now)

    assert database.run_now(work) == {"drafts": 1}
    left = database.run_now(lambda db: set(db.execute(select(models.bubbles.c.text)).scalars()))
    assert left == {"draft 6", "waiting 8", "live 8", "hidden 8"}
