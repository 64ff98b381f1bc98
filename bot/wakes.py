"""Wakes: how the senders of one process learn at once of what another process has written.

On PostgreSQL whoever makes something due says so as it commits (see `mark_due` in bot/db.py) and
is heard here. On SQLite a look every 20 ms asks the file whether another connection has written,
which takes microseconds. What is missed all the same, the senders find when they look themselves.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing

import psycopg

from bot import logs
from bot.db import WAKE_CHANNEL, Database

LOOK = 0.02  # seconds between looks at a SQLite file
RETRY = 1.0  # seconds until a lost store is tried again

log = logs.get("wakes")


class Wakes:
    """Calls `wake` with the lane where something may be due, "" for any."""

    def __init__(self, database: Database, wake: Callable[[str], None]) -> None:
        self._database = database
        self._wake = wake

    async def run(self) -> None:
        """Until cancelled; a connection that is lost is made again."""
        follow = self._look if self._database.is_sqlite else self._listen
        while True:
            try:
                await follow()
            except (sqlite3.Error, psycopg.Error) as error:
                log.warning("wakes_lost", error=type(error).__name__)
            await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        found = self._database.connect_options()
        async with await psycopg.AsyncConnection.connect(**found, autocommit=True) as connection:
            await connection.execute(f"LISTEN {WAKE_CHANNEL}")
            self._wake("")  # for what was said while nobody listened
            async for said in connection.notifies():
                self._wake(said.payload)

    async def _look(self) -> None:
        # A connection of its own that never waits for a lock: it works on the event loop.
        path = self._database.url.database or ""
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            seen = None
            while True:
                [(version,)] = connection.execute("PRAGMA data_version")
                if version != seen:
                    self._wake("")
                seen = version
                await asyncio.sleep(LOOK)
