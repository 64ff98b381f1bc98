"""Privacy: no number, name, word, code or secret in the clear: not in store, logs or metrics.

People whose marks cannot occur by chance play transcripts, and things go wrong on the way; then
everything that was written is searched for the marks, in every spelling they could have.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import aiohttp
import httpx
import pytest
from prometheus_client import generate_latest
from sqlalchemy import text

from bot import clock, logs, metrics, seals
from bot.db import Database
from bot.web import build
from tests import transcript
from tests.fakes.phones import TelegramPhone, WhatsAppPhone
from tests.stage import ACCOUNT, AUTH, PUBLIC, SECRET, SENDER, TOKEN, Stage

FOLDER = Path(__file__).parent / "conversations"
NAMES = {
    "Noy": "Noyphanith71",
    "Dara": "Darasovann72",
    "Alex": "Alexandria73",
    "Mai": "Maivongsa74",
    "Bo": "Bounthavy75",
    "Kea": "Keasophal76",
    "Mali": "Malisavanh77",
    "Sophea": "Sopheanary78",
}
ORGANISATION = "ກຸ່ມຕ່ຳຫູກ Basketry Collective 8841"
QUESTION = "Where do widows of Phonsavanh borrow 4400 dollars?"
ANSWER = "ຖາມ Sister Khamla at the temple, ខ្ញុំក៏ដូច្នេះដែរ"
DRAFT = "My husband must never read this sentence 5512"

Scan = Callable[[str, bytes], list[str]]


# The scanner


def spellings(mark: str) -> dict[str, bytes]:
    """All the ways in which a mark could stand in a file, a log or a dump."""
    plain = mark.encode()
    return {
        "utf-8": plain,
        "utf-16-le": mark.encode("utf-16-le"),
        "utf-16-be": mark.encode("utf-16-be"),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "url": quote(mark, safe="").encode(),
        "form": quote_plus(mark).encode(),
        "json": json.dumps(mark)[1:-1].encode(),
        "repr": repr(plain)[2:-1].encode(),
        "lao digits": mark.translate(_digits("໐໑໒໓໔໕໖໗໘໙")).encode(),
        "khmer digits": mark.translate(_digits("០១២៣៤៥៦៧៨៩")).encode(),
        **{f"base64+{shift}": _base64(plain, shift) for shift in range(3)},
        **{f"base64url+{shift}": _base64(plain, shift, b"-_") for shift in range(3)},
    }


def _digits(of_a_script: str) -> dict[int, int]:
    return str.maketrans("0123456789", of_a_script)


def _base64(plain: bytes, shift: int, signs: bytes = b"+/") -> bytes:
    """The part of the base64 of any longer text that only this mark decides."""
    coded = base64.b64encode(b"\0" * shift + plain, signs)
    tail = {0: 0, 1: 3, 2: 2}[(len(plain) + shift) % 3]
    return coded[(0, 2, 3)[shift] : len(coded) - tail]


def found_in(written: bytes, marks: set[str]) -> set[str]:
    return {
        f"{mark} as {how}"
        for mark in marks
        for how, spelled in spellings(mark).items()
        if spelled in written
    }


@pytest.mark.parametrize("mark", ["+8562059411223", DRAFT, ANSWER, ORGANISATION])
def test_the_scanner_finds_every_spelling(mark: str) -> None:
    for how, spelled in spellings(mark).items():
        assert f"{mark} as {how}" in found_in(b"\x01before" + spelled + b"after", {mark})
    for shift in range(6):
        around = ("x" * shift + mark + "y").encode()
        for coded in (base64.b64encode(around), base64.urlsafe_b64encode(around)):
            assert any("base64" in each for each in found_in(coded, {mark}))
    assert not found_in(b"nothing of that kind", {mark})


# People with marks


class MarkedStage(Stage):
    """Everybody has a number, chat id and name that cannot occur by chance."""

    def _phone(self, name: str, channel: str, language: str, number: int) -> tuple[str, Any]:
        if channel == "telegram":
            chat = 700_443_218_800 + number
            return f"telegram:{chat}", TelegramPhone(None, SECRET, chat, name, language)
        if channel == "whatsapp":
            called = f"+85620594112{number:02}"
            url = f"{PUBLIC}/webhooks/whatsapp"
            phone = WhatsAppPhone(url, None, AUTH, ACCOUNT, SENDER, called, profile_name=name)
            return f"whatsapp:{called}", phone
        return super()._phone(name, channel, language, number)

    def marks(self) -> set[str]:
        """What must not be found anywhere."""
        addresses = [each.address.partition(":")[2] for each in self.people.values()]
        numbers = {sign for each in addresses for sign in (each, each.removeprefix("+"))}
        local = {each.replace("+856", "0") for each in addresses if each.startswith("+")}
        secrets = {TOKEN, TOKEN.partition(":")[2], SECRET, AUTH, *self.settings.keys()}
        return numbers | local | secrets | set(self.people) | self._lookup_keys()

    def _lookup_keys(self) -> set[str]:
        known = seals.keyring()._known()
        return {base64.urlsafe_b64encode(raw).decode() for raw in (known.events, *known.find)}


@pytest.fixture
def errors(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], bytes]]:
    """What is printed, with everything logged that can be, our own and of the libraries."""
    level, printed = logging.getLogger().level, list[str]()
    logs.configure("DEBUG")
    logging.getLogger().setLevel(logging.DEBUG)

    def read() -> bytes:
        printed.extend(capsys.readouterr())
        return "".join(printed).encode()

    yield read
    logging.getLogger().setLevel(level)


def in_store(database_url: str) -> bytes:
    """Every byte of a SQLite store with its log, or every value of a PostgreSQL one."""
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        files = sorted(path.parent.glob(f"{path.name}*"))
        return b"".join(each.name.encode() + each.read_bytes() for each in files)
    database = Database(database_url)
    rows = database.run_now(_every_value)
    database.close()
    return rows


def _every_value(db: Any) -> bytes:
    tables = db.execute(
        text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    ).scalars()
    found = []
    for table in list(tables):
        for row in db.execute(text(f"SELECT * FROM {table}")):
            found += [each if isinstance(each, bytes) else str(each).encode() for each in row]
            found += [json.dumps(each).encode() for each in row if isinstance(each, dict)]
    return b"\n".join(bytes(each) for each in found)


def assert_nothing(marks: set[str], database_url: str, printed: bytes) -> None:
    assert not found_in(in_store(database_url), marks)
    assert not found_in(printed, marks)
    assert not found_in(generate_latest(), marks)


# Transcripts


def marked(path: Path, folder: Path) -> Path:
    """The same transcript with marked names."""
    words = path.read_text(encoding="utf-8")
    for name, mark in NAMES.items():
        words = re.sub(rf"\b{name}\b", mark, words)
    copy = folder / path.name
    copy.write_text(words, encoding="utf-8")
    return copy


async def act_out(path: Path, database_url: str) -> tuple[MarkedStage, set[str]]:
    """Do all that people do in a transcript; what they hear is judged elsewhere."""
    read = transcript.read(path)
    stage = await transcript._stage(read, database_url, None)
    assert isinstance(stage, MarkedStage)
    said = set()
    for line in read.lines:
        if line.sign == "-":
            await transcript._happen(stage, line.words)
        elif line.sign == ">":
            words = transcript._with_codes(stage, line.words)
            said |= {each for each in words.split('" <- ')[-1:] if len(each) > 11}
            said |= {words} if words != line.words else set()  # an invite code
            await transcript._act(stage, line.who, words)
            clock.move(transcript.timedelta(seconds=5))
            await stage.deliver()
    return stage, said


@pytest.mark.parametrize(
    "name",
    ["question", "welcome", "bursts", "declined", "meanings", "hiding", "discreet", "announce"],
)
def test_transcripts_leave_nothing_in_the_clear(
    name: str,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    errors: Callable[[], bytes],
) -> None:
    monkeypatch.setattr(transcript, "Stage", MarkedStage)

    async def play() -> None:
        stage, said = await act_out(marked(FOLDER / f"{name}.txt", tmp_path), database_url)
        marks = stage.marks() | said
        assert len(said) > 1
        assert sum(len(each.heard) for each in stage.people.values()) > 2
        printed = errors()
        assert_nothing(marks, database_url, printed)  # while it is open, with what the log holds
        await stage.close()
        assert_nothing(marks, database_url, errors())

    asyncio.run(play())


# When things go wrong


async def cast(database_url: str) -> MarkedStage:
    """Two members, a facilitator, and a question that has been asked."""
    stage = MarkedStage(database_url)
    stage.load(transcript.programme(transcript.Transcript([], {"crafts": ["approval"]}, [])))
    for name, channel, role in (
        ("Noyphanith71", "whatsapp", "member"),
        ("Darasovann72", "telegram", "member"),
        ("Alexandria73", "telegram", "facilitator"),
    ):
        stage.settle(stage.add(name, channel, "en"), "crafts", role)
    stage.add("Maivongsa74", "whatsapp", "lo")
    return stage


async def say(stage: Stage, name: str, words: str) -> None:
    await stage.say(name, words)
    clock.move(transcript.timedelta(seconds=5))
    await stage.deliver()


async def ask(stage: Stage) -> None:
    await say(stage, "Noyphanith71", QUESTION)
    await stage.choose("Noyphanith71", "Send")


def everything(stage: MarkedStage) -> set[str]:
    return stage.marks() | {QUESTION, ANSWER, DRAFT, ORGANISATION}


def test_a_member_with_all_her_words(database_url: str, errors: Callable[[], bytes]) -> None:
    """The organisation, an answer in three scripts, a draft that is never sent, an edit."""

    async def play() -> None:
        stage = await cast(database_url)
        await ask(stage)
        await stage.reply("Darasovann72", QUESTION[:20], ANSWER)
        await say(stage, "Darasovann72", "ask")
        await say(stage, "Darasovann72", DRAFT)
        person = stage.people["Darasovann72"]
        await stage.update(person, person.phone.edit(person.said[DRAFT], f"{DRAFT} edited"))
        code = stage.code("crafts")
        await say(stage, "Maivongsa74", code)
        for answer in ("3", "1", "Maivongsa74", ORGANISATION):
            await say(stage, "Maivongsa74", answer)
        heard = [str(each) for each in stage.people["Alexandria73"].heard]
        assert any(ORGANISATION in each for each in heard)
        wrong = "ZZZZ-9999"
        await say(stage, "Darasovann72", "cancel")
        await say(stage, "Darasovann72", wrong)
        assert_nothing(
            everything(stage) | {code, code.replace("-", ""), wrong}, database_url, errors()
        )
        await stage.close()

    asyncio.run(play())


def test_a_handler_that_fails(database_url: str, errors: Callable[[], bytes]) -> None:
    """Its error quotes all it can get hold of, and carries another error inside."""

    def fail(turn: Any) -> None:
        try:
            raise KeyError(turn.inbound.text)
        except KeyError as error:
            raise RuntimeError(f"{turn.inbound} {turn.member} {TOKEN}") from error

    async def play() -> None:
        stage = await cast(database_url)
        conversations = stage.app.router._conversations
        conversations.events["text"] = fail
        conversations.actions["ask.start"] = fail
        await say(stage, "Noyphanith71", DRAFT)
        await say(stage, "Darasovann72", QUESTION)
        await say(stage, "Darasovann72", "ask")
        printed = errors()
        assert printed.count(b"turn_failed") == 3
        assert b"RuntimeError" in printed
        assert_nothing(everything(stage), database_url, printed)
        await stage.close()

    asyncio.run(play())


TOLD = f"+8562059411201 700443218802 Noyphanith71 {QUESTION} {TOKEN} {AUTH}"
TELEGRAM_ANSWERS = [
    (400, {"ok": False, "error_code": 400, "description": f"Bad Request: {TOLD}"}),
    (400, {"ok": False, "error_code": 400, "description": f"Bad Request: chat not found {TOLD}"}),
    (403, {"ok": False, "error_code": 403, "description": f"Forbidden: {TOLD}"}),
    (429, {"ok": False, "error_code": 429, "description": TOLD, "parameters": {"retry_after": 9}}),
    (500, {"ok": False, "error_code": 500, "description": TOLD}),
    (401, {"ok": False, "error_code": 401, "description": TOLD}),
]
TWILIO_ANSWERS = [
    (400, {"code": 21211, "message": f"Invalid 'To' {TOLD}", "status": 400, "more_info": TOLD}),
    (400, {"code": 63016, "message": TOLD, "status": 400}),
    (429, {"code": 20429, "message": TOLD, "status": 429}),
    (500, {"code": 20500, "message": TOLD, "status": 500}),
    (400, {"code": 99999, "message": TOLD, "status": 400}),
    (401, {"code": 20003, "message": TOLD, "status": 401}),
]


@pytest.mark.parametrize("number", range(6))
def test_providers_that_quote(number: int, database_url: str, errors: Callable[[], bytes]) -> None:
    async def play() -> None:
        stage = await cast(database_url)
        await ask(stage)
        stage.failing["sendMessage"] = [TELEGRAM_ANSWERS[number]] * 2
        stage.failing["Messages"] = [TWILIO_ANSWERS[number]] * 2
        await stage.say("Darasovann72", "menu")
        await stage.say("Noyphanith71", "menu")
        printed = errors()
        assert printed.count(b"not_sent") >= 2
        assert_nothing(everything(stage), database_url, printed)
        await stage.close()

    asyncio.run(play())


class Quoting(RuntimeError):
    """An error of a library with everything in it."""


@pytest.mark.parametrize(
    "error",
    [
        Quoting,
        OSError,
        ValueError,
        TimeoutError,
        aiohttp.ClientOSError,
        aiohttp.ServerDisconnectedError,
        aiohttp.ClientConnectionResetError,
    ],
    ids=lambda error: error.__name__,
)
def test_transports_that_quote(
    error: type[Exception],
    database_url: str,
    errors: Callable[[], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise error(TOLD)

    async def play() -> None:
        stage = await cast(database_url)
        await ask(stage)
        monkeypatch.setattr("tests.stage.TelegramRecorder.do_request", broken)
        monkeypatch.setattr("tests.stage.TwilioRecorder.request", broken)
        await stage.say("Darasovann72", "menu")
        await stage.say("Noyphanith71", "menu")
        clock.move(transcript.timedelta(minutes=1))
        await stage.deliver()
        printed = errors()
        assert printed.count(b"not_sent") >= 2
        assert_nothing(everything(stage), database_url, printed)
        await stage.close()

    asyncio.run(play())


def test_a_store_that_fails(database_url: str, errors: Callable[[], bytes]) -> None:
    """The webhook answers 503 or parks it; neither answer nor log says whose it was."""

    async def play() -> None:
        stage = await cast(database_url)
        person = stage.people["Darasovann72"]
        update = json.dumps(person.phone.say(DRAFT))
        stage.app.database.run_now(lambda db: db.execute(text("DROP TABLE bubbles")))
        there = httpx.ASGITransport(build(stage.app, work=False))
        async with httpx.AsyncClient(transport=there, base_url="http://testserver") as client:
            headers = {"x-telegram-bot-api-secret-token": SECRET}
            answer = await client.post("/webhooks/telegram", content=update, headers=headers)
            forged = await client.post("/webhooks/telegram", content=update)
        printed = errors()
        assert b"store_down" in printed or b"turn_failed" in printed
        assert b"webhook_refused" in printed
        seen = printed + answer.content + forged.content
        assert_nothing(everything(stage), database_url, seen)
        await stage.close()

    asyncio.run(play())


def test_a_job_that_fails(database_url: str, errors: Callable[[], bytes]) -> None:
    async def play() -> None:
        stage = await cast(database_url)
        scheduler = stage.app.scheduler

        def fail(_db: Any, _now: Any) -> dict[str, int]:
            raise Quoting(TOLD)

        first = scheduler._jobs[0]
        scheduler._jobs = [type(first)("x.fail", first.every, fail)]
        await scheduler.tick()
        printed = errors()
        assert b"job_failed" in printed
        assert_nothing(everything(stage), database_url, printed)
        await stage.close()

    asyncio.run(play())


# Libraries


def test_libraries_only_say_who_complained(errors: Callable[[], bytes]) -> None:
    try:
        raise Quoting(TOLD)
    except Quoting:
        logging.getLogger("some.library").exception("failed for %s", TOLD, extra={"to": TOLD})
    logging.getLogger("another.library").debug(TOLD)
    printed = errors()
    assert printed.count(b"library_warning") == 2
    assert b"some.library" in printed
    assert b"Quoting" in printed
    assert not found_in(printed, {TOLD, "+8562059411201", QUESTION})


def test_only_allowed_fields_are_logged(errors: Callable[[], bytes]) -> None:
    logs.get("test").info("event", lane="lane", text=TOLD, number="+8562059411201", exc_info=True)
    printed = errors()
    assert b"lane=lane" in printed
    assert not found_in(printed, {TOLD, "+8562059411201"})


# And the scanner does find what is there


def test_an_unsealed_store_would_be_found(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same play with keys that do not seal."""
    monkeypatch.setattr(seals.Keyring, "seal", lambda _self, plain, _context: plain.encode())
    monkeypatch.setattr(seals.Keyring, "open", lambda _self, sealed, _context: sealed.decode())

    async def play() -> None:
        stage = await cast(database_url)
        await ask(stage)
        leaks = {
            each.rpartition(" as ")[0]
            for each in found_in(in_store(database_url), everything(stage))
        }
        addresses = {each.address.partition(":")[2] for each in list(stage.people.values())[:3]}
        assert leaks >= {QUESTION, "Noyphanith71", "Darasovann72", *addresses}
        assert leaks >= stage._lookup_keys()
        await stage.close()

    asyncio.run(play())


def test_a_leak_into_logs_or_metrics_would_be_found(
    database_url: str, errors: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "ALLOWED", logs.ALLOWED | {"text"})
    logs.get("test").info("event", text=QUESTION)
    printed = errors()
    assert found_in(printed, {QUESTION})
    with pytest.raises(AssertionError):
        assert_nothing({QUESTION}, database_url, printed)
    metrics.SENDS.labels(DRAFT, "sent").inc()
    try:
        with pytest.raises(AssertionError):
            assert_nothing({DRAFT}, database_url, b"")
    finally:
        metrics.SENDS.remove(DRAFT, "sent")
