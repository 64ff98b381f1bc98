"""Restoring: a store out of a backup, whole or not at all, with those forgotten who asked since.

On PostgreSQL all of it is one transaction. On SQLite a new file is filled beside the old one, which
it takes the place of by a rename. So whoever opens the store finds the old one, or a restored one
in which nobody who was erased since is written to any more.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection

from bot import archive, ledgers, seals
from bot.archive import ArchiveError, Head
from bot.connecting import APPLICATION
from bot.db import (
    Database,
    StoreDown,
    close_file,
    remove_file,
    store_errors,
    sync,
    take_time,
)
from bot.media.vault import Vault
from bot.seals import SealError
from bot.store import backups, copying, forgetting, ledger, secrets
from bot.store.backups import Waiting
from bot.store.ledger import Entry

GAP = 1000  # row numbers that are left out: some were given after the backup
_MANY = 500

Upgrade = Callable[[Database, "Connection | None", str], None]  # the schema, to this revision


class RestoreError(Exception):
    """Nothing was changed; the text says why and what to do, in one line."""


@dataclass(slots=True)
class Live:
    """What the store that is there still knows."""

    name: str | None = None  # which store it is; None = it cannot be told
    empty: bool = True
    entries: list[Entry] = field(default_factory=list)
    given: dict[str, int] = field(default_factory=dict)
    thread: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to restore, and how."""

    head: Head
    vault: Vault
    open: Callable[[], BinaryIO]
    revisions: Collection[str]  # that this Linkline knows
    newest: str
    ledgers: tuple[Path, ...]
    finds: tuple[str, ...]  # lanes whose provider can tell what has arrived
    send_waiting: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, for the operator."""

    rows: int
    forgotten: int
    waiting: Waiting | None
    asked_again: int  # of the entries of all ledgers


def check(plan: Plan) -> None:
    """Read the file from beginning to end before anything changes. Raises ArchiveError."""
    if plan.head.revision not in plan.revisions:
        raise RestoreError("this backup was made by a newer Linkline: bring this one up to it")
    with plan.open() as file:
        for _record in archive.read(file, seals.keyring()):
            pass


def look(database: Database) -> Live:
    """What is there now; a store that cannot be read is taken for none that is empty."""
    path = Path(database.url.database or "")
    if database.is_sqlite and not (path.exists() and path.stat().st_size):
        return Live()
    try:
        with database.snapshot() as db:
            return _look(db)
    except StoreDown:
        if not database.is_sqlite:
            raise
        return Live(empty=False)


def _look(db: Connection) -> Live:
    _refuse_owned(db)
    name = _name(db)
    if name is None:
        return Live(empty=copying.is_empty(db))
    return Live(
        name,
        empty=copying.is_empty(db),
        entries=ledger.list_all(db),
        given=copying.read_sequences(db),
        thread=backups.highest_thread(db),
    )


def _name(db: Connection) -> str | None:
    """Of the store that is there, if our keys open it."""
    if not secrets.has_keys(db):
        return None
    try:
        secrets.open_store(db)
        return ledgers.store_name()
    except SealError:
        return None


def _refuse_owned(db: Connection) -> None:
    if db.dialect.name != "sqlite" and backups.count_others(db, APPLICATION):
        raise RestoreError("Linkline is running on this store: stop web and worker first")


def restore(database: Database, plan: Plan, live: Live, upgrade: Upgrade) -> Outcome:
    """Raises RestoreError, ArchiveError, LedgerError, SealError, StoreDown: nothing has changed."""
    _bring_files(plan)
    if not database.is_sqlite:
        with store_errors(), database.engine.begin() as db:
            return _fill_postgresql(db, database, plan, live, upgrade)
    database.engine.dispose()  # the old file is to be closed
    return _fill_sqlite(Path(database.url.database or ""), plan, live, upgrade)


def _fill_postgresql(
    db: Connection, database: Database, plan: Plan, live: Live, upgrade: Upgrade
) -> Outcome:
    take_time(db)
    db.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
    copying.drop_all(db)
    upgrade(database, db, plan.head.revision)
    rows, given = _load(db, plan)
    upgrade(database, db, plan.newest)
    outcome = _settle(db, plan, live, rows, given)
    _refuse_owned(db)  # somebody has come meanwhile
    return outcome


def _fill_sqlite(path: Path, plan: Plan, live: Live, upgrade: Upgrade) -> Outcome:
    fresh = path.with_name(f"{path.name}.restoring")
    remove_file(fresh)  # of a restore that was killed
    database = Database(f"sqlite:///{fresh}")
    try:
        upgrade(database, None, plan.head.revision)
        rows, given = database.run_now(lambda db: _load(db, plan))
        upgrade(database, None, plan.newest)
        outcome = database.run_now(lambda db: _settle(db, plan, live, rows, given))
        database.close()
        if not all(close_file(each) for each in (fresh, path) if each.exists()):
            raise RestoreError("somebody else has the store open: close it first")
        os.replace(fresh, path)
        sync(path.parent)
    except BaseException:
        database.close()
        remove_file(fresh)
        raise
    return outcome


# Files --------------------------------------------------------------------------------------------


def _bring_files(plan: Plan) -> None:
    """Before their rows; a file is never changed, so what is there already is the same."""
    with plan.open() as file:
        records = archive.read(file, seals.keyring())
        for record in records:
            if isinstance(record, dict) and "file" in record:
                plan.vault.copy_in(record["file"], _whole(records))


def _whole(records: Iterator[Any]) -> bytes:
    sealed = bytearray()
    for record in records:
        if isinstance(record, dict):
            if record.get("bytes") == len(sealed):
                return bytes(sealed)
            break
        sealed += base64.b64decode(record)
    raise ArchiveError("this backup is not whole: choose another file")


# Rows --------------------------------------------------------------------------------------------


def _load(db: Connection, plan: Plan) -> tuple[int, dict[str, int]]:
    """Every row of the file; how many, and the highest numbers that were ever given."""
    total, given, ended = 0, {}, False
    with plan.open() as file:
        records = archive.read(file, seals.keyring())
        for record in records:
            if "table" in record:
                total += _load_table(db, record["table"], record["columns"], records)
            elif "given" in record:
                given, ended = record["given"], True
                break  # what follows are files
    if not ended:
        raise ArchiveError("this backup is not whole: choose another file")
    return total, given


def _load_table(db: Connection, name: str, columns: copying.Columns, records: Iterator[Any]) -> int:
    count, rows = 0, []
    for record in records:
        if isinstance(record, dict):
            break
        rows.append(record)
        if len(rows) == copying.BATCH:
            copying.write_rows(db, name, columns, rows)
            count, rows = count + len(rows), []
    else:
        record = {}
    if rows:
        copying.write_rows(db, name, columns, rows)
    if record.get("rows") != count + len(rows):
        raise ArchiveError("this backup is not whole: choose another file")
    return count + len(rows)


# Before anybody is served ------------------------------------------------------------------------


def _settle(db: Connection, plan: Plan, live: Live, rows: int, given: dict[str, int]) -> Outcome:
    secrets.open_store(db)  # raises SealError if the keys are not those of this store
    if live.name != ledgers.store_name():
        live = Live()  # it was another one: what it knows is about others
    entries = _merged(db, plan.ledgers, live.entries)
    forgotten = _forget_again(db, entries)
    made_at = plan.head.moment
    waiting = None
    if not plan.send_waiting:
        waiting = backups.settle_waiting(db, plan.finds, plan.now)
    backups.free_lanes(db, made_at)
    backups.add(db, made_at, 0)
    highest = max((each.member_id for each in entries), default=0)
    numbers = {name: max(value, live.given.get(name, 0)) + GAP for name, value in given.items()}
    numbers["members"] = max(numbers.get("members", 0), highest + GAP)
    copying.set_sequences(db, numbers)
    known = live.thread >= backups.highest_thread(db)  # it was there until now
    backups.save_floor(db, live.thread if known else backups.guess_thread(db, made_at, plan.now))
    return Outcome(rows, forgotten, waiting, len(entries))


def _merged(db: Connection, paths: Iterable[Path], more: Iterable[Entry]) -> list[Entry]:
    """All that any ledger knows; it stands in the restored store from now on."""
    for path in paths:
        ledger.merge(db, ledgers.read(path))
    ledger.merge(db, more)
    return ledger.list_all(db)


def _forget_again(db: Connection, entries: list[Entry]) -> int:
    """From here on they are strangers, as on the day they asked; the worker removes the rest."""
    by_id = {each.member_id: each for each in entries}
    ids, count = sorted(by_id), 0
    for start in range(0, len(ids), _MANY):
        some = ids[start : start + _MANY]
        for member_id in backups.list_members(db, some):
            each = by_id[member_id]
            forgetting.begin(db, member_id, each.erased_at, posts_too=each.posts_too)
            count += 1
        backups.silence(db, some)
    return count
