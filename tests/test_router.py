"""The router: what comes twice, too late, from somebody else, too long, or breaks a step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, update

from bot import clock, models, seals
from bot.conversation import Conversation
from bot.i18n import catalogue, fold, graphemes, render, tidy, tidy_name, units
from bot.messages import Choice, Ref, Text
from bot.reading import split_number
from bot.store import conversations as talks
from bot.turn import Turn
from tests.stage import SECRET, Person, Stage

NAMES = {"en": "Crafts", "lo": "ຫັດຖະກຳ", "km": "សិប្បកម្ម"}
TOLD: list[str] = []  # what the steps below were given
BROKEN = {"is": False}

# Talks of our own, so that these tests do not change with the words of the real ones.
trial = Conversation("trial", command="trial", words="trial")
nested = Conversation("nested", command="nested", words="nested")


@trial.start
def start(turn: Turn) -> None:
    turn.data = {"secret": "kept with the talk"}
    community = Ref("communities", 1)
    turn.ask(
        Text("Which one?"),
        choices=(
            Choice("a", Text("Apple")),
            Choice("b", Text("Banana")),
            Choice("c", Text("{c}", {"c": community})),
        ),
        then=choose,
    )


@trial.step
def choose(turn: Turn) -> None:
    TOLD.append(f"choose {turn.choice}")
    turn.ask(Text("Why?"), then=why)


@trial.step
def why(turn: Turn) -> None:
    TOLD.append(f"why {turn.text}")
    if BROKEN["is"]:
        turn.say(Text("never said"))
        raise RuntimeError(turn.text)
    turn.say(Text("You say: {text}", {"text": turn.text}))


@nested.start
def start_nested(turn: Turn) -> None:
    turn.ask(
        Text("Left or right?"),
        choices=(Choice("l", Text("Left")), Choice("r", Text("Right"))),
        then=side,
    )


@nested.step
def side(turn: Turn) -> None:
    TOLD.append(f"side {turn.choice}")
    turn.say(Text("That way."))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """For what the database has no part in."""
    seals.use(seals.Keyring([seals.new_key()]))
    (tmp_path / "one.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path / 'one.db'}"


Act = Callable[[Stage], Coroutine[Any, Any, None]]


def play(url: str, act: Act, *channels: str) -> None:
    """Noy and Dara are in one community; the talks of this file are known."""
    TOLD.clear()
    BROKEN["is"] = False

    async def run() -> None:
        stage = Stage(url)
        _teach(stage)
        about = {"slug": "t", "names": NAMES, "contact": "help@example.org"}
        place = {"slug": "crafts", "names": NAMES, "language": "en", "timezone": "UTC"}
        stage.load({"programme": about, "communities": [place]})
        for name, channel in zip(("Noy", "Dara"), channels or ("telegram",) * 2, strict=True):
            stage.settle(stage.add(name, channel, "en"), "crafts")
        try:
            await act(stage)
            assert not stage.complaints(), stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


def _teach(stage: Stage) -> None:
    for each in (trial, nested):
        stage.app.conversations._add(each)


def heard(stage: Stage, name: str = "Noy") -> list[str]:
    """What she has not read yet."""
    person = stage.people[name]
    said = [each.text for each in person.unread]
    person.unread.clear()
    return said


def token(stage: Stage, name: str = "Noy", words: str = "Which one?") -> str:
    return stage.people[name].bubble_with(words).buttons[0][1].rpartition(".")[0]


async def tap(stage: Stage, name: str, data: str) -> None:
    person = stage.people[name]
    await stage.update(person, person.phone.tap(data, 1))


def now(stage: Stage, work: Any) -> Any:
    return stage.app.database.run_now(work)


def count(stage: Stage, table: str, **wanted: Any) -> int:
    found = getattr(models, table)
    statement = select(func.count()).select_from(found)
    for name, value in wanted.items():
        statement = statement.where(found.c[name] == value)
    return int(now(stage, lambda db: db.execute(statement).scalar_one()))


# Twice, and too late ----------------------------------------------------------------------------


def test_the_same_update_twice_is_one_turn(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        noy = stage.people["Noy"]
        update = noy.phone.say("/trial")
        for _ in range(3):
            await stage.update(noy, update)
        assert heard(stage) == ["Which one?"]
        assert count(stage, "inbox") == 1

    play(database_url, act)


def test_a_replay_after_a_month(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        noy = stage.people["Noy"]
        update = noy.phone.say("/trial")
        await stage.update(noy, update)
        heard(stage)
        await stage.later(timedelta(days=31))
        await stage.restart()
        _teach(stage)
        await stage.update(noy, update)
        assert heard(stage) == []

    play(database_url, act)


def test_two_at_once_are_one_turn(database_url: str) -> None:
    """The provider repeats while the first is still being worked on."""

    async def act(stage: Stage) -> None:
        noy = stage.people["Noy"]
        channel = stage.channel(noy)
        headers = {"x-telegram-bot-api-secret-token": SECRET}
        events = channel.receive("", headers, json.dumps(noy.phone.say("/trial")).encode())
        await asyncio.gather(*(stage.app.take(channel, events) for _ in range(5)))
        await stage.deliver()
        assert heard(stage) == ["Which one?"]

    play(database_url, act)


def test_a_double_tap_is_one_tap(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        data = f"{token(stage)}.1"
        await tap(stage, "Noy", data)
        await tap(stage, "Noy", data)
        assert TOLD == ["choose b"]
        assert heard(stage) == ["Which one?", "Why?"]
        await stage.say("Noy", "because")
        assert TOLD[-1] == "why because"

    play(database_url, act)


def test_a_choice_is_taken_once(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        given = token(stage)
        await tap(stage, "Noy", f"{given}.1")
        await tap(stage, "Noy", f"{given}.0")
        assert TOLD == ["choose b"]
        heard(stage)
        clock.move(timedelta(minutes=3))
        await tap(stage, "Noy", f"{given}.1")
        assert TOLD == ["choose b"]
        said = heard(stage)
        assert said, "a kind sentence"
        assert said[-1] == "Why?", "and the question that still stands"

    play(database_url, act)


@pytest.mark.parametrize("data", ["nobody's.0", "", "x", ".0", "{token}.3", "{token}.99"])
def test_choices_that_are_none(sqlite_url: str, data: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        heard(stage)
        await tap(stage, "Noy", data.replace("{token}", token(stage)))
        assert TOLD == []
        assert heard(stage)[-1] == "Which one?"
        assert count(stage, "inbox", state="parked") == 0

    play(sqlite_url, act)


def test_somebody_elses_choice(sqlite_url: str) -> None:
    async def act(stage: Stage) -> None:
        for name in ("Noy", "Dara"):
            await stage.say(name, "/trial")
        await tap(stage, "Dara", f"{token(stage, 'Noy')}.0")
        assert TOLD == []
        await tap(stage, "Noy", f"{token(stage, 'Noy')}.0")
        assert TOLD == ["choose a"]

    play(sqlite_url, act)


def test_the_choice_of_a_talk_that_was_overtaken(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", "/nested")
        await tap(stage, "Noy", f"{token(stage)}.0")
        assert TOLD == ["choose a"]
        heard(stage)
        await tap(stage, "Noy", f"{token(stage, words='Left')}.0")
        assert "side l" not in TOLD, "the talk above it is over"

    play(database_url, act)


def test_a_talk_that_was_overtaken_repeats_its_question(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", "/nested")
        heard(stage)
        await stage.say("Noy", "2")
        assert TOLD == ["side r"]
        assert heard(stage) == ["That way.", "Which one?"]
        await stage.say("Noy", "1")
        assert TOLD[-1] == "choose a"

    play(database_url, act)


def test_the_choice_of_a_talk_that_has_expired(sqlite_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        assert count(stage, "conversations") == 1
        data = f"{token(stage)}.0"
        clock.move(timedelta(days=8))
        await tap(stage, "Noy", data)
        assert TOLD == []
        assert len(heard(stage)) >= 2

    play(sqlite_url, act)


def test_what_belongs_to_an_expired_talk_is_forgotten(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.later(timedelta(days=6))
        assert count(stage, "conversations") == 1
        await stage.later(timedelta(days=2))
        assert count(stage, "conversations") == 0

    play(database_url, act)


# Steps that are gone, steps that break ----------------------------------------------------------


def _store_talk(stage: Stage, state: dict[str, Any]) -> None:
    def work(db: Any) -> None:
        address = db.execute(select(models.addresses.c.id).limit(1)).scalar_one()
        talks.save(db, address, state, clock.now() + timedelta(days=1))

    now(stage, work)


def test_a_step_of_another_release(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        gone = {"step": "trial.gone", "data": {}, "message_id": None, "question_id": None}
        _store_talk(stage, gone | {"beneath": None})
        await stage.say("Noy", "my answer")
        said = heard(stage)
        assert said[0].startswith("That has changed")
        assert stage.people["Noy"].heard[-1].buttons, "the menu"
        assert count(stage, "conversations") == 0
        await stage.say("Noy", "/trial")
        assert heard(stage) == ["Which one?"]

    play(database_url, act)


def test_a_choice_of_a_step_of_another_release(sqlite_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        del stage.app.conversations.steps["trial.choose"]
        await tap(stage, "Noy", f"{token(stage)}.0")
        assert TOLD == []
        assert any("That has changed" in said for said in heard(stage))

    play(sqlite_url, act)


def test_a_talk_stored_in_another_shape(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        _store_talk(stage, {"step": "trial.why", "data": {}})
        await stage.say("Noy", "my answer")
        assert heard(stage)

    play(database_url, act)


def test_a_step_that_raises(database_url: str) -> None:
    words = "my answer, which nobody must lose"

    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", "1")
        before = now(stage, _raw_talk)
        heard(stage)
        BROKEN["is"] = True
        await stage.say("Noy", words)
        [sorry] = heard(stage)
        assert "orry" in sorry
        assert "never said" not in sorry
        assert now(stage, _raw_talk) == before, "the talk stands where it stood"
        _assert_parked(stage, words)
        BROKEN["is"] = False
        await stage.say("Noy", "again")
        assert heard(stage) == ["You say: again"]
        assert count(stage, "inbox", state="parked") == 1

    play(database_url, act)


def _raw_talk(db: Any) -> bytes:
    return bytes(db.exec_driver_sql("SELECT state FROM conversations").scalar_one())


def _assert_parked(stage: Stage, words: str) -> None:
    parked = select(models.inbox.c.reason, models.inbox.c.payload)
    row = now(stage, lambda db: db.execute(parked.where(models.inbox.c.state == "parked")).one())
    assert row.reason == "RuntimeError"
    assert words in row.payload
    raw = "SELECT payload FROM inbox WHERE state = 'parked'"
    sealed = bytes(now(stage, lambda db: db.exec_driver_sql(raw).scalar_one()))
    assert words.encode() not in sealed, "sealed"


def test_a_broken_turn_that_is_repeated_says_sorry_once(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", "1")
        heard(stage)
        BROKEN["is"] = True
        noy = stage.people["Noy"]
        update = noy.phone.say("x")
        for _ in range(3):
            await stage.update(noy, update)
        assert len(heard(stage)) == 1

    play(database_url, act)


# What people write ------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["2", "໒", "២", " 2. ", "banana", "BANANA!", "Banana"])
def test_a_choice_that_is_typed(sqlite_url: str, typed: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", typed)
        assert TOLD == ["choose b"]

    play(sqlite_url, act)


@pytest.mark.parametrize("typed", sorted(NAMES.values()))
def test_a_label_in_any_language(sqlite_url: str, typed: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", typed)
        assert TOLD == ["choose c"]

    play(sqlite_url, act)


@pytest.mark.parametrize("language", ["km", "lo"])
def test_a_word_in_another_language_than_hers(sqlite_url: str, language: str) -> None:
    stop = next(
        each.words for each in Stage(sqlite_url).app.conversations.all if each.name == "stop"
    )
    word = catalogue(language).gettext(stop).split(",")[0].strip()
    assert word.casefold() not in stop, "translated"

    async def act(stage: Stage) -> None:
        await stage.say("Noy", word)
        assert count(stage, "members", state="stopped") == 1

    play(sqlite_url, act)


@pytest.mark.parametrize("typed", ["7", "໙", "pear", "0", "12"])
def test_a_wrong_choice_reaches_no_step(sqlite_url: str, typed: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        heard(stage)
        await stage.say("Noy", typed)
        assert TOLD == []
        assert "Which one?" in heard(stage)[-1]
        await stage.say("Noy", "1")
        assert TOLD == ["choose a"]

    play(sqlite_url, act)


async def ask(stage: Stage, name: str, text: str) -> None:
    """A question, from its words to its peers."""
    await stage.say(name, text)
    await stage.later(timedelta(seconds=5))
    await stage.say(name, "1")
    await stage.later(timedelta(seconds=5))


@pytest.mark.parametrize("number", ["101", "Q101", "q101", "໑໐໑", "១០១", "Q໑໐໑", "101."])
def test_the_number_of_a_thread_in_any_digits(sqlite_url: str, number: str) -> None:
    async def act(stage: Stage) -> None:
        await ask(stage, "Noy", "How do you count the baskets?")
        heard(stage, "Dara")
        await stage.say("Dara", number)
        [shown] = heard(stage, "Dara")
        assert "Q101" in shown
        assert "How do you count the baskets?" in shown
        heard(stage, "Noy")
        await stage.say("Dara", f"{number} With letters on them.")
        await stage.later(timedelta(seconds=5))
        assert "With letters on them." in "\n".join(heard(stage, "Noy"))

    play(sqlite_url, act)


@given(
    number=st.integers(100, 99_999_999),
    zero=st.sampled_from("0໐០"),
    rest=st.text(alphabet="abc ຂກ\n?", max_size=12),
    blank=st.sampled_from([" ", "\n", "  "]),
)
@settings(max_examples=80)
def test_a_number_before_an_answer(number: int, zero: str, rest: str, blank: str) -> None:
    typed = "".join(chr(ord(zero) + int(digit)) for digit in str(number))
    found, text = split_number(f"{typed}{blank}{rest}")
    assert found == number
    assert "".join(text.split()) == "".join(rest.split())


@given(st.text(max_size=40))
@settings(max_examples=100)
def test_any_text_has_a_number_or_stays_what_it_is(text: str) -> None:
    number, rest = split_number(text)
    assert number is not None or rest == text
    fold(text)


MARKUP = regex.compile(r"[\n\r*_~`<>\[\]|\p{Bidi_Control}]")


@given(st.text() | st.text(alphabet="ab*_<>\n\r\u202e\u2066\u200b[]`ກ\u0eb3 "))
@settings(max_examples=150)
def test_a_name_fits_into_one_line_of_others(text: str) -> None:
    name = tidy_name(text)
    assert not MARKUP.search(name)
    assert graphemes(name) <= 40
    assert tidy(name) == name


@pytest.mark.parametrize(
    "typed", ["*Mai*\n<b>x</b>", "Mai\u202eiaM", "[Mai](http://x)", "{name}", "%(x)s", "M" * 500]
)
def test_names_as_others_see_them(sqlite_url: str, typed: str) -> None:
    """From a code to a member, whatever she calls herself."""

    async def act(stage: Stage) -> None:
        mai = stage.add("Mai", "telegram", "en")
        await stage.say("Mai", stage.code("crafts"))
        for said in ("1", "1", typed, "1"):
            await stage.say("Mai", said)
        wanted = select(models.members.c.name).where(models.members.c.state == "active")
        names = now(stage, lambda db: list(db.execute(wanted).scalars()))
        assert tidy_name(typed) in names
        heard(stage, "Dara")
        await ask(stage, "Mai", "How do you count the baskets?")
        told = "\n".join(heard(stage, "Dara"))
        assert tidy_name(typed) in told
        assert "\u202e" not in told
        assert mai.heard

    play(sqlite_url, act)


BRACES = ["{", "}", "{}", "{0}", "{name}", "{post.__class__}", "%", "%s", "%(n)d", "{{", "a", " "]


@given(st.lists(st.sampled_from(BRACES), max_size=8).map("".join))
@settings(max_examples=80)
def test_braces_and_percents_are_only_signs(words: str) -> None:
    text = Text("{n} of {post}", {"n": 1, "post": words})
    assert render(text, "en", lambda *_: "") == f"1 of {words}"
    by_ref = Text("{post}: {name}", {"post": Ref("posts", 1), "name": Text("{x}", {"x": words})})
    assert render(by_ref, "lo", lambda *_: words) == f"{words}: {words}"


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "simulator"])
def test_braces_arrive_as_they_were_written(sqlite_url: str, channel: str) -> None:
    words = "Is it {name} or {0.__class__}, 100% or %(x)s? <b>&amp;</b> *_`"

    async def act(stage: Stage) -> None:
        await ask(stage, "Noy", words)
        told = "\n".join(heard(stage, "Dara"))
        assert words in told
        assert count(stage, "inbox", state="parked") == 0

    play(sqlite_url, act, channel, channel)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "simulator"])
def test_a_huge_text_arrives_whole(sqlite_url: str, channel: str) -> None:
    words = " ".join(f"ຄຳ{number}ถาม" for number in range(2200))
    assert len(words) > 20_000 - 2_000

    async def act(stage: Stage) -> None:
        await ask(stage, "Noy", words)
        parts = heard(stage, "Dara")
        limit = 4096 if channel != "whatsapp" else 1600
        assert max(units(part) for part in parts) <= limit
        assert words.replace(" ", "") in "".join("".join(part.split()) for part in parts)
        assert count(stage, "inbox", state="parked") == 0

    play(sqlite_url, act, channel, channel)


@pytest.mark.parametrize("typed", ["9" * 5000, "ກ" * 20_000, "/" + "x" * 20_000, "\n" * 9000 + "a"])
def test_huge_text_as_an_answer(sqlite_url: str, typed: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", "1")
        heard(stage)
        await stage.say("Noy", typed)
        assert ["choose a", f"why {typed.strip()}"] == TOLD
        assert "".join(part.strip() for part in heard(stage)).endswith(typed.strip()[-100:])

    play(sqlite_url, act)


def test_a_huge_number_as_a_reply_to_a_list(sqlite_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.reply("Noy", "Which one?", "9" * 5000)
        assert count(stage, "inbox", state="parked") == 0

    play(sqlite_url, act)


def test_half_an_emoji(sqlite_url: str) -> None:
    """What a page or an app cuts in the middle of a surrogate pair."""

    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        await stage.say("Noy", "1")
        await stage.say("Noy", "yes \ud83d")
        assert TOLD[-1] == "why yes"

    play(sqlite_url, act)


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "\0", "\u202e", "🙂", "?", "...", "\x1b[2J"])
def test_nearly_nothing_parks_nothing(sqlite_url: str, typed: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", typed)
        await stage.say("Noy", "/trial")
        await stage.say("Noy", typed)
        assert TOLD == []
        assert count(stage, "inbox", state="parked") == 0

    play(sqlite_url, act)


# Cost -------------------------------------------------------------------------------------------


@contextmanager
def statements(stage: Stage) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_db: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(stage.app.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(stage.app.database.engine, "before_cursor_execute", note)


async def turn(stage: Stage, person: Person, text: str) -> list[str]:
    """The statements of one turn, without the sending."""
    channel = stage.channel(person)
    body = person.phone.say(text)
    with statements(stage) as seen:
        [inbound] = channel._read("k" + text, body)  # type: ignore[attr-defined]
        await stage.app.router.take(inbound)
    return seen


def test_a_step_takes_at_most_ten_statements(database_url: str) -> None:
    async def act(stage: Stage) -> None:
        noy = stage.people["Noy"]
        for text in ("/trial", "2", "because", "/ask", "menu"):
            seen = await turn(stage, noy, text)
            await stage.deliver()
            assert 3 <= len(seen) <= 10, (text, seen)

    play(database_url, act)


def test_a_question_with_its_draft(database_url: str) -> None:
    """The step that does most before anything is sent."""

    async def act(stage: Stage) -> None:
        noy = stage.people["Noy"]
        await turn(stage, noy, "/ask")
        await stage.deliver()
        seen = await turn(stage, noy, "How do you count the baskets?")
        assert len(seen) <= 10, len(seen)

    play(database_url, act)


def test_no_statement_holds_what_she_wrote(sqlite_url: str) -> None:
    async def act(stage: Stage) -> None:
        seen = await turn(stage, stage.people["Noy"], "a canary question of hers")
        assert seen
        assert not any("canary" in each for each in seen)

    play(sqlite_url, act)


def test_her_talk_is_sealed(sqlite_url: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.say("Noy", "/trial")
        assert b"kept with the talk" not in now(stage, _raw_talk)
        column = update(models.conversations).values(expires_at=clock.now())
        now(stage, lambda db: db.execute(column))

    play(sqlite_url, act)
