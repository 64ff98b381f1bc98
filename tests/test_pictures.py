"""QR pictures for providers that fetch: whoever has the address of a bubble sees what it says."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from bot import clock, logs, qr, seals
from bot.app import App
from bot.db import Database, StoreDown
from bot.messages import Message, Text
from bot.models import dispatches
from bot.settings import Settings
from bot.store import meeting, messages
from bot.web import build
from bot.web.files import LASTS
from tests import stage

LINK = "https://t.me/linkline_bot?start=TEST-2222"
PERSON = "whatsapp:+8562055123456"


class Gallery:
    """The web side of a bot that says what it should on WhatsApp, and never reaches Twilio."""

    def __init__(self, database_url: str) -> None:
        settings = Settings(
            database_url=database_url,
            linkline_env="production",
            linkline_keys=seals.new_key(),
            public_url=stage.PUBLIC,
            twilio_account_sid=stage.ACCOUNT,
            twilio_auth_token=stage.AUTH,
            twilio_whatsapp_from=stage.SENDER,
            twilio_api_url="http://127.0.0.1:1",
        )
        self.app = App(settings)
        self.lane = self.app.channels[0].lane
        self.client = TestClient(build(self.app, work=False))

    def show(self, message: Message) -> str:
        """The token of its bubble, once it has been frozen."""

        def work(db: Any) -> None:
            now = clock.now()
            member_id, address_id = meeting.add_ready(db, self.lane, PERSON, now, language="en")
            assert address_id is not None
            messages.say(db, [("said", message, now)], (address_id, member_id, self.lane), now)

        self.app.database.run_now(work)
        [sender] = self.app.senders

        def plan(db: Any) -> str:
            fence = sender._take_over(db)
            [(_due, [part])] = sender._planner.plan(db, fence, (), 9, clock.now())
            return part.token

        return self.app.database.run_now(plan)


@pytest.fixture
def gallery(database_url: str) -> Iterator[Gallery]:
    found = Gallery(database_url)
    with found.client:
        yield found


@pytest.fixture
def token(gallery: Gallery) -> str:
    return gallery.show(Message((Text("{link}", {"link": LINK}),), qr=LINK))


def test_the_picture_of_a_bubble(gallery: Gallery, token: str) -> None:
    answer = gallery.client.get(f"/files/{token}/qr.png")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == qr.png(LINK)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"


def test_only_its_head(gallery: Gallery, token: str) -> None:
    answer = gallery.client.head(f"/files/{token}/qr.png")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "image/png"
    assert int(answer.headers["content-length"]) == len(qr.png(LINK))
    assert gallery.client.head("/files/no-such-token/qr.png").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_else(method: str, gallery: Gallery, token: str) -> None:
    assert gallery.client.request(method, f"/files/{token}/qr.png").status_code == 405


def test_nobody_guesses_it(token: str) -> None:
    assert len(token) >= 12, "72 random bits"


WRONG = [
    "no-such-token",
    "%00",
    "a%00b",
    "%ff%fe",
    "%F0%9F%98%80",
    "ຂໍ້ຄວາມ",
    "' OR 1=1 --",
    "%25",
    "_" * 12,
    "x" * 5000,
    "..%2f..%2fetc%2fpasswd",
]


@pytest.mark.parametrize("wrong", WRONG, ids=range(len(WRONG)))
def test_no_picture_of_a_wrong_token(wrong: str, gallery: Gallery, token: str) -> None:
    answer = gallery.client.get(f"/files/{wrong}/qr.png")
    assert answer.status_code == 404
    assert b"PNG" not in answer.content


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token.swapcase(),
        lambda token: f"{token}.png",
        lambda token: f"%20{token}",
    ],
)
def test_a_token_is_whole(change: Callable[[str], str], gallery: Gallery, token: str) -> None:
    assert gallery.client.get(f"/files/{change(token)}/qr.png").status_code == 404


@pytest.mark.parametrize(
    "path", ["", "{token}", "{token}/qr.jpg", "{token}/qr.png/", "x/{token}/qr.png", "{token}.png"]
)
def test_other_addresses(path: str, gallery: Gallery, token: str) -> None:
    answer = gallery.client.get(f"/files/{path.format(token=token)}", follow_redirects=False)
    assert answer.status_code in (404, 307)
    assert b"PNG" not in answer.content


def test_a_picture_lasts_an_hour(gallery: Gallery, token: str) -> None:
    """After it was handed over; as long as that goes on, it is there."""
    path = f"/files/{token}/qr.png"
    clock.move(LASTS)
    sent = update(dispatches).values(state="sent", handed_at=clock.now())
    assert gallery.client.get(path).status_code == 200
    gallery.app.database.run_now(lambda db: db.execute(sent))
    clock.move(LASTS - timedelta(minutes=1))
    assert gallery.client.get(path).status_code == 200
    clock.move(timedelta(minutes=2))
    assert gallery.client.get(path).status_code == 404


def test_a_bubble_without_a_picture(gallery: Gallery) -> None:
    """Words never become a picture, whoever has the token of their receipt."""
    told = gallery.show(Message((Text("My husband reads my phone."),)))
    answer = gallery.client.get(f"/files/{told}/qr.png")
    assert answer.status_code == 404
    assert b"husband" not in answer.content


def test_a_store_that_is_down(
    gallery: Gallery, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio asks again."""

    async def run(_self: Database, _work: Any) -> None:
        raise StoreDown("OperationalError")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "run", run)
        answer = gallery.client.get(f"/files/{token}/qr.png")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert "Operational" not in answer.text
    assert gallery.client.get(f"/files/{token}/qr.png").status_code == 200


def test_neither_token_nor_link_is_logged(
    gallery: Gallery,
    token: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs.configure("DEBUG")

    async def run(_self: Database, _work: Any) -> None:
        raise StoreDown("OperationalError")

    unknown = secrets.token_urlsafe(9)
    for each in (token, unknown):
        gallery.client.get(f"/files/{each}/qr.png")
    with monkeypatch.context() as patch:
        patch.setattr(Database, "run", run)
        gallery.client.get(f"/files/{token}/qr.png")
    metrics = gallery.client.get("/metrics").text
    printed = "".join(capfd.readouterr()) + metrics
    assert not [each for each in (token, unknown, "TEST-2222", LINK) if each in printed]
