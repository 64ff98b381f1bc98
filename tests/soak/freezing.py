"""(b) Workers fall silent for longer than their lease, and go on later as if nothing had been."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text

from bot import clock
from bot.models import lanes
from tests.processes import LANES, Linkline, Town, until
from tests.soak import ground
from tests.soak.figures import Figures

# Written by the store itself: each time a delivery comes to be sent.
NOTES = "CREATE TABLE soak_notes (delivery_id BIGINT NOT NULL)"
SQLITE = """
CREATE TRIGGER soak_note AFTER UPDATE OF state ON deliveries
WHEN NEW.state = 'sent' AND OLD.state <> 'sent'
BEGIN INSERT INTO soak_notes VALUES (NEW.id); END
"""
POSTGRESQL = """
CREATE FUNCTION soak_note() RETURNS trigger AS $$
BEGIN INSERT INTO soak_notes VALUES (NEW.id); RETURN NEW; END
$$ LANGUAGE plpgsql;
CREATE TRIGGER soak_note AFTER UPDATE OF state ON deliveries FOR EACH ROW
WHEN (NEW.state = 'sent' AND OLD.state <> 'sent') EXECUTE FUNCTION soak_note();
"""
TWICE_SAID = "deliveries completed twice"
TWICE = "SELECT count(*) FROM (SELECT 1 FROM soak_notes GROUP BY delivery_id HAVING count(*) > 1) t"
# Seconds until lanes are worked on again, beyond the lease if the owner lives and says nothing.
TAKEN = 2.0
LOOK = 0.5  # seconds that we may be late in seeing it
BUSY = 20.0  # and in a short run, beside which other tests run


@dataclass
class Freezing:
    """One run."""

    place: Town
    figures: Figures
    chance: random.Random
    lease: float
    late: float
    workers: list[Linkline]
    stood: Counter[str] = field(default_factory=Counter)  # under way at the stops, by lane
    slowest: Counter[str] = field(default_factory=Counter)
    _last: Linkline | None = None

    def freeze(self) -> None:
        """All but one are stopped for longer than the lease: it alone must own everything.

        It is never the same one twice: with that, somebody else owned most of it before.
        """
        before = self._last or self.workers[0]
        survivor = self.chance.choice([each for each in self.workers if each is not before])
        self._last = survivor
        others = [each for each in self.workers if each is not survivor]
        stopped = clock.now()
        self._stop(others)
        self._note()
        try:
            self._are_worked_on(stopped, "stop", self.lease + TAKEN)
            time.sleep(self.chance.uniform(0.2, 1.5))
        finally:
            for each in others:
                each.signal(signal.SIGCONT)
        time.sleep(self.chance.uniform(0.5, 1.5))
        for each in others:
            if not each.alive():
                self.figures.unexpect(f"a worker that went on ended with {each.code}")
                each.start().wait_ready()

    def _stop(self, others: list[Linkline]) -> None:
        """On SQLite nobody is stopped who writes: that would hold up the whole store."""

        def work(_db: Connection) -> None:
            for each in others:
                each.signal(signal.SIGSTOP)

        if self.place.store.is_sqlite:
            self.place.store.run_now(work)
        else:
            for each in others:
                each.signal(signal.SIGSTOP)

    def kill(self) -> None:
        """One of them, whichever it is; the lanes it had are free at once."""
        victim = self.chance.choice(self.workers)
        killed = clock.now()
        victim.kill()
        self._note()
        self._are_worked_on(killed, "kill", TAKEN + self.lease / 3)
        victim.start().wait_ready()

    def _are_worked_on(self, since: datetime, why: str, most: float) -> None:
        """Each lane has a lease that was made after this moment."""
        made = since + timedelta(seconds=self.lease)
        begun = time.monotonic()

        def look() -> bool:
            until_ = self.place.store.run_now(_leases)
            return all(until_.get(lane, made) > made for lane in LANES.values())

        try:
            until("owners", look, most + 30, every=0.05)
        except TimeoutError:
            self.figures.unexpect(f"nobody took over after a {why}")
        took = time.monotonic() - begun
        self.slowest[why] = max(self.slowest[why], int(took * 1000))
        if took > most + self.late:
            self.figures.unexpect(f"a lane was worked on only {took:.1f} s after a {why}")

    def _note(self) -> None:
        self.stood.update(ground.under_way(self.place).values())


def _leases(db: Connection) -> dict[str, datetime]:
    return {row.name: row.leased_until for row in db.execute(select(lanes)) if row.leased_until}


def run(
    store: str, seed: int, *, people: int, stops: int, workers: int = 3, quick: bool = False
) -> Figures:
    figures, begun = Figures("b", store, seed), time.monotonic()
    with ground.ground(store) as (place, _folder):
        crowd = ground.settle(place, people)
        _watch(place)
        place.telegram.control(seed=seed, latency=[0.005, 0.1])
        place.twilio.control(seed=seed, latency=[0.005, 0.1])
        changes = ("soak quickly", "lease shortly") if quick else ()
        started = [
            place.linkline("worker", changes=changes).start().wait_ready() for _ in range(workers)
        ]
        limits = (3.0, BUSY) if quick else (15.0, LOOK)
        freezing = Freezing(place, figures, random.Random(seed), *limits, started)
        until("owners", lambda: len(place.store.run_now(_leases)) == len(LANES))
        for number in range(stops):
            ground.tell_all(place, _words(number))
            time.sleep(freezing.chance.uniform(0.05, 0.5))
            if number % 4 == 3:
                freezing.kill()
            else:
                freezing.freeze()
        ground.wait_quiet(place, 60 + people * stops / 10)
        _count(place, figures, crowd, freezing, stops)
    figures.notes.append(f"took {time.monotonic() - begun:.0f} s")
    return figures


def _words(number: int) -> str:
    return f"zebra round {number}."


def _watch(place: Town) -> None:
    def work(db: Connection) -> None:
        db.execute(text(NOTES))
        db.connection.cursor().execute(SQLITE if place.store.is_sqlite else POSTGRESQL)

    place.store.run_now(work)


def _count(
    place: Town, figures: Figures, crowd: ground.Crowd, freezing: Freezing, stops: int
) -> None:
    got = ground.taken(place)
    for channel, address in crowd.addresses:
        for number in range(stops):
            count = sum(n for words, n in got.get(address, {}).items() if _words(number) in words)
            figures.lose(f"round {number} never came to somebody on {channel}", int(count == 0))
            if channel == "whatsapp":
                figures.repeat(f"round {number} came {count} times", max(0, count - 1))
            else:
                figures.allowed += max(0, count - 1)
    stood = freezing.stood[LANES["telegram"]]
    figures.repeat("more on Telegram than was under way", max(0, figures.allowed - stood))
    twice = place.store.run_now(lambda db: db.execute(text(TWICE)).scalar_one())
    figures.unexpect(TWICE_SAID, twice)
    for (state, reason), count in ground.states(place).items():
        if state not in ground.SETTLED:
            figures.unexpect(f"{count} deliveries {state} ({reason})", count)
    figures.recovered = freezing.stood.total()
    fences = place.store.run_now(lambda db: db.execute(select(func.max(lanes.c.fence))).scalar())
    figures.what = f"{len(crowd):,} people, {stops} rounds, {len(freezing.workers)} workers"
    slow = ", ".join(f"{ms / 1000:.1f} s after a {why}" for why, ms in freezing.slowest.items())
    figures.notes.append(
        f"Telegram: {figures.allowed} repeated, {stood} stood as sending at the stops;"
        f" lanes worked on again at most {slow}; fence {fences}"
    )
