"""Forgotten: a member whose every word is a canary uses everything, is erased, and is nowhere.

Not in the rows, not in what the keys open, not in the bytes of the files, not at the providers, not
in the logs. A crash in between, a provider that is down, and who writes meanwhile change nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import LargeBinary, func, insert, select, type_coerce, update

from bot import clock, erasing, models
from bot.columns import Sealed
from bot.db import Database
from bot.messages import Inbound, Message, Ref, Trace, _
from bot.models import metadata
from bot.store import (
    contents,
    erasures,
    forgetting,
    meeting,
    messages,
    opinions,
    posts,
    sessions,
)
from tests import transcript
from tests.test_privacy import ANSWER, DRAFT, MarkedStage, errors, found_in, in_store, say

__all__ = ["errors"]

HER = "Maivongsa74"
ORGANISATION = "ກຸ່ມຕ່ຳຫູກ Basketry Collective 8841"
LAO = "ຜູ້ຍິງໝ້າຍບ້ານໂພນສະຫວັນຢືມເງິນ 4400 ໄດ້ຢູ່ໃສ?"
KHMER = "ស្ត្រីមេម៉ាយនៅភូមិ 5517 អាចខ្ចីប្រាក់បាននៅវត្ត"
ENGLISH = "My brother in law took the savings book 5599"
HAPPY = "My goat 8123 had twins under the mango tree"
FILE = "CANARYFILE77231"
WORDS = {LAO, KHMER, ENGLISH, HAPPY, FILE, DRAFT}
MINUTE = timedelta(minutes=1)


async def cast(database_url: str, channel: str) -> MarkedStage:
    stage = MarkedStage(database_url)
    stage.load(transcript.programme(transcript.Transcript([], {"crafts": []}, [])))
    for name, its_channel, role in (
        ("Noyphanith71", "whatsapp", "member"),
        ("Darasovann72", "telegram", "member"),
        ("Alexandria73", "telegram", "facilitator"),
    ):
        stage.settle(stage.add(name, its_channel, "en"), "crafts", role)
    stage.add(HER, channel, "en")
    return stage


async def live(stage: MarkedStage) -> None:
    """Everything that somebody can do here."""
    await say(stage, HER, stage.code("crafts"))
    for answer in ("1", "1", HER, ORGANISATION):
        await say(stage, HER, answer)
    await say(stage, HER, LAO)
    await stage.choose(HER, "Send")
    await say(stage, HER, "happy")
    await say(stage, HER, HAPPY)
    await stage.choose(HER, "With my name")
    await say(stage, "Darasovann72", "tree")
    for name in ("Noyphanith71", "Darasovann72"):
        await stage.reply(name, LAO[:20], ANSWER)
        await say(stage, name, "101")
    await say(stage, "Noyphanith71", "ask")
    await say(stage, "Noyphanith71", "Who knows a buyer for our baskets?")
    await stage.choose("Noyphanith71", "Send")
    await say(stage, HER, f"102 {KHMER}")
    await say(stage, HER, "ask")
    await send_file(stage)
    await say(stage, HER, DRAFT)
    await say(stage, HER, "my data")
    await stage.choose(HER, "Send it here")
    await say(stage, HER, "ZZZZ-9999")
    await park(stage)
    await freeze_for_others(stage)


async def send_file(stage: MarkedStage) -> None:
    person = stage.people[HER]
    voice = person.phone.voice(FILE)
    if person.channel == "telegram":
        await stage.update(person, voice)
    else:
        await stage.form(person, voice)


async def park(stage: MarkedStage) -> None:
    """What she writes breaks a handler, and is kept."""

    def fail(turn: Any) -> None:
        raise RuntimeError(turn.text)

    start = stage.app.conversations.actions["menu.start"]
    stage.app.conversations.actions["menu.start"] = fail
    await say(stage, HER, "menu")
    stage.app.conversations.actions["menu.start"] = start


async def freeze_for_others(stage: MarkedStage) -> None:
    """She asks while the provider of another is busy: her words wait, frozen, in his deliveries."""
    await say(stage, HER, "cancel")
    await say(stage, HER, "ask")
    await say(stage, HER, ENGLISH)
    busy = {"ok": False, "error_code": 429, "description": "", "parameters": {"retry_after": 5}}
    chat = stage.people["Darasovann72"].phone.user["id"]
    stage.failing[f"sendMessage/{chat}"] = [(429, busy)] * 50
    for sender in stage.app.senders:  # as if he had got much lately: his chat alone is meant
        sender.flight._pause = lambda *_: None  # type: ignore[method-assign]
    await stage.choose(HER, "Send")
    await stage.deliver()
    assert stage.app.database.run_now(_frozen) > 0


def _frozen(db: Any) -> int:
    kept = models.dispatches.c.content.is_not(None)
    return db.execute(select(func.count()).where(kept)).scalar_one()  # type: ignore[no-any-return]


def tie(stage: MarkedStage, member_id: int) -> None:
    """What other parts of the house keep of her under seal."""

    def work(db: Any) -> None:
        programme_id = db.execute(select(models.programmes.c.id)).scalar_one()
        community_id = db.execute(select(models.communities.c.id)).scalar_one()
        for number, whose in ((900, member_id), (901, 10**6)):
            row = {"number": number, "community_id": community_id, "state": "asked"}
            row |= {"anonymous": True, "asker": {"member": whose}, "created_at": clock.now()}
            thread = db.execute(insert(models.threads).values(row)).inserted_primary_key[0]
            post = {"thread_id": thread, "community_id": community_id, "kind": "question"}
            post |= {"state": "live", "created_at": clock.now()}
            post_id = db.execute(insert(models.posts).values(post)).inserted_primary_key[0]
            said = ENGLISH if whose == member_id else "words of somebody else"
            words = {"post_id": post_id, "kind": "text", "text": said}
            words |= {"forwarded": False, "created_at": clock.now()}
            db.execute(insert(models.bubbles).values(words))
            content = {"member": whose, "text": said}
            envelope = {"id": f"e{number}", "due_at": clock.now(), "content": content}
            db.execute(insert(models.envelopes).values(envelope))
            report = {"key": bytes([number % 256]) * 16, "programme_id": programme_id}
            report |= {"reporter": {"member": whose}, "named": True, "state": "open"}
            db.execute(insert(models.reports).values(report | {"created_at": clock.now()}))
        sessions_of(db, community_id, member_id)
        for number, useful in (("one", True), ("two", False)):
            tip = contents.save(db, number, "tip", "en", f"Tip {number}", clock.now())
            opinions.give(db, tip, member_id, clock.now(), useful=useful)

    stage.app.database.run_now(work)


def sessions_of(db: Any, community_id: int, member_id: int) -> None:
    """One that she held, what came of it, and the market."""
    words = {"title": ENGLISH, "place": ENGLISH, "packing": KHMER, "reason": LAO}
    about = {"community_id": community_id, "starts_at": clock.now(), "timezone": "UTC"}
    hers = {"host_id": member_id, "note_taker_id": member_id, "state": "over"}
    id_ = sessions.add(db, clock.now(), **about, **words)
    db.execute(update(models.sessions).where(models.sessions.c.id == id_).values(hers))
    mine = {"session_id": id_, "member_id": member_id, "created_at": clock.now()}
    db.execute(insert(models.signups).values(mine | {"answer": "yes", "came": True}))
    db.execute(insert(models.needs).values(mine | {"text": LAO}))
    task = {"author_id": member_id, "text": KHMER, "state": "open", "ask_at": clock.now()}
    db.execute(insert(models.tasks).values(mine | task))
    for kind, file in (("note", "text"), ("decision", "photo"), ("taken", "text")):
        row = {"session_id": id_, "author_id": member_id, "kind": kind, "file": file}
        row |= {"text": ENGLISH, "created_at": clock.now()}
        db.execute(insert(models.records).values(row))
    topic = {"community_id": community_id, "member_id": member_id, "kind": "offer"}
    topic |= {"text": LAO, "state": "open", "created_at": clock.now()}
    made = db.execute(insert(models.topics).values(topic)).inserted_primary_key[0]
    interest = {"topic_id": made, "member_id": member_id, "created_at": clock.now()}
    db.execute(insert(models.interests).values(interest))
    word = posts.add(db, member_id, Inbound("x", "k", ("x",), text=LAO), clock.now(), kind="word")
    posts.mark(db, word, state="live")


def member_of(stage: MarkedStage, name: str = HER) -> int | None:
    person = stage.people[name]
    channel, _colon, address = person.address.partition(":")
    lane = stage._lane(person)
    named = person.address if channel == "whatsapp" else address
    return stage.app.database.run_now(lambda db: meeting.find_by_address(db, lane, named))


def opened(db: Any) -> str:
    """All rows of all tables, with everything opened that the keys open."""
    rows = [row for table in metadata.sorted_tables for row in db.execute(select(table))]
    return "\n".join(str(tuple(row)) for row in rows)


def sealed_with(db: Any, marks: set[str]) -> list[bytes]:
    """The sealed values, as they stand in the store, that open to one of the marks."""
    found = []
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                both = select(column, type_coerce(column, LargeBinary)).where(column.is_not(None))
                found += [
                    bytes(raw)
                    for plain, raw in db.execute(both)
                    if any(mark in json.dumps(plain, ensure_ascii=False) for mark in marks)
                ]
    return found


async def be_forgotten(stage: MarkedStage, posts: str) -> None:
    await say(stage, HER, "forget me")
    await stage.choose(HER, posts)
    await stage.choose(HER, "Yes, forget me")
    assert "forgotten here" in stage.people[HER].heard[-1].text


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_nothing_is_left(channel: str, database_url: str, errors: Callable[[], bytes]) -> None:
    async def play() -> None:
        stage = await cast(database_url, channel)
        await live(stage)
        member_id = member_of(stage)
        assert member_id is not None
        tie(stage, member_id)
        address = stage.people[HER].address.partition(":")[2]
        marks = {HER, ORGANISATION, address, address.removeprefix("+"), *WORDS}
        before = stage.app.database.run_now(opened)
        assert [mark for mark in marks if mark not in before] == []
        sealed = stage.app.database.run_now(lambda db: sealed_with(db, marks))
        assert len(sealed) > 20
        await be_forgotten(stage, "My posts go too")
        begun = clock.now()
        await stage.later(timedelta(seconds=15))
        await stage.later(timedelta(seconds=15))
        assert clock.now() - begun < MINUTE
        assert member_of(stage) is None
        left = stage.app.database.run_now(opened)
        assert found_in(left.encode(), marks) == set()
        assert stage.app.database.run_now(lambda db: _mentions(db, member_id)) == []
        printed = errors()
        assert found_in(printed + generate_latest(), marks) == set()
        files = in_store(database_url)
        assert found_in(files, marks) == set()
        if database_url.startswith("sqlite"):  # not even sealed, in no page that is free
            assert [each for each in sealed if each[17:41] in files] == []
        await others_read(stage)
        await stage.close()

    asyncio.run(play())


def _mentions(db: Any, member_id: int) -> list[str]:
    """Columns that still point at her; the ledger keeps the bare number, for older backups."""
    pointing = {"member_id", "author_id", "asker_id", "role_from", "host_id", "note_taker_id"}
    return [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        if table.name != "ledger"
        for column in table.columns
        if column.name in pointing and db.execute(select(column).where(column == member_id)).all()
    ]


async def others_read(stage: MarkedStage) -> None:
    """The threads stand, and say that something was taken back."""
    for number in ("101", "102"):
        await say(stage, "Noyphanith71", number)
        shown = stage.people["Noyphanith71"].heard[-1].text
        assert "a former member: (taken back)" in shown, shown
    stage.failing.clear()
    await stage.later(timedelta(minutes=20))
    texts = [each.text for each in stage.people["Darasovann72"].heard]
    assert not any(ENGLISH in each for each in texts)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_her_posts_may_stay(channel: str, database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, channel)
        await live(stage)
        await be_forgotten(stage, "My posts stay")
        await stage.later(MINUTE)
        assert member_of(stage) is None
        left = stage.app.database.run_now(opened)
        address = stage.people[HER].address.partition(":")[2]
        assert found_in(left.encode(), {HER, ORGANISATION, address, FILE, DRAFT}) == set()
        await say(stage, "Noyphanith71", "102")
        assert f"a former member: {KHMER}" in stage.people["Noyphanith71"].heard[-1].text
        stage.failing.clear()
        await stage.later(timedelta(minutes=20))
        late = [each.text for each in stage.people["Darasovann72"].heard if ENGLISH in each.text]
        assert len(late) == 1, "made anew, with her words and without her name"
        assert HER not in late[0]
        assert "a former member asks" in late[0]
        await stage.close()

    asyncio.run(play())


def test_at_telegram(database_url: str) -> None:
    """Ours and hers of two days; the last word stays."""

    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        her = stage.people[HER]
        ours = {each.id for each in her.heard}
        hers = {f"{her.phone.user['id']}/{number}" for number in her.said.values()}
        await be_forgotten(stage, "My posts go too")
        await stage.later(MINUTE)
        assert ours <= set(her.gone)
        assert hers <= set(her.gone)
        assert [each.text for each in her.heard] == [her.heard[-1].text]
        assert stage.app.database.run_now(_rows_left) == 0
        assert not stage.complaints()
        await stage.close()

    asyncio.run(play())


def _rows_left(db: Any) -> int:
    return db.execute(select(func.count()).select_from(models.erasures)).scalar_one()  # type: ignore[no-any-return]


def test_at_twilio_with_errors(database_url: str) -> None:
    """Each message and its media; 404 is fine, everything else is tried again until it is done."""

    async def play() -> None:
        stage = await cast(database_url, "whatsapp")
        await live(stage)
        her = stage.people[HER]
        ours = {each.id for each in her.heard}
        await be_forgotten(stage, "My posts go too")
        error = {"code": 20404, "message": HER, "status": 404}
        stage.failing["DELETE"] = [(404, error)]
        busy = {"code": 20429, "message": HER, "status": 429}
        stage.failing["GET"] = [(429, busy), (500, busy), (409, busy)]
        await stage.later(timedelta(seconds=30))
        assert stage.app.database.run_now(_rows_left) > 0
        for _time in range(6):
            await stage.later(timedelta(minutes=10))
        assert stage.app.database.run_now(_rows_left) == 0
        assert len(ours - set(stage.erased)) <= 1, "the one that was gone already"
        assert her.heard[-1].text in [each.text for each in her.heard]
        await stage.close()

    asyncio.run(play())


def test_an_erasure_is_given_up_after_a_week(
    database_url: str, errors: Callable[[], bytes]
) -> None:
    async def play() -> None:
        stage = await cast(database_url, "whatsapp")
        lane = stage._lane(stage.people[HER])
        trace = Trace(lane, "whatsapp:+8562059411204", "SM1", clock.now())
        stage.app.database.run_now(lambda db: erasures.add(db, [trace], clock.now()))
        stage.failing["GET"] = [(500, {"code": 20500, "message": HER, "status": 500})] * 60
        for _time in range(60):
            clock.move(timedelta(hours=6))
            await stage.app.eraser.erase_due()
        assert stage.app.database.run_now(_rows_left) == 0
        printed = errors()
        assert printed.count(b"erasure_given_up") == 1
        assert not found_in(printed, {HER, "8562059411204", "SM1"})
        await stage.close()

    asyncio.run(play())


SECRETLY = "ຂ້ອຍຢ້ານຫົວໜ້າຄົນນັ້ນ, ຄວນເຮັດແນວໃດດີ?"


@pytest.mark.parametrize("held", [True, False], ids=["held", "out"])
@pytest.mark.parametrize("posts", ["My posts stay", "My posts go too"])
def test_what_she_asked_without_her_name(held: bool, posts: str, database_url: str) -> None:
    """While it is held, and when it is out: no link is left, whatever becomes of the words."""

    async def play() -> None:
        stage = await cast(database_url, "telegram")
        for name in ("Bounthavy75", "Keasophal76"):
            stage.settle(stage.add(name, "whatsapp", "en"), "crafts")
        stage.settle(stage.people[HER], "crafts")
        await say(stage, HER, "ask")
        await say(stage, HER, SECRETLY)
        await stage.choose(HER, "Without my name")
        await stage.choose(HER, "Send")
        if not held:
            await stage.later(timedelta(minutes=15))
            await stage.later(MINUTE)
            assert SECRETLY in stage.people["Darasovann72"].heard[-1].text
        assert stage.app.database.run_now(_sealed_links) == 1
        await be_forgotten(stage, posts)
        await stage.later(MINUTE)
        await stage.later(timedelta(minutes=15))
        assert stage.app.database.run_now(_sealed_links) == 0
        assert member_of(stage) is None
        left = stage.app.database.run_now(opened)
        assert (SECRETLY in left) == (not held and posts == "My posts stay")
        assert any(SECRETLY in each.text for each in stage.people["Darasovann72"].heard) == (
            not held and posts == "My posts stay"
        )
        await stage.close()

    asyncio.run(play())


def _sealed_links(db: Any) -> int:
    """Threads and held words that know whose they are."""
    linked = models.threads.c.asker.is_not(None)
    asked = db.execute(select(func.count()).where(linked)).scalar_one()
    held = db.execute(select(func.count()).select_from(models.envelopes)).scalar_one()
    return asked + held  # type: ignore[no-any-return]


def test_what_she_reported_stays_without_her(database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "telegram")
        stage.settle(stage.people[HER], "crafts")
        stage.settle(stage.add("Sopheanary78", "telegram", "en"), "crafts", "focal_point")
        await say(stage, HER, "report a concern")
        await say(stage, HER, SECRETLY)
        for answer in ("1", "1"):  # with her name; to be told of an answer
            await say(stage, HER, answer)
        assert HER in stage.app.database.run_now(opened)
        await be_forgotten(stage, "My posts go too")
        await stage.later(MINUTE)
        left = stage.app.database.run_now(opened)
        assert SECRETLY in left
        assert HER not in left
        reported = stage.app.database.run_now(
            lambda db: db.execute(select(models.reports.c.reporter, models.reports.c.named)).one()
        )
        assert tuple(reported) == (None, False)
        await stage.choose("Sopheanary78", "Read it")
        await stage.deliver()
        shown = stage.people["Sopheanary78"].heard[-1].text
        assert SECRETLY in shown
        assert HER not in shown
        await stage.close()

    asyncio.run(play())


# She writes during it, and after it -------------------------------------------------------------


def test_she_is_a_stranger_at_once(database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        her = stage.people[HER]
        old = her.bubble_with("102")
        await be_forgotten(stage, "My posts go too")
        await say(stage, HER, "hello")
        greeting = her.heard[-1].text
        assert "invite code" in greeting
        stranger = member_of(stage)
        await stage.later(MINUTE)
        await say(stage, HER, "102")
        assert her.heard[-1].text == greeting
        number = int(old.id.rpartition("/")[2])
        await stage.update(her, her.phone.reply("and what now?", number, old.text))
        assert her.heard[-1].text == greeting
        assert member_of(stage) == stranger, "the stranger is not erased with her"
        await say(stage, HER, stage.code("crafts"))
        assert "choose your language" in her.heard[-1].text
        await stage.close()

    asyncio.run(play())


def test_what_comes_late_makes_nobody_known(database_url: str) -> None:
    """A double tap, the same webhook again, an edit, a block: no row is made for them."""

    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        her = stage.people[HER]
        await say(stage, HER, "forget me")
        await stage.choose(HER, "My posts go too")
        bubble = her.bubble_with("cannot be undone")
        number = int(bubble.id.rpartition("/")[2])
        tap = her.phone.tap(bubble.buttons[0][1], number)
        await stage.update(her, tap)
        heard = len(her.heard)
        await stage.update(her, tap)  # the provider repeats it
        await stage.update(her, her.phone.tap(bubble.buttons[0][1], number))
        assert member_of(stage) is None
        await stage.later(MINUTE)
        await stage.update(her, tap)
        await stage.update(her, her.phone.edit(int(her.said[LAO]), "other words"))
        await stage.update(her, her.phone.block())
        await stage.update(her, her.phone.unblock())
        assert member_of(stage) is None
        assert len(her.heard) <= heard
        left = stage.app.database.run_now(opened)
        assert not found_in(left.encode(), {HER, her.address.partition(":")[2], "other words"})
        await stage.close()

    asyncio.run(play())


def test_after_stop_and_as_a_newcomer(database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "whatsapp")
        await say(stage, HER, "hello")
        await say(stage, HER, "forget me")
        await stage.choose(HER, "Yes, forget me")
        await stage.later(MINUTE)
        assert member_of(stage) is None
        await say(stage, "Noyphanith71", "stop")
        await say(stage, "Noyphanith71", "forget me")
        await say(stage, "Noyphanith71", "2")
        await say(stage, "Noyphanith71", "1")
        await stage.later(MINUTE)
        assert member_of(stage, "Noyphanith71") is None
        assert not found_in(stage.app.database.run_now(opened).encode(), {"Noyphanith71", HER})
        await stage.close()

    asyncio.run(play())


def test_numbers_are_not_given_again(database_url: str) -> None:
    """Buttons and texts that wait elsewhere name rows by number."""

    def come_and_go(db: Any) -> tuple[int, int]:
        member_id, address_id = meeting.add_ready(db, "lane", "x", clock.now(), language="en")
        assert address_id is not None
        forgetting.begin(db, member_id, clock.now(), posts_too=True)
        whom = forgetting.find_next(db, 0)
        assert whom is not None
        forgetting.remove_addresses(db, whom)
        forgetting.remove_member(db, whom)
        return member_id, address_id

    async def play() -> None:
        stage = await cast(database_url, "whatsapp")
        first = stage.app.database.run_now(come_and_go)
        second = stage.app.database.run_now(come_and_go)
        assert second[0] > first[0]
        assert second[1] > first[1]
        await stage.close()

    asyncio.run(play())


# What is under way ------------------------------------------------------------------------------


def test_what_is_with_a_provider_is_waited_for(database_url: str) -> None:
    """Its words come back and would be kept again."""

    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        member_id = member_of(stage)
        assert member_id is not None
        stage.app.database.run_now(lambda db: _send_off(db, member_id))
        await be_forgotten(stage, "My posts go too")
        await stage.later(timedelta(seconds=25))
        assert stage.app.database.run_now(lambda db: _is_there(db, member_id))
        await stage.later(timedelta(seconds=25))
        assert not stage.app.database.run_now(lambda db: _is_there(db, member_id))
        await stage.close()

    asyncio.run(play())


def _send_off(db: Any, member_id: int) -> None:
    """A delivery to somebody else, naming her, that a provider has in its hands."""
    told = Message((_("{name} asks", name=Ref("members", member_id)),))
    message_id = messages.add(db, "test", "thread", told, clock.now())
    assert message_id is not None
    other = select(models.addresses.c.id, models.addresses.c.member_id).limit(1)
    address_id, other_id = db.execute(other).one()
    row = {"message_id": message_id, "member_id": other_id, "address_id": address_id}
    row |= {"lane": "elsewhere", "priority": 1, "state": "sending", "due_at": clock.now()}
    db.execute(insert(models.deliveries).values(row))


def _is_there(db: Any, member_id: int) -> bool:
    return db.execute(select(models.members.c.id).where(models.members.c.id == member_id)).first()  # type: ignore[no-any-return]


def test_a_last_word_that_cannot_leave_is_not_waited_for(database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        await say(stage, HER, "forget me")
        await stage.choose(HER, "My posts stay")
        busy = {"ok": False, "error_code": 500, "description": HER}
        stage.failing[f"sendMessage/{stage.people[HER].phone.user['id']}"] = [(500, busy)] * 50
        await stage.choose(HER, "Yes, forget me")
        await stage.later(timedelta(seconds=15))
        await stage.later(timedelta(seconds=15))
        assert stage.app.database.run_now(lambda db: forgetting.find_next(db, 0)) is None
        await stage.close()

    asyncio.run(play())


def test_each_step_can_be_the_last_before_a_crash(database_url: str) -> None:
    """The process dies after every single transaction; the next one goes on."""

    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        member_id = member_of(stage)
        assert member_id is not None
        tie(stage, member_id)
        await be_forgotten(stage, "My posts go too")
        clock.move(timedelta(seconds=25))
        lives = 0
        while stage.app.database.run_now(lambda db: forgetting.find_next(db, 0)) is not None:
            lives += 1
            await _live(stage.app.database, lives)
        assert lives > 20
        left = stage.app.database.run_now(opened)
        assert found_in(left.encode(), {HER, ORGANISATION, *WORDS}) == set()
        await stage.close()

    asyncio.run(play())


async def _live(database: Database, steps: int) -> None:
    """So many transactions, then the end."""
    then: Any = erasing.forget.work
    for _step in range(steps):
        work = then
        done = database.run_now(lambda db: work(db, clock.now()))  # noqa: B023
        then = getattr(done, "then", None)
        if then is None:
            return
