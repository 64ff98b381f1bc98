"""Reminders: each of those who come, before her night, once, whatever happens meanwhile."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from bot import clock, models
from bot.db import Database
from bot.messages import Message
from bot.sessions import recurring, reminding
from bot.sessions.reminding import moment
from bot.store import audiences, reminders, secrets, sessions
from bot.store.reminders import Night
from bot.store.sessions import Session
from bot.timing import zone
from tests.weeks import World

signups = models.signups
HERE = "Asia/Vientiane"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def at(text: str, where: str = HERE) -> datetime:
    """Monday is 2027-01-04."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(where)).astimezone(UTC)


class Killed(Exception):
    """In the middle of something."""


class House(World):
    """A world with sessions."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.sends = True
        self.kills: random.Random | None = None
        self.place = self.community("weavers")

    def now(self, when: datetime) -> None:
        clock.move(when - clock.now())

    def session(self, starts_at: datetime, *comers: int, **more: Any) -> int:
        values = {"community_id": self.place, "title": "Stock lists", "timezone": HERE}
        wanted: dict[str, Any] = values | {"starts_at": starts_at} | more
        id_: int = self.run(lambda db: sessions.add(db, clock.now(), **wanted))
        for each in comers:
            self.answer(id_, each)
        return id_

    def answer(self, session_id: int, member_id: int, answer: str = "yes") -> None:
        now = clock.now()
        row = {"session_id": session_id, "member_id": member_id, "answer": answer}
        row |= {"created_at": now, "answered_at": now}

        def work(db: Connection) -> None:
            hers = (signups.c.session_id == session_id, signups.c.member_id == member_id)
            db.execute(delete(signups).where(*hers))
            db.execute(insert(signups).values(row))
            sessions.look_again(db, session_id, now)

        self.run(work)

    def look(self) -> None:
        then: Any = partial(reminding.go_on, recurring.follow)
        for _number in range(1000):
            then = self.step(then)
            if then is None:
                return self.deliver()
        raise AssertionError("it does not end")

    def step(self, work: Any) -> Any:
        """One transaction; some are killed before they are written down."""

        def dies(db: Connection) -> Any:
            done = work(db, clock.now())
            if self.kills is not None and self.kills.random() < 0.1:
                raise Killed
            return done

        try:
            return self.run(dies).then
        except Killed:
            return partial(reminding.go_on, recurring.follow)

    def deliver(self) -> None:
        """What senders do, on phones that are always there."""
        super().deliver()
        if not self.sends:
            return
        found = models.deliveries
        sent = update(found).where(found.c.state == "queued").values(state="sent")
        self.run(lambda db: db.execute(sent))

    def until(self, end: datetime, step: timedelta = 15 * MINUTE) -> None:
        while clock.now() < end:
            self.now(min(clock.now() + step, end))
            self.look()

    def heard(self) -> list[tuple[int, int, datetime]]:  # type: ignore[override]
        """(member, minutes before, when) of each reminder that was not kept back."""
        found, kept = models.deliveries, models.reminders
        statement = (
            select(found.c.member_id, kept.c.minutes, found.c.due_at)
            .join(kept, kept.c.message_id == found.c.message_id)
            .where(found.c.state != "dropped")
            .order_by(found.c.due_at, found.c.id)
        )
        return [tuple(row) for row in self.run(lambda db: db.execute(statement).all())]

    def minutes_of(self, member_id: int) -> list[int]:
        return [minutes for who, minutes, _at in self.heard() if who == member_id]

    def said_of(self, session_id: int) -> list[tuple[int, int]]:
        return sorted(
            (
                (who, minutes)
                for session, _start, minutes, who in self.told()
                if session == session_id
            ),
            key=lambda each: (-each[1], each[0]),
        )

    def told(self) -> set[tuple[int, datetime, int, int]]:
        """(session, when it begins, minutes before, member)"""
        found, kept = models.deliveries, models.reminders
        statement = select(
            kept.c.session_id, kept.c.starts_at, kept.c.minutes, found.c.member_id
        ).join(kept, kept.c.message_id == found.c.message_id)
        rows = self.run(lambda db: db.execute(statement).all())
        assert len(rows) == len(set(rows))
        return {tuple(row) for row in rows}

    def fates(self) -> list[tuple[str, str | None]]:
        found = models.deliveries
        rows = select(found.c.state, found.c.reason).order_by(found.c.id)
        return [tuple(row) for row in self.run(lambda db: db.execute(rows).all())]

    def sessions(self) -> list[Any]:
        table = models.sessions
        return list(self.run(lambda db: db.execute(select(table).order_by(table.c.id)).all()))


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    database = Database(database_url)
    database.run_now(secrets.open_store)
    yield House(database)
    clock.reset()
    database.close()


# When --------------------------------------------------------------------------------------------

USUAL = (HERE, None, None)


@pytest.mark.parametrize(
    ("starts", "minutes", "night", "said"),
    [
        ("2027-01-14 14:00", 7 * 1440, USUAL, "2027-01-07 14:00"),
        ("2027-01-14 14:00", 1440, USUAL, "2027-01-13 14:00"),
        ("2027-01-14 14:00", 60, USUAL, "2027-01-14 13:00"),
        ("2027-01-14 07:00", 60, USUAL, "2027-01-13 19:00"),  # the evening before
        ("2027-01-14 07:00", 1440, USUAL, "2027-01-13 07:00"),  # her night is over by then
        ("2027-01-14 08:00", 60, USUAL, "2027-01-14 07:00"),
        ("2027-01-14 07:59", 60, USUAL, "2027-01-13 19:00"),
        ("2027-01-14 21:00", 60, USUAL, "2027-01-14 19:00"),  # her night begins at eight
        ("2027-01-14 20:59", 60, USUAL, "2027-01-14 19:59"),
        ("2027-01-14 20:30", 1440, USUAL, "2027-01-13 19:00"),
        ("2027-01-14 03:00", 60, USUAL, "2027-01-13 19:00"),
        ("2027-01-14 07:00", 60, (HERE, 0, 0), "2027-01-14 06:00"),  # never quiet
        ("2027-01-14 07:00", 60, (None, None, None), "2027-01-14 06:00"),  # no zone, no night
        ("2027-01-14 12:00", 60, (HERE, 8 * 60, 17 * 60), "2027-01-14 07:00"),  # sleeps by day
        # An hour a day, and half of that: when she can be disturbed at all.
        ("2027-01-14 07:00", 60, (HERE, 12 * 60 + 30, 12 * 60), "2027-01-13 12:00"),
        ("2027-01-14 07:00", 1440, ("America/New_York", None, None), "2027-01-13 07:00"),
        ("2027-01-14 12:00", 60, ("America/New_York", None, None), "2027-01-14 07:00"),
    ],
)
def test_when_somebody_is_reminded(starts: str, minutes: int, night: Any, said: str) -> None:
    assert moment(at(starts), minutes, night) == at(said)


def test_moments_where_clocks_change() -> None:
    """Never in her night, never after it began, and at most a day and a bit before."""
    for name in ("Europe/Amsterdam", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"):
        for month in range(1, 13):
            for hours in range(0, 24 * 28, 5):
                start = datetime(2027, month, 1, tzinfo=UTC) + hours * HOUR
                said = moment(start, 60, (name, None, None))
                local = said.astimezone(zone(name))
                assert 7 <= local.hour < 20, (name, start)
                assert timedelta(0) < start - said <= 14 * HOUR


# To whom, once -----------------------------------------------------------------------------------


def test_a_week_a_day_and_an_hour_before(house: House) -> None:
    house.now(at("2027-01-04 10:00"))
    noy, sok, far = (
        house.member(house.place, timezone=each) for each in (HERE, HERE, "America/New_York")
    )
    away, maybe, silent = (house.member(house.place, timezone=HERE) for _ in range(3))
    start = at("2027-01-14 14:00")
    id_ = house.session(start, noy, sok, far)
    house.answer(id_, away, "no")
    house.answer(id_, maybe, "maybe")
    house.until(start + 2 * HOUR)
    at_once = [start - 7 * DAY, start - DAY, start - HOUR]
    by_day = {
        each: [when for who, _m, when in house.heard() if who == each] for each in (noy, sok, maybe)
    }
    assert by_day == {noy: at_once, sok: at_once, maybe: at_once}
    # 14:00 is two at night in New York.
    there = [
        when.astimezone(zone("America/New_York")).strftime("%a %H:%M")
        for who, _m, when in house.heard()
        if who == far
    ]
    assert there == ["Wed 19:00", "Tue 19:00", "Wed 19:00"]
    assert not {away, silent} & {who for who, *_rest in house.heard()}
    assert house.run(lambda db: sessions.get(db, id_)).state == "over"
    assert house.run(lambda db: sessions.get(db, id_)).next_at is None


def test_who_says_so_later_gets_the_later_ones(house: House) -> None:
    house.now(at("2027-01-04 10:00"))
    early, later, last = (house.member(house.place, timezone=HERE) for _ in range(3))
    start = at("2027-01-14 14:00")
    id_ = house.session(start, early)
    house.until(at("2027-01-10 10:00"))
    house.answer(id_, later)
    house.until(start - 30 * MINUTE)
    house.answer(id_, last)
    house.until(start)
    assert house.minutes_of(early) == [7 * 1440, 1440, 60]
    assert house.minutes_of(later) == [1440, 60]
    assert house.minutes_of(last) == []  # she knows: she said so half an hour before


def test_who_holds_it_is_reminded_too(house: House) -> None:
    """The host need not say that she comes; who takes the notes may say that she cannot."""
    house.now(at("2027-01-12 10:00"))
    host, far, notes, noy = (
        house.member(house.place, timezone=each)
        for each in (HERE, "America/New_York", HERE, "Europe/Amsterdam")
    )
    start = at("2027-01-14 14:00")
    id_ = house.session(start, noy, host_id=host, note_taker_id=notes)
    other = house.session(start + 3 * HOUR, host_id=far)
    house.until(start - 20 * HOUR)
    house.answer(id_, notes, "no")
    house.until(start - 2 * HOUR)
    change = {"host_id": far}  # she was asked to hold it, at the last moment
    house.run(lambda db: sessions.change(db, id_, clock.now(), **change))
    house.until(start + 4 * HOUR)
    assert house.said_of(id_) == [
        *((each, 1440) for each in (host, notes, noy)),
        *((each, 60) for each in (far, noy)),
    ]
    assert house.said_of(other) == [(far, 1440), (far, 60)]


def test_who_comes_with_other_nights_is_expected(house: House) -> None:
    """Her moment is before all those at which the session would be looked at."""
    house.now(at("2027-01-13 10:00"))
    noy, early = (
        house.member(house.place, timezone=HERE),
        house.member(house.place, timezone=HERE, quiet_from=15 * 60, quiet_until=8 * 60),
    )
    start = at("2027-01-14 08:30")
    id_ = house.session(start, noy, reminders=(60,))
    house.look()
    row = {"session_id": id_, "member_id": early, "answer": "yes", "created_at": clock.now()}
    house.run(lambda db: db.execute(insert(signups).values(row)))
    for _ in range(2):
        house.run(lambda db: reminding.expect(db, clock.now(), sessions.get(db, id_), early))
    house.until(start)
    assert [each[0::2] for each in house.heard()] == [
        (early, at("2027-01-13 14:00")),
        (noy, at("2027-01-14 07:30")),
    ]


def test_who_takes_it_back_is_not_reminded(house: House) -> None:
    house.now(at("2027-01-12 10:00"))
    noy = house.member(house.place, timezone=HERE)
    start = at("2027-01-14 14:00")
    id_ = house.session(start, noy)
    house.until(start - 20 * HOUR)
    house.answer(id_, noy, "no")
    house.until(start)
    assert house.minutes_of(noy) == [1440]


def test_what_is_late_is_said_if_it_is_of_use(house: House) -> None:
    """Nobody gets three reminders when we come back; nor one just before the next."""
    house.now(at("2027-01-04 10:00"))
    noy = house.member(house.place, timezone=HERE)
    start = at("2027-01-18 14:00")
    for back, said in (
        (start - 6 * DAY, [7 * 1440]),  # a day late
        (start - 2 * DAY, []),  # the one a day before comes tomorrow
        (start - 20 * HOUR, [1440]),
        (start - 3 * HOUR, []),
        (start - 5 * MINUTE, [60]),
        (start, []),
        (start + 3 * DAY, []),
    ):
        house.now(at("2027-01-04 10:00"))
        house.session(start, noy)
        house.now(back)
        house.look()
        assert house.minutes_of(noy) == said, back
        house.run(lambda db: db.execute(delete(models.messages)))
        house.run(lambda db: db.execute(delete(models.sessions)))


def test_moved_and_cancelled_sessions_take_their_reminders_with_them(house: House) -> None:
    house.now(at("2027-01-12 10:00"))
    noy, sok = (house.member(house.place, timezone=each) for each in (HERE, "America/New_York"))
    start = at("2027-01-14 14:00")
    id_ = house.session(start, noy, sok)
    house.until(start - 20 * HOUR)
    assert house.minutes_of(noy) == [1440]
    later = start + 2 * HOUR
    house.run(lambda db: sessions.change(db, id_, clock.now(), starts_at=later))
    house.until(start)
    # The day before is over: she was told that it was moved. No hour before what is no more.
    assert house.minutes_of(noy) == [1440]
    house.until(later - HOUR)
    assert house.minutes_of(noy) == [1440, 60]
    other = house.session(later + DAY, noy)
    house.until(later + DAY - 2 * HOUR)
    house.run(lambda db: sessions.change(db, other, clock.now(), state="cancelled", reason="rain"))
    house.until(later + 2 * DAY)
    assert house.minutes_of(noy) == [1440, 60, 1440]


def test_what_waits_is_kept_back(house: House) -> None:
    """Whoever has not opened her chat since never reads of a time that is no more."""
    house.now(at("2027-01-12 10:00"))
    noy = house.member(house.place, timezone=HERE)
    start = at("2027-01-14 14:00")
    id_ = house.session(start, noy)
    house.now(start - DAY)
    house.sends = False
    house.look()
    [(state, _reason)] = house.fates()
    assert state == "queued"
    assert house.run(lambda db: reminding.keep_back(db, id_)) == 1
    assert house.run(lambda db: reminding.keep_back(db, id_)) == 0
    assert house.fates() == [("dropped", "overtaken")]
    house.now(start - HOUR)
    house.look()
    house.now(start)
    house.look()
    assert house.fates() == [("dropped", "overtaken"), ("dropped", "expired")]


def test_it_is_judged_again_when_it_is_said(house: House) -> None:
    house.now(at("2027-01-12 10:00"))
    noy, sok = (house.member(house.place, timezone=HERE) for _ in range(2))
    start = at("2027-01-14 14:00")
    id_ = house.session(start, noy, sok)
    house.now(start - DAY)
    house.sends = False
    house.look()
    rows = house.run(lambda db: db.execute(select(models.deliveries)).all())
    told = [(row.id, row.member_id, row.message_id) for row in rows]
    [(hers, _noy, _message)] = [each for each in told if each[1] == noy]

    def over() -> set[int]:
        found: set[int] = house.run(lambda db: reminders.list_overtaken(db, told, clock.now()))
        return found

    assert over() == set()
    house.answer(id_, noy, "no")
    assert over() == {hers}
    house.answer(id_, noy, "maybe")
    assert over() == set()
    house.run(lambda db: sessions.change(db, id_, clock.now(), starts_at=start + HOUR))
    assert over() == {each[0] for each in told}
    house.run(lambda db: sessions.change(db, id_, clock.now(), starts_at=start))
    assert over() == set()
    house.answer(id_, noy, "invited")
    assert over() == {hers}
    house.run(lambda db: sessions.change(db, id_, clock.now(), host_id=noy))
    assert over() == set()
    house.now(start)
    assert over() == {each[0] for each in told}


def test_many_in_many_waves(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later waves of the same message reach everybody too, whatever their numbers are."""
    monkeypatch.setattr(audiences, "FAN_OUT", 3)
    house.now(at("2027-01-12 10:00"))
    zones = ("America/New_York", HERE, "Europe/Amsterdam")
    people = [house.member(house.place, timezone=zones[each % 3]) for each in range(30)]
    start = at("2027-01-14 04:00")
    house.session(start, *people)
    house.until(start)
    assert sorted(who for who, minutes, _at in house.heard() if minutes == 60) == people
    assert len({when for _who, minutes, when in house.heard() if minutes == 60}) == 3


def test_a_session_that_fails_does_not_hold_up_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.now(at("2027-01-12 10:00"))
    noy = house.member(house.place, timezone=HERE)
    start = at("2027-01-14 14:00")
    bad, good = house.session(start, noy), house.session(start, noy)
    compose = reminding.compose

    def fails(db: Connection, session: Session, now: datetime, minutes: int) -> Message:
        if session.id == bad and clock.now() <= start - 23 * HOUR:
            raise ValueError("words that must not be logged")
        return compose(db, session, now, minutes)

    monkeypatch.setattr(reminding, "compose", fails)
    house.until(start - 23 * HOUR)
    assert house.said_of(good) == [(noy, 1440)] and house.said_of(bad) == []
    house.until(start - 22 * HOUR)
    assert house.said_of(bad) == [(noy, 1440)]
    house.until(start)
    assert house.said_of(good) == house.said_of(bad) == [(noy, 1440), (noy, 60)]


def test_two_processes_at_the_same_time(house: House, database_url: str) -> None:
    """Both look at everything that is due; each is reminded once, and each row goes on once."""
    house.now(at("2027-01-12 10:00"))
    people = [house.member(house.place, timezone=each[0]) for each in NIGHTS for _ in range(3)]
    start = at("2027-01-14 04:00")
    ids = [house.session(start + number * HOUR, *people, every=1) for number in range(6)]
    other = House.__new__(House)
    other.database, other.kills, other.sends = Database(database_url), None, True

    def look(which: House) -> None:
        then: Any = partial(reminding.go_on, recurring.follow)
        while then is not None:
            then = which.step(then)

    with ThreadPoolExecutor(2) as pool:
        while clock.now() < start + 8 * HOUR:
            house.now(clock.now() + HOUR)
            list(pool.map(look, [house, other]))
            house.deliver()
    other.database.close()
    told = Counter(
        (session, who) for session, _start, minutes, who in house.told() if minutes == 60
    )
    assert told == dict.fromkeys(((id_, who) for id_ in ids for who in people), 1)
    assert sorted(each.follows_id for each in house.sessions() if each.follows_id) == ids


# Rows of sessions --------------------------------------------------------------------------------


def test_every_second_week_at_the_same_hour_of_the_clock(house: House) -> None:
    """Over a change of the clocks there, and from where it would have been without a move."""
    here = "Europe/Amsterdam"
    house.now(at("2027-03-01 10:00", here))
    first = at("2027-03-18 14:00", here)
    id_ = house.session(first, timezone=here, every=2, seats=8, place="The library")
    house.run(lambda db: sessions.change(db, id_, clock.now(), starts_at=first + DAY))
    house.until(first + DAY + HOUR)
    [one, two] = house.sessions()
    assert (one.state, two.state, two.follows_id) == ("over", "planned", one.id)
    assert two.starts_at == at("2027-04-01 14:00", here)  # a Thursday, in summer time
    assert (two.seats, two.place, two.every, two.moved_from) == (8, "The library", 2, None)
    assert two.uid != one.uid
    house.run(lambda db: sessions.change(db, two.id, clock.now(), state="cancelled"))
    house.until(clock.now() + HOUR)
    assert [each.starts_at for each in house.sessions()][2:] == [at("2027-04-15 14:00", here)]
    house.now(at("2027-06-20 10:00", here))  # nothing ran for two months
    house.look()
    assert [each.starts_at for each in house.sessions()][3:] == [at("2027-06-24 14:00", here)]
    for each in house.sessions():  # looked at again, for whatever reason
        house.run(lambda db, each=each: sessions.look_again(db, each.id, clock.now()))
    house.look()
    assert len(house.sessions()) == 4


def test_who_was_asked_by_name_is_asked_again(house: House) -> None:
    house.now(at("2027-01-12 10:00"))
    noy, sok, gone = (house.member(house.place, timezone=HERE) for _ in range(3))
    start = at("2027-01-14 14:00")
    id_ = house.session(start, noy, gone, scope="invited", every=1)
    house.answer(id_, sok, "no")
    stop = update(models.members).where(models.members.c.id == gone).values(state="stopped")
    house.run(lambda db: db.execute(stop))
    house.until(start + HOUR)
    [_one, two] = house.sessions()
    its = signups.c.session_id == two.id
    asked = house.run(lambda db: db.execute(select(signups).where(its)).all())
    assert {(row.member_id, row.answer) for row in asked} == {(noy, "invited"), (sok, "invited")}


def test_a_row_ends_with_its_community(house: House) -> None:
    house.now(at("2027-01-12 10:00"))
    start = at("2027-01-14 14:00")
    house.session(start, every=1)
    ended = update(models.communities).values(ended_at=clock.now())
    house.run(lambda db: db.execute(ended))
    house.until(start + 2 * HOUR)
    assert [each.state for each in house.sessions()] == ["over"]


# Whatever happens meanwhile ----------------------------------------------------------------------

NIGHTS: tuple[Night, ...] = (
    (HERE, None, None),
    ("America/New_York", None, None),
    ("Europe/Amsterdam", 22 * 60, 8 * 60),
    (HERE, 17 * 60, 8 * 60),
    (HERE, 0, 0),
    (None, None, None),
    ("Asia/Kathmandu", 21 * 60 + 30, 6 * 60),
)


MANY = 5  # sessions
SEEDS = 4


class Naive:
    """What is to be said, thought out for each member alone at every look."""

    def __init__(self) -> None:
        self.nights: dict[int, Night] = {}
        self.comes: dict[tuple[int, int], datetime] = {}  # (session, member) -> said so
        self.starts: dict[int, datetime] = {}
        self.moved: dict[int, datetime] = {}
        self.told: set[tuple[int, datetime, int, int]] = set()  # session, start, minutes, member

    def look(self, now: datetime) -> None:
        for (session, member), since in self.comes.items():
            start = self.starts.get(session)
            if start is None or now >= start:
                continue
            moments = {
                each: moment(start, each, self.nights[member]) for each in sessions.REMINDERS
            }
            due = [each for each, at in moments.items() if at <= now]
            if not due:
                continue
            its = moments[min(due)]
            ahead = [at - now for at in moments.values() if at > now]
            late = bool(ahead) and now - its > min(ahead)
            moved = session in self.moved and its <= self.moved[session]
            if since <= its and not late and not moved:
                self.told.add((session, start, min(due), member))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_exactly_once_whatever_happens(
    house: House, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Moves, cancellations, changed minds and zones, standing still for hours, and kills."""
    monkeypatch.setattr(audiences, "FAN_OUT", 3)
    chance = random.Random(seed)
    naive = Naive()
    house.now(at("2027-03-20 10:00"))  # clocks change in Europe a week later
    first = clock.now()
    for _ in range(12):
        zone_, start, end = night = chance.choice(NIGHTS)
        id_ = house.member(house.place, timezone=zone_, quiet_from=start, quiet_until=end)
        naive.nights[id_] = night
    for _ in range(MANY):
        starts = first + chance.randint(3 * 24 * 60, 11 * 24 * 60) * MINUTE
        naive.starts[house.session(starts)] = starts
    house.kills = chance
    while clock.now() < first + 12 * DAY:
        for _ in range(chance.randint(0, 2)):
            _something(house, naive, chance)
        house.look()
        naive.look(clock.now())
        assert house.told() == naive.told, clock.now()
        down = chance.random() < 0.01
        house.now(
            clock.now() + (chance.randint(60, 2400) if down else chance.randint(1, 50)) * MINUTE
        )
    assert len(house.heard()) == len(naive.told) > 10
    house.look()
    for each in house.sessions():
        ahead = each.starts_at + timedelta(minutes=each.minutes) > clock.now()
        assert each.state in (("planned", "cancelled") if ahead else ("over", "cancelled"))


def _something(house: House, naive: Naive, chance: random.Random) -> None:
    now = clock.now()
    session, member = chance.randint(1, MANY), chance.choice(list(naive.nights))
    start = naive.starts.get(session)
    what = chance.random()
    if what < 0.5:
        answer = chance.choice(["yes", "yes", "maybe", "no"])
        house.answer(session, member, answer)
        naive.comes.pop((session, member), None)
        if answer != "no":
            naive.comes[session, member] = now
    elif what < 0.56:
        night = naive.nights[member] = chance.choice(NIGHTS)
        values = dict(zip(("timezone", "quiet_from", "quiet_until"), night, strict=True))
        hers = update(models.members).where(models.members.c.id == member).values(values)
        house.run(lambda db: db.execute(hers))
        house.run(lambda db: reminding.look_soon(db, member, now))
    elif what < 0.575 and start is not None and start > now:
        to = now + chance.randint(30, 9 * 24 * 60) * MINUTE
        if chance.random() < 0.3:
            to = chance.choice([each.starts_at for each in house.sessions()])  # back, or the same
        if to > now:
            house.run(lambda db: sessions.change(db, session, now, starts_at=to))
            house.run(lambda db: reminding.keep_back(db, session))
            naive.moved |= {} if to == start else {session: now}
            naive.starts[session] = to
    elif what < 0.576 and start is not None and start > now:
        house.run(lambda db: sessions.change(db, session, now, state="cancelled"))
        del naive.starts[session]
