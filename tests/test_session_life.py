"""The life of a session: asked for, planned, moved, waited for, reminded, noted, told to all.

Twelve people come to it and a thirteenth holds it, on both channels, in three languages and two
zones. Their facilitator does nothing at all, and a session happens.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import clock
from bot.i18n import render
from bot.messages import Text, _, _n
from bot.rehearsal import transcripts
from tests.stage import Person, Stage
from tests.test_week import LANGUAGES, programme

GUESTS = (
    *("Noy", "Dara", "Kham", "Bopha", "Somchai", "Sophal"),
    *("Mali", "Rith", "Vanh", "Chan", "Keo", "Thida"),
)
SEATED, WAITING, MAYBE = GUESTS[:8], GUESTS[8:10], GUESTS[10:]
HERE, FAR = "Asia/Vientiane", "Europe/Amsterdam"
ZONES = {"Noy": HERE, "Bopha": HERE, "Rith": HERE, "Thida": HERE, "Kham": FAR, "Chan": FAR}
ASK = "ខ្ញុំចង់រៀនរាប់ទំនិញក្នុងឃ្លាំងដោយប្រើ Excel"
TITLE = "ខ្ញុំអាចបង្ហាញរបៀបរាប់ទំនិញក្នុងឃ្លាំងដោយប្រើ Excel"
PLACE = "ការិយាល័យ បន្ទប់ធំ"
NOTE, DECISION, TASK = "យើងដាក់លេខកូដ។", "ប្រើលេខកូដដូចគ្នា", "បោះពុម្ពលេខកូដ"
TAKEN = "ຂ້ອຍຊິລອງເຮັດ"
COMING = ("I come", "Maybe", "Not this time")


def at(text: str, where: str = HERE) -> datetime:
    """Monday is 2027-01-04."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(where)).astimezone(UTC)


AFTERWARDS = ("Add something", "Follow", "Share")
COMERS = (*(each for each in SEATED if each != "Sophal"), "Vanh", *MAYBE, "Sokha")
THERE = ("Noy", "Dara", "Mali", "Kham")
HOST = {"name": "Sokha", "title": TITLE}
DUTY = {"name": "Mali", "task": TASK, "day": date(2027, 1, 20)}


NEARER = at("2027-01-07 14:00")
FIRST, THEN = at("2027-01-14 14:00"), at("2027-01-16 07:30")
ABOUT = {"session": TITLE, "when": THEN}


class Life:
    """The people, and what each of them was told without having asked."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.told: defaultdict[str, list[str]] = defaultdict(list)
        for number, name in enumerate(GUESTS):
            self.add(name, ("whatsapp", "telegram")[number % 2], LANGUAGES[number % 3])
        self.add("Sokha", "whatsapp", "km")
        self.add("Alex", "telegram", "en", "facilitator")

    def add(self, name: str, channel: str, language: str, role: str = "member") -> None:
        self.stage.settle(self.stage.add(name, channel, language), "weavers", role)

    def person(self, name: str) -> Person:
        return self.stage.people[name]

    def read(self) -> None:
        """What came to everybody's phone by itself."""
        for each in self.stage.people.values():
            self.told[each.name] += [str(bubble) for bubble in each.unread]
            each.unread.clear()

    async def say(self, name: str, words: str) -> str:
        """She writes; what she hears in the seconds after it is the answer to that."""
        self.read()
        await self.stage.say(name, words)
        return await self._answer(name)

    async def choose(self, name: str, label: str) -> str:
        self.read()
        await self.stage.choose(name, self.words(name, _(label)))
        return await self._answer(name)

    async def _answer(self, name: str) -> str:
        for _second in range(5):
            clock.move(timedelta(seconds=1))
            await self.stage.deliver()
        heard = "\n".join(str(each) for each in self.person(name).unread)
        self.person(name).unread.clear()
        self.read()
        return heard

    async def until(self, when: datetime) -> None:
        """Who is on WhatsApp writes something twice a day, which keeps it open."""
        while clock.now() < when:
            await self.stage.later(min(timedelta(hours=11), when - clock.now()))
            if clock.now() < when:
                for each in self.stage.people.values():
                    if each.channel == "whatsapp":
                        await self.say(each.name, "help")
        self.read()

    async def at_this_minute(self, when: datetime) -> set[str]:
        """Who is told something then, and not before."""
        await self.until(when - timedelta(minutes=2))
        before = {name: len(said) for name, said in self.told.items()}
        await self.stage.later(timedelta(minutes=1))
        self.read()
        assert before == {name: len(said) for name, said in self.told.items()}, when
        await self.stage.later(timedelta(minutes=2))
        self.read()
        return {name for name, said in self.told.items() if len(said) > before.get(name, 0)}

    # As she reads it

    def words(self, name: str, text: Text) -> str:
        return render(text, self.person(name).language, lambda *_: "Weavers", ZONES.get(name, HERE))

    def word(self, name: str, words: str) -> str:
        """What can be typed in her language."""
        return self.words(name, _(words)).partition(",")[0]

    def bubble(self, name: str, said: Sequence[Text], labels: Sequence[str]) -> str:
        text = "\n\n".join(self.words(name, each) for each in said)
        return transcripts.heard(text, [self.words(name, _(each)) for each in labels])


def test_the_life_of_a_session(database_url: str) -> None:
    async def live() -> None:
        stage = Stage(database_url)
        stage.load(programme())
        life = Life(stage)
        try:
            await live_through(life)
            life.read()
            for name in stage.people:
                said = [each for each in life.told[name] if each != "Nothing to do today."]
                assert said == expected(life, name), name
            assert not life.person("Alex").said, "who facilitates wrote nothing"
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(live())


async def live_through(life: Life) -> None:
    for name, where in ZONES.items():
        await life.say(name, life.word(name, "timezone, time zone"))
        await life.say(name, where.partition("/")[2])
    await life.until(at("2027-01-04 15:00"))
    await meet(life)
    await plan(life)
    await sign_up(life)
    await move(life)
    await pass_on_a_seat(life)
    await be_reminded(life)
    await hold(life)
    await look_back(life)


async def meet(life: Life) -> None:
    """Somebody asks, somebody else offers, and who offers hears that it is wanted."""
    for name, label, words in (("Dara", "Ask for", ASK), ("Sokha", "Offer", TITLE)):
        await life.say(name, life.word(name, "market, offers, open space"))
        await life.choose(name, label)
        await life.say(name, words)
        answer = await life.choose(name, "Put it up")
    assert ASK in answer
    assert life.words("Sokha", _("Plan a session")) in answer


async def plan(life: Life) -> None:
    """With the day in her own words; there are two Thursdays that may be meant."""
    await life.choose("Sokha", "Plan a session")
    heard = await life.say("Sokha", "ថ្ងៃព្រហស្បតិ៍ក្រោយ ម៉ោង ២ រសៀល")
    assert all(life.words("Sokha", _("{at}", at=each)) in heard for each in (NEARER, FIRST))
    heard = await life.say("Sokha", "២")
    assert life.words("Sokha", _("When: {at}", at=FIRST)) in heard
    assert life.words("Sokha", _("When: {at}", at=NEARER)) not in heard
    await life.choose("Sokha", "That is right")
    await life.say("Sokha", PLACE)
    await life.choose("Sokha", "Change")
    await life.choose("Sokha", "Seats")
    assert "8" in await life.say("Sokha", "៨")
    await life.choose("Sokha", "Invite them")
    await life.until(clock.now() + timedelta(minutes=2))


async def sign_up(life: Life) -> None:
    for name in (*SEATED, *WAITING):
        heard = await life.choose(name, "I come")
        full = life.words(name, _("All seats are taken: {session}, {at}.", session=TITLE, at=FIRST))
        assert (full in heard) == (name in WAITING), name
        if name not in WAITING:
            await life.choose(name, "Skip")
    for name in MAYBE:
        assert TITLE in await life.choose(name, "Maybe")


async def move(life: Life) -> None:
    """Once, while it is day for everybody."""
    await life.choose("Sokha", "Change")
    await life.choose("Sokha", "When")
    heard = await life.say("Sokha", "16/1 07:30")
    assert life.words("Sokha", _("{at}", at=THEN)) in heard
    await life.choose("Sokha", "That is right")
    await life.choose("Sokha", "Save")
    await life.until(at("2027-01-05 15:00"))


async def pass_on_a_seat(life: Life) -> None:
    """Who waits longest has it, and nobody else hears of it."""
    before = {name: len(said) for name, said in life.told.items()}
    await life.choose("Sophal", "Cannot come")
    await life.stage.later(timedelta(minutes=2))
    life.read()
    assert [name for name, said in life.told.items() if len(said) > before[name]] == ["Vanh"]
    assert (
        life.told["Vanh"]
        .pop()
        .startswith(
            life.words("Vanh", _("A seat is free for you now: {session}, {when}.", **ABOUT))
        )
    )
    come = life.words("Vanh", _("You come: {session}, {at}.", session=TITLE, at=THEN))
    assert come in await life.choose("Vanh", "I come")
    await life.choose("Vanh", "Skip")


async def be_reminded(life: Life) -> None:
    """Before the night where it would be in the night; each at her own hour."""
    far, by_day, no_nights = {"Kham"}, {"Noy", "Bopha", "Rith", "Thida"}, set(COMERS)
    no_nights -= far | by_day
    for day in ("2027-01-08", "2027-01-14"):
        assert await life.at_this_minute(at(f"{day} 19:00", FAR)) == far
        morning = at(f"{day} 07:30") + timedelta(days=1)
        assert await life.at_this_minute(morning) == by_day | no_nights
    assert await life.at_this_minute(at("2027-01-15 19:00")) == by_day
    assert await life.at_this_minute(at("2027-01-15 19:00", FAR)) == far
    assert await life.at_this_minute(at("2027-01-16 06:30")) == no_nights


async def hold(life: Life) -> None:
    """They are there, and who holds it writes down what was said."""
    await life.until(at("2027-01-16 07:40"))
    for name in THERE:
        heard = (
            await life.choose(name, "I am here")
            if name == "Mali"
            else await life.say(name, life.word(name, "here, i am here"))
        )
        assert heard == life.words(name, _("Noted. Good that you are here!"))
    await life.say("Sokha", life.word("Sokha", "notes, write notes, session notes"))
    decision, task = (
        life.word("Sokha", each) for each in ("decision, decided, we decided", "tasks, my tasks")
    )
    await life.say("Sokha", NOTE)
    heard = await life.say("Sokha", f"{decision}៖ {DECISION}")
    assert life.words("Sokha", _("Noted as a decision.")) in heard
    await life.say("Sokha", f"{task}៖ {TASK} ត្រឹមថ្ងៃពុធ")
    await life.stage.choose("Sokha", "Mali")
    assert life.words("Sokha", _("{name}: {task}, until {day}", **DUTY)) in await life._answer(
        "Sokha"
    )
    await life.choose("Sokha", "Done")


async def look_back(life: Life) -> None:
    """What they take with them, what came of it for all, and what Mali had taken on."""
    await life.until(at("2027-01-16 09:00"))
    assert question(life, "Mali") in life.told["Mali"]
    assert await life.at_this_minute(at("2027-01-16 07:00", FAR)) == {"Kham"}, "not in his night"
    await life.until(at("2027-01-16 15:00"))
    await life.choose("Noy", "Say it")
    await life.say("Noy", TAKEN)
    await life.choose("Sokha", "Send the notes")
    await life.choose("Sokha", "Send")
    await life.until(at("2027-01-17 10:00"))
    said = lines(life, "Thida")
    assert await life.say("Thida", "101") == life.bubble("Thida", said, AFTERWARDS)
    await life.until(at("2027-01-20 12:00"))
    await life.choose("Mali", "Done")
    done = life.words("Thida", _("{name}: {task} (done)", name="Mali", task=TASK))
    assert done in await life.say("Thida", "101")
    await life.until(at("2027-01-23 12:00"))


# What each of them was told ----------------------------------------------------------------------


def expected(life: Life, name: str) -> list[str]:
    """All that came to her by itself, from the first day to the last, in this order."""
    is_host = name == "Sokha"
    said = [] if is_host else [call(life, name), moved(life, name)]
    if name in COMERS:
        said += [reminder(life, name, close=each) for each in (False, False, True)]
    if name in THERE:
        said.append(question(life, name))
    said.append(over(life) if is_host else harvest(life, name))
    if name == "Mali":
        said.append(on_its_day(life))
    return said


def call(life: Life, name: str) -> str:
    first = _("{name} invites you in {community}: {title}", **HOST, community="Weavers")
    if name == "Dara":
        first = _("{name} shows what you would like to learn: {title}", **HOST)
    seats = _n("There is {n} seat.", "There are {n} seats.", n=8)
    said = (first, _("When: {at}", at=FIRST), _("Where: {place}", place=PLACE), seats)
    return life.bubble(name, said, COMING)


def moved(life: Life, name: str) -> str:
    """Who has said nothing yet may say it now."""
    said = (
        _("Another time: {session}", session=TITLE),
        _("Before: {at}", at=FIRST),
        _("Now: {at}", at=THEN),
    )
    return life.bubble(name, said, COMING if name == "Alex" else ("Cannot come", "Details"))


def reminder(life: Life, name: str, *, close: bool) -> str:
    said = (
        _("A reminder: {session} is on {at}.", session=TITLE, at=THEN),
        _("Where: {place}", place=PLACE),
    )
    labels = ("Cannot come", "Details")
    return life.bubble(name, said, ("I am here", *labels) if close else labels)


def question(life: Life, name: str) -> str:
    said = (
        _("Thank you for having been there: {session}.", session=TITLE),
        _("What is one thing you take with you? A word is enough, a question is as good."),
    )
    return life.bubble(name, said, ("Say it", "Not this time"))


def over(life: Life) -> str:
    said = (
        _("{session} is over. Well done!", session=TITLE),
        _(
            "The notes are kept. Send them when you like; else they go to the group by themselves "
            "in two days."
        ),
    )
    labels = ("Send the notes", "Add notes", "Who came", "Ask the next host")
    return life.bubble("Sokha", said, labels)


def lines(life: Life, name: str) -> list[Text]:
    return [
        _("What came of {session} on {at} ({thread}):", session=TITLE, at=THEN, thread="Q101"),
        _("{words}", words=NOTE),
        _("Decided:"),
        _("{words}", words=DECISION),
        _("Who does what:"),
        _("{name}: {task}, until {day}", **DUTY),
        _("What peers take with them:"),
        _("{name}: {words}", name="Noy", words=TAKEN),
    ]


def harvest(life: Life, name: str) -> str:
    hint = _(
        "To add something, reply to this message, or write {number} and your words.", number=101
    )
    return life.bubble(name, (*lines(life, name), hint), AFTERWARDS)


def on_its_day(life: Life) -> str:
    said = (
        _("For today you had taken this on: {task}", task=TASK),
        _("It comes from {session}. How is it?", session=TITLE),
    )
    return life.bubble("Mali", said, ("Done", "Ask me later", "Not needed any more"))
