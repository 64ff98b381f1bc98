"""Posts with voices and photos that are in the vault already, as if they had been fetched."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from bot import clock, models, posting
from bot.messages import File, Inbound
from bot.models.media import new_rows
from bot.store import communities, posts, threads
from bot.store.audiences import Audience
from bot.store.posts import Bubble
from bot.telling import tell
from bot.voice.endpoint import Endpoint
from bot.voice.engines import Engine, Hears
from bot.voice.scribe import Scribe
from tests.fakes.ears import KEY, Ears
from tests.stage import Stage

VOICES = Path(__file__).parent / "voices"
LEND = (VOICES / "lend.ogg").read_bytes()
OUTSIDE = "ears.example.org"
FUTURE = timedelta(seconds=5)

_numbers = itertools.count(1)


def programme(*, transcribe: bool = True, discreet: bool = False) -> dict[str, Any]:
    return {
        "programme": {
            "slug": "trial",
            "names": dict.fromkeys(("en", "lo", "km"), "Trial"),
            "contact": "help@example.org",
            "transcribe": transcribe,
            "discreet": discreet,
        },
        "communities": [
            {
                "slug": "crafts",
                "names": dict.fromkeys(("en", "lo", "km"), "Crafts"),
                "language": "en",
                "timezone": "Asia/Vientiane",
            }
        ],
    }


PEOPLE = (("Noy", "whatsapp", "en"), ("Dara", "telegram", "en"), ("Mai", "telegram", "en"))


def cast(database_url: str, *, transcribe: bool = True, discreet: bool = False) -> Stage:
    """Three peers in one group."""
    stage = Stage(database_url)
    stage.load(programme(transcribe=transcribe, discreet=discreet))
    for name, channel, language in PEOPLE:
        stage.settle(stage.add(name, channel, language), "crafts")
    return stage


def listen(stage: Stage, ears: Ears, *, outside: bool = False, seconds: float = 5.0) -> Scribe:
    """A scribe with this service for English; `outside`: as if it were somebody else's."""
    here = Engine(address=ears.address)
    named = Engine(address=f"https://{OUTSIDE}/v1") if outside else here
    engine = Endpoint(here, KEY, seconds)
    stage.app.scribe = scribe_of(stage, {"en": named}, {"en": engine})
    return stage.app.scribe


def scribe_of(stage: Stage, engines: Mapping[str, Engine], hears: Mapping[str, Hears]) -> Scribe:
    app = stage.app
    return Scribe(app.database, engines, hears, app.vault.get, app.wake)


def member_of(stage: Stage, name: str) -> int:
    """By her place: they were settled in this order."""
    ids = select(models.members.c.id).order_by(models.members.c.id)
    found = stage.app.database.run_now(lambda db: list(db.execute(ids).scalars()))
    return int(found[list(stage.people).index(name)])


async def show(
    stage: Stage,
    who: str,
    *,
    content: bytes = LEND,
    kind: str = "voice",
    named: bool = True,
    milliseconds: int | None = 6500,
) -> tuple[int, int]:
    """A question with a voice or a photo, told to the others: (post, media)."""
    author = member_of(stage, who)
    found = stage.app.database.run_now(
        lambda db: _post(db, author, kind, named=named, milliseconds=milliseconds)
    )
    post_id, media_id, name = found
    await stage.app.vault.put(name, content)
    await pass_time(stage)
    for person in stage.people.values():
        person.unread.clear()
    return post_id, media_id


def _post(
    db: Any, author: int, kind: str, *, named: bool, milliseconds: int | None
) -> tuple[int, int, str]:
    now, number = clock.now(), next(_numbers)
    community = communities.find(db, "crafts")
    assert community is not None
    if named:
        thread = threads.add(db, community.id, author, now)
        inbound = Inbound("x/1", f"k{number}", ("x",), files=(File(kind, f"f{number}"),))
        post_id = posts.add(
            db, author, inbound, now, kind="question", state="live",
            thread_id=thread.id, community_id=community.id,
        )  # fmt: skip
    else:
        thread = threads.add_nameless(db, community.id, author, now)
        [row] = new_rows(None, "", (File(kind, f"f{number}"),), now)
        media_id = db.execute(models.media.insert().values(row).returning(models.media.c.id))
        bubble = Bubble(kind, "", media_id.scalar_one(), False, None)
        post_id = posts.add_nameless(
            db, [bubble], now, kind="question", thread_id=thread.id,
            community_id=community.id, heavy=False,
        )  # fmt: skip
    media_id = db.execute(
        select(models.bubbles.c.media_id).where(models.bubbles.c.post_id == post_id)
    ).scalar_one()
    stored = {
        "state": "stored", "mime": "audio/ogg" if kind == "voice" else "image/jpeg",
        "milliseconds": milliseconds, "stored_at": now, "due_at": None, "reference": None,
        "lane": "",
    }  # fmt: skip
    db.execute(update(models.media).where(models.media.c.id == media_id).values(stored))
    post = posts.get(db, post_id)
    message = posting.question(thread, post)
    peers = Audience("community", community.id, but=(author,) if named else ())
    told = tell(db, now, f"trial/{number}", peers, message)
    posts.mark(db, post_id, message_id=told)
    name = select(models.media.c.name).where(models.media.c.id == media_id)
    return post_id, media_id, db.execute(name).scalar_one()


async def pass_time(stage: Stage, by: timedelta = FUTURE) -> None:
    clock.move(by)
    await stage.deliver()
    await asyncio.sleep(0)


def heard(stage: Stage, name: str) -> list[str]:
    """What came to her phone that nobody has asked about yet."""
    person = stage.people[name]
    found = [str(each) for each in person.unread]
    person.unread.clear()
    return found


def states(stage: Stage, media_id: int) -> list[tuple[str, str, str | None]]:
    """(kind, state, words) of all captions of a media, the oldest first."""
    c = models.captions.c
    found = select(c.kind, c.state, c.text).where(c.media_id == media_id).order_by(c.id)
    return stage.app.database.run_now(lambda db: [tuple(row) for row in db.execute(found)])
