"""The web side: what is answered to providers, to a monitor, and on the simulator's page."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import func, select
from starlette.testclient import TestClient

from bot import clock, models, seals
from bot.app import App
from bot.channels import simulator as channel
from bot.db import Database, StoreDown
from bot.i18n import catalogue, languages
from bot.media.cleaning import BIGGEST
from bot.rehearsal import playing, room
from bot.rehearsal.phones import Phones
from bot.settings import Settings
from bot.store import invites
from bot.web import build, webhooks
from tests import stage
from tests.channels import sign
from tests.child import PATIENCE
from tests.fakes.phones import TelegramPhone, WhatsAppPhone
from tests.transcript import Transcript, programme

SECRET_HEADER = "x-telegram-bot-api-secret-token"
JSON = {"content-type": "application/json"}
SIMULATOR = [
    ("GET", "/simulator/state"),
    ("GET", "/simulator/events"),
    ("POST", "/simulator/phones"),
    ("POST", "/simulator/clock"),
    ("POST", "/simulator/invite"),
    ("POST", "/simulator/restart"),
    ("GET", "/simulator/choices"),
    ("GET", "/simulator/export"),
    ("POST", "/simulator/files"),
    ("GET", "/simulator/files/{key}/{name}"),
    ("POST", "/simulator/rehearsal"),
    ("POST", "/simulator/step"),
    ("POST", "/simulator/provider"),
    ("POST", "/simulator/translation"),
    ("GET", "/static/simulator.js"),
    ("GET", "/static/simulator.css"),
    ("GET", "/favicon.ico"),
    ("POST", "/webhooks/simulator"),
]


@pytest.fixture
def phones(monkeypatch: pytest.MonkeyPatch) -> Phones:
    """Phones of this test alone."""
    found = Phones()
    monkeypatch.setattr(channel, "phones", lambda: found)
    monkeypatch.setattr(playing, "phones", lambda: found)
    monkeypatch.setattr(room, "phones", lambda: found)
    return found


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    (tmp_path / "web.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{tmp_path / 'web.db'}"


@pytest.fixture
def app(sqlite_url: str, phones: Phones) -> App:
    """A bot with all channels, in development."""
    return App(
        Settings(
            database_url=sqlite_url,
            public_url=stage.PUBLIC,
            telegram_bot_token=stage.TOKEN,
            telegram_webhook_secret=stage.SECRET,
            telegram_api_url="http://127.0.0.1:1",
            twilio_account_sid=stage.ACCOUNT,
            twilio_auth_token=stage.AUTH,
            twilio_whatsapp_from=stage.SENDER,
            twilio_api_url="http://127.0.0.1:1",
        )
    )


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with TestClient(build(app, work=False)) as found:
        yield found


@pytest.fixture
def production(sqlite_url: str) -> Iterator[TestClient]:
    settings = Settings(
        database_url=sqlite_url, linkline_env="production", linkline_keys=seals.new_key()
    )
    with TestClient(build(App(settings), work=False)) as found:
        yield found


def count(app: App, table: Any) -> int:
    found: int = app.database.run_now(
        lambda db: db.execute(select(func.count()).select_from(table)).scalar_one()
    )
    return found


def load_crafts(app: App) -> None:
    stage.load(app, programme(Transcript([], {"crafts": [""]}, [])))


def down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(_self: Database, _work: Any) -> None:
        raise StoreDown("OperationalError")

    monkeypatch.setattr(Database, "run", run)


# For a monitor


def test_healthz(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "ok\n")
    down(monkeypatch)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "Operational" not in answer.text


def test_healthz_without_a_store(client: TestClient, app: App) -> None:
    """The real error of a store that has gone."""
    gone = Database("postgresql+psycopg://linkline:geheim@127.0.0.1:1/linkline")
    with mock.patch.object(app, "database", gone):
        answer = client.get("/healthz")
    gone.abandon()
    assert answer.status_code == 503
    assert "geheim" not in answer.text


def test_metrics(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE_LATEST
    assert "# TYPE linkline_turns_total counter" in answer.text


def test_head_and_unknown_paths(client: TestClient) -> None:
    assert client.head("/healthz").status_code == 200
    for path in ("/no-such-page", "/webhooks", "/webhooks/", "/webhooks/a/b", "/docs"):
        assert client.post(path).status_code == 404, path


# Webhooks


def telegram(client: TestClient, update: Any, **headers: str) -> httpx.Response:
    return client.post("/webhooks/telegram", content=json.dumps(update), headers=headers)


def whatsapp_phone(**options: Any) -> WhatsAppPhone:
    url = f"{stage.PUBLIC}/webhooks/whatsapp"
    return WhatsAppPhone(
        url, None, stage.AUTH, stage.ACCOUNT, stage.SENDER, "+8562059411223", **options
    )


@pytest.mark.parametrize("name", ["viber", "Telegram", "telegram%20", "webhooks"])
def test_an_unknown_channel(name: str, client: TestClient, app: App) -> None:
    assert client.post(f"/webhooks/{name}", content=b"x").status_code == 404
    assert count(app, models.inbox) == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
@pytest.mark.parametrize("name", ["telegram", "whatsapp", "simulator", "viber"])
def test_only_posts(method: str, name: str, client: TestClient) -> None:
    assert client.request(method, f"/webhooks/{name}").status_code == 405


def test_a_message_is_taken_once(client: TestClient, app: App) -> None:
    update = TelegramPhone(None, stage.SECRET).say("hello")
    for _ in range(2):
        answer = telegram(client, update, **{SECRET_HEADER: stage.SECRET})
        assert (answer.status_code, answer.content) == (200, b"")
    assert count(app, models.inbox) == 1


@pytest.mark.parametrize(
    "headers",
    [{}, {SECRET_HEADER: ""}, {SECRET_HEADER: "guess"}, {SECRET_HEADER: stage.SECRET + " x"}],
)
def test_a_forged_update(headers: dict[str, str], client: TestClient, app: App) -> None:
    answer = telegram(client, TelegramPhone(None).say("hello"), **headers)
    assert answer.status_code == 403
    assert count(app, models.inbox) == 0


def test_a_signed_form(client: TestClient, app: App) -> None:
    phone = whatsapp_phone(profile_name="Noy")
    form = phone.say("hello")
    answer = client.post("/webhooks/whatsapp", data=dict(form), headers=phone.headers(form))
    assert answer.status_code == 200
    assert count(app, models.inbox) == 1


@pytest.mark.parametrize("forgery", ["unsigned", "wrong", "changed", "other address"])
def test_a_forged_form(forgery: str, client: TestClient, app: App) -> None:
    phone = whatsapp_phone()
    form = phone.say("hello")
    headers = dict(phone.headers(form))
    path = "/webhooks/whatsapp?d=other" if forgery == "other address" else "/webhooks/whatsapp"
    if forgery == "unsigned":
        headers = {"content-type": "application/x-www-form-urlencoded"}
    elif forgery == "wrong":
        headers = {key: "x" if "ignature" in key else value for key, value in headers.items()}
    elif forgery == "changed":
        form = [(key, "other" if key == "Body" else value) for key, value in form]
    assert client.post(path, data=dict(form), headers=headers).status_code == 403
    assert count(app, models.inbox) == 0


def test_what_cannot_be_used_is_parked(client: TestClient, app: App) -> None:
    for body in ({"update_id": 1, "poll": {}}, {"no": "update"}, [], "words"):
        assert telegram(client, body, **{SECRET_HEADER: stage.SECRET}).status_code == 200
    states = app.database.run_now(
        lambda db: set(db.execute(select(models.inbox.c.state)).scalars())
    )
    assert states == {"parked"}
    assert count(app, models.inbox) == 4


def test_too_large(client: TestClient, app: App) -> None:
    headers = {SECRET_HEADER: stage.SECRET}
    fits = b" " * webhooks.LARGEST
    assert client.post("/webhooks/telegram", content=fits, headers=headers).status_code == 200
    answer = client.post("/webhooks/telegram", content=fits + b" ", headers=headers)
    assert answer.status_code == 413
    assert count(app, models.inbox) == 1


def test_too_large_is_not_read_to_its_end(app: App) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 100_000
            yield b" " * 100_000

    async def post() -> int:
        there = httpx.ASGITransport(build(app, work=False))
        async with httpx.AsyncClient(transport=there, base_url="http://testserver") as calling:
            return (await calling.post("/webhooks/telegram", content=endless())).status_code

    assert asyncio.run(post()) == 413
    assert taken <= webhooks.LARGEST + 200_000


def test_a_store_that_is_down(
    client: TestClient, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, so that the provider repeats; then it is taken as if nothing had been."""
    update = TelegramPhone(None).say("hello")
    phone = whatsapp_phone()
    form = phone.say("hello")
    told = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    signed = sign(urlencode(told).encode(), "/webhooks/whatsapp?d=token1")
    with monkeypatch.context() as patch:
        down(patch)
        for answer in (
            telegram(client, update, **{SECRET_HEADER: stage.SECRET}),
            telegram(client, ["unusable"], **{SECRET_HEADER: stage.SECRET}),
            client.post("/webhooks/whatsapp", data=dict(form), headers=phone.headers(form)),
            client.post("/webhooks/whatsapp?d=token1", data=dict(told), headers=signed),
            client.post("/webhooks/simulator", json={"phone": "alex", "text": "hello"}),
        ):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "2"
            assert "Operational" not in answer.text
    assert count(app, models.inbox) == 0
    assert telegram(client, update, **{SECRET_HEADER: stage.SECRET}).status_code == 200
    assert count(app, models.inbox) == 1


# Production


@pytest.mark.parametrize(("method", "path"), SIMULATOR)
def test_production_has_no_simulator(method: str, path: str, production: TestClient) -> None:
    assert production.request(method, path, json={}).status_code == 404


REAL = {
    "/webhooks/{channel}",
    "/files/{token}/{name}",
    "/calendar/{uid}.ics",
    "/healthz",
    "/metrics",
}


def test_production_has_little_else(production: TestClient) -> None:
    page = production.get("/")
    assert (page.status_code, page.text) == (200, "Linkline\n")
    assert production.get("/healthz").status_code == 200
    routes = {route.path for route in production.app.routes}  # type: ignore[attr-defined]
    assert routes == {*REAL, "/"}


# The simulator


def test_every_simulator_route_is_there_in_development(client: TestClient) -> None:
    for method, path in SIMULATOR:
        if "events" not in path:
            status = client.request(method, path, json={}).status_code
            assert status != 404 or path.endswith(("invite", "step", "export", "{name}"))
    routes = {route.path for route in client.app.routes}  # type: ignore[attr-defined]
    tried = {path for _method, path in SIMULATOR if not path.startswith(("/static", "/web"))}
    assert routes - {"/static", "/", *REAL} == tried


@pytest.mark.parametrize("language", languages())
def test_the_page(language: str, client: TestClient) -> None:
    answer = client.get("/", params={"lang": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    title = catalogue(language).gettext("Linkline simulator")
    assert f"<title>{title}</title>" in answer.text
    assert (title == "Linkline simulator") == (language == "en")
    words = re.search(r'id="words">(.*?)</script>', answer.text, re.S)
    assert words is not None
    assert len(json.loads(words[1])) > 10


@pytest.mark.parametrize("language", ["", "xx", '"><script>alert(1)</script>', "../../etc"])
def test_the_page_in_no_language_of_ours(language: str, client: TestClient) -> None:
    answer = client.get("/", params={"lang": language})
    assert '<html lang="en">' in answer.text
    assert "alert(1)" not in answer.text


def test_the_page_keeps_its_own_policy(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
    assert not re.search(r"<[^>]+\s(style|on\w+)=", answer.text)
    for found in re.finditer(r"<script([^>]*)>", answer.text):
        assert "src=" in found[1] or 'type="application/json"' in found[1]
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)
    for path in set(re.findall(r'(?:src|href)="(/[^"]+)"', answer.text)) - {"/simulator/export"}:
        assert client.get(path).status_code == 200, path


def test_static_stays_in_its_folder(client: TestClient) -> None:
    assert client.get("/static/simulator.css").headers["content-type"].startswith("text/css")
    for path in ("/static/", "/static/../webhooks.py", "/static/%2e%2e/webhooks.py"):
        assert client.get(path).status_code == 404


def test_state(client: TestClient, phones: Phones) -> None:
    found = client.get("/simulator/state").json()
    assert set(found) == {"clock", "stands", "looks", "languages", "phones", "rehearsal"}
    assert [each["id"] for each in found["phones"]] == list(phones.all)
    assert set(found["languages"]) == set(languages())
    assert found["looks"] == ["whatsapp", "telegram"]


def test_a_message_from_a_phone(client: TestClient, app: App, phones: Phones) -> None:
    for _ in range(2):
        sent = {"phone": "alex", "key": "0123456789abcdef", "text": "ສະບາຍດີ"}
        assert client.post("/webhooks/simulator", json=sent).status_code == 200
    assert count(app, models.inbox) == 1
    client.portal.call(asyncio.sleep, 0.05)  # type: ignore[union-attr]
    assert [each.text for each in phones.all["alex"].bubbles] == ["ສະບາຍດີ"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_foreign_page_cannot_write(kind: str, client: TestClient, app: App) -> None:
    body = json.dumps({"phone": "alex", "text": "hello"})
    headers = {"content-type": kind} if kind else {}
    answer = client.post("/webhooks/simulator", content=body, headers=headers)
    assert answer.status_code == 403
    assert count(app, models.inbox) == 0


def hand_over(client: TestClient, content: bytes, mime: str) -> str:
    answer = client.post("/simulator/files", content=content, headers={"content-type": mime})
    assert answer.status_code == 201
    key: str = answer.json()["sent"]
    return key


@pytest.mark.parametrize(
    ("mime", "kind"),
    [
        ("audio/webm;codecs=opus", "voice"),
        ("IMAGE/PNG", "photo"),
        ("video/mp4", "video"),
        ("application/octet-stream", "document"),
    ],
)
def test_a_file_is_handed_over_and_sent(
    mime: str, kind: str, client: TestClient, phones: Phones
) -> None:
    key = hand_over(client, b"0123456789", mime)
    sent = {"phone": "alex", "key": "0123456789abcdef", "sent": key}
    assert client.post("/webhooks/simulator", json=sent).status_code == 200
    client.portal.call(asyncio.sleep, 0.05)  # type: ignore[union-attr]
    media = phones.all["alex"].bubbles[0].media
    assert media == {"kind": kind, "name": kind, "at": f"/simulator/files/{key}/{kind}"}
    assert client.get(media["at"]).content == b"0123456789"
    assert client.get(f"/simulator/files/{key}/other").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-", 206, b"0123456789"),
        ("bytes=8-", 206, b"89"),
        ("bytes=2-4", 206, b"234"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=0-0", 206, b"0"),
        ("bytes=4-2", 200, b"0123456789"),
        ("bytes=10-", 200, b"0123456789"),
        ("bytes=-3", 200, b"0123456789"),
        ("pages=1-2", 200, b"0123456789"),
    ],
)
def test_a_part_of_a_file(asked: str, status: int, part: bytes, client: TestClient) -> None:
    """Without it a player does not know how long a voice is."""
    at = f"/simulator/files/{hand_over(client, b'0123456789', 'audio/ogg')}/voice"
    answer = client.get(at, headers={"range": asked})
    assert (answer.status_code, answer.content) == (status, part)
    first = b"0123456789".index(part)
    told = f"bytes {first}-{first + len(part) - 1}/10" if status == 206 else None
    assert answer.headers.get("content-range") == told


def test_nothing_in_a_file_runs(client: TestClient) -> None:
    key = hand_over(client, b"<svg><script>alert(1)</script></svg>", "image/svg+xml")
    headers = client.get(f"/simulator/files/{key}/photo").headers
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-content-type-options"] == "nosniff"


FROM_ANYWHERE = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]


@pytest.mark.parametrize("mime", [*FROM_ANYWHERE, "text/html", "application/pdf"])
def test_a_foreign_page_cannot_hand_over(mime: str, client: TestClient, phones: Phones) -> None:
    headers = {"content-type": mime} if mime else {}
    assert client.post("/simulator/files", content=b"x", headers=headers).status_code == 400
    assert phones.files == {}


def test_a_file_that_is_none_or_too_large(client: TestClient, phones: Phones) -> None:
    headers = {"content-type": "audio/webm"}
    assert client.post("/simulator/files", content=b"", headers=headers).status_code == 400
    large = bytes(BIGGEST + 1)
    assert client.post("/simulator/files", content=large, headers=headers).status_code == 413
    assert phones.files == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b'{"phone": "nobody"}', b'{"phone": []}'])
def test_a_broken_message_is_parked(body: bytes, client: TestClient, app: App) -> None:
    assert client.post("/webhooks/simulator", content=body, headers=JSON).status_code == 200
    reasons = app.database.run_now(
        lambda db: db.execute(select(models.inbox.c.reason)).scalars().all()
    )
    assert reasons == ["no_phone"]


def test_half_a_sign_is_taken(client: TestClient) -> None:
    body = b'{"phone": "alex", "text": "half \\ud83d"}'
    assert client.post("/webhooks/simulator", content=body, headers=JSON).status_code == 200


def test_half_a_sign_in_an_update_is_taken(client: TestClient) -> None:
    update = TelegramPhone(None, stage.SECRET).say("half \ud83d".replace("\ud83d", "X"))
    update["message"]["text"] = "half \ud83d"
    assert telegram(client, update, **{SECRET_HEADER: stage.SECRET}).status_code == 200


def test_a_new_phone(client: TestClient, phones: Phones) -> None:
    wanted = {"name": "ນ້ອຍ" * 20, "look": "whatsapp", "language": "lo"}
    answer = client.post("/simulator/phones", json=wanted)
    assert answer.status_code == 201
    made = phones.all[answer.json()["id"]]
    assert (made.look, made.language, len(made.name)) == ("whatsapp", "lo", 40)
    assert client.post("/simulator/phones", json=wanted | {"name": ""}).json()["name"] == "Phone"
    while len(phones.all) < 12:
        assert client.post("/simulator/phones", json=wanted).status_code == 201
    assert client.post("/simulator/phones", json=wanted).status_code == 400


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"look": "viber"},
        {"look": None},
        {"language": "fr"},
        {"language": None},
        {"look": []},
    ],
)
def test_no_such_phone(wanted: dict[str, Any], client: TestClient, phones: Phones) -> None:
    good = {"name": "Noy", "look": "whatsapp", "language": "lo"}
    answer = client.post("/simulator/phones", json=(good | wanted) if wanted else {})
    assert answer.status_code == 400
    assert len(phones.all) == 4


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b""])
@pytest.mark.parametrize("path", ["phones", "clock", "rehearsal", "provider", "translation"])
def test_no_json(path: str, body: bytes, client: TestClient) -> None:
    answer = client.post(f"/simulator/{path}", content=body, headers=JSON)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["phones", "clock"])
def test_a_foreign_page_cannot_change(path: str, client: TestClient, phones: Phones) -> None:
    wanted = {"name": "Noy", "look": "whatsapp", "language": "lo", "seconds": 60}
    answer = client.post(
        f"/simulator/{path}", content=json.dumps(wanted), headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 400
    assert len(phones.all) == 4
    assert clock._shift.total_seconds() == 0


@pytest.mark.parametrize("path", ["invite", "restart", "rehearsal", "step", "provider"])
def test_a_foreign_page_cannot_restart_or_invite(path: str, client: TestClient, app: App) -> None:
    load_crafts(app)
    answer = client.post(f"/simulator/{path}", headers={"content-type": "text/plain"})
    assert answer.status_code == 400


@pytest.mark.parametrize("seconds", [1, 366 * 86400])
def test_the_clock_moves(seconds: int, client: TestClient) -> None:
    before = clock.now()
    answer = client.post("/simulator/clock", json={"seconds": seconds})
    assert answer.status_code == 200
    assert seconds <= (clock.now() - before).total_seconds() < seconds + 30
    assert answer.json()["clock"][:13] == clock.now().isoformat()[:13]


@pytest.mark.parametrize(
    "seconds",
    [
        0,
        -1,
        366 * 86400 + 1,
        1.5,
        "60",
        None,
        [],
        1e300,
        True,
    ],
)
def test_the_clock_has_bounds(seconds: Any, client: TestClient) -> None:
    assert client.post("/simulator/clock", json={"seconds": seconds}).status_code == 400
    assert clock._shift.total_seconds() == 0


def test_moving_the_clock_does_what_is_due(client: TestClient, app: App) -> None:
    client.post("/simulator/clock", json={"seconds": 86400})
    keys = app.database.run_now(
        lambda db: db.execute(select(models.occurrences.c.key)).scalars().all()
    )
    assert {key.partition("/")[0] for key in keys} == {each.name for each in app.scheduler._jobs}


def test_invite(client: TestClient, app: App) -> None:
    answer = client.post("/simulator/invite", json={})
    assert (answer.status_code, answer.json()) == (404, {"code": None})
    load_crafts(app)
    code = client.post("/simulator/invite", json={}).json()["code"]
    found = app.database.run_now(lambda db: invites.find(db, code, clock.now()))
    assert found is not None
    assert found.role == "member"


def test_restart_keeps_phones_and_store(client: TestClient, app: App, phones: Phones) -> None:
    client.post("/webhooks/simulator", json={"phone": "alex", "key": "a" * 16, "text": "hello"})
    client.portal.call(asyncio.sleep, 0.05)  # type: ignore[union-attr]
    before = app.database, app.router, app.scheduler
    bubbles = len(phones.all["alex"].bubbles)
    assert client.post("/simulator/restart", json={}).json() == {"restarted": True}
    assert not set(before) & {app.database, app.router, app.scheduler}
    assert count(app, models.inbox) == 1
    assert len(phones.all["alex"].bubbles) >= bubbles == 1
    again = {"phone": "alex", "key": "b" * 16, "text": "again"}
    assert client.post("/webhooks/simulator", json=again).status_code == 200
    assert count(app, models.inbox) == 2


def test_restart_goes_on_listening(sqlite_url: str, phones: Phones) -> None:
    listening: list[str] = []

    class Polled(channel.Simulator):
        async def listen(self) -> AsyncIterator[Any]:
            listening.append("begun")
            try:
                await asyncio.sleep(60)
                yield "", []
            finally:
                listening.append("ended")

    async def live() -> None:
        app = App(Settings(database_url=sqlite_url), [Polled("telegram")])
        app.start_sending()
        app.start_listening()
        await asyncio.sleep(0)
        await app.restart()
        await asyncio.sleep(0.01)
        seen = list(listening)
        await app.stop()
        assert seen == ["begun", "ended", "begun"]

    asyncio.run(live())


def test_restart_does_not_make_a_worker(client: TestClient, app: App) -> None:
    client.post("/simulator/restart", json={})
    client.portal.call(asyncio.sleep, 0)  # type: ignore[union-attr]
    assert not app.scheduler._ticker.running


# The rehearsal room


def test_choices(client: TestClient) -> None:
    found = client.get("/simulator/choices", params={"lang": "lo"}).json()
    names = {each["name"]: each for each in found["programmes"]}
    assert names["quiet-programme"]["discreet"] and not names["demo-programme"]["discreet"]
    assert names["demo-programme"]["title"] == "ການເຊື່ອມຕໍ່ ແລະ ການຮຽນຮູ້"
    assert [each["id"] for each in names["demo-programme"]["people"]] == ["noy", "dara", "alex"]
    assert {"name", "title", "problem"} == set(found["transcripts"][0])


@pytest.mark.parametrize(
    "wanted",
    [
        {"programme": "none", "people": []},
        {"programme": "demo-programme"},
        {"programme": "demo-programme", "people": "noy"},
        {"programme": "demo-programme", "people": [1]},
        {"programme": ["demo-programme"], "people": ["noy"]},
        {"transcript": "../../etc/passwd"},
        {"transcript": None},
    ],
)
def test_no_such_rehearsal(wanted: dict[str, Any], client: TestClient, phones: Phones) -> None:
    assert client.post("/simulator/rehearsal", json=wanted).status_code == 400
    assert client.get("/simulator/state").json()["rehearsal"] is None
    assert list(phones.all) == ["noy", "dara", "alex", "new"]


def test_a_rehearsal(client: TestClient, phones: Phones) -> None:
    wanted = {"programme": "quiet-programme", "people": ["rom"], "newcomer": True}
    assert client.post("/simulator/rehearsal", json=wanted).status_code == 200
    state = client.get("/simulator/state").json()
    assert state["rehearsal"]["name"] == "quiet-programme"
    assert [each["id"] for each in state["phones"]] == ["rom", "new"]
    assert client.post("/simulator/step", json={}).status_code == 404
    exported = client.get("/simulator/export")
    assert exported.headers["content-disposition"].startswith("attachment")
    assert "Romduol 34 [telegram, km] listening facilitator" in exported.text
    assert client.post("/simulator/rehearsal", json={}).json() == {"rehearsal": None}
    assert list(phones.all) == ["noy", "dara", "alex", "new"]
    assert client.get("/simulator/export").status_code == 404


def test_a_stored_talk(client: TestClient) -> None:
    client.post("/simulator/rehearsal", json={"transcript": "question"})
    about = client.get("/simulator/state").json()["rehearsal"]
    assert about["position"] == 0 < about["total"]
    step = client.post("/simulator/step", json={}).json()
    assert (step["position"], step["sign"], step["outcome"]) == (1, ">", "done")
    assert client.get("/simulator/state").json()["stands"] is True
    client.post("/simulator/rehearsal", json={})
    assert client.get("/simulator/state").json()["stands"] is False


@pytest.mark.parametrize(
    "wanted",
    [
        {"phone": "nobody", "provider": "slow"},
        {"phone": ["noy"], "provider": "slow"},
        {"phone": "noy", "provider": "on fire"},
        {"phone": "noy", "provider": ["slow"]},
        {"phone": "dara", "provider": "window"},
        {},
    ],
)
def test_no_such_provider(wanted: dict[str, Any], client: TestClient, phones: Phones) -> None:
    assert client.post("/simulator/provider", json=wanted).status_code == 400
    assert {each.provider for each in phones.all.values()} == {"works"}


def test_a_provider_changes(client: TestClient, app: App, phones: Phones) -> None:
    """Telegram tells the bot who blocks it; WhatsApp does not."""
    for id_, states, events in (
        ("noy", ["blocked", "window", "works"], 0),
        ("dara", ["blocked", "blocked", "busy", "works", "blocked", "works"], 4),
    ):
        before = count(app, models.inbox)
        for state in states:
            answer = client.post("/simulator/provider", json={"phone": id_, "provider": state})
            assert answer.json() == {"provider": state}
        assert phones.all[id_].provider == "works"
        assert count(app, models.inbox) - before == events


def test_another_language(client: TestClient, app: App, phones: Phones) -> None:
    client.post("/simulator/rehearsal", json={"programme": "demo-programme", "people": ["dara"]})
    client.post("/webhooks/simulator", json={"phone": "dara", "text": "menu"})
    assert client.portal is not None
    client.portal.call(app.drain)
    bubble = next(each for each in phones.all["dara"].bubbles if not each.mine)
    wanted = {"phone": "dara", "bubble": bubble.id}
    said = {
        code: client.post("/simulator/translation", json=wanted | {"language": code}).json()
        for code in languages()
    }
    assert said["km"]["text"] == bubble.text
    assert said["km"]["labels"] == [label for label, _data in bubble.buttons]
    assert said["en"]["labels"][0] == "Ask a question"
    assert len({each["text"] for each in said.values()}) == 3
    for odd in ({"bubble": "dara/none"}, {"bubble": None}, {"bubble": [1]}):
        odd = {"phone": "dara", "language": "en"} | odd
        assert client.post("/simulator/translation", json=odd).status_code == 404
    for odd in ({"language": "fr"}, {"language": None}, {"phone": "nobody"}):
        odd = wanted | {"language": "en"} | odd
        assert client.post("/simulator/translation", json=odd).status_code == 400


def test_to_the_morning(client: TestClient) -> None:
    answer = client.post("/simulator/clock", json={"to": "morning"}).json()
    there = datetime.fromisoformat(answer["clock"]).astimezone(ZoneInfo("Asia/Vientiane"))
    assert (there.hour, there.minute) == (8, 0)
    assert 0 < clock.moved().total_seconds() <= 32 * 3600


def test_events(app: App, phones: Phones) -> None:
    """An open page hears what happens, and is let go when the server stops."""

    async def watch() -> httpx.Response:
        there = httpx.ASGITransport(build(app, work=False))
        async with httpx.AsyncClient(transport=there, base_url="http://testserver") as calling:
            opened = asyncio.create_task(calling.get("/simulator/events"))
            while not phones._listeners:
                await asyncio.sleep(0.001)
            phones.add("ນ້ອຍ\n\nevent: forged", "whatsapp", "lo")
            phones.close()
            return await asyncio.wait_for(opened, PATIENCE)

    answer = asyncio.run(watch())
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    blocks = answer.text.strip().split("\n\n")
    assert [each.partition("\n")[0] for each in blocks] == [": still here", "event: phone"]
    assert not phones._listeners


def test_stopping_closes_the_store(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(Database, "close", lambda _self: closed.append("store"))
    with TestClient(build(app, work=True)) as client:
        assert client.get("/healthz").status_code == 200
        assert app.scheduler._ticker.running
    assert closed == ["store"]
    assert not app._tasks
