"""Allowances: counted in the store, by all processes together; none is lost, none is in memory."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import func, select

from bot import allowances, clock, models, router
from bot.allowances import Allowance
from bot.db import Database, StoreDown
from bot.messages import Text
from bot.store import secrets, tallies
from tests.stage import Stage
from tests.test_facilitators import heard, staged

HOUR = timedelta(hours=1)


def opened(database_url: str) -> Database:
    database = Database(database_url)
    database.run_now(secrets.open_store)
    return database


def take(database: Database, who: int, now: datetime, most: int = 2) -> bool:
    return database.run_now(lambda db: tallies.take(db, "test", who, most, HOUR, now))


def test_so_much_and_no_more(database_url: str) -> None:
    database, now = opened(database_url), clock.now()
    assert [take(database, 1, now) for _ in range(4)] == [True, True, False, False]
    assert take(database, 2, now), "somebody else"
    assert not take(database, 1, now + timedelta(minutes=59)), "what was refused begins no new hour"
    assert [take(database, 1, now + HOUR) for _ in range(3)] == [True, True, False]
    database.close()


def test_is_over_counts_nothing(database_url: str) -> None:
    database, now = opened(database_url), clock.now()

    def over(later: timedelta = timedelta(0)) -> bool:
        return database.run_now(lambda db: tallies.is_over(db, "test", 1, 2, now + later))

    assert not over()
    take(database, 1, now)
    assert [over(), over(), over()] == [False] * 3
    take(database, 1, now)
    assert over() and not over(HOUR)
    database.run_now(lambda db: tallies.forget(db, "test", 1))
    assert not over()
    database.close()


def test_two_processes_count_together(database_url: str) -> None:
    """Two databases on one store, as two processes have them, all at once."""
    both, now = [opened(database_url), opened(database_url)], clock.now()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda n: take(both[n % 2], 1, now, most=7), range(40)))
    assert sum(taken) == 7
    for each in both:
        each.close()


def test_what_is_kept_tells_neither_who_nor_what(database_url: str) -> None:
    database, now = opened(database_url), clock.now()
    take(database, 424242, now)
    [row] = database.run_now(lambda db: db.execute(select(models.tallies)).all())
    assert len(row.key) == 16 and b"test" not in row.key and b"424242" not in row.key
    database.close()


@pytest.mark.parametrize("fails", ["open", "closed"])
def test_if_counting_fails(fails: Any, database_url: str) -> None:
    """Each says what happens then; the rest of the turn goes on."""
    database = opened(database_url)
    allowance = Allowance("test", 1, HOUR, "member", fails, Text("over"))

    def work(db: Any) -> bool:
        with mock.patch.object(tallies, "_key", lambda *_: "not bytes at all"):
            allowed = allowances.take(db, allowance, 1, clock.now())
        assert db.execute(select(func.count()).select_from(models.tallies)).scalar() == 0
        return allowed

    assert database.run_now(work) is (fails == "open")
    database.close()


def test_a_store_that_is_down_is_no_allowance(database_url: str) -> None:
    database = opened(database_url)

    def down(*_: Any) -> bytes:
        raise StoreDown("away")

    with mock.patch.object(tallies, "_key", down), pytest.raises(StoreDown):
        database.run_now(lambda db: allowances.take(db, allowances.QUESTIONS, 1, clock.now()))
    database.close()


def test_each_says_all_that_must_be_said() -> None:
    assert len({each.name for each in allowances.ALL}) == len(allowances.ALL)
    for each in allowances.ALL:
        assert each.most > 0 and each.per and each.over.msgid
    guesses = (allowances.CODES, allowances.RECEIPTS, allowances.SECRETS)
    assert all(each.fails == "closed" for each in guesses)
    assert allowances.REPORTS.fails == allowances.MESSAGES.fails == "open"


# Messages a minute -------------------------------------------------------------------------------


@dataclass
class Sender:
    heard_since: datetime | None = None
    heard_count: int = 0


def test_a_flood_is_answered_once() -> None:
    sender, now, said = Sender(), clock.now(), []
    for second in range(50):
        at = now + timedelta(seconds=second)
        said.append(allowances.flood(sender, at))
        sender.heard_since, sender.heard_count = allowances.heard(sender, at)
    most = allowances.MESSAGES.most
    assert said == [""] * most + ["begins"] + ["goes on"] * (49 - most)
    since, count = allowances.heard(sender, now + timedelta(minutes=1))
    assert (since, count) == (now + timedelta(minutes=1), 1)


def test_a_clock_that_went_back_locks_nobody_out() -> None:
    ahead = Sender(clock.now() + timedelta(days=1), 500)
    assert allowances.heard(ahead, clock.now())[1] == 1


HOOKED = "allowances" in inspect.getsource(router)


@pytest.mark.skipif(not HOOKED, reason="the router does not ask yet")
@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_what_came_in_a_flood_is_kept_and_not_passed_on(channel: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        eve = stage.add("Eve", channel, "en")
        stage.settle(eve, "weavers")
        most = allowances.MESSAGES.most
        for number in range(most + 20):
            await stage.say("Eve", f"Is anybody there who knows number {number}?")
        assert heard(eve, "That was very much at once.") == 1
        parked = select(models.inbox.c.reason).where(models.inbox.c.state == "parked")
        reasons = stage.app.database.run_now(lambda db: list(db.execute(parked).scalars()))
        assert reasons == ["flood"] * 20
        before = len(eve.heard)
        await stage.say("Eve", "help")
        assert len(eve.heard) > before, "help works in a flood"
        await stage.say("Eve", "stop")
        assert heard(eve, "No more messages from now on.") == 1
        await stage.later(timedelta(minutes=2))
        await stage.say("Eve", "start")
        assert heard(eve, "Good to have you back.") == 1

    staged(database_url, play)


# Where they are asked ----------------------------------------------------------------------------


def test_announcements_a_day(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        alex = stage.people["Alex"]
        for _number in range(allowances.ANNOUNCEMENTS.most + 1):
            await stage.say("Alex", "announce")
            await stage.say("Alex", "We meet on Friday.")
            await stage.choose("Alex", "Send")
        assert heard(alex, "It leaves in one minute.") == allowances.ANNOUNCEMENTS.most
        assert heard(alex, "That is as much as goes in one day.") == 1
        await stage.restart()
        await stage.say("Alex", "announce")
        await stage.say("Alex", "We meet on Friday.")
        await stage.choose("Alex", "Send")
        assert heard(alex, "That is as much as goes in one day.") == 2, "a restart forgets nothing"
        await stage.later(timedelta(days=1))
        await stage.say("Alex", "announce")
        await stage.say("Alex", "We meet on Friday.")
        await stage.choose("Alex", "Send")
        assert heard(alex, "It leaves in one minute.") == allowances.ANNOUNCEMENTS.most + 1

    staged(database_url, play)


def test_nothing_is_counted_in_memory() -> None:
    names = vars(allowances)
    assert not [
        name
        for name, each in names.items()
        if isinstance(each, dict | list | set) and not name.startswith("__")
    ]
