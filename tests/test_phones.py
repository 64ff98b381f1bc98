"""One person, two phones: linked by nobody else, one taking over, a number that changed hands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from bot import clock, models
from bot.channels import simulator
from bot.db import Database
from bot.messages import Choice, Inbound, Receipt, Text
from bot.reading import split_number
from bot.router import Router
from bot.store import addresses, audiences, codes, invites, meeting, messages, proofs
from bot.store.audiences import Audience
from handlers import secret as secret_talk
from tests.stage import Person, Stage

NO_CODE = "This code does not open anything now"
NAME = "Which name did you use here?"
LINKED = "Another app was linked"
CODE = "482 915 730"
BLOCKED = (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked"})
BUSY = (
    429,
    {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 5",
        "parameters": {"retry_after": 5},
    },
)

Act = Callable[[Stage], Coroutine[Any, Any, None]]


def play(url: str, act: Act, first: str = "telegram", second: str = "whatsapp") -> None:
    """Noy and Dara are in one community; Noy2 is a phone that nobody knows yet."""

    async def run() -> None:
        stage = Stage(url)
        names = {"en": "Crafts", "lo": "Crafts", "km": "Crafts"}
        about = {"slug": "t", "names": names, "contact": "help@example.org"}
        place = {"slug": "crafts", "names": names, "language": "en", "timezone": "UTC"}
        stage.load({"programme": about, "communities": [place]})
        stage.settle(stage.add("Noy", first, "en"), "crafts")
        stage.add("Noy2", second, "en")
        stage.settle(stage.add("Dara", "telegram", "en"), "crafts")
        try:
            await act(stage)
            assert not stage.complaints(), stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


def heard(stage: Stage, name: str) -> list[str]:
    """What came to this phone since she looked last."""
    person = stage.people[name]
    said = [str(each) for each in person.unread]
    person.unread.clear()
    return said


async def wait(stage: Stage) -> None:
    for _second in range(5):
        clock.move(timedelta(seconds=1))
        await stage.deliver()


async def link(stage: Stage) -> None:
    await stage.say("Noy", "my apps")
    await stage.choose("Noy", "Link my other app")
    code = stage.people["Noy"].heard[-1].text
    await stage.say("Noy2", code)
    assert "Your two apps belong together now" in heard(stage, "Noy2")[0]
    heard(stage, "Noy")


async def linked_long_ago(stage: Stage) -> None:
    await link(stage)
    await stage.later(timedelta(days=8))
    for name in ("Noy", "Noy2"):
        await stage.say(name, "hello")
        heard(stage, name)


def tell(stage: Stage, *texts: str, who: str = "Noy", kind: str = "thread") -> None:
    """Said to the person, at whatever address she prefers."""

    member_id = whose(stage, who)

    def work(db: Any) -> None:
        for text in texts:
            said = messages.Message((Text(text),))
            id_ = messages.add(db, f"t/{text}", kind, said, clock.now())
            assert id_ is not None
            audiences.tell(db, id_, kind, Audience("member", member_id), clock.now())

    stage.app.database.run_now(work)


def named(person: Person) -> str:
    channel, _colon, name = person.address.partition(":")
    return person.address if channel == "whatsapp" else name


def row(stage: Stage, name: str) -> Any:
    """Her address as it stands in the store."""
    person = stage.people[name]
    lane = stage._lane(person)

    def work(db: Any) -> Any:
        key = meeting.key_of(lane, named(person))
        statement = select(models.addresses).join(
            models.address_keys, models.address_keys.c.address_id == models.addresses.c.id
        )
        return db.execute(statement.where(models.address_keys.c.key == key)).one()

    return stage.app.database.run_now(work)


def whose(stage: Stage, name: str) -> int:
    return int(row(stage, name).member_id)


def count(stage: Stage, table: Any, *where: Any) -> int:
    statement = select(func.count()).select_from(table).where(*where)
    return int(stage.app.database.run_now(lambda db: db.execute(statement).scalar_one()))


# Codes ------------------------------------------------------------------------------------------


@given(st.integers(2000, 9999), st.integers(0, 99_999), st.sampled_from(["", " ", "-", ". "]))
def test_a_code_is_nothing_else(first: int, rest: int, gap: str) -> None:
    code = f"{first}{rest:05}"
    spaced = codes.spaced(code)
    assert codes.find_code(spaced, alone=True) == code
    assert codes.find_code(f"it is {spaced}!", alone=False) == code
    assert codes.find_code(f"it is {spaced}!", alone=True) is None
    assert invites.find_code(spaced) is None and invites.find_code(code) is None
    assert split_number(code)[0] is None
    typed = gap.join((code[:3], code[3:6], code[6:]))
    for zero in (0x0ED0, 0x17E0):  # Lao, Khmer
        digits = typed.translate({ord(str(n)): chr(zero + n) for n in range(10)})
        assert codes.find_code(digits, alone=True) == code


@pytest.mark.parametrize(
    "text", ["012 345 678", "+855 12 345 678", "020 5555 1234", "101", "48291573", "4829157301", ""]
)
def test_what_is_no_code(text: str) -> None:
    assert codes.find_code(text, alone=True) is None
    assert codes.find_code(f"call me {text} please", alone=False) is None


def test_wrong_ones_look_alike(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        answers = set()
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        for said in ("ABCD-EFGH", "482 915 731", "777 777 777"):
            await stage.say("Noy2", said)
            answers |= set(heard(stage, "Noy2"))
        clock.move(timedelta(minutes=11))
        await stage.say("Noy2", CODE)  # too late
        answers |= set(heard(stage, "Noy2"))
        assert len(answers) == 1 and NO_CODE in answers.pop()
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        await stage.say("Noy2", CODE)  # an earlier one
        await stage.say("Noy2", "483 015 730")  # the right one, after five
        assert "wait half an hour" in heard(stage, "Noy2")[-1]
        assert whose(stage, "Noy") != whose(stage, "Noy2")

    play(database_url, act)


def test_five_tries_at_a_code_whoever_tries(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        for number in range(5):
            stage.add(f"Thief{number}", "telegram", "en")
            await stage.say(f"Thief{number}", f"482 900 00{number}")
        await stage.say("Noy2", CODE)
        assert NO_CODE in heard(stage, "Noy2")[0]

    play(database_url, act)


def test_nobody_who_is_somebody_is_linked(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        await stage.say("Dara", CODE)
        assert NO_CODE in heard(stage, "Dara")[0]
        await stage.say("Noy", CODE)  # in the same app
        assert "from there" in heard(stage, "Noy")[-1]
        agreed = models.members.c.id == whose_new(stage)
        stage.app.database.run_now(
            lambda db: db.execute(
                update(models.members).where(agreed).values(consent_at=clock.now())
            )
        )
        await stage.say("Noy2", CODE)
        assert NO_CODE in heard(stage, "Noy2")[-1]
        assert len({whose(stage, name) for name in stage.people}) == 3

    def whose_new(stage: Stage) -> int:
        member = stage.app.database.run_now(
            lambda db: meeting.add(
                db,
                stage._lane(stage.people["Noy2"]),
                [named(stage.people["Noy2"])],
                clock.now(),
                state="new",
            )
        )
        return int(member)

    play(database_url, act)


def test_a_code_while_she_is_being_welcomed(database_url: str) -> None:
    """She began with an invite on her second phone: until she agreed it belongs to nobody."""

    async def act(stage: Stage) -> None:
        await stage.say("Noy2", stage.code("crafts"))
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        await stage.say("Noy2", "៤៨២ ៩១៥ ៧៣០")
        assert "belong together" in heard(stage, "Noy2")[-1]
        await stage.say("Noy2", "1")
        assert count(stage, models.conversations) == 0
        assert count(stage, models.members, models.members.c.state == "new") == 0

    play(database_url, act)


@pytest.mark.parametrize("round_", range(3))
def test_two_processes_and_one_code(database_url: str, round_: int) -> None:
    """Two strangers, each at a process of its own, send the same code at the same moment."""

    async def act(stage: Stage) -> None:
        stage.add("Other", "whatsapp", "en")
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        stores = [Database(database_url) for _ in range(2)]
        routers = [
            Router(each, stage.app.conversations, stage.app.router._limits) for each in stores
        ]
        lane = stage._lane(stage.people["Noy2"])
        told = [
            Inbound(lane, f"race/{who}", (named(stage.people[who]),), text=CODE)
            for who in ("Noy2", "Other")
        ]
        # Each of them twice, as providers repeat.
        await asyncio.gather(
            *(router.take(each) for router in routers for each in told), return_exceptions=False
        )
        for each in stores:
            each.close()
        await stage.deliver()
        mine = {whose(stage, "Noy2"), whose(stage, "Other")} & {whose(stage, "Noy")}
        assert len(mine) == 1 and whose(stage, "Noy2") != whose(stage, "Other")
        said = [heard(stage, "Noy2"), heard(stage, "Other")]
        assert sorted(len(each) for each in said) == [1, 1]
        assert sum(NO_CODE in each[0] for each in said) == 1
        assert sum(LINKED in each for each in heard(stage, "Noy")) == 1

    play(database_url, act)


# Not she ----------------------------------------------------------------------------------------


def test_the_older_app_is_told_until_it_is_undone(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await link(stage)
        await stage.later(timedelta(days=1))
        assert [LINKED in each for each in heard(stage, "Noy")] == [True]
        assert heard(stage, "Noy2") == []
        await stage.choose("Noy", "Unlink the other")
        assert "not linked any more" in heard(stage, "Noy")[0]
        await stage.later(timedelta(days=6))
        await stage.later(timedelta(days=6))
        assert heard(stage, "Noy") == [] and heard(stage, "Noy2") == []
        tell(stage, "later")
        await stage.deliver()
        assert heard(stage, "Noy") == ["later"] and heard(stage, "Noy2") == []
        await stage.choose("Noy", "Unlink the other")  # once more
        assert "not possible" in heard(stage, "Noy")[0]
        assert row(stage, "Noy2").linked_at is None and row(stage, "Noy2").preferred

    play(database_url, act)


def test_what_was_linked_lately_changes_nothing(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await link(stage)
        here, there = row(stage, "Noy2"), row(stage, "Noy")
        stage.app.database.run_now(
            lambda db: messages.say(
                db,
                [("s", messages.Message((Text("?"),), choices(here, there)), clock.now())],
                (here.id, here.member_id, here.lane),
                clock.now(),
            )
        )
        await stage.deliver()
        for label in ("Mine", "Cut"):
            await stage.choose("Noy2", label)
            assert "not possible from here" in heard(stage, "Noy2")[-1]
        await stage.say("Noy2", "secret word")
        assert "linked lately" in heard(stage, "Noy2")[-1]
        assert row(stage, "Noy").preferred and row(stage, "Noy").first_choice

    def choices(here: Any, there: Any) -> tuple[Any, ...]:
        return (
            choice(f"phones.use:{here.id}", "Mine"),
            choice(f"phones.unlink:{there.id}", "Cut"),
        )

    play(database_url, act, "telegram", "telegram")


def choice(key: str, label: str) -> Any:
    return Choice(key, Text(label))


def test_a_stranger_reaches_nothing_of_hers(database_url: str) -> None:
    """After unlinking: no choice on an old bubble, no talk, no payload of hers is left there."""

    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        await stage.say("Noy2", "How do you dry rattan?")
        await wait(stage)
        await stage.choose("Noy2", "Send")
        await stage.say("Noy2", "ask")
        address_id = row(stage, "Noy2").id
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Unlink the other")
        heard(stage, "Noy2")
        await stage.choose("Noy2", "Change")
        assert "invite code" in heard(stage, "Noy2")[0]
        for said in ("101", "my questions", "menu", "my apps"):
            await stage.say("Noy2", said)
            assert not any("rattan" in each or "Crafts" in each for each in heard(stage, "Noy2"))
        kept = models.inbox.c.address_id == address_id
        assert count(stage, models.inbox, kept, models.inbox.c.payload.is_(None)) > 3
        assert count(stage, models.conversations) == 0

    play(database_url, act, "whatsapp", "telegram")


# One takes over ---------------------------------------------------------------------------------


def test_all_that_waits_goes_over_in_order_and_once(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        stage.failing["sendMessage"] = [BLOCKED]
        tell(stage, *"abcdef")
        await stage.deliver()
        assert heard(stage, "Noy") == [] and heard(stage, "Noy2") == list("abcdef")
        tell(stage, "g")
        await stage.deliver()
        assert heard(stage, "Noy2") == ["g"]
        await stage.say("Noy", "menu")
        assert len(heard(stage, "Noy")) == 1
        tell(stage, "h")
        await stage.deliver()
        assert heard(stage, "Noy") == ["h"] and heard(stage, "Noy2") == []
        lost = models.deliveries.c.state.in_(("failed", "unknown", "queued", "sending"))
        assert count(stage, models.deliveries, lost) == 0

    play(database_url, act)


def test_a_receipt_that_says_gone(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        tell(stage, "a")
        await stage.deliver()
        assert heard(stage, "Noy") == ["a"]
        dispatch = models.dispatches
        newest = select(dispatch.c.token).order_by(dispatch.c.id.desc()).limit(1)
        token = stage.app.database.run_now(lambda db: db.execute(newest).scalar_one())
        receipt = Receipt(row(stage, "Noy").lane, "gone", token, None, "63024")
        for _twice in range(2):
            await stage.app.take(stage.channel(stage.people["Noy"]), [receipt])
            await stage.deliver()
        assert heard(stage, "Noy2") == ["a"] and heard(stage, "Noy") == []

    play(database_url, act, "whatsapp", "telegram")


def test_both_are_gone_and_one_comes_back(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        for name in ("Noy", "Noy2"):
            await stage.membership(name, "block")
        tell(stage, "lost")
        await stage.deliver()
        await stage.say("Noy2", "menu")
        heard(stage, "Noy2")
        assert row(stage, "Noy2").preferred and row(stage, "Noy").first_choice
        tell(stage, "a")
        await stage.deliver()
        assert heard(stage, "Noy2") == ["a"]
        await stage.say("Noy", "menu")
        assert row(stage, "Noy").preferred and not row(stage, "Noy2").preferred

    play(database_url, act, "telegram", "telegram")


def test_what_is_older_than_the_link_waits_for_the_older_app(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        stage.failing["sendMessage"] = [BUSY]
        tell(stage, "before")
        await stage.deliver()
        clock.move(timedelta(seconds=1))
        await link_quietly(stage)
        await stage.membership("Noy", "block")
        tell(stage, "after")
        await stage.later(timedelta(minutes=1))
        assert heard(stage, "Noy2") == ["after"]
        await stage.say("Noy", "menu")
        assert "before" in heard(stage, "Noy")

    async def link_quietly(stage: Stage) -> None:
        await stage.say("Noy2", "hello")
        here, member_id = row(stage, "Noy2"), whose(stage, "Noy")
        stage.app.database.run_now(lambda db: addresses.attach(db, here.id, member_id, clock.now()))
        heard(stage, "Noy2")

    play(database_url, act)


def test_a_closed_phone_hands_over_what_waits(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        discreet = update(models.members).where(models.members.c.id == whose(stage, "Noy"))
        stage.app.database.run_now(lambda db: db.execute(discreet.values(discreet=True)))
        tell(stage, "a secret", "another")
        await stage.deliver()
        [notice] = heard(stage, "Noy")
        assert "waiting" in notice
        await stage.membership("Noy", "block")
        await stage.deliver()
        assert heard(stage, "Noy2") == [notice]
        await stage.say("Noy2", "open")
        assert heard(stage, "Noy2")[:2] == ["a secret", "another"]

    play(database_url, act, "telegram", "telegram")


def test_what_is_on_its_way_to_a_phone_that_is_cut_off(database_url: str) -> None:
    """It was to be tried again there: it goes to the one she has."""

    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        stage.failing["sendMessage"] = [BUSY]
        tell(stage, "a")
        await stage.deliver()
        old = row(stage, "Noy")
        stage.app.database.run_now(lambda db: addresses.cut(db, old.id, clock.now()))
        await stage.later(timedelta(minutes=1))
        assert heard(stage, "Noy2") == ["a"] and heard(stage, "Noy") == []

    play(database_url, act)


@pytest.mark.parametrize("state", ["queued", "unknown", "sending"])
def test_what_a_dead_owner_left_never_comes_to_a_stranger(database_url: str, state: str) -> None:
    """The delivery still names the address, which belongs to somebody else by now."""

    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        old = row(stage, "Noy")
        stage.app.database.run_now(lambda db: addresses.cut(db, old.id, clock.now()))
        tell(stage, "a", who="Noy2")
        stray = {"address_id": old.id, "lane": old.lane, "state": state}
        waiting = update(models.deliveries).where(models.deliveries.c.state == "queued")
        stage.app.database.run_now(lambda db: db.execute(waiting.values(**stray)))
        await stage.restart()
        await stage.deliver()
        await stage.later(timedelta(minutes=1))
        assert heard(stage, "Noy2") == ["a"] and heard(stage, "Noy") == []

    play(database_url, act)


def test_without_any_phone_it_waits_for_the_new_one(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        member_id, old = whose(stage, "Noy"), row(stage, "Noy")
        tell(stage, "waits")
        stage.app.database.run_now(lambda db: addresses.cut(db, old.id, clock.now()))
        direct = messages.Message((Text("there"),))
        stage.app.database.run_now(
            lambda db: messages.say(
                db, [("d", direct, clock.now())], (old.id, member_id, old.lane), clock.now()
            )
        )
        await stage.deliver()
        assert heard(stage, "Noy") == []  # what answered her there is said to nobody
        await stage.say("Noy2", "hello")
        new = row(stage, "Noy2")
        stage.app.database.run_now(lambda db: addresses.attach(db, new.id, member_id, clock.now()))
        tell(stage, "a", who="Noy2")
        await stage.deliver()
        assert heard(stage, "Noy2")[-2:] == ["waits", "a"]

    play(database_url, act)


def test_taken_back_where_it_was_shown(database_url: str) -> None:
    """One app got it, then the other one opened it: it goes from both."""

    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        await stage.say("Dara", "How do you dry rattan?")
        await wait(stage)
        await stage.choose("Dara", "Send")
        await stage.say("Noy2", "101")
        shown = [stage.people[name].bubble_with("rattan").id for name in ("Noy", "Noy2")]
        facilitates = update(models.memberships).where(
            models.memberships.c.member_id == whose(stage, "Dara")
        )
        stage.app.database.run_now(lambda db: db.execute(facilitates.values(role="facilitator")))
        await stage.say("Dara", "101")
        await stage.choose("Dara", "Hide a post")
        while not stage.people["Noy"].gone and stage.people["Dara"].heard:
            label = stage.people["Dara"].heard[-1].buttons[0][0]
            await stage.choose("Dara", label)
        assert shown[0] in stage.people["Noy"].gone and shown[1] in stage.people["Noy2"].gone

    play(database_url, act, "telegram", "telegram")


# A number that changed hands --------------------------------------------------------------------


def whatsapp_user(stage: Stage, user: str) -> None:
    """From now on Noy's messages carry this user id."""
    phone = stage.people["Noy"].phone

    def say(text: str) -> Any:
        return [*type(phone).say(phone, text), ("ExternalUserId", user)]

    phone.say = say


def test_a_number_with_another_user_id(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        say = stage.people["Noy"].phone.say
        whatsapp_user(stage, "LA.1")
        await stage.say("Noy", "menu")
        assert "What would you like to do" in heard(stage, "Noy")[0]
        stage.people["Noy"].phone.say = say
        await stage.say("Noy", "menu")  # without an id
        assert "What would you like to do" in heard(stage, "Noy")[0]
        whatsapp_user(stage, "LA.2")
        await stage.say("Noy", "menu")
        assert [NAME in each for each in heard(stage, "Noy")] == [True]
        clock.move(timedelta(minutes=1))
        tell(stage, "a secret")
        await stage.deliver()
        assert heard(stage, "Noy") == []
        for said in ("open", "1011", "my questions", "/start", "clear", "get help now", "help"):
            clock.move(timedelta(minutes=1))
            doubts_reset(stage)
            await stage.say("Noy", said)
            assert [NAME in each for each in heard(stage, "Noy")] == [True], said
        doubts_reset(stage)
        await stage.say("Noy", " NOY! ")
        said = heard(stage, "Noy")
        assert said[0] == "Thank you." and "a secret" in said and "What would you" in "".join(said)

    def doubts_reset(stage: Stage) -> None:
        stage.app.database.run_now(
            lambda db: db.execute(update(models.addresses).values(wrong_codes=0))
        )

    play(database_url, act, "whatsapp", "telegram")


def test_somebody_else_has_the_number(database_url: str) -> None:
    """The new owner is a stranger; the one before is found by her own id no more there."""

    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        whatsapp_user(stage, "LA.1")
        await stage.say("Noy", "menu")
        before = whose(stage, "Noy")
        heard(stage, "Noy")
        tell(stage, "a", "b")
        whatsapp_user(stage, "LA.2")
        await stage.say("Noy", "hello, who is this?")
        heard(stage, "Noy")
        await stage.choose("Noy", "I am new here")
        assert "invite code" in heard(stage, "Noy")[-1]
        assert whose(stage, "Noy2") == before != whose(stage, "Noy")
        said = heard(stage, "Noy2")
        assert any("silent for long" in each for each in said)
        ids = models.address_keys.c.address_id == row(stage, "Noy").id
        assert count(stage, models.address_keys, ids) == 2  # the number and the new id
        tell(stage, "c", who="Noy2")
        await stage.deliver()
        assert heard(stage, "Noy2") == ["c"] and heard(stage, "Noy") == []

    play(database_url, act, "whatsapp", "telegram")


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "simulator/whatsapp"])
def test_silent_for_long(database_url: str, channel: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "hello")
        heard(stage, "Noy")
        closed = update(models.addresses).values(last_inbound_at=None)
        stage.app.database.run_now(lambda db: db.execute(closed))  # the provider's clock
        await stage.later(timedelta(days=61))
        await stage.say("Noy", "menu")
        assert [NAME in each for each in heard(stage, "Noy")] == [channel != "telegram"]

    play(database_url, act, channel)


def test_written_in_bursts_before_the_question_was_read(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.later(timedelta(days=61))
        await stage.say("Noy", "How do you dry rattan")
        await stage.say("Noy", "when it rains all day?")
        assert len(heard(stage, "Noy")) == 1
        clock.move(timedelta(minutes=1))
        await stage.restart()
        await stage.send_file("Noy", "photo")
        assert NAME in heard(stage, "Noy")[-1]
        await stage.say("Noy", "ນ\u200boy")
        assert "spelling" in heard(stage, "Noy")[-1]
        await stage.say("Noy", "Noy")
        clock.move(timedelta(seconds=4))
        await stage.deliver()
        assert any("dry rattan\nwhen it rains all day?" in each for each in heard(stage, "Noy"))
        assert row(stage, "Noy").doubted_at is None

    play(database_url, act, "whatsapp")


def test_stopped_while_in_doubt(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.later(timedelta(days=61))
        await stage.say("Noy", "ຢຸດ")
        assert "No more messages" in heard(stage, "Noy")[-1]
        tell(stage, "a")
        await stage.deliver()
        assert heard(stage, "Noy") == []
        await stage.say("Noy", "start")
        assert NAME in heard(stage, "Noy")[-1]

    play(database_url, act, "whatsapp")


# The secret word --------------------------------------------------------------------------------

WORD = "ຕົ້ນ Zebra 77"


async def set_word(stage: Stage, word: str = WORD, name: str = "Noy") -> None:
    await stage.say(name, "secret word")
    await stage.say(name, word)
    await stage.say(name, word.upper())
    assert "is set" in heard(stage, name)[-1]


def test_the_word_stays_nowhere(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await set_word(stage)
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        await stage.say("Noy", "zebra 7")
        await stage.say("Noy", WORD.lower())
        assert CODE in heard(stage, "Noy")[-1]

        def everything(db: Any) -> str:
            found = []
            for table in models.metadata.sorted_tables:
                found += [repr(tuple(each)) for each in db.execute(select(table))]
            return "\n".join(found).casefold()

        kept = stage.app.database.run_now(everything)
        assert "my apps" in kept and "zebra" not in kept
        assert len(stage.people["Noy"].gone) == 4

    play(database_url, act)


def test_a_step_that_breaks_does_not_keep_the_word(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> str:
        raise RuntimeError

    async def act(stage: Stage) -> None:
        await stage.say("Noy", "secret word")
        monkeypatch.setattr(proofs, "make", broken)
        await stage.say("Noy", WORD)
        monkeypatch.undo()
        parked = select(models.inbox.c.payload).where(models.inbox.c.state == "parked")
        payload = stage.app.database.run_now(lambda db: db.execute(parked).scalar_one())
        assert json.loads(payload)["text"] == ""

    play(database_url, act)


@pytest.mark.parametrize("word", ["1234", "4321 99", "ABCD-EFGH", "482 915 730", "language"])
def test_words_that_look_like_something_else(database_url: str, word: str) -> None:
    async def act(stage: Stage) -> None:
        await set_word(stage, word)
        await stage.say("Noy", "my apps")
        await stage.choose("Noy", "Link my other app")
        await stage.say("Noy", word)
        assert CODE in heard(stage, "Noy")[-1]

    play(database_url, act)


def test_five_wrong_words(database_url: str) -> None:
    """Counted in the store: neither a restart nor her other app begins anew."""

    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        await set_word(stage)
        for number in range(5):
            await stage.say("Noy", "secret word")
            await stage.choose("Noy", "Change it")
            await stage.say("Noy", f"wrong {number}")
            await stage.say("Noy", "cancel")
            await stage.restart()
        await stage.say("Noy2", "secret word")
        await stage.choose("Noy2", "Change it")
        assert "wait half an hour" in heard(stage, "Noy2")[-1]
        clock.move(timedelta(minutes=31))
        await stage.choose("Noy2", "Change it")
        await stage.say("Noy2", WORD)
        assert "four letters" in heard(stage, "Noy2")[-1]

    play(database_url, act, "telegram", "telegram")


def test_open_for_ten_minutes_on_that_app_alone(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await linked_long_ago(stage)
        await set_word(stage)
        for name in ("Noy", "Noy2"):
            await stage.say(name, "secret word")
            await stage.choose(name, "Change it")
            assert "write your secret word" in heard(stage, name)[-1]
        await stage.say("Noy", WORD)
        await stage.say("Noy", "cancel")
        for name, asks in (("Noy", False), ("Noy2", True)):
            await stage.choose(name, "Change it")
            assert ("write your secret word" in heard(stage, name)[-1]) is asks

    play(database_url, act, "telegram", "telegram")


def test_proofs() -> None:
    proof = proofs.make("Mekong 12")
    assert proofs.matches(proof, "mekong ໑໒") and not proofs.matches(proof, "mekong 13")
    assert "ekong" not in proof and proof != proofs.make("Mekong 12")
    assert secret_talk.SHORTEST == 4 and simulator.LOOKS["whatsapp"].reassigned
