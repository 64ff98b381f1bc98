"""(f) nothing grows with history: a store with a million old deliveries beside an empty one."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import median
from typing import Any

from sqlalchemy import update

from bot import clock
from bot.app import App
from bot.models import deliveries as rows
from bot.store import deliveries, lanes
from tests.bench import fanout, inside, past
from tests.bench.cast import OPENING, WRONG_CHOICE
from tests.bench.rig import DATABASES, MEMBERS, Rig, met
from tests.bench.stores import Store

MOST_TIMES = 1.2
STEPS = ("/ask", "ok", "How do you count the stock?", "cancel", OPENING, WRONG_CHOICE, "menu")
CLAIMED = 64

Seconds = dict[str, tuple[list[float], list[float]]]  # in the empty store, in the old one


def run(rig: Rig) -> None:
    print(f"(f) with {rig.size.old:,} old deliveries, beside none; {MEMBERS:,} members in both")
    for database in DATABASES:
        empty, old = (rig.store(database, name) for name in ("empty", "old"))
        begun = time.monotonic()
        past.live_through(old, inside.Quiet().lane, rig.size.old)
        print(f"  {database}: the past took {time.monotonic() - begun:.0f} seconds to write")
        for what, (without, with_it) in asyncio.run(measure(rig, empty, old)).items():
            # Of pairs, one right after the other: the machine is now quick and now slow.
            times = median(b / a for a, b in zip(without, with_it, strict=True))
            print(
                f"  {database}, {what:<36}{median(without) * 1000:>7.1f} ms, then"
                f" {median(with_it) * 1000:>7.1f}: {times:.2f} times"
                f" (aim {MOST_TIMES}: {met(times <= MOST_TIMES)})"
            )


async def measure(rig: Rig, empty: Store, old: Store) -> Seconds:
    apps = inside.app(empty), inside.app(old)
    found: Seconds = defaultdict(lambda: ([], []))
    step = MEMBERS // rig.size.turns
    for who in range(0, MEMBERS, step):  # from those who wrote most to those who wrote least
        await _talk(apps, who, found)
    for number in range(rig.size.rounds):
        await _fan_out(apps, f"round {number}", found)
    for app in apps:
        await app.stop()
    clock.reset()
    return found


async def _talk(apps: tuple[App, App], who: int, found: Seconds) -> None:
    for app in apps:
        await inside.take(app, inside.webhook(who, "menu"))
        await app.drain()
    turns: tuple[list[float], list[float]] = ([], [])
    sends: tuple[list[float], list[float]] = ([], [])
    for words in STEPS:
        body = inside.webhook(who, words)
        await _both(apps, lambda app: inside.take(app, body), turns)  # noqa: B023
        clock.move(timedelta(seconds=4))  # a preview waits for more bubbles
        await _both(apps, lambda app: app.drain(), sends)
    for what, seconds in (("a turn", turns), ("the sends of a turn", sends)):
        for each, all_of_them in zip(seconds, found[what], strict=True):
            all_of_them.append(sum(each) / len(STEPS))


async def _both(
    apps: tuple[App, App], work: Callable[[App], Awaitable[Any]], seconds: tuple[list[float], ...]
) -> None:
    for app, its_seconds in zip(apps, seconds, strict=True):
        begun = time.perf_counter()
        await work(app)
        its_seconds.append(time.perf_counter() - begun)


async def _fan_out(apps: tuple[App, App], key: str, found: Seconds) -> None:
    for app, told in zip(apps, found[f"a question to {MEMBERS:,}"], strict=True):
        told.append(fanout.tell_all(app.database, key))
    claims = [_Claim(app) for app in apps]
    for _ in range(20):
        for claim, took in zip(claims, found[f"a claim of {CLAIMED}"], strict=True):
            took.append(claim.once())
    gone = update(rows).values(state="sent").where(rows.c.state == "queued")
    for app in apps:
        app.database.run_now(lambda db: db.execute(gone))


class _Claim:
    """A claim that is rolled back, so that all of them find the same."""

    def __init__(self, app: App) -> None:
        self._lane = app.channels[0].lane
        self._database = app.database
        self._fence = app.database.run_now(lambda db: lanes.take(db, self._lane))

    def once(self) -> float:
        with self._database.engine.connect() as db:
            begun = time.perf_counter()
            found, _ = deliveries.claim(db, self._lane, self._fence, [], CLAIMED, clock.now())
            took = time.perf_counter() - begun
            db.rollback()
        assert len(found) == CLAIMED
        return took
