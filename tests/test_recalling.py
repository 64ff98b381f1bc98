"""What came in while we could not hear: fetched from the provider, in order, once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import clock, models
from bot.app import App
from bot.channels import Unknown
from bot.channels.whatsapp import WhatsApp
from bot.db import StoreDown
from bot.messages import Inbound
from bot.recalling import MARGIN, OVERLAP
from bot.settings import Settings
from bot.store import hearings
from tests.channels import ACCOUNT, AUTH, HOOK, PUBLIC, SENDER, form, sign
from tests.fakes.process import Fake
from tests.test_cli import Shell, shell

__all__ = ["shell"]

NOY = "whatsapp:+8562055512345"
LANE = WhatsApp(ACCOUNT, AUTH, SENDER, "http://127.0.0.1:1", PUBLIC).lane


@pytest.fixture(scope="module")
def one_twilio() -> Iterator[Fake]:
    with Fake("twilio", "--auth-token", AUTH) as fake:
        yield fake


@pytest.fixture
def twilio(one_twilio: Fake) -> Fake:
    one_twilio.reset()
    return one_twilio


class House:
    """The bot with one WhatsApp number at a strict provider."""

    def __init__(self, database_url: str, fake: Fake) -> None:
        clock.move(timedelta(0))
        self.fake = fake
        self.channel = WhatsApp(ACCOUNT, AUTH, SENDER, fake.url, PUBLIC)
        settings = Settings(_env_file=None, database_url=database_url, public_url=PUBLIC)  # type: ignore[call-arg]
        self.app = App(settings, [self.channel])
        self.run = self.app.database.run_now

    async def close(self) -> None:
        await self.channel.close()
        self.app.database.close()

    def wrote(self, *said: tuple[str, int], **more: Any) -> None:
        """People wrote to Twilio so many seconds ago: (text, seconds)."""
        self.fake.control(
            inbound=[
                {
                    "sid": f"SM{text.encode().hex():0>32}"[:34],
                    "account_sid": ACCOUNT,
                    "from": NOY,
                    "to": SENDER,
                    "body": text,
                    "seconds_ago": seconds,
                    **more,
                }
                for text, seconds in said
            ]
        )

    def taken(self) -> int:
        return self.run(lambda db: db.execute(select(func.count(models.inbox.c.id))).scalar_one())


def play(database_url: str, fake: Fake, act: Any) -> None:
    async def run() -> None:
        house = House(database_url, fake)
        try:
            await act(house)
        finally:
            await house.close()

    asyncio.run(run())


def test_what_was_missed_comes_in_order_and_once(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        heard: list[str] = []
        take = house.app.router.take

        async def listen(inbound: Inbound) -> None:
            heard.append(inbound.text)
            await take(inbound)

        house.app.router.take = listen  # type: ignore[method-assign]
        house.wrote(("third", 200), ("first", 400), ("second", 300))
        found = await house.app.recaller.recall(house.channel)
        assert (found.listed, found.missed) == (3, 3)
        assert heard == ["first", "second", "third"]
        for _again in range(2):
            found = await house.app.recaller.recall(house.channel)
            assert (found.listed, found.missed) == (3, 0)
        assert house.taken() == 3

    play(database_url, twilio, act)


def test_what_came_by_its_webhook_is_not_taken_twice(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        house.wrote(("hello", 300))
        sid = f"SM{b'hello'.hex():0>32}"[:34]
        body = form({"MessageSid": sid, "From": NOY, "To": SENDER, "Body": "hello"})
        await house.app.take(house.channel, house.channel.receive(HOOK, sign(body), body))
        assert house.taken() == 1
        assert (await house.app.recaller.recall(house.channel)).missed == 0
        # and the other way round: the webhook comes at last
        house.wrote(("late", 300))
        assert (await house.app.recaller.recall(house.channel)).missed == 1
        late = f"SM{b'late'.hex():0>32}"[:34]
        body = form({"MessageSid": late, "From": NOY, "To": SENDER, "Body": "late"})
        await house.app.take(house.channel, house.channel.receive(HOOK, sign(body), body))
        assert house.taken() == 2

    play(database_url, twilio, act)


def test_what_is_just_coming_is_left_to_its_webhook(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        house.wrote(("fresh", 5), ("older", 300))
        assert (await house.app.recaller.recall(house.channel)).missed == 1

    play(database_url, twilio, act)


def test_many_pages(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        house.wrote(*((f"m{n}", 1000 - n) for n in range(450)))
        since = clock.now() - timedelta(hours=1)
        found = await house.channel.recall(since)
        assert [each.text for each in found] == [f"m{n}" for n in range(450)]
        asked = [e for e in twilio.accepted("GET") if e["path"].endswith("/Messages.json")]
        assert len(asked) == 3

    play(database_url, twilio, act)


def test_media_are_fetched_with_their_addresses(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        house.wrote(("look", 300), num_media=1)
        sid = f"SM{b'look'.hex():0>32}"[:34]
        file = {"content_type": "audio/ogg", "base64": "", "message_sid": sid}
        twilio.control(media={"ME" + "1" * 32: file})
        [found] = await house.channel.recall(clock.now() - timedelta(hours=1))
        [media] = found.files
        assert (media.kind, media.mime) == ("voice", "audio/ogg")
        assert media.reference.endswith(f"/Messages/{sid}/Media/ME{'1' * 32}")

    play(database_url, twilio, act)


def test_ours_are_not_hers(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        await house.channel._messages().create_async(to=NOY, from_=SENDER, body="ours")
        assert await house.channel.recall(clock.now() - timedelta(hours=1)) == []

    play(database_url, twilio, act)


def test_the_last_good_time_goes_forward_only(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        before = clock.now()
        await house.app.recaller.recall(house.channel)
        heard = house.run(lambda db: hearings.find(db, LANE))
        assert heard is not None
        assert before - MARGIN <= heard <= clock.now() - MARGIN
        house.run(lambda db: hearings.mark(db, LANE, before - timedelta(days=3)))
        assert house.run(lambda db: hearings.find(db, LANE)) == heard
        clock.move(timedelta(days=2))
        twilio.control(clock_offset=2 * 24 * 3600)
        house.wrote(("after the outage", 3600))
        found = await house.app.recaller.recall(house.channel)
        assert found.since == heard - OVERLAP
        assert found.missed == 1
        clock.move(timedelta(days=-2))

    play(database_url, twilio, act)


def test_a_provider_that_does_not_answer_moves_nothing(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        twilio.control(fail=[{"match": {"method": "GET"}, "status": 500, "times": 2}])
        with pytest.raises(Unknown):
            await house.app.recaller.recall(house.channel)
        assert house.run(lambda db: hearings.find(db, LANE)) is None
        await house.app.recaller._look(house.channel)  # says so in the log and goes on

    play(database_url, twilio, act)


def test_a_store_that_goes_away_in_between_loses_nothing(database_url: str, twilio: Fake) -> None:
    async def act(house: House) -> None:
        house.wrote(("one", 400), ("two", 300))
        take, count = house.app.router.take, 0

        async def once(inbound: Inbound) -> None:
            nonlocal count
            count += 1
            if count == 2:
                raise StoreDown("away")
            await take(inbound)

        house.app.router.take = once  # type: ignore[method-assign]
        with pytest.raises(StoreDown):
            await house.app.recaller.recall(house.channel)
        assert house.run(lambda db: hearings.find(db, LANE)) is None
        assert (await house.app.recaller.recall(house.channel)).missed == 1
        assert house.taken() == 2

    play(database_url, twilio, act)


def test_the_command(
    shell: Shell, database_url: str, twilio: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.set(
        DATABASE_URL=database_url,
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN=AUTH,
        TWILIO_WHATSAPP_FROM=SENDER,
        TWILIO_API_URL=twilio.url,
        PUBLIC_URL=PUBLIC,
    )
    house = House(database_url, twilio)
    house.wrote(("one", 400), ("two", 300))
    since = (clock.now() - timedelta(hours=1)).isoformat()
    asyncio.run(house.close())
    said = [shell("whatsapp", "reconcile", "--since", since).out for _again in range(2)]
    assert said[0].startswith("2 messages since 20")
    assert said[0].endswith("UTC; 2 had been missed and are taken in now.\n")
    assert said[1].endswith("UTC; 0 had been missed and are taken in now.\n")
    assert shell("whatsapp", "reconcile", "--since", "yesterday").code == 2
    twilio.control(fail=[{"match": {"method": "GET"}, "status": 503, "times": 2}])
    assert "try again" in shell.fails("whatsapp", "reconcile")
