"""Rehearsals: stored talks played on the simulator's phones, and exported as tests that pass."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import av
import pytest
from sqlalchemy import select

from bot import clock
from bot.app import App, list_channels
from bot.channels import simulator
from bot.media.vault import new_name
from bot.models import deliveries, media, messages
from bot.rehearsal import playing, room, samples, transcripts
from bot.rehearsal.phones import Bubble, Kept, Phones
from bot.rehearsal.playing import Step
from bot.rehearsal.room import NoSuchRehearsal, Play, Rehearsals
from bot.settings import Settings
from tests import transcript
from tests.child import PATIENCE
from tests.media.files import voice

CROSS = bool(os.environ.get("LINKLINE_CROSS"))  # `make soak`
WAITING = ("queued", "sending", "unknown")
NAMES = sorted(name for name, (_, why) in room.list_transcripts().items() if not why)


@pytest.fixture(autouse=True)
def phones(monkeypatch: pytest.MonkeyPatch) -> Phones:
    """Phones of this test alone, and people who look at them often."""
    found = Phones()
    monkeypatch.setattr(simulator, "phones", lambda: found)
    monkeypatch.setattr(playing, "phones", lambda: found)
    monkeypatch.setattr(room, "phones", lambda: found)
    monkeypatch.setattr(playing, "glance", glance)
    monkeypatch.setattr(simulator, "SLOW", 0.2)
    return found


@pytest.fixture
def usual(sqlite_template: Path, tmp_path: Path) -> Settings:
    (tmp_path / "usual.db").write_bytes(sqlite_template.read_bytes())
    return Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'usual.db'}")  # type: ignore[call-arg]


def live(usual: Settings, work: Callable[[App, Rehearsals], Awaitable[None]]) -> None:
    """A bot at work, with its rehearsals."""

    async def whole() -> None:
        app = App(usual)
        app.start_sending()
        try:
            await work(app, Rehearsals(app))
        finally:
            await app.stop()

    asyncio.run(whole())


async def play_to_the_end(rehearsals: Rehearsals) -> list[Step]:
    assert rehearsals.player is not None
    steps = []
    while (step := await rehearsals.player.step()).outcome != "over":
        steps.append(step)
    return steps


def stage_store(sqlite_template: Path, tmp_path: Path) -> str:
    (tmp_path / "stage.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path / 'stage.db'}"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.repeats] if number % 8 else [])
        for number, name in enumerate(NAMES)
    ],
)
def test_a_stored_talk_is_played_and_what_was_played_is_a_test(
    name: str, usual: Settings, sqlite_template: Path, tmp_path: Path, phones: Phones
) -> None:
    exported = tmp_path / "exported.txt"

    async def work(_app: App, rehearsals: Rehearsals) -> None:
        play = room.of_transcript(name)
        await rehearsals.begin(play)
        steps = await play_to_the_end(rehearsals)
        wrong = [each for each in steps if each.outcome not in ("done", "agrees")]
        assert wrong == [], [each.text for phone in phones.all.values() for each in phone.bubbles]
        marks = [each.mark for phone in phones.all.values() for each in phone.bubbles]
        assert "differs" not in marks
        exported.write_text(room.export(play), encoding="utf-8")

    live(usual, work)
    stored = transcript.read(room.TRANSCRIPTS / f"{name}.txt")
    if CROSS or said(transcript.read(exported)) != said(stored):  # else it is played as stored
        asyncio.run(transcript.play(exported, stage_store(sqlite_template, tmp_path)))


def said(talk: transcript.Transcript) -> transcript.Transcript:
    return replace(talk, title="", lines=[replace(each, number=0) for each in talk.lines])


# A talk of people


async def until(look: Callable[[], object], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.02)


def is_quiet(app: App) -> bool:
    """All that is due came to the phones, and is written down."""
    due = (deliveries.c.state != "queued") | (deliveries.c.due_at <= clock.now())
    waiting = select(deliveries.c.id).where(deliveries.c.state.in_(WAITING), due)
    told = select(messages.c.id).where(messages.c.audience.is_not(None))
    files = select(media.c.id).where(media.c.state == "waiting")
    with app.database.snapshot() as db:
        return all(db.execute(each).first() is None for each in (waiting, told, files))


async def glance(app: Any) -> None:
    """As long as it takes, and no longer: a moment is too short on a busy machine."""
    await asyncio.sleep(0.02)
    with suppress(TimeoutError):  # a provider may keep something waiting
        await until(lambda: is_quiet(app), 1)


class Hand:
    """Somebody at the page: writes on the phones as the page does."""

    def __init__(self, app: App, phones: Phones) -> None:
        self.app, self.phones = app, phones

    async def writes(self, id_: str, text: str = "", **more: object) -> None:
        await playing.write(self.app, self.phones.all[id_], {"text": text, **more})

    async def hears(self, id_: str, words: str) -> Bubble:
        def bubble() -> Bubble | None:
            shown = (each for each in self.phones.all[id_].bubbles if not each.mine)
            return next((each for each in shown if words in each.text), None)

        for _second in range(10):  # of the moved clock: nobody waits for a preview
            with suppress(TimeoutError):
                await until(bubble, 0.15)
                break
            clock.move(timedelta(seconds=1))
            self.app.wake()
        await until(bubble)
        found = bubble()
        assert found is not None
        return found

    async def taps(self, id_: str, bubble: Bubble, label: str) -> None:
        index = [each for each, _data in bubble.buttons].index(label)
        await playing.write(self.app, self.phones.all[id_], {"bubble": bubble.id, "button": index})


async def _talk(app: App, hand: Hand) -> None:
    """Two questions, a choice on the older one, a reply, codes, a restart and a day."""
    await hand.writes("alex", "Who sells online already?")
    await hand.taps("alex", await hand.hears("alex", "It goes to"), "Send")
    await hand.hears("alex", "Q101")
    first = await hand.hears("dara", "Q101")
    await hand.hears("noy", "Q101")
    await playing.later(app, timedelta(days=1))
    await hand.writes("noy", "ສະບາຍດີ")
    await hand.hears("noy", "ສະບາຍດີ!")
    await hand.writes("alex", "And who sells\nto hotels?")
    await hand.taps("alex", (await hand.hears("alex", "to hotels?")), "Send")
    await hand.hears("alex", "Q102")
    await hand.hears("dara", "Q102")
    asked = await hand.hears("noy", "Q102")
    await hand.taps("dara", first, first.buttons[0][0])
    await hand.hears("dara", "សូមសរសេរ ឬនិយាយចម្លើយ")
    await hand.writes("dara", "យើងលក់")
    await hand.hears("dara", "សូមអរគុណ។ ខ្ញុំផ្ញើ")
    await hand.hears("alex", "យើងលក់")
    await playing.restart(app)
    await hand.writes("noy", "ພວກເຮົາຂາຍ", reply_to=asked.id)
    await hand.hears("alex", "ພວກເຮົາຂາຍ")
    await hand.writes("alex", "[Send]")
    code = await playing.invite(app)
    await hand.writes("new", f"My code: {code}")
    await hand.hears("new", "English")
    await hand.writes("new", "1")
    await hand.hears("new", "Do you agree?")
    await until(lambda: is_quiet(app))


def export_of(
    usual: Settings, phones: Phones, play: Play, talk: Callable[[App, Hand], Awaitable[None]]
) -> str:
    found: list[str] = []

    async def work(app: App, rehearsals: Rehearsals) -> None:
        await rehearsals.begin(play)
        await talk(app, Hand(app, phones))
        found.append(room.export(play))

    reset = clock.reset

    def to_monday(_shift: timedelta = timedelta(0)) -> None:
        """The hour and the weekday at which transcripts begin: Mondays have their brief."""
        reset()
        clock.move(transcripts.BEGINS - clock.now())

    with mock.patch.object(clock, "reset", to_monday):
        live(usual, work)
    reset()
    return found[0]


def test_what_people_said_is_a_test(
    usual: Settings, sqlite_template: Path, tmp_path: Path, phones: Phones
) -> None:
    play = room.of_programme("demo-programme", ["noy", "dara", "alex"], newcomer=True)
    text = export_of(usual, phones, play, _talk)
    (tmp_path / "exported.txt").write_text(text, encoding="utf-8")
    asyncio.run(transcript.play(tmp_path / "exported.txt", stage_store(sqlite_template, tmp_path)))
    for line in (
        "programme demo-programme",
        "ນ້ອຍ [whatsapp, lo] crafts",
        "Alex [telegram, en] crafts facilitator",
        "Somebody new [whatsapp, lo]",
        "-- 1 day later --",
        "-- the bot restarts --",
        "Alex > [Send]",
        "Alex > \\[Send]",
        "Somebody new > My code: {crafts}",
        "Somebody new > [English]",
        'ដារា > "Who sells online already?" <- [ឆ្លើយ]',
    ):
        assert line in text.split("\n"), (line, text)


async def _failing_talk(app: App, hand: Hand) -> None:
    noy, dara = hand.phones.all["noy"], hand.phones.all["dara"]
    playing.set_provider(hand.phones.all["alex"], "slow")
    playing.set_provider(noy, "window")
    await playing.block(app, dara, True)
    await hand.writes("alex", "Who sells online already?")
    await hand.taps("alex", await hand.hears("alex", "It goes to"), "Send")
    await hand.hears("alex", "Q101")
    await asyncio.sleep(0.2)
    assert noy.bubbles == dara.bubbles == []
    playing.set_provider(noy, "works")
    await playing.block(app, dara, False)
    await hand.writes("noy", "ສະບາຍດີ")
    await hand.hears("noy", "Q101")
    playing.set_provider(noy, "busy")
    await hand.writes("noy", "ເມນູ")
    await asyncio.sleep(0.3)
    playing.set_provider(noy, "works")
    await playing.later(app, timedelta(minutes=1))
    await hand.hears("noy", "1. ຕັ້ງຄຳຖາມ")
    await hand.writes("alex", "not reached")
    await hand.hears("alex", "can be reached")
    await until(lambda: is_quiet(app))


def test_failures_are_in_the_test_too(
    usual: Settings, sqlite_template: Path, tmp_path: Path, phones: Phones
) -> None:
    play = room.of_programme("demo-programme", ["noy", "dara", "alex"], newcomer=False)
    text = export_of(usual, phones, play, _failing_talk)
    (tmp_path / "exported.txt").write_text(text, encoding="utf-8")
    asyncio.run(transcript.play(tmp_path / "exported.txt", stage_store(sqlite_template, tmp_path)))
    for line in (
        "ນ້ອຍ [simulator/whatsapp, lo] crafts",
        "ນ້ອຍ > (provider: window)",
        "ដារា > (blocks)",
        "ដារា > (unblocks)",
    ):
        assert line in text.split("\n"), (line, text)
    assert "slow" not in text


async def _talk_with_files(app: App, hand: Hand, answer: Kept) -> None:
    """A recording, and a file of one's own that answers it: they are no samples."""
    await hand.writes("alex", sent=hand.phones.put_away(RECORDED))
    await until(lambda: is_quiet(app))  # she sees how long it is, as on the stage
    asked = await hand.hears("alex", "It goes to")
    assert "(voice note, 0:07)" in asked.text
    await hand.taps("alex", asked, "Send")
    await hand.hears("alex", "Q101")
    heard = await hand.hears("noy", "Q101")
    await until(lambda: is_quiet(app))
    await hand.writes("noy", sent=hand.phones.put_away(answer), reply_to=heard.id)
    await hand.hears("alex", "answers Q101")
    await until(lambda: is_quiet(app))


RECORDED = Kept("voice", "voice", "audio/webm", voice(7.0))
NOTES = Kept("document", "document", "application/octet-stream", b"ten baskets")


@pytest.mark.parametrize(
    ("answer", "app", "heard"),
    [(RECORDED, "whatsapp", "(voice.ogg)"), (NOTES, "simulator/whatsapp", "(file.pdf)")],
)
def test_what_people_recorded_is_a_sample_in_the_test(
    answer: Kept, app: str, heard: str,
    usual: Settings, sqlite_template: Path, tmp_path: Path, phones: Phones,
) -> None:  # fmt: skip
    play = room.of_programme("demo-programme", ["noy", "dara", "alex"], newcomer=False)
    text = export_of(usual, phones, play, lambda bot, hand: _talk_with_files(bot, hand, answer))
    (tmp_path / "exported.txt").write_text(text, encoding="utf-8")
    asyncio.run(transcript.play(tmp_path / "exported.txt", stage_store(sqlite_template, tmp_path)))
    lines = text.split("\n")
    assert "Alex > (voice)" in lines
    assert "| (voice note, 0:03)" in lines
    assert f"ນ້ອຍ [{app}, lo] crafts" in lines
    assert f'ນ້ອຍ > "(ຂໍ້ຄວາມສຽງ, 0:03)" <- ({answer.kind})' in lines
    assert f"Alex < {heard}" in lines
    assert "0:07" not in text


def test_a_rehearsal_has_files_of_its_own(usual: Settings, phones: Phones) -> None:
    """Its worker removes what its store does not know: the usual files must not be among it."""
    folder = Path(usual.database_url.removeprefix("sqlite:///")).parent
    name = new_name()

    async def work(app: App, rehearsals: Rehearsals) -> None:
        await app.vault.put(name, b"a voice")
        await rehearsals.begin(room.of_transcript("question"))
        await Hand(app, phones).writes("s1", file="voice")
        await until(lambda: is_quiet(app))
        for _look in range(2):
            await app.fetcher.tidy()
        assert list(folder.glob("*-rehearsal-*.media/**/*"))
        await rehearsals.back()
        assert await app.vault.get(name) == b"a voice"

    live(usual, work)
    assert list(folder.glob("*-rehearsal-*")) == []


@pytest.mark.parametrize("kind", samples.LENGTHS)
def test_the_samples_are_as_long_as_is_said(kind: str) -> None:
    with av.open(io.BytesIO(samples.read(kind))) as sample:
        seconds = round((sample.duration or 0) / av.time_base)
    assert f"0:{seconds:02}" == samples.LENGTHS[kind]


def test_who_writes_by_hand_lets_time_go_on(usual: Settings, phones: Phones) -> None:
    async def work(app: App, rehearsals: Rehearsals) -> None:
        await rehearsals.begin(room.of_transcript("question"))
        assert rehearsals.player is not None
        await rehearsals.player.step()
        assert clock.stands()
        before = clock.now()
        await asyncio.sleep(0.05)
        assert clock.now() == before
        await Hand(app, phones).writes("s2", "hello")
        assert not clock.stands()
        assert before <= clock.now() < before + timedelta(seconds=30)

    live(usual, work)


# The store


def stores(usual: Settings) -> set[str]:
    folder = Path(usual.database_url.removeprefix("sqlite:///")).parent
    return {path.name for path in folder.glob("*.db")}


def test_the_usual_store_is_not_touched(usual: Settings, phones: Phones) -> None:
    """When it is back: the same store, phones and clock; nothing is left of the rehearsals."""
    path = Path(usual.database_url.removeprefix("sqlite:///"))
    people = list(phones.all.values())

    async def work(app: App, rehearsals: Rehearsals) -> None:
        clock.move(timedelta(hours=5))
        hand = Hand(app, phones)
        await hand.writes("alex", "hello")
        await hand.hears("alex", "invite code")
        await app.drain()
        kept, moved = list(phones.all["alex"].bubbles), clock.moved()
        play = room.of_programme("demo-programme", ["alex"], newcomer=True)
        await rehearsals.begin(play)
        before = path.read_bytes()
        assert rehearsals.about() is not None
        assert clock.moved() == timedelta(0)
        await playing.later(app, timedelta(days=3))
        await hand.writes("alex", "hello")
        await hand.hears("alex", "Write your question")
        first = stores(usual)
        await rehearsals.begin(play)
        assert len(first) == len(stores(usual)) == 2
        assert first != stores(usual)
        assert phones.all["alex"].bubbles == []
        assert path.read_bytes() == before
        await rehearsals.back()
        assert clock.moved() == moved >= timedelta(hours=5)
        assert list(phones.all.values()) == people
        assert phones.all["alex"].bubbles == kept
        assert rehearsals.about() is None
        assert app.settings is usual

    live(usual, work)
    assert stores(usual) == {"usual.db"}


def test_nobody_real_takes_part() -> None:
    """No provider is spoken to from a rehearsal."""
    real = Settings(  # type: ignore[call-arg]
        _env_file=None,
        public_url="https://bot.example.org",
        telegram_bot_token="123456:AAtest-token",
        telegram_webhook_secret="word",
    )
    channels = list_channels(room._settings(real))
    assert {each.name for each in channels} == {"simulator"}


def test_what_there_is_to_choose() -> None:
    found = room.list_programmes()
    assert set(found) >= {"demo-programme", "quiet-programme"}
    assert any(each.discreet for each in found["quiet-programme"].communities)
    assert {each.language for each in found["quiet-programme"].demo_members} == {"lo", "km", "en"}
    problems = {problem for _each, problem in room.list_transcripts().values()}
    assert problems == {"", "links"}
    for name, people in (("none", []), ("demo-programme", ["nobody"])):
        with pytest.raises(NoSuchRehearsal):
            room.of_programme(name, people, newcomer=True)
    with pytest.raises(NoSuchRehearsal):
        room.of_transcript("../test_rehearsal")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Noy [whatsapp, en]\nDara > hello", "people"),
        ("Noy [letter, en]\nNoy > hello", "channel"),
        ("# nothing", "empty"),
        ("with links of the real apps\nNoy [whatsapp, en]\nNoy > hello", "links"),
        ("what is this", "unreadable"),
    ],
)
def test_talks_that_cannot_be_played(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(room, "TRANSCRIPTS", tmp_path)
    assert room.list_transcripts()["odd"][1] == problem
    with pytest.raises(NoSuchRehearsal):
        room.of_transcript("odd")


# What differs


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("Noy < Nothing of the kind", "differs"),
        ("Noy > [No such choice]", "stuck"),
        ('Noy > "never said" <- thanks', "stuck"),
        ("Dara < Hello!", "silent"),
    ],
)
def test_what_is_not_as_written(
    line: str, outcome: str, usual: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = f"Noy [whatsapp, en] crafts\nDara [telegram, en] crafts\nNoy > hello\n{line}"
    (tmp_path / "odd.txt").write_text(talk, encoding="utf-8")
    monkeypatch.setattr(room, "TRANSCRIPTS", tmp_path)
    monkeypatch.setattr(playing, "PATIENCE", 3)

    async def work(_app: App, rehearsals: Rehearsals) -> None:
        await rehearsals.begin(room.of_transcript("odd"))
        steps = await play_to_the_end(rehearsals)
        assert [each.outcome for each in steps] == ["done", outcome]
        assert not clock.stands()

    live(usual, work)
