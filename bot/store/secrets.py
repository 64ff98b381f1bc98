"""The store's own secrets: its lookup keys and which sealing keys it has had, all of them sealed.

What names people is looked up with a key that rotates: first it is announced (every process finds
by it), then it is written with, then rows are made anew, then the older one is forgotten. A process
reads this page again before a transaction if what it knows is older than FRESH, so that whoever
waits longer than that knows that nobody works with what was there before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, inspect, select

from bot import seals
from bot.db import StoreDown, insert_new
from bot.models.people import secrets
from bot.seals import Lookups, SealError, new_key

FRESH = 5.0  # seconds for which a process trusts what it has read


@dataclass(frozen=True, slots=True)
class Rotating:
    """The lookup key that rotates, and how far that has come."""

    write: str
    under: str  # the sealing key it was made under, as hex of its id; "" = before this was noted
    next: str | None = None  # announced, not yet written with
    old: tuple[str, ...] = ()  # still found by
    switched_at: datetime | None = None
    renewed: bool = True  # all rows that can be are written with it

    def to_json(self) -> str:
        at = None if self.switched_at is None else self.switched_at.isoformat()
        stored = {"write": self.write, "under": self.under, "next": self.next, "old": self.old}
        return json.dumps(stored | {"switched_at": at, "renewed": self.renewed})

    @classmethod
    def from_json(cls, stored: str) -> Rotating:
        if not stored.startswith("{"):
            return cls(stored, under="")  # from before lookup keys rotated
        found = json.loads(stored)
        at = found["switched_at"]
        return cls(
            found["write"],
            found["under"],
            found["next"],
            tuple(found["old"]),
            None if at is None else datetime.fromisoformat(at),
            found["renewed"],
        )


def open_store(db: Connection) -> None:
    """Read or make the lookup keys. Raises SealError if LINKLINE_KEYS are not this store's."""
    begun = seals.seconds()
    found = _read(db)
    if "events" not in found:
        _make(db, found)
        found = _read(db)
    rotating = Rotating.from_json(found["lookup"])
    seals.keyring().use_lookups(
        Lookups(found["events"], rotating.write, rotating.next, rotating.old), begun
    )


def has_keys(db: Connection) -> bool:
    """Whether there is a store here that has been opened once."""
    there = inspect(db).has_table(secrets.name)
    return there and db.execute(select(secrets.c.name)).first() is not None


def keep_fresh(db: Connection) -> None:
    """At the beginning of a transaction: read again what may have changed meanwhile."""
    if seals.keyring().lookups_age() < FRESH:
        return
    try:
        open_store(db)
    except SealError as error:  # this process has older LINKLINE_KEYS than another: take nothing
        raise StoreDown(type(error).__name__) from None


def _read(db: Connection) -> dict[str, str]:
    return {row.name: row.value for row in db.execute(select(secrets))}


def _make(db: Connection, found: Mapping[str, str]) -> None:
    """A new store gets keys of its own; an older one goes on knowing what it has taken."""
    under = seals.keyring().key_ids[0].hex()
    made = {
        "lookup": Rotating(new_key(), under).to_json(),
        "events": found.get("lookup") or new_key(),
        "sealing": json.dumps([under]),
    }
    for name in made.keys() - found.keys():
        new = insert_new(db, secrets).values(name=name, value=made[name])
        db.execute(new.on_conflict_do_nothing())


# What rotation reads and writes


def get_rotating(db: Connection) -> Rotating:
    return Rotating.from_json(_read(db)["lookup"])


def list_sealing(db: Connection) -> list[str]:
    """The sealing keys that have been the newest here, as hex of their ids; the latest last."""
    return list(json.loads(_read(db)["sealing"]))


def mark_sealing(db: Connection, key_id: str) -> None:
    """From now on this one is the newest."""
    _put(db, "sealing", json.dumps([*list_sealing(db), key_id]))


def announce(db: Connection, under: str) -> None:
    """A next lookup key, for finding; once, whoever calls again."""
    rotating = get_rotating(db)
    if rotating.next is None and rotating.under != under:
        _put(db, "lookup", replace(rotating, next=new_key()).to_json())


def switch(db: Connection, under: str, now: datetime) -> None:
    """From now on the announced key is written with; the one before is found by."""
    rotating = get_rotating(db)
    if rotating.next is not None:
        old = (rotating.write, *rotating.old)
        _put(db, "lookup", Rotating(rotating.next, under, None, old, now, False).to_json())


def mark_renewed(db: Connection) -> None:
    _put(db, "lookup", replace(get_rotating(db), renewed=True).to_json())


def forget_old(db: Connection) -> None:
    """Nothing is found by the older lookup keys any more."""
    _put(db, "lookup", replace(get_rotating(db), old=()).to_json())


def _put(db: Connection, name: str, value: str) -> None:
    new = insert_new(db, secrets).values(name=name, value=value)
    db.execute(new.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
