"""Sealed columns, wherever they are: what an older key has sealed, and sealing it anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    bindparam,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from bot import seals
from bot.columns import Sealed, metadata

HEAD = 5  # bytes of a sealed value that say who sealed it, and how


@dataclass(frozen=True, slots=True)
class Row:
    """The sealed values of one row, as they were read and as they are to be, by column."""

    place: Any  # its primary key
    was: dict[str, bytes | None]
    becomes: dict[str, bytes | None]


def list_tables() -> list[str]:
    """The tables with something sealed in them."""
    return [table.name for table in metadata.sorted_tables if _columns(table)]


def count_older(db: Connection, table: str) -> int:
    """Rows with a value that is not sealed as it is sealed now."""
    found = metadata.tables[table]
    return db.execute(select(func.count()).select_from(found).where(_older(found))).scalar_one()


def list_older(db: Connection, table: str, after: Any, most: int) -> list[Row]:
    """Such rows with their values sealed anew, in order of their keys, from `after` (None: first).

    Raises SealError, with table and column, for a value that cannot be opened.
    """
    found = metadata.tables[table]
    place = _place(found)
    statement = select(place, *(_raw(each).label(each.name) for each in _columns(found)))
    statement = statement.where(_older(found)).order_by(place).limit(most)
    if after is not None:
        statement = statement.where(place > after)
    return [_row(found, row) for row in db.execute(statement)]


def reseal(db: Connection, table: str, rows: Sequence[Row]) -> None:
    """Write rows that nobody has changed since they were read; who did has sealed them anew."""
    db.execute(
        _reseal(metadata.tables[table]),
        [
            {"place": row.place}
            | {f"was_{name}": value for name, value in row.was.items()}
            | {f"becomes_{name}": value for name, value in row.becomes.items()}
            for row in rows
        ],
    )


def count_by_head(db: Connection) -> dict[bytes, int]:
    """How many values each key has sealed, by what their values begin with."""
    counts: dict[bytes, int] = {}
    for column in _all_columns():
        head = _head(column)
        statement = select(head, func.count()).where(column.is_not(None)).group_by(head)
        for found, count in db.execute(statement):
            counts[bytes(found)] = counts.get(bytes(found), 0) + count
    return counts


def _row(table: Table, row: Any) -> Row:
    was = {each.name: getattr(row, each.name) for each in _columns(table)}
    was = {name: None if value is None else bytes(value) for name, value in was.items()}
    becomes = {name: _sealed_anew(table.c[name], value) for name, value in was.items()}
    return Row(row[0], was, becomes)


def _sealed_anew(column: Column[Any], value: bytes | None) -> bytes | None:
    ring, kind = seals.keyring(), column.type
    assert isinstance(kind, Sealed)
    if value is None or value.startswith(ring.head):
        return value
    try:
        return ring.seal(ring.open(value, kind.context), kind.context)
    except seals.SealError as error:
        raise seals.SealError(f"{column}: {error}") from None


def _columns(table: Table) -> list[Column[Any]]:
    return [each for each in table.columns if isinstance(each.type, Sealed)]


def _all_columns() -> Iterator[Column[Any]]:
    for table in metadata.sorted_tables:
        yield from _columns(table)


def _place(table: Table) -> Column[Any]:
    [place] = table.primary_key.columns
    return place


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    return type_coerce(column, LargeBinary)


def _head(column: Column[Any]) -> ColumnElement[Any]:
    return func.substr(_raw(column), 1, HEAD, type_=LargeBinary)


def _older(table: Table) -> ColumnElement[bool]:
    return or_(*(_head(each) != seals.keyring().head for each in _columns(table)))


@cache
def _reseal(table: Table) -> Any:
    columns = _columns(table)
    as_read = (
        _raw(each).is_not_distinct_from(bindparam(f"was_{each.name}", type_=LargeBinary))
        for each in columns
    )
    becomes = {each.name: bindparam(f"becomes_{each.name}", type_=LargeBinary) for each in columns}
    return update(table).where(_place(table) == bindparam("place"), *as_read).values(becomes)
