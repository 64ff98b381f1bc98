"""(h) what the checks that protect people cost of a turn, with and without them in the same run.

The checks: limits (a flood, questions a day), roles, doubt, pace, pause and quiet hours when
sending, another app of hers, and the padding of what is sealed.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from statistics import median
from unittest import mock

from bot import allowances, clock, planning, seals
from bot.app import App
from bot.routes import Routes
from bot.store.communities import Membership
from tests.bench import inside
from tests.bench.history import STEPS
from tests.bench.rig import DATABASES, MEMBERS, Rig, met

MOST = 15  # per cent


def run(rig: Rig) -> None:
    print(f"(h) the checks of a turn and its sends, {MEMBERS:,} members; CPU time")
    for database in DATABASES:
        stores = [rig.store(database, f"checks_{name}") for name in ("off", "on")]
        turns = rig.size.turns // rig.size.rounds
        costs: tuple[list[float], list[float]] = ([], [])
        for number in range(rig.size.rounds):
            for on in (False, True) if number % 2 else (True, False):
                with ExitStack() as without:
                    if not on:
                        _switch_off(without)
                    costs[on].append(inside.with_app(stores[on], _measured(number, turns)))
                clock.reset()
        before, after = (median(each) for each in costs)
        share = 100 * (after - before) / before
        print(
            f"  {database}: {before:.2f} ms a turn without, {after:.2f} ms with them:"
            f" {share:+.1f} % (aim {MOST}: {met(share < MOST)})"
        )


def _measured(number: int, turns: int) -> Callable[[App], Awaitable[float]]:
    return lambda app: _measure(app, number * turns, turns)


def _switch_off(without: ExitStack) -> None:
    for place, name, instead in (
        (allowances, "take", lambda *_: True),
        (allowances, "heard", lambda _sender, now: (now, 1)),
        (Membership, "may", lambda self, _power, _now: self.is_active),
        (planning, "_is_wanted", lambda _due: True),
        (planning, "_waits", lambda _due, _now: (None, "")),
        (planning.Planner, "_stay", lambda _self, _db, due, _now: list(due)),
        (Routes, "_doubted", lambda _self, _turn: None),
        (seals, "_FLOORS", {}),
        (seals, "_FLOOR", 1),
    ):
        without.enter_context(mock.patch.object(place, name, instead))


async def _measure(app: App, first: int, people: int) -> float:
    """Milliseconds of CPU time for a turn with its sends."""
    spent = 0.0
    for who in range(first, first + people):
        for text in STEPS:
            body = inside.webhook(who * 7, text)
            begun = time.process_time()
            await inside.take(app, body)
            spent += time.process_time() - begun
            clock.move(timedelta(seconds=4))  # a preview waits for more bubbles
            begun = time.process_time()
            await app.drain()
            spent += time.process_time() - begun
    return 1000 * spent / (people * len(STEPS))
