"""The weekly rhythm over moved clocks: each occurrence once, or recorded as skipped with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, update

from bot import ahead, clock, models, rhythm, telling
from bot.db import Database
from bot.messages import Message, Text
from bot.store import audiences, communities, contents, readership, schedules, secrets
from bot.store.audiences import Audience
from bot.store.schedules import Schedule, weekday_of
from bot.timing import date_of, moment_of, zone
from tests.weeks import MONDAY, NINE, ZONES, World


@pytest.fixture
def store(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    database.run_now(secrets.open_store)
    yield World(database)
    clock.reset()
    database.close()


# Days of a schedule ------------------------------------------------------------------------------


def test_days_count_from_the_first_week() -> None:
    fortnightly = Schedule(1, "tip", 2, NINE, MONDAY, every=2)
    days = [date_of(day) for day in fortnightly.next_days(MONDAY, 3)]
    assert [each.isoformat() for each in days] == ["2027-01-06", "2027-01-20", "2027-02-03"]
    later = [date_of(day).isoformat() for day in fortnightly.next_days(MONDAY + 3, 1)]
    assert later == ["2027-01-20"]


def test_days_rest_and_end() -> None:
    resting = Schedule(1, "tip", 0, NINE, MONDAY, rests_until=MONDAY + 8, until_on=MONDAY + 21)
    assert resting.next_days(MONDAY, 9) == [MONDAY + 14, MONDAY + 21]
    assert weekday_of(MONDAY) == 0
    assert Schedule(1, "tip", 0, NINE, MONDAY, stopped=True).next_days(MONDAY, 2) == []


# One week ----------------------------------------------------------------------------------------


def test_each_zone_at_its_own_nine(store: World) -> None:
    here = store.community("a")
    [tip, *_rest] = store.contents("prompt", 3)
    people = {each: store.member(here, timezone=each) for each in ZONES}
    store.schedule(here)
    heard: dict[int, datetime] = {}
    start = datetime(2027, 1, 3, 0, tzinfo=UTC)
    for quarter in range(4 * 72):
        now = start + timedelta(minutes=15 * quarter)
        store.at(now.strftime("%Y-%m-%d %H:%M"))
        store.tick()
        for member, _editions in store.said():
            heard.setdefault(member, now)
    assert heard == {id_: moment_of(MONDAY, NINE, zone(each)) for each, id_ in people.items()}
    assert len(store.said()) == len(ZONES)
    [out, ahead_] = store.editions()
    assert (out.state, out.content_id, ahead_.state, ahead_.day) == (
        "out",
        tip,
        "ahead",
        MONDAY + 7,
    )


def test_tip_and_prompt_are_one_message_and_once_per_member(store: World) -> None:
    one, two = store.community("a"), store.community("b")
    store.contents("prompt", 2)
    store.contents("tip", 2)
    alone, both = store.member(one), store.member(one, two)
    for each in (one, two):
        store.schedule(each, "tip")
        store.schedule(each, "prompt", minutes=NINE + 60 if each == two else NINE)
    store.at("2027-01-04 01:59")
    store.tick()
    assert store.said() == []
    for when in ("02:00", "03:00", "04:00"):
        store.at(f"2027-01-04 {when}")
        store.tick()
    said = dict(store.said())
    assert len(store.said()) == 2
    assert (len(said[alone]), len(said[both])) == (2, 4)


def test_what_she_wants_of_it(store: World) -> None:
    here, there = store.community("a"), store.community("b")
    store.contents("prompt", 2)
    store.contents("tip", 2)
    prompts, tips, none, muted = (
        store.member(here, rhythm="prompt"),
        store.member(here, rhythm="tip"),
        store.member(here, rhythm="none"),
        store.member(there),
    )
    store.join(muted, here, pace="muted")
    for each in (here, there):
        store.schedule(each, "tip")
        store.schedule(each, "prompt")
    store.at("2027-01-04 02:00")
    store.tick()
    kinds = {each.id: (each.community_id, each.kind) for each in store.editions()}
    said = {member: {kinds[each] for each in found} for member, found in store.said()}
    assert said[prompts] == {(here, "prompt")}
    assert said[tips] == {(here, "tip")}
    assert none not in said
    assert said[muted] == {(there, "tip"), (there, "prompt")}


def test_every_second_week(store: World) -> None:
    here = store.community("a")
    store.contents("prompt", 9)
    seldom, always = store.member(here, rhythm="fortnight"), store.member(here)
    store.schedule(here)
    for week in range(6):
        store.at(f"{date_of(MONDAY + 7 * week)} 02:00")
        store.tick()
    assert Counter(member for member, _editions in store.said()) == {always: 6, seldom: 3}


# What stands against it --------------------------------------------------------------------------


def test_six_hours_down_is_late_and_four_days_too_late(store: World) -> None:
    here = store.community("a")
    store.contents("prompt", 3)
    store.member(here)
    store.schedule(here)
    store.at("2027-01-04 08:00")
    store.tick()
    assert len(store.said()) == 1
    store.at("2027-01-15 08:00")  # after the next Monday, by more than three days
    store.tick()
    assert len(store.said()) == 1
    assert [(each.state, each.reason) for each in store.editions()] == [
        ("out", None),
        ("skipped", "late"),
        ("ahead", None),
    ]


def test_a_holiday_is_left_out(store: World) -> None:
    here, there = store.community("a"), store.community("b", "Asia/Phnom_Penh")
    store.contents("prompt", 3)
    store.member(here)
    abroad = store.member(there)
    for each in (here, there):
        store.schedule(each)
    new_year = schedules.Holiday("LA", MONDAY, MONDAY + 2, {"en": "New Year"})
    store.run(lambda db: schedules.save_holidays(db, store.programme, [new_year]))
    store.at("2027-01-04 02:00")
    store.tick()
    assert [member for member, _editions in store.said()] == [abroad]
    first = next(each for each in store.editions() if each.community_id == here)
    assert (first.state, first.reason) == ("skipped", "holiday")


def test_picked_skipped_and_sent_by_hand(store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 5)
    store.member(here)
    kept = store.schedule(here)
    now = clock.now()
    assert store.run(lambda db: ahead.pick(db, kept, MONDAY + 7, found[4], now))
    assert store.run(lambda db: ahead.skip(db, kept, MONDAY, now))
    assert store.run(lambda db: ahead.send_now(db, kept, found[2], now))
    store.tick()
    assert len(store.said()) == 1
    for week in range(3):
        store.at(f"{date_of(MONDAY + 7 * week)} 02:00")
        store.tick()
    told = [(each.state, each.content_id) for each in store.editions()]
    assert told == [
        ("out", found[2]),
        ("skipped", None),
        ("out", found[4]),
        ("out", found[0]),
        ("ahead", None),
    ]


def test_a_changed_schedule_keeps_what_was_picked(store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 5)
    store.member(here)
    kept = store.schedule(here)
    store.run(lambda db: ahead.pick(db, kept, MONDAY, found[3], clock.now()))
    store.schedule(here, weekday=2, minutes=600)
    store.at("2027-01-04 02:00")
    store.tick()
    assert store.said() == []
    store.at("2027-01-06 03:00")
    store.tick()
    assert len(store.said()) == 1
    assert store.editions()[0].content_id == found[3]


def test_a_change_in_the_morning_does_not_cost_the_day(store: World) -> None:
    here = store.community("a")
    store.contents("prompt", 5)
    store.member(here)
    store.schedule(here)
    store.at("2027-01-04 01:00")  # eight o'clock
    store.schedule(here, minutes=NINE + 60)
    store.at("2027-01-04 03:00")
    store.tick()
    assert len(store.said()) == 1
    store.schedule(here, minutes=NINE + 180)  # it was said: not once more
    store.at("2027-01-04 05:00")
    store.tick()
    assert len(store.said()) == 1


def test_what_was_picked_and_retired_is_not_said(store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 3)
    store.member(here)
    kept = store.schedule(here)
    store.run(lambda db: ahead.pick(db, kept, MONDAY, found[2], clock.now()))
    store.run(lambda db: contents.retire(db, found[2], clock.now()))
    store.at("2027-01-04 02:00")
    store.tick()
    assert [each.content_id for each in store.editions()] == [found[0], None]


def test_nothing_left_to_say_or_nothing_picked(store: World) -> None:
    here = store.community("a")
    store.contents("prompt", 1)
    store.member(here)
    store.schedule(here, sequence="picked")
    store.schedule(here, "tip")
    store.at("2027-01-04 02:00")
    store.tick()
    assert store.said() == []
    skipped = [each.reason for each in store.editions() if each.state == "skipped"]
    assert skipped == ["nothing", "nothing"]


def test_rather_not_said_than_in_another_language(store: World) -> None:
    here = store.community("a")
    [held] = store.contents("prompt", 1, fallback="hold")
    store.contents("tip", 1)
    english, khmer = store.member(here), store.member(here, language="km")
    store.run(
        lambda db: db.execute(
            update(models.memberships)
            .where(models.memberships.c.member_id == english)
            .values(role="facilitator")
        )
    )
    for each in ("tip", "prompt"):
        store.schedule(here, each)
    store.at("2027-01-04 02:00")
    store.tick()
    kinds = {each.id: each.kind for each in store.editions()}
    said = [(member, sorted(kinds[each] for each in found)) for member, found in store.said()]
    assert (english, ["prompt", "tip"]) in said
    assert (khmer, ["tip"]) in said
    assert (english, []) in said  # is told that somebody did not get it
    store.run(lambda db: contents.translate(db, held, "km", "ok", clock.now(), status="draft"))
    store.at("2027-01-11 02:00")
    store.tick()
    assert len([1 for member, _found in store.said() if member == khmer]) == 2


# Shuffled and series -----------------------------------------------------------------------------


@pytest.mark.parametrize("sequence", ["series", "shuffled"])
def test_all_are_said_before_one_is_said_again(sequence: str, store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 4)
    store.member(here)
    store.schedule(here, sequence=sequence)
    for week in range(8):
        store.at(f"{date_of(MONDAY + 7 * week)} 02:00")
        store.tick()
    told = [each.content_id for each in store.editions() if each.state == "out"]
    assert sorted(told[:4]) == sorted(told[4:]) == sorted(found)
    assert sequence == "shuffled" or told[:4] == found


def test_what_is_shown_ahead_is_what_comes(store: World) -> None:
    here = store.community("a")
    store.contents("prompt", 9)
    store.contents("tip", 9)
    store.member(here)
    store.schedule(here, sequence="shuffled")
    store.schedule(here, "tip", every=2)

    def look(db: Connection) -> list[Any]:
        place = communities.get(db, here)
        return [
            (each.schedule.kind, each.day, each.content.id if each.content else None)
            for each in ahead.upcoming(db, place, clock.now())
        ]

    shown = store.run(look)
    for week in range(4):
        store.at(f"{date_of(MONDAY + 7 * week)} 02:00")
        store.tick()
    told = [(e.kind, e.day, e.content_id) for e in store.editions() if e.state == "out"]
    assert sorted(told) == sorted(shown)
    assert len(told) == 6


def test_a_tick_of_two_thousand_and_more(store: World) -> None:
    """Chunk by chunk, and the second zone only when the first is served."""
    here = store.community("a")
    store.contents("prompt", 2)
    now = clock.now()

    def many(db: Connection) -> None:
        ids = range(10_000, 14_100)
        rows = [
            {"id": id_, "state": "active", "language": "en", "created_at": now,
             "timezone": "Asia/Vientiane" if id_ % 2 else "Asia/Tokyo"}
            for id_ in ids
        ]  # fmt: skip
        db.execute(insert(models.members), rows)
        rows = [
            {"member_id": id_, "lane": "x", "sealed": "a", "preferred": True, "created_at": now}
            for id_ in ids
        ]
        db.execute(insert(models.addresses), rows)
        rows = [
            {"member_id": id_, "community_id": here, "role": "member", "state": "active",
             "created_at": now}
            for id_ in ids
        ]  # fmt: skip
        db.execute(insert(models.memberships), rows)

    store.run(many)
    store.schedule(here)
    store.at("2027-01-04 03:00")  # nine was two hours ago in Tokyo, and one in Vientiane
    store.tick()
    count = select(func.count()).select_from(models.deliveries)
    assert store.run(lambda db: db.execute(count).scalar()) == 4100
    assert len(store.said()) == len(set(store.said()))


def test_what_can_wait_is_not_written_at_once(store: World, monkeypatch: Any) -> None:
    """Two communities in turn, and a question before both; no more than a lane has room for."""
    monkeypatch.setattr(audiences, "FAN_OUT", 20)
    places = [store.community("a"), store.community("b")]
    store.contents("prompt", 2)
    for each in places:
        for _number in range(50):
            store.member(each)
        store.schedule(each)
    store.at("2027-01-04 02:00")
    then: Any = rhythm.go_on
    while then is not None:
        then = store.run(lambda db, work=then: work(db, clock.now())).then
    assert store.said() == []
    question = Message((Text("?"),))
    store.run(
        lambda db: telling.tell(
            db, clock.now(), "q", Audience("community", places[1]), question, kind="thread"
        )
    )
    for _chunk in range(4):  # the question's first one was written at once
        assert store.run(audiences.go_on)
    heard = [(member <= 50, bool(found)) for member, found in store.said()]
    assert heard == [(False, False)] * 50 + [(True, True)] * 20 + [(False, True)] * 20
    store.deliver()
    assert len(store.said()) == 150


# Chains that must not end, readers who must not be forgotten ------------------------------------


def weeks(store: World, number: int, hour: str = "02:00") -> None:
    for week in range(number):
        store.at(f"{date_of(MONDAY + 7 * week)} {hour}")
        store.tick()


def test_a_holiday_beside_does_not_end_a_schedule(store: World) -> None:
    one, two = store.community("a"), store.community("b", "Asia/Phnom_Penh")
    store.contents("prompt", 5)
    store.member(one, two)
    only = store.member(two, timezone="Asia/Phnom_Penh")
    for each in (one, two):
        store.schedule(each)
    free = schedules.Holiday("KH", MONDAY, MONDAY, {"en": "A day"})
    store.run(lambda db: schedules.save_holidays(db, store.programme, [free]))
    weeks(store, 3)
    assert len([1 for member, _found in store.said() if member == only]) == 2


def test_nothing_picked_beside_does_not_end_it_either(store: World) -> None:
    here = store.community("a")
    store.contents("tip", 5)
    found = store.contents("prompt", 2)
    store.member(here)
    store.schedule(here, "tip")
    kept = store.schedule(here, sequence="picked")
    weeks(store, 2)
    store.run(lambda db: ahead.pick(db, kept, MONDAY + 14, found[1], clock.now()))
    weeks(store, 3)
    prompts = [each for each in store.editions() if each.schedule_id == kept.id]
    assert [each.state for each in prompts] == ["skipped", "skipped", "out", "ahead"]


def test_a_schedule_that_stands_still_is_found(store: World) -> None:
    here = store.community("a")
    store.contents("prompt", 2)
    store.member(here)
    store.schedule(here)
    ended = update(models.editions).values(next_at=None, state="skipped", reason="nothing")
    store.run(lambda db: db.execute(ended))
    assert store.run(lambda db: ahead.repair(db, clock.now())) == 1
    assert store.run(lambda db: ahead.repair(db, clock.now())) == 0
    weeks(store, 2)
    assert len(store.said()) == 1


def test_what_is_sent_by_hand_stands_alone(store: World) -> None:
    """After the tip of the same day, and for who had something from another group that day."""
    one, two = store.community("a"), store.community("b")
    found = store.contents("prompt", 5)
    store.contents("tip", 5)
    alone, both = store.member(two), store.member(one, two)
    store.schedule(one)
    store.schedule(two, "tip")
    kept = store.schedule(two, weekday=2)
    store.at("2027-01-04 02:00")
    store.tick()
    store.at("2027-01-04 07:00")
    now = clock.now()
    store.run(lambda db: ahead.pick(db, kept, MONDAY + 2, found[3], now))
    assert store.run(lambda db: ahead.send_now(db, kept, found[3], now, MONDAY + 2))
    store.tick()
    said = Counter(member for member, _found in store.said())
    assert said == {alone: 2, both: 2}
    store.at("2027-01-06 02:00")
    store.tick()
    told = [each.content_id for each in store.editions() if each.kind == "prompt"]
    assert told.count(found[3]) == 1


def test_by_hand_on_a_day_that_was_left_out(store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 2)
    store.member(here)
    kept = store.schedule(here, sequence="picked")
    store.at("2027-01-04 02:00")
    store.tick()
    assert store.said() == []
    assert store.run(lambda db: ahead.send_now(db, kept, found[1], clock.now()))
    store.tick()
    assert len(store.said()) == 1
    assert not store.run(lambda db: ahead.send_now(db, kept, found[0], clock.now()))


def test_every_second_week_of_what_comes_every_second_week(store: World) -> None:
    here = store.community("a")
    store.contents("tip", 5)
    seldom = store.member(here, rhythm="fortnight")
    for first in (MONDAY, MONDAY + 7):
        store.schedule(here, "tip", every=2, first_on=first)
        store.at(f"{date_of(first)} 02:00")
        store.tick()
    assert [member for member, _found in store.said()] == [seldom, seldom]


def test_whoever_is_left_when_her_zone_is_gone(store: World) -> None:
    here = store.community("a")
    store.contents("prompt", 2)
    store.member(here)
    moving = store.member(here, timezone="Europe/Amsterdam")
    store.schedule(here)
    store.at("2027-01-04 02:00")
    store.tick()
    back = update(models.members).where(models.members.c.id == moving)
    store.run(lambda db: db.execute(back.values(timezone="Asia/Vientiane")))
    store.at("2027-01-04 08:00")
    store.tick()
    assert sorted(member for member, _found in store.said()) == [moving - 1, moving]
    assert store.editions()[0].state == "out"


def test_half_of_a_message_is_not_left_out(store: World) -> None:
    """Somebody waits for it with the other half, which is out for all others."""
    one, two = store.community("a"), store.community("b")
    store.contents("prompt", 5)
    both = store.member(one, two)
    store.schedule(one)
    late = store.schedule(two, minutes=8 * 60, timezone="America/New_York")
    store.at("2027-01-04 05:00")
    store.tick()
    assert store.said() == []
    assert not store.run(lambda db: ahead.skip(db, late, MONDAY, clock.now()))
    store.at("2027-01-04 13:00")
    store.tick()
    assert [(member, len(found)) for member, found in store.said()] == [(both, 2)]


def test_who_left_one_of_two_groups_reads_nothing_of_it(store: World) -> None:
    one, two = store.community("a"), store.community("b")
    store.contents("prompt", 5)
    both, alone = store.member(one, two), store.member(one)
    for each in (one, two):
        store.schedule(each)
    store.at("2027-01-04 02:00")
    store.tick()
    told = store.run(lambda db: db.execute(select(models.deliveries)).all())
    rows = [(each.id, each.member_id, each.message_id) for each in told]
    assert store.run(lambda db: readership.list_strange(db, rows)) == set()
    gone = update(models.memberships).where(
        models.memberships.c.member_id == both, models.memberships.c.community_id == two
    )
    store.run(lambda db: db.execute(gone.values(state="left")))
    strange = store.run(lambda db: readership.list_strange(db, rows))
    assert strange == {each.id for each in told if each.member_id == both}
    assert alone not in {each.member_id for each in told if each.id in strange}


def test_what_is_taken_out_is_kept_back(store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 3)
    for each in ("Asia/Vientiane", "Europe/Amsterdam"):
        store.member(here, timezone=each)
    store.schedule(here)
    store.at("2027-01-04 02:00")
    store.tick()
    assert store.run(lambda db: ahead.take_back(db, found[0], clock.now())) == 1
    store.at("2027-01-04 09:00")
    store.tick()
    [row] = store.run(lambda db: db.execute(select(models.deliveries)).all())
    assert (row.state, row.reason) == ("dropped", "taken_back")
    weeks(store, 2)
    assert store.editions()[1].state == "going"  # Amsterdam is asleep


def test_a_day_that_is_none_any_more_is_not_picked(store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 3)
    store.member(here)
    store.schedule(here)
    moved = store.schedule(here, weekday=2)
    assert not store.run(lambda db: ahead.pick(db, moved, MONDAY, found[1], clock.now()))
    assert not store.run(lambda db: ahead.skip(db, moved, MONDAY, clock.now()))
    assert [each.day for each in store.editions()] == [MONDAY + 2]


def test_what_was_picked_is_there_when_it_begins_again(store: World) -> None:
    here = store.community("a")
    found = store.contents("prompt", 5)
    store.member(here)
    kept = store.schedule(here)
    store.run(lambda db: ahead.pick(db, kept, MONDAY + 7, found[4], clock.now()))
    store.schedule(here, stopped=True)
    store.at("2027-01-04 02:00")
    store.tick()
    store.schedule(here)
    store.at("2027-01-11 02:00")
    store.tick()
    assert [each.content_id for each in store.editions() if each.state == "out"] == [found[4]]
