"""Windows: who is called back and when, what goes to another app, what nobody came for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from bot import clock, models, nudging, windows
from bot.channels import WindowClosed
from bot.messages import Limits, Nudge, Outbound
from bot.scheduler import Progress
from bot.store import members, nudges, templates, threads, waiting
from bot.store.audiences import Audience
from bot.store.templates import Kept
from bot.timing import quiet_until, zone
from tests.test_planning import post
from tests.test_sender import LANE, House, Provider

DAY = timedelta(days=1)
OTHER = "other/1"
Who = tuple[int, int, str]


class Windowed(Provider):
    """As WhatsApp is: a window that only templates pass."""

    def __init__(self) -> None:
        super().__init__(window=DAY)
        self.nudged: list[datetime] = []

    async def send(self, message: Outbound) -> str | None:
        if isinstance(message, Nudge):
            self.nudged.append(clock.now())
            return f"n{len(self.nudged)}"
        return await super().send(message)


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url, Windowed())
    approve(found)
    yield found
    found.close()


def approve(house: House, state: str = "approved") -> None:
    row = Kept(LANE, "nudge", "", "en", "HX1", "", state, None, clock.now())
    house.now(lambda db: templates.save(db, row))


def nudged(house: House) -> list[datetime]:
    assert isinstance(house.provider, Windowed)
    return house.provider.nudged


def run_jobs(house: House, daily: int = 0) -> None:
    """What is due now, then what it lets go out."""
    limits = {LANE: house.provider.limits, OTHER: Limits(text=4096, buttons=10)}
    for job in nudging.jobs(limits, daily):
        then: Any = job.work
        while then is not None:
            work, now = then, clock.now()
            done = house.now(lambda db, work=work, now=now: work(db, now))
            then = done.then if isinstance(done, Progress) else None
    house.drain()


def silent(house: House, **values: Any) -> Who:
    """Somebody whose window is closed."""
    who = house.member(**({"timezone": "UTC", "quiet_from": 0, "quiet_until": 0} | values))
    mark(house, who, last_inbound_at=clock.now() - 2 * DAY)
    return who


def mark(house: House, who: Who, **values: Any) -> None:
    here = update(models.addresses).where(models.addresses.c.id == who[0])
    house.now(lambda db: db.execute(here.values(**values)) and None)


def tell(house: House, who: Who, said: str = "question", kind: str = "thread") -> int:
    id_ = house.tell(Audience("member", who[1]), said, kind)
    house.drain()
    return id_


def writes(house: House, who: Who) -> None:
    house.now(lambda db: members.mark_heard(db, who[0], clock.now()))


def second_app(house: House, who: Who, **values: Any) -> int:
    row = {
        "member_id": who[1],
        "lane": OTHER,
        "sealed": "x",
        "preferred": False,
        "created_at": clock.now(),
        "last_inbound_at": clock.now(),
    }
    new = models.addresses.insert().values(**row | values).returning(models.addresses.c.id)
    return int(house.now(lambda db: db.execute(new).scalar_one()))


def where(house: House, message_id: int) -> tuple[str, str, str | None]:
    """(lane, state, reason)"""
    table = models.deliveries.c
    wanted = select(table.lane, table.state, table.reason).where(table.message_id == message_id)
    return tuple(house.now(lambda db: db.execute(wanted).one()))  # type: ignore[no-any-return]


# The schedule ------------------------------------------------------------------------------------


def test_days_0_1_3_7_then_monthly(house: House) -> None:
    who = silent(house)
    begin = clock.now()
    tell(house, who)
    for _hour in range(24 * 28):
        run_jobs(house) if _hour % 6 == 0 else None
        clock.move(timedelta(hours=1))
    assert [round((each - begin) / DAY) for each in nudged(house)] == [0, 1, 3, 7]


ZONES = ("Asia/Vientiane", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_never_two_in_a_day_and_never_at_night(database_url: str) -> None:
    """Over zones, summer time, her own hours, words of hers and a lane that stands still."""

    house = House(database_url, Windowed())
    approve(house)

    @hypothesis_settings(max_examples=8, deadline=None, derandomize=True)
    @given(
        zone_name=st.sampled_from(ZONES),
        hours=st.sampled_from([(None, None), (22 * 60, 5 * 60), (0, 12 * 60)]),
        start=st.sampled_from(
            [datetime(2027, 3, 13, 3, tzinfo=UTC), datetime(2027, 10, 30, 12, tzinfo=UTC)]
        ),
        steps=st.lists(
            st.tuples(st.integers(2, 12), st.sampled_from(["", "", "", "writes", "stands"])),
            min_size=8,
            max_size=14,
        ),
    )
    def play(
        zone_name: str | None,
        hours: tuple[int | None, int | None],
        start: datetime,
        steps: list[tuple[int, str]],
    ) -> None:
        clock.reset()
        clock.move(start - clock.now())
        nudged(house).clear()
        quiet = {"quiet_from": hours[0], "quiet_until": hours[1]}
        who = silent(house, timezone=zone_name, **quiet)
        tell(house, who)
        for count, what in steps:
            for _step in range(count):
                clock.move(timedelta(minutes=97))
                if what != "stands":
                    run_jobs(house)
            if what == "writes":
                writes(house, who)
                house.now(lambda db: members.mark_window_closed(db, who[0]))
                tell(house, who)
        found = nudged(house)
        where_, kept = windows.nudged_in(zone_name, *hours)
        assert all(quiet_until(each, zone(where_), kept) is None for each in found)
        assert all(b - a >= DAY for a, b in itertools.pairwise(found))
        over = update(models.members).where(models.members.c.id == who[1])
        house.now(lambda db: db.execute(over.values(state="stopped")) and None)

    play()
    house.close()


def test_who_is_not_called_back(house: House) -> None:
    now = clock.now()
    for values in ({"state": "stopped"}, {"state": "erasing"}, {"paused_until": now + DAY}):
        tell(house, silent(house, **values))
    for values in ({"unreachable_at": now}, {"doubted_at": now}):
        who = silent(house)
        tell(house, who)
        mark(house, who, **values)
    who = silent(house)
    house.say(who, "an answer that came too late")
    house.drain()
    run_jobs(house)
    assert nudged(house) == []


def test_who_left_is_not_called_back_for_what_was_said_there(house: House) -> None:
    who = silent(house)
    house.tell(house.community(who), "news")
    house.drain()
    left = update(models.memberships).values(state="left")
    house.now(lambda db: db.execute(left) and None)
    run_jobs(house)
    assert nudged(house) == []


def test_without_a_template_it_is_known_why(house: House) -> None:
    approve(house, "paused")
    id_ = tell(house, silent(house))
    run_jobs(house)
    assert (nudged(house), house.fate(id_)) == ([], ("held", "no_template"))
    approve(house)
    run_jobs(house)
    assert (len(nudged(house)), house.fate(id_)) == (1, ("held", "window"))


def test_a_nudge_that_is_not_needed_any_more_is_not_sent(house: House) -> None:
    who = silent(house)
    tell(house, who)
    house.now(lambda db: nudges.add(db, LANE, who[0], who[1], 1, clock.now()))
    writes(house, who)
    house.drain()
    assert nudged(house) == []
    mark(house, who, last_inbound_at=None)
    house.now(lambda db: nudges.add(db, LANE, who[0], who[1], 2, clock.now()))
    house.now(lambda db: waiting.release(db, who[0], clock.now()) and None)
    held = update(models.deliveries).where(models.deliveries.c.state == "queued")
    thread = models.deliveries.c.message_id.in_(
        select(models.messages.c.id).where(models.messages.c.kind == "thread")
    )
    house.now(lambda db: db.execute(held.where(thread).values(state="dropped")) and None)
    house.drain()
    assert nudged(house) == []


def test_the_daily_limit_lets_questions_to_her_pass_first(house: House) -> None:
    broadcast = [silent(house) for _ in range(2)]
    for who in broadcast:
        tell(house, who, kind="broadcast")
    asked = silent(house)
    tell(house, asked)
    run_jobs(house, daily=2)
    assert len(nudged(house)) == 2
    told = select(models.addresses.c.id).where(models.addresses.c.nudges == 1)
    assert asked[0] in house.now(lambda db: set(db.execute(told).scalars()))
    run_jobs(house, daily=2)
    assert len(nudged(house)) == 2
    clock.move(DAY - timedelta(hours=1))
    run_jobs(house, daily=2)
    assert len(nudged(house)) == 2
    clock.move(timedelta(hours=1))
    run_jobs(house, daily=2)
    assert len(nudged(house)) == 4


# Her other app -----------------------------------------------------------------------------------


def test_what_a_window_closes_goes_to_her_other_app_at_once(house: House) -> None:
    who = silent(house)
    second_app(house, who)
    id_ = tell(house, who)
    assert where(house, id_) == (OTHER, "queued", "window")
    preferred = select(models.addresses.c.lane).where(models.addresses.c.preferred)
    assert house.now(lambda db: db.execute(preferred).scalar_one()) == LANE


@pytest.mark.parametrize("reason", ["unreachable_at", "doubted_at"])
def test_not_to_one_that_cannot_be_used(house: House, reason: str) -> None:
    who = silent(house)
    second_app(house, who, **{reason: clock.now()})
    assert where(house, tell(house, who)) == (LANE, "held", "window")


def test_nothing_older_than_the_link_is_shown_there(house: House) -> None:
    who = silent(house)
    id_ = tell(house, who)
    clock.move(timedelta(minutes=1))
    second_app(house, who, linked_at=clock.now())
    run_jobs(house)
    assert where(house, id_) == (LANE, "held", "window")
    assert len(nudged(house)) == 1


def test_two_closed_windows_are_no_circle(house: House) -> None:
    who = silent(house)
    closed = clock.now() - 3 * DAY
    second_app(house, who, lane=LANE, last_inbound_at=closed)
    id_ = tell(house, who)
    house.drain()
    assert where(house, id_) == (LANE, "held", "window")
    at = select(models.deliveries.c.address_id).where(models.deliveries.c.message_id == id_)
    assert house.now(lambda db: db.execute(at).scalar_one()) == who[0]


def test_what_the_provider_held_goes_there_too(house: House) -> None:
    """Our clock thought the window open."""
    who = house.member()
    second_app(house, who)
    house.provider.answers.append(WindowClosed("63016"))
    id_ = tell(house, who)
    assert where(house, id_)[:2] == (LANE, "held")
    run_jobs(house)
    assert where(house, id_)[:2] == (OTHER, "queued")


# Races -------------------------------------------------------------------------------------------


def test_what_was_held_as_she_wrote_does_not_wait_for_her_next_word(house: House) -> None:
    who = silent(house)
    id_ = tell(house, who)
    writes(house, who)  # her turn has not seen it
    run_jobs(house)
    assert house.fate(id_) == ("held", "window")
    clock.move(nudging.SILENT + timedelta(seconds=1))
    run_jobs(house)
    assert house.fate(id_)[0] == "sent"


def test_of_much_that_was_missed_she_is_asked_once(house: House) -> None:
    who = silent(house)
    ids = [tell(house, who, f"question {n}") for n in range(4)]
    writes(house, who)
    for _ in range(3):
        clock.move(nudging.SILENT + timedelta(seconds=1))
        run_jobs(house)
    assert [each.text for each in house.provider.said] == ["4 messages wait for you."]
    assert {house.fate(each) for each in ids} == {("held", "window")}


def test_what_is_kept_closed_or_doubted_is_not_released(house: House) -> None:
    who = silent(house)
    ids = [tell(house, who, f"question {n}") for n in range(3)]
    for id_, reason in zip(ids, ("discreet", "cap", "gathered"), strict=True):
        row = update(models.deliveries).where(models.deliveries.c.message_id == id_)
        house.now(lambda db, row=row, reason=reason: db.execute(row.values(reason=reason)) and None)
    house.now(lambda db: waiting.release(db, who[0], clock.now()) and None)
    assert [house.fate(each)[0] for each in ids] == ["held"] * 3
    run_jobs(house)
    assert nudged(house) == []


# What nobody came for ----------------------------------------------------------------------------


def ask(house: House, asker: Who, *others: Who, **values: Any) -> tuple[int, int]:
    """A question in a community; (its message, its community)."""
    audience = house.community(asker, *others)
    message_id = house.tell(Audience("community", audience.id, but=(asker[1],)), "Q?", "thread")
    now = clock.now()

    def work(db: Any) -> None:
        thread = threads.add(db, audience.id, asker[1], now)
        row = update(models.threads).where(models.threads.c.id == thread.id)
        if values:
            db.execute(row.values(**values))
        models_post = update(models.posts).where(models.posts.c.id == post_id)
        db.execute(models_post.values(thread_id=thread.id, message_id=message_id))

    post_id = post(house, asker, "How?")
    house.now(work)
    house.drain()
    return message_id, audience.id


def notes(house: House) -> list[str]:
    return [each for each in house.provider.texts if "did not reach" in each]


def test_what_nobody_came_for_ends_and_the_asker_hears_how_many(house: House) -> None:
    asker, gone = silent(house), silent(house)
    ask(house, asker, *(silent(house) for _ in range(3)), gone)
    left = update(models.memberships).where(models.memberships.c.member_id == gone[1])
    house.now(lambda db: db.execute(left.values(state="left")) and None)
    clock.move(31 * DAY)
    writes(house, asker)
    for _ in range(2):
        run_jobs(house)
    [note] = notes(house)
    assert "3 peers" in note
    count = select(func.count()).where(models.deliveries.c.reason == "expired")
    assert house.now(lambda db: db.execute(count).scalar_one()) == 4


@pytest.mark.parametrize("why", ["anonymous", "erased", "left"])
def test_nothing_is_said_to_an_asker_who_is_not_to_be_seen(house: House, why: str) -> None:
    asker = silent(house)
    values = {"anonymous": True} if why == "anonymous" else {}
    ask(house, asker, silent(house), **values | ({"asker_id": None} if why != "left" else {}))
    if why == "left":
        left = update(models.memberships).where(models.memberships.c.member_id == asker[1])
        house.now(lambda db: db.execute(left.values(state="left")) and None)
    clock.move(31 * DAY)
    writes(house, asker)
    run_jobs(house)
    assert notes(house) == []


def test_a_session_that_has_begun_is_not_waited_for(house: House) -> None:
    who = silent(house)
    soon = clock.now() + timedelta(hours=3)
    id_ = house.tell(Audience("member", who[1]), "A session", "session", expires_at=soon)
    house.drain()
    assert house.fate(id_) == ("held", "window")
    clock.move(timedelta(hours=4))
    run_jobs(house)
    assert house.fate(id_) == ("dropped", "expired")


def test_the_gaps_are_the_days_1_3_and_7() -> None:
    days = [0, *waiting.GAPS[1:]]
    assert [sum(days[: n + 1]) for n in range(len(days))] == [0, 1, 3, 7]
