"""Answers to a weekly question: who may read them, and how they come, change and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import ahead, clock, models
from bot.i18n import in_all_languages
from bot.messages import Inbound, Text
from bot.store import communities, contents, forgetting, holdings, posts, responses, schedules
from bot.store.schedules import Schedule
from bot.timing import day_of
from tests.stage import Person, Stage
from tests.test_roles import set_membership

MONDAY = day_of(date(2027, 1, 4))  # on which all plays begin, at ten o'clock in Vientiane
QUESTION = "What did you try last week?"
ASKED = "This week's question"  # as it came
FRIDAY = timedelta(days=4)
PEOPLE = (
    ("Alex", "telegram", "facilitator", ("weavers",)),
    ("Noy", "whatsapp", "member", ("weavers",)),
    ("Dara", "telegram", "member", ("weavers",)),
    ("Kham", "telegram", "member", ("weavers", "potters")),
)


def programme(*, discreet: bool = False) -> dict[str, Any]:
    names = {code: "Weavers" for code in ("en", "lo", "km")}
    places = [
        {"slug": slug, "names": dict.fromkeys(names, slug.title()), "language": "en"}
        | {"approval": False, "discreet": discreet, "timezone": "Asia/Vientiane"}
        for slug in ("weavers", "potters")
    ]
    about = {"slug": "test", "names": names, "contact": "help@example.org"}
    return {"programme": about, "communities": places}


def weekly(db: Any, slug: str, key: str, text: str) -> None:
    """On Mondays at eleven this question, on Fridays at three what peers said."""
    community = communities.find(db, slug)
    assert community is not None
    contents.save(db, key, "prompt", "en", text, clock.now(), community_id=community.id)
    for kind, weekday, minutes in (("prompt", 0, 11 * 60), ("digest", 4, 15 * 60)):
        wanted = Schedule(community.id, kind, weekday, minutes, MONDAY)
        kept = ahead.save(db, wanted, clock.now())
        ahead.look_ahead(db, kept, MONDAY)


def played(
    database_url: str,
    play: Callable[[Stage], Awaitable[None]],
    *,
    potters: bool = False,
    discreet: bool = False,
    key: str = "library/prompt/tried",
) -> None:
    """The question came to everybody a moment ago."""

    async def run() -> None:
        stage = Stage(database_url)
        stage.load(programme(discreet=discreet))
        for name, channel, role, places in PEOPLE:
            person = stage.add(name, channel, "en")
            for slug in places:
                stage.settle(person, slug, role)
        run = stage.app.database.run_now
        run(lambda db: weekly(db, "weavers", key, QUESTION))
        if potters:
            run(lambda db: weekly(db, "potters", "p/prompt/clay", "Where is your clay from?"))
        try:
            for name, *_rest in PEOPLE:  # WhatsApp is open
                await stage.say(name, "hello")
            await stage.later(timedelta(hours=1, minutes=2))
            for person in stage.people.values():
                person.unread.clear()
            await play(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


async def answer(stage: Stage, name: str, words: str, label: str) -> None:
    await stage.choose(name, "Answer")
    await stage.say(name, words)
    await settle(stage)
    await stage.choose(name, label)


async def settle(stage: Stage) -> None:
    """The burst is over."""
    for _second in range(4):
        clock.move(timedelta(seconds=1))
        await stage.deliver()


async def friday(stage: Stage) -> None:
    for _day in range(4):
        await stage.later(timedelta(days=1))
        for name in stage.people:
            await stage.say(name, "hello")
    await stage.later(timedelta(hours=5))


def heard(person: Person, words: str) -> int:
    return sum(words in each.text for each in person.heard)


def last(person: Person) -> str:
    return str(person.heard[-1])


def given(stage: Stage) -> list[tuple[str, str, int]]:
    """(state, who sees it, bubbles) of each answer."""

    def work(db: Any) -> list[tuple[str, str, int]]:
        posts, bubbles = models.posts, models.bubbles
        count = select(func.count()).where(bubbles.c.post_id == posts.c.id).scalar_subquery()
        statement = select(posts.c.state, posts.c.seen_by, count).order_by(posts.c.id)
        rows = db.execute(statement.where(posts.c.kind == "response", posts.c.state != "draft"))
        return [tuple(row) for row in rows]

    return stage.app.database.run_now(work)  # type: ignore[no-any-return]


def test_what_peers_said(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        noy, dara, kham = (stage.people[each] for each in ("Noy", "Dara", "Kham"))
        assert all(heard(each, QUESTION) == 1 for each in (noy, dara, kham))
        await answer(stage, "Noy", "I asked for help.", "My group")
        assert "Weavers reads it together with the answers of others." in last(noy)
        await answer(stage, "Dara", "I counted the looms.", "Only facilitators")
        assert "Only the facilitators of Weavers read it." in last(dara)
        await answer(stage, "Kham", "I cried.", "Only me")
        assert "It is kept for you alone." in last(kham)
        await friday(stage)
        for each in (noy, dara, kham, stage.people["Alex"]):
            assert heard(each, f"What peers said in Weavers: {QUESTION}") == 1, each.name
            assert heard(each, "Noy: I asked for help.") == 1
        for each in (noy, dara):
            assert heard(each, "I cried.") == 0
        for each in (noy, kham):
            assert heard(each, "I counted the looms.") == 0

    played(database_url, play)


def test_nothing_shared_nothing_said(database_url: str) -> None:
    """And it is no failure: nobody hears of it, the date is skipped with its reason."""

    async def play(stage: Stage) -> None:
        await answer(stage, "Noy", "I asked for help.", "Only me")
        before = {each.name: len(each.heard) for each in stage.people.values()}
        await friday(stage)
        for each in stage.people.values():
            assert len(each.heard) == before[each.name] + 4  # the four greetings

        def skipped(db: Any) -> list[Any]:
            ed = models.editions.c
            return list(db.execute(select(ed.state, ed.reason).where(ed.kind == "digest")))

        assert ("skipped", "nothing") in stage.app.database.run_now(skipped)

    played(database_url, play)


def posts_of(stage: Stage) -> list[Any]:
    def work(db: Any) -> list[Any]:
        posts = models.posts
        rows = db.execute(select(posts).where(posts.c.kind == "response").order_by(posts.c.id))
        return list(rows.all())

    return stage.app.database.run_now(work)  # type: ignore[no-any-return]


def test_who_is_late_is_read_the_next_friday_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        dara = stage.people["Dara"]
        await answer(stage, "Noy", "I asked for help.", "My group")
        await friday(stage)
        await stage.reply("Kham", ASKED, "I was away, and learnt to rest.")
        await settle(stage)
        await stage.choose("Kham", "My group")
        await stage.reply("Noy", ASKED, "And I got help.")  # the first is read: this is anew
        await settle(stage)
        assert "It is added to" not in last(stage.people["Noy"])
        await stage.choose("Noy", "My group")
        await stage.later(timedelta(days=2, hours=19))
        await stage.say("Noy", "hello")
        await friday(stage)
        assert heard(dara, "I was away, and learnt to rest.") == 1
        assert heard(dara, "Noy: I asked for help.") == 1
        assert heard(dara, "Noy: And I got help.") == 1

    played(database_url, play)


@pytest.mark.parametrize("to", ["Only facilitators", "Only me", "left", "taken back"])
def test_what_was_shared_and_is_not_any_more(to: str, database_url: str) -> None:
    """Before Friday, after it was gathered: nobody reads it."""

    async def play(stage: Stage) -> None:
        await answer(stage, "Noy", "I asked for help.", "My group")
        await answer(stage, "Dara", "My boss steals.", "My group")
        if to == "left":
            await stage.say("Dara", "leave")
            await stage.choose("Dara", "Leave")
        else:
            await stage.say("Dara", "my answers")
            await stage.choose("Dara", "Answer 1")
            await stage.choose("Dara", "Take it back" if to == "taken back" else "Who sees it")
            await stage.choose("Dara", "Take it back" if to == "taken back" else to)
        await friday(stage)
        for name in ("Noy", "Kham", "Alex"):
            assert heard(stage.people[name], "Noy: I asked for help.") == 1
            assert heard(stage.people[name], "My boss steals.") == 0, name
        if to == "taken back":
            assert ("hidden", "community", 0) in given(stage)

    played(database_url, play)


def test_what_is_taken_back_while_a_provider_is_down(database_url: str) -> None:
    """Friday's message was made and could not leave: it is made anew, without her words."""

    async def play(stage: Stage) -> None:
        await answer(stage, "Noy", "I asked for help.", "My group")
        await answer(stage, "Dara", "My boss steals.", "My group")
        chat = stage.people["Kham"].phone.user["id"]
        busy = {"ok": False, "error_code": 429, "description": "", "parameters": {"retry_after": 5}}
        for _day in range(4):
            await stage.later(timedelta(days=1))
            for name in stage.people:
                await stage.say(name, "hello")
        stage.failing[f"sendMessage/{chat}"] = [(429, busy)] * 9999
        for sender in stage.app.senders:  # as if he had got much lately: his chat alone is meant
            sender.flight._pause = lambda *_: None  # type: ignore[method-assign]
        await stage.later(timedelta(hours=4))
        assert heard(stage.people["Kham"], "My boss steals.") == 0
        await stage.say("Dara", "my answers")
        await stage.choose("Dara", "Answer 1")
        await stage.choose("Dara", "Take it back")
        await stage.choose("Dara", "Take it back")
        stage.failing.clear()
        await stage.later(timedelta(hours=1))
        assert heard(stage.people["Kham"], "Noy: I asked for help.") == 1
        assert heard(stage.people["Kham"], "My boss steals.") == 0

    played(database_url, play)


def test_twice_and_from_two_bubbles(database_url: str) -> None:
    """The same tap twice is one; what is added before Friday is one answer."""

    async def play(stage: Stage) -> None:
        dara = stage.people["Dara"]
        await answer(stage, "Dara", "One loom.", "Only facilitators")
        asked = next(each for each in reversed(dara.heard) if "[Only me]" in str(each))
        number = int(asked.id.rpartition("/")[2])
        for label in ("Only facilitators", "My group"):  # old buttons, tapped again
            data = dict(asked.buttons)[label]
            await stage.update(dara, dara.phone.tap(data, number))
        assert given(stage) == [("live", "facilitators", 1)]
        await add(stage, "Two looms.", "Only facilitators")
        assert "It is added to what you answered before." in last(dara)
        assert given(stage) == [("live", "facilitators", 2)]
        await add(stage, "Never mind.", "Cancel")
        assert given(stage) == [("live", "facilitators", 2)]

    played(database_url, play)


async def add(stage: Stage, words: str, label: str, name: str = "Dara") -> None:
    """A further answer to the same question."""
    await stage.reply(name, ASKED, words)
    await settle(stage)
    await stage.choose(name, label)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Only me", "My group"),
        ("Only me", "Only facilitators"),
        ("Only facilitators", "My group"),
        ("My group", "Only facilitators"),
        ("My group", "Only me"),
        ("Only facilitators", "Only me"),
    ],
)
def test_no_answer_gets_other_readers_by_the_next_one(
    first: str, then: str, database_url: str
) -> None:
    """She chose for the words that she saw: neither are the others told, nor taken back."""

    async def play(stage: Stage) -> None:
        dara, kham, alex = (stage.people[each] for each in ("Dara", "Kham", "Alex"))
        await answer(stage, "Dara", "The first words.", first)
        clock.move(timedelta(hours=3))
        await add(stage, "The other words.", then)
        assert "added" not in last(dara) and "phone" not in last(dara)
        assert [count for *_rest, count in given(stage)] == [1, 1]
        await stage.say("Dara", "my answers")
        seen = {
            "My group": "your group sees it",
            "Only facilitators": "only facilitators see it",
            "Only me": "only you see it",
        }
        assert f"1. The other words. ({seen[then]})" in last(dara)
        assert f"2. The first words. ({seen[first]})" in last(dara)
        await friday(stage)
        await stage.say("Alex", "facilitate")
        if first != "Only me" or then != "Only me":
            await stage.choose("Alex", "Weekly answers")
        for words, who in (("The first words.", first), ("The other words.", then)):
            assert heard(kham, words) == (who == "My group")
            assert (words in last(alex)) == (who != "Only me")

    played(database_url, play)


def test_what_has_the_same_readers_is_one_answer(database_url: str) -> None:
    """Also with another one in between."""

    async def play(stage: Stage) -> None:
        dara = stage.people["Dara"]
        await answer(stage, "Dara", "One loom.", "My group")
        await add(stage, "It is broken.", "Only me")
        assert "added" not in last(dara)
        await add(stage, "Two looms.", "My group")
        assert "It is added to what you answered before." in last(dara)
        assert "Weavers reads it together with the answers of others." in last(dara)
        await add(stage, "I cried.", "Only me")
        assert "It is added to what you answered before." in last(dara)
        assert given(stage) == [("live", "community", 2), ("kept", "me", 2)]
        await friday(stage)
        assert heard(stage.people["Kham"], "Dara: One loom. Two looms.") == 1

    played(database_url, play)


def link(stage: Stage, name: str) -> None:
    """From now on this is an app that she linked just now."""

    def work(db: Any) -> None:
        first = select(models.members.c.id).order_by(models.members.c.id)
        member_id = list(db.execute(first).scalars())[list(stage.people).index(name)]
        its = models.addresses.c.member_id == member_id
        db.execute(update(models.addresses).where(its).values(linked_at=clock.now()))

    stage.app.database.run_now(work)


@pytest.mark.parametrize("label", ["Only me", "Only facilitators", "My group"])
def test_an_app_linked_later_shows_nothing_from_before(label: str, database_url: str) -> None:
    """Not by a further answer to the same question either."""

    async def play(stage: Stage) -> None:
        dara = stage.people["Dara"]
        await answer(stage, "Dara", "My boss hits me.", label)
        clock.move(timedelta(hours=30))
        link(stage, "Dara")
        clock.move(timedelta(hours=1))
        before = heard(dara, "My boss hits me.")
        await add(stage, "We met.", label)
        assert "added" not in last(dara)
        await stage.say("Dara", "my answers")
        assert "1. We met." in last(dara) and "2." not in last(dara)
        await stage.choose("Dara", "Answer 1")
        assert heard(dara, "My boss hits me.") == before
        assert [count for *_rest, count in given(stage)] == [1, 1]

    played(database_url, play)


@pytest.mark.parametrize("to", ["Only me", "Only facilitators", "My group", "more words"])
def test_other_readers_do_not_make_it_newer(to: str, database_url: str) -> None:
    """On her first app; the one that she linked later goes on knowing nothing of it."""

    async def play(stage: Stage) -> None:
        dara = stage.people["Dara"]
        await answer(stage, "Dara", "My boss hits me.", "Only facilitators")
        [given_at] = [each.created_at for each in posts_of(stage)]
        clock.move(timedelta(hours=3))
        if to == "more words":
            await add(stage, "My group must not know.", "Only facilitators")
        else:
            await stage.say("Dara", "my answers")
            await stage.choose("Dara", "Answer 1")
            await stage.choose("Dara", "Who sees it")
            await stage.choose("Dara", to)
        assert {each.created_at for each in posts_of(stage)} == {given_at}
        clock.move(timedelta(hours=-1))  # the other app was linked between the two
        link(stage, "Dara")
        clock.move(timedelta(hours=2))
        await stage.say("Dara", "my answers")
        assert "There are no answers of yours here yet." in last(dara)

    played(database_url, play)


def test_what_was_promised_outlasts_a_long_rest(database_url: str) -> None:
    """However long it is until peers are told again, they are; and once."""

    async def play(stage: Stage) -> None:
        kham = stage.people["Kham"]

        def rest(db: Any) -> None:
            place = communities.find(db, "weavers")
            kept = schedules.find(db, place.id, "digest")  # type: ignore[union-attr]
            rested = replace(kept, rests_until=MONDAY + 70)  # type: ignore[type-var]
            ahead.look_ahead(db, ahead.save(db, rested, clock.now()), MONDAY)  # type: ignore[arg-type]

        stage.app.database.run_now(rest)
        await answer(stage, "Noy", "I asked for help.", "My group")
        assert "Weavers reads it together with the answers of others." in last(stage.people["Noy"])
        await stage.later(timedelta(days=65))
        assert heard(kham, "Noy: I asked for help.") == 0
        for _day in range(21):
            await stage.later(timedelta(days=1))
        assert heard(kham, "Noy: I asked for help.") == 1

    played(database_url, play)


def test_what_was_kept_long_and_is_shared_then(database_url: str) -> None:
    """She was told that her group reads it: it does."""

    async def play(stage: Stage) -> None:
        await answer(stage, "Dara", "One loom.", "Only me")
        await stage.later(timedelta(days=35))
        await stage.say("Dara", "my answers")
        await stage.choose("Dara", "Answer 1")
        await stage.choose("Dara", "Who sees it")
        await stage.choose("Dara", "My group")
        assert "Weavers reads it together with the answers of others." in last(stage.people["Dara"])
        await friday(stage)
        assert heard(stage.people["Kham"], "Dara: One loom.") == 1
        for _day in range(14):
            await stage.later(timedelta(days=1))
        assert heard(stage.people["Kham"], "Dara: One loom.") == 1

    played(database_url, play)


def test_the_bot_restarts_and_a_question_waits(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.choose("Dara", "Answer")
        await stage.restart()
        await stage.say("Dara", "One loom.")
        await settle(stage)
        await stage.restart()
        await stage.choose("Dara", "My group")
        assert given(stage) == [("live", "community", 1)]
        await stage.restart()
        await friday(stage)
        assert heard(stage.people["Noy"], "Dara: One loom.") == 1

    played(database_url, play)


def test_who_has_left_answers_nothing(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        dara = stage.people["Dara"]
        asked = dara.bubble_with(ASKED)
        await stage.choose("Dara", "Answer")
        await stage.say("Dara", "One loom.")
        await settle(stage)
        set_membership(stage, "Dara", state="left")
        await stage.choose("Dara", "My group")
        assert "I do not find that question any more." in last(dara)
        number = int(asked.id.rpartition("/")[2])
        await stage.update(dara, dara.phone.tap(dict(asked.buttons)["Answer"], number))
        assert "I do not find that question any more." in last(dara)
        assert given(stage) == []

    played(database_url, play)


def test_facilitators_read_it_and_it_is_noted(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        alex = stage.people["Alex"]
        await answer(stage, "Dara", "My boss steals.", "Only facilitators")
        await answer(stage, "Noy", "I cried.", "Only me")
        await stage.say("Alex", "facilitate")
        await stage.choose("Alex", "Weekly answers")
        assert "Dara, only for facilitators: My boss steals." in last(alex)
        assert "I cried." not in last(alex)
        await stage.choose("Alex", "Answer 1")
        assert "Only facilitators read it." in last(alex)

        def work(db: Any) -> list[Any]:
            found = db.execute(select(models.audit.c.action, models.audit.c.subject_id))
            return [tuple(row) for row in found if row.action == "responses.read"]

        post_id = next(each.id for each in posts_of(stage) if each.seen_by == "facilitators")
        assert stage.app.database.run_now(work) == [
            ("responses.read", None),
            ("responses.read", post_id),
        ]
        await stage.say("Noy", "facilitate")
        assert "Only facilitators of a group can do this." in last(stage.people["Noy"])

    played(database_url, play)


def test_many_answers_are_read_page_by_page(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        def work(db: Any) -> None:
            noy = db.execute(select(models.members.c.id).order_by(models.members.c.id)).scalars()
            author = list(noy)[1]
            place = communities.find(db, "weavers")
            edition = models.editions
            found = select(edition.c.id).where(
                edition.c.kind == "prompt",
                edition.c.community_id == place.id,  # type: ignore[union-attr]
            )
            edition_id = db.execute(found.limit(1)).scalar_one()
            for number in range(40):
                inbound = Inbound("x", f"k{number}", ("x",), text=f"Answer no {number}.")
                post_id = posts.add(db, author, inbound, clock.now(), kind="response")
                responses.publish(db, post_id, edition_id, place.id, "community")  # type: ignore[union-attr]

        stage.app.database.run_now(work)
        await friday(stage)
        kham = stage.people["Kham"]
        told = "\n".join(each.text for each in kham.heard if "Answer no" in each.text)
        assert "Answer no 29." in told and "Answer no 30." not in told
        assert "And 10 more." in told
        await stage.choose("Kham", "Read it all")
        for _page in range(7):
            await stage.choose("Kham", "Read on")
        assert heard(kham, "Answer no 39.") == 1
        assert "[Read on]" not in last(kham)
        await stage.say("Alex", "facilitate")
        await stage.choose("Alex", "Weekly answers")
        for _page in range(6):
            await stage.choose("Alex", "Earlier ones")
        assert "Answer no 0." in last(stage.people["Alex"])
        assert "[Earlier ones]" not in last(stage.people["Alex"])

    played(database_url, play)


def test_no_round_is_promised_where_there_is_none(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        def work(db: Any) -> None:
            place = communities.find(db, "weavers")
            kept = schedules.find(db, place.id, "digest")  # type: ignore[union-attr]
            ahead.save(db, replace(kept, stopped=True), clock.now())  # type: ignore[type-var]

        stage.app.database.run_now(work)
        await stage.choose("Dara", "Answer")
        await stage.say("Dara", "One loom.")
        await settle(stage)
        assert "[My group]" not in last(stage.people["Dara"])
        assert "Facilitators read it with your name: Dara." in last(stage.people["Dara"])

    played(database_url, play)


def test_in_a_discreet_group(database_url: str) -> None:
    """No group is named; what peers said waits until it is opened."""

    async def play(stage: Stage) -> None:
        dara, kham = stage.people["Dara"], stage.people["Kham"]
        await stage.say("Dara", "open")
        await stage.choose("Dara", "Answer")
        await stage.say("Dara", "I told my sister.")
        await settle(stage)
        await stage.choose("Dara", "My group")
        await friday(stage)
        assert heard(kham, "I told my sister.") == 0
        await stage.say("Kham", "open")
        assert heard(kham, "What peers said in your group:") == 1
        assert heard(kham, "Dara: I told my sister.") == 1
        assert "I told my sister." not in last(kham)
        for person in (dara, kham):
            assert heard(person, "Weavers") == 0

    played(database_url, play, discreet=True)


def test_introductions_are_found_again(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await answer(stage, "Dara", "I weave; I could show Excel.", "My group")
        await answer(stage, "Noy", "I sell.", "Only facilitators")

        def work(db: Any) -> list[int | None]:
            place = communities.find(db, "weavers")
            found = responses.list_introductions(db, place.id)  # type: ignore[union-attr]
            return [each.author_id for each in found]

        assert len(stage.app.database.run_now(work)) == 1

    played(database_url, play, key="library/prompt/introduction")


def test_the_same_in_lao_and_khmer(database_url: str) -> None:
    """Chosen by words, numbers of each script, and written in whatever script."""

    async def play(stage: Stage) -> None:
        for name, code, number in (("Dara", "km", "១"), ("Noy", "lo", "໑")):
            await stage.say(name, "language")
            await stage.choose(name, {"km": "ខ្មែរ", "lo": "ລາວ"}[code])
            await stage.reply(name, ASKED, "ຂ້ອຍນັບສິນຄ້າ ខ្ញុំរាប់")
            await settle(stage)
            await stage.say(name, number)
        assert given(stage) == [("live", "community", 1)] * 2
        mine = Text("My answers")
        labels = set(in_all_languages(mine, lambda *_: ""))
        assert any(each in last(stage.people["Dara"]).casefold() for each in labels)

    played(database_url, play)


@pytest.mark.parametrize("posts_too", [True, False])
def test_who_is_forgotten(posts_too: bool, database_url: str) -> None:
    """What was for few is gone in any case; what she shared stays without her, or goes."""

    async def play(stage: Stage) -> None:
        await answer(stage, "Dara", "I counted looms.", "My group")
        await answer(stage, "Kham", "My boss steals.", "Only facilitators")
        await answer(stage, "Noy", "I cried.", "Only me")

        def work(db: Any) -> None:
            for row in db.execute(select(models.members.c.id).order_by(models.members.c.id)).all()[
                1:
            ]:
                forgetting.begin(db, row.id, clock.now(), posts_too=posts_too)

        stage.app.database.run_now(work)
        for _time in range(4):
            await stage.later(timedelta(minutes=2))
        left = [each for each in given(stage) if each[2]]
        assert left == ([] if posts_too else [("live", "community", 1)])
        assert all(each.author_id is None for each in posts_of(stage))

    played(database_url, play)


def test_my_data_shows_all_of_them(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await answer(stage, "Dara", "I cried.", "Only me")
        await stage.reply("Dara", ASKED, "I counted.")
        await settle(stage)
        await stage.choose("Dara", "Only facilitators")

        author = posts_of(stage)[-1].author_id
        found = stage.app.database.run_now(lambda db: holdings.list_written(db, author, 0)[0])
        assert [(each.kind, each.text, each.state, each.of_few) for each in found] == [
            ("response", "I cried.", "kept", False),
            ("response", "I counted.", "live", True),
        ]

    played(database_url, play)
