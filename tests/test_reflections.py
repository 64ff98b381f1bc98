"""Reflections: kept for herself, shown, taken back, brought back, counted, forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import clock, models
from bot.counting import months, reflected
from bot.i18n import render
from bot.messages import Text
from bot.store import communities, forgetting, members, posts, reflections
from tests.stage import Person, Stage
from tests.test_responses import programme
from tests.test_roles import _id_of, set_membership

SAID = "I said no to my brother."
PEOPLE = (("Alex", "facilitator"), ("Noy", "member"), ("Dara", "member"))


def played(
    database_url: str, play: Callable[[Stage], Awaitable[None]], channel: str = "telegram"
) -> None:
    async def run() -> None:
        stage = Stage(database_url)
        stage.load(programme())
        for name, role in PEOPLE:
            stage.settle(stage.add(name, channel, "en"), "weavers", role)
        try:
            await play(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


async def hear(stage: Stage, name: str) -> str:
    """The last that she heard, after a while."""
    for _second in range(6):
        clock.move(timedelta(seconds=1))
        await stage.deliver()
    person: Person = stage.people[name]
    person.unread.clear()
    return str(person.heard[-1])


async def reflect(stage: Stage, name: str, words: str = SAID) -> None:
    await stage.say(name, "reflect")
    await hear(stage, name)
    await stage.say(name, words)
    assert "Kept, for you alone." in await hear(stage, name)


async def share(stage: Stage, name: str, label: str) -> None:
    await stage.choose(name, label)
    await hear(stage, name)
    await stage.choose(name, "Send")
    assert "It has the number" in await hear(stage, name)


def rows(stage: Stage) -> int:
    run = stage.app.database.run_now
    found: int = run(
        lambda db: db.execute(select(func.count()).select_from(models.reflections)).scalar_one()
    )
    return found


def member_id(stage: Stage, name: str) -> int:
    found: int = stage.app.database.run_now(lambda db: _id_of(db, stage, name))
    return found


def wants_back(stage: Stage, name: str, *, wanted: bool) -> None:
    id_ = member_id(stage, name)
    stage.app.database.run_now(lambda db: members.mark(db, id_, looks_back=wanted))


async def a_month_later(stage: Stage, name: str) -> list[str]:
    """What she heard on the first mornings on which something may come back."""
    stage.people[name].unread.clear()
    before = len(stage.people[name].heard)
    await stage.later(timedelta(days=29, hours=20))
    for _hour in range(30):
        await stage.later(timedelta(hours=1))
    return [each.text for each in stage.people[name].heard[before:]]


# Kept --------------------------------------------------------------------------------------------


def test_nobody_else_finds_what_is_kept(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        for name in ("Alex", "Dara"):
            for words in ("my reflections", "what peers said", "101"):
                await stage.say(name, words)
                assert SAID not in await hear(stage, name)
        assert all(SAID not in str(each) for each in stage.people["Alex"].heard)

    played(database_url, play)


@pytest.mark.parametrize("after", [timedelta(seconds=1), timedelta(seconds=90)])
def test_what_she_says_soon_after_is_part_of_it(after: timedelta, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", "reflect")
        await hear(stage, "Noy")
        await stage.say("Noy", SAID)
        await stage.later(after)
        await stage.say("Noy", "And he laughed.")
        await hear(stage, "Noy")
        assert rows(stage) == 1
        await stage.say("Noy", "my reflections")
        assert f"{SAID} And he laughed." in await hear(stage, "Noy")

    played(database_url, play)


def test_a_question_later_is_a_question(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        await stage.later(timedelta(minutes=3))
        await stage.say("Noy", "Who has indigo to sell this year?")
        assert "Your question:" in await hear(stage, "Noy")
        await stage.choose("Noy", "Cancel")
        await stage.send_file("Noy", "voice")  # to the choice that stands open
        assert "Added to what you kept." in await hear(stage, "Noy")

    played(database_url, play)


def test_an_edited_bubble_is_edited(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        await stage.edit("Noy", SAID, "I said yes.")
        await stage.say("Noy", "my reflections")
        assert "I said yes." in await hear(stage, "Noy")

    played(database_url, play)


# Shown to others ---------------------------------------------------------------------------------


def test_changed_readers_take_back_what_others_have(database_url: str) -> None:
    """What only facilitators answered is not read by the group, though it reads her words then."""

    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        await share(stage, "Noy", "To my facilitator")
        assert SAID in await hear(stage, "Alex")
        await stage.say("Alex", "101 Between us two.")
        await hear(stage, "Noy")
        await stage.say("Noy", "my reflections")
        await hear(stage, "Noy")
        for label in ("Number 1", "Who sees it"):
            await stage.choose("Noy", label)
            await hear(stage, "Noy")
        await stage.choose("Noy", "To my group")
        await hear(stage, "Noy")
        await stage.choose("Noy", "Send")
        assert "It is being deleted on 1 phone." in await hear(stage, "Noy")
        assert SAID in await hear(stage, "Dara")
        await stage.say("Dara", "102")
        assert "Between us two." not in await hear(stage, "Dara")
        await stage.say("Dara", "101")
        assert "I find no question" in await hear(stage, "Dara")

    played(database_url, play)


def test_it_never_leaves_if_she_takes_it_back_before(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        paused = clock.now() + timedelta(days=2)
        id_ = member_id(stage, "Dara")
        stage.app.database.run_now(lambda db: members.mark(db, id_, paused_until=paused))
        await reflect(stage, "Noy")
        await share(stage, "Noy", "To my group")
        await stage.restart()
        await stage.choose("Noy", "Take it back")
        await hear(stage, "Noy")
        await stage.later(timedelta(days=3))
        assert all(SAID not in str(each) for each in stage.people["Dara"].heard)

    played(database_url, play)


def test_taps_that_come_late_or_twice(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        kept = stage.people["Noy"].bubble_with("Kept, for you alone.")
        await share(stage, "Noy", "To my group")
        await stage.choose("Noy", "Take it back")
        assert "Taken back." in await hear(stage, "Noy")
        await stage.choose("Noy", "Take it back")
        assert "It is kept for you alone." in await hear(stage, "Noy")
        await stage.say("Noy", "my reflections")
        await hear(stage, "Noy")
        await stage.choose("Noy", "Number 1")
        await hear(stage, "Noy")
        await stage.choose("Noy", "Delete")
        await hear(stage, "Noy")
        await stage.choose("Noy", "Delete")
        assert "Deleted here." in await hear(stage, "Noy")
        assert rows(stage) == 0
        for label in ("To my facilitator", "To my group", "More", "Fine"):
            assert label in [each for each, _data in kept.buttons]
            await stage.choose("Noy", label)
            assert "I do not find that reflection any more." in await hear(stage, "Noy")

    played(database_url, play)


def test_who_has_left_shows_it_to_nobody_there(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        await stage.choose("Noy", "To my group")
        await hear(stage, "Noy")
        set_membership(stage, "Noy", state="left")
        await stage.choose("Noy", "Send")
        assert "You are not in that group any more" in await hear(stage, "Noy")
        await stage.choose("Noy", "To my facilitator")
        assert "You are not in that group any more" in await hear(stage, "Noy")
        await stage.say("Noy", "my reflections")
        assert SAID in await hear(stage, "Noy")

    played(database_url, play)


def test_without_a_facilitator_it_waits_and_she_hears_so(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        set_membership(stage, "Alex", state="left")
        await stage.choose("Noy", "To my facilitator")
        assert "Nobody facilitates Weavers just now." in await hear(stage, "Noy")

    played(database_url, play)


def test_what_is_hidden_for_others_stays_hers(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        await share(stage, "Noy", "To my group")
        await stage.say("Alex", "101")
        await hear(stage, "Alex")
        await stage.choose("Alex", "Hide a post")
        await hear(stage, "Alex")
        await stage.choose("Alex", "It may hurt")
        await hear(stage, "Alex")
        await stage.choose("Alex", "Hide it")
        await hear(stage, "Alex")
        await stage.say("Dara", "101")
        assert SAID not in await hear(stage, "Dara")
        await stage.say("Noy", "my reflections")
        await hear(stage, "Noy")
        await stage.choose("Noy", "Number 1")
        opened = await hear(stage, "Noy")
        assert SAID in opened
        assert "hidden by a facilitator" in opened
        assert "Delete" not in opened

    played(database_url, play)


# Brought back ------------------------------------------------------------------------------------


def test_it_comes_back_once_and_after_a_restart_not_again(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        wants_back(stage, "Noy", wanted=True)
        await reflect(stage, "Noy")
        assert sum(SAID in each for each in await a_month_later(stage, "Noy")) == 1
        await stage.restart()
        await stage.later(timedelta(days=2))
        assert not [each for each in stage.people["Noy"].unread[1:] if SAID in each.text]

    played(database_url, play)


@pytest.mark.parametrize("why", ["not asked", "no", "stopped", "deleted", "a new app"])
def test_it_does_not_come_back(why: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await reflect(stage, "Noy")
        if why != "not asked":
            wants_back(stage, "Noy", wanted=why != "no")
        if why == "stopped":
            await stage.say("Noy", "stop")
        if why == "deleted":
            [found] = stage.app.database.run_now(
                lambda db: reflections.list_marked(db, _id_of(db, stage, "Noy"))
            )
            stage.app.database.run_now(lambda db: posts.remove(db, found.post_id))
        if why == "a new app":
            linked = {"linked_at": clock.now() + timedelta(hours=1)}
            id_ = member_id(stage, "Noy")
            stage.app.database.run_now(
                lambda db: db.execute(
                    update(models.addresses)
                    .where(models.addresses.c.member_id == id_)
                    .values(linked)
                )
            )
        assert not [each for each in await a_month_later(stage, "Noy") if SAID in each]

    played(database_url, play)


def test_it_is_counted_with_what_comes_unasked(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        wants_back(stage, "Noy", wanted=True)
        await reflect(stage, "Noy")
        await a_month_later(stage, "Noy")
        id_ = member_id(stage, "Noy")
        unasked = select(models.members.c.unasked).where(models.members.c.id == id_)
        assert stage.app.database.run_now(lambda db: db.execute(unasked).scalar()) == 1

    played(database_url, play)


# Counted -----------------------------------------------------------------------------------------


def figures(stage: Stage) -> list[str]:
    """What is said of the group, with the month that is going on now as the last one."""

    def work(db: Any) -> list[Text]:
        place = communities.find(db, "weavers")
        assert place is not None
        return reflected(db, place, clock.now() + timedelta(days=31))

    said = stage.app.database.run_now(work)
    return [render(each, "en", lambda _ref, _language: "") for each in said]


@pytest.mark.parametrize(("people", "said"), [(4, None), (5, "5 or more"), (6, "5 or more")])
def test_fewer_than_five_are_not_told_apart(
    people: int, said: str | None, database_url: str
) -> None:
    """Six people in the group, of whom so many have kept something for themselves."""

    async def play(stage: Stage) -> None:
        for number in range(3):
            stage.settle(stage.add(f"Kea {number}", "telegram", "en"), "weavers")
        for name in list(stage.people)[:people]:
            await reflect(stage, name)
        last, _stories, before, _stories_before = figures(stage)
        assert (said or "from fewer than 5 people") in last
        assert "from fewer than 5 people" in before

    played(database_url, play)


def test_of_a_small_group_nothing_is_said(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        for name in stage.people:
            await reflect(stage, name)
        assert figures(stage) == []

    played(database_url, play)


def test_themes_are_told_of_what_was_shown_by_five(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        for number in range(3):
            stage.settle(stage.add(f"Kea {number}", "telegram", "en"), "weavers")
        for number, name in enumerate(stage.people):
            await reflect(stage, name)
            id_ = number + 1
            theme = "learning" if number < 5 else "skills"
            stage.app.database.run_now(
                lambda db, id_=id_, theme=theme: reflections.mark(db, id_, theme=theme)
            )
            assert len(figures(stage)) == 4  # what is kept has no themes for others
        for name in stage.people:
            await share(stage, name, "To my group")
        assert figures(stage)[1] == "Learning: 5 or more"
        assert len(figures(stage)) == 5

    played(database_url, play)


def test_months_are_whole_ones() -> None:
    begin, middle, end = months(datetime(2027, 1, 4, 3, tzinfo=UTC), "Asia/Vientiane")
    assert [each.isoformat() for each in (begin, middle, end)] == [
        "2026-11-01T00:00:00+07:00",
        "2026-12-01T00:00:00+07:00",
        "2027-01-01T00:00:00+07:00",
    ]


# Forgotten ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("posts_too", [True, False])
def test_who_is_forgotten_leaves_nothing_she_kept(posts_too: bool, database_url: str) -> None:
    """What her group has read stays as that of a former member, if she wants it so."""

    async def play(stage: Stage) -> None:
        wants_back(stage, "Noy", wanted=True)
        await reflect(stage, "Noy", "For me alone.")
        await reflect(stage, "Noy", "For Alex alone.")
        await share(stage, "Noy", "To my facilitator")
        await reflect(stage, "Noy", "For everybody.")
        await share(stage, "Noy", "To my group")
        id_ = member_id(stage, "Noy")
        stage.app.database.run_now(
            lambda db: forgetting.begin(db, id_, clock.now(), posts_too=posts_too)
        )
        for _minute in range(3):
            await stage.later(timedelta(minutes=1))
        found = stage.app.database.run_now(
            lambda db: (
                db.execute(
                    select(models.bubbles.c.text)
                    .join(models.posts)
                    .where(models.posts.c.kind == "reflection")
                )
                .scalars()
                .all()
            )
        )
        assert list(found) == ([] if posts_too else ["For everybody."])
        left = stage.app.database.run_now(
            lambda db: db.execute(
                select(models.reflections.c.feeling, models.reflections.c.look_back_at)
            ).all()
        )
        assert [tuple(each) for each in left] == ([] if posts_too else [(None, None)])

    played(database_url, play)
