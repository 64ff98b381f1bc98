"""Deploys: the old process is stopped, the new one goes on, in the middle of conversations."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from alembic import command
from bot import clock
from bot.cli import alembic_config
from bot.models import deliveries, lanes, messages
from tests.processes import Linkline, Nursery, Town, deliver, insist, town, until
from tests.test_processes import SETTLED, count, leased_until, on, start, wait_quiet

DEPLOYS = 3
MOST = 25  # words of each in a minute: more would be too many for the bot


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as found:
        yield found


@pytest.fixture
def place(database_url: str, tmp_path: Path, nursery: Nursery) -> Iterator[Town]:
    with town(database_url, tmp_path, nursery) as found:
        found.settle_three("en", "en", "en")
        yield found
        assert found.leaks() == []
        assert found.complaints() == []


class Crowd:
    """People who go on writing; a provider repeats what was not taken."""

    def __init__(self, place: Town, server: Linkline) -> None:
        self.place, self.server = place, server
        self.said: dict[str, int] = {}
        self.over = threading.Event()
        self.failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._talk, args=(each,)) for each in place.people]

    def begin(self) -> None:
        for each in self._threads:
            each.start()

    def end(self) -> None:
        until("some talk", lambda: sum(self.said.values()) > 10 or self.failures)
        self.over.set()
        for each in self._threads:
            each.join()
        assert not self.failures

    def _talk(self, name: str) -> None:
        try:
            while not self.over.is_set() and self.said.get(name, 0) < MOST:
                packet = self.place.people[name].says("/menu")
                until("a 2xx", lambda: 200 <= deliver(self.server.url, packet) < 300)  # noqa: B023
                self.said[name] = self.said.get(name, 0) + 1
                time.sleep(0.2)
        except BaseException as error:
            self.failures.append(error)


def test_deploys_while_people_write(place: Town) -> None:
    """Each word is answered once, though the process is exchanged again and again."""
    server = start(place, "run")
    slow = {"match": {"method": "sendMessage"}, "delay": 0.3, "times": -1, "status": 0}
    place.telegram.control(fail=[slow])  # so that something is always under way
    crowd = Crowd(place, server)
    crowd.begin()
    for _ in range(DEPLOYS):
        time.sleep(0.7)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert time.monotonic() - began < 20
        assert count(place, deliveries, deliveries.c.state == "sending") == 0
        assert count(place, deliveries, deliveries.c.state == "unknown") == 0
        server.start().wait_ready()
    crowd.end()
    place.telegram.control(fail=[])
    wait_quiet(place)
    place.read_mail()
    assert {each.name: len(each.heard) for each in place.people.values()} == crowd.said
    assert sum(crowd.said.values()) > 10
    assert count(place, deliveries, deliveries.c.state.not_in(SETTLED)) == 0


def test_a_deploy_with_a_migration_between_question_and_answer(place: Town) -> None:
    """What was asked before the deploy is answered after it."""
    server = start(place, "run")
    dara = place.people["Darazebra"]
    insist([server.url], dara.says("/ask"))
    insist([server.url], dara.says("zebra: how do you dye silk?"))
    preview = place.hears("Darazebra", "how do you dye silk")
    wait_quiet(place)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    place.store.engine.dispose()
    command.downgrade(alembic_config(place.database_url), "-1")  # as the older version left it
    server.start().wait_ready()
    insist([server.url], dara.chooses(preview, 0))
    place.hears("Noyzebra", "how do you dye silk")
    wait_quiet(place)


@on("postgresql")
def test_the_next_worker_takes_over_at_once_after_a_clean_stop(place: Town) -> None:
    web = start(place, "web")
    first = start(place, "worker")
    dara = place.people["Darazebra"]
    insist([web.url], dara.says("/menu"))
    until("an answer", lambda: place.read_mail() or len(dara.heard) == 1)
    second = start(place, "worker")
    lease_ends = place.store.run_now(leased_until)
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    insist([web.url], dara.says("/menu"))
    until("the next answer", lambda: place.read_mail() or len(dara.heard) == 2)
    assert clock.now() < lease_ends  # it did not wait for that
    second.signal(signal.SIGTERM)
    assert second.wait() == 0
    owners = place.store.run_now(lambda db: db.execute(select(lanes.c.owner)).scalars().all())
    assert set(owners) == {None}  # given back
    third = start(place, "worker")
    insist([web.url], dara.says("/menu"))
    until("the answer of the third", lambda: place.read_mail() or len(dara.heard) == 3)
    third.kill()
    assert count(place, messages) == 3
