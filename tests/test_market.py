"""The market: who sees what, what meets what, who hears of it how often; and what goes wrong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from bot import clock, library, models
from bot.db import Database
from bot.i18n import render
from bot.sessions import calling, matching
from bot.store import (
    communities,
    meeting,
    members,
    presence,
    secrets,
    sessions,
    signups,
    topics,
)
from bot.store.topics import ASK, CLOSED, DRAFT, OFFER, OPEN, PLANNED, Topic
from tests.stage import Person, Stage
from tests.test_responses import answer, heard
from tests.test_responses import played as responded
from tests.test_roles import set_membership

PLACES = {"weavers": False, "potters": False, "women": True, "youth": True}  # discreet?
INDIGO = "I can show how we dye cotton with indigo"


class World:
    """A store with four groups of one programme and a fifth one of another."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.run = self.database.run_now
        self.run(secrets.open_store)
        self.now = clock.now()
        self.places = self.run(self._settle)

    def _settle(self, db: Any) -> dict[str, int]:
        found = {}
        for programme, slugs in (("one", list(PLACES)), ("two", ["fishers"])):
            row = {"slug": programme, "names": {"en": "P"}, "contact": "x@example.org"}
            made = insert(models.programmes).values(row).returning(models.programmes.c.id)
            programme_id = db.execute(made).scalar_one()
            for slug in slugs:
                discreet = PLACES.get(slug, False)
                about = {"slug": slug, "language": "en", "timezone": "Asia/Vientiane"}
                about |= {"approval": False, "discreet": discreet}
                found[slug] = communities.save_community(db, programme_id, about)
        return found

    def member(self, name: str, *slugs: str, role: str = "member") -> int:
        def work(db: Any) -> int:
            member_id, _address_id = meeting.add_ready(
                db, "simulator/telegram", f"s{name}", self.now, name=name, language="en",
                consent_at=self.now, consent_version="test",
            )  # fmt: skip
            for slug in slugs:
                communities.join(db, member_id, self.places[slug], role, "active", self.now)
            return member_id

        return self.run(work)

    def topic(self, member_id: int, slug: str, text: str, kind: str = OFFER, **values: Any) -> int:
        def work(db: Any) -> int:
            where = self.places[slug]
            found = topics.add(
                db, self.now, community_id=where, member_id=member_id, kind=kind, text=text
            )
            topics.change(db, found, **{"state": OPEN} | values)
            return found

        return self.run(work)

    def find(self, topic_id: int) -> Topic:
        found = self.run(lambda db: topics.find(db, topic_id))
        assert found is not None
        return found

    def seen(self, member_id: int) -> set[int]:
        return {each.id for each in self.run(lambda db: topics.list_for(db, member_id, 1000))}

    def put_up(self, member_id: int, slug: str, text: str, kind: str, **values: Any) -> list[int]:
        id_ = self.topic(member_id, slug, text, kind, state=DRAFT, **values)
        topic = self.find(id_)
        met = self.run(lambda db: matching.put_up(db, self.now, topic, "en"))
        return [each.id for each in met]

    def interest(self, topic_id: int, *member_ids: int) -> None:
        for each in member_ids:
            self.run(lambda db, each=each: self._interest(db, topic_id, each))

    def _interest(self, db: Any, topic_id: int, member_id: int) -> None:
        found = topics.find(db, topic_id)
        assert found is not None
        matching.take_interest(db, self.now, found, member_id)

    def told(self, *member_ids: int) -> int:
        """Messages to them."""
        count = select(func.count()).where(models.deliveries.c.member_id.in_(member_ids))
        return self.run(lambda db: db.execute(count).scalar_one())

    def states(self, member_id: int) -> list[str]:
        hers = models.deliveries.c.member_id == member_id
        return list(
            self.run(lambda db: db.execute(select(models.deliveries.c.state).where(hers)).scalars())
        )

    def session(self, topic_id: int, host_id: int, slug: str = "weavers") -> Any:
        def work(db: Any) -> Any:
            id_ = sessions.add(
                db, self.now, community_id=self.places[slug], title="Indigo",
                starts_at=self.now + timedelta(days=7), timezone="Asia/Vientiane",
                host_id=host_id, topic_id=topic_id,
            )  # fmt: skip
            return sessions.get(db, id_)

        return self.run(work)

    def bring(self, session: Any) -> tuple[int, ...]:
        return self.run(lambda db: matching.bring(db, self.now, session, (), ()))


@pytest.fixture
def world(database_url: str) -> Any:
    found = World(database_url)
    yield found
    found.database.close()


# Who sees what -----------------------------------------------------------------------------------


def test_within_a_group_and_across_them(world: World) -> None:
    noy, dara = world.member("Noy", "weavers"), world.member("Dara", "potters")
    far = world.member("Far", "fishers")
    here = world.topic(noy, "weavers", "Baskets")
    wide = world.topic(noy, "weavers", "Excel", wide=True)
    assert world.seen(noy) == {here, wide}
    assert world.seen(dara) == {wide}, "what is for all groups, and nothing else"
    assert world.seen(far) == set(), "another programme"


def test_nothing_goes_into_a_discreet_group_or_out_of_it(world: World) -> None:
    kea, both = world.member("Kea", "women"), world.member("Both", "women", "weavers")
    noy, mai = world.member("Noy", "weavers"), world.member("Mai", "youth")
    inside = world.topic(kea, "women", "How I hide numbers", wide=True)  # however it came to that
    hers = world.topic(both, "women", "Sewing", wide=True)
    outside = world.topic(noy, "weavers", "Excel", wide=True)
    assert world.seen(kea) == {inside, hers}
    assert world.seen(both) == {inside, hers, outside}
    assert world.seen(noy) == {outside}
    assert world.seen(mai) == set()


def test_what_became_discreet_since_is_not_seen_from_outside(world: World) -> None:
    noy, dara = world.member("Noy", "weavers"), world.member("Dara", "potters")
    wide = world.topic(noy, "weavers", "Excel", wide=True)
    assert world.seen(dara) == {wide}
    place = models.communities.c.slug == "weavers"
    world.run(lambda db: db.execute(update(models.communities).where(place).values(discreet=True)))
    assert world.seen(dara) == set() and world.seen(noy) == {wide}


@pytest.mark.parametrize("seed", range(6))
def test_any_world(world: World, seed: int) -> None:
    """Against the rules in plain words, whoever belongs wherever."""
    chance = random.Random(seed)
    slugs = [*PLACES, "fishers"]
    people: dict[int, dict[str, tuple[str, str]]] = {}
    for number in range(9):
        hers = chance.sample(slugs, chance.randint(0, 3))
        id_ = world.member(f"P{number}", *hers)
        people[id_] = {}
        for slug in hers:
            role = chance.choice(["member", "host", "facilitator", "monitor", "focal_point"])
            state = chance.choice(["active", "active", "active", "waiting", "left"])
            people[id_][slug] = (role, state)
            world.run(
                lambda db, id_=id_, slug=slug, role=role, state=state: db.execute(
                    update(models.memberships)
                    .where(models.memberships.c.member_id == id_)
                    .where(models.memberships.c.community_id == world.places[slug])
                    .values(role=role, state=state)
                )
            )
    stopped = chance.choice(list(people))
    world.run(lambda db: members.mark(db, stopped, state="stopped"))
    put: dict[int, tuple[int, str, bool, str]] = {}
    for _number in range(25):
        owner, slug = chance.choice(list(people)), chance.choice(slugs)
        wide, state = chance.random() < 0.5, chance.choice([OPEN, OPEN, DRAFT, PLANNED, CLOSED])
        put[world.topic(owner, slug, "Words", wide=wide, state=state)] = (owner, slug, wide, state)

    def part(id_: int, slug: str) -> bool:
        role, state = people[id_].get(slug, ("", ""))
        return state == "active" and role in ("member", "host", "facilitator")

    def sees(id_: int, owner: int, slug: str, wide: bool, state: str) -> bool:
        open_to_her = any(part(id_, each) for each, discreet in PLACES.items() if not discreet)
        across = wide and slug != "fishers" and not PLACES[slug] and open_to_her
        across = across or (wide and slug == "fishers" and part(id_, "fishers"))
        stands = state == OPEN and part(owner, slug) and owner != stopped
        return stands and (part(id_, slug) or across)

    for id_ in people:
        assert world.seen(id_) == {each for each, row in put.items() if sees(id_, *row)}, id_


def test_who_has_left_stopped_or_was_erased_offers_nothing(world: World) -> None:
    noy, dara = world.member("Noy", "weavers"), world.member("Dara", "weavers")
    offer = world.topic(dara, "weavers", "Excel")
    world.run(lambda db: members.mark(db, dara, state="stopped"))
    assert world.seen(noy) == set()
    world.run(lambda db: members.mark(db, dara, state="active"))
    assert world.seen(noy) == {offer}
    theirs = models.members.c.id == dara
    world.run(lambda db: db.execute(models.members.delete().where(theirs)))
    assert world.seen(noy) == set() and world.find(offer).member_id is None


# What meets --------------------------------------------------------------------------------------

OFFERS = (
    "I can show how we code stock in Excel",
    "How to make a budget for a small grant",
    "Safe interviewing with survivors: what we ask and what we never ask",
    INDIGO,
    "How to film a short story with a phone",
    "I could show our sign language words",
    "ຂ້ອຍພາເຮັດບັນຊີສາງໃນ Excel ໄດ້",
    "ຂ້ອຍພາຍ້ອມຝ້າຍດ້ວຍສີຄາມໄດ້",
    "ខ្ញុំអាចបង្ហាញពីរបៀបធ្វើបញ្ជីស្តុកក្នុង Excel",
)
ASKS: tuple[tuple[str, int | None], ...] = (
    ("I need to learn safe interviewing", 2),
    ("How do you use Excel for a stock list?", 0),
    ("I would like to learn to write a budget", 1),
    ("Who can show me how to use a phone to film", 4),
    ("We want to learn to dye with indigo", 3),
    ("I need to learn how to talk to village chiefs", None),
    ("I want to learn how to show respect to elders", None),
    ("I have this problem: our members do not come to meetings", None),
    ("ຢາກຮຽນເຮັດບັນຊີສາງ", 6),
    ("ຂ້ອຍຢາກຮຽນຍ້ອມຝ້າຍ", 7),
    ("ຂ້ອຍຢາກຮຽນເວົ້າຕໍ່ໜ້າຄົນ", None),
    ("ចង់រៀនធ្វើបញ្ជីស្តុក", 8),
    ("ខ្ញុំចង់រៀននិយាយនៅមុខមនុស្ស", None),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_asks_meet_the_offers_they_should(world: World) -> None:
    """The best one first, and nothing where there is nothing."""
    noy, dara = world.member("Noy", "weavers"), world.member("Dara", "weavers")
    world.run(lambda db: library.load(db, world.now))
    offers = [world.topic(dara, "weavers", each) for each in OFFERS]
    for text, wanted in ASKS:
        ask = world.find(world.topic(noy, "weavers", text, ASK, state=DRAFT))
        found = world.run(lambda db, ask=ask: matching.find_alike(db, ask, "en"))
        best = [offers.index(each.id) for each in found][:1]
        assert best == ([] if wanted is None else [wanted]), text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_themes_are_guessed_where_they_are_clear(world: World) -> None:
    world.run(lambda db: library.load(db, world.now))
    for text, wanted in (
        ("I can show how we code stock in Excel", "skills"),
        ("ຢາກຮຽນ Excel", "skills"),
        ("How to film a short story with a phone", "stories"),
        ("zzz qqq", None),
    ):
        guess = world.run(lambda db, text=text: matching.guess_theme(db, text, "en"))
        assert guess == wanted, text


def test_every_theme_of_the_library_has_a_name(database_url: str) -> None:
    items = [each for kind in library.FILES for each in library.read(library.folder(), kind)]
    assert {each.theme for each in items} - {"opening"} == set(matching.THEMES)


def test_whoever_offers_hears_of_the_first_ask_and_not_of_the_next(world: World) -> None:
    noy, dara, kham = (world.member(each, "weavers") for each in ("Noy", "Dara", "Kham"))
    offer = world.topic(dara, "weavers", INDIGO)
    assert world.put_up(noy, "weavers", "I need to learn to dye with indigo", ASK) == [offer]
    assert world.put_up(kham, "weavers", "Who shows me to dye with indigo?", ASK) == [offer]
    assert world.told(dara) == 1
    interested = world.run(lambda db: topics.list_interested(db, offer))
    assert interested == sorted([noy, kham]), "both are invited one day"
    assert world.told(noy, kham) == 0


def test_an_ask_that_may_not_be_seen_there_is_not_told_there(world: World) -> None:
    """It is for its own group; the offer is for all of them."""
    noy, dara = world.member("Noy", "potters"), world.member("Dara", "weavers")
    offer = world.topic(dara, "weavers", INDIGO, wide=True)
    assert world.put_up(noy, "potters", "I need to learn to dye with indigo", ASK) == [offer]
    assert world.told(dara) == 0


def test_an_offer_that_meets_asks_is_not_suggested_once_more(world: World) -> None:
    noy, dara, kham = (world.member(each, "weavers") for each in ("Noy", "Dara", "Kham"))
    ask = world.topic(noy, "weavers", "I need to learn to dye with indigo", ASK)
    assert world.put_up(dara, "weavers", INDIGO, OFFER) == [ask], "she is told in this turn"
    world.put_up(kham, "weavers", "Who shows me to dye with indigo?", ASK)
    assert world.told(dara) == 0


def test_nobody_meets_herself(world: World) -> None:
    noy = world.member("Noy", "weavers")
    world.topic(noy, "weavers", INDIGO)
    assert world.put_up(noy, "weavers", "I need to dye with indigo", ASK) == []


# Interest ----------------------------------------------------------------------------------------


def test_the_third_one_counts_whoever_taps_at_the_same_moment(world: World) -> None:
    """Nobody is counted twice, and at three the one who offers hears of it, once."""
    dara = world.member("Dara", "weavers")
    others = [world.member(f"P{number}", "weavers") for number in range(6)]
    for _round in range(4):
        offer = world.topic(dara, "weavers", INDIGO)
        before = world.told(dara)

        def tap(member_id: int, offer: int = offer) -> None:
            world.interest(offer, member_id)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(tap, [*others, *others]))
        assert world.told(dara) == before + 1
        assert len(world.run(lambda db, offer=offer: topics.list_interested(db, offer))) == 6


def test_two_are_not_enough_and_one_of_them_twice_neither(world: World) -> None:
    dara, noy, kham = (world.member(each, "weavers") for each in ("Dara", "Noy", "Kham"))
    offer = world.topic(dara, "weavers", INDIGO)
    world.interest(offer, noy, noy, kham, noy)
    assert world.told(dara) == 0


def test_a_group_is_asked_once_who_could_show_what_several_ask_for(world: World) -> None:
    noy, *others = (world.member(f"P{number}", "weavers") for number in range(7))
    outside = world.member("Outside", "potters")
    ask = world.topic(noy, "weavers", "I need to learn safe interviewing", ASK, wide=True)
    world.interest(ask, *others[:4])
    world.run(lambda db: topics.remove_interest(db, ask, others[0]))
    world.interest(ask, others[0])
    assert world.told(*others[3:]) == 3, "only those who did not ask for it themselves"
    assert world.told(noy, outside, *others[:2]) == 0
    messages = select(models.messages.c.wide, models.messages.c.kind)
    rows = world.run(lambda db: db.execute(messages).all())
    assert [tuple(each) for each in rows] == [(True, "session")], "counted as unasked"


def test_in_a_discreet_group_nobody_is_named(world: World) -> None:
    kea, mai = world.member("Kea", "women"), world.member("Mai", "women")
    for kind in (OFFER, ASK):
        topic = world.find(world.topic(kea, "women", "Sewing", kind))
        said = matching.line(topic, mai)
        assert "name" not in said.params and "Somebody" in said.msgid
        assert "Kea" not in render(said, "en", lambda ref, _language: f"<{ref.table}>")


def test_what_is_taken_back_is_not_suggested_any_more(world: World) -> None:
    dara, noy, kham, mai = (world.member(n, "weavers") for n in ("Dara", "Noy", "Kham", "Mai"))
    offer = world.topic(dara, "weavers", INDIGO)
    world.interest(offer, noy, kham, mai)
    assert world.states(dara) == ["queued"]
    topic = world.find(offer)
    world.run(lambda db: matching.close(db, topic))
    assert world.states(dara) == ["dropped"]
    assert world.find(offer).text == "" and world.seen(noy) == set()


# Its session -------------------------------------------------------------------------------------


def test_those_who_wanted_it_are_asked_by_name_once(world: World) -> None:
    dara, noy, kham = (world.member(each, "weavers") for each in ("Dara", "Noy", "Kham"))
    mai = world.member("Mai", "potters")
    offer = world.topic(dara, "weavers", INDIGO, wide=True)
    world.interest(offer, noy, mai)
    session = world.session(offer, dara)
    assert world.bring(session) == (noy, mai)
    assert world.bring(session) == (), "once"
    assert world.told(noy, mai) == 2 and world.told(dara, kham) == 0
    answers = select(models.signups.c.member_id, models.signups.c.answer)
    rows = world.run(lambda db: db.execute(answers.order_by(models.signups.c.member_id)).all())
    assert [tuple(each) for each in rows] == [(noy, "invited"), (mai, "invited")]
    assert world.find(offer).state == PLANNED and world.seen(mai) == set()
    assert world.run(lambda db: sessions.find_for(db, session.id, mai)) is not None


def test_who_does_not_see_it_any_more_is_not_asked(world: World) -> None:
    """She left the group, or it is discreet since: she learns nothing of its sessions."""
    dara, noy, kham = (world.member(each, "weavers") for each in ("Dara", "Noy", "Kham"))
    mai = world.member("Mai", "potters")
    offer = world.topic(dara, "weavers", INDIGO, wide=True)
    world.interest(offer, noy, kham, mai)
    world.run(lambda db: presence.leave(db, noy, world.places["weavers"]))
    discreet = update(models.communities).where(models.communities.c.slug == "weavers")
    world.run(lambda db: db.execute(discreet.values(discreet=True)))
    before = world.told(noy, mai)
    session = world.session(offer, dara)
    assert world.bring(session) == (kham,)
    assert world.told(noy, mai) == before
    for each in (noy, mai):
        found = world.run(lambda db, each=each: sessions.find_for(db, session.id, each))
        assert found is None


def test_who_left_while_she_planned_it_brings_nobody(world: World) -> None:
    noy, dara, kham = (world.member(each, "weavers") for each in ("Noy", "Dara", "Kham"))
    world.run(lambda db: communities.join(
        db, dara, world.places["potters"], "member", "active", world.now
    ))  # fmt: skip
    ask = world.topic(noy, "weavers", "I need to learn to dye", ASK)
    world.interest(ask, kham)
    world.run(lambda db: presence.leave(db, dara, world.places["weavers"]))
    assert world.bring(world.session(ask, dara, "potters")) == ()
    assert world.find(ask).state == OPEN and world.told(noy, kham) == 0


def test_who_wanted_it_has_one_invitation(world: World) -> None:
    """Also where all others are invited by their names."""
    dara, noy, kham, mai = (world.member(n, "weavers") for n in ("Dara", "Noy", "Kham", "Mai"))
    offer = world.topic(dara, "weavers", INDIGO)
    world.interest(offer, noy, mai)
    id_ = world.session(offer, dara).id
    world.run(lambda db: sessions.change(db, id_, world.now, scope="invited"))
    world.run(lambda db: signups.invite(db, id_, [kham], world.now))
    world.run(lambda db: calling.call(db, world.now, id_))
    assert [world.told(each) for each in (noy, kham, mai, dara)] == [1, 1, 1, 0]
    sent = update(models.deliveries).where(models.deliveries.c.member_id.in_((noy, kham)))
    world.run(lambda db: db.execute(sent.values(state="sent")))
    world.run(lambda db: sessions.change(db, id_, world.now, place="Library"))
    world.run(lambda db: calling.changed(db, world.now, id_, ["place"]))
    assert [world.told(each) for each in (noy, kham, mai)] == [1, 1, 2]
    assert world.states(mai) == ["dropped", "queued"]


def test_the_way_to_a_session_is_shown_to_those_who_may_come(world: World) -> None:
    dara, noy = world.member("Dara", "weavers"), world.member("Noy", "weavers")
    mai = world.member("Mai", "potters")
    offer = world.topic(dara, "weavers", INDIGO, wide=True)
    world.bring(world.session(offer, dara))
    topic = world.find(offer)
    ways = [world.run(lambda db, m=m: matching.details(db, topic, m)) for m in (noy, mai)]
    assert [len(each) for each in ways] == [1, 0]


def test_somebody_else_shows_what_was_asked_for(world: World) -> None:
    noy, dara, kham = (world.member(each, "weavers") for each in ("Noy", "Dara", "Kham"))
    ask = world.topic(noy, "weavers", "I need to learn to dye", ASK)
    world.interest(ask, kham, dara)
    assert world.bring(world.session(ask, dara)) == (noy, kham), "not the one who shows it"
    assert world.told(noy, kham) == 2 and world.told(dara) == 0


def test_what_waits_of_the_market_gives_way_to_the_session(world: World) -> None:
    dara, *others = (world.member(f"P{number}", "weavers") for number in range(4))
    offer = world.topic(dara, "weavers", INDIGO)
    world.interest(offer, *others)
    assert world.states(dara) == ["queued"]
    world.bring(world.session(offer, dara))
    assert world.states(dara) == ["dropped"]


@pytest.mark.parametrize(
    ("kind", "state", "after", "interested"),
    [
        (OFFER, "over", OPEN, 0),
        (OFFER, "told", OPEN, 0),
        (OFFER, "cancelled", OPEN, 1),
        (ASK, "over", CLOSED, 0),
        (ASK, "cancelled", OPEN, 1),
        (OFFER, "planned", PLANNED, 1),
    ],
)
def test_after_the_session(
    world: World, kind: str, state: str, after: str, interested: int
) -> None:
    """An offer can be shown again; an ask is answered, unless nothing came of it."""
    dara, noy, kham = (world.member(each, "weavers") for each in ("Dara", "Noy", "Kham"))
    owner, host = (dara, dara) if kind == OFFER else (noy, dara)
    topic = world.topic(owner, "weavers", INDIGO, kind)
    world.interest(topic, kham)
    session = world.session(topic, host)
    world.bring(session)
    world.run(lambda db: sessions.change(db, session.id, world.now, state=state))
    for _twice in range(2):
        world.run(lambda db: matching.settle(db, world.now))
    assert world.find(topic).state == after
    found = world.run(lambda db: topics.list_interested(db, topic))
    assert len(set(found) - {noy} if kind == ASK else found) == interested


def test_it_is_suggested_again_when_it_stands_there_anew(world: World) -> None:
    dara, *others = (world.member(f"P{number}", "weavers") for number in range(4))
    offer = world.topic(dara, "weavers", INDIGO)
    for times in (1, 2):
        world.interest(offer, *others)
        assert world.told(dara) == times
        session = world.session(offer, dara)
        world.bring(session)
        world.run(lambda db, s=session: sessions.change(db, s.id, world.now, state="over"))
        world.run(lambda db: matching.settle(db, world.now))


def test_a_session_of_nothing_in_the_market(world: World) -> None:
    dara = world.member("Dara", "weavers")
    offer = world.topic(dara, "weavers", INDIGO, state=CLOSED)
    session = world.session(offer, dara)
    assert world.bring(session) == () and world.find(offer).state == CLOSED


def test_an_invitation_that_has_not_left_goes_with_its_session(world: World) -> None:
    dara, noy = world.member("Dara", "weavers"), world.member("Noy", "potters")
    offer = world.topic(dara, "weavers", INDIGO, wide=True)
    world.interest(offer, noy)
    session = world.session(offer, dara)
    world.run(lambda db: calling.call(db, world.now, session.id))
    assert world.states(noy) == ["queued"]
    world.run(lambda db: sessions.change(db, session.id, world.now, state="cancelled"))
    world.run(lambda db: calling.cancelled(db, world.now, session.id))
    assert world.states(noy)[0] == "dropped"


def test_who_is_asked_by_name_gets_no_second_invitation(world: World) -> None:
    dara, noy, kham = (world.member(each, "weavers") for each in ("Dara", "Noy", "Kham"))
    offer = world.topic(dara, "weavers", INDIGO)
    world.interest(offer, noy)
    session = world.session(offer, dara)
    for _twice in range(2):
        world.run(lambda db: calling.call(db, world.now, session.id))
    assert [world.told(each) for each in (dara, noy, kham)] == [0, 1, 1]


# Introductions -----------------------------------------------------------------------------------


def test_introductions_become_offers_if_their_owners_like(database_url: str) -> None:
    """Asked once, some days later; neither who told only few, nor who offers something already."""

    async def play(stage: Stage) -> None:
        dara, noy, alex = (stage.people[each] for each in ("Dara", "Noy", "Alex"))
        await answer(stage, "Dara", "I weave; I could show Excel.", "My group")
        await answer(stage, "Noy", "I sell, and I could show that.", "Only facilitators")
        await answer(stage, "Alex", "I could show songs.", "My group")
        await put_up(stage, "Alex", "Offer", "I can show songs")
        ask = "Shall what you could show stand in the market"
        await stage.later(timedelta(days=1))
        assert [heard(each, ask) for each in (dara, noy, alex)] == [0, 0, 0]
        for _day in range(4):
            await stage.later(timedelta(days=1))
            await stage.say("Noy", "hello")
        assert [heard(each, ask) for each in (dara, noy, alex)] == [1, 0, 0]
        await stage.choose("Dara", "Offer it")
        assert "I weave; I could show Excel." in last(dara)
        await stage.choose("Dara", "Cancel")
        assert [text for _state, text in kept(stage)] == ["I can show songs"]

    responded(database_url, play, key="library/prompt/introduction")


# On the phones -----------------------------------------------------------------------------------


def played(url: str, play: Callable[[Stage], Awaitable[None]]) -> None:
    """Alex facilitates; Noy and Dara are members."""

    async def run() -> None:
        stage = Stage(url)
        names = dict.fromkeys(("en", "lo", "km"), "Weavers")
        place = {"slug": "weavers", "names": names, "language": "en"}
        place |= {"approval": False, "timezone": "Asia/Vientiane"}
        about = {"slug": "test", "names": names, "contact": "help@example.org"}
        stage.load({"programme": about, "communities": [place]})
        for name, role in (("Alex", "facilitator"), ("Noy", "member"), ("Dara", "member")):
            stage.settle(stage.add(name, "telegram", "en"), "weavers", role)
        try:
            await play(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


async def put_up(stage: Stage, name: str, way: str, words: str) -> None:
    await stage.say(name, "market")
    await stage.choose(name, way)
    await stage.say(name, words)
    await settle(stage)
    await stage.choose(name, "Put it up")


async def settle(stage: Stage) -> None:
    """The burst is over."""
    for _second in range(4):
        clock.move(timedelta(seconds=1))
        await stage.deliver()


def last(person: Person) -> str:
    return str(person.heard[-1])


def kept(stage: Stage) -> list[tuple[str, str]]:
    """(state, text) of all topics."""
    columns = select(models.topics.c.state, models.topics.c.text).order_by(models.topics.c.id)
    return stage.app.database.run_now(lambda db: [tuple(each) for each in db.execute(columns)])


def test_words_that_say_nothing_or_too_much(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        noy = stage.people["Noy"]
        await stage.say("Noy", "market")
        await stage.choose("Noy", "Offer")
        for words in ("ok", "👍👍", "...", "12"):
            await stage.say("Noy", words)
            assert "Please say it in a few words." in last(noy), words
        await stage.say("Noy", "I can show Excel. " * 40)
        assert "shorter" in last(noy)
        await stage.send_file("Noy", "sticker")
        assert kept(stage) == []
        await stage.say("Noy", "Excel")
        await settle(stage)
        await stage.say("Noy", "for a shop. " * 60)
        assert "shorter" in last(noy), "what is added may be too long as well"
        await stage.choose("Noy", "Put it up")
        assert kept(stage) == [(OPEN, "Excel")]

    played(database_url, play)


def test_put_up_once_however_often_it_is_tapped(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await put_up(stage, "Noy", "Offer", "I can show Excel")
        await stage.choose("Noy", "Put it up")
        await stage.choose("Noy", "Cancel")
        assert kept(stage) == [(OPEN, "I can show Excel")]

    played(database_url, play)


def test_a_draft_that_is_left_is_forgotten(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", "market")
        await stage.choose("Noy", "Ask for")
        await stage.say("Noy", "I need to learn Excel")
        await settle(stage)
        await stage.later(timedelta(days=6))
        assert len(kept(stage)) == 1
        await stage.later(timedelta(days=2))
        assert kept(stage) == []
        await stage.choose("Noy", "Put it up")
        assert kept(stage) == []

    played(database_url, play)


def test_what_is_gone_meanwhile_is_kindly_gone(database_url: str) -> None:
    """On old buttons, of somebody who has left, and of one that was taken back."""

    async def play(stage: Stage) -> None:
        noy = stage.people["Noy"]
        await put_up(stage, "Dara", "Ask for", "I need to learn Excel")
        await stage.say("Noy", "market")
        await stage.choose("Noy", "Look around")
        await stage.choose("Noy", "Number 1")
        set_membership(stage, "Dara", state="left")
        for label in ("Interested", "I can show this"):
            await stage.choose("Noy", label)
            assert "not in the market any more" in last(noy), label
        set_membership(stage, "Dara", state="active")
        await stage.choose("Noy", "I can show this")
        assert "That is kind. 1 person" in last(noy)
        await stage.say("Dara", "market")
        await stage.choose("Dara", "Mine")
        await stage.choose("Dara", "Number 1")
        for _twice in range(2):
            await stage.choose("Dara", "Take it back")
        await stage.choose("Noy", "Plan a session")
        assert "not in the market any more" in last(noy)
        assert kept(stage) == [(CLOSED, "")]
        await stage.say("Dara", "market")
        await stage.choose("Dara", "Mine")
        assert "nothing in the market" in last(stage.people["Dara"])

    played(database_url, play)


def test_who_is_no_facilitator_any_more_hides_nothing(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await put_up(stage, "Noy", "Offer", "I can show Excel")
        await stage.say("Alex", "market")
        await stage.choose("Alex", "Look around")
        await stage.choose("Alex", "Number 1")
        await stage.choose("Alex", "Hide it")
        set_membership(stage, "Alex", role="member")
        await stage.choose("Alex", "Hide it")
        assert "Only facilitators" in last(stage.people["Alex"])
        assert kept(stage) == [(OPEN, "I can show Excel")]
        assert all("hidden" not in each.text for each in stage.people["Noy"].heard)

    played(database_url, play)


def test_not_more_than_goes_in_a_day(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        for number in range(11):
            await put_up(stage, "Noy", "Offer", f"I can show thing {number}")
            await stage.later(timedelta(minutes=3))
        assert [state for state, _text in kept(stage)].count(OPEN) == 10
        assert "tomorrow" in last(stage.people["Noy"])

    played(database_url, play)


def test_a_voice_note_is_kept_beside_the_line(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.say("Noy", "market")
        await stage.choose("Noy", "Offer")
        await stage.send_file("Noy", "voice")
        await stage.send_file("Noy", "voice")
        assert "In the list others read one line" in last(stage.people["Noy"])
        await stage.say("Noy", "I can show Excel")
        await settle(stage)
        await stage.choose("Noy", "Put it up")
        columns = models.posts.c.kind, models.posts.c.state, models.bubbles.c.kind
        joined = select(*columns).join(
            models.bubbles, models.bubbles.c.post_id == models.posts.c.id
        )
        beside = joined.join(models.topics, models.topics.c.post_id == models.posts.c.id)
        rows = stage.app.database.run_now(lambda db: db.execute(beside).all())
        assert [tuple(each) for each in rows] == [("topic", "kept", "voice")] * 2

    played(database_url, play)


def test_through_a_long_list_page_by_page(database_url: str) -> None:
    """By theme where there is much; nothing is seen twice, nothing is left out."""

    async def play(stage: Stage) -> None:
        def fill(db: Any) -> None:
            place = communities.find(db, "weavers")
            assert place is not None
            [dara] = members.find_by_name(db, place.id, "Dara")
            for number in range(15):
                id_ = topics.add(
                    db, clock.now(), community_id=place.id, member_id=dara, kind=OFFER,
                    text=f"thing-{number:02}",
                )  # fmt: skip
                theme = "skills" if number < 13 else None
                topics.change(db, id_, state=OPEN, theme=theme)

        stage.app.database.run_now(fill)
        noy = stage.people["Noy"]
        await stage.say("Noy", "market")
        await stage.choose("Noy", "Look around")
        assert "[Practical skills] [Something else] [The latest]" in last(noy)
        await stage.choose("Noy", "Practical skills")
        pages = [last(noy)]
        while "[Earlier ones]" in last(noy):
            await stage.choose("Noy", "Earlier ones")
            pages.append(last(noy))
        seen = [each for page in pages for each in page.split() if each.startswith("thing-")]
        assert sorted(seen) == [f"thing-{number:02}" for number in range(13)]
        await stage.choose("Noy", "Something else")
        assert last(noy).count("thing-") == 2

    played(database_url, play)


def test_an_app_that_was_linked_since_does_not_know_what_is_hers(database_url: str) -> None:
    async def play(stage: Stage) -> None:
        await put_up(stage, "Noy", "Offer", "I can show Excel")
        clock.move(timedelta(minutes=1))
        linked = update(models.addresses).values(linked_at=clock.now())
        stage.app.database.run_now(lambda db: db.execute(linked))
        await stage.say("Noy", "market")
        await stage.choose("Noy", "Mine")
        assert "nothing in the market" in last(stage.people["Noy"])

    played(database_url, play)
