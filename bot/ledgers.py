"""Ledgers kept apart: the same entries in a file, so that a lost store loses none of them.

Each line is sealed, and tells which store it is of: an entry of another would erase somebody else.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from bot import clock, logs, seals
from bot.db import Database, StoreDown
from bot.seals import SealError
from bot.store import ledger
from bot.store.ledger import Entry

LASTS = timedelta(days=100)  # longer than any backup may be kept
BACKUPS_LAST = timedelta(days=90)  # an older one cannot know whom to forget again
LOOK = 5.0  # seconds between looks at the store
_CONTEXT = "ledger.line"

log = logs.get("ledgers")


class LedgerError(Exception):
    """A ledger that cannot be used; the text names the file and the mend, in one line."""


def store_name() -> str:
    """By which this store is known in its ledgers; the same for all of its backups."""
    return seals.lookup("reports.key", "the ledger of this store").hex()


def to_line(entry: Entry) -> str:
    plain = [store_name(), entry.member_id, entry.erased_at.isoformat(), entry.posts_too]
    return base64.b64encode(seals.keyring().seal(json.dumps(plain), _CONTEXT)).decode()


def read(path: Path) -> list[Entry]:
    """Raises LedgerError for a line of another store, or one that somebody changed."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise LedgerError(f"the ledger {path.name} cannot be read: name the right file") from None
    return [_entry(line, path) for line in text.splitlines() if line]


def _entry(line: str, path: Path) -> Entry:
    try:
        plain = seals.keyring().open(base64.b64decode(line, validate=True), _CONTEXT)
    except (SealError, binascii.Error):
        raise LedgerError(
            f"the ledger {path.name} does not open with LINKLINE_KEYS, or is damaged: "
            f"take one that belongs to this store"
        ) from None
    name, member_id, erased_at, posts_too = json.loads(plain)
    if name != store_name():
        raise LedgerError(f"the ledger {path.name} is of another store: take the one of this store")
    return Entry(datetime.fromisoformat(erased_at), member_id, posts_too)


def keep(path: Path, entries: Iterable[Entry], now: datetime) -> int:
    """Add to the file what it has not; how many lines it has gained. Never half a file."""
    there = read(path) if path.exists() else []
    known = {each.member_id for each in there}
    new = [each for each in entries if each.member_id not in known]
    kept = [each for each in (*there, *new) if each.erased_at > now - LASTS]
    if new or len(kept) < len(there) or not path.exists():
        write(path, sorted(kept))
    return len(new)


def write(path: Path, entries: Iterable[Entry]) -> None:
    """All of it, at once: a kill leaves the file that was there."""
    handle, fresh = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(f"{to_line(each)}\n" for each in entries)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


class Keeper:
    """The worker's part: what stands in the ledger stands in the file a moment later."""

    def __init__(self, database: Database, path: Path | None) -> None:
        self._database = database
        self._path = path
        self._seen: list[Entry] | None = None

    async def run(self) -> None:
        """Until cancelled."""
        while self._path is not None:
            try:
                await self.look(self._path)
            except StoreDown as error:
                log.warning("store_down", error=str(error))
            except (OSError, LedgerError) as error:
                log.error("ledger_not_kept", error=type(error).__name__)
            await asyncio.sleep(LOOK)

    async def look(self, path: Path) -> None:
        found = await self._database.run(_list)
        if found != self._seen:
            await asyncio.to_thread(keep, path, found, clock.now())
            self._seen = found


def _list(db: Connection) -> list[Entry]:
    return ledger.list_all(db)
