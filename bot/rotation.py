"""Rotation: every sealed value gets the newest key, then what names people a new lookup key.

Everybody goes on meanwhile. Rows are read and sealed without holding anybody up; only writing them
takes the writer, a few rows at a time. Each batch stands for itself: killed anywhere, the same
command goes on from what is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from bot import clock, seals
from bot.db import Database
from bot.locks import count_begun_before
from bot.media.vault import Vault
from bot.store import keyed, sealed, secrets

T = TypeVar("T")

READ = 500  # rows at a time
SAY = 1.0  # seconds between two lines on the same table
ROUNDS = 5  # after so many, somebody else still seals with an older key
SLOWEST = 60.0  # seconds for the transactions of others to end

_STILL_OLDER = (
    "LINKLINE_KEYS: another process still seals with an older key ({where}); restart all processes "
    "with the newest key first, then run this again"
)

Tell = Callable[[str], None]


class RotationError(Exception):
    """It cannot go on; the text names the setting and the mend, in one line."""


class Pace:
    """How many rows one transaction may write, so that nobody waits long for the writer."""

    aim = 0.01  # seconds; a fifth of what is allowed, since a disk is slow now and then
    most = 200

    def __init__(self) -> None:
        self.rows = 0
        self.longest = 0.0  # seconds a transaction has held the writer
        self.begin()

    def begin(self) -> None:
        """A table, whose rows may be larger than those before."""
        self.rows = 10

    def took(self, rows: int, seconds: float) -> None:
        """Up slowly, down at once."""
        self.longest = max(self.longest, seconds)
        fitting = int(rows * self.aim / max(seconds, 1e-6))
        self.rows = max(1, min(fitting, 2 * max(rows, 1), self.most))

    def cut(self, rows: Sequence[T]) -> Iterator[Sequence[T]]:
        begun = 0
        while begun < len(rows):
            part = rows[begun : begun + self.rows]
            yield part
            begun += len(part)


class Rotation:
    """One run; the caller holds the lock, so that there is one at a time."""

    def __init__(self, database: Database, vault: Vault, tell: Tell) -> None:
        self._database = database
        self._vault = vault
        self._tell = tell
        self._said_at = 0.0
        self.pace = Pace()

    def run(self) -> None:
        """Raises RotationError, SealError, ShelfDown, StoreDown; what is written stays right."""
        self._check_order()
        for table in sealed.list_tables():
            self._reseal(table)
        self._reseal_files()
        self._rotate_lookups()
        self._tell(f"The writer was held for {self.pace.longest * 1000:.0f} ms at the longest.")

    # Which key is the newest

    def _check_order(self) -> None:
        newest, *others = (each.hex() for each in seals.keyring().key_ids)
        had = self._database.run_now(secrets.list_sealing)
        if newest in had[:-1]:
            raise RotationError(
                "LINKLINE_KEYS: the first key is older than another that this store has had; "
                "put the newest key first"
            )
        if newest not in had:
            self._database.run_now(lambda db: secrets.mark_sealing(db, newest))
        elif strange := [each for each in others if each not in had and not self._is_used(each)]:
            raise RotationError(
                f"LINKLINE_KEYS: nothing here is sealed with key {others.index(strange[0]) + 2} of "
                f"{len(others) + 1}; if it is the new one, put it first, else remove it"
            )

    def _is_used(self, key_id: str) -> bool:
        heads = self._read(sealed.count_by_head)
        return any(head[1:].hex() == key_id for head in heads)

    # Sealing

    def _reseal(self, table: str) -> None:
        for _round in range(ROUNDS):
            total = self._read(lambda db: sealed.count_older(db, table))
            if not total:
                return
            self._reseal_once(table, total)
        raise RotationError(_STILL_OLDER.format(where=table))

    def _reseal_once(self, table: str, total: int) -> None:
        self.pace.begin()
        after, done = None, 0
        while True:
            rows = self._read(lambda db: sealed.list_older(db, table, after, READ))  # noqa: B023
            for part in self.pace.cut(rows):
                self._write(len(part), lambda db: sealed.reseal(db, table, part))  # noqa: B023
                done += len(part)
            if len(rows) < READ:
                return self._tell(f"{table}: {done} rows sealed anew")
            self._say_sometimes(f"{table}: {min(done, total)} of {total} rows")
            after = rows[-1].place

    def _reseal_files(self) -> None:
        """Who reads one meanwhile finds the old one or the new one, whole."""
        for _round in range(ROUNDS):
            names = self._vault.list_older()
            if not names:
                return
            for done, name in enumerate(names, 1):
                self._vault.reseal(name)
                self._say_sometimes(f"files: {done} of {len(names)}")
            self._tell(f"files: {len(names)} sealed anew")
        raise RotationError(_STILL_OLDER.format(where="files"))

    # Lookups

    def _rotate_lookups(self) -> None:
        under = seals.keyring().key_ids[0].hex()
        self._change(lambda db: secrets.announce(db, under))
        if self._database.run_now(secrets.get_rotating).next is not None:
            self._tell(f"A new lookup key; {secrets.FRESH:.0f} seconds until all processes know it")
            self._until_all_know()
            self._change(lambda db: secrets.switch(db, under, clock.now()))
        if self._database.run_now(secrets.get_rotating).renewed:
            return
        self._until_all_know()
        for table in keyed.TABLES:
            self._renew(table)
        self._change(secrets.mark_renewed)
        self._tell(
            f"The older lookup key is still found by for {keyed.EDITED.days} days; then the "
            f"worker forgets it"
        )

    def _renew(self, table: str) -> None:
        total = self._read(lambda db: keyed.count(db, table))
        self.pace.begin()
        after, done = None, 0
        while True:
            keys, after = self._read(lambda db: keyed.list_keys(db, table, after, READ))  # noqa: B023
            for part in self.pace.cut(keys):
                self._write(len(part), lambda db: keyed.renew(db, table, part))  # noqa: B023
            done = min(done + READ, total)
            if after is None:
                return self._tell(f"{table}: {total} rows are found by the new key")
            self._say_sometimes(f"{table}: {done} of {total} rows")

    def _change(self, work: Callable[[Connection], None]) -> None:
        """Of the store's secrets; this process knows it when it is written."""
        self._database.run_now(work)
        self._database.run_now(secrets.open_store)

    def _until_all_know(self) -> None:
        """Whoever begins a transaction from here on has read the secrets as they are now."""
        begun = time.monotonic()
        time.sleep(secrets.FRESH)
        while True:
            since = time.monotonic() - begun - secrets.FRESH
            if not self._read(lambda db: count_begun_before(db, since)):  # noqa: B023
                break
            if since > SLOWEST:
                raise RotationError(
                    f"DATABASE_URL: a transaction is open there for more than {SLOWEST:.0f} "
                    f"seconds; end it, then run this again"
                )
            time.sleep(0.1)
        self._database.run_now(lambda _db: None)  # SQLite: whoever was writing has finished

    def _say_sometimes(self, line: str) -> None:
        if time.monotonic() - self._said_at > SAY:
            self._said_at = time.monotonic()
            self._tell(line)

    # The writer

    def _read(self, work: Callable[[Connection], T]) -> T:
        """Without the writer's lock, which SQLite gives to one at a time."""
        with self._database.engine.connect() as db:
            return work(db)

    def _write(self, rows: int, work: Callable[[Connection], Any]) -> None:
        begun = 0.0

        def timed(db: Connection) -> None:
            nonlocal begun
            begun = time.perf_counter()
            work(db)

        self._database.run_now(timed)
        held = time.perf_counter() - begun
        self.pace.took(rows, held)
        time.sleep(max(held, 0.005))  # SQLite's lock knows no queue: let others come in
