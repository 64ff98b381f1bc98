"""Seats: never more people than seats, nobody skipped, whatever the order of taps and days."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot import clock, models, seals
from bot.db import Database
from bot.sessions import seats
from bot.sessions.seats import LEAST, Outcome
from bot.store import needs, presence, secrets, sessions, signups
from bot.store.sessions import Session
from tests.processes import until

NOW = datetime(2027, 1, 4, 3, tzinfo=UTC)  # a Monday, ten o'clock in Vientiane
SOON = NOW + timedelta(days=7)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    clock.move(NOW - clock.now())
    database = Database(url)
    database.run_now(secrets.open_store)
    try:
        yield database
    finally:
        database.close()


def community(db: Any, slug: str = "weavers") -> int:
    row = {"slug": "test", "names": {"en": "Test"}, "contact": "help@example.org"}
    found = db.execute(select(models.programmes.c.id)).scalar()
    if found is None:
        new = insert(models.programmes).values(row).returning(models.programmes.c.id)
        found = db.execute(new).scalar_one()
    values = {"programme_id": found, "slug": slug, "language": "en", "timezone": "Asia/Vientiane"}
    new = insert(models.communities).values(values | {"approval": False, "discreet": False})
    id_: int = db.execute(new.returning(models.communities.c.id)).scalar_one()
    return id_


def member(db: Any, community_id: int, number: int, **values: Any) -> int:
    """Somebody who can be reached, in no zone: no hour is quiet for her."""
    row = {"state": "active", "language": "en", "name": f"Member {number}", "created_at": NOW}
    new = insert(models.members).values(row | values).returning(models.members.c.id)
    id_: int = db.execute(new).scalar_one()
    place = {"member_id": id_, "community_id": community_id, "role": "member", "state": "active"}
    db.execute(insert(models.memberships).values(place | {"created_at": NOW}))
    address = {"member_id": id_, "lane": "simulator/telegram", "sealed": f"s{number}"}
    address |= {"preferred": True, "created_at": NOW}
    db.execute(insert(models.addresses).values(address))
    return id_


def session(db: Any, community_id: int, starts_at: datetime = SOON, **values: Any) -> Session:
    about = {"title": "Safe interviewing", "timezone": "Asia/Vientiane"}
    id_ = sessions.add(db, NOW, community_id=community_id, starts_at=starts_at, **about, **values)
    return sessions.get(db, id_)


def say(db: Any, held: Session, member_id: int, answer: str = "yes", at: datetime = NOW) -> Outcome:
    return seats.answer(db, at, held, member_id, answer)


def answers(db: Any, held: Session) -> dict[int, str]:
    table = models.signups
    rows = db.execute(
        select(table.c.member_id, table.c.answer).where(table.c.session_id == held.id)
    )
    return {row.member_id: row.answer for row in rows}


def told(db: Any) -> list[tuple[int, str]]:
    """(member, the sentence) of all that was told, in order."""
    body, to = models.messages.c.body, models.deliveries.c.member_id
    statement = select(to, body).join(
        models.messages, models.messages.c.id == models.deliveries.c.message_id
    )
    rows = db.execute(statement.order_by(models.deliveries.c.id))
    return [(row.member_id, row.body["say"][0]["text"][:20]) for row in rows]


_numbers = itertools.count()
FREE, OPEN = "A seat is free for y", "The seat that was ke"


def played(url: str, work: Callable[[Any], None]) -> None:
    with opened(url) as database:
        database.run_now(work)


def test_who_is_late_waits_and_is_asked_in_turn(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        a, b, c, d = (member(db, place, number) for number in range(4))
        held = session(db, place, seats=1)
        assert say(db, held, a).kind == "yes"
        assert (say(db, held, b).kind, say(db, held, b).number) == ("waiting", 1)
        assert (say(db, held, c).kind, say(db, held, c).number) == ("waiting", 2)
        assert say(db, held, d, "maybe").kind == "maybe"  # takes no seat
        assert say(db, held, a, "no") == Outcome("no", "yes")
        assert answers(db, held) == {a: "no", b: "offered", c: "waiting", d: "maybe"}
        assert say(db, held, d).number == 2  # the seat is kept for b, and c is before her
        assert say(db, held, b) == Outcome("yes", "offered")
        assert say(db, held, b) == Outcome("yes", "yes")
        assert told(db) == [(b, FREE)]
        assert say(db, held, b, "no").kind == "no"
        assert say(db, held, c, "no").kind == "no"  # what is offered can be left
        assert answers(db, held)[d] == "offered"
        assert told(db) == [(b, FREE), (c, FREE), (d, FREE)]

    played(database_url, work)


def test_what_is_not_taken_in_time_goes_to_the_next_one(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        a, b, c = (member(db, place, number) for number in range(3))
        held = session(db, place, seats=1)
        for each in (a, b, c):
            say(db, held, each)
        say(db, held, a, "no")
        day = timedelta(days=1)
        found = signups.find(db, held.id, b)
        assert found is not None and found.offered_until == NOW + day
        assert seats.pass_on(db, NOW + day - timedelta(seconds=1), 9) == 0
        assert seats.pass_on(db, NOW + day, 9) == 1
        assert seats.pass_on(db, NOW + day, 9) == 0
        assert answers(db, held) == {a: "no", b: "invited", c: "offered"}
        assert told(db) == [(b, FREE), (b, OPEN), (c, FREE)]
        assert say(db, held, b, at=NOW + day).number == 1  # she still would like to

    played(database_url, work)


# How long a seat is kept --------------------------------------------------------------------------


def offered_until(db: Any, starts_at: datetime, now: datetime, **values: Any) -> datetime | None:
    """Until when the only one who waits has the seat that is free from now on; None = it is not."""
    place = community(db, f"place-{next(_numbers)}")
    first, second = member(db, place, 1), member(db, place, 2, **values)
    held = session(db, place, starts_at, seats=1)
    say(db, held, first, at=NOW)
    say(db, held, second, at=NOW)
    say(db, held, first, "no", at=now)
    found = signups.find(db, held.id, second)
    assert found is not None
    return found.offered_until


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_seat_is_kept_a_day_less_when_it_is_near_and_nights_cost_nothing(
    database_url: str,
) -> None:
    def at(day: int, hour: int, minute: int = 0) -> datetime:
        return datetime(2027, 1, day, hour, minute, tzinfo=UTC)

    night = {"timezone": "Asia/Vientiane"}  # quiet from 13:00 to 24:00 in UTC
    day = timedelta(days=1)

    def work(db: Any) -> None:
        assert offered_until(db, NOW + 7 * day, NOW) == NOW + day
        assert offered_until(db, at(4, 13), NOW) == at(4, 8)  # half of what is left
        assert offered_until(db, at(4, 4), NOW) == at(4, 3, 30)
        assert offered_until(db, at(4, 3, 20), NOW) == at(4, 3, 10)
        assert offered_until(db, at(4, 3, 19), NOW) is None
        # Asked at night: the day begins when she can hear it, at seven.
        assert offered_until(db, at(20, 3), at(5, 20), **night) == at(7, 0)
        # Nine hours awake before a session in the morning, one of them this evening.
        assert offered_until(db, at(6, 2), at(5, 12), **night) == at(6, 1)
        # It begins at six in the morning: by then she has not heard of it.
        assert offered_until(db, at(5, 23), at(5, 14), **night) is None
        # Who rests keeps her place, and the seat is for whoever comes.
        assert offered_until(db, at(20, 3), NOW, paused_until=NOW + 3 * day) is None
        assert offered_until(db, at(20, 3), NOW, paused_until=NOW + day) == NOW + 2 * day
        never = {"quiet_from": 0, "quiet_until": 0, "timezone": "Asia/Vientiane"}
        assert offered_until(db, at(20, 3), at(5, 20), **never) == at(6, 20)

    played(database_url, work)


# Who goes without a word --------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["stopped", "erasing"])
def test_who_stopped_or_is_forgotten_gives_the_seat_on(database_url: str, state: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        a, b, c = (member(db, place, number) for number in range(3))
        held = session(db, place, seats=1)
        for each in (a, b):
            say(db, held, each)
        assert seats.pass_on(db, NOW, 9) == 0
        db.execute(update(models.members).where(models.members.c.id == a).values(state=state))
        assert say(db, held, c).number == 1  # b has the seat from now on, c did not overtake her
        assert answers(db, held) == {a: "invited", b: "offered", c: "waiting"}
        db.execute(update(models.members).where(models.members.c.id == b).values(state=state))
        assert seats.pass_on(db, NOW, 9) == 1
        assert answers(db, held) == {a: "invited", b: "invited", c: "offered"}
        unsaid = told_state(db, b)
        assert unsaid == ["dropped"]  # she is not told of a seat that is hers no more
        db.execute(update(models.members).where(models.members.c.id == a).values(state="active"))
        assert say(db, held, a).number == 1

    played(database_url, work)


def told_state(db: Any, member_id: int) -> list[str]:
    table = models.deliveries
    rows = db.execute(select(table.c.state).where(table.c.member_id == member_id))
    return list(rows.scalars())


def test_who_leaves_the_group_is_in_none_of_its_sessions(database_url: str) -> None:
    def work(db: Any) -> None:
        here, there = community(db), community(db, "potters")
        a, b = member(db, here, 1), member(db, here, 2)
        join = {"member_id": a, "community_id": there, "role": "member", "state": "active"}
        db.execute(insert(models.memberships).values(join | {"created_at": NOW}))
        only, both = session(db, here, seats=1), session(db, here, for_communities=[there])
        past = session(db, here, NOW - timedelta(days=1))
        signups.mark(db, past.id, a, "yes", NOW)
        for held in (only, both):
            say(db, held, a)
        say(db, only, b)
        presence.leave(db, a, here)
        seats.leave(db, NOW, a, here)
        assert answers(db, only) == {b: "offered"}
        assert answers(db, both) == {a: "yes"}
        assert answers(db, past) == {}  # what came of it is not told to her any more
        assert sessions.find_for(db, only.id, a) is None
        assert sessions.find_for(db, both.id, a) is not None

    played(database_url, work)


def test_who_leaves_the_group_holds_nothing_there(database_url: str) -> None:
    """Neither what is to come nor what was: nobody who has left sees who comes."""

    def work(db: Any) -> None:
        here, there = community(db), community(db, "potters")
        a, b = member(db, here, 1), member(db, here, 2)
        join = {"member_id": a, "community_id": there, "role": "member", "state": "active"}
        db.execute(insert(models.memberships).values(join | {"created_at": NOW}))
        held = session(db, here, host_id=a, note_taker_id=b)
        noted = session(db, here, host_id=b, note_taker_id=a)
        told = session(db, here, NOW - timedelta(days=9), host_id=a)
        sessions.change(db, told.id, NOW, state="told")
        other = session(db, there, host_id=a)
        needs.add(db, noted.id, a, "Large letters.", NOW)
        say(db, noted, a)
        presence.leave(db, a, here)
        seats.leave(db, NOW, a, here)
        for each in (held, noted, told):
            assert sessions.find_for(db, each.id, a) is None
        assert sessions.list_ahead(db, a, NOW) == [other]
        assert needs.find(db, noted.id, a) is None
        found = [sessions.get(db, each.id) for each in (held, noted, told)]
        assert [(each.host_id, each.note_taker_id) for each in found] == [
            (None, b), (b, None), (a, None),
        ]  # fmt: skip

    played(database_url, work)


def test_of_a_session_that_was_called_off_nothing_is_offered(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        a, b, c = (member(db, place, number) for number in range(3))
        held = session(db, place, seats=1)
        for each in (a, b, c):
            say(db, held, each)
        say(db, held, a, "no")
        sessions.change(db, held.id, NOW, state="cancelled")
        assert say(db, held, a).kind == "cancelled"
        seats.pass_on(db, NOW, 9)
        assert answers(db, held) == {a: "no", b: "invited", c: "waiting"}
        assert told_state(db, b) == ["dropped"]
        assert signups.list_due(db, NOW, 9) == []

    played(database_url, work)


def test_more_seats_or_no_limit_at_all(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        a, b, c, d, host = (member(db, place, number) for number in range(5))
        held = session(db, place, seats=1, host_id=host)
        assert say(db, held, host).kind == "yes"  # needs no seat
        for each in (a, b, c):
            say(db, held, each)
        sessions.change(db, held.id, NOW, seats=2)
        assert seats.free_up(db, NOW, held.id) == 1
        assert seats.free_up(db, NOW, held.id) == 0
        sessions.change(db, held.id, NOW, seats=None)
        assert seats.pass_on(db, NOW, 9) == 1
        assert answers(db, held) == {a: "yes", b: "offered", c: "offered", host: "yes"}
        sessions.change(db, held.id, NOW, seats=1)  # nobody is put out again
        assert say(db, held, b).kind == "yes"
        assert say(db, held, d).kind == "waiting"

    played(database_url, work)


def test_of_one_organisation_only_so_many(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        farm = [member(db, place, number, organisation="Green Farm ") for number in range(3)]
        shop = member(db, place, 4, organisation="green farm")
        loom, alone = member(db, place, 5, organisation="Loom"), member(db, place, 6)
        held = session(db, place, seats=4, seats_each=2, kind="visit")
        assert [say(db, held, each).kind for each in farm] == ["yes", "yes", "waiting"]
        assert say(db, held, shop) == Outcome("waiting", None, 2)  # the same, written otherwise
        assert say(db, held, loom).kind == say(db, held, alone).kind == "yes"
        say(db, held, loom, "no")
        assert answers(db, held)[farm[2]] == "waiting"  # their places are taken: she waits on
        say(db, held, farm[0], "no")
        assert answers(db, held)[farm[2]] == "offered"
        assert answers(db, held)[shop] == "waiting"

    played(database_url, work)


def test_late(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        a, b, c = (member(db, place, number) for number in range(3))
        held = session(db, place, NOW + timedelta(hours=1), seats=1)
        begun, over = NOW + timedelta(minutes=90), NOW + timedelta(hours=2)
        for each in (a, b):
            say(db, held, each)
        say(db, held, a, "no")
        assert answers(db, held)[b] == "offered"
        assert say(db, held, c, at=begun).kind == "yes"  # b did not come for it
        assert say(db, held, b, at=begun).kind == "full"
        assert seats.pass_on(db, begun, 9) == 0
        assert say(db, held, c, "no", at=begun).kind == "no"
        assert say(db, held, b, at=begun).kind == "yes"
        assert {say(db, held, each, at=over).kind for each in (a, b, c)} == {"over"}
        assert told(db) == [(b, FREE)]

    played(database_url, work)


# Any order ---------------------------------------------------------------------------------------


class Reckoning:
    """What is seen of a session from outside, after each thing that happens."""

    def __init__(self, db: Any, held: Session) -> None:
        self.db, self.held = db, held
        self.line: list[int] = []  # who waits, in the order in which they came

    def check(self, *, someone_may_wait: bool = False) -> None:
        now = answers(self.db, self.held)
        taken = [each for each in now.values() if each in ("yes", "offered")]
        assert len(taken) <= (self.held.seats or 0)
        waiting = [each for each, said in now.items() if said == "waiting"]
        left = [each for each in self.line if each in waiting]
        new = [each for each in waiting if each not in left]
        # Whoever was offered a seat stood before all who still wait.
        asked = [each for each in self.line if now[each] == "offered"]
        if asked and left:
            assert max(self.line.index(each) for each in asked) < self.line.index(left[0])
        assert someone_may_wait or not waiting or len(taken) == self.held.seats, "a seat is idle"
        assert len(new) <= 1
        self.line = [each for each in self.line if now[each] in ("waiting", "offered")] + new


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_order(database_url: str, seed: int) -> None:
    draw = random.Random(seed)

    def work(db: Any) -> None:
        place = community(db)
        everybody = [member(db, place, number) for number in range(9)]
        held, now = session(db, place, seats=draw.choice((1, 2, 4))), NOW
        seen = Reckoning(db, held)
        for _step in range(90):
            who = draw.choice(everybody)
            match draw.choice(("yes", "yes", "yes", "no", "maybe", "later", "stop")):
                case "later":
                    now += timedelta(hours=draw.choice((1, 9, 26)))
                    seats.pass_on(db, now, 9)
                case "stop":
                    state = draw.choice(("stopped", "active"))
                    mine = models.members.c.id == who
                    db.execute(update(models.members).where(mine).values(state=state))
                    seats.pass_on(db, now, 9)
                case said:
                    active = select(models.members.c.state).where(models.members.c.id == who)
                    if db.execute(active).scalar() == "active":
                        say(db, held, who, said, now)
            near = held.starts_at - now < 2 * LEAST
            seen.check(someone_may_wait=near)
            if now > held.ends_at:
                break

    played(database_url, work)


# Two processes -----------------------------------------------------------------------------------

TAPS, PEOPLE, SEATS, LAST_SEATS = 40, 12, 3, 40


def _tap(
    url: str, key: str, folder: Path, number: int, session_ids: list[int], everybody: list[int]
) -> list[str]:
    """What one process does: many members answer, in no order, each in a transaction.

    First both run for the only seat of one session after the other.
    """
    seals.use(seals.Keyring([key]))
    clock.move(NOW - clock.now())
    database = Database(url)
    database.run_now(secrets.open_store)
    (folder / f"ready{number}").touch()
    until("both are there", lambda: len(list(folder.glob("ready*"))) == 2, seconds=60)
    for session_id in session_ids[1:]:
        time.sleep(0.04 - time.time() % 0.02)
        database.run_now(lambda db, id_=session_id: _run(db, id_, everybody[number]))
    session_id, kinds = session_ids[0], []
    draw = random.Random(number)
    for _tap_number in range(TAPS):
        who, said = draw.choice(everybody), draw.choice(("yes", "yes", "no", "maybe"))

        def work(db: Any, who: int = who, said: str = said) -> str:
            held = sessions.get(db, session_id)  # as a turn does, before the seats are counted
            time.sleep(draw.uniform(0, 0.004))
            return seats.answer(db, NOW, held, who, said).kind

        kinds.append(database.run_now(work))
        if database.run_now(lambda db: _taken(db, session_id)) > SEATS:
            kinds.append("too many")
    database.close()
    return kinds


def _run(db: Any, session_id: int, who: int) -> str:
    held = sessions.get(db, session_id)
    time.sleep(0.005)
    return seats.answer(db, NOW, held, who, "yes").kind


def _taken(db: Any, session_id: int) -> int:
    found = answers(db, sessions.get(db, session_id)).values()
    return sum(each in ("yes", "offered") for each in found)


def test_two_processes_never_give_a_seat_twice(database_url: str, tmp_path: Path) -> None:
    key = seals.new_key()
    seals.use(seals.Keyring([key]))
    with opened(database_url) as database:

        def begin(db: Any) -> tuple[list[int], list[int]]:
            place = community(db)
            everybody = [member(db, place, number) for number in range(PEOPLE)]
            held = [session(db, place, seats=SEATS)]
            held += [session(db, place, seats=1) for _number in range(LAST_SEATS)]
            return [each.id for each in held], everybody

        session_ids, everybody = database.run_now(begin)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            futures = [
                pool.submit(_tap, database_url, key, tmp_path, number, session_ids, everybody)
                for number in range(2)
            ]
            kinds = [kind for each in futures for kind in each.result(timeout=300)]
        assert "too many" not in kinds
        assert {"yes", "waiting"} <= set(kinds)

        def end(db: Any) -> None:
            session_id, *others = session_ids
            assert [_taken(db, each) for each in others] == [1] * LAST_SEATS
            found = list(answers(db, sessions.get(db, session_id)).values())
            taken = [each for each in found if each in ("yes", "offered")]
            assert len(taken) == SEATS or ("waiting" not in found and len(taken) < SEATS)
            line = signups.list_of(db, session_id, ("waiting",))
            assert len({each.place for each in line}) == len(line)  # nobody stands beside another
            asked = signups.list_of(db, session_id, ("offered",))
            assert all(one.place < each.place for one in asked for each in line)

        database.run_now(end)
