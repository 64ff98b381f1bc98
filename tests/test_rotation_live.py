"""Rotation while Linkline runs: a dozen people ask, the rotation is killed again and again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from bot import clock, models, seals
from bot.store import meeting, sealed, secrets
from tests.processes import LANES, Linkline, Nursery, Town, town, until
from tests.test_kills import CAST, Audit, Life, Traffic, _is_quiet

pytestmark = pytest.mark.repeats


SILENT = 1500  # members who only wait to be sealed anew
KILLS = 6


class Rotating(Life):
    """The server lives; rotations are killed, one is stopped, then one comes through."""

    def __init__(self, place: Town, chance: random.Random) -> None:
        super().__init__(place, [], chance)
        self.runs = 0
        self.stopped = self.crowded = False

    def _run(self) -> None:
        try:
            for _ in range(KILLS):
                self._kill_one()
            self._stop_one()
            self._crowd()
        except Exception as error:
            self.failure = error
        self.over.set()

    def _one(self) -> Linkline:
        self.runs += 1
        return self.place.linkline("keys", "rotate")

    def _kill_one(self) -> None:
        one = self._one().start()
        time.sleep(self.chance.uniform(0.1, 1.2))
        one.kill()
        assert one.code in (-9, 0), one.errors()

    def _stop_one(self) -> None:
        one = self._one().start()
        until("it to be at work", lambda: one.printed() or not one.alive())
        one.signal(signal.SIGINT)
        self.stopped = one.wait() == 0 or "run the same command again" in one.errors()

    def _crowd(self) -> None:
        """Two at once: one of them is told so."""
        first = self._one().start()
        until("it to be at work", lambda: first.printed() or not first.alive())
        second = self._one().start()
        ends = {first.wait(), second.wait()}
        self.crowded = ends <= {0, 1} and 0 in ends
        self.said = first.printed() + second.printed()
        if 1 in ends:
            assert "another `linkline keys rotate`" in first.errors() + second.errors()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


def test_everybody_goes_on_while_keys_rotate(
    database_url: str, tmp_path: Path, nursery: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("LINKLINE_TEST_SEED") or random.randrange(10**6))
    print(f"LINKLINE_TEST_SEED={seed}")
    chance = random.Random(seed)
    new = seals.new_key()
    with town(database_url, tmp_path, nursery) as place:
        for each in CAST:
            place.settle(*each)
        before = place.store.run_now(_add_silent)
        old, place.key = place.key, f"{new},{place.key}"
        seals.use(seals.Keyring([new, old]))
        place.store.run_now(secrets.open_store)
        place.store.opening = secrets.keep_fresh
        life = Rotating(place, chance)
        traffic = Traffic(place, life, chance)
        life.begin()
        traffic.begin()
        until("the last rotation", lambda: life.over.is_set() or traffic.failures, 300, every=0.05)
        assert life.failure is None and not traffic.failures, (life.failure, traffic.failures)
        time.sleep(1)
        traffic.end()
        assert not traffic.failures, traffic.failures
        until("quiet", lambda: place.store.run_now(_is_quiet), every=0.1)
        Audit(place, life, traffic).check()
        assert life.stopped and life.crowded
        assert place.complaints() == []
        place.key = new
        assert place.leaks() == []
        place.store.run_now(lambda db: _check_store(db, before, new))
        print(life.said.splitlines()[-2:], len(traffic.asked), "questions", life.runs, "runs")


def _add_silent(db: Connection) -> set[bytes]:
    for number in range(SILENT):
        meeting.add(db, LANES["telegram"], [f"88{number:06}"], clock.now(), state="active")
    return set(db.execute(select(models.address_keys.c.key)).scalars())


def _check_store(db: Connection, before: set[bytes], new: str) -> None:
    """Nobody was met twice, everybody is found by the new key, and the new key is enough."""
    assert not before & set(db.execute(select(models.address_keys.c.key)).scalars())
    found = db.execute(select(func.count()).select_from(models.members)).scalar_one()
    assert found == SILENT + len(CAST)
    assert set(sealed.count_by_head(db)) == {seals.keyring().head}
    seals.use(seals.Keyring([new]))
    secrets.open_store(db)
    for number in range(0, SILENT, 50):
        assert meeting.find_by_address(db, LANES["telegram"], f"88{number:06}") is not None
