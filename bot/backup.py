"""A backup: the whole store and its files in one file, while people write."""

from __future__ import annotations

import base64
import contextlib
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import Connection

from bot import seals
from bot.archive import PIECE, Writer
from bot.db import Database
from bot.media.vault import Missing, Vault
from bot.store import backups, copying


class BackupError(Exception):
    """No backup can be made; the text says why and what to do, in one line."""


def make(database: Database, vault: Vault, file: BinaryIO, newest: str, now: datetime) -> int:
    """Write it; its size. Raises BackupError, ShelfDown, StoreDown."""
    with database.snapshot() as db:
        revision = copying.get_revision(db)
        if revision != newest:
            raise BackupError("the store is not up to date: run `linkline migrate` first")
        writer = Writer(file, seals.keyring(), revision, now)
        _write(db, writer)
    # A file is there before its row knows that it is, so none that a row tells of is left out but
    # those that were removed meanwhile.
    for name in list(vault.names()):
        with contextlib.suppress(Missing):
            _write_file(writer, name, vault.copy_out(name))
    writer.close()
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


def _write_file(writer: Writer, name: str, sealed: bytes) -> None:
    """In pieces that fit; as it is sealed, like the values of rows."""
    writer.add({"file": name})
    for begun in range(0, len(sealed), PIECE):
        writer.add(base64.b64encode(sealed[begun : begun + PIECE]).decode())
    writer.add({"bytes": len(sealed)})


def note(db: Connection, made_at: datetime, size: int) -> None:
    """It is safely written: its age is told to administrators."""
    backups.add(db, made_at, size)
