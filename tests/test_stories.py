"""Stories of change: nothing is told or exported without consent; no voice leads to anybody."""

from __future__ import annotations

import asyncio
import io
import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, insert, select, update

from bot import clock, counting, erasing, models
from bot.db import Database
from bot.i18n import render
from bot.messages import File, Inbound, refs_in
from bot.scheduler import Progress
from bot.store import (
    captions,
    communities,
    consents,
    forgetting,
    posts,
    rounds,
    stories,
    story_exports,
    voices,
)
from bot.store.rounds import CHECKING, CLOSED, READING, TIE
from bot.stories import exporting, settling, tale, withdrawing
from tests import transcript
from tests.stage import Stage
from tests.test_seats import NOW, community, member, opened

DAY = timedelta(days=1)
CLOSES = NOW + 7 * DAY
USES = ("community", "programme", "public")
_numbers = itertools.count()


def played(url: str, work: Callable[[Any], None]) -> None:
    with opened(url) as database:
        database.run_now(work)


def count(db: Any, table: Any, *where: Any) -> int:
    found: int = db.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
    return found


def said(text: str, *kinds: str) -> Inbound:
    files = tuple(File(kind, f"handle of {text}") for kind in kinds)
    return Inbound(
        "simulator/telegram", text, ("x",), text=text, files=files, id=f"id {next(_numbers)}"
    )


def story(db: Any, place: int, member_id: int, uses: tuple[str, ...] = USES[:2]) -> int:
    """One that is told, with a part of words."""
    id_ = stories.add(db, member_id, place, NOW)
    part = said(f"words of story {id_}")
    post_id = posts.add(db, member_id, part, NOW, kind="story", state="live")
    stories.put(db, id_, "happened", post_id)
    for use in uses:
        consents.give(db, id_, use, "nameless", "yes", NOW)
    stories.mark(db, id_, state="told", told_at=NOW)
    return id_


def round_of(db: Any, place: int, *ids: int, parent_id: int | None = None) -> int:
    programme_id, _all = rounds.list_programme(db, place)
    id_ = rounds.add(
        db,
        parent_id=parent_id,
        programme_id=programme_id,
        community_id=place,
        since=NOW - DAY,
        state=READING,
        opened_at=NOW,
        closes_at=CLOSES,
        next_at=CLOSES,
    )
    rounds.enter(db, id_, ids)
    return id_


def candidate_of(db: Any, round_id: int, story_id: int) -> int:
    table = models.candidates.c
    mine = select(table.id).where(table.round_id == round_id, table.story_id == story_id)
    found: int = db.execute(mine).scalar_one()
    return found


def choose(
    db: Any, round_id: int, story_id: int, who: int, *, named: bool = False, kinds: Any = ()
) -> int:
    """As a turn does it."""
    why = said(f"reason of {who}", *kinds)
    post_id = posts.add(db, who, why, NOW, kind="reason")
    candidate_id = candidate_of(db, round_id, story_id)
    voices.choose(db, round_id, who, candidate_id, post_id, named=named)
    return post_id


def look(db: Any, now: Any) -> None:
    while isinstance(settling.look(db, now), Progress):
        pass


def told(db: Any, words: str) -> list[int]:
    """Who is told something that holds these words."""
    body, to = models.messages.c.body, models.deliveries.c.member_id
    mine = models.messages.c.id == models.deliveries.c.message_id
    rows = db.execute(select(to, body).join(models.messages, mine))
    return sorted(row.member_id for row in rows if words in str(row.body))


# Voices -----------------------------------------------------------------------------------------


def test_nothing_leads_from_a_reason_to_who_gave_it(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(4)]
        mine = round_of(db, place, story(db, place, people[0]), story(db, place, people[1]))
        given = [
            choose(db, mine, 1, people[1], kinds=("voice",)),
            choose(db, mine, 1, people[2], named=True),
            choose(db, mine, 2, people[3], kinds=("voice",)),
        ]
        row = {"post_id": given[0], "delivery_id": _delivery(db, people[1])}
        db.execute(insert(models.showings).values(row))
        look(db, CLOSES)
        assert count(db, models.choices) == 0
        reasons = voices.list_reasons(db, candidate_of(db, mine, 1), 9)
        assert len(reasons) == 2
        assert [each.author_id for each in reasons] == [None, None]  # too few to be named
        assert not {each.post_id for each in reasons} & set(given)
        assert count(db, models.posts, models.posts.c.id.in_(given)) == 0
        assert count(db, models.showings, models.showings.c.post_id.in_(given)) == 0
        kept = models.bubbles.c.post_id.in_([each.post_id for each in reasons])
        assert count(db, models.bubbles, kept, models.bubbles.c.key.is_not(None)) == 0
        assert count(db, models.media) == 2
        assert count(db, models.media, models.media.c.owner_id.is_not(None)) == 0
        assert count(db, models.media, models.media.c.lane != "") == 0
        voiced = select(models.candidates.c.voices)
        assert set(db.execute(voiced).scalars()) == {None}  # nor are they told how many

    played(database_url, work)


def _delivery(db: Any, member_id: int) -> int:
    row = {"key": b"k" * 16, "kind": "direct", "body": {}, "created_at": NOW}
    new = insert(models.messages).values(row).returning(models.messages.c.id)
    about = {"message_id": db.execute(new).scalar_one(), "member_id": member_id}
    about |= {"lane": "l", "priority": 0, "state": "sent", "due_at": NOW}
    made = insert(models.deliveries).values(about).returning(models.deliveries.c.id)
    found: int = db.execute(made).scalar_one()
    return found


def test_of_five_who_choose_numbers_are_told_and_names_that_were_wished(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(6)]
        mine = round_of(db, place, story(db, place, people[0]))
        for each in people[1:]:
            choose(db, mine, 1, each, named=each == people[2])
        look(db, CLOSES)
        reasons = voices.list_reasons(db, candidate_of(db, mine, 1), 9)
        assert sorted(each.author_id or 0 for each in reasons) == [0, 0, 0, 0, people[2]]
        assert db.execute(select(models.candidates.c.voices)).scalar_one() == 5

    played(database_url, work)


def test_one_voice_each_that_can_be_changed(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(4)]
        mine = round_of(db, place, story(db, place, people[0]), story(db, place, people[1]))
        first = choose(db, mine, 1, people[2])
        choose(db, mine, 2, people[2])
        assert count(db, models.choices) == 1
        assert posts.find(db, first) is None  # what she said before is forgotten
        away = models.memberships.c.member_id == people[3]
        choose(db, mine, 1, people[3])
        db.execute(update(models.memberships).where(away).values(state="left"))
        look(db, CLOSES)
        chosen = models.candidates.c.chosen
        won = db.execute(select(models.candidates.c.story_id).where(chosen)).scalars()
        assert list(won) == [2]
        assert count(db, models.reasons) == 1  # nothing stays of who takes part no more

    played(database_url, work)


def test_two_processes_choose_and_count_at_once(database_url: str) -> None:
    """Each voice counts or comes too late; of one person there is never more than one."""
    with opened(database_url) as database:

        def prepare(db: Any) -> tuple[int, list[int]]:
            place = community(db)
            people = [member(db, place, number) for number in range(8)]
            return round_of(db, place, *(story(db, place, each) for each in people[:2])), people[2:]

        mine, people = database.run_now(prepare)
        other = Database(database_url)

        def tap(db: Any, who: int, which: int) -> bool:
            held = rounds.lock(db, mine)
            if held is None or not held.takes_choices(CLOSES - DAY):
                return False
            choose(db, mine, which, who)
            return True

        try:
            with ThreadPoolExecutor(6) as pool:
                taps = [
                    pool.submit(
                        (database, other)[number % 2].run_now,
                        lambda db, who=who, which=number % 2 + 1: tap(db, who, which),
                    )
                    for number, who in enumerate([*people, *people])
                ]
                ends = [pool.submit(each.run_now, lambda db: look(db, CLOSES))
                        for each in (database, other)]  # fmt: skip
                for each in ends:
                    each.result()
                accepted = {
                    who for who, each in zip([*people, *people], taps, strict=True) if each.result()
                }
        finally:
            other.close()

        def check(db: Any) -> None:
            found = rounds.find(db, mine)
            assert found is not None
            left = count(db, models.choices) + count(db, models.reasons)
            assert left >= len(accepted)
            if not found.again:
                assert count(db, models.reasons) == len(accepted)
                assert count(db, models.choices) == 0

        database.run_now(check)


def test_a_tie_is_chosen_among_again_and_then_decided(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(5)]
        ids = [story(db, place, each) for each in people[:3]]
        mine = round_of(db, place, *ids)
        choose(db, mine, ids[0], people[3])
        choose(db, mine, ids[1], people[4])
        look(db, CLOSES)
        found = rounds.find(db, mine)
        assert found is not None and found.again and found.state == READING
        assert [each.story_id for each in rounds.list_candidates(db, found)] == ids[:2]
        choose(db, mine, ids[0], people[4])
        choose(db, mine, ids[1], people[3])
        look(db, CLOSES + 3 * DAY)
        found = rounds.find(db, mine)
        assert found is not None and found.state == TIE
        look(db, CLOSES + 20 * DAY)  # nobody has decided: both are chosen
        look(db, CLOSES + 40 * DAY)
        found = rounds.find(db, mine)
        assert found is not None and found.state == CLOSED
        assert count(db, models.candidates, models.candidates.c.chosen) == 2
        assert told(db, "was chosen in {place}. Thank") == people[:2]
        assert told(db, "another one was chosen") == [people[2]]

    played(database_url, work)


def test_nobody_decides_about_her_own_story(database_url: str) -> None:
    async def play() -> None:
        stage = Stage(database_url)
        stage.load(transcript.programme(transcript.Transcript([], {"crafts": []}, [])))
        for name in ("Alex", "Sok"):
            stage.settle(stage.add(name, "telegram", "en"), "crafts", "facilitator")

        def tie(db: Any) -> list[int]:
            alex, sok = db.execute(
                select(models.members.c.id).order_by(models.members.c.id)
            ).scalars()
            ids = [story(db, 1, alex), story(db, 1, member(db, 1, 7))]
            mine = round_of(db, 1, *ids)
            for chooser, each in zip((sok, member(db, 1, 8)), ids, strict=True):
                choose(db, mine, each, chooser)
            rounds.change(db, mine, again=True)
            settling.look(db, CLOSES)
            return ids

        clock.move(CLOSES - clock.now())
        try:
            first, _second = stage.app.database.run_now(tie)
            await stage.later(timedelta(minutes=1))
            await do(stage, "Alex", "[Decide]")
            assert "another facilitator decides" in stage.people["Alex"].heard[-1].text
            await do(stage, "Sok", "[Decide]")
            await do(stage, "Sok", f"[Story {first}]")
            await do(stage, "Sok", "It goes on")
            assert any("It is decided" in each.text for each in stage.people["Sok"].heard)
        finally:
            await stage.close()

    asyncio.run(play())


def test_a_second_choice_is_counted_alone(database_url: str) -> None:
    """Seven chose among three; of those who choose again fewer than five do, or six."""

    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(10)]
        told_by = [story(db, place, each) for each in people[:3]]
        for again in (4, 6):
            mine = round_of(db, place, *told_by)
            for number, person in enumerate(people[3:]):
                choose(db, mine, told_by[number % 2] if number < 6 else told_by[2], person)
            look(db, CLOSES)
            for person in people[3 : 3 + again]:
                choose(db, mine, told_by[0], person)
            look(db, CLOSES + 5 * DAY)
            found = rounds.find(db, mine)
            assert found is not None and found.again
            counted = [each.voices for each in rounds.list_candidates(db, found, standing=False)]
            assert counted == ([None] * 3 if again < 5 else [6, 0, None])

    played(database_url, work)


def test_no_number_is_told_when_too_few_voices_are_left(database_url: str) -> None:
    """Of five voices two were for a story that was taken back since."""

    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(7)]
        ahead, other = story(db, place, people[0]), story(db, place, people[1])
        mine = round_of(db, place, ahead, other)
        for number, person in enumerate(people[2:]):
            choose(db, mine, ahead if number < 3 else other, person)
        look(db, CLOSES)
        taken = stories.find(db, other)
        assert taken is not None
        withdrawing.leave(db, CLOSES, taken, USES)
        look(db, CLOSES + 5 * DAY)
        assert told(db, "Chosen: story {number}.")
        assert not told(db, "{every} chose it")

    played(database_url, work)


def test_a_teller_who_has_left_hears_the_result(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(3)]
        mine = round_of(db, place, story(db, place, people[0]))
        choose(db, mine, 1, people[1])
        gone = models.memberships.c.member_id == people[0]
        db.execute(update(models.memberships).where(gone).values(state="left"))
        look(db, CLOSES)
        look(db, CLOSES + 5 * DAY)
        assert told(db, "was chosen in {place}. Thank") == [people[0]]
        assert told(db, "Chosen: story") == people[1:]

    played(database_url, work)


# Consent ----------------------------------------------------------------------------------------


def exported_now(db: Any, use: str) -> set[int]:
    """The numbers in a file made now."""
    _id, content = exporting.export(db, None, use, None, clock.now())
    sheet = load_workbook(io.BytesIO(content))["stories"]
    first = [row[0].value for row in sheet.iter_rows(min_row=2)]
    return {int(each) for each in first if str(each).isdecimal()}


@pytest.mark.parametrize("seed", range(3))
def test_nothing_without_consent_whatever_the_order(seed: int, database_url: str) -> None:
    """In chats, with a provider that fails now and then: read, choose, close, take back, forget."""
    drawn = random.Random(seed)

    async def play() -> None:
        stage = await cast(database_url)
        try:
            read = 0
            for _step in range(25):
                await act(stage, drawn)
                read += judge(stage)
            for _wait in range(3):
                await stage.later(timedelta(minutes=2))
                read += judge(stage)
            assert read  # there was something to be judged
        finally:
            await stage.close()

    asyncio.run(play())


TELLERS = ("Noy", "Mai")
READERS = ("Dara", "Alex")
# What happens, the usual more often than what ends it all.
KINDS = ("read", "read", "choose", "choose", "fail", "fail", "agree", "back", "open", "open",
         "late", "leave", "gone")  # fmt: skip
MARKS = {name: f"the loom of {name} 5512" for name in TELLERS}


async def cast(database_url: str) -> Stage:
    stage = Stage(database_url)
    stage.load(transcript.programme(transcript.Transcript([], {"crafts": []}, [])))
    for name, channel in (("Noy", "telegram"), ("Mai", "whatsapp"), ("Dara", "telegram"),
                          ("Alex", "telegram")):  # fmt: skip
        role = "facilitator" if name == "Alex" else "member"
        stage.settle(stage.add(name, channel, "en"), "crafts", role)
    for name in TELLERS:
        for words in ("story", MARKS[name], "[Skip]", "[Skip]", "[Skip]", "[I do not know]"):
            await do(stage, name, words)
        await agree(stage, name)
    await open_round(stage)
    return stage


async def do(stage: Stage, name: str, words: str) -> None:
    """What is not there to be tapped is not tapped."""
    try:
        if words.startswith("["):
            await stage.choose(name, words[1:-1])
        else:
            await stage.say(name, words)
    except (RuntimeError, ValueError, StopIteration):
        return
    clock.move(timedelta(seconds=5))
    await stage.deliver()


async def agree(stage: Stage, name: str) -> None:
    for words in ("[Who may read it]", "[Yes, all agree]", "[With my name]", "[Without my name]",
                  "[No]"):  # fmt: skip
        await do(stage, name, words)


async def open_round(stage: Stage) -> None:
    for words in ("facilitate", "[Stories]", "[Open a round]", "[Any kind]", "[The last year]",
                  "[In one week]", "[Open it]"):  # fmt: skip
        await do(stage, "Alex", words)


async def act(stage: Stage, drawn: random.Random) -> None:
    teller, reader = drawn.choice(TELLERS), drawn.choice(READERS)
    number = TELLERS.index(teller) + 1
    kind = drawn.choice(KINDS)
    if kind == "fail":
        broken = (500, {"ok": False, "error_code": 500, "description": "x"})
        stage.failing["sendMessage"] = [broken] * drawn.randint(1, 3)
    elif kind == "back":
        for words in ("my stories", f"[Story {number}]", "[Take it back]", "[Take it back]"):
            await do(stage, teller, words)
    elif kind == "agree":
        for words in ("my stories", f"[Story {number}]"):
            await do(stage, teller, words)
        await agree(stage, teller)
    elif kind == "open":
        await open_round(stage)
    elif kind in ("read", "choose"):
        await do(stage, reader, "read stories")
        await do(stage, reader, "[Next story]")
        if kind == "choose":
            for words in ("[Choose this one]", "Because it is hers", "[Without my name]"):
                await do(stage, reader, words)
    elif kind == "late":
        await stage.later(drawn.choice((timedelta(days=1), timedelta(days=8))))
    elif kind == "leave" and drawn.random() < 0.3:
        for words in ("leave", "[Leave]", "[Leave the group]"):
            await do(stage, teller, words)
    elif kind == "gone" and drawn.random() < 0.2:
        stage.app.database.run_now(
            lambda db: forgetting.begin(db, number, clock.now(), posts_too=False)
        )


def judge(stage: Stage) -> int:
    """What came to others since the last look was allowed at this moment, and so are files.

    How often somebody read a story of another one.
    """

    def allowed(db: Any) -> dict[str, set[int]]:
        table = models.consents.c
        live = select(table.story_id, table.use).where(table.withdrawn_at.is_(None))
        rows = list(db.execute(live))
        return {use: {row.story_id for row in rows if row.use == use} for use in USES}

    may = stage.app.database.run_now(allowed)
    for use in USES:
        assert stage.app.database.run_now(lambda db, use=use: exported_now(db, use)) == may[use]
    read = 0
    for person in stage.people.values():
        for bubble in person.unread:
            for number, name in enumerate(TELLERS, 1):
                if person.name != name and MARKS[name] in str(bubble):
                    assert number in may["community"], (person.name, str(bubble))
                    read += 1
        person.unread.clear()
    return read


@pytest.mark.parametrize("tried", [False, True], ids=["never tried", "tried in vain"])
@pytest.mark.parametrize("ending", ["[Take it back]", "[Who may read it]"])
def test_what_waits_is_not_said_when_consent_ends(
    ending: str, tried: bool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dara asks for a story, her provider does not take it, and Noy ends her consent meanwhile."""

    async def play() -> None:
        stage = await cast(database_url)
        try:
            if tried:
                broken = (500, {"ok": False, "error_code": 500, "description": "x"})
                stage.failing["sendMessage"] = [broken]
                await do(stage, "Dara", "read stories")
            else:
                with monkeypatch.context() as held:
                    held.setattr(stage, "deliver", _nothing)
                    await stage.say("Dara", "read stories")
            stage.app.database.run_now(lambda db: _end(db, ending))
            await stage.later(timedelta(minutes=5))
            heard = [str(each) for each in stage.people["Dara"].heard]
            assert not [each for each in heard if MARKS["Noy"] in each or "told by Noy" in each]
            assert not [each for each in heard if "taken back" in each]  # not even that it was
        finally:
            await stage.close()

    asyncio.run(play())


def test_changed_words_are_asked_back_from_files(database_url: str) -> None:
    """The new ones are in the next file; who reads them is named to nobody, and she hears why."""

    async def play() -> None:
        stage = await cast(database_url)
        try:
            for words in ("export stories", "[For the group]"):
                await do(stage, "Alex", words)
            for words in ("my stories", "[Story 1]", "[Change a part]", "[Who it is about]",
                          "Call me on 020 5555 1234"):  # fmt: skip
                await do(stage, "Noy", words)
            await stage.later(timedelta(minutes=1))
            heard = [str(each) for each in stage.people["Alex"].heard]
            assert sum("Please take story 1 out" in each for each in heard) == 1
            assert any("may tell who you are" in str(each) for each in stage.people["Noy"].heard)
            assert 1 in stage.app.database.run_now(lambda db: exported_now(db, "community"))
        finally:
            await stage.close()

    asyncio.run(play())


def test_a_group_she_has_left_gets_no_story_of_hers(database_url: str) -> None:
    """She was asked who may read it, and leaves before she answers; then she tries again."""

    async def play() -> None:
        stage = await cast(database_url)
        try:
            for words in ("story", "A new one", "[Skip]", "[Skip]", "[Skip]", "[I do not know]",
                          "[Who may read it]", "[It is only about me]"):  # fmt: skip
                await do(stage, "Mai", words)
            stage.app.database.run_now(lambda db: leave_all(db, "Mai"))
            for words in ("[Without my name]", "[No]", "my stories", "[Story 3]",
                          "[Who may read it]", "[It is only about me]"):  # fmt: skip
                await do(stage, "Mai", words)
            heard = [str(each) for each in stage.people["Mai"].heard]
            assert sum("not in that group any more" in each for each in heard) == 2
            assert 3 not in stage.app.database.run_now(lambda db: exported_now(db, "community"))
        finally:
            await stage.close()

    asyncio.run(play())


def test_a_story_she_has_begun_goes_on_behind_her_secret_word(database_url: str) -> None:
    """At its end the whole is read back to whoever holds the phone."""

    async def play() -> None:
        stage = await cast(database_url)
        try:
            for words in ("story", "Nobody knows this", "[Go on later]",
                          "secret word", "mango tree", "mango tree"):  # fmt: skip
                await do(stage, "Mai", words)
            await stage.later(timedelta(hours=1))
            for words in ("story", "[Go on]"):
                await do(stage, "Mai", words)
            assert "secret word" in str(stage.people["Mai"].heard[-1])
            await do(stage, "Mai", "mango tree")
            assert "2 of 4" in str(stage.people["Mai"].heard[-1])
        finally:
            await stage.close()

    asyncio.run(play())


def leave_all(db: Any, name: str) -> None:
    found = select(models.members.c.id, models.members.c.name)
    mine = [row.id for row in db.execute(found) if row.name == name]
    table = models.memberships
    db.execute(update(table).where(table.c.member_id.in_(mine)).values(state="left"))


async def _nothing() -> None:
    """Nobody sends anything for a while."""


def _end(db: Any, ending: str) -> None:
    """Consent ends, or goes on in another way: without her name."""
    consents.end(db, 1, clock.now())
    if ending == "[Who may read it]":
        consents.give(db, 1, "community", "nameless", "yes", clock.now())


def test_a_file_asked_for_by_chat_lacks_what_was_withdrawn_meanwhile(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(3)]
        db.execute(
            update(models.memberships)
            .where(models.memberships.c.member_id == people[2])
            .values(role="monitor")
        )
        ids = [story(db, place, each) for each in people[:2]]
        address = select(models.addresses.c.id).where(models.addresses.c.member_id == people[2])
        to = db.execute(address).scalar_one()
        asked = story_exports.add(db, people[2], "programme", ids, NOW)
        consents.end(db, ids[0], NOW)
        held = story_exports.mark_out(db, ids[0], USES, NOW)
        assert [each.id for each in held] == [asked]
        assert story_exports.mark_out(db, ids[0], USES, NOW) == []  # each file once
        content = exporting.find_made(db, to, asked)
        assert content is not None
        book = load_workbook(io.BytesIO(content))
        assert [row[0].value for row in book["stories"].iter_rows(min_row=2)][:1] == [str(ids[1])]
        assert [row[0].value for row in book["take out"].iter_rows(min_row=2)] == [str(ids[0])]
        assert exporting.find_made(db, to - 1, asked) is None  # it was somebody else who asked
        db.execute(update(models.memberships).values(role="member"))
        assert exporting.find_made(db, to, asked) is None  # her role is over

    played(database_url, work)


def test_no_organisation_is_named_once_a_group_is_discreet(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        teller = member(db, place, 1)
        id_ = story(db, place, teller, ())
        consents.give(db, id_, "community", "organisation", "yes", NOW)
        db.execute(update(models.members).values(organisation="Looms of the North"))

        def told_by() -> tuple[str, str | None]:
            [line] = story_exports.list_lines(db, "community", None)
            consent = consents.find(db, id_, "community")
            assert consent is not None
            assert consent.told == line.how
            refs = [each.table for each in refs_in(tale.teller(consent, teller))]
            return ",".join(refs), line.name

        assert told_by() == ("organisations", "Looms of the North")
        db.execute(update(models.communities).values(discreet=True))
        assert told_by() == ("", None)

    played(database_url, work)


def test_formulas_are_words_in_a_file(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        who = member(db, place, 1)
        id_ = story(db, place, who)
        text = '=HYPERLINK("http://x")'
        db.execute(update(models.bubbles).values(text=text))
        _export, content = exporting.export(db, None, "programme", None, NOW)
        rows = list(load_workbook(io.BytesIO(content))["stories"].iter_rows(min_row=2))
        assert rows[0][0].value == str(id_)
        assert rows[0][9].value == f"'{text}" and rows[0][9].data_type == "s"
        assert rows[0][3].value is None  # she is not named

    played(database_url, work)


def test_spoken_words_that_their_teller_stands_for(database_url: str) -> None:
    """What a computer heard, or a peer wrote down, is not hers until she says that it is right."""

    def work(db: Any) -> None:
        place = community(db)
        who, peer = member(db, place, 1), member(db, place, 2)
        id_ = stories.add(db, who, place, NOW)
        post_id = posts.add(db, who, said("", "voice"), NOW, kind="story", state="live")
        stories.put(db, id_, "happened", post_id)
        consents.give(db, id_, "programme", "nameless", "yes", NOW)
        stories.mark(db, id_, state="told", told_at=NOW)
        [bubble] = posts.list_bubbles(db, post_id)
        assert bubble.media_id is not None

        def happened() -> Any:
            _export, content = exporting.export(db, None, "programme", None, NOW)
            return load_workbook(io.BytesIO(content))["stories"]["J2"]

        heard = captions.show(db, bubble.media_id, "automatic", "We lend rise.", None, "en", NOW)
        assert happened().value == "[voice]"
        captions.show(db, bubble.media_id, "written", "We lend rice.", peer, "en", NOW)
        assert happened().value == "[voice]"
        written = captions.find(db, heard + 1)
        assert written is not None
        captions.stand_for(db, written)
        assert happened().value == "[voice] We lend rice."
        captions.refuse(db, bubble.media_id, NOW)
        assert happened().value == "[voice]"

    played(database_url, work)


# Who goes ---------------------------------------------------------------------------------------


def forget(db: Any, member_id: int) -> None:
    """As the job does it, from the first step to the last."""
    forgetting.begin(db, member_id, NOW, posts_too=False)
    now = NOW + timedelta(minutes=5)
    work: Any = erasing.forget.work
    for _turn in range(300):
        found = work(db, now)
        if not isinstance(found, Progress) or found.then is None:
            return
        work = found.then
    raise AssertionError("it does not end")


def test_with_who_is_forgotten_her_consent_ends(database_url: str) -> None:
    """Her story leaves rounds and files; what others said of it goes with it."""

    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(4)]
        ids = [story(db, place, each, USES) for each in people[:2]]
        mine = round_of(db, place, *ids)
        choose(db, mine, ids[0], people[2])
        choose(db, mine, ids[1], people[0])
        exporting.export(db, people[3], "public", None, NOW)
        forget(db, people[0])
        assert consents.list_live(db, ids[0]) == {}
        found = stories.find(db, ids[0])
        assert found is not None and found.member_id is None and found.state == "withdrawn"
        assert stories.list_parts(db, ids[0]) == []
        held = rounds.find(db, mine)
        assert held is not None
        assert [each.story_id for each in rounds.list_candidates(db, held)] == [ids[1]]
        assert count(db, models.choices) == 0  # her own voice, and the one for her
        assert told(db, "Please take story") == [people[3]]
        texts = db.execute(select(models.bubbles.c.text)).scalars()
        assert not [each for each in texts if each in (f"words of story {ids[0]}",)]
        assert exported_now(db, "public") == {ids[1]}

    played(database_url, work)


def test_rows_go_with_their_community(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(2)]
        mine = round_of(db, place, story(db, place, people[0]))
        choose(db, mine, 1, people[1])
        db.execute(models.communities.delete())
        for table in (models.stories, models.consents, models.rounds, models.candidates,
                      models.choices, models.story_parts):  # fmt: skip
            assert count(db, table) == 0, table.name

    played(database_url, work)


@pytest.mark.parametrize(("public", "said"), [(4, "from fewer than 5 people"), (5, "5 or more")])
def test_figures_count_by_consent_and_not_of_a_few(
    public: int, said: str, database_url: str
) -> None:
    """Seven tell one each, one of them two; one takes hers back."""

    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(7)]
        for number, each in enumerate([*people, people[0]]):
            story(db, place, each, USES if number < public else USES[:1])
        consents.end(db, 7, NOW)
        stories.mark(db, 7, state="withdrawn")
        found = stories.count_stories(db, place, "community", NOW - DAY, NOW + DAY)
        assert found == stories.Counted(told=7, people=6)
        assert stories.count_stories(db, place, "community", NOW + DAY, NOW + 2 * DAY).told == 0
        lines = figures(db, place)
        assert "Stories of change in January 2027: 5 or more." in lines
        assert f"The whole programme may read: {said}. Everybody: {said}." in lines
        assert lines[-1] == "Stories of change in December 2026: from fewer than 5 people."

    played(database_url, work)


def figures(db: Any, place: int) -> list[str]:
    """What is said a month later."""
    said = counting.reflected(db, communities.get(db, place), NOW + 31 * DAY)
    return [render(each, "en", lambda _ref, _language: "") for each in said]


def test_of_one_who_told_many_stories_no_number_is_told(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(5)]
        for number in range(9):
            story(db, place, people[number % 4], USES)
        assert "Stories of change in January 2027: from fewer than 5 people." in figures(db, place)
        assert not any("Everybody" in line for line in figures(db, place))

    played(database_url, work)


def test_a_result_waits_for_the_facilitator_and_not_for_ever(database_url: str) -> None:
    def work(db: Any) -> None:
        place = community(db)
        people = [member(db, place, number) for number in range(3)]
        mine = round_of(db, place, story(db, place, people[0]))
        choose(db, mine, 1, people[1])
        look(db, CLOSES)
        found = rounds.find(db, mine)
        assert found is not None and found.state == CHECKING
        assert told(db, "Chosen: story") == []
        consents.end(db, 1, NOW)  # she takes it back in the last moment
        look(db, CLOSES + 5 * DAY)
        assert told(db, "Chosen: story") == []
        assert told(db, "The round of stories in {place} is over. Thank you") == people

    played(database_url, work)
