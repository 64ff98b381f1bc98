"""After a session: one question, notes that become a thread, tasks on their day; twice, late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from bot import clock, models
from bot.messages import Choice, Message, _
from bot.sessions import harvest
from bot.store import attendance, harvests, records, sessions, signups, tasks
from bot.store.audiences import Audience
from bot.telling import tell
from tests import transcript
from tests.stage import Stage
from tests.test_forgetting import MINUTE

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def cast(stage: Stage, *, rules: list[str] | None = None, channel: str = "telegram") -> None:
    places = {"crafts": rules or [], "weavers": []}
    stage.load(transcript.programme(transcript.Transcript([], places, [])))
    for name, role in (("Noy", "member"), ("Dara", "member"), ("Sok", "member")):
        stage.settle(stage.add(name, channel, "en"), "crafts", role)
    stage.settle(stage.add("Alex", "telegram", "en"), "crafts", "facilitator")
    stage.settle(stage.add("Bo", "telegram", "en"), "weavers")


def play(
    url: str,
    story: Callable[[Stage], Coroutine[Any, Any, None]],
    **about: Any,
) -> None:
    async def go() -> None:
        stage = Stage(url)
        try:
            cast(stage, **about)
            await story(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(go())


def now(stage: Stage, work: Callable[[Any], Any]) -> Any:
    return stage.app.database.run_now(work)


def id_of(stage: Stage, name: str) -> int:
    def work(db: Any) -> int:
        rows = db.execute(select(models.members.c.id, models.members.c.name))
        return next(row.id for row in rows if row.name == name)

    return int(now(stage, work))


def plan(stage: Stage, *coming: str, host: str = "Noy", **values: Any) -> int:
    """A session in half an hour."""

    def work(db: Any) -> int:
        place = select(models.communities.c.id).where(models.communities.c.slug == "crafts")
        id_ = sessions.add(
            db,
            clock.now(),
            community_id=db.execute(place).scalar_one(),
            title="Stock in Excel",
            starts_at=values.pop("starts_at", clock.now() + timedelta(minutes=30)),
            timezone="Asia/Vientiane",
            host_id=host_id,
            **values,
        )
        for member_id in ids:
            signups.mark(db, id_, member_id, "yes", clock.now())
        return id_

    host_id, ids = id_of(stage, host), [id_of(stage, each) for each in coming]
    return int(now(stage, work))


def end(stage: Stage, session_id: int) -> None:
    """As the clock does when its end has passed."""
    ended = update(models.sessions).where(models.sessions.c.id == session_id)
    now(stage, lambda db: db.execute(ended.values(state="over", next_at=None)))


async def over(stage: Stage, session_id: int) -> None:
    clock.move(timedelta(minutes=91))
    end(stage, session_id)
    await stage.later(6 * MINUTE)


def text(stage: Stage, name: str) -> str:
    return "\n---\n".join(str(each) for each in stage.people[name].heard)


def unread(stage: Stage, name: str) -> str:
    person = stage.people[name]
    said = "\n---\n".join(str(each) for each in person.unread)
    person.unread.clear()
    return said


async def say(stage: Stage, name: str, words: str) -> str:
    person = stage.people[name]
    person.unread.clear()
    await stage.say(name, words)
    clock.move(timedelta(seconds=5))
    await stage.deliver()
    return unread(stage, name)


async def choose(stage: Stage, name: str, label: str) -> str:
    person = stage.people[name]
    person.unread.clear()
    await stage.choose(name, label)
    clock.move(timedelta(seconds=5))
    await stage.deliver()
    return unread(stage, name)


async def reply(stage: Stage, name: str, about: str, words: str) -> str:
    person = stage.people[name]
    person.unread.clear()
    await stage.reply(name, about, words)
    clock.move(timedelta(seconds=5))
    await stage.deliver()
    return unread(stage, name)


def count(stage: Stage, table: Any) -> int:
    return int(now(stage, lambda db: db.execute(select(func.count()).select_from(table)).scalar()))


# The whole of it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_from_notes_to_a_thread(channel: str, database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara", "Sok")
        clock.move(timedelta(minutes=40))
        assert "Good that you are here" in await say(stage, "Dara", "here")
        await say(stage, "Noy", "notes")
        await say(stage, "Noy", "One row for each basket.")
        await say(stage, "Noy", "Decision: the same codes everywhere")
        assert "Who does it? print the codes" in await say(stage, "Noy", "Task: print the codes")
        await choose(stage, "Noy", "Dara")
        assert "until Friday, 8 January 2027" in await say(stage, "Noy", "Friday")
        await choose(stage, "Noy", "Done")
        clock.move(timedelta(minutes=60))
        end(stage, session_id)
        await stage.later(6 * MINUTE)
        assert "one thing you take with you" in unread(stage, "Dara")
        assert "one thing" not in unread(stage, "Sok"), "she has not said that she was there"
        assert "The notes are kept" in unread(stage, "Noy")
        await choose(stage, "Dara", "Say it")
        assert "with your name" in await say(stage, "Dara", "Codes save an afternoon")
        looks = await choose(stage, "Noy", "Send the notes")
        assert "It goes to 3 peers in Crafts" in looks
        assert "Dara: Codes save an afternoon" in looks
        assert "The notes have the number Q101" in await choose(stage, "Noy", "Send")
        for name in ("Dara", "Sok", "Alex"):
            told = unread(stage, name)
            for words in (
                "What came of Stock in Excel on",
                "One row for each basket.",
                "Decided:",
                "the same codes everywhere",
                "Dara: print the codes, until Friday, 8 January 2027",
                "Dara: Codes save an afternoon",
                "write 101 and your words",
            ):
                assert words in told, name
        assert "Added later" not in await say(stage, "Sok", "101")
        await say(stage, "Sok", "101 I use a pivot table for it.")
        assert "Sok: I use a pivot table for it." in await say(stage, "Alex", "101")
        assert "One row for each basket." in await choose(stage, "Alex", "Share")
        assert "Q101: Stock in Excel" in await say(stage, "Sok", "notes")
        assert (count(stage, models.records), count(stage, models.posts)) == (0, 4)

    play(database_url, story, channel=channel)


def test_it_happens_once_whoever_looks_how_often(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        for _again in range(4):
            await stage.later(6 * MINUTE)
        assert text(stage, "Dara").count("one thing you take") == 1
        assert text(stage, "Noy").count("is over. Well done") == 1
        now(stage, lambda db: db.execute(models.harvests.delete()))  # as if it had been forgotten
        await stage.later(6 * MINUTE)
        assert text(stage, "Dara").count("one thing you take") == 1

    play(database_url, story)


def test_it_goes_out_by_itself_after_two_days(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara", "Sok")
        await over(stage, session_id)
        await reply(stage, "Dara", "one thing you take", "A list needs no colours")
        assert "with your name" in text(stage, "Dara")
        await stage.later(DAY)
        assert "What came of" not in text(stage, "Sok")
        await stage.later(DAY + HOUR)
        assert "Dara: A list needs no colours" in text(stage, "Sok")
        await stage.later(3 * DAY)
        assert text(stage, "Sok").count("What came of") == 1
        assert "The notes are out as Q101" in await choose(stage, "Noy", "Send the notes")
        assert now(stage, lambda db: sessions.get(db, session_id).state) == "told"

    play(database_url, story)


def test_where_there_is_nothing_nobody_hears_of_it(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        assert "There is nothing to send yet" in await choose(stage, "Noy", "Send the notes")
        await stage.later(3 * DAY)
        await stage.later(5 * DAY)
        assert now(stage, lambda db: sessions.get(db, session_id).state) == "told"
        assert "What came of" not in text(stage, "Dara")
        assert count(stage, models.threads) == 0
        assert "closed already" in await choose(stage, "Noy", "Send the notes")

    play(database_url, story)


def test_what_was_by_invitation_is_sent_by_hand_only(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara", scope="invited")
        await over(stage, session_id)
        await reply(stage, "Noy", "is over. Well done", "Only for us")
        await stage.later(9 * DAY)
        assert count(stage, models.threads) == 0
        assert now(stage, lambda db: records.count(db, session_id)) == 1
        await choose(stage, "Noy", "Send the notes")
        await choose(stage, "Noy", "Send")
        assert "Only for us" in text(stage, "Alex")

    play(database_url, story)


def test_two_tap_send_at_the_same_time(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara", note_taker_id=id_of(stage, "Sok"))
        await over(stage, session_id)
        assert "is over" in unread(stage, "Sok"), "who writes the notes is asked, not the host"
        assert "is over" not in unread(stage, "Noy")
        await reply(stage, "Sok", "is over", "First line")
        first = now(stage, lambda db: harvest.publish(db, clock.now(), session_id))
        again = now(stage, lambda db: harvest.publish(db, clock.now(), session_id))
        assert (first.number, again) == (101, None)
        assert "The notes are out as Q101" in await choose(stage, "Sok", "Send the notes")
        assert count(stage, models.threads) == 1

    play(database_url, story)


def test_notes_that_come_late_go_into_the_thread(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        await reply(stage, "Noy", "is over. Well done", "First line")
        now(stage, lambda db: harvest.publish(db, clock.now(), session_id))
        await stage.later(MINUTE)
        assert "Your words" in await reply(stage, "Noy", "is over. Well done", "And one more")
        assert "And one more" in await say(stage, "Dara", "101")
        assert "Your words" in await reply(stage, "Dara", "one thing you take", "Late, but here")
        assert "Dara: Late, but here" in await say(stage, "Noy", "101")

    play(database_url, story)


# Whose notes -------------------------------------------------------------------------------------


def test_notes_of_others_are_not_hers_to_write_and_nothing_is_lost(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        await choose(stage, "Noy", "Add notes")
        now(stage, lambda db: db.execute(update(models.sessions).values(host_id=None)))
        heard = await say(stage, "Noy", "Mine no more")
        assert "I do not find that session any more" in heard
        assert now(stage, lambda db: records.count(db, session_id)) == 0
        await stage.later(MINUTE)
        assert await say(stage, "Alex", "notes") != ""

    play(database_url, story)


def test_who_has_nothing_to_do_with_it_is_told_kindly(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        assert "There are no notes yet" in await say(stage, "Bo", "notes")
        assert "no session just now" in await say(stage, "Bo", "here")
        assert "Anybody can hold one" in await say(stage, "Bo", "next host")
        for key in ("notes.begin", "harvest.preview", "harvest.take", "attendance.show",
                    "attendance.here", "hosting.begin", "hosting.accept"):  # fmt: skip
            async for heard in _tapped(stage, "Bo", f"{key}:{session_id}", "Who came"):
                assert "I do not find that session any more" in heard, key

    play(database_url, story)


def test_pictures_and_recordings_are_kept(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await say(stage, "Noy", "notes")
        for kind in ("photo", "voice"):
            stage.people["Noy"].unread.clear()
            await stage.send_file("Noy", kind)
            clock.move(timedelta(seconds=5))
            await stage.deliver()
            assert "Noted." in unread(stage, "Noy")
        found = now(stage, lambda db: records.list_of(db, session_id))
        assert [each.file for each in found] == ["photo", "voice"]
        assert all(each.media_id for each in found)
        assert "(voice note, 0:03)" in await choose(stage, "Noy", "Show all")

    play(database_url, story)


def test_a_burst_is_answered_once_and_undo_takes_the_last_back(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await say(stage, "Noy", "notes")
        for words in ("one", "two words", "three"):
            await stage.say("Noy", words)
        clock.move(timedelta(seconds=5))
        await stage.deliver()
        assert unread(stage, "Noy").count("Noted.") == 1
        await choose(stage, "Noy", "Undo")
        found = now(stage, lambda db: [each.text for each in records.list_of(db, session_id)])
        assert found == ["one", "two words"]
        assert "Thank you" not in await say(stage, "Noy", "ok")
        await choose(stage, "Noy", "Undo")
        await choose(stage, "Noy", "Undo")
        assert "nothing of yours" in await choose(stage, "Noy", "Undo")

    play(database_url, story)


def test_a_week_later_the_notes_are_closed(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        clock.move(8 * DAY)
        end(stage, session_id)
        assert "more than a week ago" in await reply(stage, "Noy", "is over. Well done", "Late")

    play(database_url, story)


def test_what_she_simply_writes_afterwards(database_url: str) -> None:
    """Without a reply: it may be what she takes with her."""

    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        heard = await say(stage, "Dara", "That one row is enough for a basket")
        assert "[What I take with me]" in heard
        assert "with your name" in await choose(stage, "Dara", "What I take with me")
        [record] = now(stage, lambda db: records.list_of(db, session_id))
        assert (record.kind, record.text) == ("taken", "That one row is enough for a basket")
        assert count(stage, models.posts) == 0
        assert "Your question" in await say(stage, "Dara", "Who has a good camera for baskets?")

    play(database_url, story)


# Who came ----------------------------------------------------------------------------------------


def test_the_host_notes_who_came_by_numbers(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara", "Sok", "Alex")
        await over(stage, session_id)
        assert "2. Sok" in await choose(stage, "Noy", "Who came")
        for wrong in ("0", "4", "1-9", "Dara", "1.5"):
            assert "from 1 to 3" in await say(stage, "Noy", wrong), wrong
        assert "Noted: 2 people." in await say(stage, "Noy", "໑, 3")
        there = now(stage, lambda db: attendance.list_comers(db, session_id))
        assert [each.came for each in there] == [True, None, True]
        assert "1. Dara\n" in await choose(stage, "Noy", "Undo")
        await say(stage, "Noy", "all came")
        await choose(stage, "Noy", "Done")
        assert len(now(stage, lambda db: attendance.list_there(db, session_id))) == 3

    play(database_url, story)


def test_in_a_discreet_group_nobody_is_listed(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        plan(stage, "Dara", "Sok")
        clock.move(timedelta(minutes=31))
        await say(stage, "Dara", "here")
        [shown] = [each async for each in _tapped(stage, "Noy", "attendance.show:1", "Who came")]
        assert "1 person is there" in shown
        assert "Dara" not in shown

    play(database_url, story, rules=["discreet"])


async def _tapped(stage: Stage, name: str, key: str, label: str) -> Any:
    """What she hears after a tap on a choice with this key, shown to her before."""
    member_id = id_of(stage, name)
    message = Message((_("{words}", words="Look"),), (Choice(key, _("Who came")),))
    now(
        stage,
        lambda db: tell(
            db, clock.now(), f"test/{key}/{name}", Audience("member", member_id), message,
            kind="safety",
        ),
    )  # fmt: skip
    await stage.deliver()
    if stage.is_discreet(stage.people[name]):
        await say(stage, name, "open")
    yield await choose(stage, name, label)


def test_here_is_heard_from_a_quarter_before_until_the_end(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        assert "no session just now" in await say(stage, "Dara", "here")
        async for heard in _tapped(stage, "Dara", f"attendance.here:{session_id}", "Who came"):
            assert "From a quarter of an hour before" in heard
        clock.move(timedelta(minutes=16))
        await say(stage, "Dara", "I am here")
        await say(stage, "Dara", "here")
        there = now(stage, lambda db: attendance.list_comers(db, session_id))
        assert [each.came for each in there] == [True]
        clock.move(timedelta(minutes=90))
        assert "no session just now" in await say(stage, "Dara", "here")
        async for heard in _tapped(stage, "Sok", f"attendance.here:{session_id}", "Who came"):
            assert "It is over already" in heard
        now(stage, lambda db: sessions.change(db, session_id, clock.now(), state="cancelled"))
        async for heard in _tapped(stage, "Alex", f"attendance.here:{session_id}", "Who came"):
            assert "was cancelled" in heard

    play(database_url, story)


def test_who_comes_without_a_word_takes_no_seat(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara", seats=1)
        clock.move(timedelta(minutes=31))
        async for heard in _tapped(stage, "Sok", f"attendance.here:{session_id}", "Who came"):
            assert "Good that you are here" in heard
        assert now(stage, lambda db: signups.count(db, session_id))["yes"] == 1
        assert len(now(stage, lambda db: attendance.list_there(db, session_id))) == 1

    play(database_url, story)


# Tasks -------------------------------------------------------------------------------------------


def add_task(stage: Stage, session_id: int, who: str) -> int:
    def work(db: Any) -> int:
        id_ = tasks.add(db, session_id, member_id, "print the codes", clock.now())
        tasks.give(db, id_, member_id)
        return id_

    member_id = id_of(stage, who)
    return int(now(stage, work))


def test_a_task_is_asked_about_on_its_day_once(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        plan(stage, "Dara")
        await say(stage, "Noy", "notes")
        await say(stage, "Noy", "Task: print the codes by tomorrow")
        assert "print the codes, until Tuesday, 5 January 2027" in await choose(
            stage, "Noy", "Dara"
        )
        await stage.later(12 * HOUR)
        assert "taken this on" not in text(stage, "Dara")
        await stage.later(12 * HOUR)
        assert text(stage, "Dara").count("taken this on: print the codes") == 1
        await stage.later(2 * DAY)
        assert text(stage, "Dara").count("taken this on: print the codes") == 1
        await choose(stage, "Dara", "Ask me later")
        assert "31 February" not in await say(stage, "Dara", "31 February")
        assert "again on" in await choose(stage, "Dara", "Tomorrow")
        await stage.later(DAY + HOUR)
        assert text(stage, "Dara").count("taken this on: print the codes") == 2
        assert "stands as done" in await choose(stage, "Dara", "Done")
        assert "settled already" in await choose(stage, "Dara", "Done")
        await stage.later(7 * DAY)
        assert text(stage, "Dara").count("taken this on") == 2

    play(database_url, story)


def test_a_task_of_somebody_else_is_not_hers(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        task_id = add_task(stage, session_id, "Dara")
        async for heard in _tapped(stage, "Sok", f"tasks.done:{task_id}", "Who came"):
            assert "do not find that task" in heard
        assert "print the codes" in await say(stage, "Dara", "my tasks")
        await choose(stage, "Dara", "Task 1")
        assert "off your list" in await choose(stage, "Dara", "Not needed any more")
        assert "nothing on just now" in await say(stage, "Dara", "my tasks")

    play(database_url, story)


def test_who_and_when_are_asked_until_they_are_clear(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await say(stage, "Noy", "notes")
        await say(stage, "Noy", "call the buyer")
        await choose(stage, "Noy", "It is a task")
        assert "I do not find one person" in await say(stage, "Noy", "Bo")
        assert "Until when?" in await say(stage, "Noy", "sok")
        for wrong in ("soon", "31 February", "1/1/2020", "1/1/2099"):
            assert "until" not in (await say(stage, "Noy", wrong)).split("\n")[0], wrong
        await choose(stage, "Noy", "No date")
        [task] = now(stage, lambda db: tasks.list_of(db, session_id))
        assert (task.member_id, task.day, task.ask_at) == (id_of(stage, "Sok"), None, None)
        assert now(stage, lambda db: records.count(db, session_id)) == 0

    play(database_url, story)


# Words to the host, and the next host ------------------------------------------------------------


def test_words_go_to_the_host_and_back(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await say(stage, "Dara", "sessions")
        await choose(stage, "Dara", "Session 1")
        heard = await reply(stage, "Dara", "Stock in Excel", "Can I bring my sister?")
        assert "Shall I tell it to the host" in heard
        await choose(stage, "Dara", "Tell the host")
        await stage.later(MINUTE)
        assert "Dara writes about Stock in Excel: Can I bring my sister?" in text(stage, "Noy")
        await reply(stage, "Noy", "Can I bring", "Yes, she is welcome")
        await stage.later(MINUTE)
        assert "Noy: Yes, she is welcome" in text(stage, "Dara")
        assert now(stage, lambda db: records.count(db, session_id)) == 0, "it was no note"
        await choose(stage, "Dara", "Answer")
        await say(stage, "Dara", "Thank you, we both come")
        await stage.later(MINUTE)
        assert "Dara: Thank you, we both come" in text(stage, "Noy")
        for other in ("Sok", "Alex"):
            assert "sister" not in text(stage, other)

    play(database_url, story)


def test_the_next_host_is_asked_once(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        begun: list[Any] = []
        stage.app.conversations.actions["session.start"] = lambda turn: begun.append(turn.data)
        session_id = plan(stage, "Dara", "Sok")
        await over(stage, session_id)
        await choose(stage, "Noy", "Ask the next host")
        assert "do not find one person" in await say(stage, "Noy", "Bo")
        assert "Dara is asked" in await choose(stage, "Noy", "Dara")
        await stage.later(MINUTE)
        assert "You need not be an expert" in text(stage, "Dara")
        await say(stage, "Noy", "next host")
        assert "was asked already" in await choose(stage, "Noy", "Dara")
        await choose(stage, "Dara", "Not now")
        await stage.later(MINUTE)
        assert "Dara cannot hold it just now" in text(stage, "Noy")
        await choose(stage, "Noy", "Ask somebody else")
        await choose(stage, "Noy", "Sok")
        await stage.later(MINUTE)
        heard = await choose(stage, "Sok", "I will")
        assert heard.count("---") == 2, "three short messages"
        assert begun == [{"follows": session_id}]
        await stage.later(MINUTE)
        assert "Sok will hold the next session" in text(stage, "Noy")

    play(database_url, story)


def test_a_handler_that_fails_for_one_session_does_not_hold_up_the_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage) -> None:
        first, second = plan(stage, "Dara"), plan(stage, "Sok")
        real = harvest._begin

        def fail(db: Any, now: Any, session_id: int) -> bool:
            if session_id == first:
                raise ValueError("of this one")
            return real(db, now, session_id)

        monkeypatch.setattr(harvest, "_begin", fail)
        end(stage, first)
        await over(stage, second)
        assert "one thing" in text(stage, "Sok")
        assert "one thing" not in text(stage, "Dara")

    play(database_url, story)


def test_a_tick_over_many_sessions_is_short(database_url: str) -> None:
    """Whatever is planned or told: it is found by the few that are over."""

    async def story(stage: Stage) -> None:
        plan(stage)

        def fill(db: Any) -> None:
            row = dict(db.execute(select(models.sessions)).one()._mapping)
            rows = [{**row, "id": n, "uid": f"u{n}"} for n in range(10, 3000)]
            db.execute(insert(models.sessions), rows)

        now(stage, fill)
        assert now(stage, lambda db: harvests.list_new(db, 20)) == []
        assert now(stage, lambda db: harvest.look(db, clock.now())) == {}

    play(database_url, story)
