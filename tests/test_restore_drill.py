"""The restore drill, as README tells it, with real processes: talk, lose the store, go on.

And killed with -9 at each point of a restore: what is there is the old store or the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.db import Database
from bot.models import deliveries, ledger, members, threads
from bot.store.secrets import open_store
from tests.processes import Linkline, Nursery, Town, insist, town, until
from tests.test_processes import count, start, wait_quiet

pytestmark = pytest.mark.repeats

FAST = ("hurry", "tick often")
POINTS = (
    ("restore: some rows in", 4),
    ("restore: rows in, not mended", 1),
    ("restore: forgotten again, not committed", 1),
    ("restore: mended, not committed", 1),
)
FILES = (
    ("restore: closing a file", 1),
    ("restore: a file closed", 1),
    ("restore: closing a file", 2),
    ("restore: a file closed", 2),
)

IN_PLACE = ("restore: in place, not said", 1)


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


def asks(place: Town, name: str, words: str, url: str) -> None:
    """She says that it is a question, so that it is not taken for an answer."""
    insist([url], place.people[name].says("/ask"))
    insist([url], place.people[name].says(words))
    preview = place.hears(name, words)
    wait_quiet(place)
    insist([url], place.people[name].chooses(preview, 0))


def command(place: Town, *args: str, die_at: Any = None, **env: str) -> Linkline:
    """A command from beginning to end."""
    process = place.linkline(*args, changes=(), **env).start(die_at)
    process.wait()
    return process


def alone(place: Town) -> None:
    """The test lets go of the store."""
    place.store.close()


def again(place: Town) -> None:
    place.store = Database(place.database_url)
    place.store.run_now(open_store)


def quick(place: Town) -> Linkline:
    server = place.linkline("run", changes=FAST).start().wait_ready()
    place.twilio.control(deliver_callbacks_to=server.url)
    return server


def forget(place: Town, name: str, url: str) -> None:
    her = place.people[name]
    insist([url], her.says("forget me"))
    insist([url], her.chooses(place.hears(name, "What goes"), 1))
    insist([url], her.chooses(place.hears(name, "cannot be undone"), 0))
    place.hears(name, "you are forgotten here")
    until("the end of it", lambda: count(place, members) == 2)


def test_the_drill(place: Town, tmp_path: Path) -> None:
    server = start(place, "run")
    asks(place, "Darazebra", "zebra: how do you dye silk?", server.url)
    place.hears("Alexzebra", "how do you dye silk")
    file, apart = tmp_path / "copy", tmp_path / "apart"
    asks(place, "Alexzebra", "zebra: who has a loom?", server.url)
    made = place.linkline("backup", str(file), changes=()).start()  # while they talk
    insist([server.url], place.people["Noyzebra"].says("102 zebra, I have one"))
    assert made.wait() == 0, made.errors()
    place.hears("Alexzebra", "I have one")
    asks(place, "Noyzebra", "zebra: what is lost later?", server.url)
    place.hears("Darazebra", "what is lost later")
    last = place.store.run_now(lambda db: db.execute(select(func.max(threads.c.number))).scalar())
    server.kill()
    server = quick(place)
    forget(place, "Alexzebra", server.url)
    until("the ledger", lambda: _ledger(place, tmp_path))
    command(place, "ledger", str(apart))
    server.kill()
    heard = {each.name: len(each.heard) for each in place.people.values()}

    alone(place)
    lose(place)
    restored = command(place, "restore", str(file), "--ledger", str(apart), "--replace", "--yes")
    assert restored.code == 0, restored.errors()
    assert "Forgotten again: 1" in restored.printed()
    again(place)
    assert count(place, members, members.c.state == "erasing") == 1
    server = quick(place)
    until("her to be gone", lambda: count(place, members) == 2)
    asks(place, "Darazebra", "zebra: does it go on?", server.url)
    place.hears("Noyzebra", "does it go on")
    wait_quiet(place)
    place.read_mail()
    assert len(place.people["Alexzebra"].heard) == heard["Alexzebra"]  # not a word to her
    for name in ("Noyzebra", "Darazebra"):
        texts = [each.text for each in place.people[name].heard[heard[name] :]]
        assert not [each for each in texts if "silk" in each or "loom" in each or "lost" in each]
    number = place.store.run_now(lambda db: db.execute(select(func.max(threads.c.number))).scalar())
    assert number > last
    stopped = [server.signal(15), server.wait()]
    assert stopped[-1] == 0


def _ledger(place: Town, folder: Path) -> bool:
    """On a disk the worker keeps it beside the store; else in the store."""
    if not place.database_url.startswith("sqlite"):
        return count(place, ledger) == 1
    return any(each.stat().st_size for each in folder.glob("*.ledger"))


def lose(place: Town) -> None:
    """The disk is gone."""
    if place.database_url.startswith("sqlite"):
        path = Path(place.database_url.removeprefix("sqlite:///"))
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()


def test_killed_at_each_point_of_a_restore(place: Town, tmp_path: Path) -> None:
    server = start(place, "run")
    asks(place, "Darazebra", "zebra: how do you dye silk?", server.url)
    place.hears("Noyzebra", "how do you dye silk")
    wait_quiet(place)
    file, gate = tmp_path / "copy", tmp_path / "gate"
    gate.touch()
    assert command(place, "backup", str(file)).code == 0
    asks(place, "Noyzebra", "zebra: what is lost later?", server.url)
    place.hears("Darazebra", "what is lost later")
    wait_quiet(place)
    server.signal(15)
    assert server.wait() == 0
    alone(place)
    sure = ("restore", str(file), "--replace", "--yes")
    on_file = place.database_url.startswith("sqlite")
    for point in (*POINTS, *(FILES if on_file else ())):
        died = command(place, *sure, die_at=(*point, str(gate)))
        assert died.code == -9, (point, died.errors())
        until("its connection to end", lambda: _threads(place) == 2)  # the old store, whole
    died = command(place, *sure, die_at=(*IN_PLACE, str(gate)))
    assert died.code == -9
    assert _threads(place) == 1  # the restored one, whole
    assert command(place, *sure).code == 0
    assert _threads(place) == 1
    if on_file:
        assert not list(tmp_path.glob("*.restoring*"))
    server = start(place, "run")
    again(place)
    asks(place, "Darazebra", "zebra: does it go on?", server.url)
    place.hears("Noyzebra", "does it go on")
    assert count(place, deliveries) > 0


def _threads(place: Town) -> int:
    database = Database(place.database_url)
    try:
        with database.snapshot() as db:
            if database.is_sqlite:
                assert db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            return db.execute(select(func.count(threads.c.id))).scalar_one()
    finally:
        database.close()


def test_a_restore_is_refused_while_somebody_serves(place: Town, tmp_path: Path) -> None:
    for what in ("web", "worker"):
        process = start(place, what)
        assert command(place, "backup", str(tmp_path / "copy")).code == 0
        alone(place)
        asked = command(place, "restore", str(tmp_path / "copy"), "--replace", "--yes")
        assert asked.code == 1
        assert "stop web and worker first" in asked.errors()
        again(place)
        process.kill()
