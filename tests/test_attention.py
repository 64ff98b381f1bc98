"""Attention: quiet hours, pauses, paces and doubts are kept when sending, and told truthfully."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot import clock, digests, models
from bot.gathering import LOOKED_AT
from bot.judging import ATTEMPTS
from bot.messages import Message, Ref
from bot.planning import CLAIMS
from bot.sender import IN_FLIGHT
from bot.store import communities, members, presence, reach, tallies, waiting
from bot.store.audiences import Audience
from bot.store.reach import Reach
from bot.timing import FOR_GOOD, zone
from tests.test_planning import DAY, NOTICE, Showcase, Who, heard, open_
from tests.test_sender import LANE, House

HOUR = timedelta(hours=1)
HERE = "Asia/Phnom_Penh"


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url, Showcase())
    yield found
    found.close()


def it_is(text: str, where: str = HERE) -> None:
    """Move the clock to a moment there; Monday is 2027-01-04."""
    wanted = datetime.fromisoformat(text).replace(tzinfo=zone(where)).astimezone(UTC)
    clock.move(wanted - clock.now())


def somebody(house: House, **values: Any) -> Who:
    return house.member(timezone=HERE, **values)


def tell(house: House, who: Who, said: str, kind: str = "thread", **columns: Any) -> int:
    return house.tell(Audience("member", who[1]), said, kind, **columns)


def wide(house: House, where: Audience, said: str = "news", kind: str = "thread") -> int:
    return house.tell(where, said, kind, wide=True)


def set_pace(house: House, who: Who, where: Audience, pace: str) -> None:
    def work(db: Any) -> None:
        found = communities.find_membership(db, who[1], where.id)
        assert found is not None
        communities.mark_pace(db, found.id, pace)

    house.now(work)


def mark(house: House, who: Who, **values: Any) -> None:
    house.now(lambda db: members.mark(db, who[1], **values))


def release(house: House, who: Who) -> None:
    house.now(lambda db: presence.release(db, who[1], clock.now()))


def doubt(house: House, who: Who) -> None:
    doubted = update(models.addresses).where(models.addresses.c.id == who[0])
    house.now(lambda db: db.execute(doubted.values(doubted_at=clock.now())))


def due_at(house: House, message_id: int) -> datetime:
    due = select(models.deliveries.c.due_at).where(models.deliveries.c.message_id == message_id)
    return house.now(lambda db: db.execute(due).scalar_one())  # type: ignore[no-any-return]


# Quiet hours ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["thread", "session", "broadcast"])
def test_at_night_it_waits_for_the_morning(house: House, kind: str) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    id_ = tell(house, noy, "news", kind)
    house.drain()
    assert (house.fate(id_), heard(house)) == (("held", "quiet"), [])
    it_is("2027-01-05 06:58")
    house.drain()
    assert heard(house) == []
    it_is("2027-01-05 07:00")
    house.drain()
    assert (house.fate(id_)[0], heard(house)) == ("sent", ["news"])


def test_her_own_answers_and_safety_do_not_wait(house: House) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    house.say(noy, "an answer")
    tell(house, noy, "safety", "safety")
    house.drain()
    assert heard(house) == ["an answer", "safety"]


@pytest.mark.parametrize(
    ("values", "hour", "waits"),
    [
        ({}, "22:00", True),
        ({}, "12:00", False),
        ({"quiet_from": 17 * 60, "quiet_until": 8 * 60}, "17:30", True),
        ({"quiet_from": 0, "quiet_until": 0}, "22:00", False),
        ({"timezone": None}, "22:00", False),  # we do not know where it is night
        ({"timezone": "Europe/Berlin"}, "03:00", True),  # nine in the evening
        ({"timezone": "Europe/Berlin"}, "12:00", True),
        ({"timezone": "Europe/Berlin"}, "22:00", False),
        ({"timezone": "Gone/Zone", "quiet_from": 0, "quiet_until": 60}, "07:30", True),
    ],
)
def test_whose_night_it_is(house: House, values: dict[str, Any], hour: str, waits: bool) -> None:
    it_is(f"2027-01-04 {hour}")
    id_ = tell(house, house.member(**({"timezone": HERE} | values)), "news")
    house.drain()
    assert house.fate(id_)[0] == ("held" if waits else "sent")


def test_a_discreet_phone_hears_at_night_nothing_at_all(house: House) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house, discreet=True)
    id_ = tell(house, noy, "secret")
    house.drain()
    assert heard(house) == []
    it_is("2027-01-05 07:00")
    house.drain()
    assert (house.fate(id_), heard(house)) == (("held", "discreet"), [NOTICE])


def test_what_she_opens_herself_at_night_comes(house: House) -> None:
    it_is("2027-01-04 19:00")
    noy = somebody(house, discreet=True)
    tell(house, noy, "secret")
    house.drain()
    it_is("2027-01-04 23:00")
    assert open_(house, noy) == 1
    house.drain()
    assert "secret" in heard(house)


def test_what_is_taken_back_is_taken_back_at_night(house: House) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    id_ = house.tell(Audience("member", noy[1]), Message(retract=Ref("posts", 7)), "thread")
    house.drain()
    assert house.fate(id_) == ("dropped", "nothing")  # looked at, not put off


def test_what_waits_holds_nothing_else_up(house: House) -> None:
    """However much of it there is, and whoever it is for."""
    it_is("2027-01-04 22:00")
    sleeping = [somebody(house) for _ in range(IN_FLIGHT * (CLAIMS - 1) + 5)]
    awake = house.member()
    house.tell(house.community(*sleeping), "news", "thread")
    tell(house, awake, "for one who is awake", "broadcast")
    tell(house, sleeping[0], "and this")
    house.say(sleeping[0], "an answer")
    house.drain()
    assert sorted(heard(house)) == ["an answer", "for one who is awake"]
    it_is("2027-01-05 07:00")
    house.drain()
    said = heard(house)
    assert said.count("news") == len(sleeping)
    assert said.index("news") < said.index("and this")


def test_nothing_becomes_poison_by_waiting(house: House) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    id_ = tell(house, noy, "news")
    for _number in range(ATTEMPTS + 2):
        release(house, noy)
        house.drain()
    it_is("2027-01-05 07:00")
    house.drain()
    assert (house.fate(id_)[0], heard(house)) == ("sent", ["news"])


def test_new_hours_count_at_once(house: House) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    tell(house, noy, "news")
    house.drain()
    mark(house, noy, quiet_from=0, quiet_until=0)
    release(house, noy)
    house.drain()
    assert heard(house) == ["news"]


def test_what_expires_while_it_waits_is_not_said(house: House) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    id_ = tell(house, noy, "today", expires_at=clock.now() + HOUR)
    house.drain()
    it_is("2027-01-05 07:00")
    house.drain()
    assert (house.fate(id_), heard(house)) == (("dropped", "expired"), [])


# Pauses -----------------------------------------------------------------------------------------


def test_a_pause(house: House) -> None:
    it_is("2027-01-04 10:00")
    noy = somebody(house)
    mark(house, noy, paused_until=clock.now() + 3 * DAY)
    id_ = tell(house, noy, "news")
    house.say(noy, "an answer")
    house.drain()
    assert (house.fate(id_), heard(house)) == (("held", "paused"), ["an answer"])
    clock.move(2 * DAY)
    house.drain()
    assert heard(house) == []
    clock.move(DAY + HOUR)
    house.drain()
    assert heard(house) == ["news"]


def test_back_early(house: House) -> None:
    it_is("2027-01-04 10:00")
    noy, dara = somebody(house), somebody(house)
    for each in (noy, dara):
        mark(house, each, paused_until=FOR_GOOD)
        tell(house, each, f"news for {each[1]}")
    house.drain()
    mark(house, noy, paused_until=None)
    release(house, noy)
    house.drain()
    assert heard(house) == [f"news for {noy[1]}"]


def test_a_pause_that_ended_elsewhere_is_noticed(house: House) -> None:
    """Whoever ends it, and whatever crosses it: what waits is looked at again within a day."""
    it_is("2027-01-04 10:00")
    noy = somebody(house)
    mark(house, noy, paused_until=FOR_GOOD)
    id_ = tell(house, noy, "news")
    house.drain()
    assert due_at(house, id_) <= clock.now() + LOOKED_AT
    mark(house, noy, paused_until=None)
    clock.move(LOOKED_AT)
    house.drain()
    assert heard(house) == ["news"]


def test_the_end_of_a_pause_in_the_night(house: House) -> None:
    it_is("2027-01-04 10:00")
    noy = somebody(house)
    mark(house, noy, paused_until=clock.now() + 12 * HOUR)
    id_ = tell(house, noy, "news")
    house.drain()
    clock.move(12 * HOUR)
    house.drain()
    assert (house.fate(id_), heard(house)) == (("held", "quiet"), [])


# Paces ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pace", "is_wide", "kind", "fate"),
    [
        ("concerns", True, "thread", ("dropped", "pace")),
        ("concerns", True, "broadcast", ("dropped", "pace")),
        ("concerns", False, "thread", ("sent", None)),
        ("muted", True, "thread", ("dropped", "pace")),
        ("muted", False, "thread", ("dropped", "pace")),
        ("muted", True, "safety", ("sent", None)),
        ("muted", False, "direct", ("sent", None)),
        ("at_once", True, "broadcast", ("sent", None)),
    ],
)
def test_what_is_not_wanted(
    house: House, pace: str, is_wide: bool, kind: str, fate: tuple[str, str | None]
) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    set_pace(house, noy, where, pace)
    id_ = tell(house, noy, "news", kind, community_id=where.id, wide=is_wide)
    house.drain()
    assert house.fate(id_) == fate


def test_another_community_is_not_muted(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    loud, other = house.community(noy), house.community(noy)
    set_pace(house, noy, loud, "muted")
    wide(house, loud, "loud")
    wide(house, other, "other")
    tell(house, noy, "of no community")
    house.drain()
    assert sorted(heard(house)) == ["of no community", "other"]


# Doubts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["thread", "session", "broadcast", "safety"])
def test_a_doubted_address_hears_only_answers(house: House, kind: str) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    doubt(house, noy)
    id_ = tell(house, noy, "news", kind)
    house.say(noy, "an answer")
    house.drain()
    assert (house.fate(id_), heard(house)) == (("held", "doubt"), ["an answer"])


def test_a_doubt_looked_at_often_poisons_nothing(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    doubt(house, noy)
    id_ = tell(house, noy, "news")
    for _number in range(ATTEMPTS + 2):
        house.drain()
        house.now(lambda db: waiting.release(db, noy[0], clock.now()))
    house.now(lambda db: db.execute(update(models.addresses).values(doubted_at=None)))
    house.drain()
    assert (house.fate(id_)[0], heard(house)) == ("sent", ["news"])


# The truth about it -----------------------------------------------------------------------------


def count(house: House, audience: Audience) -> Reach:
    windows = {LANE: DAY}
    return house.now(lambda db: reach.count(db, audience, windows, clock.now()))  # type: ignore[no-any-return]


def test_the_figures_are_what_happens(house: House) -> None:
    it_is("2027-01-05 10:00")
    paces = ("at_once", "daily", "weekly", "concerns", "muted")
    people = [somebody(house) for _ in paces]
    where = house.community(*people)
    for who, pace in zip(people, paces, strict=True):
        set_pace(house, who, where, pace)
    assert count(house, where) == Reach(now=1, waits=2, spared=2)
    assert count(house, where).all == 3
    id_ = wide(house, where)
    house.drain()
    fates = [state for state, _reason in house.fates(id_)]
    assert fates == ["sent", "held", "held", "dropped", "dropped"]
    mark(house, people[0], paused_until=FOR_GOOD)
    assert count(house, where) == Reach(waits=3, spared=2)


def test_figures_at_night(house: House) -> None:
    it_is("2027-01-05 22:00")
    people = [
        somebody(house),
        somebody(house, discreet=True),
        somebody(house, quiet_from=0, quiet_until=0),
        house.member(timezone="Europe/Berlin"),
        house.member(timezone="Europe/Berlin", discreet=True),
        house.member(),
    ]
    where = house.community(*people)
    assert count(house, where) == Reach(now=3, noticed=1, waits=2)
    doubt(house, people[2])
    assert count(house, where) == Reach(now=2, noticed=1, waits=2, later=1)


def test_figures_of_those_who_follow_a_thread(house: House) -> None:
    it_is("2027-01-05 10:00")
    people = [somebody(house) for _ in range(4)]
    where = house.community(*people)

    def work(db: Any) -> int:
        found = db.execute(
            models.threads.insert()
            .values(
                number=101, community_id=where.id, state="asked", created_at=clock.now(),
                asker_id=people[0][1],
            )
            .returning(models.threads.c.id)
        ).scalar_one()  # fmt: skip
        rows = [{"thread_id": found, "member_id": each[1], "created_at": clock.now()}
                for each in people]  # fmt: skip
        db.execute(models.follows.insert(), rows)
        return found  # type: ignore[no-any-return]

    followers = Audience("followers", house.now(work))
    for who, pace in zip(people, ("at_once", "daily", "concerns", "muted"), strict=True):
        set_pace(house, who, where, pace)
    assert count(house, followers) == Reach(now=3, spared=1)


def test_what_goes_to_a_focal_point_waits_for_no_night(house: House) -> None:
    it_is("2027-01-05 22:00")
    noy = somebody(house)
    where = house.community(noy)

    def appoint(db: Any) -> None:
        communities.appoint(db, noy[1], where.id, clock.now(), "focal_point")

    house.now(appoint)
    mark(house, noy, paused_until=FOR_GOOD)
    set_pace(house, noy, where, "muted")
    assert count(house, Audience("focal_points", where.id)) == Reach(now=1)
    id_ = house.tell(Audience("focal_points", where.id), "help", "safety", community_id=where.id)
    house.drain()
    assert house.fate(id_)[0] == "sent"


# Leaving ----------------------------------------------------------------------------------------


def leave(house: House, who: Who, where: Audience) -> bool:
    return house.now(lambda db: presence.leave(db, who[1], where.id))  # type: ignore[no-any-return]


def test_after_leaving_nothing_comes_and_a_code_gives_its_own_role(house: House) -> None:
    it_is("2027-01-05 22:00")
    noy = somebody(house)
    where = house.community(noy)
    house.now(lambda db: communities.appoint(db, noy[1], where.id, clock.now()))
    set_pace(house, noy, where, "daily")
    id_ = wide(house, where)
    house.drain()
    assert leave(house, noy, where)
    assert not leave(house, noy, where)
    it_is("2027-01-06 09:00")
    house.now(lambda db: digests.make_due(db, clock.now()))
    house.drain()
    assert (house.fate(id_), heard(house)) == (("dropped", "left"), [])

    def back(db: Any, role: str) -> tuple[str, str]:
        communities.join(db, noy[1], where.id, role, "active", clock.now())
        found = communities.find_membership(db, noy[1], where.id)
        assert found is not None
        return found.role, found.pace

    assert house.now(lambda db: back(db, "member")) == ("member", "at_once")
    assert house.now(lambda db: back(db, "facilitator")) == ("facilitator", "at_once")
    assert house.now(lambda db: back(db, "member"))[0] == "facilitator"  # while she is in


def test_a_role_given_to_somebody_who_has_left_is_not_had_with_a_members_code(house: House) -> None:
    noy = house.member()
    where = house.community(noy)
    leave(house, noy, where)

    def work(db: Any) -> str:
        communities.appoint(db, noy[1], where.id, clock.now())
        communities.join(db, noy[1], where.id, "member", "active", clock.now())
        found = communities.find_membership(db, noy[1], where.id)
        assert found is not None
        return found.role

    assert house.now(work) == "member"


def test_what_she_follows_there_is_over_and_elsewhere_not(house: House) -> None:
    noy = house.member()
    places = [house.community(noy), house.community(noy)]

    def follow(db: Any) -> None:
        for number, where in enumerate(places, 101):
            db.execute(
                models.threads.insert().values(
                    id=number, number=number, community_id=where.id, state="asked",
                    created_at=clock.now(),
                )
            )  # fmt: skip
            row = {"thread_id": number, "member_id": noy[1], "created_at": clock.now()}
            db.execute(models.follows.insert(), row)

    house.now(follow)
    leave(house, noy, places[0])
    followed = select(models.follows.c.thread_id)
    assert house.now(lambda db: list(db.execute(followed).scalars())) == [102]


def test_the_only_facilitator(house: House) -> None:
    noy, dara = house.member(), house.member()
    where = house.community(noy, dara)

    def alone(db: Any) -> bool:
        return presence.is_only_facilitator(db, noy[1], where.id)

    assert not house.now(alone)
    house.now(lambda db: communities.appoint(db, noy[1], where.id, clock.now()))
    assert house.now(alone)
    house.now(lambda db: communities.appoint(db, dara[1], where.id, clock.now()))
    assert not house.now(alone)


def test_a_reminder_now_and_then(house: House) -> None:
    noy = house.member()

    def remind(db: Any) -> bool:
        return tallies.take(db, "stopped", noy[1], 1, presence.REMINDED, clock.now())

    assert [house.now(remind) for _ in range(3)] == [True, False, False]
    clock.move(presence.REMINDED + timedelta(minutes=1))
    assert [house.now(remind) for _ in range(2)] == [True, False]
    house.now(lambda db: tallies.forget(db, "stopped", noy[1]))
    assert house.now(remind)
    rows = select(func.count()).select_from(models.tallies)
    assert house.now(lambda db: db.execute(rows).scalar_one()) == 1
