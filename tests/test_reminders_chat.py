"""Reminders as they come to phones: words, zones, nights, discreet ones, closed chats."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from bot import clock, models
from bot.i18n import render
from bot.messages import Text, _
from bot.store import sessions
from bot.timing import zone
from tests.stage import Stage
from tests.test_facilitators import programme

HERE = "Asia/Vientiane"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PLACE = "https://meet.example.org/stock"
CAST = (
    ("Noy", "telegram", "en", HERE),
    ("Dara", "whatsapp", "km", "Asia/Phnom_Penh"),
    ("Keo", "telegram", "lo", HERE),
    ("Ann", "telegram", "en", "Europe/Amsterdam"),
)


def at(text: str, where: str = HERE) -> datetime:
    """Monday is 2027-01-04."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(where)).astimezone(UTC)


def staged(url: str, play: Callable[[Stage], Awaitable[None]], **rules: Any) -> None:
    async def run() -> None:
        stage = Stage(url)
        stage.load(programme(**rules))
        for name, channel, language, where in CAST:
            stage.settle(stage.add(name, channel, language), "weavers")
            change(stage, name, timezone=where)
        try:
            await play(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


def change(stage: Stage, name: str, **values: Any) -> None:
    run(stage, lambda db: db.execute(update(models.members).where(_is(db, name)).values(values)))


def run(stage: Stage, work: Callable[[Any], Any]) -> Any:
    return stage.app.database.run_now(work)


def _is(db: Any, name: str) -> Any:
    rows = db.execute(select(models.members.c.id, models.members.c.name))
    return models.members.c.id == next(row.id for row in rows if row.name == name)


def session(stage: Stage, starts_at: datetime, *names: str, **more: Any) -> int:
    """To which all of the cast come, or these."""

    def work(db: Any) -> int:
        place = db.execute(select(models.communities.c.id)).scalar_one()
        values = {"community_id": place, "title": "Stock lists in Excel", "timezone": HERE}
        values |= {"starts_at": starts_at, "place": PLACE}
        id_ = sessions.add(db, clock.now(), **(values | more))
        for row in db.execute(select(models.members.c.id, models.members.c.name)).all():
            if row.name in (names or [each[0] for each in CAST]):
                answer(db, id_, row.id, "yes")
        return id_

    return int(run(stage, work))


def answer(db: Any, session_id: int, member_id: int, said: str) -> None:
    row = {"session_id": session_id, "member_id": member_id, "answer": said}
    times = {"created_at": clock.now(), "answered_at": clock.now()}
    db.execute(insert(models.signups).values(row | times))


async def until(stage: Stage, when: datetime) -> None:
    await stage.later(when - clock.now())


def read(stage: Stage, name: str) -> list[str]:
    """What came to her since she last looked."""
    person = stage.people[name]
    found = [str(each) for each in person.unread]
    person.unread.clear()
    return [each for each in found if "[Say it]" not in each]  # that comes after a session


def said(at_: datetime, name: str) -> str:
    """The reminder as she reads it."""
    _name, _channel, language, where = next(each for each in CAST if each[0] == name)

    def words(text: Text) -> str:
        return render(text, language, lambda ref, _language: "Stock lists in Excel", where)

    about = words(_("A reminder: {session} is on {at}.", session="Stock lists in Excel", at=at_))
    there = words(_("Where: {place}", place=PLACE))
    return f"{about}\n\n{there}"


def test_in_three_languages_and_each_at_her_own_hours(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        start = at("2027-01-06 10:00")
        session(stage, start)
        await until(stage, at("2027-01-04 19:00", "Europe/Amsterdam"))
        [heard] = read(stage, "Ann")  # a day before it is four at night there
        assert "Wednesday, 6 January 2027, 04:00" in heard and heard.startswith(said(start, "Ann"))
        await until(stage, start - DAY - HOUR)
        await stage.say("Dara", "hello")  # her chat is open for a day
        for each in stage.people:
            read(stage, each)
        await until(stage, start - DAY)
        for each in ("Noy", "Dara", "Keo"):
            [heard] = read(stage, each)
            assert heard.startswith(said(start, each)), each
        assert "Wednesday, 6 January 2027, 10:00" in said(start, "Noy")
        assert str(stage.people["Noy"].heard[-1]).endswith("[Cannot come] [Details]")
        await until(stage, at("2027-01-05 18:59", "Europe/Amsterdam"))
        assert read(stage, "Ann") == []
        await until(stage, at("2027-01-05 19:01", "Europe/Amsterdam"))
        [heard] = read(stage, "Ann")
        assert heard.startswith(said(start, "Ann"))
        await until(stage, start - HOUR)
        assert [len(read(stage, each)) for each in ("Noy", "Keo", "Ann")] == [1, 1, 0]
        await until(stage, start + 3 * HOUR)
        for each in ("Noy", "Keo", "Ann"):  # what they hear now is what comes after a session
            assert not [heard for heard in read(stage, each) if PLACE in heard]

    staged(database_url, play)


def test_seven_in_the_morning_is_said_in_the_evening_before(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        start = at("2027-01-06 07:00")
        session(stage, start, "Noy", "Keo", reminders=(60,))
        change(stage, "Keo", quiet_from=0, quiet_until=0)
        await until(stage, at("2027-01-05 19:01"))
        [heard] = read(stage, "Noy")
        assert "[I am here]" in heard, "it is the last bubble of it that she has"
        assert read(stage, "Keo") == []
        await until(stage, start - HOUR)
        assert read(stage, "Noy") == []
        [heard] = read(stage, "Keo")
        assert "[ຂ້ອຍຢູ່ນີ້]" in heard, "whatever others were told the evening before"
        await until(stage, start + HOUR)
        assert [len(read(stage, each)) for each in ("Noy", "Keo")] == [0, 0]

    staged(database_url, play)


def test_a_closed_chat_opened_in_time_and_too_late(database_url: str) -> None:
    """What waits for her to write is said if it is still of use, and never after it began."""

    async def play(stage: Stage) -> None:
        start = at("2027-01-07 14:00")
        session(stage, start, "Dara")
        await until(stage, start - DAY)
        await until(stage, start - 2 * HOUR)
        assert read(stage, "Dara") == []  # no template was approved
        await stage.say("Dara", "hello")
        await stage.later(5 * MINUTE)
        assert sum(said(start, "Dara") in each for each in read(stage, "Dara")) == 1
        other = at("2027-01-14 14:00")
        session(stage, other, "Dara")
        await until(stage, other - DAY)
        await until(stage, other + MINUTE)
        await stage.say("Dara", "hello")
        await stage.later(5 * MINUTE)
        assert not [each for each in read(stage, "Dara") if said(other, "Dara") in each]

    staged(database_url, play)


def test_between_the_wave_and_her_phone_everything_may_change(database_url: str) -> None:
    """Telegram does not answer for a while; meanwhile one says no, and then it is moved."""

    async def play(stage: Stage) -> None:
        start = at("2027-01-07 14:00")
        id_ = session(stage, start, "Noy", "Keo", "Ann")
        again = (429, {"ok": False, "description": "later", "parameters": {"retry_after": 60}})
        stage.failing["sendMessage"] = [again] * 3
        await until(stage, start - DAY)
        assert [read(stage, each) for each in ("Noy", "Keo", "Ann")] == [[], [], []]

        def says_no(db: Any) -> None:
            hers = models.signups.c.member_id.in_(select(models.members.c.id).where(_is(db, "Keo")))
            db.execute(update(models.signups).where(hers).values(answer="no"))

        run(stage, says_no)
        stage.failing.clear()
        await stage.later(5 * MINUTE)
        assert [len(read(stage, each)) for each in ("Noy", "Keo", "Ann")] == [1, 0, 1]
        stage.failing["sendMessage"] = [again] * 3
        await until(stage, start - HOUR)
        assert [read(stage, each) for each in ("Noy", "Keo", "Ann")] == [[], [], []]
        to = start + DAY
        run(stage, lambda db: sessions.change(db, id_, clock.now(), starts_at=to))
        stage.failing.clear()
        await until(stage, to - HOUR - MINUTE)
        heard = read(stage, "Noy")
        assert not [each for each in heard if said(start, "Noy") in each]
        await until(stage, to - HOUR + MINUTE)
        assert [each for each in read(stage, "Noy") if said(to, "Noy") in each]

    staged(database_url, play)


def test_a_discreet_community_and_a_discreet_phone(database_url: str) -> None:
    """Not what it is about, and not where; on a discreet phone not even that it is a session."""

    async def play(stage: Stage) -> None:
        start = at("2027-01-07 14:00")
        session(stage, start, "Noy", "Ann")
        change(stage, "Ann", discreet=True)
        change(stage, "Noy", discreet=False)
        await until(stage, start - DAY)
        [heard] = read(stage, "Noy")
        assert heard.startswith("A reminder: a session is on Thursday, 7 January 2027, 14:00.")
        assert "Excel" not in heard and PLACE not in heard
        [waits] = read(stage, "Ann")
        assert waits == "A message is waiting for you.\n[Open]"
        await stage.choose("Ann", "Open")
        [opened, closing] = read(stage, "Ann")
        assert "a session is on Thursday, 7 January 2027, 08:00" in opened
        assert "Excel" not in opened + closing and PLACE not in opened + closing

    staged(database_url, play, discreet=True)


def test_a_restart_says_nothing_twice(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        start = at("2027-01-07 14:00")
        session(stage, start, "Noy")
        await until(stage, start - DAY)
        await stage.restart()
        await stage.later(5 * MINUTE)
        clock.move(2 * DAY)  # nothing ran until long after it was over
        await stage.restart()
        await stage.later(5 * MINUTE)
        assert len(read(stage, "Noy")) == 1

    staged(database_url, play)
