"""(g) what sealing, opening and keyed lookups take of a turn, with 10,000 sealed members.

Beside it the same without padding, in the same run: what the padding costs in time and in storage.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any
from unittest import mock

from sqlalchemy import Connection, LargeBinary, func, select, type_coerce

from bot import clock, seals
from bot.app import App
from bot.columns import Sealed, metadata
from tests.bench import inside
from tests.bench.history import STEPS
from tests.bench.rig import DATABASES, MEMBERS, Rig, met
from tests.bench.stores import Store

MOST = 10  # per cent

Shares = tuple[float, float]  # per cent of a turn, of a turn with its sends


def run(rig: Rig) -> None:
    print(f"(g) sealing, opening and lookups, {MEMBERS:,} members; per cent of the CPU time")
    for database in DATABASES:
        stores = [rig.store(database, f"sealing_{name}") for name in ("unpadded", "padded")]
        shares: tuple[list[Shares], list[Shares]] = ([], [])
        turns = rig.size.turns // rig.size.rounds
        for number in range(rig.size.rounds):
            with mock.patch.multiple(seals, _FLOORS={}, _FLOOR=1):
                shares[0].append(_one(stores[0], number * turns, turns))
            shares[1].append(_one(stores[1], number * turns, turns))
        (before, _), (share, with_sends) = (_medians(each) for each in shares)
        print(
            f"  {database}: {share:.1f} % of a turn (aim {MOST}: {met(share < MOST)}),"
            f" {with_sends:.1f} % of a turn with its sends; without padding {before:.1f} %"
        )
        _print_storage(database, stores, turns * rig.size.rounds * len(STEPS))


def _one(store: Store, first: int, people: int) -> Shares:
    shares: Shares = inside.with_app(store, lambda app: _measure(app, first, people))
    clock.reset()
    return shares


def _medians(shares: list[Shares]) -> Shares:
    turns, with_sends = zip(*shares, strict=True)
    return median(turns), median(with_sends)


async def _measure(app: App, first: int, people: int) -> Shares:
    watch = Watch(seals.keyring())
    turns = sends = in_turns = in_sends = 0.0
    for who in range(first, first + people):
        for text in STEPS:
            body = inside.webhook(who * 7, text)
            begun, sealed = time.process_time(), watch.seconds
            await inside.take(app, body)
            between, of_turn = time.process_time(), watch.seconds
            clock.move(timedelta(seconds=4))
            await app.drain()
            turns, in_turns = turns + between - begun, in_turns + of_turn - sealed
            sends += time.process_time() - between
            in_sends += watch.seconds - of_turn
    return 100 * in_turns / turns, 100 * (in_turns + in_sends) / (turns + sends)


# Storage


def _print_storage(database: str, stores: list[Store], turns: int) -> None:
    """What the turns of the bench have written: everything in it but the members from before."""
    before, after = (_sealed_bytes(each) for each in stores)
    bytes_before, bytes_after = (sum(each.values()) / turns / 1024 for each in (before, after))
    most = sorted(after, key=lambda name: before.get(name, 0) - after[name])[:3]
    told = ", ".join(f"{name} {after[name] / turns / 1024:.2f}" for name in most)
    print(
        f"  {database}: {bytes_after:.1f} KB of sealed values a turn, {bytes_before:.1f} without"
        f" padding; most of it {told}"
    )


def _sealed_bytes(store: Store) -> dict[str, int]:
    opened = store.open()
    try:
        return opened.run_now(_lengths)
    finally:
        opened.close()


def _lengths(db: Connection) -> dict[str, int]:
    """Bytes by column, without those of the members, which were there before the turns."""
    found = {}
    for table in metadata.sorted_tables:
        if table.name not in ("members", "addresses", "address_keys", "secrets"):
            for column in table.columns:
                if isinstance(column.type, Sealed):
                    total = select(func.sum(func.length(type_coerce(column, LargeBinary))))
                    found[f"{table.name}.{column.name}"] = int(db.execute(total).scalar() or 0)
    return found


class Watch:
    """Adds up the time that a keyring takes."""

    def __init__(self, ring: seals.Keyring) -> None:
        self.seconds = 0.0
        for name in ("seal", "open", "lookup", "lookups"):
            setattr(ring, name, self._timed(getattr(ring, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*args)
            finally:
                self.seconds += time.perf_counter() - begun

        return timed
