"""A week of a community, run by a facilitator who has only her phone.

She brings ten people in with the link on her screen, welcomes them all at once, sees each day what
has no answer, hides one post, and announces one thing; everybody gets everything once.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

from bot.i18n import in_all_languages
from bot.messages import Text
from tests.stage import Person, Stage

PEOPLE = ("Noy", "Dara", "Kham", "Bopha", "Somchai", "Sophal", "Mali", "Rith", "Vanh", "Chan")
LANGUAGES = ("lo", "km", "en")
TOPICS = (
    "dyes",
    "looms",
    "prices",
    "buyers",
    "cotton",
    "silk",
    "bamboo",
    "stock",
    "markets",
    "mats",
)


def programme() -> dict[str, object]:
    names = dict.fromkeys(LANGUAGES, "Weavers")
    about = {"slug": "test", "names": names, "contact": "help@example.org"}
    community = {"slug": "weavers", "names": names, "language": "lo", "approval": True}
    return {"programme": about, "communities": [community | {"timezone": "Asia/Vientiane"}]}


def same(label: str) -> set[str]:
    """A label as it stands in each language."""
    return set(in_all_languages(Text(label), lambda *_: ""))


async def choose(stage: Stage, person: Person, label: str) -> None:
    """By what it says in her language."""
    wanted = same(label)
    last = next(each for each in reversed(person.heard) if "[" in str(each))
    shown = re.findall(r"\[([^]]*)\]", str(last).rpartition("\n")[2])
    found = next(each for each in shown if each.casefold() in wanted)
    await stage.choose(person.name, found)


async def come_in(stage: Stage, person: Person, links: list[str]) -> None:
    """She opens the link for her app, which writes for her."""
    telegram, whatsapp = links
    if person.channel == "telegram":
        await stage.say(person.name, f"/start {telegram.rpartition('=')[2]}")
    else:
        await stage.say(person.name, whatsapp.rpartition("=")[2])
    await stage.say(person.name, {"en": "1", "km": "២", "lo": "໓"}[person.language])
    await choose(stage, person, "I agree")
    await stage.say(person.name, person.name)
    await choose(stage, person, "Skip")


async def ask(stage: Stage, person: Person, topic: str) -> None:
    await stage.say(person.name, f"Who can tell me more about {topic} for beginners?")
    await stage.later(timedelta(seconds=4))
    await choose(stage, person, "Send")


def heard(person: Person, words: str) -> int:
    return sum(words in each.text for each in person.heard)


def test_a_week(database_url: str) -> None:
    async def week() -> None:
        stage = Stage(database_url)
        stage.load(programme())
        stage.settle(stage.add("Alex", "telegram", "en"), "weavers", "facilitator")
        alex = stage.people["Alex"]
        try:
            await stage.say("Alex", "invite")
            links = re.findall(r"https://\S+", alex.heard[-1].text)
            people = []
            for number, name in enumerate(PEOPLE):
                channel = ("whatsapp", "telegram")[number % 2]
                people.append(stage.add(name, channel, LANGUAGES[number % 3]))
                await come_in(stage, people[-1], links)
            await stage.choose("Alex", "Welcome all 10")
            assert heard(alex, "10 newcomers are in Weavers now.") == 1
            await live_through(stage, people)
            await look_back(stage, alex, people)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(week())


def answer(helper: Person, day: int) -> str:
    return f"I am {helper.name} and I know {TOPICS[day]}."


async def live_through(stage: Stage, people: list[Person]) -> None:
    """Every day somebody asks and somebody answers; a day before, nobody has."""
    for day, person in enumerate(people[:7]):
        await ask(stage, person, TOPICS[day])
        await stage.say("Alex", "unanswered")
        assert f"Q{101 + day}" in stage.people["Alex"].heard[-1].text
        for helper in (people[day + 1], people[(day + 3) % 10]):
            await stage.say(
                helper.name, f"{101 + day} I am {helper.name} and I know {TOPICS[day]}."
            )
        await stage.later(timedelta(hours=12))
        for each in people:  # they look at their phones, which keeps WhatsApp open
            await stage.say(each.name, "101")
        await stage.later(timedelta(hours=12))
    await stage.say("Alex", "unanswered")
    assert "Every question in Weavers has an answer." in stage.people["Alex"].heard[-1].text


async def look_back(stage: Stage, alex: Person, people: list[Person]) -> None:
    for day, asker in enumerate(people[:7]):
        question = f"Who can tell me more about {TOPICS[day]} for beginners?"
        for person in people:
            told = [each for each in person.heard if each.text.startswith(question)]
            assert len(told) == (0 if person is asker else 1), (person.name, TOPICS[day])
        for helper in (people[day + 1], people[(day + 3) % 10]):
            got = [each for each in asker.heard if each.text.startswith(answer(helper, day))]
            assert len(got) == 1
    await stage.say("Alex", "107")
    assert answer(people[7], 6) in alex.heard[-1].text
    for label in ("Hide a post", "Post 2", "Not for this group", "Hide it"):
        await stage.choose("Alex", label)
    await stage.say("Alex", "107")
    assert answer(people[7], 6) not in alex.heard[-1].text, "hidden"
    await stage.say("Alex", "announce")
    await stage.say("Alex", "Next week we meet at the market.")
    await stage.choose("Alex", "Send")
    await stage.later(timedelta(seconds=70))
    for each in people:
        assert heard(each, "Next week we meet at the market.") == 1
