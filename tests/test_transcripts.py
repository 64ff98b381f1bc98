"""Voices into text: an engine on the other side of a real connection, strict and failing."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import docx
import pytest
from aiohttp import web
from sqlalchemy import select, update

from bot import clock, models
from bot.store import posts
from bot.voice import scribe as scribes
from tests.fakes.ears import KEY, Ears, listening
from tests.media.files import film
from tests.stage import Stage
from tests.test_privacy import in_store
from tests.voicing import (
    OUTSIDE,
    cast,
    heard,
    listen,
    member_of,
    pass_time,
    show,
    states,
)

SAID = "We weave with bamboo."
HEARD = (
    "This is what a computer heard in your voice note. Is it right?\n\n"
    f"automatic: {SAID}\n\n"
    "It was heard by the computer of this service. Your voice went nowhere else.\n"
    "[Right] [Correct it] [No text]"
)
ASKED = (
    f"Your voice note would be turned into text by a computer of {OUTSIDE}, so that those who "
    "cannot listen can read it. For that your voice is sent there.\n\n"
    "What you say without your name, and reports, never go there. You can change your answer in "
    "SETTINGS. Do you agree?\n[Yes] [No] [Ask me later]"
)

Play = Callable[[Stage, Ears], Awaitable[None]]


def play(database_url: str, work: Play, *, outside: bool = False, **of_stage: Any) -> None:
    async def run() -> None:
        async with listening() as ears:
            stage = cast(database_url, **of_stage)
            listen(stage, ears, outside=outside)
            await work(stage, ears)
            assert stage.complaints() == []
            await stage.close()

    asyncio.run(run())


async def write(stage: Stage) -> None:
    await stage.app.scribe.drain()
    await pass_time(stage)


def test_a_text_stands_under_the_voice(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        await write(stage)
        assert states(stage, media) == [("automatic", "shown", SAID)]
        assert heard(stage, "Noy") == [HEARD]
        assert heard(stage, "Dara") == heard(stage, "Mai") == []  # no second push
        assert [code for code, _seconds in ears.heard] == ["en"]
        assert ears.heard[0][1] == pytest.approx(6.8, abs=0.6)
        await stage.say("Dara", "101")
        found = heard(stage, "Dara")[0]
        assert f"\nautomatic: {SAID}" in found
        await write(stage)
        assert len(ears.heard) == 1  # once

    play(database_url, work)


def test_the_author_says_that_it_is_right(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        await write(stage)
        await stage.choose("Noy", "Right")
        assert heard(stage, "Noy")[-1] == "Thank you. It stands there as your own words."
        assert states(stage, media) == [("written", "shown", SAID)]
        await stage.say("Dara", "101")
        assert f"written down by Noy: {SAID}" in heard(stage, "Dara")[0]
        await write(stage)
        assert len(ears.heard) == 1

    play(database_url, work)


def test_the_author_corrects_it(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        await write(stage)
        await stage.choose("Noy", "Correct it")
        await stage.send_file("Noy", "sticker")
        assert heard(stage, "Noy")[-1].startswith("Please write it in words.")
        await stage.say("Noy", "We lend the money.")
        assert heard(stage, "Noy")[-1] == (
            "Thank you. From now on this goes along with it:\n\n"
            "written down by Noy: We lend the money."
        )
        assert states(stage, media) == [
            ("automatic", "replaced", None),
            ("written", "shown", "We lend the money."),
        ]

    play(database_url, work)


def test_the_author_wants_no_text(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        await write(stage)
        await stage.choose("Noy", "No text")
        assert "no text stands under your voice" in heard(stage, "Noy")[-1]
        assert states(stage, media) == [("automatic", "refused", None)]
        await stage.say("Dara", "101")
        assert SAID not in heard(stage, "Dara")[0]
        await write(stage)
        assert len(ears.heard) == 1

    play(database_url, work)


def test_without_the_programmes_setting_nothing_is_heard(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        await write(stage)
        assert (ears.heard, states(stage, media)) == ([], [])

    play(database_url, work, transcribe=False)


def test_who_needs_text_gets_it_once(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        likes = update(models.members).where(models.members.c.id == member_of(stage, "Dara"))
        stage.app.database.run_now(lambda db: db.execute(likes.values(likes="reads")))
        await show(stage, "Noy")
        await write(stage)
        assert heard(stage, "Dara") == [f"What Noy says in Q101:\n\nautomatic: {SAID}"]
        assert heard(stage, "Mai") == []
        await stage.choose("Noy", "Correct it")
        await stage.say("Noy", "Another word.")
        await pass_time(stage)
        assert heard(stage, "Dara") == []

    play(database_url, work)


# Consent -----------------------------------------------------------------------------------------


def test_outside_only_who_agrees(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        await write(stage)
        assert ears.heard == []
        assert heard(stage, "Noy") == [ASKED]
        await show(stage, "Noy")
        await write(stage)
        assert heard(stage, "Noy") == []  # asked once
        await stage.choose("Noy", "Yes")
        assert "You get each text" in heard(stage, "Noy")[-1].replace("you get", "You get")
        await write(stage)
        assert len(ears.heard) == 2
        assert len(heard(stage, "Noy")) == 2
        assert states(stage, media)[0][1] == "shown"

    play(database_url, work, outside=True)


@pytest.mark.parametrize("said", ["No", "Ask me later"])
def test_who_does_not_agree_is_not_heard(said: str, database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        await show(stage, "Dara")
        await write(stage)
        await stage.choose("Dara", said)
        await show(stage, "Dara")
        await write(stage)
        heard(stage, "Dara")
        clock.move(timedelta(days=1, minutes=1))
        await show(stage, "Dara")
        await write(stage)
        assert heard(stage, "Dara") == ([ASKED] if said == "Ask me later" else [])
        assert ears.heard == []

    play(database_url, work, outside=True)


def test_consent_is_withdrawn_while_a_voice_waits(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        await show(stage, "Noy")
        await write(stage)
        await stage.choose("Noy", "Yes")
        ears.answers = [web.Response(status=500)]
        await write(stage)
        assert len(ears.heard) == 1
        await stage.say("Noy", "my voice")
        await stage.choose("Noy", "No")
        clock.move(timedelta(hours=1))
        await write(stage)
        _post, media = await show(stage, "Noy")
        await write(stage)
        assert len(ears.heard) == 1
        assert states(stage, media) == [("automatic", "declined", None)]

    play(database_url, work, outside=True)


def test_a_yes_is_about_the_service_that_she_has_read_of(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        await show(stage, "Noy")
        await write(stage)
        values = {"service": "another.example"}
        stage.app.database.run_now(lambda db: db.execute(update(models.agreements).values(values)))
        heard(stage, "Noy")
        await stage.choose("Noy", "Yes")
        assert "turned into text by a computer of another.example?" in heard(stage, "Noy")[-1]
        answer = select(models.agreements.c.answer)
        assert stage.app.database.run_now(lambda db: db.execute(answer).scalar()) == "asked"
        await stage.choose("Noy", "Yes")
        assert stage.app.database.run_now(lambda db: db.execute(answer).scalar()) == "yes"

    play(database_url, work, outside=True)


def test_another_service_is_another_question(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        await show(stage, "Noy")
        await write(stage)
        await stage.choose("Noy", "Yes")
        await write(stage)
        values = {"service": "another.example"}
        stage.app.database.run_now(lambda db: db.execute(update(models.agreements).values(values)))
        heard(stage, "Noy")
        await show(stage, "Noy")
        await write(stage)
        assert heard(stage, "Noy") == [ASKED]
        assert len(ears.heard) == 1

    play(database_url, work, outside=True)


@pytest.mark.parametrize("outside", [True, False])
def test_what_has_no_name_never_goes_outside(outside: bool, database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy", named=False)
        await write(stage)
        found = states(stage, media)
        if outside:
            assert (ears.heard, found) == ([], [("automatic", "declined", None)])
        else:
            assert found == [("automatic", "shown", SAID)]
        assert [heard(stage, name) for name in stage.people] == [[], [], []]

    play(database_url, work, outside=outside)


GONE = {
    "hidden": lambda db, post, author: posts.hide(db, post),
    "erased": lambda db, post, author: _set(db, author, state="erasing"),
    "stopped": lambda db, post, author: _set(db, author, state="stopped"),
    "left": lambda db, post, author: db.execute(
        update(models.memberships)
        .where(models.memberships.c.member_id == author)
        .values(state="left")
    ),
    "the programme wants none": lambda db, post, author: db.execute(
        update(models.programmes).values(transcribe=False)
    ),
}


def _set(db: Any, member_id: int, **values: Any) -> None:
    db.execute(update(models.members).where(models.members.c.id == member_id).values(values))


@pytest.mark.parametrize("what", GONE)
def test_it_is_looked_at_again_right_before_sending(what: str, database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        post, media = await show(stage, "Noy")
        ears.answers = [web.Response(status=503)]
        await write(stage)
        author = member_of(stage, "Noy")
        stage.app.database.run_now(lambda db: GONE[what](db, post, author))
        clock.move(timedelta(hours=1))
        await write(stage)
        assert len(ears.heard) == 1
        assert states(stage, media) == [("automatic", "declined", None)]

    play(database_url, work)


def test_consent_that_ends_while_a_voice_is_brought(database_url: str) -> None:
    """Out of the vault, or out of a film, takes a while; then nothing is sent."""

    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        await write(stage)
        await stage.choose("Noy", "Yes")
        get, no = stage.app.scribe._get, update(models.agreements).values(answer="no")

        async def slow(name: str) -> bytes:
            stage.app.database.run_now(lambda db: db.execute(no))
            return await get(name)

        stage.app.scribe._get = slow
        await write(stage)
        assert ears.heard == []
        assert states(stage, media) == [("automatic", "declined", None)]

    play(database_url, work, outside=True)


def test_of_a_film_only_its_sound_is_heard(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        made = {"mime": "video/mp4", "kind": "video"}
        for content, state in ((film(7.0), "shown"), (film(sound=False), "failed")):
            _post, media = await show(stage, "Noy", content=content)
            of_film = update(models.media).where(models.media.c.id == media).values(made)
            stage.app.database.run_now(lambda db: db.execute(of_film))  # noqa: B023
            await write(stage)
            assert states(stage, media)[0][1] == state
        assert ears.heard == [("en", pytest.approx(7.0, rel=0.02))]
        assert ears.complaints == []  # it is OGG, and called so

    play(database_url, work)


def test_what_is_hidden_while_it_is_heard_gets_no_text(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        post, media = await show(stage, "Noy")
        ears.waits = 0.5
        hearing = asyncio.create_task(stage.app.scribe.drain())
        while not ears.heard:
            await asyncio.sleep(0.02)
        stage.app.database.run_now(lambda db: posts.hide(db, post))
        await hearing
        assert states(stage, media) == [("automatic", "declined", None)]
        assert heard(stage, "Noy") == []

    play(database_url, work)


# What is not believed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("", "silent"),
        ("  [music]  ", "silent"),
        ("Thank you for watching!", "silent"),
        ("ຂ້ອຍຕໍ່າຫູກດ້ວຍໄມ້ໄຜ່", "failed"),
        ("I know I know I know I know I know I know I know", "failed"),
        ("so many words " * 300, "failed"),
    ],
)
def test_nothing_is_invented(said: str, state: str, database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        ears.says = said
        _post, media = await show(stage, "Noy")
        await write(stage)
        assert states(stage, media) == [("automatic", state, None)]
        assert heard(stage, "Noy") == []  # she does not know of texts yet
        ears.says = SAID
        await show(stage, "Noy")
        await write(stage)
        heard(stage, "Noy")
        ears.says = said
        await show(stage, "Noy")
        await write(stage)
        [told] = heard(stage, "Noy")
        assert told.endswith("so no text stands under it.\n\nIt can be listened to as before.")
        assert heard(stage, "Dara") == []

    play(database_url, work)


# A service that fails ----------------------------------------------------------------------------

FAILS: dict[str, Callable[[], web.StreamResponse]] = {
    "too many": lambda: web.Response(status=429, headers={"Retry-After": "120"}),
    "its own fault": lambda: web.Response(status=500, text="a traceback"),
    "no key": lambda: web.Response(status=401),
    "no json": lambda: web.Response(text="<html>"),
    "another json": lambda: web.json_response({"words": "x"}),
    "a list": lambda: web.json_response(["x"]),
    "no text": lambda: web.json_response({"text": 7}),
    "huge": lambda: web.json_response({"text": "x" * (1 << 20)}),
    "a redirect": lambda: web.Response(status=307, headers={"Location": "/elsewhere"}),
    "another redirect": lambda: web.Response(
        status=302, headers={"Location": "http://169.254.169.254/latest"}
    ),
}


@pytest.mark.parametrize("how", FAILS)
def test_what_fails_is_tried_again(how: str, database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        ears.answers = [FAILS[how](), FAILS[how]()]
        _post, media = await show(stage, "Noy")
        await write(stage)
        assert states(stage, media) == [("automatic", "waiting", None)]
        await write(stage)
        assert len(ears.heard) == 1  # not at once
        clock.move(timedelta(minutes=3))
        await write(stage)
        assert len(ears.heard) == 2
        clock.move(timedelta(minutes=3))
        await write(stage)
        assert states(stage, media) == [("automatic", "shown", SAID)]
        assert ears.led_astray == 0

    play(database_url, work)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_it_never_takes_is_not_tried_again(status: int, database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        ears.answers = [web.Response(status=status)]
        _post, media = await show(stage, "Noy")
        await write(stage)
        clock.move(timedelta(days=1))
        await write(stage)
        assert (len(ears.heard), states(stage, media)) == (1, [("automatic", "failed", None)])

    play(database_url, work)


def test_a_slow_service_is_not_waited_for(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        listen(stage, ears, seconds=0.3)
        ears.waits = 3.0
        _post, media = await show(stage, "Noy")
        began = clock.steady()
        await write(stage)
        assert clock.steady() - began < 2
        assert states(stage, media) == [("automatic", "waiting", None)]

    play(database_url, work)


def test_it_is_given_up_in_the_end(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribes, "MOST_TRIES", 3)

    async def work(stage: Stage, ears: Ears) -> None:
        ears.answers = [web.Response(status=500) for _ in range(9)]
        _post, media = await show(stage, "Noy")
        for _ in range(6):
            await write(stage)
            clock.move(timedelta(hours=9))
        assert (len(ears.heard), states(stage, media)) == (3, [("automatic", "failed", None)])

    play(database_url, work)


def test_a_file_that_is_gone(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy")
        [name] = stage.app.vault.names()
        await stage.app.vault.remove(name)
        await write(stage)
        assert (ears.heard, states(stage, media)) == ([], [("automatic", "failed", None)])

    play(database_url, work)


def test_a_long_one_is_not_tried(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Noy", milliseconds=301_000)
        await write(stage)
        assert (ears.heard, states(stage, media)) == ([], [("automatic", "failed", None)])

    play(database_url, work)


def test_two_processes_share_the_work(database_url: str) -> None:
    """Each voice is heard once, and said once."""

    async def work(stage: Stage, ears: Ears) -> None:
        media = [(await show(stage, "Noy"))[1] for _ in range(4)]
        ears.waits = 0.1
        first, second = stage.app.scribe, listen(stage, ears)
        await asyncio.gather(first.drain(), second.drain())
        await pass_time(stage)
        assert len(ears.heard) == 4
        assert [states(stage, each)[0][1] for each in media] == ["shown"] * 4
        assert len(heard(stage, "Noy")) == 4

    play(database_url, work)


@contextmanager
def worker(stage: Stage, ears: Ears) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own on the same store and vault."""
    about = {
        "DATABASE_URL": stage.settings.database_url,
        "LINKLINE_KEYS": ",".join(stage.settings.keys()),
        "MEDIA_URL": str(stage.settings.media_url),
    }
    shift = str(clock.moved().total_seconds())
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scribing", ears.address, shift], env={**os.environ, **about}
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_that_is_killed_in_the_middle(database_url: str) -> None:
    """What it held is heard again when its lease is over, and said once."""

    async def work(stage: Stage, ears: Ears) -> None:
        _post, media = await show(stage, "Dara")
        ears.waits = 30.0
        with worker(stage, ears) as process:
            for _ in range(600):
                if ears.heard:
                    break
                await asyncio.sleep(0.05)
            assert process.poll() is None
        assert len(ears.heard) == 1
        ears.waits = 0.0
        await write(stage)
        assert states(stage, media) == [("automatic", "waiting", None)]
        clock.move(scribes.LEASE)
        await write(stage)
        await write(stage)
        assert len(ears.heard) == 2
        assert states(stage, media) == [("automatic", "shown", SAID)]
        assert heard(stage, "Dara") == [HEARD]

    play(database_url, work)


# For herself, and for nobody else ----------------------------------------------------------------


def test_my_data_has_it(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        await show(stage, "Dara")
        await write(stage)
        await stage.choose("Dara", "Yes")
        await write(stage)
        await stage.say("Dara", "my data")
        await stage.choose("Dara", "Send it here")
        await pass_time(stage)
        chat = stage.people["Dara"].address.partition(":")[2]
        file = docx.Document(io.BytesIO(stage.files[chat]))
        found = "\n".join(each.text for each in file.paragraphs)
        assert f"under what you said or showed: {SAID}" in found
        assert f"your voice may go to a computer of {OUTSIDE}" in found

    play(database_url, work, outside=True)


def test_nothing_is_in_the_clear(database_url: str) -> None:
    """Neither what was said, nor the key of the service."""

    async def work(stage: Stage, ears: Ears) -> None:
        ears.answers = [web.Response(status=500, text=f"{SAID} {KEY}")]
        await show(stage, "Dara")
        await write(stage)
        clock.move(timedelta(minutes=1))
        await write(stage)
        assert heard(stage, "Dara") == [HEARD]
        for mark in (SAID, KEY):
            assert mark.encode() not in in_store(database_url)

    play(database_url, work)


def test_who_is_forgotten_leaves_no_words(database_url: str) -> None:
    async def work(stage: Stage, ears: Ears) -> None:
        await show(stage, "Dara")
        await write(stage)
        await stage.choose("Dara", "Yes")
        await write(stage)
        await show(stage, "Dara")
        values = {"state": "erasing", "erasing_at": clock.now(), "erases_posts": True}
        gone = update(models.members).where(models.members.c.id == member_of(stage, "Dara"))
        stage.app.database.run_now(lambda db: db.execute(gone.values(values)))
        for _ in range(6):
            await stage.later(timedelta(minutes=1))
            await stage.app.fetcher.drain()
        await write(stage)
        assert len(ears.heard) == 1  # the second one goes nowhere
        for table in (models.captions, models.agreements, models.media):
            rows = select(table)
            assert stage.app.database.run_now(lambda db, rows=rows: db.execute(rows).all()) == []

    play(database_url, work, outside=True)
