"""Receipts: what a provider could not bring home is said again, once it may, and nothing twice."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot import clock, models
from bot.channels.whatsapp import errors
from bot.messages import Choice, Message, Text
from bot.store import audiences, receipts, templates
from bot.store import messages as outbox
from bot.store.audiences import Audience
from bot.store.templates import Kept
from tests.channels import HOOK, PUBLIC, form, sign, whatsapp
from tests.channels.test_whatsapp import play, state
from tests.stage import Person, Stage

Act = Callable[[Stage, Person], Coroutine[Any, Any, None]]
LONG = timedelta(hours=1)
_keys = itertools.count()


def tell(stage: Stage, message: Message) -> int:
    def work(db: Any) -> int:
        wanted = select(models.members.c.id).order_by(models.members.c.id).limit(1)
        member_id = db.execute(wanted).scalar_one()
        added = outbox.add(db, f"r/{next(_keys)}", "thread", message, clock.now())
        assert added is not None
        audiences.tell(db, added, "thread", Audience("member", member_id), clock.now())
        return added

    return stage.app.database.run_now(work)


def sends(stage: Stage) -> list[dict[str, Any]]:
    return [each["fields"] for each in stage.requests if "To" in each["fields"]]


async def call_back(stage: Stage, person: Person, bubble: int, status: str, code: str = "") -> None:
    """As Twilio calls back about the bubble she got as her n-th: with its id, to its address."""
    address = sends(stage)[bubble]["StatusCallback"]
    body = form(
        {
            "MessageSid": person.heard[bubble].id,
            "MessageStatus": status,
            "ErrorCode": code,
        }
    )
    url = address.removeprefix(PUBLIC)
    channel = next(each for each in stage.app.channels if each.name == "whatsapp")
    await stage.app.take(channel, channel.receive(url, sign(body, url), body))


def row(stage: Stage, table: Any, *columns: Any) -> Any:
    return stage.app.database.run_now(lambda db: db.execute(select(*columns)).first())


def said(*words: str) -> Message:
    return Message(tuple(Text(each) for each in words))


@pytest.mark.parametrize("code", sorted(each.code for each in errors.ROWS if each.means == "later"))
def test_what_may_be_tried_later_is_said_once_more(code: int, database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("news"))
        await stage.deliver()
        await call_back(stage, noy, 0, "undelivered", str(code))
        assert state(stage, id_) == "queued"
        found = row(stage, models.deliveries, models.deliveries.c.due_at)
        assert found.due_at >= clock.now() + receipts.FIRST_WAIT - timedelta(seconds=1)
        await stage.deliver()
        assert len(noy.heard) == 1, "not at once"
        clock.move(LONG)
        await stage.deliver()
        assert [each.text for each in noy.heard] == ["news", "news"]
        await call_back(stage, noy, 1, "delivered")
        assert state(stage, id_) == "delivered"

    play(database_url, act)


def test_what_is_told_again_of_the_first_attempt_changes_nothing(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("news"))
        await stage.deliver()
        for _again in range(3):
            await call_back(stage, noy, 0, "failed", "63018")
        await call_back(stage, noy, 0, "sent")
        assert state(stage, id_) == "queued"
        clock.move(LONG)
        await stage.deliver()
        for status, code in [("failed", "63018"), ("sent", ""), ("failed", "63024")]:
            await call_back(stage, noy, 0, status, code)
            assert state(stage, id_) == "sent"
        clock.move(LONG)
        await stage.deliver()
        assert len(noy.heard) == 2

    play(database_url, act)


def test_what_arrived_after_all_is_not_said_again(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("news"))
        await stage.deliver()
        await call_back(stage, noy, 0, "failed", "63018")
        await call_back(stage, noy, 0, "delivered")
        assert state(stage, id_) == "delivered"
        clock.move(LONG)
        await stage.deliver()
        assert len(noy.heard) == 1

    play(database_url, act)


def test_a_failure_before_our_own_note(database_url: str) -> None:
    """Twilio's callback overtakes its answer."""

    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("news"))
        channel = next(each for each in stage.app.channels if each.name == "whatsapp")
        send = channel.send

        async def early(message: Any) -> str | None:
            sid = await send(message)
            if len(noy.heard) == 1:
                await call_back(stage, noy, 0, "failed", "63018")
            return sid

        channel.send = early  # type: ignore[method-assign]
        await stage.deliver()
        assert state(stage, id_) == "queued"
        clock.move(LONG)
        await stage.deliver()
        assert state(stage, id_) == "sent"
        assert len(noy.heard) == 2

    play(database_url, act)


def test_not_for_ever(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("news"))
        await stage.deliver()
        for attempt in range(receipts.MOST_REPEATS + 1):
            assert len(noy.heard) == attempt + 1
            await call_back(stage, noy, attempt, "failed", "63018")
            clock.move(LONG)
            await stage.deliver()
        assert state(stage, id_) == "failed"
        assert len(noy.heard) == receipts.MOST_REPEATS + 1

    play(database_url, act)


@pytest.mark.parametrize("part", [0, 1])
def test_only_the_part_that_failed_is_said_again(part: int, database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("first " * 200, "second " * 200))
        await stage.deliver()
        assert len(noy.heard) == 2
        for status in ("sent", "delivered"):
            await call_back(stage, noy, 1 - part, status)
        await call_back(stage, noy, part, "failed", "63018")
        clock.move(LONG)
        await stage.deliver()
        assert len(noy.heard) == 3
        assert noy.heard[2].text == noy.heard[part].text
        assert state(stage, id_) == "sent"
        await call_back(stage, noy, 2, "read")
        assert state(stage, id_) == "delivered"

    play(database_url, act)


def test_settings_hold_the_lane_and_lose_nothing(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("news"))
        await stage.deliver()
        await call_back(stage, noy, 0, "failed", "63112")
        assert state(stage, id_) == "queued"
        paused = (models.lanes.c.paused_until, models.lanes.c.paused_why)
        wanted = select(*paused).where(models.lanes.c.name == whatsapp().lane)
        found = stage.app.database.run_now(lambda db: db.execute(wanted).one())
        assert found.paused_why == "63112"
        assert found.paused_until > clock.now()
        clock.move(LONG)
        await stage.deliver()
        assert state(stage, id_) == "sent"

    play(database_url, act)


def test_a_picture_that_cannot_be_fetched_is_said_in_words(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, Message((Text("the link"),), qr="https://example.org"))
        await stage.deliver()
        assert sends(stage)[-1]["MediaUrl"]
        await call_back(stage, noy, 0, "undelivered", "63019")
        clock.move(LONG)
        await stage.deliver()
        assert "MediaUrl" not in sends(stage)[-1]
        assert noy.heard[-1].text == "the link"
        assert state(stage, id_) == "sent"

    play(database_url, act)


def test_choices_said_once_more_can_be_chosen(database_url: str) -> None:
    choices = (Choice("threads.show:101", Text("One")), Choice("threads.show:102", Text("Two")))

    async def act(stage: Stage, noy: Person) -> None:
        tell(stage, Message((Text("Which?"),), choices))
        await stage.deliver()
        await call_back(stage, noy, 0, "failed", "63018")
        clock.move(LONG)
        await stage.deliver()
        assert noy.heard[0].text == noy.heard[1].text
        shown = select(models.prompts.c.token)
        tokens = stage.app.database.run_now(lambda db: list(db.execute(shown).scalars()))
        assert len(set(tokens)) == 2, "the first one still counts, should it arrive"

    play(database_url, act)


@pytest.mark.parametrize(
    ("code", "became"), [(63040, "rejected"), (63041, "paused"), (63042, "disabled")]
)
def test_a_template_that_passes_no_more_is_not_chosen_again(
    code: int, became: str, database_url: str
) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        lane, run = whatsapp().lane, stage.app.database.run_now
        for language in ("en", "lo"):
            kept = Kept(lane, "nudge", language, "en", "HX1", "h", "approved", None, clock.now())
            run(lambda db, kept=kept: templates.save(db, kept))
        tell(stage, said("news"))
        await stage.deliver()
        await call_back(stage, noy, 0, "failed", str(code))
        assert run(lambda db: templates.find_approved(db, lane, "nudge", "en")) is None
        assert run(lambda db: templates.find_approved(db, lane, "nudge", "lo")) == "HX1"
        [mine] = [e for e in run(lambda db: templates.list_of(db, lane)) if e.language == "en"]
        assert (mine.state, mine.reason) == (became, str(code))

    play(database_url, act)


def test_it_is_known_when_a_provider_last_told(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        told = models.dispatches.c.told_at
        tell(stage, said("news"))
        await stage.deliver()
        assert row(stage, models.dispatches, told).told_at is None
        await call_back(stage, noy, 0, "delivered")
        first = row(stage, models.dispatches, told).told_at
        assert abs(first - clock.now()) < timedelta(minutes=1)
        clock.move(LONG)
        await call_back(stage, noy, 0, "sent")
        assert row(stage, models.dispatches, told).told_at == first
        await call_back(stage, noy, 0, "read")
        assert row(stage, models.dispatches, told).told_at > first + LONG / 2

    play(database_url, act)


ENDS = [
    (("sent", ""), ("delivered", ""), ("read", "")),
    (("sent", ""), ("failed", "63018"), ("delivered", "")),
    (("sent", ""), ("failed", "63024"), ("delivered", "")),
    (("sent", ""), ("failed", "99999"), ("read", "")),
]


@pytest.mark.parametrize("told", ENDS, ids=lambda told: "-".join(each[0] for each in told))
def test_in_any_order_and_repeated_the_end_is_the_same(told: Any, database_url: str) -> None:
    """Whatever was said in between: what has arrived has arrived."""

    async def act(stage: Stage, noy: Person) -> None:
        dice = random.Random(7)
        for _round in range(5):
            id_ = tell(stage, said("news"))
            await stage.deliver()
            bubble = len(noy.heard) - 1
            mixed = [*told, *told]
            dice.shuffle(mixed)
            for status, code in mixed:
                await call_back(stage, noy, bubble, status, code)
            assert state(stage, id_) == told[-1][0], mixed
            await stage.say("Noy", "menu")  # she can be reached
            stage.requests[:] = [each for each in stage.requests if "To" in each["fields"]]
            noy.unread.clear()

    play(database_url, act)


def test_what_was_dropped_meanwhile_stays_so(database_url: str) -> None:
    async def act(stage: Stage, noy: Person) -> None:
        id_ = tell(stage, said("news"))
        await stage.deliver()
        dropped = models.deliveries.update().values(state="dropped")
        stage.app.database.run_now(lambda db: db.execute(dropped))
        await call_back(stage, noy, 0, "failed", "63018")
        assert state(stage, id_) == "dropped"

    play(database_url, act)


def test_a_callback_url_is_all_that_a_receipt_needs() -> None:
    body = form({"MessageStatus": "failed", "ErrorCode": "63018", "SmsSid": "SM1"})
    url = f"{HOOK}?d=token1"
    [found] = whatsapp().receive(url, sign(body, url), body)
    assert (found.state, found.token, found.id) == ("later", "token1", None)  # type: ignore[union-attr]
