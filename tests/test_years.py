"""Months of the weekly rhythm, with restarts at the tick, jumps, and real second processes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot import clock, seals
from bot.db import Database
from bot.store import secrets
from tests.child import PROJECT
from tests.weeks import Life, World, in_turns, live

pytestmark = pytest.mark.repeats


BEGINS = "2027-03-11 00:00"  # before the nights when clocks are put on, in New York and Amsterdam
ENDS = datetime(2027, 4, 1, tzinfo=UTC)
YEARS = int(os.environ.get("LINKLINE_YEARS", "0"))


KEY = seals.new_key()


@pytest.fixture
def databases(database_url: str) -> Iterator[list[Database]]:
    seals.use(seals.Keyring([KEY]))
    found = [Database(database_url) for _number in range(3)]
    for each in found:
        each.run_now(secrets.open_store)
    yield found
    clock.reset()
    for each in found:
        each.close()


def fine(life: Life) -> bool:
    print(life)
    return not life.wrong and life.out > 10 and life.kills > 0


def test_months(databases: list[Database]) -> None:
    world = World(databases[0])
    world.at(BEGINS)
    until = ENDS.replace(year=ENDS.year + YEARS)
    life = live(world, until, in_turns(databases), seed=random.randrange(10**6))
    assert fine(life), life.wrong[:20]


# In processes of their own -----------------------------------------------------------------------


class Ticker:
    """A process that ticks at the moments it is told."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.test_years", self._url],
            cwd=PROJECT,
            env=os.environ | {"LINKLINE_KEYS": KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, now: datetime) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{now.isoformat()}\n")
        self._process.stdin.flush()

    def end(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def test_processes_that_tick_at_once(databases: list[Database], database_url: str) -> None:
    tickers = [Ticker(database_url) for _number in range(2)]

    def ticks(now: datetime, chance: random.Random) -> int:
        for each in tickers:
            each.begin(now)
        killed = 0
        for each in tickers:
            if chance.random() < 0.03:
                each.kill()
                each.start()
                killed += 1
            else:
                assert each.end() == "ticked"
        return killed

    try:
        until = datetime(2027, 1, 26, tzinfo=UTC)
        life = live(World(databases[0]), until, ticks, seed=random.randrange(10**6))
    finally:
        for each in tickers:
            each.kill()
    assert not life.wrong, life.wrong[:20]
    assert life.out > 10


def _tick_for_ever(url: str) -> None:
    seals.use(seals.Keyring([os.environ["LINKLINE_KEYS"]]))
    database = Database(url)
    database.run_now(secrets.open_store)
    tick = in_turns([database], dying=0)
    chance = random.Random()
    for line in sys.stdin:
        clock.stand()
        clock.move(datetime.fromisoformat(line.strip()) - clock.now())
        tick(clock.now(), chance)
        print("ticked", flush=True)


if __name__ == "__main__":
    _tick_for_ever(sys.argv[1])
