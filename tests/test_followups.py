"""Following up: in working time, once, and whom; outcomes; talks that were left standing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import clock, models
from bot.likeness import ALIKE, rank
from bot.messages import Choice, Message, Text
from bot.store import holdings, schedules, threads, traces
from bot.store.audiences import Audience
from bot.store.schedules import Holiday
from bot.telling import tell
from bot.timing import day_of, week_of, zone
from bot.workdays import DAY, has_passed, is_open
from tests.stage import Stage
from tests.test_facilitators import programme

HERE = "Asia/Vientiane"
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)


def at(text: str, where: str = HERE) -> datetime:
    """Monday is 2027-01-04."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(where)).astimezone(UTC)


# Working time ------------------------------------------------------------------------------------

NEW_YEAR = [(day_of(at("2027-04-14 12:00").date()), day_of(at("2027-04-16 12:00").date()))]


@pytest.mark.parametrize(
    ("since", "now", "days", "passed"),
    [
        ("2027-01-04 10:00", "2027-01-05 10:00", 1, True),
        ("2027-01-04 10:00", "2027-01-05 09:59", 1, False),
        ("2027-01-08 10:00", "2027-01-09 10:00", 1, False),  # Friday: the weekend stands still
        ("2027-01-08 10:00", "2027-01-11 10:00", 1, True),
        ("2027-01-08 10:00", "2027-01-12 09:59", 2, False),
        ("2027-01-09 10:00", "2027-01-11 23:59", 1, False),  # Saturday: from Monday on
        ("2027-01-09 10:00", "2027-01-12 00:00", 1, True),
        ("2027-04-13 10:00", "2027-04-17 10:00", 1, False),  # Pi Mai, then a weekend
        ("2027-04-13 10:00", "2027-04-19 10:00", 1, True),
        ("2027-01-05 10:00", "2027-01-04 10:00", 1, False),  # a clock that went back
    ],
)
def test_working_time(since: str, now: str, days: int, passed: bool) -> None:
    assert has_passed(at(since), at(now), days * DAY, zone(HERE), NEW_YEAR) is passed


def test_working_time_where_clocks_change() -> None:
    """On 28 March 2027 there is an hour less in Amsterdam, but that is a Sunday; here it is not."""
    where = "Asia/Amman"  # a zone of old data may put its clocks forward at midnight
    for zone_name in ("Europe/Amsterdam", "America/New_York", "Pacific/Apia", where):
        found = zone(zone_name)
        since = at("2027-03-26 10:00", zone_name)
        assert not has_passed(since, since + timedelta(days=2), DAY, found)
        assert has_passed(since, since + timedelta(days=4), DAY, found)


@pytest.mark.parametrize(
    ("now", "open_"),
    [
        ("2027-01-04 07:59", False),
        ("2027-01-04 08:00", True),
        ("2027-01-04 16:59", True),
        ("2027-01-04 17:00", False),
        ("2027-01-09 10:00", False),
        ("2027-04-15 10:00", False),
    ],
)
def test_it_is_spoken_of_in_the_hours_of_an_office(now: str, open_: bool) -> None:
    assert is_open(at(now), zone(HERE), NEW_YEAR) is open_


@pytest.mark.parametrize(
    ("wanted", "like", "others"),
    [
        (
            "How can I make a stock list in Excel with prices?",
            "How do you code the stock in Excel?",
            ["Where do we get indigo this year?", "My manager takes part of our pay."],
        ),
        (
            "ສູດໃດໃນ Excel ບວກບັນຊີສິນຄ້າ?",
            "ໃຊ້ Excel ເຮັດບັນຊີສິນຄ້າແນວໃດ?",
            ["ປີນີ້ຊື້ຄາມຢູ່ໃສ?", "ໃຜຮູ້ຮ້ານພິມລາຄາຖືກ?"],
        ),
        (
            "គ្មាននរណានិយាយក្នុងការប្រជុំ តើធ្វើយ៉ាងម៉េច?",
            "ធ្វើម៉េចឱ្យស្ត្រីហ៊ាននិយាយក្នុងការប្រជុំ?",
            ["តើទិញក្រមាឆ្នាំនេះនៅឯណា?", "ឆ្កែខ្ញុំឈឺ"],
        ),
    ],
)
def test_what_is_alike(wanted: str, like: str, others: list[str]) -> None:
    found = rank(wanted, [like, *others])
    assert found[0] >= ALIKE
    assert all(each < ALIKE for each in found[1:])


@pytest.mark.parametrize("nothing", ["", "?", "🙂"])
def test_nothing_is_like_nothing(nothing: str) -> None:
    assert rank(nothing, ["How do you code the stock?"])[0] < ALIKE
    assert rank("How do you code the stock?", [nothing, ""])[0] < ALIKE
    assert rank("How?", []) == []


# In a community ----------------------------------------------------------------------------------


def staged(url: str, play: Callable[[Stage], Awaitable[None]], **rules: Any) -> None:
    """Noy asks, Dara and Sok have answered about Excel and helped, Alex facilitates."""

    async def run() -> None:
        stage = Stage(url)
        stage.load(programme(**rules))
        for name in ("Noy", "Dara", "Sok", "Mai", "Alex"):
            role = "facilitator" if name == "Alex" else "member"
            stage.settle(stage.add(name, "telegram", "en"), "weavers", role)
        try:
            await play(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


async def ask(stage: Stage, who: str, words: str, *ways: str) -> None:
    await stage.say(who, words)
    await stage.later(timedelta(seconds=5))
    if "[A new question]" in str(stage.people[who].heard[-1]):
        await stage.choose(who, "A new question")
        await stage.later(timedelta(seconds=5))
    for way in (*ways, "Send"):
        await stage.choose(who, way)


async def known(stage: Stage) -> None:
    """Q101 about Excel was answered by Dara and Sok, and Dara's answer helped."""
    await ask(stage, "Mai", "How do you code the stock in Excel?")
    await stage.say("Dara", "101 A letter and a number.")
    await stage.say("Sok", "101 With colours.")
    await stage.later(timedelta(seconds=5))
    await stage.reply("Mai", "A letter and a number", "This helps")
    hush(stage)


def hush(stage: Stage) -> None:
    for person in stage.people.values():
        person.unread.clear()


async def until(stage: Stage, text: str) -> None:
    """Jobs run at this moment, and a quarter of an hour later."""
    await stage.later(max(at(text) - clock.now(), timedelta(seconds=1)))
    await stage.later(QUARTER)


def came(stage: Stage, words: str) -> dict[str, int]:
    """Who heard these words how often since it was hushed."""
    found = {
        name: sum(words in each.text for each in person.unread)
        for name, person in stage.people.items()
    }
    return {name: count for name, count in found.items() if count}


def run(stage: Stage, work: Callable[[Any], Any]) -> Any:
    return stage.app.database.run_now(work)


def mark(stage: Stage, table: Any, where: Any, **values: Any) -> None:
    run(stage, lambda db: db.execute(update(table).where(where).values(**values)))


def member(stage: Stage, name: str) -> int:
    return list(stage.people).index(name) + 1


ASK = "Perhaps you can help"
WAITS = "has waited two working days"
EXCEL = "Which formula in Excel adds up the stock?"


def test_each_step_comes_once_and_in_working_time(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        await until(stage, "2027-01-08 15:00")  # a Friday
        await ask(stage, "Noy", EXCEL)
        hush(stage)
        for weekend in ("2027-01-09 15:30", "2027-01-10 15:30", "2027-01-11 14:30"):
            await until(stage, weekend)
            assert came(stage, ASK) == {}, weekend
        await until(stage, "2027-01-11 15:30")
        assert came(stage, ASK) == {"Dara": 1, "Sok": 1}
        await stage.restart()
        await until(stage, "2027-01-12 14:30")
        assert came(stage, WAITS) == {}
        await until(stage, "2027-01-12 15:30")
        await until(stage, "2027-01-14 15:30")
        assert (came(stage, ASK), came(stage, WAITS)) == ({"Dara": 1, "Sok": 1}, {"Alex": 1})
        counted = select(models.members.c.unasked).where(
            models.members.c.id == member(stage, "Sok")
        )
        assert run(stage, lambda db: db.execute(counted).scalar()) >= 1

    staged(database_url, play)


def test_an_answer_ends_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        await ask(stage, "Noy", EXCEL)
        await stage.say("Sok", "102 SUM does.")
        hush(stage)
        await until(stage, "2027-01-07 15:00")
        assert came(stage, ASK) == came(stage, WAITS) == {}

    staged(database_url, play)


def test_a_holiday_of_the_country_stands_still(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        tuesday = day_of(at("2027-01-05 12:00").date())
        names = {"en": "A feast"}
        found = [Holiday("KH", tuesday, tuesday + 5, names), Holiday("LA", tuesday, tuesday, names)]
        run(stage, lambda db: schedules.save_holidays(db, 1, found))
        await ask(stage, "Noy", EXCEL)
        hush(stage)
        await until(stage, "2027-01-05 15:00")
        assert came(stage, ASK) == {}
        await until(stage, "2027-01-06 15:00")
        assert came(stage, ASK) == {"Dara": 1, "Sok": 1}

    staged(database_url, play)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("members", {"state": "stopped"}),
        ("members", {"paused_until": at("2027-02-01 10:00")}),
        ("members", {"week": week_of(at("2027-01-05 12:00"), None), "unasked": 7}),
        ("memberships", {"state": "left"}),
        ("memberships", {"role": "monitor"}),
        ("memberships", {"pace": "muted"}),
        ("memberships", {"pace": "concerns"}),
        ("memberships", {"pace": "weekly"}),
        ("addresses", {"unreachable_at": at("2027-01-04 10:00")}),
        ("addresses", {"doubted_at": at("2027-01-04 10:00")}),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_is_not_asked(table: str, values: dict[str, Any], database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        await ask(stage, "Noy", EXCEL)
        rows = getattr(models, table)
        hers = rows.c.id if table == "members" else rows.c.member_id
        mark(stage, rows, hers == member(stage, "Dara"), **values)
        hush(stage)
        await until(stage, "2027-01-05 12:00")
        assert came(stage, ASK) == {"Sok": 1}

    staged(database_url, play)


def test_nobody_is_asked_again_and_again(database_url: str) -> None:
    """Nor is who asks asked herself; who helped lately is asked where nobody knows."""

    async def play(stage: Stage) -> None:
        await known(stage)
        await ask(stage, "Dara", EXCEL)
        await ask(stage, "Noy", "Who repairs looms near Paksan?")
        hush(stage)
        await until(stage, "2027-01-05 12:00")
        assert came(stage, ASK) == {"Sok": 1, "Dara": 1}
        assert came(stage, "Answers of yours have helped") == {"Dara": 1}
        await ask(stage, "Noy", "Where is cheap silk this year?")
        await until(stage, "2027-01-06 12:30")
        assert came(stage, ASK) == {"Sok": 1, "Dara": 1}

    staged(database_url, play)


def test_what_only_facilitators_read_goes_to_no_peer(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        words = EXCEL + " My number is 020 5555 1234."
        await ask(stage, "Noy", words, "Without my name", "Only facilitators")
        hush(stage)
        await until(stage, "2027-01-06 15:00")
        await until(stage, "2027-01-06 15:30")
        assert came(stage, ASK) == {}
        assert came(stage, WAITS) == {"Alex": 1}

    staged(database_url, play)


async def held(stage: Stage, step: str) -> None:
    """Q102 has no answer, and what is said of it comes at a late hour of its readers."""
    await known(stage)
    await ask(stage, "Noy", EXCEL)
    hush(stage)
    late = ("Dara", "Sok") if step == ASK else ("Alex",)
    for name in late:
        hours = {"quiet_from": 8 * 60, "quiet_until": 17 * 60, "timezone": HERE}
        mark(stage, models.members, models.members.c.id == member(stage, name), **hours)
    await until(stage, "2027-01-05 12:00" if step == ASK else "2027-01-06 13:00")
    assert not came(stage, step).keys() & set(late)
    hush(stage)


@pytest.mark.parametrize("step", [ASK, WAITS])
def test_what_is_held_comes_if_it_still_waits(step: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await held(stage, step)
        await until(stage, "2027-01-06 19:00")
        assert came(stage, step) == ({"Dara": 1, "Sok": 1} if step == ASK else {"Alex": 1})

    staged(database_url, play)


@pytest.mark.parametrize("step", [ASK, WAITS])
@pytest.mark.parametrize("what", ["answered", "closed", "hidden"])
def test_what_is_held_is_dropped_if_it_waits_no_more(
    what: str, step: str, database_url: str
) -> None:
    async def play(stage: Stage) -> None:
        await held(stage, step)
        if what == "answered":
            await stage.say("Mai", "102 SUM does.")
        elif what == "closed":
            await stage.say("Noy", "102")
            await stage.choose("Noy", "Close it")
        else:
            question = models.posts.c.thread_id == 2
            mark(stage, models.posts, question, state="hidden")
        await until(stage, "2027-01-06 19:00")
        await until(stage, "2027-01-07 19:00")
        assert came(stage, ASK) == came(stage, WAITS) == {}
        dropped = select(func.count()).where(models.deliveries.c.reason == "overtaken")
        assert run(stage, lambda db: db.execute(dropped).scalar()) == (2 if step == ASK else 1)

    staged(database_url, play)


def test_a_line_of_a_digest_vanishes_too(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await held(stage, ASK)
        sok = models.memberships.c.member_id == member(stage, "Sok")
        mark(stage, models.memberships, sok, pace="daily")
        await stage.say("Mai", "102 SUM does.")
        await until(stage, "2027-01-06 19:00")
        await until(stage, "2027-01-07 19:00")
        assert came(stage, ASK) == {}

    staged(database_url, play)


@pytest.mark.parametrize("step", [ASK, WAITS])
def test_what_is_held_is_kept_back_when_it_is_moved(step: str, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        two = programme()
        two["communities"] = [*two["communities"], two["communities"][0] | {"slug": "dyers"}]
        stage.load(two)
        stage.settle(stage.add("Lina", "telegram", "en"), "weavers", "facilitator")
        await held(stage, step)
        for name, role in (("Lina", "facilitator"), ("Noy", "member")):
            stage.settle(stage.people[name], "dyers", role)
        await stage.say("Lina", "102")
        for label in ("Move it", "Weavers"):
            await stage.choose("Lina", label)
        hush(stage)
        where = select(models.threads.c.community_id).where(models.threads.c.number == 102)
        assert run(stage, lambda db: db.execute(where).scalar()) != 1
        await until(stage, "2027-01-05 19:00" if step == ASK else "2027-01-06 19:00")
        heard = came(stage, step)
        assert "Dara" not in heard and "Sok" not in heard and "Alex" not in heard
        waits = models.deliveries.c.state.in_(("queued", "held"))
        left = select(func.count()).where(waits)
        assert run(stage, lambda db: db.execute(left).scalar()) == 0

    staged(database_url, play)


def test_long_after_nothing_is_stirred_up(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        await ask(stage, "Noy", EXCEL)
        old = clock.now() - timedelta(days=60)
        mark(stage, models.threads, models.threads.c.number == 102, created_at=old)
        mark(stage, models.posts, models.posts.c.helpful_at.is_not(None), helpful_at=old)
        hush(stage)
        await until(stage, "2027-01-06 15:00")
        await until(stage, "2027-01-07 15:00")
        assert came(stage, ASK) == came(stage, WAITS) == came(stage, "Did you try it?") == {}

    staged(database_url, play)


def test_a_broken_question_holds_up_nobody(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        await ask(stage, "Mai", "Which formula in Excel is that?")
        await ask(stage, "Noy", "Which paper for the stock in Excel?")
        first = select(models.posts.c.id).order_by(models.posts.c.id.desc()).offset(1).limit(1)
        post_id = run(stage, lambda db: db.execute(first).scalar())
        broken = f"UPDATE bubbles SET text = substr(text, 3) WHERE post_id = {post_id}"
        run(stage, lambda db: db.exec_driver_sql(broken))
        hush(stage)
        await until(stage, "2027-01-05 12:00")
        assert sum(came(stage, "Q103").values()) == 2

    staged(database_url, play)


# Outcomes ----------------------------------------------------------------------------------------


async def asked_back(stage: Stage) -> None:
    await known(stage)
    await until(stage, "2027-01-18 12:30")
    await until(stage, "2027-01-18 13:30")


TRIED = "Did you try it?"


def test_an_outcome_is_told_once_with_all_its_bubbles(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await asked_back(stage)
        assert came(stage, TRIED) == {"Mai": 1}
        hush(stage)
        await stage.choose("Mai", "It worked")
        await stage.say("Mai", "We put the letters on the shelves.")
        await stage.say("Mai", "Nobody searches any more.")
        await stage.later(timedelta(seconds=10))
        assert came(stage, "Nobody searches any more.") == {"Mai": 1}  # the preview
        assert came(stage, "2 people hear of it, with your name: Mai.") == {"Mai": 1}
        hush(stage)
        await stage.choose("Mai", "Send")
        await stage.later(timedelta(seconds=10))
        assert came(stage, "Nobody searches any more.") == {"Dara": 1, "Sok": 1}
        assert came(stage, "Your answer to Q101 helped.") == {"Dara": 1}
        await stage.reply("Mai", TRIED, "Not tried")
        assert "told already" in stage.people["Mai"].heard[-1].text
        row = select(models.threads.c.state, models.threads.c.outcome)
        assert tuple(run(stage, lambda db: db.execute(row).one())) == ("told", "worked")
        await until(stage, "2027-01-21 12:00")
        assert came(stage, TRIED) == {}

    staged(database_url, play)


@pytest.mark.parametrize("then", ["Cancel", "Change", None])
def test_what_she_writes_days_later_is_told_to_nobody_unseen(
    then: str | None, database_url: str
) -> None:
    async def play(stage: Stage) -> None:
        await asked_back(stage)
        await stage.choose("Mai", "It worked")
        await stage.later(timedelta(days=3))
        hush(stage)
        await stage.say("Mai", "Whom can I call tonight?")
        await stage.later(timedelta(seconds=10))
        await stage.say("Mai", "Please be quick.")
        if then is not None:
            await stage.later(timedelta(seconds=10))
            await stage.choose("Mai", then)
        await until(stage, "2027-01-22 11:00")
        assert set(came(stage, "Whom can I call tonight?")) == {"Mai"}
        assert came(stage, "tells what came of it") == {}
        told = select(models.threads.c.outcome)
        assert run(stage, lambda db: db.execute(told).scalar()) is None
        drafts = select(func.count()).where(models.posts.c.state == "draft")
        assert run(stage, lambda db: db.execute(drafts).scalar()) == (0 if then else 1)
        if then == "Change":
            await stage.choose("Mai", "Skip")
            await stage.later(timedelta(seconds=10))
            assert came(stage, "tells what came of it: it worked.") == {"Dara": 1}

    staged(database_url, play)


def test_what_is_said_after_send_is_something_new(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await asked_back(stage)
        await stage.choose("Mai", "It worked")
        await stage.say("Mai", "With letters on the shelves.")
        await stage.later(timedelta(seconds=5))
        hush(stage)
        await stage.choose("Mai", "Send")
        await stage.say("Mai", "Whom can I call tonight?")
        await stage.later(timedelta(seconds=10))
        assert came(stage, "With letters on the shelves.") == {"Dara": 1, "Sok": 1}
        assert set(came(stage, "Whom can I call tonight?")) <= {"Mai"}

    staged(database_url, play)


def test_what_she_asked_facilitators_alone_is_not_asked_back(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        words = EXCEL + " My number is 020 5555 1234."
        await ask(stage, "Noy", words, "Without my name", "Only facilitators")
        await stage.later(timedelta(minutes=5))
        await stage.say("Alex", "101 Use SUM.")
        await stage.later(timedelta(seconds=5))
        await stage.reply("Noy", "Use SUM", "This helps")
        hush(stage)
        await until(stage, "2027-01-18 12:30")
        await until(stage, "2027-01-18 13:30")
        assert came(stage, TRIED) == {}

    staged(database_url, play)


def test_an_app_that_was_linked_since_is_not_asked_back(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await known(stage)
        await until(stage, "2027-01-06 12:00")
        hers = models.addresses.c.member_id == member(stage, "Mai")
        mark(stage, models.addresses, hers, linked_at=clock.now())
        hush(stage)
        await until(stage, "2027-01-18 12:30")
        await until(stage, "2027-01-18 13:30")
        assert came(stage, TRIED) == {}

    staged(database_url, play)


def test_not_tried_is_no_shame(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await asked_back(stage)
        hush(stage)
        await stage.choose("Mai", "Not tried")
        await stage.choose("Mai", "Skip")
        await until(stage, "2027-01-25 12:00")
        heard = {name for name, each in stage.people.items() if each.unread}
        assert heard - {"Alex"} == {"Mai"}  # the facilitator has the Monday brief
        row = select(models.threads.c.state, models.threads.c.outcome)
        assert tuple(run(stage, lambda db: db.execute(row).one())) == ("helped", "not_tried")

    staged(database_url, play)


def test_only_who_asked_tells(database_url: str) -> None:
    """A button of hers that somebody else sends back does nothing; hidden words are not told."""

    async def play(stage: Stage) -> None:
        await asked_back(stage)

        def forge(db: Any) -> None:
            message = Message((Text("Try"),), (Choice("outcomes.worked:1", Text("It worked")),))
            tell(db, clock.now(), "forged", Audience("member", member(stage, "Sok")), message)

        run(stage, forge)
        await stage.later(timedelta(seconds=5))
        await stage.choose("Sok", "It worked")
        assert "I do not find that question" in stage.people["Sok"].heard[-1].text

    staged(database_url, play)


def test_without_a_name_nobody_is_asked_back_but_she_may_tell(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await ask(stage, "Noy", "My manager takes part of our pay. Help?", "Without my name")
        await stage.later(QUARTER)
        await stage.say("Dara", "101 Write it down.")
        await stage.later(timedelta(seconds=5))
        await stage.reply("Noy", "Write it down.", "This helps")
        await until(stage, "2027-01-18 13:30")
        await until(stage, "2027-01-19 13:30")
        assert came(stage, TRIED) == {}
        hush(stage)
        await stage.say("Noy", "101")
        await stage.choose("Noy", "What came of it")
        await stage.choose("Noy", "It worked")
        await until(stage, "2027-01-21 13:30")
        assert came(stage, BEGUN) == {}  # it would come to her alone
        await stage.say("Noy", "She pays again.")
        await stage.later(timedelta(seconds=5))
        assert came(stage, "She pays again.") == {"Noy": 1}  # the preview
        await stage.choose("Noy", "Send")
        await stage.later(QUARTER)
        heard = came(stage, "The one who asked Q101 tells what came of it: it worked.")
        assert heard == dict.fromkeys(("Noy", "Dara", "Sok", "Mai", "Alex"), 1)
        authors = select(func.count()).where(
            models.posts.c.author_id == member(stage, "Noy"), models.posts.c.thread_id.is_not(None)
        )
        assert run(stage, lambda db: db.execute(authors).scalar()) == 0
        # It is in her data, and what is hers is found when she is forgotten.
        hers, _next = run(stage, lambda db: holdings.list_written(db, 1, 0, [1]))
        assert ("outcome", "She pays again.") in [(each.kind, each.text) for each in hers]
        question = run(stage, lambda db: threads.find_question(db, 1))
        run(stage, lambda db: traces.empty_post(db, question))
        assert run(stage, lambda db: traces.find_unnamed_post(db, 1)).kind == "outcome"

    staged(database_url, play)


# Unfinished --------------------------------------------------------------------------------------

BEGUN = "Would you like to go on?"


def test_a_talk_is_offered_once_and_private_ones_never(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        stage.settle(stage.add("Sophea", "telegram", "en"), "weavers", "focal_point")
        await stage.say("Noy", EXCEL)
        await stage.say("Dara", "report")
        await stage.say("Mai", "settings")
        hush(stage)
        await until(stage, "2027-01-05 12:00")
        assert came(stage, BEGUN) == {"Noy": 1}
        offered = select(func.count()).where(models.conversations.c.offered_at.is_(None))
        # That a talk was passed over would tell that it is private.
        assert run(stage, lambda db: db.execute(offered).scalar()) == 0
        await until(stage, "2027-01-07 12:00")
        assert came(stage, BEGUN) == {"Noy": 1}

    staged(database_url, play)


@pytest.mark.parametrize("way", ["Without my name", "It is a heavy story"])
@pytest.mark.parametrize("above", [None, "ask"])
def test_a_private_draft_is_not_offered(way: str, above: str | None, database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", EXCEL)
        await stage.later(timedelta(seconds=5))
        await stage.choose("Noy", way)
        if above is not None:  # another talk that waits before it
            await stage.say("Noy", above)
        await stage.later(timedelta(seconds=5))
        hush(stage)
        await until(stage, "2027-01-05 12:00")
        assert came(stage, BEGUN) == {}
        await stage.say("Mai", EXCEL)  # with her name it is offered
        await until(stage, "2027-01-06 12:30")
        assert came(stage, BEGUN) == {"Mai": 1}

    staged(database_url, play)


def test_leaving_an_old_offer_does_not_end_what_came_after(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", EXCEL)
        await until(stage, "2027-01-05 12:00")
        await stage.say("Noy", "cancel")
        await stage.say("Noy", "Where do we get indigo?")
        await stage.later(timedelta(seconds=5))
        await stage.reply("Noy", BEGUN, "Leave it")
        assert "You have gone on meanwhile" in stage.people["Noy"].heard[-2].text
        await stage.choose("Noy", "Send")
        assert "Q101" in stage.people["Noy"].heard[-1].text
        await stage.reply("Noy", BEGUN, "Go on")
        assert "Nothing is under way any more" in stage.people["Noy"].heard[-1].text

    staged(database_url, play)


def test_leaving_it_forgets_the_draft(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", EXCEL)
        await until(stage, "2027-01-05 12:00")
        await stage.choose("Noy", "Leave it")
        for table in (models.posts, models.conversations):
            count = select(func.count()).select_from(table)
            assert run(stage, lambda db, count=count: db.execute(count).scalar()) == 0

    staged(database_url, play)


def test_a_discreet_phone_learns_nothing_of_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", EXCEL)
        hush(stage)
        await until(stage, "2027-01-05 12:00")
        unread = [each.text for each in stage.people["Noy"].unread]
        assert unread == ["A message is waiting for you."]
        await stage.choose("Noy", "Open")
        assert "You had begun something here." in "\n".join(
            each.text for each in stage.people["Noy"].heard
        )

    staged(database_url, play, discreet=True)
