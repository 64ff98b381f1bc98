"""Who has the store open: those who serve share it, a restore has it alone.

Beside SQLite by a file lock, which the system frees when its holder dies: a process that had the
old file open would go on writing into what is no store any more. PostgreSQL knows its connections.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bot.db import Database


class Occupied(Exception):
    """Others have the store open, or have it alone."""


class Tenancy:
    """Held from `share` or `take` on, until it is given back or its process ends."""

    def __init__(self, database: Database) -> None:
        name = database.url.database if database.is_sqlite else None
        self._path = Path(f"{name}.open") if name else None
        self._handle: int | None = None

    def share(self) -> None:
        """Raises Occupied while a restore is at work."""
        self._lock(fcntl.LOCK_SH)

    def take(self) -> None:
        """Raises Occupied while anybody serves."""
        self._lock(fcntl.LOCK_EX)

    def give_back(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _lock(self, how: int) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Occupied from None
        self._handle = handle
