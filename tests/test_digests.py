"""Digests: what is gathered comes as one message, once, whole, and says nothing that was hidden."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import clock, digests, models
from bot.channels import TryLater
from bot.i18n import units
from bot.messages import Inbound, Ref
from bot.posting import answer, question
from bot.store import audiences, copies, posts, reach, threads, waiting
from bot.store import messages as outbox
from bot.store.audiences import Audience
from bot.timing import FOR_GOOD, MOST_UNASKED
from tests.test_attention import it_is, mark, set_pace, somebody, wide
from tests.test_planning import DAY, NOTICE, Showcase, Who
from tests.test_sender import LANE, LATER, House

HOUR = timedelta(hours=1)


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    found = House(database_url, Showcase(text=1600))
    yield found
    found.close()


def heard(house: House) -> list[str]:
    """All that was said until now."""
    return list(house.provider.taken)


def tick(house: House) -> int:
    """The job, then the sender."""
    looked = int(house.now(lambda db: digests.make_due(db, clock.now())))
    house.drain()
    return looked


def asked(house: House, who: Who, where: Audience, words: str) -> tuple[int, int]:
    """She asks it to all: (post, message)."""

    def work(db: Any) -> tuple[int, int]:
        now = clock.now()
        inbound = Inbound(LANE, f"k{words}", ("x",), text=words)
        post_id = posts.add(db, who[1], inbound, now, kind="question")
        thread = threads.add(db, where.id, who[1], now)
        post = posts.get(db, post_id)
        body = question(thread, post)
        message_id = outbox.add(db, f"q{post_id}", "thread", body, now, where.id, wide=True)
        assert message_id is not None
        audience = Audience("community", where.id, but=(who[1],))
        audiences.tell(db, message_id, "thread", audience, now)
        posts.mark(
            db,
            post_id,
            state="live",
            thread_id=thread.id,
            community_id=where.id,
            message_id=message_id,
        )
        return post_id, message_id

    return house.now(work)  # type: ignore[no-any-return]


def answered(house: House, who: Who, question_id: int, words: str, *, helpful: bool) -> int:
    def work(db: Any) -> int:
        now = clock.now()
        thread = threads.get(db, posts.get(db, question_id).thread_id or 0)
        inbound = Inbound(LANE, f"k{words}", ("x",), text=words)
        post_id = posts.add(db, who[1], inbound, now, kind="answer", state="live")
        body = answer(thread, posts.get(db, post_id), question_id)
        message_id = outbox.add(db, f"a{post_id}", "thread", body, now, thread.community_id)
        assert message_id is not None
        posts.mark(
            db,
            post_id,
            thread_id=thread.id,
            community_id=thread.community_id,
            message_id=message_id,
        )
        threads.follow(db, thread, who[1], now)
        if helpful:
            posts.mark_helpful(db, post_id, now)
        return post_id

    return house.now(work)  # type: ignore[no-any-return]


def folded(house: House) -> list[tuple[int, int | None]]:
    wanted = select(models.deliveries.c.message_id, models.deliveries.c.folded_id).where(
        models.deliveries.c.state == "folded"
    )
    return house.now(lambda db: [tuple(row) for row in db.execute(wanted)])  # type: ignore[no-any-return]


def unasked(house: House, who: Who) -> int:
    wanted = select(models.members.c.unasked).where(models.members.c.id == who[1])
    return house.now(lambda db: db.execute(wanted).scalar_one())  # type: ignore[no-any-return]


# At her pace ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pace", "comes"), [("daily", "2027-01-06 08:00"), ("weekly", "2027-01-11 08:00")]
)
def test_what_is_gathered_comes_as_one(house: House, pace: str, comes: str) -> None:
    it_is("2027-01-05 10:00")
    noy, dara = somebody(house), somebody(house, name="Dara")
    where = house.community(noy, dara)
    set_pace(house, noy, where, pace)
    first = asked(house, dara, where, "Who sells online already?")[1]
    second = wide(house, where, "The office moves.", "broadcast")
    house.drain()
    assert heard(house) == ["The office moves."]  # Dara's
    assert house.fates(first) == [("held", "gathered")]
    it_is(comes)
    clock.move(-timedelta(minutes=1))
    assert (tick(house), len(heard(house))) == (0, 1)
    clock.move(timedelta(minutes=1))
    assert tick(house) == 1
    [digest] = heard(house)[1:]
    assert "Q101, Dara asks: Who sells online already?" in digest
    assert "The office moves." in digest
    assert {message for message, _into in folded(house)} == {first, second}
    assert (tick(house), len(heard(house))) == (0, 2)


def test_nothing_new_is_no_digest(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    house.now(lambda db: digests.look_again(db, noy[1], clock.now()))
    for _day in range(3):
        clock.move(DAY)
        assert tick(house) == 1
    assert heard(house) == []


def test_after_an_outage_one_comes_and_not_one_for_each_day(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    wide(house, where)
    house.drain()
    it_is("2027-01-09 11:00")
    assert [tick(house) for _ in range(3)] == [1, 0, 0]
    assert len(heard(house)) == 1
    clock.move(-2 * DAY)  # the clock is put back: nothing is said again
    wide(house, where, "later")
    assert tick(house) == 0
    it_is("2027-01-10 08:00")
    assert tick(house) == 1
    assert len(heard(house)) == 2
    assert "news" not in heard(house)[1]


def test_the_hour_that_is_put_forward(house: House) -> None:
    """08:00 is 08:00 there, in winter and in summer."""
    it_is("2027-03-27 09:00", "Europe/Berlin")
    noy = house.member(timezone="Europe/Berlin")
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    wide(house, where)
    house.drain()
    it_is("2027-03-28 07:59", "Europe/Berlin")
    assert tick(house) == 0
    it_is("2027-03-28 08:00", "Europe/Berlin")
    assert (tick(house), len(heard(house))) == (1, 1)


def test_what_was_answered_and_what_helped(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy, dara, mali = somebody(house), somebody(house), somebody(house)
    where = house.community(noy, dara, mali)
    set_pace(house, noy, where, "daily")
    house.now(lambda db: digests.look_again(db, noy[1], clock.now()))
    one, _message = asked(house, dara, where, "Who sells online already?")
    two, _message = asked(house, dara, where, "Where is good cotton?")
    house.drain()
    it_is("2027-01-06 08:00")
    tick(house)
    clock.move(HOUR)
    answered(house, mali, one, "We do.", helpful=False)
    answered(house, mali, one, "Every Friday.", helpful=False)
    answered(house, mali, two, "At the river.", helpful=True)
    it_is("2027-01-07 08:00")
    tick(house)
    last = heard(house)[-1]
    assert "Q101 has 2 new answers: Who sells online already?" in last
    assert "Q102, what helped: At the river." in last
    assert "asks" not in last
    count = len(heard(house))
    clock.move(DAY)
    tick(house)
    assert len(heard(house)) == count


# What is in it ----------------------------------------------------------------------------------


def test_what_is_hidden_is_not_in_it(house: House) -> None:
    """Before it is made, and after that as long as it has not left."""
    it_is("2027-01-05 10:00")
    noy, dara = somebody(house), somebody(house)
    where = house.community(noy, dara)
    set_pace(house, noy, where, "daily")
    hidden = [asked(house, dara, where, words) for words in ("early", "late", "retried")]
    asked(house, dara, where, "stays")
    house.drain()

    def hide(number: int) -> None:
        post_id, message_id = hidden[number]
        house.now(lambda db: posts.hide(db, post_id))
        house.now(lambda db: copies.keep_back(db, message_id, "taken_back"))

    hide(0)
    it_is("2027-01-06 08:00")
    house.now(lambda db: digests.make_due(db, clock.now()))
    hide(1)
    house.provider.answers.append(TryLater("429", LATER))
    house.drain()  # it was frozen with "retried", and refused
    assert "retried" in house.provider.said[-1].text  # type: ignore[union-attr]
    hide(2)
    clock.move(HOUR)
    house.drain()
    last = heard(house)[-1]
    assert "stays" in last
    assert not {"early", "late", "retried", "(taken back)"} & set(last.split())


def test_nothing_is_left_to_say(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy, dara = somebody(house), somebody(house)
    where = house.community(noy, dara)
    set_pace(house, noy, where, "daily")
    post_id, _message = asked(house, dara, where, "gone")
    house.drain()
    it_is("2027-01-06 08:00")
    house.now(lambda db: digests.make_due(db, clock.now()))
    house.now(lambda db: posts.hide(db, post_id))
    house.drain()
    assert heard(house) == []
    assert folded(house) != []


@pytest.mark.parametrize("words", ["How? " * 60, "ເຮັດແນວໃດ " * 60, "ស្ត្រី" * 90])
def test_it_is_one_bubble(house: House, words: str) -> None:
    it_is("2027-01-05 10:00")
    noy, dara = somebody(house), somebody(house)
    where = house.community(noy, dara)
    set_pace(house, noy, where, "daily")
    for number in range(20):
        asked(house, dara, where, f"{number} {words}")
    house.drain()
    it_is("2027-01-06 08:00")
    tick(house)
    [digest] = heard(house)
    assert units(digest) <= 1600
    assert all(f"Q{number}" in digest for number in range(101, 121))  # the rest by its number


def test_two_communities_are_two_digests_and_one_summary(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    places = [house.community(noy), house.community(noy)]
    for where in places:
        set_pace(house, noy, where, "daily")
        wide(house, where, f"news of {where.id}")
    house.drain()
    ids = house.now(lambda db: list(db.execute(select(models.deliveries.c.id)).scalars()))
    summary = house.now(lambda db: digests.compose(db, ids))
    assert [len(each.lines) for each in summary.listings] == [1, 1]
    it_is("2027-01-06 08:00")
    tick(house)
    assert len(heard(house)) == 2


def test_a_quote_of_a_digest_of_one_is_about_that_one(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy, dara = somebody(house), somebody(house)
    where = house.community(noy, dara)
    _post, message_id = asked(house, dara, where, "Who sells online?")
    ids = house.now(
        lambda db: list(
            db.execute(
                select(models.deliveries.c.id).where(models.deliveries.c.message_id == message_id)
            ).scalars()
        )
    )
    found = house.now(lambda db: digests.compose(db, ids))
    assert found.subject == Ref("threads", found.subject.id)
    assert house.now(lambda db: digests.compose(db, [])) is None


# Whom it is for ---------------------------------------------------------------------------------


def test_a_discreet_phone_hears_the_notice_then_the_whole(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house, discreet=True)
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    wide(house, where, "one")
    wide(house, where, "two")
    house.drain()
    assert heard(house) == []
    it_is("2027-01-06 08:00")
    tick(house)
    assert heard(house) == [NOTICE]
    wide(house, where, "three")
    it_is("2027-01-07 08:00")
    tick(house)
    waiting = select(models.deliveries).where(models.deliveries.c.reason == "discreet")
    assert len(house.now(lambda db: db.execute(waiting).all())) == 1  # one digest for both days
    assert all(into == max(i or 0 for _m, i in folded(house)) for _m, into in folded(house))


@pytest.mark.parametrize("became", ["left", "stopped", "muted", "concerns"])
def test_who_does_not_want_it_any_more(house: House, became: str) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    id_ = wide(house, where)
    house.drain()
    if became == "left":
        leaving = update(models.memberships).values(state="left")
        house.now(lambda db: db.execute(leaving))
    elif became == "stopped":
        mark(house, noy, state="stopped")
    else:
        set_pace(house, noy, where, became)
    it_is("2027-01-06 08:00")
    tick(house)
    assert (house.fate(id_)[0], heard(house)) == ("dropped", [])


def test_paused_meanwhile(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    wide(house, where)
    house.drain()
    mark(house, noy, paused_until=FOR_GOOD)
    for _day in range(3):
        clock.move(DAY)
        tick(house)
    assert heard(house) == []
    mark(house, noy, paused_until=None)
    house.now(lambda db: digests.look_again(db, noy[1], clock.now(), gathered_too=True))
    house.drain()
    assert len(heard(house)) == 1


def test_at_once_again(house: House) -> None:
    """A few come as themselves, more as one."""
    it_is("2027-01-05 10:00")
    for many, bubbles in ((2, 2), (5, 1)):
        noy = somebody(house)
        where = house.community(noy)
        set_pace(house, noy, where, "daily")
        for number in range(many):
            wide(house, where, f"news {number}")
        house.drain()
        before = len(heard(house))
        set_pace(house, noy, where, "at_once")
        house.now(lambda db, who=noy: digests.look_again(db, who[1], clock.now()))
        house.drain()
        assert len(heard(house)) - before == bubbles


# A night, a pause -------------------------------------------------------------------------------


@pytest.mark.parametrize(("many", "bubbles"), [(1, 1), (3, 3), (4, 1), (30, 1)])
def test_what_piled_up_in_the_night(house: House, many: int, bubbles: int) -> None:
    it_is("2027-01-04 22:00")
    noy = somebody(house)
    where = house.community(noy)
    for number in range(many):
        wide(house, where, f"news {number}")
    mine = house.tell(Audience("member", noy[1]), "an answer to you", "thread")
    house.drain()
    assert heard(house) == []
    it_is("2027-01-05 07:00")
    tick(house)
    assert house.fate(mine)[0] == "sent"
    assert len(heard(house)) == bubbles + 1
    assert "an answer to you" in heard(house)


# The cap ----------------------------------------------------------------------------------------


def test_the_cap(house: House) -> None:
    it_is("2027-01-05 10:00")  # a Tuesday
    noy = somebody(house)
    places = [house.community(noy), house.community(noy)]
    ids = [wide(house, places[number % 2], f"news {number}") for number in range(9)]
    house.drain()
    assert [house.fate(id_)[1] for id_ in ids[7:]] == ["cap", "cap"]
    assert (len(heard(house)), unasked(house, noy)) == (7, 7)
    mine = house.tell(Audience("member", noy[1]), "for you", "thread")
    house.drain()
    assert (house.fate(mine)[0], unasked(house, noy)) == ("sent", 7)
    it_is("2027-01-06 08:00")
    tick(house)
    assert len(heard(house)) == 8 + 2  # one digest a community, whatever the number
    assert unasked(house, noy) == 7
    it_is("2027-01-11 07:30")  # Monday
    wide(house, places[0], "a new week")
    house.drain()
    assert (heard(house)[-1], unasked(house, noy)) == ("a new week", 1)


def test_the_last_places_are_for_questions(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    kinds = ["broadcast"] * 6 + ["session"] * 2 + ["thread"] * 2
    ids = [wide(house, where, f"{n}", kind) for n, kind in enumerate(kinds)]
    for _number, id_ in enumerate(ids):
        house.drain()
        assert id_
    fates = {kind: [] for kind in MOST_UNASKED}  # type: ignore[var-annotated]
    for kind, id_ in zip(kinds, ids, strict=True):
        fates[kind].append(house.fate(id_)[0])
    # Said in the order of their urgency: threads, sessions, broadcasts.
    assert fates == {
        "thread": ["sent"] * 2,
        "session": ["sent"] * 2,
        "broadcast": ["sent"] + ["held"] * 5,
    }


def test_the_cap_in_the_figures(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy, dara = somebody(house), somebody(house)
    where = house.community(noy, dara)
    mark(house, noy, unasked=7, week=20820)  # the Monday before

    def waits(kind: str) -> int:
        found = house.now(lambda db: reach.count(db, where, {}, clock.now(), kind))
        return int(found.waits)

    monday = (clock.now() - DAY).date().toordinal() - 719163
    mark(house, noy, unasked=5, week=monday)
    assert (waits("broadcast"), waits("thread")) == (1, 0)
    mark(house, noy, unasked=7, week=monday)
    assert (waits("broadcast"), waits("thread")) == (1, 1)
    mark(house, noy, unasked=7, week=monday - 7)
    assert (waits("broadcast"), waits("thread")) == (0, 0)


# Twice, at once, killed -------------------------------------------------------------------------


def test_two_processes_make_it_once(house: House) -> None:
    it_is("2027-01-05 10:00")
    people = [somebody(house) for _ in range(12)]
    where = house.community(*people)
    for who in people:
        set_pace(house, who, where, "daily")
    wide(house, where)
    house.drain()
    it_is("2027-01-06 08:00")
    crowd = [
        threading.Thread(target=lambda: house.now(lambda db: digests.make_due(db, clock.now())))
        for _ in range(4)
    ]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    house.drain()
    assert len(heard(house)) == len(people)
    assert len(folded(house)) == len(people)


def test_killed_in_between(house: House) -> None:
    """All of it or nothing: what was not committed is made at the next look."""
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    wide(house, where)
    house.drain()
    it_is("2027-01-06 08:00")

    class Killed(Exception):
        pass

    def dies(db: Any) -> None:
        digests.make_due(db, clock.now())
        raise Killed

    with pytest.raises(Killed):
        house.now(dies)
    assert folded(house) == []
    assert (tick(house), len(heard(house))) == (1, 1)


def test_she_writes_and_what_is_gathered_stays_gathered(house: House) -> None:
    it_is("2027-01-05 10:00")
    noy = somebody(house)
    where = house.community(noy)
    set_pace(house, noy, where, "daily")
    id_ = wide(house, where)
    house.drain()
    house.now(lambda db: waiting.release(db, noy[0], clock.now()))
    house.drain()
    assert (house.fate(id_), heard(house)) == (("held", "gathered"), [])
