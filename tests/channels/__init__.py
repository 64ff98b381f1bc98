"""What the tests of the channels share: channels with a wire of ours, and signed calls."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from aiohttp import FormData
from multidict import MultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from tests.fakes.telegram import FakeTelegram

PUBLIC = "https://bot.example.org"
SECRET = "a-long-random-word"
TOKEN = "123456:AAtest-token"
ACCOUNT = "AC" + "0" * 32
AUTH = "an-auth-token"
SENDER = "whatsapp:+14155238886"
HOOK = "/webhooks/whatsapp"

Outcome = tuple[int, bytes] | Exception


@dataclass
class Wire:
    """Stands in for aiohttp's session: the real clients above it run unchanged."""

    outcome: Outcome = (200, b"{}")
    asked: list[dict[str, Any]] = field(default_factory=list)

    def request(self, method: str, url: Any, **options: Any) -> _Answer:
        self.asked.append({"method": method, "url": str(url), **options})
        return _Answer(self.outcome)

    async def close(self) -> None: ...


_OPTIONS = Namespace(fast=False, history=None, token=None)


@dataclass
class Line(Wire):
    """Leads to the strict stand-in for Telegram, in this process: what is sent is really read."""

    provider: FakeTelegram = field(default_factory=lambda: FakeTelegram(_OPTIONS))

    def request(self, method: str, url: Any, **options: Any) -> _Answer:
        self.asked.append({"method": method, "url": str(url), **options})
        return _Answer(self._come_by(method, str(url), options["data"]))

    async def _come_by(self, method: str, url: str, data: Any) -> Outcome:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        body = (data if isinstance(data, FormData) else FormData(data))()
        there = httpx.ASGITransport(self.provider.app())
        async with httpx.AsyncClient(transport=there) as client:
            said = await client.request(
                method, url, content=await body.as_bytes(), headers=dict(body.headers)
            )
        return said.status_code, said.content


class _Answer:
    """What a session gives back, whether it is awaited or entered."""

    def __init__(self, outcome: Outcome | Awaitable[Outcome]) -> None:
        self._outcome = outcome
        self.headers: dict[str, str] = {}

    async def _come(self) -> _Answer:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        came = self._outcome if isinstance(self._outcome, tuple) else await self._outcome
        assert not isinstance(came, Exception)
        self.status, self._body = came
        return self

    def __await__(self) -> Any:
        return self._come().__await__()

    async def __aenter__(self) -> _Answer:
        return await self._come()

    async def __aexit__(self, *_: object) -> None: ...

    async def read(self) -> bytes:
        return self._body

    async def text(self) -> str:
        return self._body.decode()


def telegram(wire: Wire | None = None) -> Telegram:
    """The channel, with our wire in place of the network."""
    channel = Telegram(TOKEN, SECRET, "https://api.telegram.org", PUBLIC)
    channel._transport._session = wire or Wire()  # type: ignore[assignment]
    return channel


def whatsapp() -> WhatsApp:
    return WhatsApp(ACCOUNT, AUTH, SENDER, "https://api.twilio.com", PUBLIC)


async def on_wire(channel: WhatsApp, wire: Wire) -> WhatsApp:
    """Put our wire under the client, which can be made in a running loop only."""
    channel._messages()
    assert channel._client is not None
    http = channel._client.http_client
    await http.session.close()
    http.session = wire
    return channel


def answer(http: int, **said: Any) -> Outcome:
    return http, json.dumps(said).encode()


def from_telegram(secret: str = SECRET) -> dict[str, str]:
    return {"x-telegram-bot-api-secret-token": secret}


def sign(body: bytes, url: str = HOOK, token: str = AUTH) -> dict[str, str]:
    """The headers of a call by Twilio: the signature over the address and all fields."""
    fields = MultiDict(parse_qsl(body.decode(), keep_blank_values=True))
    return {"x-twilio-signature": RequestValidator(token).compute_signature(PUBLIC + url, fields)}


def form(fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    return urlencode([tuple(pair) for pair in pairs]).encode()


def refused(channel: Any, message: Any) -> BaseException | None:
    """What send() raises, if anything."""

    async def send() -> BaseException | None:
        try:
            await channel.send(message)
        except BaseException as error:
            return error
        return None

    return asyncio.run(send())
