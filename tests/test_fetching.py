"""Files: fetched after the turn, cleaned, sealed, once; and what is told and removed otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import clock, models
from bot.channels import Gone, TryLater
from bot.media import fetching
from bot.media.fetching import Fetcher
from bot.media.shelves import ShelfDown
from bot.rehearsal import samples
from bot.store import media, posts, retention
from bot.upkeep import SWEEPS
from tests import transcript
from tests.media import files
from tests.stage import Stage

HOUR = timedelta(hours=1)
KINDS = [("telegram", "voice"), ("whatsapp", "voice"), ("telegram", "photo"), ("whatsapp", "photo")]
Story = Callable[[Stage], Coroutine[Any, Any, None]]


def play(url: str, story: Story, channel: str = "telegram") -> None:
    async def go() -> None:
        stage = Stage(url)
        try:
            stage.load(transcript.programme(transcript.Transcript([], {"crafts": []}, [])))
            for name in ("Noy", "Dara"):
                stage.settle(stage.add(name, channel, "en"), "crafts")
            await story(stage)
            assert not stage.complaints()
        finally:
            await stage.close()

    asyncio.run(go())


def rows(stage: Stage) -> list[Any]:
    statement = select(models.media).order_by(models.media.c.id)
    return stage.app.database.run_now(lambda db: list(db.execute(statement).all()))


def names(stage: Stage) -> set[str]:
    return set(stage.app.vault.names())


def unread(stage: Stage, name: str) -> str:
    found = "\n".join(map(str, stage.people[name].unread))
    stage.people[name].unread.clear()
    return found


async def ask_by(stage: Stage, kind: str = "voice", content: bytes | None = None) -> None:
    await stage.say("Noy", "ask")
    stage.people["Noy"].unread.clear()
    await stage.send_file("Noy", kind, content)


# Fetched ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channel", "kind"), KINDS)
def test_what_came_stands_in_the_vault(database_url: str, channel: str, kind: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_by(stage, kind)
        [row] = rows(stage)
        assert (row.state, row.kind, row.reference, row.due_at) == ("stored", kind, None, None)
        assert names(stage) == {row.name}
        content = await stage.app.vault.get(row.name)
        assert len(content) == row.size and row.owner_id is not None
        if kind == "voice":
            assert row.mime == "audio/ogg"
            assert abs(files.heard(content) - 3.0) < 0.06 and abs(row.milliseconds - 3000) < 60
        else:
            assert row.mime == "image/jpeg" and row.milliseconds is None
        assert "did not arrive" not in unread(stage, "Noy")

    play(database_url, story, channel)


def test_the_turn_does_not_wait_for_it(database_url: str) -> None:
    """She hears that it arrived while the provider is still asked for it."""

    async def story(stage: Stage) -> None:
        stage.failing["files"] = [TryLater("503", timedelta(minutes=1))]
        await ask_by(stage)
        clock.move(timedelta(seconds=5))  # a preview waits for more bubbles
        await stage.deliver()
        [row] = rows(stage)
        assert row.state == "waiting" and unread(stage, "Noy")

    play(database_url, story)


def test_it_is_tried_again_until_it_is_there(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [TryLater("503", timedelta(seconds=1)) for _ in range(5)]
        await ask_by(stage)
        tries = 0
        while rows(stage)[0].state == "waiting":
            clock.move(timedelta(minutes=5))
            await stage.app.fetcher.drain()
            tries += 1
        assert rows(stage)[0].state == "stored" and rows(stage)[0].attempts == 6
        assert tries <= 6 and names(stage) == {rows(stage)[0].name}

    play(database_url, story)


def test_after_a_day_it_is_given_up(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [TryLater("503", timedelta(seconds=1)) for _ in range(99)]
        await ask_by(stage)
        for _ in range(30):
            clock.move(HOUR)
            await stage.app.fetcher.drain()
        [row] = rows(stage)
        assert (row.state, row.reason, row.reference) == ("failed", "late", None)
        await stage.deliver()
        assert unread(stage, "Noy").count("Your voice note did not arrive.") == 1

    play(database_url, story)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (b"OggS" + b"\0" * 500, "broken", "It could not be opened. Please send it again."),
        (b"PK\x03\x04 a zip", "unfit", "It is of a kind that cannot be passed on."),
        (b"\0" * (17 << 20), "too_big", "It is too big: at most 16 MB can be passed on."),
    ],
)
def test_what_will_never_pass_is_told_once(
    database_url: str, channel: str, content: bytes, reason: str, words: str
) -> None:
    async def story(stage: Stage) -> None:
        await ask_by(stage, "voice", content)
        [row] = rows(stage)
        assert (row.state, row.reason, row.reference) == ("failed", reason, None)
        heard = unread(stage, "Noy")
        assert heard.count(words) == 1 and "Your voice note did not arrive." in heard
        clock.move(HOUR)
        await stage.app.fetcher.drain()
        await stage.deliver()
        assert "did not arrive" not in unread(stage, "Noy") and not names(stage)

    play(database_url, story, channel)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_what_is_gone_at_the_provider(database_url: str, channel: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [Gone("404"), Gone("404")]
        await ask_by(stage)
        clock.move(timedelta(minutes=1))
        await stage.app.fetcher.drain()
        await stage.deliver()
        [row] = rows(stage)
        assert (row.state, row.reason) == ("failed", "gone")
        assert "It could not be fetched. Please send it again." in unread(stage, "Noy")

    play(database_url, story, channel)


def test_what_is_told_of_before_it_is_there_is_fetched_then(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [Gone("404"), Gone("404")]
        await ask_by(stage)
        for _ in range(2):
            assert rows(stage)[0].state == "waiting"
            clock.move(timedelta(seconds=25))
            await stage.app.fetcher.drain()
        await stage.deliver()
        assert rows(stage)[0].state == "stored" and len(names(stage)) == 1
        assert "did not arrive" not in unread(stage, "Noy")

    play(database_url, story, "whatsapp")


def test_the_same_update_twice_is_one_file(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.say("Noy", "ask")
        person = stage.people["Noy"]
        sent = person.phone.voice()
        await stage.update(person, sent)
        await stage.update(person, sent)
        assert len(rows(stage)) == len(names(stage)) == 1

    play(database_url, story)


def test_who_has_stopped_is_told_nothing(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        stage.failing["files"] = [TryLater("503", timedelta(minutes=1))]
        await ask_by(stage)
        stopped = update(models.members).values(state="stopped")
        stage.app.database.run_now(lambda db: db.execute(stopped))
        stage.sent.clear()
        clock.move(HOUR)
        await stage.app.fetcher.drain()
        await stage.deliver()
        assert rows(stage)[0].state == "failed"
        assert "did not arrive" not in unread(stage, "Noy")

    play(database_url, story)


def test_a_full_disk_loses_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(stage: Stage) -> None:
        def full(*_: Any) -> None:
            raise ShelfDown("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(stage.app.vault, "put_now", full)
            await ask_by(stage)
            assert rows(stage)[0].state == "waiting"
        clock.move(HOUR)
        await stage.app.fetcher.drain()
        assert rows(stage)[0].state == "stored" and len(names(stage)) == 1

    play(database_url, story)


# Several at work --------------------------------------------------------------------------------


def _second(stage: Stage) -> Fetcher:
    return Fetcher(stage.app.database, stage.app.channels, stage.app.vault)


async def _wait_for_it(stage: Stage) -> None:
    """A voice that is still to be fetched."""
    stage.failing["files"] = [TryLater("503", timedelta(seconds=1))]
    await ask_by(stage)
    clock.move(timedelta(minutes=1))


def test_two_fetchers_fetch_it_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(stage: Stage) -> None:
        await _wait_for_it(stage)
        asked = 0
        bring = Fetcher._bring

        async def counted(self: Fetcher, lane: str, handle: str) -> bytes:
            nonlocal asked
            asked += 1
            return await bring(self, lane, handle)

        monkeypatch.setattr(Fetcher, "_bring", counted)
        await asyncio.gather(stage.app.fetcher.drain(), _second(stage).drain())
        assert (asked, rows(stage)[0].state, len(names(stage))) == (1, "stored", 1)

    play(database_url, story)


def test_who_was_overtaken_changes_nothing(database_url: str) -> None:
    """A lease ran out while its holder was slow: the file is there once, and stays."""

    async def story(stage: Stage) -> None:
        await _wait_for_it(stage)
        lanes = [each.lane for each in stage.app.channels]
        now = clock.now()
        [slow] = stage.app.database.run_now(
            lambda db: media.claim(db, lanes, now, fetching.LEASE, 4)
        )
        clock.move(fetching.LEASE + timedelta(seconds=1))
        await stage.app.fetcher.drain()
        [stored] = rows(stage)
        await _second(stage)._settle(slow)
        assert rows(stage) == [stored] and names(stage) == {stored.name}

    play(database_url, story)


def test_what_is_worked_on_for_long_stays_with_its_worker(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage) -> None:
        await _wait_for_it(stage)
        asked, held, bring = 0, asyncio.Event(), Fetcher._bring

        async def slow(self: Fetcher, lane: str, handle: str) -> bytes:
            nonlocal asked
            asked += 1
            await held.wait()
            return await bring(self, lane, handle)

        monkeypatch.setattr(Fetcher, "_bring", slow)
        monkeypatch.setattr(fetching, "RENEWED", 0.01)
        work = asyncio.create_task(stage.app.fetcher.drain())
        while not asked:
            await asyncio.sleep(0.01)
        clock.move(5 * fetching.LEASE)
        async with asyncio.timeout(90):
            while rows(stage)[0].due_at <= clock.now():
                await asyncio.sleep(0.01)
        await _second(stage).drain()
        held.set()
        await work
        assert (asked, rows(stage)[0].state, len(names(stage))) == (1, "stored", 1)

    play(database_url, story)


def test_one_that_is_slow_holds_up_nobody(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage) -> None:
        held = asyncio.Event()
        bring = Fetcher._bring
        first: list[str] = []

        async def slow(self: Fetcher, lane: str, handle: str) -> bytes:
            first.append(handle)
            if handle == first[0]:
                await held.wait()
            return await bring(self, lane, handle)

        monkeypatch.setattr(Fetcher, "_bring", slow)
        stage.app.fetcher.drain = _nothing  # type: ignore[method-assign]
        for _ in range(6):
            await ask_by(stage)
        work = asyncio.create_task(stage.app.fetcher.run())
        stage.app.fetcher.wake()
        for _ in range(400):
            await asyncio.sleep(0.05)
            if [each.state for each in rows(stage)].count("stored") == 5:
                break
        assert [each.state for each in rows(stage)].count("stored") == 5
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await stage.app.fetcher.stop()
        [waiting] = [each for each in rows(stage) if each.state == "waiting"]
        assert waiting.due_at <= clock.now()  # nobody need wait for the end of its lease

    play(database_url, story)


async def _nothing() -> None:
    """The task of the worker does it."""


# What goes --------------------------------------------------------------------------------------


def test_a_draft_that_is_dropped_takes_its_file_along(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_by(stage)
        assert len(names(stage)) == 1
        await stage.say("Noy", "cancel")
        for _ in range(2):  # a draft that nobody goes on with is dropped later
            stage.app.database.run_now(
                lambda db: retention.forget_drafts(db, clock.now() + HOUR, 99)
            )
            await stage.later(HOUR)
        assert not names(stage) and not rows(stage)

    play(database_url, story)


def test_a_removal_that_fails_is_tried_again_and_holds_up_nobody(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage) -> None:
        for _ in range(3):
            await ask_by(stage)
        [stuck, *_others] = rows(stage)
        remove = stage.app.vault.remove

        async def fails(name: str) -> None:
            if name == stuck.name:
                raise ShelfDown("no")
            await remove(name)

        now = clock.now()
        with monkeypatch.context() as patch:
            patch.setattr(stage.app.vault, "remove", fails)
            stage.app.database.run_now(lambda db: media.drop_hers(db, stuck.owner_id, now, 99))
            await stage.app.fetcher.drain()
            assert names(stage) == {stuck.name}
        clock.move(HOUR)
        await stage.app.fetcher.drain()
        assert not names(stage) and not rows(stage)

    play(database_url, story)


def test_what_no_row_names_is_removed_at_the_second_look(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await ask_by(stage)
        await stage.app.vault.put("0" * 32, b"left by a crash")
        assert await stage.app.fetcher.tidy() == 0
        assert await stage.app.fetcher.tidy() == 1
        assert names(stage) == {each.name for each in rows(stage)}

    play(database_url, story)


def test_used_is_whatever_outlives_it() -> None:
    assert {str(each) for each in media._uses()} >= {"bubbles.media_id", "records.media_id"}
    assert "media" in SWEEPS


# Without a name ---------------------------------------------------------------------------------


def test_what_came_without_a_name_leads_to_nobody(database_url: str) -> None:
    """In the envelope nothing names the file; opened it has another name, number and moment."""

    async def story(stage: Stage) -> None:
        await ask_by(stage)
        [first] = rows(stage)
        [post_id] = stage.app.database.run_now(
            lambda db: list(db.execute(select(models.posts.c.id)).scalars())
        )

        def take(db: Any) -> dict[str, Any]:
            [bubble] = posts.list_bubbles(db, post_id)
            held = media.take_out(db, bubble.media_id)
            assert held is not None
            return held

        held = stage.app.database.run_now(take)
        assert not rows(stage) and names(stage) == {first.name}
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        stage.app.database.run_now(lambda db: media.put_back(db, held, hour))
        await stage.app.fetcher.drain()
        [row] = rows(stage)
        assert (row.state, row.owner_id, row.lane, row.reference) == ("stored", None, "", None)
        assert row.created_at == hour and row.id != first.id and row.name != first.name
        assert (row.mime, row.size) == (first.mime, first.size)
        assert names(stage) == {row.name}
        content = await stage.app.vault.get(row.name)
        assert abs(files.heard(content) - files.heard(samples.read("voice"))) < 0.06

    play(database_url, story)


def test_what_was_not_fetched_yet_is_fetched_from_the_envelope(database_url: str) -> None:
    async def story(stage: Stage) -> None:
        await _wait_for_it(stage)
        [first] = rows(stage)

        def work(db: Any) -> None:
            held = media.take_out(db, first.id)
            assert held is not None and held["state"] == "waiting"
            media.put_back(db, held, clock.now())

        stage.app.database.run_now(work)
        assert rows(stage)[0].lane == ""
        await stage.app.fetcher.drain()
        assert rows(stage)[0].state == "stored" and names(stage) == {rows(stage)[0].name}

    play(database_url, story)
