"""One owner per lane: an advisory lock on PostgreSQL, a file lock beside SQLite.

Both are freed by the system within milliseconds when their holder dies.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from pathlib import Path

from sqlalchemy import Connection, text

from bot.connecting import APPLICATION
from bot.db import Database, store_errors


class LaneLock:
    """Held as long as this process owns the lane."""

    def __init__(self, database: Database, lane: str) -> None:
        self._database = database
        self._lane = lane
        self._name = hashlib.sha256(lane.encode()).hexdigest()[:16]
        self._file: int | None = None
        self._connection: Connection | None = None

    async def acquire(self) -> bool:
        """False if another process holds it."""
        sqlite = self._database.is_sqlite
        held = self._lock_file() if sqlite else await asyncio.to_thread(self._lock_row)
        if held:
            self._database.owned_lanes.add(self._lane)
        return held

    async def seize(self, holder: str) -> bool:
        """Take it from a process that lives and says nothing; False if somebody was faster.

        Whatever that process has begun is undone by the server, so that it holds nobody up.
        """
        if self._database.is_sqlite:
            await asyncio.to_thread(self._drop_file)
        else:
            await asyncio.to_thread(self._cut_off, holder)
        return await self.acquire()

    async def release(self) -> None:
        self._database.owned_lanes.discard(self._lane)
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await asyncio.to_thread(_close, connection)

    def _path(self) -> Path:
        database = Path(self._database.url.database or "memory")
        return database.with_name(f"{database.name}.{self._name}.lock")

    def _drop_file(self) -> None:
        """Its holder keeps a file that has no name any more."""
        self._path().unlink(missing_ok=True)

    def _lock_file(self) -> bool:
        handle = os.open(self._path(), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._file = handle
        return True

    def _open(self) -> Connection:
        return self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    @property
    def _number(self) -> int:
        return int(self._name[:15], 16)

    def _cut_off(self, holder: str) -> None:
        """All connections of a process; with them its locks and what it has not committed go."""
        statement = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = :name"
        )
        with store_errors(), self._open() as connection:
            connection.execute(statement, {"name": f"{APPLICATION}/{holder}"})

    def _lock_row(self) -> bool:
        with store_errors():
            connection = self._open()
            return self._try_row(connection)

    def _try_row(self, connection: Connection) -> bool:
        held = connection.execute(
            text("SELECT pg_try_advisory_lock(:n)"), {"n": self._number}
        ).scalar()
        if not held:
            connection.close()
            return False
        self._connection = connection
        return True


def _close(connection: Connection) -> None:
    connection.invalidate()  # a pooled connection would keep the lock
    connection.close()


def count_begun_before(db: Connection, seconds: float) -> int:
    """Transactions of others that are open for longer; beside us nobody writes on SQLite."""
    if db.dialect.name == "sqlite":
        return 0
    statement = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        " AND xact_start < clock_timestamp() - make_interval(secs => :seconds)"
    )
    return int(db.execute(statement, {"seconds": seconds}).scalar_one())
