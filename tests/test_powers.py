"""Who may do what: every way in stands in the table, and every role tries every power.

A try is a real turn: a button is shown to somebody while her role has the power, then she has
another role, then she taps it. What she may not do gets a kind sentence, changes nothing and is
told to nobody.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import func, insert, select
from starlette.routing import Mount, Route

import handlers
from bot import clock, models, roles
from bot.app import App
from bot.cli import cli
from bot.conversation import Conversation, Conversations
from bot.settings import Settings
from bot.web import build
from tests.stage import Person, Stage
from tests.test_facilitators import programme, staged, wait_outside
from tests.test_roles import _id_of, set_membership

# Every way in ------------------------------------------------------------------------------------


def _conversations() -> Conversations:
    modules = [
        import_module(f"handlers.{each.name}") for each in pkgutil.iter_modules(handlers.__path__)
    ]
    found = [each for module in modules for each in vars(module).values()]
    return Conversations({each for each in found if isinstance(each, Conversation)})


def _commands(command: click.Command, above: str = "$") -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield above
        return
    for name, each in command.commands.items():
        yield from _commands(each, f"{above} {name}")


def _routes(*, development: bool, database_url: str) -> list[str]:
    rules: dict[str, Any] = {"_env_file": None, "database_url": database_url}
    if not development:
        rules |= {"public_url": "https://bot.example.org", "linkline_keys": "A" * 43 + "="}
    app = App(Settings(**rules), [])
    found = [each.path for each in build(app, work=False).routes if isinstance(each, Route | Mount)]
    app.database.close()
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_way_in_stands_in_the_table(database_url: str) -> None:
    talks = _conversations()
    ways = [*talks.steps, *talks.actions, *(f"on {event}" for event in talks.events)]
    ways += _commands(cli)
    ways += _routes(development=True, database_url=database_url)
    assert len(ways) > 100
    assert [way for way in ways if roles.power_of(way) not in roles.POWERS] == []


def test_only_what_is_open_to_all_who_take_part_stands_there_as_a_whole() -> None:
    """A new step of a talk for some roles must be judged by itself."""
    whole = {way: power for way, power in roles.WAYS.items() if way.endswith(".*")}
    assert all(roles.POWERS[power] >= set(roles.TAKING_PART) for power in whole.values())


def test_each_way_and_each_power_is_known() -> None:
    assert set(roles.WAYS.values()) <= set(roles.POWERS)
    assert all(allowed <= {*roles.ROLES, None} for allowed in roles.POWERS.values())
    assert {f"invite.{each}" for each in roles.INVITED_BY_CHAT} <= set(roles.POWERS)
    assert roles.power_of("ask.something_new") == "ask"
    assert roles.power_of("moderation.something_new") is None
    with pytest.raises(KeyError):
        roles.may("member", "fly")


def test_who_reads_reports_does_nothing_else_and_nobody_else_does() -> None:
    readers = {role for role in roles.ROLES if roles.may(role, "report.read")}
    assert readers == {"focal_point"}
    assert not roles.may("focal_point", "figures")
    for role in ("monitor", "administrator", "focal_point", None):
        assert not any(roles.may(role, power) for power in ("ask", "read", "answer", "announce"))


# Every role tries every power --------------------------------------------------------------------


@dataclass(frozen=True)
class Try:
    """What is done while she may, what she tries then, and what she hears if it works."""

    powers: tuple[str, ...]  # all of them are needed for this way
    shown_to: str  # the role in which she saw the button
    before: tuple[str, ...]
    act: str
    works: str


DESK = ("facilitate", "[More]")
ADMINISTER = ("administer", "[Invite for a role]")
REWORD = ("wording", "it is good that you are here", "1", "Welcome to {community}! Have tea.")
TRIES = [
    Try(("own",), "member", (), "language", "Which language would you like?"),
    Try(("report",), "member", (), "report", "safeguarding focal point"),
    Try(("ask",), "member", (), "Where can we sell our baskets?", "Your question:"),
    Try(("read",), "member", (), "101", "Q101 in Weavers"),
    Try(("answer",), "member", (), '"101"', "Thank you. Your words"),
    Try(("desk",), "member", (), "facilitate", "in Weavers."),
    Try(("unanswered",), "facilitator", ("facilitate",), "[Unanswered]", "No answer yet in"),
    Try(("announce",), "host", ("facilitate",), "[Announce]", "What would you like to announce?"),
    Try(("announce",), "host", ("announce", "We meet on Friday."), "[Send]", "one minute"),
    Try(("wording",), "facilitator", (), "wording", "Which sentence of mine"),
    Try(("wording",), "facilitator", REWORD, "[Save]", "From now on it reads so."),
    Try(("wording",), "facilitator", (*REWORD, "[Save]"), "[Undo]", "It reads as before again."),
    Try(("unreached",), "facilitator", ("facilitate",), "[Not reached]", "eached"),
    Try(
        ("responses",),
        "facilitator",
        ("facilitate",),
        "[Weekly answers]",
        "Answers to the weekly questions in",
    ),
    Try(("brief",), "facilitator", (), "brief", "This week in Weavers:"),
    Try(("admit",), "facilitator", ("facilitate",), "[Welcome all 1]", "1 newcomer is in"),
    Try(("hide",), "facilitator", ("101",), "[Hide a post]", "Why? The one who wrote"),
    Try(("hide",), "facilitator", ("101", "[Hide a post]", "[It may hurt]"), "[Hide it]", "Hidden"),
    Try(("move",), "facilitator", ("101",), "[Move it]", "cannot be moved"),
    Try(("close",), "facilitator", ("101",), "[Close it]", "Q101 is closed"),
    Try(("invite.member",), "facilitator", (), "invite", "With the code"),
    Try(
        ("role.give", "invite.facilitator"),
        "facilitator",
        ("facilitate", "[More]", "[Share the work]"),
        "[A link]",
        "With this link one person",
    ),
    Try(("invite.monitor",), "administrator", ADMINISTER, "[Monitor]", "Role: Mon"),
    Try(
        ("invite.facilitator",),
        "administrator",
        ADMINISTER,
        "[Facilitator]",
        "Role: Facilitator",
    ),
    Try(
        ("invite.administrator",),
        "administrator",
        ADMINISTER,
        "[Administrator]",
        "Role: Administrator",
    ),
    Try(("role.give",), "facilitator", DESK, "[Share the work]", "Who shall share"),
    Try(("role.take",), "facilitator", DESK, "[Take a role back]", "role in Weavers"),
    Try(("role.hand_back",), "host", ("my roles",), "[Hand it back]", "Hand your role in"),
    Try(("role.accept",), "member", ("an offer",), "[I will]", "Thank you! You are a host"),
    Try(("rhythm",), "facilitator", DESK, "[Weekly rhythm]", "The next four weeks"),
    Try(("rhythm",), "facilitator", ("rhythm",), "[Days and hours]", "Tip: Monday, 09:00"),
    Try(("rhythm",), "facilitator", ("rhythm",), "[Rest for a while]", "Until when shall"),
    Try(("rhythm",), "facilitator", ("rhythm", "[Rest for a while]"), "[Two weeks]", "Nothing is"),
    Try(("rhythm",), "facilitator", ("rhythm",), "[What was useful]", "No tip was found"),
    Try(
        ("rhythm",),
        "facilitator",
        ("rhythm", "[Write a new one]", "[A tip]", "Try it with a friend."),
        "[Save]",
        "It is not in every language",
    ),
    Try(("rounds",), "facilitator", ("facilitate",), "[Stories]", "In a round of stories"),
    Try(
        ("rounds",),
        "facilitator",
        ("facilitate", "[Stories]"),
        "[Open a round]",
        "Which kind of change",
    ),
    Try(("stories.export",), "monitor", (), "export stories", "What are the stories of"),
    Try(("figures",), "monitor", (), "figures", "take part"),
    Try(("administer",), "administrator", ("administer",), "[Rules in force]", "this is in force"),
    Try(("report.read",), "focal_point", ("a report",), "[Read it]", "A concern,"),
    Try(("report.read",), "focal_point", ("a report", "[Read it]"), "[Answer]", "your answer"),
    Try(
        ("report.read",),
        "focal_point",
        ("a report", "[Read it]"),
        "[Close this concern]",
        "Closed.",
    ),
]  # fmt: skip

REFUSED = (
    "Only facilitators of a group can do this.",
    "Only administrators of a group can do this.",
    "Only safeguarding focal points read this.",
    "Figures are seen by facilitators and monitors of a group.",
    "I do not find that question any more.",
    "I find no question with this number in your groups.",
    "This offer does not stand any more.",
    "That has been decided already.",
    "You are a member, like everybody.",
    "In this group you have another role",
)
# Tried beside its own talk: tests of new numbers.
ELSEWHERE = {"vouch"}


def test_every_power_that_somebody_has_is_tried() -> None:
    tried = {power for each in TRIES for power in each.powers} | ELSEWHERE
    assert {power for power, allowed in roles.POWERS.items() if allowed} == tried


@pytest.mark.parametrize("each", TRIES, ids=lambda each: f"{each.powers[-1]} {each.act}")
def test_each_role_tries(each: Try, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await _prepare(stage)
        # Who may not goes first, so that what is tried is still there to be refused.
        for role in sorted(roles.ROLES, key=lambda role: _may(role, each)):
            await _try(stage, each, role)

    staged(database_url, play, approval=True)


def _may(role: str, each: Try) -> bool:
    return all(roles.may(role, power) for power in each.powers)


async def _prepare(stage: Stage) -> None:
    """A question, an answer to a weekly one, somebody outside, a focal point."""
    stage.settle(stage.add("Sophea", "telegram", "en"), "weavers", "focal_point")
    await stage.say("Noy", "Where do we get indigo this year?")
    await stage.listen("Noy")
    await stage.choose("Noy", "Send")
    stage.app.database.run_now(lambda db: _give(db, _id_of(db, stage, "Noy")))
    await wait_outside(stage, ["Dara"])


def _give(db: Any, author_id: int) -> None:
    """An answer to a weekly question."""
    place = db.execute(select(models.communities.c.id)).scalar_one()
    row = {"author_id": author_id, "community_id": place, "kind": "response", "state": "live"}
    row |= {"seen_by": "facilitators", "created_at": clock.now()}
    db.execute(insert(models.posts).values(row))


async def _try(stage: Stage, each: Try, role: str) -> None:
    who = stage.add(f"Tess {role}", "telegram", "en")
    stage.settle(who, "weavers", each.shown_to)
    for act in each.before:
        await _do(stage, who, act)
    set_membership(stage, who.name, role=role)
    await stage.deliver()
    before, seen = _state(stage, who), {bubble.id for bubble in who.heard}
    await _do(stage, who, each.act)
    if each.powers == ("ask",):
        await stage.listen(who.name)
    heard = [bubble.text for bubble in who.heard if bubble.id not in seen]
    if _may(role, each) and not (each.act == "[I will]" and role == "facilitator"):
        assert any(each.works in words for words in heard), (role, heard)
        return
    assert heard and heard[0].startswith(REFUSED), (role, heard)
    assert _state(stage, who) == before, role


async def _do(stage: Stage, who: Person, act: str) -> None:
    if act == "an offer":
        alex = stage.people["Alex"]
        await stage.later(timedelta(minutes=1))  # not too much of one at once
        await _do(stage, alex, "facilitate")
        desk = next(each for each in reversed(alex.heard) if "[Unanswered]" in str(each))
        if "[More]" in str(desk):  # where somebody waits
            await _do(stage, alex, "[More]")
        for words in ("[Share the work]", who.name, "[Host]", "[For a month]"):
            await _do(stage, alex, words)
    elif act == "a report":
        reporter = "Noy" if len(who.name) % 2 else "Mali"  # not too much of one in a day
        for words in ("report", "He takes our money.", "[With my name]", "[No, I use the code]"):
            await _do(stage, stage.people[reporter], words)
            await stage.later(timedelta(seconds=5))
    elif act == '"101"':
        await stage.say(who.name, "101 We boil the bark for a day.")
    elif act.startswith("["):
        await stage.choose(who.name, act[1:-1])
    else:
        await stage.say(who.name, act)


def _state(stage: Stage, who: Person) -> dict[str, Any]:
    """All that a refused try could have changed, and what others were told."""

    def work(db: Any) -> dict[str, Any]:
        places, talks = models.memberships.c, models.threads.c
        found: dict[str, Any] = {}
        for columns in (
            (places.id, places.role, places.state),
            (talks.id, talks.state, talks.community_id),
            (models.reports.c.id, models.reports.c.state),
        ):
            rows = sorted(map(tuple, db.execute(select(*columns))))
            found[columns[0].table.name] = rows
        for table in (models.invites, models.notes, models.audit, models.envelopes):
            found[table.name] = db.execute(select(func.count()).select_from(table)).scalar()
        me = _id_of(db, stage, who.name)
        others = models.deliveries.c.member_id != me
        told = select(func.count()).select_from(models.deliveries).where(others)
        found["told"] = db.execute(told).scalar()
        return found

    return stage.app.database.run_now(work)


@pytest.mark.parametrize("role", ["monitor", "administrator", "focal_point"])
def test_who_has_other_work_gets_no_posts(role: str, database_url: str) -> None:
    """Nor who followed a question before she got that role."""

    async def play(stage: Stage) -> None:
        who = stage.add("Moni", "telegram", "en")
        stage.settle(who, "weavers", "member")
        await stage.say("Noy", "Where do we get indigo this year?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.choose("Moni", "Follow")
        set_membership(stage, "Moni", role=role)
        seen = len(who.heard)
        await stage.say("Alex", "101 From the market in Paksan.")
        await stage.say("Mali", "announce")
        await stage.say("Mali", "We meet on Friday.")
        await stage.choose("Mali", "Send")
        await stage.say("Noy", "And who knows about the price of silk?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.later(timedelta(seconds=120))
        assert who.heard[seen:] == []

    staged(database_url, play)


def test_the_programme_file_names_monitors_and_administrators(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        kea = stage.add("Kea", "telegram", "en")
        bo = stage.add("Bo", "telegram", "en")
        stage.load(programme(monitors=[kea.address], administrators=[bo.address]))
        for name, words in (("Kea", "figures"), ("Bo", "administer")):
            await stage.say(name, "hello")
            for label in ("English", "I agree", name, "Skip"):
                await stage.choose(name, label)
            await stage.say(name, words)
        assert "take part" in kea.heard[-1].text
        assert "What would you like to do for Weavers?" in bo.heard[-1].text

    staged(database_url, play, approval=True)


def test_house_of_roles_is_one_file() -> None:
    """Nobody compares the name of a role by hand, where a power is meant."""
    # Which role it is, not what she may do there.
    allowed = {"roles.py", "invites.py", "welcome.py", "cofacilitator.py", "pace.py", "vouch.py"}
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted(Path(handlers.__path__[0]).glob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if ".role ==" in line or ".role !=" in line or ".role in" in line
        if path.name not in allowed
    ]
    assert found == []
