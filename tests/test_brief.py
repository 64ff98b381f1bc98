"""The Monday brief: once, where she is; late until Wednesday; nothing in it that names anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, insert, select, update

from bot import ahead, briefing, clock, models
from bot.db import Database
from bot.i18n import render
from bot.messages import Message, refs_of
from bot.scheduler import Progress, Work
from bot.store import contents, schedules, secrets, threads
from bot.store.references import References
from bot.store.schedules import Holiday, Schedule
from bot.timing import day_of
from handlers import brief
from tests.stage import Stage
from tests.test_facilitators import staged
from tests.test_rhythm import NINE, World

MONDAY = day_of(date(2027, 1, 11))
NEW_YEAR = dict.fromkeys(("en", "lo", "km"), "Pi Mai")


@pytest.fixture
def store(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    database.run_now(secrets.open_store)
    yield World(database)
    clock.reset()
    database.close()


def facilitator(store: World, *places: int, **more: Any) -> int:
    member_id = store.member(*places, **more)
    change(store, models.memberships.c.member_id == member_id, role="facilitator")
    return member_id


def change(store: World, which: Any, **values: Any) -> None:
    store.run(lambda db: db.execute(update(which.left.table).where(which).values(**values)))


def tick(store: World) -> None:
    """The job, transaction after transaction."""
    work: Work | None = brief.tell_weekly.work
    while work is not None:
        work = step(store, work)


def step(store: World, work: Work | None) -> Work | None:
    assert work is not None
    done = store.run(lambda db: work(db, clock.now()))
    return done.then if isinstance(done, Progress) else None


def told(store: World, member_id: int) -> list[Any]:
    """When each brief was said, and how."""

    def work(db: Connection) -> list[Any]:
        mine = models.deliveries.c.member_id == member_id
        about = (models.messages.c.created_at, models.messages.c.kind, models.messages.c.expires_at)
        whole = select(*about, models.messages.c.id).join(models.deliveries).where(mine)
        return list(db.execute(whole.order_by(models.messages.c.id)))

    return list(store.run(work))


def skips(store: World) -> list[str]:
    column = models.occurrences.c.skipped
    found = select(column).where(column.is_not(None))
    return list(store.run(lambda db: db.execute(found).scalars().all()))


def words(store: World, member_id: int, language: str = "en") -> tuple[list[str], list[str]]:
    """(what the brief says now, what can be tapped)."""

    def work(db: Connection) -> tuple[list[str], list[str]]:
        wanted = briefing.list_wanted(db, member_id, clock.now())
        if not wanted:
            return [], []
        places = [briefing.look(db, each, language, clock.now()) for each in wanted]
        return _read(db, briefing.put_together(db, member_id, places), language)

    found: tuple[list[str], list[str]] = store.run(work)
    return found


def _read(db: Connection, message: Message, language: str) -> tuple[list[str], list[str]]:
    lookup = References(db, refs_of(message))
    said = [render(each, language, lookup) for each in message.paragraphs]
    return said, [each.key for each in message.choices]


# When --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "begins"),
    [
        ("Asia/Vientiane", "2027-01-01 00:00"),
        ("Europe/Amsterdam", "2027-03-18 00:00"),
        ("Europe/Amsterdam", "2027-10-21 00:00"),
        ("America/New_York", "2027-03-04 00:00"),
        ("Pacific/Apia", "2027-01-01 00:00"),
    ],
)
def test_each_monday_at_half_past_eight_where_she_is(where: str, begins: str, store: World) -> None:
    """Through the nights in which clocks are put forward and back."""
    store.at(begins)
    her = facilitator(store, store.community("crafts"), timezone=where)
    ends = clock.now() + timedelta(weeks=4)
    while clock.now() < ends:
        tick(store)
        clock.move(timedelta(minutes=30))
    local = [each.created_at.astimezone(ZoneInfo(where)) for each in told(store, her)]
    assert [f"{each:%a %H:%M}" for each in local] == ["Mon 08:30"] * 4
    assert len({each.date() for each in local}) == 4


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("2027-01-11 01:29", 0),  # UTC; 08:29 in Vientiane
        ("2027-01-11 01:30", 1),
        ("2027-01-12 23:00", 1),
        ("2027-01-13 16:59", 1),  # Wednesday, 23:59
        ("2027-01-13 17:00", 0),
        ("2027-01-17 10:00", 0),
    ],
)
def test_late_until_wednesday(when: str, says: int, store: World) -> None:
    her = facilitator(store, store.community("crafts"))
    store.at("2027-01-04 02:00")
    tick(store)
    store.at(when)
    before = len(told(store, her))
    tick(store)
    tick(store)
    assert len(told(store, her)) - before == says
    late = when > "2027-01-13 17"
    assert skips(store) == (["late"] if late else [])
    store.at("2027-01-18 01:30")
    tick(store)
    assert len(told(store, her)) - before == says + 1  # the next one comes as ever


def test_two_processes_and_a_kill_in_between(store: World) -> None:
    """Both find the same that is due; each facilitator gets one, whoever is killed when."""
    place = store.community("crafts")
    them = [facilitator(store, place) for _number in range(3)]
    store.at("2027-01-11 02:00")
    one: Work | None = brief.tell_weekly.work
    two: Work | None = brief.tell_weekly.work
    for _number in range(3):  # to where the first of them is told, by both
        one, two = step(store, one), step(store, two)
    assert [len(told(store, each)) for each in them] == [1, 0, 0]
    tick(store)  # both are killed: the next tick finds who is left
    assert [len(told(store, each)) for each in them] == [1, 1, 1]
    while two is not None:  # one was only slow
        two = step(store, two)
    assert [len(told(store, each)) for each in them] == [1, 1, 1]


def test_who_pauses_or_has_stopped_is_left_alone(store: World) -> None:
    place = store.community("crafts")
    pauses, stopped, other = (facilitator(store, place) for _number in range(3))
    until = datetime(2027, 1, 12, tzinfo=UTC)
    change(store, models.members.c.id == pauses, paused_until=until)
    change(store, models.members.c.id == stopped, state="stopped")
    for day in range(11, 20):
        store.at(f"2027-01-{day} 02:00")
        tick(store)
    assert [len(told(store, each)) for each in (pauses, stopped, other)] == [1, 0, 2]
    assert told(store, pauses)[0].created_at == datetime(2027, 1, 18, 2, tzinfo=UTC)


def test_who_facilitates_since_tuesday_waits_for_monday(store: World) -> None:
    place = store.community("crafts")
    old = facilitator(store, place)
    store.at("2027-01-11 02:00")
    tick(store)
    store.at("2027-01-12 02:00")
    new = facilitator(store, place)
    given = store.member(place)
    change(
        store, models.memberships.c.member_id == given, created_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    change(store, models.memberships.c.member_id == given, role="facilitator", role_from=old)
    tick(store)
    assert [len(told(store, each)) for each in (old, new, given)] == [1, 0, 0]
    store.at("2027-01-18 02:00")
    tick(store)
    assert [len(told(store, each)) for each in (old, new, given)] == [2, 1, 1]


def test_who_moves_to_another_zone_hears_it_once(store: World) -> None:
    her = facilitator(store, store.community("crafts"), timezone="Asia/Vientiane")
    store.at("2027-01-11 02:00")
    tick(store)
    change(store, models.members.c.id == her, timezone="America/New_York")
    store.at("2027-01-11 15:00")
    tick(store)
    assert len(told(store, her)) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"role": "host"},
        {"role": "monitor"},
        {"role_until": datetime(2027, 1, 10, tzinfo=UTC)},
        {"state": "left"},
        {"pace": "muted"},
    ],
)
def test_who_facilitates_nothing_any_more_hears_nothing(
    values: dict[str, Any], store: World
) -> None:
    place = store.community("crafts")
    her, other = facilitator(store, place), facilitator(store, place)
    change(store, models.memberships.c.member_id == her, **values)
    store.at("2027-01-11 02:00")
    tick(store)
    assert [len(told(store, each)) for each in (her, other)] == [0, 1]
    assert words(store, her) == ([], [])


def test_a_group_that_has_ended_is_not_in_it(store: World) -> None:
    ended, goes_on = store.community("ended"), store.community("crafts")
    only, both = facilitator(store, ended), facilitator(store, ended, goes_on)
    ask(store, ended)
    change(store, models.communities.c.id == ended, ended_at=clock.now())
    store.at("2027-01-11 02:00")
    tick(store)
    assert [len(told(store, each)) for each in (only, both)] == [0, 1]
    assert words(store, both)[0] == ["Nothing to do today."]


def test_nothing_to_do_calls_nobody_back(store: World) -> None:
    """With a closed window it waits until she writes, and not longer than Wednesday."""
    place = store.community("crafts")
    her = facilitator(store, place)
    for monday, kind in (("2027-01-11", "aside"), ("2027-01-18", "session")):
        store.at(f"{monday} 01:30")
        tick(store)
        last = told(store, her)[-1]
        assert last.kind == kind
        assert last.expires_at == last.created_at + timedelta(days=2, hours=15, minutes=30)
        ask(store, place)


# What --------------------------------------------------------------------------------------------


def ask(store: World, community_id: int, scope: str = "community") -> None:
    asker = store.member(community_id)
    old = datetime(2026, 1, 1, tzinfo=UTC)
    change(store, models.memberships.c.member_id == asker, created_at=old)

    def work(db: Connection) -> None:
        thread = threads.add(db, community_id, asker, clock.now(), scope)
        row = {"thread_id": thread.id, "author_id": asker, "community_id": community_id}
        row |= {"kind": "question", "state": "live", "created_at": clock.now()}
        db.execute(insert(models.posts).values(row))

    store.run(work)


def wait(store: World, community_id: int) -> int:
    member_id = store.member(community_id)
    change(store, models.memberships.c.member_id == member_id, state="waiting")
    return member_id


def cut_off(store: World, community_id: int) -> None:
    member_id = store.member(community_id)
    old = datetime(2026, 1, 1, tzinfo=UTC)
    change(store, models.memberships.c.member_id == member_id, created_at=old)
    change(store, models.addresses.c.member_id == member_id, unreachable_at=clock.now())


def test_two_groups_in_one_message(store: World) -> None:
    store.at("2027-01-10 20:00")  # Monday 03:00 in Vientiane
    crafts, weaving = store.community("crafts"), store.community("weaving")
    her = facilitator(store, crafts, weaving)
    ask(store, crafts)
    ask(store, crafts, "facilitators")
    ask(store, weaving)
    assert words(store, her) == (
        [
            "This week in crafts:",
            "2 questions have no answer yet, the oldest is Q101, since Monday, 11 January 2027.",
            "This week in weaving:",
            "1 question has no answer yet: Q103, since Monday, 11 January 2027.",
        ],
        ["unanswered.start"],
    )


def test_at_most_three_taps_and_none_is_lost(store: World) -> None:
    store.at("2027-01-11 01:00")
    crafts = store.community("crafts")
    her = facilitator(store, crafts)
    wait(store, crafts)
    ask(store, crafts)
    cut_off(store, crafts)
    taps = [each.partition(":")[0] for each in words(store, her)[1]]
    assert taps == ["admission.admit_all", "facilitate.unanswered", "unreached.week"]
    give(store, crafts)
    said, choices = words(store, her)
    taps = [each.partition(":")[0] for each in choices]
    assert taps == ["admission.admit_all", "facilitate.unanswered", "facilitate.start"]
    assert "1 answer to a weekly question was given to facilitators only." in said


def give(store: World, community_id: int, **more: Any) -> None:
    """An answer to the weekly question, for facilitators."""
    now = clock.now()
    schedule = store.run(lambda db: schedules.find(db, community_id, "prompt"))
    if schedule is None:
        row = Schedule(community_id, "prompt", 0, NINE, MONDAY - 7)
        schedule = store.run(lambda db: schedules.save(db, row, now))
    edition = {"schedule_id": schedule.id, "community_id": community_id, "kind": "prompt"}
    edition |= {"day": MONDAY - 7, "state": "out", "changed_at": now}
    known = select(models.editions.c.id).where(models.editions.c.day == MONDAY - 7)
    id_ = store.run(lambda db: db.execute(known).scalar()) or store.add(models.editions, edition)
    post = {"edition_id": id_, "kind": "response", "state": "live", "seen_by": "facilitators"}
    post |= {"community_id": community_id, "created_at": now} | more
    post_id = store.add(models.posts, post)
    words = {"post_id": post_id, "kind": "text", "text": "We tried it.", "forwarded": False}
    store.add(models.bubbles, words | {"created_at": post["created_at"]})


def test_only_what_was_given_to_her_counts(store: World) -> None:
    store.at("2027-01-11 01:00")
    crafts = store.community("crafts")
    her = facilitator(store, crafts)
    for more in (
        {"seen_by": "me"},
        {"seen_by": "community"},
        {"state": "hidden"},
        {"created_at": clock.now() - timedelta(days=8)},
    ):
        give(store, crafts, **more)
    assert words(store, her) == (["Nothing to do today."], [])
    give(store, crafts)
    assert words(store, her)[1] == [f"given.show:{crafts}"]


def test_newcomers_are_counted_and_who_facilitates_is_none(store: World) -> None:
    store.at("2027-01-11 01:00")
    crafts = store.community("crafts")
    her = facilitator(store, crafts)
    facilitator(store, crafts)
    for days in (1, 6, 8):
        member_id = store.member(crafts)
        came = clock.now() - timedelta(days=days)
        change(store, models.memberships.c.member_id == member_id, created_at=came)
    said, taps = words(store, her)
    assert said == [
        "Nothing to do today.",
        "This week in crafts:",
        "2 newcomers came in last week.",
    ]
    assert taps == []


def write(store: World, kind: str, text: str, fallback: str = contents.MARK) -> int:
    def work(db: Connection) -> int:
        key = f"library/{kind}/{text}"
        return contents.save(db, key, kind, "en", text, clock.now(), fallback=fallback)

    return int(store.run(work))


def plan(store: World, community_id: int, kind: str, weekday: int = 0, **more: Any) -> Schedule:
    row = Schedule(community_id, kind, weekday, NINE, MONDAY, **more)
    found: Schedule = store.run(lambda db: ahead.save(db, row, clock.now()))
    return found


def test_what_goes_out_is_said_once_for_all_groups(store: World) -> None:
    store.at("2027-01-10 00:00")
    places = store.community("crafts"), store.community("weaving")
    her = facilitator(store, *places)
    write(store, "tip", "Say it in one sentence.")
    write(store, "prompt", "What did you try?")
    for place in places:
        plan(store, place, "tip")
        plan(store, place, "prompt")
        plan(store, place, "digest", 4)
    store.at("2027-01-11 01:30")
    expected = [
        "Nothing to do today.",
        "Goes out this week:",
        "Monday, 11 January 2027, tip: Say it in one sentence.",
        "Monday, 11 January 2027, question: What did you try?",
    ]
    assert words(store, her) == (expected, [])


def test_nothing_picked_a_holiday_left_out(store: World) -> None:
    store.at("2027-01-10 00:00")
    crafts = store.community("crafts")
    her = facilitator(store, crafts)
    write(store, "prompt", "What did you try?")
    write(store, "tip", "Say it in one sentence.")
    picked = plan(store, crafts, "tip", sequence="picked")
    plan(store, crafts, "prompt", 2)
    extra = plan(store, crafts, "digest", 4)
    found = [Holiday("LA", MONDAY + 2, MONDAY + 2, NEW_YEAR)]
    store.run(lambda db: schedules.save_holidays(db, store.programme, found))
    store.run(lambda db: ahead.skip(db, extra, MONDAY + 4, clock.now()))
    store.at("2027-01-11 01:30")
    assert words(store, her) == (
        [
            "This week in crafts:",
            "No tip is picked yet for Monday, 11 January 2027.",
            "Wednesday, 13 January 2027: nothing goes out, Pi Mai.",
            "Friday, 15 January 2027: left out by a facilitator.",
        ],
        [f"rhythm.show:{crafts}"],
    )
    tip = store.run(lambda db: contents.list_for(db, crafts, "tip"))[0]
    store.run(lambda db: ahead.pick(db, picked, MONDAY, tip.id, clock.now()))
    assert words(store, her)[0][0] == "Nothing to do today."


def test_what_would_be_held_back_is_told_in_time(store: World) -> None:
    store.at("2027-01-10 00:00")
    crafts = store.community("crafts")
    her = facilitator(store, crafts)
    store.member(crafts, language="km")
    store.member(crafts, language="km")
    tip = write(store, "tip", "Say it in one sentence.", contents.HOLD)
    plan(store, crafts, "tip")
    store.at("2027-01-11 01:30")
    said, taps = words(store, her)
    line = "Monday, 11 January 2027: 2 people would get nothing, it is not in ខ្មែរ yet."
    assert line in said and not any("ລາວ" in each for each in said)
    assert taps == [f"rhythm.show:{crafts}"]
    store.run(lambda db: contents.translate(db, tip, "km", "ក", clock.now(), status=contents.DRAFT))
    assert line not in words(store, her)[0]


# Whose it is -------------------------------------------------------------------------------------


def test_no_name_and_no_words_of_anybody_stand_in_it(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", "Where do we get indigo this year?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.later(timedelta(days=7))
        text = stage.people["Alex"].bubble_with("This week in").text
        assert "Q101" in text
        assert "Noy" not in text and "indigo" not in text

    staged(database_url, play)


def test_it_is_not_known_whose_a_moment_was(store: World) -> None:
    """Among the occurrences stand no numbers of members, which outlive whoever is forgotten."""
    facilitator(store, store.community("crafts"))
    store.at("2027-01-11 02:00")
    tick(store)
    keys = store.run(lambda db: db.execute(select(models.occurrences.c.key)).scalars().all())
    assert keys == ["brief/Asia/Vientiane/2027-01-11"]


def test_who_loses_the_role_meanwhile_taps_in_vain(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", "Where do we get indigo this year?")
        await stage.listen("Noy")
        await stage.choose("Noy", "Send")
        await stage.later(timedelta(days=7))
        stage.app.database.run_now(
            lambda db: db.execute(update(models.memberships).values(role="member"))
        )
        await stage.choose("Alex", "Unanswered")
        assert stage.people["Alex"].heard[-1].text.startswith("Only facilitators")

    staged(database_url, play)
