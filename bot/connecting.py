"""How a database is connected to, SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

APPLICATION = "linkline"  # by this name PostgreSQL knows our connections
# A process that says nothing any more, in the middle of its work, lets its rows go after this:
# sooner than its lanes, or nobody could take them over.
IDLE = "8s"


def sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # for this user only; the WAL beside it takes after it
    engine = create_engine(
        url,
        # The driver must not begin on its own: we do, with IMMEDIATE.
        connect_args={"check_same_thread": False, "timeout": 10, "isolation_level": None},
        query_cache_size=1500,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "busy_timeout=10000",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def postgresql(url: URL, name: str) -> Engine:
    engine = create_engine(
        url,
        # A turn that waited for its address row must not go on with what it had read before:
        # here it fails with a serialization error and is rerun whole.
        isolation_level="REPEATABLE READ",
        connect_args={"application_name": f"{APPLICATION}/{name}"},
        # SQLAlchemy asks psycopg for the count of inserted rows only when told to.
        execution_options={"preserve_rowcount": True},
        pool_size=12,
        max_overflow=8,
        pool_pre_ping=False,
        query_cache_size=1500,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _limits(connection: Any, _record: Any) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE}'")
        connection.commit()

    return engine
