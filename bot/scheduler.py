"""The clock: APScheduler ticks, the database decides.

Each due moment of a job is an occurrence with a unique key; whoever inserts it first does the
work, in the same transaction. So any number of processes may tick, and a restart loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Connection

from bot import clock, logs
from bot.db import Database, StoreDown
from bot.store import occurrences

Work = Callable[[Connection, datetime], dict[str, int]]

TICK = 15  # seconds

log = logs.get("scheduler")


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


class Scheduler:
    """Runs what is due, once over all processes."""

    def __init__(self, database: Database, jobs: Iterable[Job]) -> None:
        self._database = database
        self._jobs = sorted(jobs, key=lambda each: each.name)
        self._ticker = AsyncIOScheduler(timezone=UTC)

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

        def work(db: Connection) -> dict[str, int] | None:
            if not occurrences.take(db, f"{each.name}/{due_at.isoformat()}", now):
                return None
            return each.work(db, now)

        try:
            counts = await self._database.run(work)
        except StoreDown as error:
            log.warning("store_down", job=each.name, error=str(error))
        except Exception as error:
            log.error(
                "job_failed", job=each.name, error=type(error).__name__, where=logs.where(error)
            )
        else:
            if counts and any(counts.values()):
                log.info("job_done", job=each.name, count=sum(counts.values()))
