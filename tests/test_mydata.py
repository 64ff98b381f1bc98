"""My data: everything about her, for her alone, in a file that does nothing."""

from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import timedelta
from typing import Any

import docx
import httpx
import pytest
from sqlalchemy import insert, select, update

from bot import clock, models, mydata
from bot.db import Database, StoreDown
from bot.web import build
from bot.web.files import SHORTER
from tests.stage import Stage
from tests.test_forgetting import (
    ENGLISH,
    HER,
    KHMER,
    LAO,
    ORGANISATION,
    cast,
    live,
    member_of,
    say,
    tie,
)

PATH = "/files/{}/my-data.docx"
HOSTILE = '=HYPERLINK("http://evil.example","x") {DDEAUTO c:\\\\x} <w:p>&amp; \x0b\u202e\ud800'


def read(file: bytes) -> str:
    return "\n".join(each.text for each in docx.Document(io.BytesIO(file)).paragraphs)


async def ask_for_it(stage: Stage) -> None:
    await say(stage, HER, "my data")
    await stage.choose(HER, "Send it here")


async def get(stage: Stage, path: str, method: str = "GET") -> httpx.Response:
    there = httpx.ASGITransport(build(stage.app, work=False))
    async with httpx.AsyncClient(transport=there, base_url="http://testserver") as client:
        return await client.request(method, path)


def token_of(stage: Stage) -> str:
    """Of the last bubble that was said."""
    last = select(models.dispatches.c.token).order_by(models.dispatches.c.id.desc()).limit(1)
    return stage.app.database.run_now(lambda db: str(db.execute(last).scalar_one()))


async def fetched(stage: Stage) -> bytes:
    """The file as it came to her phone."""
    her = stage.people[HER]
    assert her.heard[-1].text.startswith("(my-data.docx)")
    if her.channel == "telegram":
        return stage.files[her.address.partition(":")[2]]
    answer = await get(stage, PATH.format(token_of(stage)))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == mydata.MEDIA_TYPE
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
def test_it_holds_everything(channel: str, database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, channel)
        await live(stage)
        member_id = member_of(stage)
        assert member_id is not None
        tie(stage, member_id)
        await ask_for_it(stage)
        found = read(await fetched(stage))
        address = stage.people[HER].address.partition(":")[2]
        wanted = [HER, ORGANISATION, address, LAO, KHMER, ENGLISH, "Q102", "Crafts", "30 days"]
        assert [each for each in wanted if each not in found] == []
        assert "This is without your name" in found
        assert "What you reported" in found
        assert "Useful: Tip one\nNot for me: Tip two\n" in found
        assert "Weekly: tip, question and what peers said" in found
        for foreign in ("words of somebody else", "Noyphanith71", "Darasovann72", "temple"):
            assert foreign not in found
        await stage.close()

    asyncio.run(play())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", ["lo", "km"])
def test_it_is_in_her_language(language: str, database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        await ask_for_it(stage)
        values = {"language": language}
        stage.app.database.run_now(lambda db: db.execute(update(models.members).values(values)))
        address_id = stage.app.database.run_now(_last_address)
        found = await mydata.make(stage.app.database, address_id)
        assert found is not None
        assert LAO in read(found)
        await stage.close()

    asyncio.run(play())


def _last_address(db: Any) -> int:
    last = select(models.addresses.c.id).order_by(models.addresses.c.id.desc()).limit(1)
    return db.execute(last).scalar_one()  # type: ignore[no-any-return]


def test_nothing_in_it_acts(database_url: str) -> None:
    """Formulas, fields, markup and signs that no file may hold are words like others."""

    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        values = {"text": HOSTILE}
        stage.app.database.run_now(lambda db: db.execute(update(models.bubbles).values(values)))
        await ask_for_it(stage)
        file = await fetched(stage)
        assert "=HYPERLINK(" in read(file)
        inside = zipfile.ZipFile(io.BytesIO(file))
        body = inside.read("word/document.xml").decode()
        for acting in ("<w:fldSimple", "<w:instrText", "<w:hyperlink", "<w:object", "r:link"):
            assert acting not in body
        links = b"".join(inside.read(each) for each in inside.namelist() if "rels" in each)
        assert b"External" not in links
        about = inside.read("docProps/core.xml").decode()
        assert HER not in about
        await stage.close()

    asyncio.run(play())


def test_whatsapp_fetches_it_for_a_quarter_of_an_hour(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        stage = await cast(database_url, "whatsapp")
        await live(stage)
        await ask_for_it(stage)
        [*_first, sent] = [
            each for each in stage.requests if "my-data" in each["fields"].get("MediaUrl", "")
        ]
        path = sent["fields"]["MediaUrl"].removeprefix("https://bot.example.org")
        assert not sent["complaints"]
        assert len(path) == len(PATH.format("x" * 12)), "nothing about her"
        assert (await get(stage, path)).status_code == 200
        assert (await get(stage, path, "HEAD")).status_code == 200
        with monkeypatch.context() as patch:

            async def run(_self: Database, _work: Any) -> None:
                raise StoreDown("OperationalError")

            patch.setattr(Database, "run", run)
            assert (await get(stage, path)).status_code == 503
        for wrong in ("no-such-token", "%00", "ຂໍ້ຄວາມ", "x" * 5000, path.split("/")[2][:-1]):
            answer = await get(stage, PATH.format(wrong))
            assert (answer.status_code, b"PK" in answer.content) == (404, False)
        clock.move(SHORTER[mydata.FILE_NAME] + timedelta(seconds=1))
        assert (await get(stage, path)).status_code == 404
        await stage.close()

    asyncio.run(play())


def test_a_bubble_without_a_file(database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "whatsapp")
        await live(stage)
        await say(stage, HER, "menu")
        assert (await get(stage, PATH.format(token_of(stage)))).status_code == 404
        await stage.close()

    asyncio.run(play())


def test_three_a_day(database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        for _time in range(2):  # one came before
            await ask_for_it(stage)
            await fetched(stage)
        await ask_for_it(stage)
        assert "ask again tomorrow" in stage.people[HER].heard[-1].text
        clock.move(timedelta(days=1))
        await ask_for_it(stage)
        await fetched(stage)
        await stage.close()

    asyncio.run(play())


@pytest.mark.parametrize(
    ("column", "said"), [("linked_at", "new here"), ("doubted_at", "Which name did you use here?")]
)
def test_not_on_an_app_that_is_new(column: str, said: str, database_url: str) -> None:
    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        values = {column: clock.now() - timedelta(days=6)}
        stage.app.database.run_now(lambda db: db.execute(update(models.addresses).values(values)))
        await say(stage, HER, "my data")
        last = stage.people[HER].heard[-1]
        assert said in last.text
        assert "Send it here" not in [label for label, _data in last.buttons]
        if column == "linked_at":
            clock.move(timedelta(days=1, minutes=1))
            await ask_for_it(stage)
            await fetched(stage)
        await stage.close()

    asyncio.run(play())


def test_it_never_goes_to_another_phone(database_url: str) -> None:
    """Whatever moves a delivery, a file goes to the address that asked, or nowhere."""

    async def play() -> None:
        stage = await cast(database_url, "telegram")
        await live(stage)
        member_id = member_of(stage)
        fail = {"ok": False, "error_code": 429, "description": "", "parameters": {"retry_after": 2}}
        stage.failing["sendDocument"] = [(429, fail)]
        await say(stage, HER, "my data")
        await stage.choose(HER, "Send it here")
        other = {"member_id": member_id, "lane": stage._lane(stage.people[HER])}
        other |= {"sealed": "700443218899", "preferred": False, "created_at": clock.now()}
        stage.app.database.run_now(lambda db: _move(db, other))
        await stage.later(timedelta(minutes=2))
        sent = [each for each in stage.requests if each["method"] == "sendDocument"]
        assert {str(each["fields"]["chat_id"]) for each in sent} == {
            stage.people[HER].address.partition(":")[2]
        }
        await stage.close()

    asyncio.run(play())


def _move(db: Any, other: dict[str, Any]) -> None:
    address_id = db.execute(insert(models.addresses).values(other)).inserted_primary_key[0]
    waiting = models.deliveries.c.state == "queued"
    db.execute(update(models.deliveries).where(waiting).values(address_id=address_id))
