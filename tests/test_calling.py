"""Calling: who may come hears of a session once; whoever is concerned, that it is another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot import clock, models
from bot.db import Database
from bot.messages import Message, refs_of
from bot.sessions import calling, links, recurring
from bot.store import audiences, hosts, messages, secrets, sessions
from handlers import changes
from tests.weeks import World

HERE = "Asia/Vientiane"
THURSDAY = datetime(2027, 1, 7, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class House(World):
    """A world in which sessions are planned; what is due is sent when the test says so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.at("2027-01-04 03:00")
        self.place = self.community("weavers", HERE)

    def session(self, host: int | None = None, **more: Any) -> int:
        values = {"community_id": self.place, "title": "Stock lists", "timezone": HERE}
        wanted: dict[str, Any] = values | {"starts_at": THURSDAY, "host_id": host} | more
        return int(self.run(lambda db: sessions.add(db, clock.now(), **wanted)))

    def call(self, id_: int) -> int | None:
        found: int | None = self.run(lambda db: calling.call(db, clock.now(), id_))
        return found

    def answer(self, id_: int, member: int, answer: str) -> None:
        row = {"session_id": id_, "member_id": member, "answer": answer}
        self.run(
            lambda db: db.execute(insert(models.signups).values(row | {"created_at": clock.now()}))
        )

    def move(self, id_: int, by: timedelta, *, but: tuple[int, ...] = ()) -> None:
        def work(db: Any) -> None:
            before = sessions.get(db, id_).starts_at
            sessions.change(db, id_, clock.now(), starts_at=before + by)
            calling.moved(db, clock.now(), id_, before, but)

        self.run(work)

    def change(self, id_: int, **values: Any) -> None:
        def work(db: Any) -> None:
            sessions.change(db, id_, clock.now(), **values)
            calling.changed(db, clock.now(), id_, list(values))

        self.run(work)

    def cancel(self, id_: int) -> None:
        def work(db: Any) -> None:
            sessions.change(db, id_, clock.now(), state="cancelled", reason="Rain")
            calling.cancelled(db, clock.now(), id_)

        self.run(work)

    def send(self, *but: int) -> None:
        """To all but those for whom it is night."""
        self.deliver()
        found = models.deliveries
        sent = update(found).where(found.c.state == "queued", found.c.member_id.not_in(but))
        self.run(lambda db: db.execute(sent.values(state="sent")))

    def lines(self, member: int) -> list[str]:
        """Of the last message on her phone."""
        found = models.deliveries
        last = select(found.c.message_id).where(found.c.member_id == member)
        statement = last.where(found.c.state == "sent").order_by(found.c.id.desc())

        def work(db: Any) -> list[str]:
            said = messages.find(db, db.execute(statement).scalars().first())
            assert said is not None
            return [each.msgid for each in said.paragraphs]

        told: list[str] = self.run(work)
        return told

    def heard(self) -> dict[int, list[str]]:  # type: ignore[override]
        """How what stands on each phone begins, in order."""
        found = models.deliveries
        statement = select(found.c.member_id, found.c.message_id).where(found.c.state == "sent")
        heard: dict[int, list[str]] = {}

        def work(db: Any) -> None:
            for member, message_id in db.execute(statement.order_by(found.c.id)):
                said = messages.find(db, message_id)
                assert said is not None
                heard.setdefault(member, []).append(said.paragraphs[0].msgid.split(":")[0])

        self.run(work)
        return heard


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    database = Database(database_url)
    database.run_now(secrets.open_store)
    yield House(database)
    clock.reset()
    database.close()


CALL = "{name} invites you in {community}"
INVITED = "{name} invites you"
MOVED, CHANGED, OFF = "Another time", "Changed", "It does not take place"


def test_everybody_is_called_once_but_the_host(house: House) -> None:
    other = house.community("dyers", HERE)
    host, one, both = house.member(house.place), house.member(house.place), 0
    both = house.member(house.place, other)
    gone = house.member(house.place, state="stopped")
    id_ = house.session(host, for_communities=[other])
    assert house.call(id_) is not None
    assert house.call(id_) is None
    house.send()
    assert house.call(id_) is None
    everybody = house.heard()
    assert sorted(everybody) == [one, both] and gone not in everybody
    assert [len(each) for each in everybody.values()] == [1, 1]


def test_who_has_answered_is_not_called(house: House) -> None:
    host, asked = house.member(house.place), house.member(house.place)
    id_ = house.session(host)
    house.answer(id_, asked, "invited")  # told by whoever asked her
    house.call(id_)
    house.send()
    assert house.heard() == {}


def test_a_moved_session_is_told_to_each_as_she_knows_it(house: House) -> None:
    host, yes, no, silent, sleeps = (house.member(house.place) for _number in range(5))
    id_ = house.session(host)
    house.call(id_)
    house.send(sleeps)
    house.answer(id_, yes, "yes")
    house.answer(id_, no, "no")
    house.move(id_, HOUR, but=(host,))
    house.send()
    assert house.heard() == {
        yes: [CALL, MOVED],
        no: [CALL],  # it is nothing to her
        silent: [CALL, MOVED],
        sleeps: [CALL],  # once, with the new hour
    }


def test_what_was_moved_twice_before_it_was_read_is_told_once(house: House) -> None:
    host, yes, sleeps = (house.member(house.place) for _number in range(3))
    id_ = house.session(host)
    house.call(id_)
    house.send(sleeps)
    house.answer(id_, yes, "yes")
    for _number in range(3):
        house.move(id_, HOUR)
    house.send()
    assert house.heard() == {host: [MOVED], yes: [CALL, MOVED], sleeps: [CALL]}


def test_who_never_heard_of_it_does_not_hear_that_it_is_off(house: House) -> None:
    host, maybe, waits, silent, sleeps = (house.member(house.place) for _number in range(5))
    id_ = house.session(host)
    house.call(id_)
    house.send(sleeps)
    house.answer(id_, maybe, "maybe")
    house.answer(id_, waits, "waiting")
    house.move(id_, HOUR)
    house.cancel(id_)
    house.send()
    assert house.heard() == {
        host: [OFF],
        maybe: [CALL, OFF],
        waits: [CALL, OFF],
        silent: [CALL, OFF],
    }


def test_only_those_who_come_hear_of_another_place(house: House) -> None:
    host, notes, yes, silent = (house.member(house.place) for _number in range(4))
    id_ = house.session(host, note_taker_id=notes)
    house.call(id_)
    house.send()
    house.answer(id_, yes, "yes")
    house.answer(id_, notes, "yes")
    house.change(id_, place="The library")
    house.change(id_, minutes=90)
    house.send()
    assert house.heard() == {
        host: [CHANGED],
        notes: [CALL, CHANGED],
        yes: [CALL, CHANGED],
        silent: [CALL],
    }
    house.change(id_, reminders=[60])  # tells nobody anything
    house.send()
    assert len(house.heard()[yes]) == 2


def test_every_change_is_told(house: House) -> None:
    host, yes = house.member(house.place), house.member(house.place)
    id_ = house.session(host)
    house.call(id_)
    house.send()
    house.answer(id_, yes, "yes")
    for spoken in (["lo"], ["km"], ["lo", "km"]):
        house.change(id_, languages=spoken)
        house.send()
    assert house.heard()[yes] == [CALL, *[CHANGED] * 3]


def test_what_was_changed_before_it_was_read_is_not_lost(house: House) -> None:
    host, yes, sleeps, silent = (house.member(house.place) for _number in range(4))
    id_ = house.session(host)
    house.call(id_)
    house.send()
    for each in (yes, sleeps):
        house.answer(id_, each, "yes")
    house.change(id_, place="The library")
    house.send(sleeps)
    house.change(id_, languages=["lo"])
    house.send()
    assert {house.heard()[each].count(CHANGED) for each in (host, yes)} == {2}
    assert house.heard()[sleeps] == [CALL, CHANGED], "once"
    assert "Where: {place}" in house.lines(sleeps)
    house.move(id_, HOUR)
    house.send(sleeps, silent)
    house.change(id_, minutes=90)
    house.send()
    # both hear the new hour, also she who never answered
    assert house.heard()[sleeps] == [CALL, CHANGED, CHANGED]
    assert house.heard()[silent] == [CALL, CHANGED]
    assert house.heard()[yes] == [CALL, CHANGED, CHANGED, MOVED, CHANGED]


def test_whoever_may_come_too_takes_nothing_from_the_others(house: House) -> None:
    other = house.community("dyers", HERE)
    host, yes, silent, unasked = (house.member(house.place) for _number in range(4))
    there = house.member(other)
    id_ = house.session(host)
    house.call(id_)
    house.send(unasked)
    house.answer(id_, yes, "yes")
    house.move(id_, HOUR, but=(host,))

    def widen(db: Any) -> None:
        sessions.open_to(db, id_, [house.place, other])
        sessions.change(db, id_, clock.now())
        calling.changed(db, clock.now(), id_, [])

    house.run(widen)
    house.send()
    assert house.heard() == {
        yes: [CALL, MOVED],
        silent: [CALL, MOVED],
        unasked: [INVITED],
        there: [INVITED],
    }


def test_who_was_asked_by_name_alone(house: House) -> None:
    host, asked, sleeps, other = (house.member(house.place) for _number in range(4))
    id_ = house.session(host, scope="invited")
    house.answer(id_, asked, "invited")
    house.answer(id_, sleeps, "invited")
    house.call(id_)
    house.send(sleeps)
    house.move(id_, HOUR, but=(host,))
    house.send()
    assert [len(each) for each in (house.heard()[asked], house.heard()[sleeps])] == [2, 1]
    assert other not in house.heard()


def test_moved_while_many_are_still_being_called(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is still to be told hears the new hour only."""
    monkeypatch.setattr(audiences, "FAN_OUT", 4)
    host = house.member(house.place)
    many = [house.member(house.place) for _number in range(11)]
    id_ = house.session(host)
    house.call(id_)  # the first four; the others are noted
    found = models.deliveries
    house.run(lambda db: db.execute(update(found).values(state="sent")))
    house.move(id_, HOUR, but=(host,))
    house.send()
    heard = house.heard()
    assert sorted(heard) == many
    assert Counter(map(tuple, heard.values())) == {(CALL, MOVED): 4, (CALL,): 7}


@pytest.mark.parametrize("which", ["weavers", "dyers", "nobody"])
def test_nothing_goes_out_of_a_group_that_is_discreet_since(house: House, which: str) -> None:
    """Nor into one: the next one of a row is for those who hold it alone."""
    other = house.community("dyers", HERE)
    host, there = house.member(house.place), house.member(other)
    id_ = house.session(host, every=1, for_communities=[other])
    found = models.communities
    discreet = update(found).where(found.c.slug == which).values(discreet=True)
    house.run(lambda db: db.execute(discreet))
    held = house.run(lambda db: sessions.get(db, id_))
    house.at("2027-01-07 08:30")
    house.run(lambda db: recurring.follow(db, clock.now(), held))
    house.send()
    assert (there in house.heard()) == (which == "nobody")


def test_in_a_discreet_group_nothing_unasked_says_what_it_is_about(house: House) -> None:
    host, notes = house.member(house.place), house.member(house.place)
    id_ = house.session(None, note_taker_id=notes)
    found = models.communities
    house.run(lambda db: db.execute(update(found).values(discreet=True)))
    held = house.run(lambda db: sessions.get(db, id_))
    house.run(lambda db: calling.ask_to_hold(db, clock.now(), held, soon=False))
    with_host = replace(held, host_id=host)
    house.run(lambda db: calling.ask_for_notes(db, clock.now(), with_host))
    house.run(lambda db: calling.without_notes(db, clock.now(), with_host))
    for _id, message in house.run(_said):
        assert "titles" not in {ref.table for ref in refs_of(message)}
        assert f"sessions.show:{id_}" in {each.key for each in message.choices}


def _said(db: Any) -> list[tuple[int, Message]]:
    ids = db.execute(select(models.messages.c.id)).scalars()
    return [(id_, found) for id_ in ids if (found := messages.find(db, id_)) is not None]


def test_who_holds_nothing_any_more(house: House) -> None:
    """Who takes the notes is asked first; when it is soon, or there is nobody, who facilitates."""
    leads = house.member(house.place)
    member = models.memberships
    house.run(
        lambda db: db.execute(
            update(member).where(member.c.member_id == leads).values(role="facilitator")
        )
    )
    host, notes = house.member(house.place), house.member(house.place)
    far = THURSDAY + timedelta(days=30)
    with_notes = house.session(host, note_taker_id=notes, starts_at=far)
    house.session(host, starts_at=far)
    house.session(notes, starts_at=far)  # is held
    house.session(host, starts_at=clock.now() - HOUR)  # has begun
    assert house.run(lambda db: changes.find_hosts.work(db, clock.now())) == {}
    for state in ("left", "active"):
        house.run(
            lambda db, state=state: db.execute(
                update(member).where(member.c.member_id == host).values(state=state)
            )
        )
        if state == "left":
            assert house.run(lambda db: changes.find_hosts.work(db, clock.now())) == {"asked": 2}
    assert house.run(lambda db: changes.find_hosts.work(db, clock.now())) == {}
    house.run(
        lambda db: db.execute(
            update(models.members).where(models.members.c.id == host).values(state="stopped")
        )
    )
    assert house.run(lambda db: changes.find_hosts.work(db, clock.now())) == {}  # asked already
    house.send()
    assert {who: len(said) for who, said in house.heard().items()} == {notes: 1, leads: 1}
    house.at("2027-02-05 01:00")  # it is soon, and still nobody holds it
    assert house.run(lambda db: changes.find_hosts.work(db, clock.now())) == {"asked": 1}
    house.send()
    assert len(house.heard()[leads]) == 2
    assert house.run(lambda db: sessions.get(db, with_notes)).host_id == host


def test_who_took_it_is_lost_too(house: House) -> None:
    host, notes = house.member(house.place), house.member(house.place)
    id_ = house.session(host, note_taker_id=notes, starts_at=THURSDAY + timedelta(days=30))
    for holder in (host, house.member(house.place)):
        house.run(lambda db, holder=holder: sessions.change(db, id_, clock.now(), host_id=holder))
        house.run(lambda db, holder=holder: hosts.leave(db, holder, house.place))
        for asked in ({"asked": 1}, {}):
            assert house.run(lambda db: changes.find_hosts.work(db, clock.now())) == asked
    house.send()
    assert len(house.heard()[notes]) == 2


@pytest.mark.parametrize(
    ("text", "kind", "kept"),
    [
        ("Library, room 2", None, None),
        ("ຫ້ອງສະໝຸດ", None, None),
        ("+856 20 555 555", None, None),
        ("9.30/10.00", None, None),
        ("St. Paul", None, None),
        ("https://meet.google.com/abc", "good", None),
        ("Here: https://zoom.us/j/1?pwd=a, code 5", "good", None),
        ("(https://chat.whatsapp.com/ABC).", "good", None),
        ("meet.google.com/abc", "good", "https://meet.google.com/abc"),
        ("www.zoom.us", "good", "https://www.zoom.us"),
        ("https://ລາວ.la/ກຸ່ມ", "good", None),
        ("http://zoom.us/j/1", "open", None),
        ("https://", "none", None),
        ("https://zoom", "none", None),
        ("https ://zoom.us", "none", None),
        ("htps://zoom.us/x", "none", None),
        ("javascript:alert(1)", "none", None),
        ("https://noy@evil.example/x", "none", None),
        ("https://192.168.1.1/x", "none", None),
        ("https://zoom.us/j/1 ftp://zoom.us", "none", None),
    ],
)
def test_links(text: str, kind: str | None, kept: str | None) -> None:
    assert links.read(text) == (kind, kept or text)


def test_an_unsafe_link_is_offered_with_encryption() -> None:
    assert links.secured("at HTTP://zoom.us/j/1") == "at https://zoom.us/j/1"
