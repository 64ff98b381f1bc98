"""What members send goes along with their words, is heard on the other app, and only there."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import av
import httpx
import pytest
from sqlalchemy import select

from bot import clock, models, parts
from bot.channels import Rejected, TryLater
from bot.channels.telegram import Telegram
from bot.messages import Media, Receipt
from bot.rehearsal import samples, transcripts
from bot.store import posts, stories
from bot.web import build
from bot.web.files import LASTS
from tests import stage as stages
from tests.stage import Heard, Stage

Story = Callable[[Stage], Awaitable[None]]
CAST = transcripts.parse("Noy [whatsapp, en] crafts\nDara [telegram, en] crafts")
NOT_NOW = TryLater("503", timedelta(seconds=5))


def play(database_url: str, story: Story) -> None:
    """Noy on WhatsApp and Dara on Telegram, of one group."""

    async def run() -> None:
        stage = Stage(database_url)
        stage.load(transcripts.programme(CAST))
        for name, channel in (("Noy", "whatsapp"), ("Dara", "telegram")):
            stage.settle(stage.add(name, channel, "en"), "crafts")
        try:
            await story(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(run())


async def ask(stage: Stage, who: str, content: bytes | None = None) -> None:
    """She asks by voice."""
    await stage.send_file(who, "voice", content)
    await wait(stage, 5)
    await stage.choose(who, "Send")
    await wait(stage, 5)


async def wait(stage: Stage, seconds: int) -> None:
    for _second in range(seconds):
        clock.move(timedelta(seconds=1))
        await stage.deliver()


def voices(stage: Stage, who: str) -> list[Heard]:
    return [each for each in stage.people[who].heard if each.text == "(voice.ogg)"]


def words(stage: Stage, who: str) -> str:
    return "\n".join(each.text for each in stage.people[who].heard)


def seconds(content: bytes) -> float:
    """How long it is when it is played; only what an app shows as a voice note."""
    with av.open(io.BytesIO(content)) as box:
        assert (box.format.name, box.streams.audio[0].codec_context.name) == ("ogg", "opus")
        assert not box.metadata
        heard = sum(frame.samples / frame.sample_rate for frame in box.decode(audio=0))
    return float(heard)


def uploads(stage: Stage) -> int:
    return sum(each["method"] == "sendVoice" for each in stage.requests)


@pytest.mark.parametrize(("asks", "hears"), [("Noy", "Dara"), ("Dara", "Noy")])
def test_it_is_heard_as_it_was_spoken(asks: str, hears: str, database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask(stage, asks)
        [voice] = voices(stage, hears)
        spoken = seconds(samples.read("voice"))
        assert seconds(voice.content) == pytest.approx(spoken, rel=0.02)
        assert voices(stage, asks) == [], "she knows what she said"

    play(database_url, story)


def test_words_wait_for_the_voice(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [NOT_NOW] * 3
        await ask(stage, "Noy")
        assert stage.people["Dara"].heard == []
        for _minute in range(12):
            await stage.later(timedelta(minutes=1))
        assert "(voice note, 0:03)" in words(stage, "Dara")
        assert len(voices(stage, "Dara")) == 1

    play(database_url, story)


def test_words_do_not_wait_for_ever_and_the_voice_follows(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [NOT_NOW] * 100
        await ask(stage, "Noy")
        for _minutes in range(16):
            await stage.later(timedelta(minutes=2))
        assert "(voice note: it has not arrived yet)" in words(stage, "Dara")
        assert voices(stage, "Dara") == []
        stage.failing["files"] = []
        for _hour in range(12):
            await stage.later(timedelta(minutes=30))
        assert "This has arrived now:\n\n(voice note, 0:03)" in words(stage, "Dara")
        assert len(voices(stage, "Dara")) == 1

    play(database_url, story)


def test_what_cannot_be_fetched_is_said(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [Rejected("path")]
        await ask(stage, "Noy")
        assert "Your voice note did not arrive." in words(stage, "Noy")
        assert "(voice note: it could not be fetched)" in words(stage, "Dara")
        assert uploads(stage) == 0

    play(database_url, story)


def busy(stage: Stage, method: str = "sendVoice") -> None:
    """Telegram takes the words, and not yet the voice."""
    said = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 60"}
    stage.failing[method] = [(429, said | {"parameters": {"retry_after": 60}})]


def test_a_restart_between_words_and_voice(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        busy(stage)
        await ask(stage, "Noy")
        assert ("Noy asks" in words(stage, "Dara"), voices(stage, "Dara")) == (True, [])
        await stage.restart()
        await wait(stage, 90)
        assert len(voices(stage, "Dara")) == 1
        assert words(stage, "Dara").count("Noy asks") == 1

    play(database_url, story)


def test_taken_back_between_words_and_voice(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        busy(stage)
        await ask(stage, "Noy")
        stage.app.database.run_now(lambda db: posts.hide(db, the_post(db)))
        await wait(stage, 90)
        assert voices(stage, "Dara") == []
        assert uploads(stage) == 1, "the one that was refused"

    play(database_url, story)


def the_post(db: Any) -> int:
    return int(db.execute(select(models.posts.c.id)).scalar_one())


def test_few_files_are_in_memory_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait for a film of 16 MB."""
    monkeypatch.setattr(parts, "AT_ONCE", 2)
    fill, upload, held = parts.fill, Telegram._upload, list[int]()

    async def counted(*given: Any) -> Any:
        held.append(held[-1] + 1 if held else 1)
        return await fill(*given)

    async def done(self: Telegram, media: Media) -> Any:
        sent = await upload(self, media)
        held.append(held[-1] - 1)
        return sent

    async def story(stage: Stage) -> None:
        for name in ("Mai", "Bopha", "Kham"):
            stage.settle(stage.add(name, "telegram", "en"), "crafts")
        monkeypatch.setattr(parts, "fill", counted)
        monkeypatch.setattr(Telegram, "_upload", done)
        await ask(stage, "Noy")
        assert uploads(stage) == 4 and max(held) == 2

    play(database_url, story)


def test_the_window_closes_between_words_and_voice(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.say("Noy", "hello")
        await wait(stage, 3)
        await stage.send_file("Dara", "voice")
        await wait(stage, 5)
        stage.failing["MediaUrl"] = [(400, {"code": 63016, "message": "no", "status": 400})]
        await stage.choose("Dara", "Send")
        await wait(stage, 10)
        assert ("Dara asks" in words(stage, "Noy"), voices(stage, "Noy")) == (True, [])
        await stage.say("Noy", "menu")
        await wait(stage, 10)
        if not voices(stage, "Noy"):
            await stage.say("Noy", "1")
            await wait(stage, 10)
        assert len(voices(stage, "Noy")) == 1
        assert words(stage, "Noy").count("Dara asks") == 1

    play(database_url, story)


def test_twilio_could_not_fetch_it(database_url: str) -> None:
    """Then words stand there instead."""

    async def story(stage: Stage) -> None:
        await ask(stage, "Dara")
        [sent] = [each for each in stage.requests if "MediaUrl" in each["fields"]]
        token = sent["fields"]["MediaUrl"].split("/")[-2]
        lane = next(each.lane for each in stage.app.channels if each.name == "whatsapp")
        [voice] = voices(stage, "Noy")
        failed = Receipt(lane, "media", token, voice.id, "63019")
        await stage.app.take(stage.channel(stage.people["Noy"]), [failed])
        await wait(stage, 60)
        assert words(stage, "Noy").count("The voice note could not be brought to this phone.") == 1
        assert words(stage, "Noy").count("Dara asks") == 1

    play(database_url, story)


def test_its_address(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask(stage, "Dara")
        [sent] = [each for each in stage.requests if "MediaUrl" in each["fields"]]
        path = sent["fields"]["MediaUrl"].removeprefix(stages.PUBLIC)
        _files, token, name = path.strip("/").split("/")
        assert (name, len(token)) == ("voice.ogg", 12)
        first, second = await call(stage, path), await call(stage, path)
        assert first.content == second.content == voices(stage, "Noy")[0].content
        assert (first.headers["cache-control"], first.headers["x-robots-tag"]) == (
            "no-store",
            "noindex",
        )
        none = await call(stage, f"/files/{token[:-1]}x/voice.ogg")
        assert (none.status_code, none.text) == (404, "no such file\n")
        assert (await call(stage, f"/files/{token}/photo.jpg")).text == none.text
        assert (await call(stage, path, "POST")).status_code == 405
        clock.move(LASTS + timedelta(minutes=1))
        late = await call(stage, path)
        assert (late.status_code, late.text, late.headers) == (404, none.text, none.headers)

    play(database_url, story)


def test_its_address_is_of_no_use_when_it_is_hidden(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask(stage, "Dara")
        [sent] = [each for each in stage.requests if "MediaUrl" in each["fields"]]
        path = sent["fields"]["MediaUrl"].removeprefix(stages.PUBLIC)
        stage.app.database.run_now(lambda db: posts.hide(db, the_post(db)))
        assert (await call(stage, path)).status_code == 404

    play(database_url, story)


def test_its_address_is_of_no_use_when_it_is_told_elsewhere_now(database_url: str) -> None:
    """Taken back here, the same recording goes on in a post that only she sees."""

    async def story(stage: Stage) -> None:
        await ask(stage, "Dara")
        [sent] = [each for each in stage.requests if "MediaUrl" in each["fields"]]
        path = sent["fields"]["MediaUrl"].removeprefix(stages.PUBLIC)

        def narrow(db: Any) -> None:
            was = posts.get(db, the_post(db))
            stories.copy(db, was.id, was.author_id or 0, clock.now())
            posts.hide(db, was.id)

        stage.app.database.run_now(narrow)
        assert (await call(stage, path)).status_code == 404

    play(database_url, story)


async def call(stage: Stage, path: str, method: str = "GET") -> httpx.Response:
    web = httpx.ASGITransport(build(stage.app, work=False))
    async with httpx.AsyncClient(transport=web, base_url=stages.PUBLIC) as client:
        return await client.request(method, path)


def test_what_was_sent_where_something_was_to_be_chosen_is_taken_up(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.say("Dara", "language")
        await wait(stage, 3)
        await stage.send_file("Dara", "voice")
        await wait(stage, 3)
        assert "I have kept what you sent. Please choose first:" in words(stage, "Dara")
        await stage.choose("Dara", "English")
        await wait(stage, 6)
        assert "Your question:\n\n(voice note, 0:03)" in words(stage, "Dara")

    play(database_url, story)


def test_nothing_of_it_is_in_a_request_but_its_address(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask(stage, "Dara")
        told = json.dumps([each["fields"] for each in stage.requests])
        [name] = stage.app.database.run_now(
            lambda db: list(db.execute(select(models.media.c.name)).scalars())
        )
        assert name not in told

    play(database_url, story)
