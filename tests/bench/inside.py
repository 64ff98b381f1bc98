"""The bot in this process, with a Telegram that takes everything and costs nothing."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

from bot.app import App
from bot.channels.telegram import Telegram
from bot.messages import Outbound
from bot.settings import Settings
from tests.bench.cast import FIRST_USER, SECRET, TOKEN
from tests.bench.stores import Store
from tests.fakes.phones import TelegramPhone

NOWHERE = "http://127.0.0.1:9"


class Quiet(Telegram):
    """Telegram without a network."""

    _numbers = count(1)

    def __init__(self) -> None:
        super().__init__(TOKEN, SECRET, NOWHERE, None)

    async def send(self, message: Outbound) -> str | None:
        return f"{message.to}/{next(self._numbers)}"


def app(store: Store) -> App:
    """Everything but the tasks that run by themselves: turns are taken, queues are drained."""
    found = {name.lower(): value for name, value in store.environment(NOWHERE).items()}
    known = {name: found[name] or None for name in Settings.model_fields if name in found}
    return App(Settings(_env_file=None, **known), [Quiet()])  # type: ignore[call-arg,arg-type]


def webhook(who: int, text: str) -> bytes:
    phone = TelegramPhone(None, SECRET, FIRST_USER + who, "Noy", "lo")
    return json.dumps(phone.say(text)).encode()


async def take(app: App, body: bytes) -> None:
    channel: Any = app.channels[0]
    headers = {"x-telegram-bot-api-secret-token": SECRET}
    await app.take(channel, channel.receive("", headers, body))


def with_app(store: Store, work: Any) -> Any:
    """`await work(app)`, in a loop of its own."""

    async def play() -> Any:
        here = app(store)
        try:
            return await work(here)
        finally:
            await here.stop()

    return asyncio.run(play())
