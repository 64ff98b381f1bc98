"""Roles given by chat: for a time or for good, taken back, handed back, over; each told once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot import allowances, clock
from bot.store import roles
from handlers.cofacilitator import _typed_days
from tests.stage import Stage
from tests.test_facilitators import heard, staged, tap
from tests.test_roles import _id_of, role_of, set_membership


async def share(
    stage: Stage, giver: str, name: str, role: str = "Facilitator", lasts: str = "For good"
) -> None:
    await stage.say(giver, "facilitate")
    await stage.choose(giver, "Share the work")
    await stage.say(giver, name)
    await stage.choose(giver, role)
    if lasts.startswith("For "):
        await stage.choose(giver, lasts)
    else:
        await stage.say(giver, lasts)


async def give(
    stage: Stage, giver: str, name: str, role: str = "Facilitator", lasts: str = "For good"
) -> None:
    await share(stage, giver, name, role, lasts)
    await stage.choose(name, "I will")


async def take_back(stage: Stage, who: str, name: str) -> None:
    await stage.say(who, "facilitate")
    await stage.choose(who, "Take a role back")
    await stage.choose(who, name)
    await stage.choose(who, "End the role")


def test_a_role_for_a_time_ends_and_is_told_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await give(stage, "Alex", "Noy", lasts="For a month")
        assert role_of(stage, "Noy") == ("facilitator", "active")
        await stage.later(timedelta(days=29))
        assert role_of(stage, "Noy")[0] == "facilitator"
        await stage.say("Noy", "hello")
        for _tick in range(3):
            await stage.later(timedelta(days=1, minutes=5))
        assert role_of(stage, "Noy")[0] == "member"
        assert heard(stage.people["Noy"], "Your role in Weavers has ended") == 0, "window closed"
        await stage.say("Noy", "hello")
        assert heard(stage.people["Noy"], "Your role in Weavers has ended") == 1
        assert heard(stage.people["Alex"], "The role of Noy in Weavers has ended") == 1

    staged(database_url, play)


def test_its_power_ends_with_the_minute_not_with_the_job(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        eve = stage.add("Eve", "telegram", "en")
        stage.settle(eve, "weavers")
        await give(stage, "Alex", "Eve", lasts="10 days")
        await stage.say("Eve", "facilitate")
        clock.move(timedelta(days=10, seconds=1))  # no job ran
        assert role_of(stage, "Eve")[0] == "facilitator"
        for label in ("Unanswered", "Invite", "Announce", "Not reached", "Share the work"):
            seen = len(eve.heard)
            await stage.choose("Eve", label)
            assert [each.text for each in eve.heard[seen:]] == [
                "Only facilitators of a group can do this."
            ]

    staged(database_url, play)


def test_two_processes_end_it_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        eve = stage.add("Eve", "telegram", "en")
        stage.settle(eve, "weavers")
        await give(stage, "Alex", "Eve", "Host", "2 weeks")
        clock.move(timedelta(days=15))
        other = stage._new_app()
        await asyncio.gather(stage.app.scheduler.tick(), other.scheduler.tick())
        await stage.deliver()
        other.database.close()
        assert heard(eve, "Your role in Weavers has ended") == 1
        assert role_of(stage, "Eve")[0] == "member"

    staged(database_url, play)


def test_the_last_facilitator_stays_when_her_time_is_over(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        eve = stage.add("Eve", "telegram", "en")
        stage.settle(eve, "weavers")
        await give(stage, "Alex", "Eve", lasts="For a month")
        for name in ("Alex", "Mali"):
            await stage.say(name, "my roles")
            await stage.choose(name, "Hand it back")
            await stage.choose(name, "Hand it back")
        for _tick in range(2):
            await stage.later(timedelta(days=31))
        assert role_of(stage, "Eve")[0] == "facilitator"
        assert heard(eve, "nobody else facilitates it now") == 1
        await stage.say("Eve", "my roles")
        await stage.choose("Eve", "Hand it back")
        assert heard(eve, "Nobody else facilitates this group.") == 1
        await stage.choose("Eve", "Hand it back")
        assert role_of(stage, "Eve")[0] == "member", "she may all the same"

    staged(database_url, play)


def test_who_may_end_what(database_url: str) -> None:
    """The giver, or who facilitates for longer; who was given the role only what she gave."""

    async def play(stage: Stage) -> None:
        for name in ("Eve", "Bo"):
            stage.settle(stage.add(name, "telegram", "en"), "weavers")
        await give(stage, "Mali", "Eve")
        await give(stage, "Eve", "Bo", "Host")
        hers = {}
        for name in ("Alex", "Mali", "Eve"):
            await stage.say(name, "facilitate")
            await stage.choose(name, "Take a role back")
            buttons = stage.people[name].heard[-1].buttons
            hers[name] = {label for label, _data in buttons} - {"Cancel"}
            await stage.choose(name, "Cancel")
        assert hers == {"Alex": {"Mali", "Eve", "Bo"}, "Mali": {"Eve", "Bo"}, "Eve": {"Bo"}}
        await take_back(stage, "Eve", "Bo")
        assert role_of(stage, "Bo")[0] == "member"
        await take_back(stage, "Alex", "Eve")
        assert role_of(stage, "Eve")[0] == "member"
        assert heard(stage.people["Eve"], "Your role in Weavers has ended") == 1

    staged(database_url, play)


def test_an_old_confirmation_ends_nothing(database_url: str) -> None:
    """She was asked whether Eve's role shall end, and lost her own meanwhile."""

    async def play(stage: Stage) -> None:
        eve = stage.add("Eve", "telegram", "en")
        stage.settle(eve, "weavers")
        await give(stage, "Mali", "Eve")
        await stage.say("Mali", "facilitate")
        await stage.choose("Mali", "Take a role back")
        await stage.choose("Mali", "Eve")
        set_membership(stage, "Mali", role="host")
        await stage.choose("Mali", "End the role")
        assert role_of(stage, "Eve")[0] == "facilitator"
        assert heard(stage.people["Mali"], "Only facilitators of a group can do this.") == 1

    staged(database_url, play)


def test_two_take_it_back_at_once(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        eve = stage.add("Eve", "telegram", "en")
        stage.settle(eve, "weavers")
        await give(stage, "Mali", "Eve")
        for name in ("Alex", "Mali"):
            await stage.say(name, "facilitate")
            await stage.choose(name, "Take a role back")
            await stage.choose(name, "Eve")
        await asyncio.gather(tap(stage, "Alex", "End the role"), tap(stage, "Mali", "End the role"))
        await stage.deliver()
        assert heard(eve, "Your role in Weavers has ended") == 1
        done = [heard(stage.people[each], "Done. Eve is a member") for each in ("Alex", "Mali")]
        assert sorted(done) == [0, 1]

    staged(database_url, play)


# Offers ------------------------------------------------------------------------------------------

OVER = "This offer does not stand any more."


def test_an_offer_stands_for_a_week(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await share(stage, "Alex", "Noy")
        await stage.later(timedelta(days=7, minutes=1))
        await stage.choose("Noy", "I will")
        assert heard(stage.people["Noy"], OVER) == 1
        assert role_of(stage, "Noy") == ("member", "active")

    staged(database_url, play)


@pytest.mark.parametrize("how", ["lost her role", "left", "her time was over"])
def test_an_offer_falls_with_its_giver(how: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await share(stage, "Alex", "Noy")
        values: dict[str, Any] = {
            "lost her role": {"role": "member"},
            "left": {"state": "left"},
            "her time was over": {"role_until": clock.now()},
        }[how]
        set_membership(stage, "Alex", **values)
        await stage.choose("Noy", "I will")
        assert heard(stage.people["Noy"], OVER) == 1
        assert role_of(stage, "Noy")[0] == "member"

    staged(database_url, play)


def test_what_was_taken_back_is_not_taken_again_by_the_old_button(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await give(stage, "Alex", "Noy")
        await take_back(stage, "Alex", "Noy")
        await stage.choose("Noy", "I will")
        assert heard(stage.people["Noy"], OVER) == 1
        assert role_of(stage, "Noy")[0] == "member"

    staged(database_url, play)


def test_a_newer_offer_takes_the_place_of_the_older(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await share(stage, "Alex", "Noy", "Facilitator")
        first = stage.people["Noy"].heard[-1]
        await share(stage, "Mali", "Noy", "Host", "For a month")
        await stage.reply("Noy", first.text, "1")
        assert heard(stage.people["Noy"], OVER) == 1
        await stage.choose("Noy", "I will")
        assert role_of(stage, "Noy")[0] == "host"

    staged(database_url, play)


def test_nobody_becomes_less_by_an_offer(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await share(stage, "Alex", "Noy", "Host")
        set_membership(stage, "Noy", role="facilitator")
        await stage.choose("Noy", "I will")
        assert role_of(stage, "Noy")[0] == "facilitator"

    staged(database_url, play)


def test_role_offers_a_day(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        for _number in range(allowances.ROLE_OFFERS.most + 1):
            await stage.later(timedelta(minutes=1))  # else it is a flood
            await share(stage, "Alex", "Noy", "Host", "For a month")
        asked = heard(stage.people["Alex"], "I have asked Noy.")
        assert asked == allowances.ROLE_OFFERS.most
        assert heard(stage.people["Alex"], "as much as goes in one day") == 1

    staged(database_url, play)


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("2 weeks", 14), ("10 days", 10), ("1 month", 30), ("3 Months", 90), ("12months", 360),
        ("໒ ອາທິດ", 14), ("10 ມື້", 10), ("៣ខែ", 90), ("៥ ថ្ងៃ", 5),
        ("0 days", None), ("13 months", None), ("999 weeks", None), ("weeks", None),
        ("2", None), ("two weeks", None), ("2 weeks and more", None),
        ("", None), ("2 лет", None), ("1.5 weeks", None),
    ],
)  # fmt: skip
def test_how_long_is_typed(typed: str, days: int | None) -> None:
    assert _typed_days(typed) == days


# In the store -------------------------------------------------------------------------------------


def test_a_role_ends_once_whoever_ends_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await give(stage, "Alex", "Noy")
        database = stage.app.database

        def holder(db: Any) -> roles.Holder:
            noy = _id_of(db, stage, "Noy")
            every = [each for id_ in range(1, 9) for each in roles.list_holders(db, id_)]
            return next(each for each in every if each.member_id == noy)

        hers = database.run_now(holder)
        assert [database.run_now(lambda db: roles.end(db, hers)) for _ in range(2)] == [True, False]

    staged(database_url, play)
