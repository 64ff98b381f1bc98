"""Rows that are found by a keyed lookup, made anew when the lookup key has rotated.

What has its plain value beside it (sealed) is written with the new key at once. What has none, an
edited bubble's id, is found by the older key as long as apps let people edit, and then by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, select, update

from bot import seals
from bot.models.outbox import deliveries, dispatches, lanes
from bot.models.people import address_keys, addresses, invites
from bot.models.talks import bubbles

EDITED = timedelta(days=7)  # later no app lets anybody change what she wrote


@dataclass(frozen=True, slots=True)
class Key:
    """The lookup of one row: as it was read, and as it is to be."""

    place: Any
    was: bytes
    becomes: bytes | None  # None: it is of no key we know
    name: str | None = None  # its plain value, where that was not noted yet


def list_keys(db: Connection, table: str, after: Any, most: int) -> tuple[list[Key], Any]:
    """Those among the next rows that an older lookup key wrote; and where to go on, None = end."""
    read = _READ[table]
    statement = read.rows.order_by(read.place).limit(most)
    if after is not None:
        statement = statement.where(read.place > after)
    rows = db.execute(statement).all()
    known = list(db.execute(select(lanes.c.name)).scalars())
    found = [each for each in (read.renew(row, known) for row in rows) if each is not None]
    return found, rows[-1][0] if len(rows) == most else None


def renew(db: Connection, table: str, keys: Sequence[Key]) -> None:
    """Write them, where nobody has changed or erased them since they were read."""
    rows = [{"was": each.was, "becomes": each.becomes, "place": each.place} for each in keys]
    if table == "address_keys":
        rows = [row | {"named": each.name} for row, each in zip(rows, keys, strict=True)]
    db.execute(_WRITE[table], rows)


def count(db: Connection, table: str) -> int:
    return db.execute(select(func.count()).select_from(_READ[table].rows.subquery())).scalar_one()


def count_unnamed(db: Connection) -> int:
    """Names of addresses from before names were kept, which only their owner can bring again."""
    unnamed = select(func.count()).select_from(address_keys).where(address_keys.c.name.is_(None))
    return db.execute(unnamed).scalar_one()


def drop_bubble_keys(db: Connection, before: datetime, most: int) -> int:
    """Forget by which ids bubbles would be found that nobody can edit any more."""
    which = select(bubbles.c.id).where(bubbles.c.key.is_not(None), bubbles.c.created_at < before)
    return db.execute(
        update(bubbles).where(bubbles.c.id.in_(which.limit(most))).values(key=None)
    ).rowcount


# Table by table


@dataclass(frozen=True, slots=True)
class _Read:
    place: Any
    rows: Select[Any]
    renew: Callable[[Any, Sequence[str]], Key | None]


def _address_key(row: Any, _lanes: Sequence[str]) -> Key | None:
    """By its name; without one perhaps by where she is written to, else it waits for her."""
    name = row.name or row.sealed
    becomes = _renewed(row.key, "address_keys.key", row.lane, name)
    return None if becomes is None else Key(bytes(row.key), bytes(row.key), becomes, name)


def _invite(row: Any, _lanes: Sequence[str]) -> Key | None:
    becomes = _renewed(row.key, "invites.key", row.code)
    return None if becomes is None else Key(row.id, bytes(row.key), becomes)


def _dispatch(row: Any, lanes: Sequence[str]) -> Key | None:
    """By the lane it went out on. A key of which nobody knows the value would only tell on her."""
    if row.provider_id is None:
        return None
    context, was = "dispatches.provider_key", bytes(row.provider_key)
    for lane in (row.lane, *lanes):
        if was == seals.lookup(context, lane, row.provider_id):
            return None
        becomes = _renewed(was, context, lane, row.provider_id)
        if becomes is not None:
            return Key(row.id, was, becomes)
    return Key(row.id, was, None)


def _renewed(key: bytes, context: str, *names: str) -> bytes | None:
    """The lookup with the key of today, if an older one wrote this."""
    write, *older = seals.lookups(context, *names)
    return write if bytes(key) in older else None


_READ: Mapping[str, _Read] = {
    "address_keys": _Read(
        address_keys.c.key,
        select(address_keys.c.key, address_keys.c.name, addresses.c.lane, addresses.c.sealed).join(
            addresses, addresses.c.id == address_keys.c.address_id
        ),
        _address_key,
    ),
    "invites": _Read(invites.c.id, select(invites.c.id, invites.c.key, invites.c.code), _invite),
    "dispatches": _Read(
        dispatches.c.id,
        select(
            dispatches.c.id, dispatches.c.provider_key, dispatches.c.provider_id, deliveries.c.lane
        )
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .where(dispatches.c.provider_key.is_not(None)),
        _dispatch,
    ),
}
TABLES = tuple(_READ)

_other = address_keys.alias()
_WRITE: Mapping[str, Any] = {
    "address_keys": update(address_keys)
    .where(
        address_keys.c.key == bindparam("was"),
        address_keys.c.key == bindparam("place"),
        ~exists().where(_other.c.key == bindparam("becomes")),
    )
    .values(key=bindparam("becomes"), name=bindparam("named")),
    "invites": update(invites)
    .where(invites.c.id == bindparam("place"), invites.c.key == bindparam("was"))
    .values(key=bindparam("becomes")),
    "dispatches": update(dispatches)
    .where(dispatches.c.id == bindparam("place"), dispatches.c.provider_key == bindparam("was"))
    .values(provider_key=bindparam("becomes")),
}
