"""Written down by peers, described by who took the photo, read by who needs words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import clock, models, offers
from bot.messages import Message, _
from bot.store import captions, posts
from bot.store.audiences import Audience
from bot.telling import tell
from tests.stage import Stage
from tests.voicing import cast, heard, member_of, pass_time, show, states

WORDS = "We weave with bamboo."
JPEG = b"\xff\xd8\xff\xe0 a photo, as far as this goes"


def play(database_url: str, work: Callable[[Stage], Awaitable[None]], **of_stage: Any) -> None:
    async def run() -> None:
        stage = cast(database_url, **of_stage)
        await work(stage)
        assert stage.complaints() == []
        await stage.close()

    asyncio.run(run())


async def offer(stage: Stage, post_id: int, *names: str) -> None:
    """[Write it down] comes to these phones."""
    message = Message((_("{n}", n=1),), (offers.under_voice(post_id),))
    for name in names:
        who = Audience("member", member_of(stage, name))
        key = f"offer/{post_id}/{name}/{clock.now()}"
        stage.app.database.run_now(
            lambda db, who=who, key=key: tell(db, clock.now(), key, who, message)
        )
    await pass_time(stage)
    for name in names:
        heard(stage, name)


async def write_down(stage: Stage, name: str, words: str = WORDS) -> str:
    await stage.choose(name, "Write it down")
    await stage.say(name, words)
    await pass_time(stage)
    return heard(stage, name)[-1]


def likes(stage: Stage, name: str, what: str) -> None:
    hers = update(models.members).where(models.members.c.id == member_of(stage, name))
    stage.app.database.run_now(lambda db: db.execute(hers.values(likes=what)))


def test_a_peer_writes_it_down(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, _media = await show(stage, "Noy")
        await offer(stage, post, "Dara")
        await stage.choose("Dara", "Write it down")
        assert heard(stage, "Dara") == [
            "Please listen to it, and write what is said, as it is said.\n\n"
            "Your name stands beside it: Dara.\n[Cancel]"
        ]
        await stage.say("Dara", WORDS)
        await pass_time(stage)
        assert heard(stage, "Dara") == [
            f"Thank you. From now on this goes along with it:\n\nwritten down by Dara: {WORDS}"
        ]
        assert heard(stage, "Noy") == [
            f"Dara wrote down what you said:\n\nwritten down by Dara: {WORDS}\n"
            "[Correct it] [No text]"
        ]
        assert heard(stage, "Mai") == []
        await stage.say("Mai", "101")
        assert f"written down by Dara: {WORDS}" in heard(stage, "Mai")[0]

    play(database_url, work)


def test_the_author_corrects_a_peer_under_her_own_name(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, media = await show(stage, "Noy")
        await offer(stage, post, "Dara")
        await write_down(stage, "Dara")
        await stage.choose("Noy", "Correct it")
        await stage.say("Noy", "We weave with grass.")
        assert "written down by Noy: We weave with grass." in heard(stage, "Noy")[-1]
        assert states(stage, media) == [
            ("written", "replaced", None),
            ("written", "shown", "We weave with grass."),
        ]

    play(database_url, work)


def test_the_author_takes_it_away(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, media = await show(stage, "Noy")
        await offer(stage, post, "Dara", "Mai")
        await write_down(stage, "Dara")
        await stage.choose("Noy", "No text")
        assert states(stage, media) == [("written", "refused", None)]
        await stage.say("Mai", "101")
        assert WORDS not in heard(stage, "Mai")[0]
        await stage.choose("Mai", "Write it down")
        assert heard(stage, "Mai")[-1] == "Whoever said it would rather have no text under it."

    play(database_url, work)


def test_one_at_a_time(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, _media = await show(stage, "Noy")
        await offer(stage, post, "Dara", "Mai")
        await stage.choose("Dara", "Write it down")
        await stage.choose("Mai", "Write it down")
        assert heard(stage, "Mai") == [
            "Somebody is writing it down at this moment. Thank you for offering it!"
        ]
        await stage.choose("Dara", "Cancel")
        await stage.choose("Mai", "Write it down")
        clock.move(timedelta(hours=1, minutes=1))
        await offer(stage, post, "Dara")
        assert (await write_down(stage, "Dara")).endswith(f"by Dara: {WORDS}")
        heard(stage, "Mai")
        await stage.say("Mai", "What I have written meanwhile.")
        assert heard(stage, "Mai") == ["Somebody has written it down already. Thank you!"]
        await stage.choose("Mai", "Write it down")
        assert heard(stage, "Mai") == ["Somebody has written it down already. Thank you!"]

    play(database_url, work)


@pytest.mark.parametrize("why", ["not received", "hidden", "left", "erased words"])
def test_only_who_received_it(why: str, database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, media = await show(stage, "Noy")
        await offer(stage, post, "Dara")
        dara = member_of(stage, "Dara")
        stage.app.database.run_now(lambda db: _take_away(db, why, post, dara))
        await stage.choose("Dara", "Write it down")
        assert heard(stage, "Dara") == ["I do not find that voice note any more."]
        assert states(stage, media) == []

    play(database_url, work)


def _take_away(db: Any, why: str, post_id: int, member_id: int) -> None:
    if why == "not received":
        hers = models.deliveries.c.member_id == member_id
        db.execute(
            update(models.deliveries)
            .where(hers, models.deliveries.c.message_id == posts.get(db, post_id).message_id)
            .values(state="dropped")
        )
    elif why == "hidden":
        posts.hide(db, post_id)
    elif why == "left":
        hers = models.memberships.c.member_id == member_id
        db.execute(update(models.memberships).where(hers).values(state="left"))
    else:
        db.execute(update(models.bubbles).values(media_id=None))


def test_who_reads_rather_than_listens_gets_it(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, _media = await show(stage, "Noy")
        await stage.say("Mai", "voice and text")
        heard(stage, "Mai")
        await stage.choose("Mai", "I rather read")
        assert heard(stage, "Mai") == [
            "When a voice note is written down after it came to you, you get the text too.\n"
            "[Change it again]"
        ]
        await offer(stage, post, "Dara")
        await write_down(stage, "Dara")
        assert heard(stage, "Mai") == [f"What Noy says in Q101:\n\nwritten down by Dara: {WORDS}"]

    play(database_url, work)


def test_without_a_name_the_words_stand_there_and_nobody_is_told(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, media = await show(stage, "Noy", named=False)
        await offer(stage, post, "Dara")
        await write_down(stage, "Dara")
        assert states(stage, media) == [("written", "shown", WORDS)]
        assert heard(stage, "Noy") == []
        likes(stage, "Mai", "reads")

    play(database_url, work)


# A choice of somebody else -----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["right", "correct", "no_text", "describe", "skip"])
def test_a_foreign_choice_changes_nothing(way: str, database_url: str) -> None:
    """A choice comes to one phone alone; that an author's came to another is an error of ours."""

    async def work(stage: Stage) -> None:
        post, media = await show(stage, "Noy")
        await offer(stage, post, "Dara")
        await write_down(stage, "Dara")
        id_ = stage.app.database.run_now(
            lambda db: db.execute(select(models.captions.c.id)).scalar_one()
        )
        before = states(stage, media)
        conversations = stage.app.conversations
        conversations.actions["captions.begin"] = conversations.actions[f"captions.{way}"]
        await offer(stage, id_, "Mai")
        await stage.choose("Mai", "Write it down")
        assert heard(stage, "Mai") in (["That has changed meanwhile."], ["All right."])
        assert states(stage, media) == before

    play(database_url, work)


# Photos ------------------------------------------------------------------------------------------

ASKED = (
    "For those who cannot see your photo: would you say in one sentence what it shows, "
    "written or spoken?\n[Describe it] [Skip]"
)


async def take_photo(stage: Stage, name: str) -> tuple[int, int]:
    found = await show(stage, name, kind="photo", content=JPEG, milliseconds=None)
    await stage.later(timedelta(minutes=2))
    return found


def test_a_photo_is_described(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        likes(stage, "Mai", "described")
        _post, media = await take_photo(stage, "Dara")
        assert heard(stage, "Dara") == [ASKED]
        await stage.choose("Dara", "Describe it")
        assert heard(stage, "Dara") == [
            "Please write one sentence on what the photo shows, or say it.\n[Cancel]"
        ]
        await stage.say("Dara", "Two women at a loom.")
        await pass_time(stage)
        assert heard(stage, "Dara") == [
            "Thank you. From now on this goes along with it:\n\n"
            "described by Dara: Two women at a loom."
        ]
        assert heard(stage, "Mai") == [
            "What the photo of Dara in Q101 shows:\n\ndescribed by Dara: Two women at a loom."
        ]
        assert heard(stage, "Noy") == []
        await stage.say("Noy", "101")
        assert "described by Dara: Two women at a loom." in heard(stage, "Noy")[0]
        assert states(stage, media) == [("described", "shown", "Two women at a loom.")]

    play(database_url, work)


def test_a_photo_is_described_by_voice(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, _media = await take_photo(stage, "Dara")
        await stage.choose("Dara", "Describe it")
        await stage.send_file("Dara", "voice")
        assert heard(stage, "Dara")[-1] == (
            "Thank you. From now on your voice goes along with the photo."
        )
        kinds = [
            each.kind
            for each in stage.app.database.run_now(lambda db: posts.list_bubbles(db, post))
        ]
        assert kinds == ["photo", "voice"]
        await pass_time(stage)
        assert heard(stage, "Mai") == []  # no second push
        await stage.say("Mai", "101")
        assert "(voice note, 0:03)" in heard(stage, "Mai")[0]

    play(database_url, work)


def test_nobody_is_nagged(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        async def photo_and_what_is_asked() -> list[str]:
            await take_photo(stage, "Dara")
            return heard(stage, "Dara")

        assert await photo_and_what_is_asked() == [ASKED]
        await stage.choose("Dara", "Skip")
        assert heard(stage, "Dara") == ["All right."]
        assert await photo_and_what_is_asked() == []  # on the same day
        clock.move(timedelta(days=1))
        assert await photo_and_what_is_asked() == [ASKED]
        clock.move(timedelta(days=2))
        assert await photo_and_what_is_asked() == []  # left out twice
        clock.move(timedelta(days=31))
        assert await photo_and_what_is_asked() == [ASKED]

    play(database_url, work)


def test_a_photo_without_a_name_is_not_asked_about(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        await show(stage, "Dara", kind="photo", content=JPEG, named=False)
        await stage.later(timedelta(minutes=2))
        assert [heard(stage, name) for name in stage.people] == [[], [], []]

    play(database_url, work)


# What is kept ------------------------------------------------------------------------------------


def test_what_is_old_is_forgotten_and_a_refusal_stays(database_url: str) -> None:
    async def work(stage: Stage) -> None:
        _post, media = await show(stage, "Noy")
        run, mai = stage.app.database.run_now, member_of(stage, "Mai")
        now = clock.now()
        run(lambda db: captions.show(db, media, "written", "one", None, "en", now))
        run(lambda db: captions.show(db, media, "written", "two", None, "en", now))
        run(lambda db: captions.refuse(db, media, now))
        run(lambda db: captions.claim(db, media, mai, now))
        later = now + timedelta(days=61)
        assert run(lambda db: captions.forget(db, later, 100)) == 2
        assert states(stage, media) == [("written", "refused", None)]

    play(database_url, work)


@pytest.mark.parametrize("words_too", [True, False])
def test_who_is_forgotten_stands_under_nothing(words_too: bool, database_url: str) -> None:
    async def work(stage: Stage) -> None:
        post, media = await show(stage, "Noy")
        await offer(stage, post, "Dara")
        await write_down(stage, "Dara")
        await stage.say("Dara", "forget me")
        member_id = member_of(stage, "Dara")
        run = stage.app.database.run_now
        while run(lambda db: captions.forget_of(db, member_id, 30, words_too=words_too)):
            pass
        assert states(stage, media) == ([] if words_too else [("written", "shown", WORDS)])
        await stage.say("Mai", "101")
        found = heard(stage, "Mai")[0]
        assert (f"\nwritten down: {WORDS}" in found) is not words_too
        assert "Dara" not in found

    play(database_url, work)
