"""Wakes: what one process writes leaves at once by the sender of another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot import clock, sender
from bot.db import Database, mark_due
from bot.messages import Message, Text
from bot.store import messages
from bot.wakes import Wakes
from tests.test_sender import LANE, House

SOON = 60  # seconds, far below the look at the store that is switched off here

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def house(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(sender, "POLL", 600)
    found = House(database_url)
    yield found
    found.close()


@pytest.fixture
def elsewhere(database_url: str) -> Iterator[Database]:
    """The store as another process has it."""
    found = Database(database_url)
    yield found
    found.close()


@asynccontextmanager
async def following(database: Database, wake: Callable[[str], None]) -> AsyncIterator[None]:
    """Wakes at work, from the moment when it hears."""
    heard = asyncio.Event()

    def told(lane: str) -> None:
        heard.set()
        wake(lane)

    task = asyncio.create_task(Wakes(database, told).run())
    try:
        await asyncio.wait_for(heard.wait(), SOON)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not true():
            await asyncio.sleep(0.005)


def say(database: Database, person: tuple[int, int, str], key: str, after: float = 0) -> None:
    now = clock.now()
    said = [(key, Message((Text(key),)), now + timedelta(seconds=after))]
    database.run_now(lambda db: messages.say(db, said, person, now))


def test_what_another_process_wrote_leaves_at_once(house: House, elsewhere: Database) -> None:
    noy = house.member()

    async def play() -> None:
        async with following(house.database, lambda lane: house.sender.wake()):
            work = asyncio.create_task(house.sender.run())
            await until(lambda: house.sender._fence > 0)
            for number in range(3):
                await asyncio.to_thread(say, elsewhere, noy, f"say {number}")
                await until(lambda: len(house.provider.said) == number + 1)  # noqa: B023
            house.sender.stop()
            await work

    asyncio.run(play())
    assert house.provider.texts == ["say 0", "say 1", "say 2"]


@on_postgresql
def test_a_lost_listener_comes_back(house: House, elsewhere: Database) -> None:
    woken: list[str] = []
    end = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN %'"
    )

    def lose() -> Any:
        return elsewhere.run_now(lambda db: db.execute(end).scalar())

    async def play() -> None:
        async with following(house.database, woken.append):
            assert await asyncio.to_thread(lose) == 1
            await until(lambda: woken == ["", ""])  # it hears again, and has looked
            await asyncio.to_thread(say, elsewhere, noy, "again")
            await until(lambda: woken == ["", "", LANE])

    noy = house.member()
    asyncio.run(play())


def hear(house: House, *works: Callable[[], None]) -> list[str]:
    """The lanes that were woken by this, and by something else that follows at the end."""
    woken: list[str] = []

    async def play() -> None:
        async with following(house.database, woken.append):
            for work in works:
                await asyncio.to_thread(work)
            end = Database(house.database.url.render_as_string(hide_password=False))
            end.run_now(lambda db: mark_due(db, clock.now(), "the end"))
            await until(lambda: woken[-1] == "the end")
            end.close()

    asyncio.run(play())
    return woken[1:-1]


@on_postgresql
def test_nobody_is_woken_by_what_was_rolled_back(house: House, elsewhere: Database) -> None:
    noy = house.member()

    def fail(db: Any) -> None:
        messages.say(db, [("never", Message((Text("never"),)), clock.now())], noy, clock.now())
        raise ValueError

    def failing() -> None:
        with pytest.raises(ValueError):
            elsewhere.run_now(fail)

    assert hear(house, failing) == []


@on_postgresql
def test_nobody_is_woken_for_what_is_due_later(house: House, elsewhere: Database) -> None:
    noy = house.member()
    assert hear(house, lambda: say(elsewhere, noy, "later", after=60)) == []


@on_postgresql
def test_a_transaction_wakes_once_and_tells_no_more_than_the_lane(
    house: House, elsewhere: Database
) -> None:
    noy, now = house.member(), clock.now()

    def twice(db: Any) -> None:
        for key in ("one", "two"):
            messages.say(db, [(key, Message((Text(key),)), now)], noy, now)

    def many(db: Any) -> None:
        mark_due(db, now, "one/lane")
        mark_due(db, now, "another/lane")

    assert hear(house, lambda: elsewhere.run_now(twice)) == [LANE]
    assert hear(house, lambda: elsewhere.run_now(many)) == [""]


@on_postgresql
def test_the_owner_of_a_lane_tells_nobody(house: House, elsewhere: Database) -> None:
    noy = house.member()
    elsewhere.owned_lanes.add(LANE)
    assert hear(house, lambda: say(elsewhere, noy, "mine")) == []


@on_sqlite
def test_a_look_at_the_file_sees_every_connection(house: House, elsewhere: Database) -> None:
    woken: list[str] = []
    noy = house.member()

    async def play() -> None:
        async with following(house.database, woken.append):
            await asyncio.sleep(0.1)
            assert woken == [""]  # nothing is written: nobody is woken
            await asyncio.to_thread(say, elsewhere, noy, "one")
            await until(lambda: woken == ["", ""])

    asyncio.run(play())


@on_sqlite
def test_a_damaged_file_is_looked_at_again(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Whatever goes wrong with the look, it goes on."""
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 100)
    database = Database(f"sqlite:///{broken}")
    monkeypatch.setattr("bot.wakes.RETRY", 0.01)
    woken: list[str] = []

    async def play() -> None:
        task = asyncio.create_task(Wakes(database, woken.append).run())
        await asyncio.sleep(0.05)
        assert woken == []
        broken.unlink()
        await until(lambda: bool(woken))
        task.cancel()

    asyncio.run(play())
    database.close()
