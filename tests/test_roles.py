"""Roles: nobody gains one by an old button, loses one by an invite, or has one on paper only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import models
from bot.store import communities, invites, meeting
from tests.stage import Person, Stage
from tests.test_facilitators import heard, programme, staged


def role_of(stage: Stage, name: str, slug: str = "weavers") -> tuple[str, str]:
    """(role, state) of somebody in a community, as the store has it."""
    return stage.app.database.run_now(lambda db: _role(db, stage, name, slug))


def _role(db: Any, stage: Stage, name: str, slug: str) -> tuple[str, str]:
    member_id = _id_of(db, stage, name)
    table = models.memberships
    place = select(models.communities.c.id).where(models.communities.c.slug == slug)
    wanted = select(table.c.role, table.c.state).where(
        table.c.member_id == member_id, table.c.community_id == place.scalar_subquery()
    )
    row = db.execute(wanted).one()
    return row.role, row.state


def _id_of(db: Any, stage: Stage, name: str) -> int:
    person = stage.people[name]
    lane, (channel, _colon, number) = stage._lane(person), person.address.partition(":")
    member_id = meeting.find_by_address(
        db, lane, person.address if channel == "whatsapp" else number
    )
    assert member_id is not None
    return member_id


def set_membership(stage: Stage, name: str, **values: Any) -> None:
    def work(db: Any) -> None:
        wanted = models.memberships.c.member_id == _id_of(db, stage, name)
        db.execute(update(models.memberships).where(wanted).values(**values))

    stage.app.database.run_now(work)


# Invites ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("approval", [True, False])
def test_a_facilitator_who_tries_her_own_invite_stays_one(
    approval: bool, database_url: str
) -> None:
    """In a community where newcomers wait she would wait too, and nobody could let her in."""

    async def play(stage: Stage) -> None:
        code = stage.code("weavers")
        await stage.say("Alex", code)
        assert role_of(stage, "Alex") == ("facilitator", "active")
        assert heard(stage.people["Alex"], "You are already in Weavers.") == 1
        await stage.say("Alex", "facilitate")
        assert heard(stage.people["Alex"], "3 members in Weavers.") == 1

    staged(database_url, play, approval=approval)


def test_a_focal_point_who_tries_an_invite_stays_one(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Sophea", "telegram", "en"), "weavers", "focal_point")
        await stage.say("Sophea", stage.code("weavers"))
        assert role_of(stage, "Sophea") == ("focal_point", "active")

    staged(database_url, play, approval=True)


def test_a_member_becomes_a_facilitator_by_her_invite(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", stage.code("weavers", "facilitator", 1))
        assert role_of(stage, "Noy") == ("facilitator", "active")

    staged(database_url, play, approval=True)


@pytest.mark.parametrize("role", ["facilitators", "focal_points"])
def test_whom_the_programme_names_needs_no_welcome(role: str, database_url: str) -> None:
    """She opens the link that everybody gets, instead of just writing."""

    async def play(stage: Stage) -> None:
        kea = stage.add("Kea", "telegram", "en")
        stage.load(programme(approval=True, **{role: [kea.address]}))
        await stage.say("Kea", stage.code("weavers"))
        for label in ("English", "I agree", "Kea", "Skip"):
            await stage.choose("Kea", label)
        assert role_of(stage, "Kea") == (role.removesuffix("s"), "active")
        assert heard(kea, "Welcome to Weavers!") == 1

    staged(database_url, play, approval=True)


def test_who_left_and_was_named_once_waits_like_everybody(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        kea = stage.add("Kea", "telegram", "en")
        stage.load(programme(approval=True, facilitators=[kea.address]))
        set_membership(stage, "Kea", state="declined")
        await stage.say("Kea", stage.code("weavers"))
        for label in ("English", "I agree", "Kea", "Skip"):
            await stage.choose("Kea", label)
        assert role_of(stage, "Kea")[1] == "waiting"

    staged(database_url, play, approval=True)


def test_a_community_that_ends_while_somebody_comes_in(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        kea = stage.add("Kea", "telegram", "en")
        await stage.say("Kea", stage.code("weavers"))
        for label in ("English", "I agree", "Kea"):
            await stage.choose("Kea", label)
        stage.load(programme(ended=True))
        await stage.choose("Kea", "Skip")
        assert heard(kea, "Welcome to Weavers!") == 0
        assert heard(kea, "This code does not open anything now.") == 1

    staged(database_url, play)


CODES = ["2345-6789", "234A-BCDE", "Q234-5678", "2345-ABCD"]


@pytest.mark.parametrize("code", CODES)
def test_a_link_whose_code_begins_like_a_thread(code: str, database_url: str) -> None:
    """One code of two hundred does; in the middle of something it was taken for an answer."""

    async def play(stage: Stage) -> None:
        made = stage.code("weavers", "facilitator", 1)
        rows = update(models.invites)
        key = models.invites.c.key
        stage.app.database.run_now(
            lambda db: db.execute(
                rows.where(key == invites._key(made)).values(key=invites._key(code), code=code)
            )
        )
        await stage.say("Noy", "ask")
        await stage.say("Noy", f"/start {code}")
        assert role_of(stage, "Noy") == ("facilitator", "active")

    staged(database_url, play)


def test_each_cofacilitator_has_a_link_of_her_own(database_url: str) -> None:
    """A link lets one in: two people must not be given the same."""

    async def play(stage: Stage) -> None:
        codes = set()
        for name in ("Alex", "Mali"):
            await stage.say(name, "facilitate")
            await stage.choose(name, "Share the work")
            await stage.choose(name, "A link")
            codes |= {
                each.text.rpartition("=")[2]
                for each in stage.people[name].heard
                if each.text.startswith("(QR)")
            }
        assert len(codes) == 2

    staged(database_url, play)


# Sharing the work -------------------------------------------------------------------------------


async def ask_to_share(stage: Stage, name: str) -> None:
    await stage.say("Alex", "facilitate")
    await stage.choose("Alex", "Share the work")
    await stage.say("Alex", name)
    if "What shall" in stage.people["Alex"].heard[-1].text:
        await stage.choose("Alex", "Facilitator")
        await stage.choose("Alex", "For good")


def test_the_focal_point_is_not_asked_away_from_her_work(database_url: str) -> None:
    """She would be a facilitator and nobody would get what is referred."""

    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Sophea", "telegram", "en"), "weavers", "focal_point")
        await ask_to_share(stage, "Sophea")
        assert heard(stage.people["Sophea"], "would facilitate") == 0
        assert heard(stage.people["Alex"], "I do not find one person of this name") == 1
        assert role_of(stage, "Sophea") == ("focal_point", "active")

    staged(database_url, play)


def test_who_became_the_focal_point_meanwhile_stays_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await ask_to_share(stage, "Noy")
        set_membership(stage, "Noy", role="focal_point")
        await stage.choose("Noy", "I will")
        assert role_of(stage, "Noy") == ("focal_point", "active")

    staged(database_url, play)


@pytest.mark.parametrize("state", ["left", "declined", "waiting"])
def test_who_is_not_in_any_more_accepts_nothing(state: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await ask_to_share(stage, "Noy")
        set_membership(stage, "Noy", state=state)
        await stage.choose("Noy", "I will")
        assert role_of(stage, "Noy") == ("member", state)

    staged(database_url, play)


# Old buttons ------------------------------------------------------------------------------------

NOT_YOURS = (
    "Only facilitators of a group can do this.",
    "I do not find that question any more.",
    "That has been decided already.",
    "That choice is already closed.",
)


async def show_desk(stage: Stage) -> None:
    await stage.say("Alex", "facilitate")


async def show_thread(stage: Stage) -> None:
    await stage.say("Mali", "Where do we get indigo this year?")
    await stage.listen("Mali")
    await stage.choose("Mali", "Send")
    await stage.say("Alex", "101")


async def show_invite(stage: Stage) -> None:
    await stage.say("Alex", "invite")


OLD: list[tuple[Callable[[Stage], Any], str]] = [
    (show_desk, "Unanswered"),
    (show_desk, "Invite"),
    (show_desk, "Announce"),
    (show_desk, "Not reached"),
    (show_desk, "Share the work"),
    (show_thread, "Hide a post"),
    (show_thread, "Move it"),
    (show_thread, "Close it"),
    (show_invite, "End it"),
]


@pytest.mark.parametrize(("show", "label"), OLD, ids=[label for _show, label in OLD])
def test_the_buttons_of_who_facilitated_once(
    show: Callable[[Stage], Any], label: str, database_url: str
) -> None:
    async def play(stage: Stage) -> None:
        alex = stage.people["Alex"]
        await show(stage)
        set_membership(stage, "Alex", role="member")
        before = len(alex.heard)
        await stage.choose("Alex", label)
        answers = [each.text for each in alex.heard[before:]]
        assert len(answers) == 1 and answers[0].startswith(NOT_YOURS), answers

    staged(database_url, play)


STEPS = [
    (["announce", "We meet on Friday."], "Send"),
    (["announce"], None),
    (["facilitate", "[Share the work]"], None),
]


@pytest.mark.parametrize(("before", "label"), STEPS, ids=["send", "write", "name"])
def test_the_question_of_who_facilitated_once(
    before: list[str], label: str | None, database_url: str
) -> None:
    """She was asked when she was one; what she answers is judged anew."""

    async def play(stage: Stage) -> None:
        for words in before:
            if words.startswith("["):
                await stage.choose("Alex", words[1:-1])
            else:
                await stage.say("Alex", words)
        set_membership(stage, "Alex", role="member")
        if label is None:
            await stage.say("Alex", "Noy" if "facilitate" in before else "We meet on Friday.")
        else:
            await stage.choose("Alex", label)
        await stage.later(timedelta(minutes=2))
        assert heard(stage.people["Alex"], "Only facilitators of a group can do this.") == 1
        for name in ("Noy", "Mali"):
            assert heard(stage.people[name], "We meet on Friday.") == 0
            assert heard(stage.people[name], "would facilitate") == 0

    staged(database_url, play)


def test_the_buttons_of_somebody_else(database_url: str) -> None:
    """Data of a button that was shown on another phone opens nothing."""

    async def play(stage: Stage) -> None:
        eve = stage.add("Eve", "telegram", "en")
        stage.settle(eve, "weavers")
        await stage.say("Alex", "facilitate")
        for _label, data in stage.people["Alex"].heard[-1].buttons:
            before = len(eve.heard)
            await stage.update(eve, eve.phone.tap(data, 1))
            assert eve.heard[before].text.startswith("That choice is already closed.")

    staged(database_url, play)


@pytest.mark.parametrize(
    "words",
    [
        "facilitate.desk:1",
        "welcome.admit_all:1",
        "cofacilitator.accept:1",
        "announce.begin:1",
        "discreet.clear",
        "moderation.begin:1",
    ],
)
def test_the_name_of_an_action_is_only_text(words: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", words)
        await stage.listen("Noy")
        assert role_of(stage, "Noy") == ("member", "active")
        assert "Your question:" in stage.people["Noy"].heard[-1].text

    staged(database_url, play)


@pytest.mark.parametrize(
    "words", ["announce", "invite", "facilitate", "unanswered", "not reached", "/announce"]
)
def test_a_member_who_types_a_facilitators_word(words: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Bo", "telegram", "en"), "weavers")
        await stage.say("Bo", words)
        assert [each.text for each in stage.people["Bo"].heard] == [
            "Only facilitators of a group can do this."
        ]

    staged(database_url, play)


# The focal point --------------------------------------------------------------------------------


async def hide(stage: Stage, thread: str = "101") -> Person:
    """As far as the last question before a post is hidden."""
    await stage.say("Noy", "Somsak of Ban Na owes me money, beat him up!")
    await stage.listen("Noy")
    await stage.choose("Noy", "Send")
    await stage.say("Alex", thread)
    await stage.choose("Alex", "Hide a post")
    await stage.choose("Alex", "It may hurt")
    return stage.people["Alex"]


def labels(person: Person) -> list[str]:
    return [label for label, _data in person.heard[-1].buttons]


def test_what_is_referred_is_read_by_the_focal_point_alone(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Sophea", "telegram", "en"), "weavers", "focal_point")
        alex = await hide(stage)
        await stage.choose("Alex", "Hide and refer")
        assert heard(alex, "The focal point has it now.") == 1
        assert heard(stage.people["Sophea"], "Somsak of Ban Na") == 1
        assert heard(stage.people["Mali"], "refers this to you") == 0

    staged(database_url, play)


def test_a_focal_point_who_has_never_written_gets_nothing(database_url: str) -> None:
    """The programme names her, but nobody can write to her: it must not be said that she has it."""

    async def play(stage: Stage) -> None:
        sophea = stage.add("Sophea", "telegram", "en")
        stage.load(programme(focal_points=[sophea.address]))
        alex = await hide(stage)
        assert "Hide it" in labels(alex)
        assert "Hide and refer" not in labels(alex)

    staged(database_url, play)


@pytest.mark.parametrize("how", ["stops", "blocks"])
def test_a_focal_point_who_cannot_be_reached(how: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Sophea", "telegram", "en"), "weavers", "focal_point")
        if how == "stops":
            await stage.say("Sophea", "stop")
        else:
            await stage.membership("Sophea", "block")
        alex = await hide(stage)
        assert "Hide and refer" not in labels(alex)

    staged(database_url, play)


def test_what_was_hidden_cannot_be_changed_before_it_is_looked_into(database_url: str) -> None:
    """On a discreet phone the referral waits; its author changes her words meanwhile."""

    async def play(stage: Stage) -> None:
        sophea = stage.add("Sophea", "telegram", "en")
        stage.settle(sophea, "weavers", "focal_point")
        stage.settle(stage.add("Eve", "telegram", "en"), "weavers")
        said = "Somsak of Ban Na owes me money, beat him up!"
        await stage.say("Eve", said)
        await stage.listen("Eve")
        await stage.choose("Eve", "Send")
        await stage.say("Sophea", "discreet")
        await stage.choose("Sophea", "Keep them closed")
        await stage.later(timedelta(hours=1))
        await stage.say("Alex", "101")
        for label in ("Hide a post", "It may hurt", "Hide and refer"):
            await stage.choose("Alex", label)
        await stage.edit("Eve", said, "Thank you all, I love this group!")
        await stage.say("Sophea", "open")
        assert heard(sophea, said) == 1
        assert heard(sophea, "I love this group") == 0

    staged(database_url, play)


def test_a_facilitator_sees_no_other_community(database_url: str) -> None:
    """The argument of an action is a row of the store: it is hers, or nothing is done."""

    def places(db: Any, stage: Stage) -> list[Any]:
        alex = _id_of(db, stage, "Alex")
        ids = [row.id for row in db.execute(select(models.communities.c.id))]
        return [communities.find_facilitated(db, alex, each) for each in (*ids, 0, -1, 10**12)]

    async def play(stage: Stage) -> None:
        source = programme()
        source["communities"].append(source["communities"][0] | {"slug": "farmers"})
        stage.load(source)
        found = stage.app.database.run_now(lambda db: places(db, stage))
        assert [each.slug for each in found if each is not None] == ["weavers"]

    staged(database_url, play)
