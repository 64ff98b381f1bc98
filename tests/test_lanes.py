"""Lanes: one owner at a time, fenced; whose place in line it is; what a provider's pause means."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import clock, models
from bot.channels import TryLater
from bot.db import Database
from bot.flight import TRIPS_AFTER
from bot.locks import LaneLock
from bot.messages import Rate
from bot.sender import LEASE, Sender
from bot.store import lanes
from bot.store.audiences import A_SECOND, Audience
from bot.store.lanes import LaneLost
from tests.child import PATIENCE
from tests.test_sender import LANE, House, Provider

SECOND = timedelta(seconds=1)


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url)
    yield found
    found.close()


def row(house: House) -> Any:
    return house.now(lambda db: db.execute(select(models.lanes)).one())


def lapse(house: House) -> None:
    """Its owner was silent for longer than its lease."""
    values = {"leased_until": clock.now() - LEASE}
    house.now(lambda db: db.execute(update(models.lanes).values(**values)))


# Ownership --------------------------------------------------------------------------------------


def test_an_owner_has_a_lease_by_the_clock_of_the_store(house: House) -> None:
    clock.move(timedelta(days=30))  # ours may be moved
    house.drain()
    left = row(house).leased_until.timestamp() - time.time()
    assert 0 < left <= LEASE.total_seconds() + 1
    assert house.now(lambda db: lanes.find_silent(db, LANE)) is None


def test_who_was_fenced_off_writes_nothing_down(house: House) -> None:
    [id_] = house.say(house.member(), "one")
    late = house.sender

    async def taken_over() -> None:
        house.now(lambda db: lanes.take(db, LANE, "another", LEASE))

    house.provider.before = taken_over
    with pytest.raises(LaneLost):
        house.drain(late)
    assert house.fate(id_)[0] == "sending"


def test_who_was_fenced_off_claims_nothing(house: House) -> None:
    house.drain()
    house.now(lambda db: lanes.take(db, LANE, "another", LEASE))
    house.say(house.member(), "one")
    with pytest.raises(LaneLost):
        house.drain()
    assert house.provider.texts == []


def test_nothing_leaves_when_the_lease_may_be_over(house: House) -> None:
    people = [house.member() for _ in range(3)]
    ids = [house.say(each, "news")[0] for each in people]
    sender = house.sender
    sender._leased = lambda _begun: None  # type: ignore[method-assign]  # it was never made longer

    async def work() -> None:
        await sender._round()
        await asyncio.wait(sender.flight.tasks)

    asyncio.run(work())
    assert house.provider.texts == []
    house.new_owner()
    house.drain()
    clock.move(timedelta(seconds=35))
    house.drain()
    assert sorted(house.provider.texts) == ["news"] * 3
    assert {house.fate(id_)[0] for id_ in ids} == {"sent"}


def test_a_silent_owner_is_succeeded_and_a_living_one_is_not(house: House) -> None:
    elsewhere = Database(house.database.url.render_as_string(hide_password=False))

    async def work() -> tuple[bool, bool, bool]:
        silent, next_ = LaneLock(elsewhere, LANE), LaneLock(house.database, LANE)
        assert await silent.acquire()
        house.now(lambda db: lanes.take(db, LANE, elsewhere.name, LEASE))
        other = Sender(
            house.database, house.provider, house.sender.flight._conversations, house.files
        )
        other._lock = next_
        lived = await next_.acquire() or await other._succeed()
        lapse(house)
        async with asyncio.timeout(PATIENCE):  # PostgreSQL ends the silent one in its own time
            while not (succeeded := await other._succeed()):
                await asyncio.sleep(0.01)
        third = LaneLock(house.database, LANE)
        again = await third.acquire()
        for each in (silent, next_, third):
            await each.release()
        return lived, succeeded, again

    assert asyncio.run(work()) == (False, True, False)
    elsewhere.close()


def test_a_lane_is_given_back(house: House) -> None:
    async def work() -> None:
        running = asyncio.create_task(house.sender.run())
        while not house.sender._fence:
            await asyncio.sleep(0.01)
        assert row(house).owner is not None
        house.sender.stop()
        await asyncio.wait_for(running, PATIENCE)

    asyncio.run(work())
    assert (row(house).owner, row(house).leased_until) == (None, None)


def test_the_lease_is_made_longer(house: House) -> None:
    house.drain()
    before = row(house).leased_until
    house.sender._renew_at = 0.0
    time.sleep(0.01)
    house.drain()
    assert row(house).leased_until > before


# The next owner goes on with pauses and rates ---------------------------------------------------


def test_a_pause_goes_over_to_the_next_owner(house: House) -> None:
    house.say(house.member(), "one")
    house.provider.answers = [TryLater("429", 30 * SECOND, whole_lane=True)]
    house.drain()
    assert row(house).paused_why == "429"
    house.say(house.member(), "two")
    house.new_owner()
    house.drain()
    assert house.provider.texts == ["one"]
    clock.move(31 * SECOND)
    house.drain()
    assert sorted(house.provider.texts) == ["one", "one", "two"]


def test_nothing_overtakes_what_the_last_owner_must_try_again(house: House) -> None:
    noy = house.member()
    house.say(noy, "one")
    house.provider.answers = [TryLater("429", 30 * SECOND)]
    house.drain()
    house.say(noy, "two")
    house.new_owner()
    house.drain()
    assert house.provider.texts == ["one"]
    clock.move(31 * SECOND)
    house.drain()
    assert house.provider.taken == ["one", "two"]


def test_the_rates_go_over_to_the_next_owner(database_url: str) -> None:
    house = House(database_url, Provider(rate=Rate(2, 60)))
    for number in range(2):
        house.say(house.member(), f"{number}")
    house.drain()  # keeps no rates
    sender = house.new_owner()
    house.now(sender._take_over)
    assert sender.flight.meters.room(64, clock.steady()) == 0
    house.close()


@pytest.mark.parametrize(("written", "paused"), [(1, True), (4, True), (5, False)])
def test_whom_a_provider_means_that_does_not_say_it(
    house: House, written: int, paused: bool
) -> None:
    """Who got less than may be is not the one who got too much: we are."""
    house.provider.limits = Provider(chat_rate=Rate(5, 5)).limits
    noy = house.member()
    house.say(noy, *(f"{n}" for n in range(written)))
    none = [None] * (written - 1)
    house.provider.answers = [*none, TryLater("429", 30 * SECOND, whole_lane=None)]
    house.sender.flight._channel = house.provider
    drain_with_rates(house)
    assert house.sender.flight.is_paused is paused


def drain_with_rates(house: House) -> None:
    """As life is."""
    sender = house.new_owner()

    async def work() -> None:
        while await sender._round() or sender.flight.tasks or sender.flight.returned:
            if sender.flight.tasks:
                await asyncio.wait(sender.flight.tasks)

    asyncio.run(work())


def test_who_gets_much_waits_and_others_go_first(database_url: str) -> None:
    house = House(database_url, Provider(chat_rate=Rate(2, 30)))
    noy, dara = house.member(), house.member()
    house.say(noy, "1", "2", "3", "4")
    house.say(dara, "a")
    drain_with_rates(house)
    assert sorted(house.provider.texts) == ["1", "2", "a"]
    clock.move(31 * SECOND)
    house.drain()
    assert [each for each in house.provider.taken if each != "a"] == ["1", "2", "3", "4"]
    house.close()


def test_a_provider_that_takes_nothing_is_left_alone(house: House) -> None:
    people = [house.member() for _ in range(3 * TRIPS_AFTER)]
    for each in people:
        house.say(each, "news")
    house.provider.answers = [TryLater("connect", SECOND) for _ in range(500)]
    for _number in range(20):
        house.drain()
        clock.move(SECOND)
    tried = len(house.provider.said)
    assert tried < 8 * len(people)
    house.provider.answers.clear()
    for _number in range(15):
        clock.move(timedelta(minutes=2))
        house.drain()
    assert house.provider.taken == ["news"] * len(people)


# In line ----------------------------------------------------------------------------------------


def test_a_small_community_does_not_wait_behind_a_large_one(house: House) -> None:
    many = [house.member() for _ in range(20 * A_SECOND)]
    few = [house.member() for _ in range(3)]
    house.tell(house.community(*many), "to many")
    clock.move(SECOND)
    house.tell(house.community(*few), "to few")
    house.drain()
    last = max(n for n, text in enumerate(house.provider.texts) if text == "to few")
    assert last < len(many) / 2
    assert len(house.provider.texts) == len(many) + len(few)


def test_what_one_community_says_stays_in_order(house: House) -> None:
    people = [house.member() for _ in range(5 * A_SECOND)]
    audience = house.community(*people)
    for number in range(3):
        house.tell(audience, f"{number}")
    house.drain()
    heard: dict[str, list[str]] = {}
    for said in house.provider.said:
        heard.setdefault(said.to, []).append(said.text)
    assert {tuple(each) for each in heard.values()} == {("0", "1", "2")}


def test_later_words_stand_behind_in_every_chunk(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.audiences.FAN_OUT", 15)
    audience = house.community(*(house.member() for _ in range(40)))
    first, then = house.tell(audience, "first"), house.tell(audience, "then")
    house.drain()
    places: dict[int, dict[int, int]] = {}
    table = models.deliveries.c
    wanted = select(table.member_id, table.message_id, table.place)
    for member_id, message_id, place in house.now(lambda db: db.execute(wanted).all()):
        places.setdefault(member_id, {})[message_id] = place
    assert all(each[first] <= each[then] for each in places.values())
    assert len(places) == 40


def test_a_question_does_not_wait_for_a_broadcast(house: House) -> None:
    many = [house.member() for _ in range(150)]
    house.tell(house.community(*many), "news")
    house.tell(Audience("member", many[-1][1]), "question", "thread")
    house.drain()
    assert house.provider.texts.index("question") < 70


# What waits for an hour of the day --------------------------------------------------------------


def test_who_sleeps_is_not_looked_at_again_and_again(house: House) -> None:
    clock.stand()
    noon = clock.now().replace(hour=12, minute=0)
    clock.move(noon - clock.now() + timedelta(days=1))
    sleeping = {"quiet_from": 11 * 60, "quiet_until": 13 * 60, "timezone": "UTC"}
    people = [house.member(**sleeping) for _ in range(30)]
    house.tell(house.community(*people), "news")
    house.drain()
    waiting = select(func.count()).select_from(models.deliveries).where(models.WAITING)
    assert house.now(lambda db: db.execute(waiting).scalar_one()) == 0
    clock.move(timedelta(minutes=59))
    house.drain()
    assert house.provider.texts == []
    clock.move(timedelta(minutes=2))
    house.drain()
    assert house.provider.texts == ["news"] * 30
    clock.go_on()
