"""The clock: APScheduler ticks, the database decides.

Each due moment of a job is an occurrence with a unique key; whoever inserts it first does the
work, in the same transaction. So any number of processes may tick, and a restart loses nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Connection

from bot import clock, logs
from bot.db import Database, StoreDown, must_end
from bot.store import occurrences

Counts = dict[str, int]
Work = Callable[[Connection, datetime], "Counts | Progress"]
T = TypeVar("T")

TICK = 15  # seconds
BREATH = 0.002  # seconds between two transactions of a job: others write in between

log = logs.get("scheduler")


@dataclass(frozen=True, slots=True)
class Progress:
    """What one transaction of a job has done, where there may be more to do than one should hold.

    A crash in between is no harm if the job finds by itself, at its next moment, what is left.
    """

    counts: Counts
    scrub: Collection[str] = ()  # tables from which something was deleted: it leaves the files ...
    then: Work | None = None  # ... before this goes on, in a transaction of its own


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again; `work` returns counts for the log."""

    name: str
    every: timedelta
    work: Work


def job(*, every: timedelta) -> Callable[[Work], Job]:
    """Make a function of (connection, now) a job; what lives in the folder is found."""

    def wrap(work: Work) -> Job:
        return Job(f"{work.__module__.rpartition('.')[2]}.{work.__name__}", every, work)

    return wrap


def attempt(db: Connection, step: Callable[[], T]) -> T | None:
    """What one of several steps has done; None if it failed: it must not hold up the others."""
    try:
        with db.begin_nested():
            return step()
    except Exception as error:
        if must_end(error):
            raise
        log.error("step_failed", error=type(error).__name__, where=logs.where(error))
        return None


class Scheduler:
    """Runs what is due, once over all processes."""

    def __init__(self, database: Database, jobs: Iterable[Job]) -> None:
        self._database = database
        self._jobs = sorted(jobs, key=lambda each: each.name)
        self._ticker = AsyncIOScheduler(timezone=UTC)
        self._taken: dict[str, datetime] = {}  # by job: a moment that needs no look at the store

    def start(self) -> None:
        self._ticker.add_job(
            self.tick, "interval", seconds=TICK, coalesce=True, misfire_grace_time=None
        )
        self._ticker.start()

    def stop(self) -> None:
        if self._ticker.running:
            self._ticker.shutdown(wait=False)

    async def tick(self) -> None:
        """Take every moment that is due; a job that fails is logged and tried at its next one."""
        for each in self._jobs:
            await self._run(each)

    async def _run(self, each: Job) -> None:
        now = clock.now()
        due_at = datetime.fromtimestamp(
            now.timestamp() // each.every.total_seconds() * each.every.total_seconds(), UTC
        )
        if self._taken.get(each.name) == due_at:
            return

        def begin(db: Connection, now: datetime) -> Counts | Progress:
            taken = occurrences.take(db, f"{each.name}/{due_at.isoformat()}", now)
            return each.work(db, now) if taken else {}

        try:
            counts = await self._go_on(begin)
        except StoreDown as error:
            log.warning("store_down", job=each.name, error=str(error))
        except Exception as error:
            log.error(
                "job_failed", job=each.name, error=type(error).__name__, where=logs.where(error)
            )
        else:
            self._taken[each.name] = due_at
            for kind, count in counts.items():
                log.info("job_done", job=each.name, kind=kind, count=count)

    async def _go_on(self, begin: Work) -> Counter[str]:
        """Transaction after transaction, until nothing is left; what they counted."""
        then: Work | None = begin
        counts: Counter[str] = Counter()
        while then is not None:
            done = await self._database.run(partial(_at_this_moment, then))
            if not isinstance(done, Progress):
                done = Progress(done)
            counts.update(done.counts)
            if done.scrub and not await self._database.scrub(done.scrub):
                log.warning("not_scrubbed")
                break
            then = done.then
            if then is not None:
                await asyncio.sleep(BREATH)
        return +counts


def _at_this_moment(work: Work, db: Connection) -> Counts | Progress:
    return work(db, clock.now())
