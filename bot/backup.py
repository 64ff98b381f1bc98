"""A backup: the whole store in one file, while people write."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

from sqlalchemy import Connection

from bot import seals
from bot.archive import Writer
from bot.db import Database
from bot.store import backups, copying


class BackupError(Exception):
    """No backup can be made; the text says why and what to do, in one line."""


def make(database: Database, file: BinaryIO, newest: str, now: datetime) -> int:
    """Write it; its size. Raises BackupError, StoreDown."""
    with database.snapshot() as db:
        revision = copying.get_revision(db)
        if revision != newest:
            raise BackupError("the store is not up to date: run `linkline migrate` first")
        writer = Writer(file, seals.keyring(), revision, now)
        _write(db, writer)
    return writer.size


def _write(db: Connection, writer: Writer) -> None:
    for name, columns in copying.list_tables():
        writer.add({"table": name, "columns": columns})
        count = 0
        for row in copying.read_rows(db, name):
            writer.add(row)
            count += 1
        writer.add({"rows": count})
    writer.add({"given": copying.read_sequences(db)})
    writer.close()


def note(db: Connection, made_at: datetime, size: int) -> None:
    """It is safely written: its age is told to administrators."""
    backups.add(db, made_at, size)
