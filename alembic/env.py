"""Migrations on both databases; bot/models.py is the truth they are compared with."""

from typing import Any

from alembic import context
from bot.columns import Moment, Sealed
from bot.db import Database, take_time
from bot.models import metadata
from bot.settings import read_settings


def run() -> None:
    given = context.config.attributes.get("connection")  # a restore: part of its transaction
    if given is not None:
        return migrate(given)
    database = Database(context.config.attributes.get("url") or read_settings().database_url)
    with database.engine.connect() as connection:
        if database.is_sqlite:
            # SQLite copies a table to change it; rows that point to it must not go with it.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            take_time(connection)
        migrate(connection)
        connection.commit()
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
    database.close()


def migrate(connection: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=plain_type,
        compare_type=same_type,
    )
    context.run_migrations()


def plain_type(kind: str, item: Any, _context: Any) -> Any:
    """Migrations stand alone: they name the database's types, not ours."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(item, Sealed):
        return "sa.LargeBinary()"
    return False


def same_type(_context: Any, _inspected: Any, _column: Any, found: Any, wanted: Any) -> Any:
    """Our own types are compared as what they are stored as."""
    if isinstance(wanted, Moment | Sealed):
        return not isinstance(found, type(wanted.impl_instance))
    return None


run()
