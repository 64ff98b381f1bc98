"""Stop and start in any words; who cannot be reached has not left, nor who an outage cuts off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from bot import clock, models
from bot.i18n import fold, word_list
from bot.messages import Message, Text
from bot.store import audiences
from bot.store import messages as outbox
from bot.store.audiences import Audience
from handlers.stop import start_, stop
from tests.stage import Person, Stage

NAMES = dict.fromkeys(("en", "lo", "km"), "T")
PROGRAMME = {
    "programme": {"slug": "t", "names": NAMES, "contact": "help@example.org"},
    "communities": [
        {"slug": "crafts", "names": NAMES, "language": "en", "timezone": "Asia/Vientiane"}
    ],
}


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", " Stop. ", "stop!!!", "STOP 🙏", "🛑 stop", "s t o p", "S.T.O.P.",
        "stop all", "STOPALL", "unsubscribe", "End", "quit", "please stop",
        "ຢຸດ", "ຢຸດ!", "ຢຸດສົ່ງ", "ເຊົາ", "ເຊົາສົ່ງ", "ຢຸດ 🛑", "ຢຸດແດ່",
        "ឈប់", "បញ្ឈប់", "ឈប់ផ្ញើ", "ឈប់ផ្ញើសារ។", "សូមឈប់", "ឈប់\u200b",
    ],
)  # fmt: skip
def test_words_that_stop(text: str) -> None:
    assert fold(text) in word_list(stop.words)
    assert fold(text) not in word_list(start_.words)


@pytest.mark.parametrize(
    "text",
    [
        "START", "Start!", "start again", "unstop",
        "ເລີ່ມ", "ເລີ່ມຄືນ", "ຮັບຂໍ້ຄວາມຄືນ",
        "ចាប់ផ្តើម", "ចាប់ផ្ដើម", "ចាប់ផ្តើមវិញ",
    ],
)  # fmt: skip
def test_words_that_start(text: str) -> None:
    assert fold(text) in word_list(start_.words)
    assert fold(text) not in word_list(stop.words)


@pytest.mark.parametrize(
    "text", ["How do I stop the moths?", "non-stop", "the end", "stopped", "t"]
)
def test_words_that_only_look_like_it(text: str) -> None:
    assert fold(text) not in word_list(stop.words)


def refusal(status: int, said: str) -> tuple[int, Any]:
    return status, {"ok": False, "error_code": status, "description": said}


def twilio(status: int, code: int) -> tuple[int, Any]:
    return status, {"status": status, "code": code, "message": "no"}


BLOCKED = [
    ("telegram", refusal(403, "Forbidden: bot was blocked by the user")),
    ("telegram", refusal(403, "Forbidden: user is deactivated")),
    ("telegram", refusal(400, "Bad Request: chat not found")),
    *(("whatsapp", twilio(400, code)) for code in (21610, 63014, 63024, 63033, 63003, 21211)),
]
OUTAGES = [
    ("telegram", refusal(429, "Too Many Requests")),
    ("telegram", refusal(401, "Unauthorized")),
    ("telegram", refusal(400, "Bad Request: message is too long")),
    *(("whatsapp", twilio(429, code)) for code in (20429, 63018)),
    *(("whatsapp", twilio(400, code)) for code in (63010, 63012, 63016, 21408, 63007, 99999)),
    *(("whatsapp", twilio(status, 20500)) for status in (500, 503)),
    ("whatsapp", twilio(401, 20003)),
]


async def _told(database_url: str, channel: str, answer: tuple[int, Any]) -> tuple[Any, ...]:
    """(member's state, membership's state, is she unreachable) after something was refused so."""
    stage = Stage(database_url)
    noy = stage.add("Noy", channel, "en")
    stage.load(PROGRAMME)
    stage.settle(noy, "crafts")
    stage.failing["sendMessage" if channel == "telegram" else "Messages"] = [answer]
    stage.app.database.run_now(_tell)
    await stage.deliver()
    found = _how_she_stands(stage)
    await _writes(stage, noy)
    again = _how_she_stands(stage)
    await stage.close()
    assert again == ("active", "active", False), "what she writes makes her reachable"
    return found


async def _writes(stage: Stage, noy: Person) -> None:
    await stage.say(noy.name, "hello")


def _tell(db: Any) -> None:
    member_id = db.execute(select(models.members.c.id)).scalar_one()
    added = outbox.add(db, "t", "thread", Message((Text("news"),)), clock.now())
    assert added is not None
    audiences.tell(db, added, "thread", Audience("member", member_id), clock.now())


def _how_she_stands(stage: Stage) -> tuple[Any, ...]:
    columns = (
        models.members.c.state,
        models.memberships.c.state,
        models.addresses.c.unreachable_at.is_not(None),
    )
    rows = (
        select(*columns)
        .select_from(models.members)
        .join(models.memberships, models.memberships.c.member_id == models.members.c.id)
        .join(models.addresses, models.addresses.c.member_id == models.members.c.id)
    )
    return tuple(stage.app.database.run_now(lambda db: db.execute(rows).one()))


@pytest.mark.parametrize(("channel", "answer"), BLOCKED)
def test_blocked_is_unreachable_and_not_left(
    database_url: str, channel: str, answer: tuple[int, Any]
) -> None:
    found = asyncio.run(_told(database_url, channel, answer))
    assert (found[0], found[1], bool(found[2])) == ("active", "active", True)


@pytest.mark.parametrize(("channel", "answer"), OUTAGES)
def test_an_outage_opts_nobody_out(
    database_url: str, channel: str, answer: tuple[int, Any]
) -> None:
    found = asyncio.run(_told(database_url, channel, answer))
    assert (found[0], found[1], bool(found[2])) == ("active", "active", False)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_start_brings_back_what_there_was(database_url: str, channel: str) -> None:
    """Her role, her settings, her pace; a pause is over."""

    async def play() -> None:
        stage = Stage(database_url)
        noy = stage.add("Noy", channel, "en")
        stage.load(PROGRAMME)
        stage.settle(noy, "crafts", "facilitator")
        for words in ("hours", "21-6", "how much", "3", "pause", "3", "STOP", "hello", "START"):
            await stage.say("Noy", words)
        columns = (
            models.members.c.state,
            models.members.c.paused_until,
            models.members.c.quiet_from,
            models.memberships.c.role,
            models.memberships.c.pace,
        )
        joined = models.members.c.id == models.memberships.c.member_id
        rows = select(*columns).select_from(models.members.join(models.memberships, joined))
        found = stage.app.database.run_now(lambda db: db.execute(rows).one())
        assert tuple(found) == ("active", None, 1260, "facilitator", "weekly")
        assert not any("Crafts" in str(each) for each in noy.heard[-3:])
        await stage.close()

    asyncio.run(play())
