"""Facilitators on their phones: what happens at once, too late, to nobody, and in need."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from unittest import mock

from sqlalchemy import update

from bot import models
from bot.store import lanes
from tests.stage import SECRET, Person, Stage

HELP = {
    "en": "Example helpline, 100, day and night",
    "lo": "ສາຍດ່ວນຕົວຢ່າງ, 100, ກາງເວັນ ແລະ ກາງຄືນ",
    "km": "ខ្សែបន្ទាន់ឧទាហរណ៍, 100, ទាំងថ្ងៃទាំងយប់",
}
ABROAD = dict.fromkeys(HELP, "Helpline abroad, 200")


def programme(**rules: Any) -> dict[str, Any]:
    names = dict.fromkeys(HELP, "Weavers")
    community = {"slug": "weavers", "names": names, "language": "lo"} | rules
    about = {
        "slug": "test",
        "names": names,
        "contact": "help@example.org",
        "help": [{"country": "KH", "words": ABROAD}, {"country": "LA", "words": HELP}],
    }
    return {"programme": about, "communities": [community | {"timezone": "Asia/Vientiane"}]}


def staged(database_url: str, play: Callable[[Stage], Awaitable[None]], **rules: Any) -> None:
    """Alex and Mali facilitate; Noy is a member."""

    async def run() -> None:
        stage = Stage(database_url)
        stage.load(programme(**rules))
        for name, channel, role in (
            ("Alex", "telegram", "facilitator"),
            ("Mali", "telegram", "facilitator"),
            ("Noy", "whatsapp", "member"),
        ):
            stage.settle(stage.add(name, channel, "en"), "weavers", role)
        try:
            await play(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


async def wait_outside(stage: Stage, names: list[str]) -> list[Person]:
    """People with a code who wait to be welcomed."""
    code = stage.code("weavers")
    people = [stage.add(name, "telegram", "en") for name in names]
    for person in people:
        await stage.say(person.name, code)
        for label in ("English", "I agree", person.name, "Skip"):
            await stage.choose(person.name, label)
    return people


def tap(stage: Stage, name: str, label: str) -> Awaitable[None]:
    """Her tap on the way in, together with somebody else's."""
    person = stage.people[name]
    bubble = next(each for each in reversed(person.heard) if f"[{label}]" in str(each))
    data = dict(bubble.buttons)[label]
    update = person.phone.tap(data, int(bubble.id.rpartition("/")[2]))
    channel = stage.channel(person)
    headers = {"x-telegram-bot-api-secret-token": SECRET}
    return stage.app.take(
        channel, channel.receive("/webhooks/telegram", headers, json.dumps(update).encode())
    )


def heard(person: Person, words: str) -> int:
    return sum(words in each.text for each in person.heard)


def test_two_facilitators_welcome_at_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        people = await wait_outside(stage, ["Dara", "Bopha", "Kham"])
        await asyncio.gather(
            tap(stage, "Alex", "Welcome all 3"), tap(stage, "Mali", "Welcome all 3")
        )
        await stage.deliver()
        for person in people:
            assert heard(person, "Welcome to Weavers!") == 1
        done = [heard(stage.people[each], "3 newcomers are in") for each in ("Alex", "Mali")]
        late = [heard(stage.people[each], "Nobody waits") for each in ("Alex", "Mali")]
        assert sorted(done) == sorted(late) == [0, 1]

    staged(database_url, play, approval=True)


def test_all_are_those_who_waited_then(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        known = await wait_outside(stage, ["Dara", "Bopha"])
        button = next(each for each in reversed(stage.people["Mali"].heard) if each.buttons)
        [unknown] = await wait_outside(stage, ["Kham"])
        data = dict(button.buttons)["Welcome all 2"]
        mali = stage.people["Mali"]
        await stage.update(mali, mali.phone.tap(data, int(button.id.rpartition("/")[2])))
        assert [heard(each, "Welcome to Weavers!") for each in known] == [1, 1]
        assert heard(unknown, "Welcome to Weavers!") == 0

    staged(database_url, play, approval=True)


def test_one_newcomer_is_welcomed_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        [person] = await wait_outside(stage, ["Dara"])
        await asyncio.gather(tap(stage, "Alex", "Welcome"), tap(stage, "Mali", "Welcome"))
        await stage.deliver()
        assert heard(person, "Welcome to Weavers!") == 1
        told = [heard(stage.people[each], "decided already") for each in ("Alex", "Mali")]
        assert sorted(told) == [0, 1]

    staged(database_url, play, approval=True)


def test_a_community_that_ended_lets_nobody_in(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Alex", "invite")
        code = stage.code("weavers")
        stage.load(programme(ended=True))
        stage.add("Dara", "telegram", "en")
        await stage.say("Dara", code)
        assert heard(stage.people["Dara"], "This code does not open anything now.") == 1
        await stage.choose("Alex", "End it")
        await stage.say("Alex", "invite")
        assert heard(stage.people["Alex"], "That group has ended") == 1
        assert heard(stage.people["Alex"], "Only facilitators of a group can do this.") == 1
        await stage.say("Noy", "Is anybody there who knows natural dyes?")
        assert heard(stage.people["Noy"], "With an invite code you can join a group") == 1

    staged(database_url, play)


def test_a_community_that_opens_again_has_its_people(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        stage.load(programme(ended=True))
        stage.load(programme(ended=False))
        await stage.say("Alex", "facilitate")
        assert heard(stage.people["Alex"], "3 members in Weavers.") == 1

    staged(database_url, play)


def test_an_announcement_that_is_too_long_or_no_text(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.later(timedelta(days=2))  # nobody on WhatsApp can be written to
        await stage.say("Alex", "announce")
        await stage.send_file("Alex", "sticker")
        assert heard(stage.people["Alex"], "Please say it in words") == 1
        await stage.say("Alex", "long " * 300)
        assert heard(stage.people["Alex"], "That is too long for one message.") == 1
        await stage.say("Alex", "We meet on Friday.")
        await stage.choose("Alex", "Send")
        await stage.later(timedelta(minutes=2))
        assert heard(stage.people["Mali"], "We meet on Friday.") == 1
        assert heard(stage.people["Noy"], "We meet on Friday.") == 0  # her window is closed
        await stage.say("Noy", "hello")
        assert heard(stage.people["Noy"], "We meet on Friday.") == 1

    staged(database_url, play)


def test_help_is_near_in_a_discreet_community(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        noy = stage.people["Noy"]
        await stage.say("Noy", "He has beaten me again and I am afraid of tonight.")
        await stage.listen("Noy")
        await stage.choose("Noy", "Get help now")
        assert heard(noy, HELP["en"]) == 1
        assert heard(noy, ABROAD["en"]) == 0, "her own country only"
        assert "Your question:" in noy.heard[-2].text, "the draft is still there"
        await stage.choose("Noy", "Cancel")
        await stage.say("Noy", "emergency")
        assert heard(noy, HELP["en"]) == 2

    staged(database_url, play, discreet=True)


def test_help_in_her_own_language(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        khammany = stage.add("Khammany", "whatsapp", "lo")
        stage.settle(khammany, "weavers")
        await stage.say("Khammany", "help now")
        assert heard(khammany, HELP["lo"]) == 1

    staged(database_url, play)


def test_pictures_travel_as_pictures(database_url: str) -> None:
    """WhatsApp is given an address to fetch, which shows nothing but the code's link."""

    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Kham", "whatsapp", "en"), "weavers", "facilitator")
        await stage.say("Kham", "invite")
        sent = [each["fields"] for each in stage.requests if "MediaUrl" in each["fields"]]
        assert len(sent) == 2
        assert all(each["MediaUrl"].startswith("https://bot.example.org/files/") for each in sent)
        assert all(each["MediaUrl"].endswith(".png") for each in sent)

    staged(database_url, play)


# Lanes that are no more -------------------------------------------------------------------------


def on_an_old_number(stage: Stage, person: Person) -> None:
    """The bot had another WhatsApp number when she came."""

    def work(db: Any) -> None:
        lane, old = stage.channel(person).lane, "whatsapp/0ld"
        addresses = models.addresses
        db.execute(update(addresses).where(addresses.c.lane == lane).values(lane=old))
        lanes.save_link(db, old, "https://wa.me/0ld?text=")

    stage.app.database.run_now(work)


def test_an_announcement_where_somebody_is_on_an_old_number(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        on_an_old_number(stage, stage.people["Noy"])
        await stage.say("Alex", "announce")
        await stage.say("Alex", "We meet on Friday.")
        await stage.choose("Alex", "Send")
        await stage.later(timedelta(minutes=2))
        assert heard(stage.people["Mali"], "We meet on Friday.") == 1

    staged(database_url, play)


def test_no_link_leads_to_an_old_number(database_url: str) -> None:
    """It may be somebody else's by now."""

    async def play(stage: Stage) -> None:
        on_an_old_number(stage, stage.people["Noy"])
        await stage.say("Alex", "invite")
        said = [each.text for each in stage.people["Alex"].heard]
        assert any("https://t.me/linkline_bot?start=" in each for each in said)
        assert not [each for each in said if "0ld" in each]

    staged(database_url, play)


def test_a_link_is_learnt_when_the_provider_is_back(database_url: str) -> None:
    """Without it invites would have no link until the next restart."""

    async def play(stage: Stage) -> None:
        telegram = stage.app.channels[0]
        stage.failing["getMe"] = [(502, {"ok": False, "error_code": 502, "description": "away"})]
        with mock.patch("tests.stage.TelegramRecorder._answer", _me):
            assert not await stage.app._is_prepared(telegram)
            assert await stage.app._is_prepared(telegram)
        found = stage.app.database.run_now(lambda db: lanes.list_links(db, "X", [telegram.lane]))
        assert found == ["https://t.me/another_bot?start=X"]

    staged(database_url, play)


def _me(_self: Any, called: str, *_: Any) -> Any:
    me = {"id": 123456, "is_bot": True, "first_name": "L", "username": "another_bot"}
    return me if called == "getMe" else True


# Discreet phones --------------------------------------------------------------------------------


def test_what_waited_comes_when_messages_are_shown_at_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        mali = stage.people["Mali"]
        await stage.say("Mali", "discreet")
        await stage.choose("Mali", "Keep them closed")
        await stage.later(timedelta(minutes=11))
        await stage.say("Noy", "Where do we get indigo this year?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        assert heard(mali, "indigo") == 0
        await stage.say("Mali", "discreet")
        await stage.choose("Mali", "Show them at once")
        assert heard(mali, "indigo") == 1

    staged(database_url, play)


def test_clearing_closes_what_has_not_come_yet(database_url: str) -> None:
    """She asked, it is slow, somebody comes in and she clears the screen: it must not come then."""

    async def play(stage: Stage) -> None:
        mali = stage.people["Mali"]
        await stage.say("Mali", "discreet")
        await stage.choose("Mali", "Keep them closed")
        await stage.later(timedelta(minutes=11))
        await stage.say("Noy", "Where do we get indigo this year?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        too_many = {"ok": False, "error_code": 429, "description": "Too Many Requests"}
        stage.failing["sendMessage"] = [(429, too_many | {"parameters": {"retry_after": 4}})]
        await stage.say("Mali", "101")
        await stage.say("Mali", "clear")
        assert heard(mali, "indigo") == 0
        await stage.later(timedelta(seconds=30))
        assert heard(mali, "indigo") == 0
        await stage.say("Mali", "open")
        assert heard(mali, "indigo") == 2, "what Noy asked, and the thread"

    staged(database_url, play)


def test_a_moved_thread_leaves_nobody_with_two(database_url: str) -> None:
    """Who had not got it where it was gets it where it is, once; who is only there never does."""

    async def play(stage: Stage) -> None:
        for name, channel in (("Late", "whatsapp"), ("Both", "whatsapp"), ("Asker", "telegram")):
            stage.settle(stage.add(name, channel, "en"), "weavers")
        two = programme()
        two["communities"] = [*two["communities"], two["communities"][0] | {"slug": "dyers"}]
        stage.load(two)
        for name, role in (("Alex", "facilitator"), ("Asker", "member"), ("Both", "member")):
            stage.settle(stage.people[name], "dyers", role)
        await stage.later(timedelta(days=2))  # WhatsApp is closed
        await stage.say("Asker", "Where do you get indigo that does not fade?")
        await stage.listen("Asker")
        await stage.choose("Asker", "Weavers")
        await stage.choose("Asker", "Send")
        for label in ("Move it", "Weavers"):
            await stage.say("Alex", "101") if label == "Move it" else None
            await stage.choose("Alex", label)
        for name in ("Late", "Both"):
            await stage.say(name, "hello")
        assert heard(stage.people["Late"], "indigo") == 0
        assert heard(stage.people["Both"], "indigo") == 1

    staged(database_url, play)


def test_a_focal_point_who_cannot_be_written_to_now(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Sophea", "whatsapp", "en"), "weavers", "focal_point")
        await stage.later(timedelta(days=2))
        await stage.say("Noy", "Somsak takes money from the girls at the loom.")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.say("Alex", "101")
        for label in ("Hide a post", "It names somebody", "Hide and refer"):
            await stage.choose("Alex", label)
        assert heard(stage.people["Alex"], "If it cannot wait, please call.") == 1
        assert heard(stage.people["Alex"], "The focal point has it now.") == 0
        await stage.say("Sophea", "hello")
        assert heard(stage.people["Sophea"], "Somsak takes money") == 1

    staged(database_url, play)


def test_nobody_facilitates_before_she_agreed(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        bounmy = stage.add("Bounmy", "telegram", "en")
        stage.load(programme(facilitators=[bounmy.address]))
        await stage.say("Bounmy", "hello")
        await stage.choose("Bounmy", "English")
        for words in ("announce", "/announce", "facilitate", "invite"):
            await stage.say("Bounmy", words)
            assert "I agree" in str(bounmy.heard[-1]), words
        await stage.choose("Bounmy", "I agree")
        await stage.choose("Bounmy", "Bounmy")
        await stage.choose("Bounmy", "Skip")
        await stage.say("Bounmy", "facilitate")
        assert heard(bounmy, "4 members in Weavers.") == 1

    staged(database_url, play)


def test_thanks_for_what_was_hidden_go_nowhere(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", "Who knows a good loom maker near Vientiane?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.say("Mali", "101 My cousin, but do not tell him that I owe him.")
        await stage.later(timedelta(seconds=4))
        await stage.say("Alex", "101")
        for label in ("Hide a post", "Post 2", "Another reason", "Hide it"):
            await stage.choose("Alex", label)
        await stage.choose("Noy", "This helps")
        assert heard(stage.people["Noy"], "I do not find that question any more.") == 1
        assert heard(stage.people["Mali"], "helps.") == 0

    staged(database_url, play)
