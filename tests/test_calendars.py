"""Calendar files: what other people's software makes of them, and what they never tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import vobject
from sqlalchemy import select, update

from bot import clock, models
from bot.db import StoreDown
from bot.i18n import languages
from bot.messages import Choice, Message, Text
from bot.sessions import calendars
from bot.store import communities, sessions
from bot.store import messages as outbox
from bot.store.sessions import CANCELLED, OVER, Session
from bot.web import build
from tests.stage import PUBLIC, Stage

MONDAY = datetime(2027, 1, 4, 3, 0, tzinfo=UTC)
STARTS = datetime(2027, 1, 7, 7, 0, tzinfo=UTC)
LAO = "ວິທີ​ຈັດ​ສາງ​ສິນຄ້າ​ດ້ວຍ​ຕາຕະລາງ​ ແລະ ການ​ນັບ​ສິນຄ້າ​ຂອງ​ກຸ່ມ​ຫັດຖະກຳ​ທຸກ​ເດືອນ"
KHMER = "របៀបរៀបចំបញ្ជីស្តុកទំនិញ និងការរាប់ទំនិញរបស់ក្រុមសិប្បកម្មរៀងរាល់ខែ"
HOSTILE = (
    "x\r\nATTENDEE:mailto:noy@example.org\r\nEND:VEVENT\nBEGIN:VALARM;,\\ \u202e\u0000 =c|'x'!A0"
)
PLACE = "Rooftop, 3rd floor; behind the market\nhttps://meet.example.org/abc"
WORDS = {"en": "Appointment", "lo": "ນັດໝາຍ", "km": "ការណាត់ជួប"}


def session(**values: Any) -> Session:
    usual = {
        "id": 1, "community_id": 1, "kind": "session", "scope": "communities", "title": LAO,
        "host_id": 1, "note_taker_id": None, "starts_at": STARTS, "minutes": 90,
        "timezone": "Asia/Vientiane", "place": PLACE, "seats": 8, "seats_each": None,
        "organisation": "Nakai", "packing": "boots", "languages": (), "reminders": (),
        "every": None, "follows_id": None, "topic_id": None, "thread_id": None,
        "state": "planned", "reason": None, "uid": "Ab-_" * 8, "sequence": 0, "next_at": None,
    }  # fmt: skip
    return Session(**(dict.fromkeys(Session.__dataclass_fields__) | usual | values))


def read(file: bytes) -> Any:
    """As somebody else's parser has it; it shall be the only appointment in there."""
    found = vobject.readOne(file.decode())
    assert len(found.vevent_list) == 1
    return found


def moment(file: bytes) -> tuple[datetime, datetime]:
    event = read(file).vevent
    return event.dtstart.value.astimezone(UTC), event.dtend.value.astimezone(UTC)


@pytest.mark.parametrize(
    "title", [LAO, KHMER, "Stock", HOSTILE, "a" * 400, "\U0001f469\u200d\U0001f33e" * 60]
)
def test_it_is_folded_and_nothing_is_lost(title: str) -> None:
    file = calendars.write(session(title=title), MONDAY, "lo", discreet=False)
    lines = file.split(b"\r\n")
    assert lines[-1] == b""
    assert max(len(each) for each in lines) <= 75
    assert all(line.decode() for line in lines[:-1])  # no letter is cut in two
    assert b"\n" not in file.replace(b"\r\n", b"")
    event = read(file).vevent
    said = event.summary.value
    assert said.replace("\r", "").replace("\x00", "") == title.replace("\r", "").replace("\x00", "")
    assert event.location.value == PLACE
    assert not {"attendee", "organizer", "valarm"} & set(event.contents)


@pytest.mark.parametrize("sign", "\r\v\f\x1c\x85\u2028\u2029")
def test_no_sign_begins_another_property(sign: str) -> None:
    """Some programs begin a new line at each of these."""
    words = f"Stock{sign}ATTACH:https://evil.example\x00\x1b[2J"
    file = calendars.write(session(title=words, place=words), MONDAY, "lo", discreet=False)
    assert not [line for line in file.decode().splitlines() if line.startswith("ATTACH")]
    assert read(file).vevent.summary.value == "Stock\nATTACH:https://evil.example[2J"
    assert not {"\x00", "\x1b", sign} & set(file.decode().replace("\r\n", ""))


@pytest.mark.parametrize(
    ("zone", "starts_at"),
    [
        ("Asia/Vientiane", STARTS),
        ("Asia/Phnom_Penh", STARTS),
        ("Asia/Kathmandu", STARTS),
        ("Etc/GMT-7", STARTS),
        ("UTC", STARTS),
        ("Europe/Berlin", datetime(2027, 3, 27, 9, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2027, 3, 28, 9, 0, tzinfo=UTC)),  # the clocks were put forward
        ("Europe/Berlin", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # this hour comes twice
        ("America/New_York", datetime(2028, 11, 5, 16, 0, tzinfo=UTC)),
        ("Africa/Casablanca", datetime(2027, 6, 5, 16, 0, tzinfo=UTC)),
    ],
)
def test_the_hour_is_right_wherever_it_is_read(zone: str, starts_at: datetime) -> None:
    told = session(timezone=zone, starts_at=starts_at)
    file = calendars.write(told, MONDAY, "en", discreet=False)
    assert moment(file) == (starts_at, starts_at + timedelta(minutes=90))
    if zone != "UTC":
        assert f"DTSTART;TZID={zone}:" in file.decode()
        assert f"TZID:{zone}" in file.decode()  # and what that zone is


def test_a_cancellation_takes_the_same_appointment_out() -> None:
    file = read(calendars.write(session(state=CANCELLED, sequence=3), MONDAY, "en", discreet=False))
    assert (file.method.value, file.vevent.status.value) == ("CANCEL", "CANCELLED")
    assert (file.vevent.uid.value, file.vevent.sequence.value) == ("Ab-_" * 8, "3")
    over = read(calendars.write(session(state=OVER), MONDAY, "en", discreet=False))
    assert (over.method.value, over.vevent.status.value) == ("PUBLISH", "CONFIRMED")


@pytest.mark.parametrize("language", languages())
def test_a_discreet_one_is_an_appointment_and_no_more(language: str) -> None:
    for state in ("planned", CANCELLED):
        told = session(reason="a raid", state=state)
        file = calendars.write(told, MONDAY, language, discreet=True)
        event = read(file).vevent
        assert event.summary.value == WORDS[language]
        assert set(event.contents) == {
            "uid", "dtstamp", "sequence", "dtstart", "dtend", "status", "class", "summary",
        }  # fmt: skip
        for telling in ("Nakai", "market", "raid", "inkline", LAO[:5]):
            assert telling not in file.decode()


# At the house ------------------------------------------------------------------------------------


def cast(stage: Stage, **more: Any) -> None:
    names = dict.fromkeys(languages(), "Crafts")
    place = {"slug": "crafts", "names": names, "language": "en", "timezone": "Asia/Vientiane"}
    about = {"slug": "p", "names": names, "contact": "the team"}
    other = place | {"slug": "weavers", "names": dict.fromkeys(languages(), "Weavers")}
    stage.load({"programme": about, "communities": [place | more, other]})
    for name, channel, language in (("Noy", "whatsapp", "lo"), ("Dara", "telegram", "en")):
        stage.settle(stage.add(name, channel, language), "crafts")
    stage.settle(stage.add("Sok", "telegram", "km"), "weavers")


def play(url: str, story: Callable[[Stage], Coroutine[Any, Any, None]], **more: Any) -> None:
    async def go() -> None:
        stage = Stage(url)
        try:
            cast(stage, **more)
            await story(stage)
        finally:
            await stage.close()

    asyncio.run(go())


def plan(stage: Stage, **values: Any) -> int:
    def work(db: Any) -> int:
        place = communities.find(db, "crafts")
        assert place is not None
        told = {"title": LAO, "starts_at": clock.now() + timedelta(days=3), "place": PLACE}
        zone = {"timezone": "Asia/Vientiane"}
        return sessions.add(db, clock.now(), community_id=place.id, **(told | zone | values))

    return stage.app.database.run_now(work)


def change(stage: Stage, id_: int, **values: Any) -> None:
    stage.app.database.run_now(lambda db: sessions.change(db, id_, clock.now(), **values))


async def get(stage: Stage, path: str) -> httpx.Response:
    there = httpx.ASGITransport(build(stage.app, work=False))
    async with httpx.AsyncClient(transport=there, base_url=PUBLIC) as client:
        return await client.get(path)


def uid_of(stage: Stage, id_: int) -> str:
    return stage.app.database.run_now(lambda db: sessions.get(db, id_).uid)


def test_the_link_shows_what_is_true_now(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        id_ = plan(stage)
        path = f"/calendar/{uid_of(stage, id_)}.ics"
        seen = []
        for values in (
            {"minutes": 60},
            {"starts_at": clock.now() + timedelta(days=10)},
            {"seats": 4},
            {"place": "Online"},
            {"state": CANCELLED},
        ):
            change(stage, id_, **values)
            answer = await get(stage, path)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == calendars.MEDIA_TYPE
            assert answer.headers["cache-control"] == "no-store"
            assert "calendar.ics" in answer.headers["content-disposition"]
            found = read(answer.content).vevent
            seen.append((found.uid.value, int(found.sequence.value), found.status.value))
        assert {uid for uid, _sequence, _status in seen} == {uid_of(stage, id_)}
        assert [sequence for _uid, sequence, _status in seen] == [1, 2, 3, 4, 5]
        assert [status for *_, status in seen] == ["CONFIRMED"] * 4 + ["CANCELLED"]

    play(database_url, story)


def test_a_link_ends_with_the_session_and_with_its_group(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        id_ = plan(stage)
        path = f"/calendar/{uid_of(stage, id_)}.ics"
        group = update(models.communities)
        for ended, status in ((clock.now(), 404), (None, 200)):
            stage.app.database.run_now(lambda db, at=ended: db.execute(group.values(ended_at=at)))
            assert (await get(stage, path)).status_code == status
        clock.move(timedelta(days=3, hours=20))
        assert (await get(stage, path)).status_code == 200
        clock.move(timedelta(hours=8))
        answer = await get(stage, path)
        assert answer.status_code == 404
        assert LAO[:5] not in answer.text

    play(database_url, story)


def test_one_whose_words_were_taken_back_is_an_appointment() -> None:
    event = read(calendars.write(session(title=""), MONDAY, "en", discreet=False)).vevent
    assert event.summary.value == WORDS["en"]


@pytest.mark.parametrize(
    "name", ["nobody", "a" * 40, "a" * 41, "a%00b", "..%2f..%2fetc", "a'b", "ກ"]
)
def test_a_link_that_is_none_is_told_kindly(name: str, database_url: str) -> None:
    async def story(stage: Stage) -> None:
        answer = await get(stage, f"/calendar/{name}.ics")
        assert answer.status_code == 404
        if answer.text != "Not Found":
            assert "There is no appointment here any more." in answer.text
            assert len(answer.text.strip().split("\n")) == 3  # in every language

    play(database_url, story)


def test_a_store_that_is_away_is_asked_again(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        async def down(_work: Any) -> None:
            raise StoreDown("away")

        stage.app.database.run = down  # type: ignore[method-assign]
        answer = await get(stage, "/calendar/abc.ics")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    play(database_url, story)


def test_the_link_of_a_discreet_community_tells_nothing(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        path = f"/calendar/{uid_of(stage, plan(stage))}.ics"
        for asked in ("", "?in=km", "?in=xx", "?in=lo&plain=", "?plain=0"):
            event = read((await get(stage, path + asked)).content).vevent
            assert event.summary.value in WORDS.values()
            assert "location" not in event.contents

    play(database_url, story, discreet=True)


def test_open_to_a_discreet_community_it_is_discreet(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        def work(db: Any) -> int:
            found = communities.find(db, "weavers")
            assert found is not None
            table = models.communities
            db.execute(update(table).where(table.c.id == found.id).values(discreet=True))
            return found.id

        other = stage.app.database.run_now(work)
        path = f"/calendar/{uid_of(stage, plan(stage, for_communities=[other]))}.ics"
        assert read((await get(stage, path)).content).vevent.summary.value == "Appointment"

    play(database_url, story)


def test_the_file_is_only_for_those_who_may_come(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        id_ = plan(stage)
        database = stage.app.database
        rows = select(models.addresses.c.id, models.members.c.name).join(models.members)
        found = {row.name: row.id for row in database.run_now(lambda db: db.execute(rows).all())}
        hers = await calendars.make(database, found["Noy"], id_)
        assert hers is not None
        assert read(hers).vevent.summary.value == LAO
        assert await calendars.make(database, found["Sok"], id_) is None
        assert await calendars.make(database, found["Noy"], id_ + 1) is None
        assert await calendars.make(database, 999, id_) is None

        values = {"discreet": True}
        database.run_now(lambda db: db.execute(update(models.members).values(values)))
        hers = await calendars.make(database, found["Noy"], id_)
        assert hers is not None
        assert read(hers).vevent.summary.value == WORDS["lo"]

    play(database_url, story)


def test_a_link_is_only_said_where_the_web_finds_us() -> None:
    told = replace(session(), uid="abc")
    assert calendars.link(None, told, "lo", discreet=False) is None
    open_one = calendars.link(PUBLIC, told, "lo", discreet=False)
    assert open_one == f"{PUBLIC}/calendar/abc.ics?in=lo"
    assert calendars.link(PUBLIC, told, "lo", discreet=True) == f"{open_one}&plain=1"


# In the chat -------------------------------------------------------------------------------------


async def show(stage: Stage, id_: int) -> None:
    """A bubble with [Calendar] for everybody, as handlers put it under a session."""

    def work(db: Any) -> None:
        statement = select(
            models.addresses.c.id, models.addresses.c.lane, models.addresses.c.member_id
        )
        choice = Choice(f"calendar.send:{id_}", Text("Calendar", language="en"))
        for row in db.execute(statement).all():
            whose = (row.id, row.member_id, row.lane)
            said = Message((Text("A session"),), choices=(choice,))
            outbox.say(
                db, [(f"show/{clock.now()}/{row.id}", said, clock.now())], whose, clock.now()
            )

    stage.app.database.run_now(work)
    await stage.deliver()


async def tap(stage: Stage, name: str) -> list[str]:
    """What she hears when she wants it."""
    before = len(stage.people[name].heard)
    await stage.choose(name, "Calendar")
    return [each.text for each in stage.people[name].heard[before:]]


PUT_DOWN = "Open this file to put it into your calendar. If the hour changes, do it again."
LINKED = "With this link it comes into your calendar. If the hour changes, open it again:"


def test_telegram_gets_the_file_and_the_link(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        begins = clock.now() + timedelta(days=3)
        id_ = plan(stage, starts_at=begins)
        await show(stage, id_)
        link = f"{PUBLIC}/calendar/{uid_of(stage, id_)}.ics?in=en"
        heard = await tap(stage, "Dara")
        assert heard == [f"(calendar.ics) {PUT_DOWN}", f"{LINKED}\n\n{link}"]
        first = stage.files[stage.people["Dara"].address.partition(":")[2]]
        assert read(first).vevent.summary.value == LAO

        change(stage, id_, starts_at=begins + timedelta(days=6))
        await show(stage, id_)
        assert await tap(stage, "Dara") == heard
        second = stage.files[stage.people["Dara"].address.partition(":")[2]]
        assert read(second).vevent.uid.value == read(first).vevent.uid.value
        assert read(second).vevent.sequence.value == "1"
        assert moment(second)[0] - moment(first)[0] == timedelta(days=6)

        change(stage, id_, state=CANCELLED)
        await show(stage, id_)
        heard = await tap(stage, "Dara")
        assert heard[0].endswith("It was cancelled. Open this file, and it leaves your calendar.")
        third = stage.files[stage.people["Dara"].address.partition(":")[2]]
        assert read(third).method.value == "CANCEL"

    play(database_url, story)


def test_whatsapp_gets_the_link_only(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        id_ = plan(stage)
        await show(stage, id_)
        link = f"{PUBLIC}/calendar/{uid_of(stage, id_)}.ics?in=lo"
        [heard] = await tap(stage, "Noy")
        assert heard.endswith(link)
        assert "ປະຕິທິນ" in heard
        answer = await get(stage, link.removeprefix(PUBLIC))
        assert read(answer.content).vevent.summary.value == LAO

    play(database_url, story)


def test_on_a_discreet_phone_it_tells_nothing(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        id_ = plan(stage)
        await show(stage, id_)
        values = {"discreet": True}
        stage.app.database.run_now(lambda db: db.execute(update(models.members).values(values)))
        heard = await tap(stage, "Dara")
        assert not any(LAO[:6] in each for each in heard)
        file = stage.files[stage.people["Dara"].address.partition(":")[2]]
        assert read(file).vevent.summary.value == "Appointment"
        [link] = [each.rpartition("\n")[2] for each in heard if "/calendar/" in each]
        answer = await get(stage, link.removeprefix(PUBLIC))
        assert read(answer.content).vevent.summary.value == "Appointment"

    play(database_url, story)


def test_what_is_not_hers_or_is_over(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        id_ = plan(stage)
        await show(stage, id_)
        [heard] = await tap(stage, "Sok")  # of another community
        assert "calendar.ics" not in heard
        assert "http" not in heard
        change(stage, id_, starts_at=clock.now() - timedelta(hours=5))
        [heard] = await tap(stage, "Dara")
        assert heard == "This session is over, so there is nothing to put down any more."
        change(stage, id_, starts_at=clock.now() - timedelta(minutes=30))  # it goes on
        assert (await tap(stage, "Dara"))[0].startswith("(calendar.ics)")

    play(database_url, story)


@pytest.mark.parametrize("look", ["telegram", "whatsapp"])
def test_the_simulator_shows_the_file_where_there_is_no_address(
    look: str, database_url: str
) -> None:
    """On a laptop the web does not find us, so no link would open."""

    async def story(stage: Stage) -> None:
        stage.settle(stage.add("Bo", f"simulator/{look}", "en"), "crafts")
        stage.app.conversations.public_url = None
        await show(stage, plan(stage))
        assert await tap(stage, "Bo") == [f"(calendar.ics) {PUT_DOWN}"]
        media = stage.phones.all[stage.people["Bo"].address.partition(":")[2]].bubbles[-1].media
        assert media is not None
        link = media["at"]
        answer = await get(stage, link)
        assert read(answer.content).vevent.summary.value == LAO

    play(database_url, story)
