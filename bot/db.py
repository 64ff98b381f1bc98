"""The store, and how the databases differ; only this file and `connecting` know one from the other.

A unit of work is a plain function of a Connection; `Database.run` gives it one transaction on a
thread of its own. SQLite has one writer thread, PostgreSQL a pool of them.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    insert,
    literal,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot import clock, connecting

T = TypeVar("T")
S = TypeVar("S")

# PostgreSQL: serialization failure, deadlock. The work is rerun whole.
_RERUN_STATES = {"40001", "40P01"}
_NO_TABLE = "42P01"  # PostgreSQL: not migrated yet
_RERUNS = 12

WAKE_CHANNEL = "linkline"  # where PostgreSQL tells other processes which lane has something due
_DUE = "due lanes"

SCRUB_WAIT = 0.02  # seconds that readers may hold up the log of SQLite, and it the writers
SCRUB_TRIES = 30


class StoreDown(Exception):
    """The store does not answer, or cannot write; the provider should try again later."""


class Collision(Exception):
    """Somebody else was first at the same row; rerun the whole unit of work."""


class Database:
    """One engine and the threads that work on it."""

    def __init__(self, url: str, threads: int = 8) -> None:
        self.url: URL = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.name = secrets.token_urlsafe(9)  # of this process, as its lanes and connections say
        self.engine = (
            connecting.sqlite(self.url)
            if self.is_sqlite
            else connecting.postgresql(self.url, self.name)
        )
        workers = 1 if self.is_sqlite else threads
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="store")
        self.owned_lanes: set[str] = set()  # of this process: nobody else is to be told of them
        self.opening: Callable[[Connection], None] = _nothing  # first in every transaction

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run the work in one transaction, off the event loop. Raises StoreDown."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.run_now, work)

    def run_now(self, work: Callable[[Connection], T]) -> T:
        """The same, here and now; for the command line and tests."""
        for attempt in range(_RERUNS):
            try:
                with self.engine.begin() as db:
                    if self.is_sqlite:
                        # Taken at once, so that a turn never fails half-way for the write lock.
                        # (Not by an event: listeners cost something in every statement.)
                        db.exec_driver_sql("BEGIN IMMEDIATE")
                    db.info.pop(_DUE, None)  # of an earlier try, on the same connection
                    self.opening(db)
                    result = work(db)
                    self._tell_due(db)
                    return result
            except (DBAPIError, Collision) as error:
                if not _worth_rerunning(error) or attempt == _RERUNS - 1:
                    raise _as_store_error(error) from error
                time.sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 5)))  # noqa: S311
        raise AssertionError("unreachable")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """The store as it is at the first look, for as long as reading takes; others write on."""
        with store_errors(), self.engine.connect() as db:
            if self.is_sqlite:
                db.exec_driver_sql("BEGIN")  # a reader of the WAL: it holds nobody up
            else:
                take_time(db)
            yield db
            db.rollback()

    def _tell_due(self, db: Connection) -> None:
        """Wake the owners of lanes elsewhere; PostgreSQL says it at the commit, and only then."""
        due = db.info.get(_DUE, set()) - self.owned_lanes
        if due and not self.is_sqlite:
            lane = due.pop() if len(due) == 1 else ""
            db.exec_driver_sql(f"SELECT pg_notify('{WAKE_CHANNEL}', %s)", (lane,))

    async def scrub(self, tables: Collection[str]) -> bool:
        """What was deleted from these tables leaves the files too; False if not all of it could.

        Outside any transaction and on a thread of its own, so that no turn waits for it.
        """
        work = self._empty_log if self.is_sqlite else partial(self._vacuum, sorted(tables))
        try:
            return await asyncio.to_thread(work)
        except (DBAPIError, sqlite3.Error) as error:
            raise StoreDown(type(error).__name__) from error

    def _empty_log(self) -> bool:
        """Old pages stand in the WAL until it is written over: it is brought home and cut off."""
        path = self.url.database or ""
        with closing(sqlite3.connect(path, timeout=SCRUB_WAIT, isolation_level=None)) as connection:
            for _ in range(SCRUB_TRIES):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # most of it, without a lock
                [(busy, _frames, _home)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if not busy:
                    return True
                time.sleep(0.1)
        return False

    def _vacuum(self, tables: Collection[str]) -> bool:
        """Dead rows are taken out of their pages."""
        with self.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                alone.exec_driver_sql(f"VACUUM {table}")
        return True

    def connect_options(self) -> dict[str, Any]:
        """What the driver needs for a connection of its own."""
        return dict(self.engine.dialect.create_connect_args(self.url)[1])

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        self.engine.dispose()

    def abandon(self) -> None:
        """Drop everything without finishing, as a crash would."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()


def close_file(path: Path) -> bool:
    """All that is in SQLite's log goes into the file, which can then be moved; False if it is open.

    A log that is left beside another file would spoil it.
    """
    try:
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            [(mode,)] = connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        return False
    except sqlite3.DatabaseError:  # no store: nothing in its log is missed
        remove_file(path, only_log=True)
        mode = "delete"
    sync(path)
    return bool(mode == "delete")


def remove_file(path: Path, *, only_log: bool = False) -> None:
    """A store on SQLite, or only its log."""
    for ending in ("-wal", "-shm", "-journal", *(() if only_log else ("",))):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """What was written to this file, or in this folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _nothing(_db: Connection) -> None:
    """Usually there is nothing to look after before a transaction."""


def mark_due(db: Connection, due_at: datetime, lane: str = "") -> None:
    """This transaction lets something go out, on this lane or on any: if now, wake its sender."""
    if due_at <= clock.now():
        db.info.setdefault(_DUE, set()).add(lane)


@contextmanager
def store_errors() -> Iterator[None]:
    """What others do with the database fails as our own work does: with StoreDown."""
    try:
        yield
    except DBAPIError as error:
        raise _as_store_error(error) from error


def take_time(db: Connection) -> None:
    """PostgreSQL ends a transaction that has long done nothing; this one may."""
    db.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def must_end(error: Exception) -> bool:
    """Whether the unit of work cannot go on: it is to be rerun, or the store does not answer."""
    return _worth_rerunning(error) or isinstance(_as_store_error(error), StoreDown)


def _worth_rerunning(error: Exception) -> bool:
    if isinstance(error, Collision):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state in _RERUN_STATES


def _as_store_error(error: Exception) -> Exception:
    """Errors of the store itself become StoreDown; errors of our statements stay what they are."""
    if not isinstance(error, DBAPIError):
        return error
    state = getattr(error.orig, "sqlstate", None)
    no_store = type(error.orig) is sqlite3.DatabaseError  # a file that is no database
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        no_store = True
    return StoreDown(type(error.orig).__name__) if no_store or state == _NO_TABLE else error


def store_now(db: Connection) -> ColumnElement[int]:
    """The store's own clock, in microseconds; a moved one of ours would end leases at once."""
    if db.dialect.name == "sqlite":
        return literal(time.time_ns() // 1000, BigInteger)
    return literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", BigInteger)


Insert = sqlite.Insert | postgresql.Insert


def insert_new(db: Connection, table: Table) -> Insert:
    """An INSERT that may say on_conflict_do_nothing / do_update, on either database."""
    return sqlite.insert(table) if db.dialect.name == "sqlite" else postgresql.insert(table)


# Building a statement costs more than running it: those of every turn are built once.


def insert_once(build: Callable[[Callable[[Table], Insert]], S]) -> Mapping[str, S]:
    """An INSERT for each database, by the name of its dialect."""
    return {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}


def locking_once(statement: Select[Any], **options: Any) -> Mapping[str, Select[Any]]:
    """A SELECT that holds its rows to the end (SQLite holds the whole file anyway)."""
    return {"sqlite": statement, "postgresql": statement.with_for_update(**options)}


def insert_returning(db: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> list[int]:
    """Insert rows and return their ids, in the same order."""
    given = list(rows)
    if len(given) == 1:
        return [db.execute(_insert_one(table), given[0]).scalar_one()]
    return list(db.execute(_insert_many(table), given).scalars())


@cache
def _insert_one(table: Table) -> Any:
    return insert(table).returning(table.c.id)


@cache
def _insert_many(table: Table) -> Any:
    return insert(table).returning(table.c.id, sort_by_parameter_order=True)
