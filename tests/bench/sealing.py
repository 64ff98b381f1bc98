"""(g) what sealing, opening and keyed lookups take of a turn, with 10,000 sealed members."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot import clock, seals
from bot.app import App
from tests.bench import inside
from tests.bench.history import STEPS
from tests.bench.rig import DATABASES, MEMBERS, Rig, met

MOST = 10  # per cent


def run(rig: Rig) -> None:
    print(f"(g) sealing, opening and lookups, {MEMBERS:,} members; per cent of the CPU time")
    for database in DATABASES:
        store = rig.store(database, "sealing")
        share, with_sends = inside.with_app(store, lambda app: _measure(app, rig.size.turns))
        clock.reset()
        print(
            f"  {database}: {share:.1f} % of a turn (aim {MOST}: {met(share < MOST)}),"
            f" {with_sends:.1f} % of a turn with its sends"
        )


async def _measure(app: App, people: int) -> tuple[float, float]:
    watch = Watch(seals.keyring())
    turns = sends = in_turns = in_sends = 0.0
    for who in range(people):
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


class Watch:
    """Adds up the time that a keyring takes."""

    def __init__(self, ring: seals.Keyring) -> None:
        self.seconds = 0.0
        for name in ("seal", "open", "lookup"):
            setattr(ring, name, self._timed(getattr(ring, name)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*args)
            finally:
                self.seconds += time.perf_counter() - begun

        return timed
