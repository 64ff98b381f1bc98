"""How rows are numbered and point at each other."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, text

# SQLite numbers rows only in an INTEGER primary key.
Id = BigInteger().with_variant(Integer, "sqlite")


def row_id() -> Column[int]:
    return Column("id", Id, primary_key=True)


def ref(
    name: str,
    target: str,
    *,
    nullable: bool = False,
    ondelete: str = "CASCADE",
    **options: Any,
) -> Column[int]:
    return Column(
        name, Id, ForeignKey(f"{target}.id", ondelete=ondelete), nullable=nullable, **options
    )


def partial_index(name: str, condition: str, *columns: Column[Any], unique: bool = False) -> None:
    """An index of the rows that meet a condition, on both databases."""
    only = text(condition)
    Index(name, *columns, unique=unique, sqlite_where=only, postgresql_where=only)
