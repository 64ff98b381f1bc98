"""What comes after a session, to those who have gone, or whose group has ended meanwhile."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from bot import clock, models
from bot.sessions import harvest, seats
from bot.store import presence, records, retention, tasks
from tests.stage import Stage
from tests.test_forgetting import MINUTE
from tests.test_harvest import (
    DAY,
    _tapped,
    choose,
    id_of,
    now,
    over,
    plan,
    play,
    reply,
    say,
    text,
    unread,
)


def leave(stage: Stage, name: str) -> None:
    """As the step of her leaving does it."""
    member_id = id_of(stage, name)

    def work(db: Any) -> None:
        presence.leave(db, member_id, 1)
        seats.leave(db, clock.now(), member_id, 1)

    now(stage, work)


def close(stage: Stage, *, closed: bool = True) -> None:
    """The group ends, or goes on."""
    at = clock.now() if closed else None
    ended = update(models.communities).where(models.communities.c.id == 1)
    now(stage, lambda db: db.execute(ended.values(ended_at=at)))


def test_who_left_gets_no_notes(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara", "Bo")
        clock.move(31 * MINUTE)
        await say(stage, "Dara", "here")
        await say(stage, "Bo", "here")
        await over(stage, session_id)
        assert "one thing you take" in text(stage, "Dara")
        await reply(stage, "Noy", "is over. Well done", "Where we meet next")
        leave(stage, "Dara")
        now(stage, lambda db: harvest.publish(db, clock.now(), session_id))
        await stage.later(MINUTE)
        assert "Where we meet next" in text(stage, "Bo"), "of another group, and there"
        assert "Where we meet next" not in text(stage, "Dara")

    play(database_url, story)


def test_who_left_is_not_asked_what_she_takes(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        clock.move(31 * MINUTE)
        await say(stage, "Dara", "here")
        leave(stage, "Dara")
        leave(stage, "Noy")
        await over(stage, session_id)
        assert "one thing you take" not in text(stage, "Dara")
        assert "is over" not in text(stage, "Noy")

    play(database_url, story)


def test_a_host_who_left_sees_and_sends_nothing(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        await reply(stage, "Noy", "is over. Well done", "A line")
        leave(stage, "Noy")
        for key in ("attendance.show", "notes.begin", "harvest.preview", "hosting.begin"):
            [heard] = [
                each async for each in _tapped(stage, "Noy", f"{key}:{session_id}", "Who came")
            ]
            assert "I do not find that session any more" in heard, key
            assert "Dara" not in heard

    play(database_url, story)


def test_a_group_that_has_ended_hears_nothing_and_loses_nothing(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        clock.move(MINUTE)
        close(stage)
        unread(stage, "Dara")
        await over(stage, session_id)
        assert "one thing you take" not in text(stage, "Dara")
        close(stage, closed=False)
        await stage.later(DAY + 10 * MINUTE)
        assert "one thing you take" in text(stage, "Dara")
        await reply(stage, "Noy", "is over. Well done", "A line")
        close(stage)
        await stage.later(2 * DAY)
        assert "A line" not in text(stage, "Dara")
        close(stage, closed=False)
        await stage.later(DAY + 10 * MINUTE)
        assert "A line" in text(stage, "Dara")

    play(database_url, story)


def test_a_task_of_a_group_she_left_is_not_asked_about(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        dara, noy = id_of(stage, "Dara"), id_of(stage, "Noy")

        def work(db: Any) -> None:
            task_id = tasks.add(db, session_id, noy, "Call the weavers", clock.now())
            tasks.give(db, task_id, dara)
            tasks.put(db, task_id, 0, clock.now() + DAY)

        now(stage, work)
        leave(stage, "Dara")
        await stage.later(DAY + 20 * MINUTE)
        assert "Call the weavers" not in text(stage, "Dara")

    play(database_url, story)


def test_a_task_of_who_was_not_asked_to_come_is_asked_about(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, scope="invited")
        sok, noy = id_of(stage, "Sok"), id_of(stage, "Noy")

        def work(db: Any) -> None:
            task_id = tasks.add(db, session_id, noy, "Call the weavers", clock.now())
            tasks.give(db, task_id, sok)
            tasks.put(db, task_id, 0, clock.now() + DAY)

        now(stage, work)
        close(stage)
        await stage.later(DAY + 20 * MINUTE)
        assert "Call the weavers" not in text(stage, "Sok")
        close(stage, closed=False)
        await stage.later(20 * MINUTE)
        assert text(stage, "Sok").count("Call the weavers") == 1

    play(database_url, story)


def test_a_group_that_has_ended_is_reminded_of_nothing(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        plan(stage, "Dara", starts_at=clock.now() + 3 * DAY)
        await stage.later(MINUTE)
        close(stage)
        for _hour in range(8):
            await stage.later(DAY / 3)
        assert "Stock in Excel" not in text(stage, "Dara")
        close(stage, closed=False)
        await stage.later(DAY / 3 - 30 * MINUTE)
        assert "Stock in Excel" in text(stage, "Dara")

    play(database_url, story)


def test_an_open_task_that_nobody_speaks_of_is_not_kept_for_ever(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        noy, at = id_of(stage, "Noy"), clock.now()

        def work(db: Any) -> int:
            asked = tasks.add(db, session_id, noy, "Soon", at)
            tasks.put(db, asked, 0, at + 400 * DAY)
            tasks.add(db, session_id, noy, "Whenever", at)
            retention.forget_settled(db, at + DAY, 10)
            return asked

        asked = now(stage, work)
        assert [each.id for each in now(stage, lambda db: tasks.list_of(db, session_id))] == [asked]

    play(database_url, story)


def test_undo_takes_a_picture_back_with_its_words(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        session_id = plan(stage, "Dara")
        await over(stage, session_id)
        await choose(stage, "Dara", "Say it")
        await stage.send_file("Dara", "photo")
        await stage.deliver()
        beside = models.records

        def words(db: Any) -> None:
            row = dict(db.execute(select(beside)).one()._mapping)
            again = row | {"id": row["id"] + 1, "file": "text", "text": "My field"}
            db.execute(insert(beside), [again])

        now(stage, words)
        assert "Taken back" in await choose(stage, "Dara", "Undo")
        assert now(stage, lambda db: records.list_of(db, session_id)) == []

    play(database_url, story)
