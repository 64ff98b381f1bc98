"""Copying: every row of the store, as it stands there, out of one database and into another.

Sealed values stay sealed, moments stay numbers: what is copied is the same on both databases.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    text,
    type_coerce,
)

from bot.columns import Moment, Sealed, metadata

BATCH = 1000  # rows at once
# Emptied before a copy comes in, and read by the next `migrate`.
VERSION = "alembic_version"

Columns = Sequence[tuple[str, str]]  # name, kind

_PLAIN: dict[str, Any] = {
    "int": BigInteger(),
    "bool": Boolean(),
    "bytes": LargeBinary(),
    "text": Text(),
    "json": JSON(none_as_null=True),
}


def _kind(column: Column[Any]) -> str:
    if isinstance(column.type, Sealed | LargeBinary):
        return "bytes"
    if isinstance(column.type, Boolean):
        return "bool"
    if isinstance(column.type, Moment | Integer):
        return "int"
    return "json" if isinstance(column.type, JSON) else "text"


# Out ---------------------------------------------------------------------------------------------


def get_revision(db: Connection) -> str:
    """Of the schema; "" where there is none."""
    if not inspect(db).has_table(VERSION):
        return ""
    return str(db.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def list_tables() -> list[tuple[str, Columns]]:
    """All tables in an order in which they can be filled again."""
    return [
        (table.name, [(each.name, _kind(each)) for each in table.columns])
        for table in metadata.sorted_tables
    ]


def read_rows(db: Connection, name: str) -> Iterator[list[Any]]:
    """All rows of a table, a few at a time in memory."""
    table = metadata.tables[name]
    columns = [type_coerce(each, _PLAIN[_kind(each)]).label(each.name) for each in table.columns]
    places = [at for at, each in enumerate(table.columns) if _kind(each) == "bytes"]
    found = db.execution_options(yield_per=BATCH).execute(select(*columns))
    for row in found:
        values = list(row)
        for at in places:
            if values[at] is not None:
                values[at] = base64.b64encode(values[at]).decode()
        yield values


def read_sequences(db: Connection) -> dict[str, int]:
    """The highest number that each table has ever given, as far as the database knows."""
    if db.dialect.name == "sqlite":
        found = {} if not _has_sequences(db) else dict(db.execute(text(_SEQUENCES)).tuples().all())
    else:
        found = {name: _last_value(db, name) for name in _numbered(db)}
    highest = {name: _highest(db, name) for name in _numbered(db)}
    return {name: max(found.get(name) or 0, value) for name, value in highest.items()}


_SEQUENCES = "SELECT name, seq FROM sqlite_sequence"


def _has_sequences(db: Connection) -> bool:
    statement = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")
    return db.execute(statement).first() is not None


def _numbered(db: Connection) -> list[str]:
    there = set(inspect(db).get_table_names())
    tables = (table for table in metadata.sorted_tables if table.name in there)
    return [each.name for each in tables if "id" in each.c and _kind(each.c.id) == "int"]


def _highest(db: Connection, name: str) -> int:
    return db.execute(select(func.max(metadata.tables[name].c.id))).scalar() or 0


def _last_value(db: Connection, name: str) -> int:
    sequence = db.execute(_SEQUENCE_OF, {"name": name}).scalar()
    if sequence is None:
        return 0
    value, called = db.execute(text(_LAST + sequence)).one()
    return int(value) if called else 0


_LAST = "SELECT last_value, is_called FROM "
_SEQUENCE_OF = text("SELECT pg_get_serial_sequence(:name, 'id')")


# In ----------------------------------------------------------------------------------------------


def is_empty(db: Connection) -> bool:
    """Whether nobody and nothing is in it: no table yet, or none with people or communities."""
    there = set(inspect(db).get_table_names())
    asked = [name for name in ("members", "communities", "inbox") if name in there]
    tables = (metadata.tables[name] for name in asked)
    return not any(db.execute(select(1).select_from(each).limit(1)).first() for each in tables)


def drop_all(db: Connection) -> None:
    """Our tables, whatever is in them; PostgreSQL takes it back if the rest fails."""
    there = set(inspect(db).get_table_names())
    for name in (*(table.name for table in reversed(metadata.sorted_tables)), VERSION):
        if name in there:
            db.execute(text(f"DROP TABLE {name} CASCADE"))


def write_rows(db: Connection, name: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> None:
    """Rows as read_rows has given them; the columns are those of the file, not of the models."""
    twin = Table(name, MetaData(), *(Column(each, _PLAIN[kind]) for each, kind in columns))
    names = [each for each, _kind in columns]
    places = [at for at, (_name, kind) in enumerate(columns) if kind == "bytes"]
    db.execute(insert(twin), [dict(zip(names, _opened(row, places), strict=True)) for row in rows])


def _opened(row: Sequence[Any], places: Sequence[int]) -> list[Any]:
    values = list(row)
    for at in places:
        if values[at] is not None:
            values[at] = base64.b64decode(values[at])
    return values


def set_sequences(db: Connection, given: Mapping[str, int]) -> None:
    """From here on each table numbers its rows behind what was ever given."""
    for name in _numbered(db):
        value = max(given.get(name, 0), _highest(db, name))
        if value == 0:
            continue
        if db.dialect.name == "sqlite":
            if metadata.tables[name].dialect_options["sqlite"]["autoincrement"]:
                row = {"name": name, "value": value}
                db.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
                db.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :value)"), row)
        else:
            db.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :value)"),
                {"name": name, "value": value},
            )
