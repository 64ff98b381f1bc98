"""How many statements a turn of the ask conversation takes, and its sends, on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot import clock
from bot.app import App
from bot.settings import Settings
from tests.bench.cast import FIRST_USER, SECRET
from tests.bench.stores import Store
from tests.fakes.phones import TelegramPhone

# (who, what she writes, where that leads)
STEPS = (
    (0, "/ask", "ask.start"),
    (0, "ok", "ask.question, too short"),
    (0, "How do you count the stock?", "ask.question, a draft"),
    (0, "1", "ask.confirm, Send"),
    (1, "pivot?", "free text, too short to guess"),
    (1, "hm", "ask.meaning, wrong choice"),
)
MEASURED = "ask.meaning, wrong choice"
BOOKENDS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass(frozen=True)
class Counted:
    where: str
    turn: int
    sender: int


async def count(store: Store, fake_url: str) -> list[Counted]:
    """Run each step and send what it says, in this process."""
    app = _app(store, fake_url)
    await app.drain()
    counted = [await _count_one(app, *step) for step in STEPS]
    await app.stop()
    clock.reset()
    return counted


def _app(store: Store, fake_url: str) -> App:
    found = {name.lower(): value for name, value in store.environment(fake_url).items()}
    known = {name: found[name] or None for name in Settings.model_fields if name in found}
    return App(Settings(_env_file=None, **known))  # type: ignore[call-arg,arg-type]


async def _count_one(app: App, who: int, text: str, where: str) -> Counted:
    channel = app.channels[0]
    phone = TelegramPhone(None, SECRET, FIRST_USER + who, "Noy", "lo")
    body = json.dumps(phone.say(text)).encode()
    headers = {"x-telegram-bot-api-secret-token": SECRET}
    with _counting(app) as turn:
        await app.take(channel, channel.receive("", headers, body))
    clock.move(timedelta(seconds=4))  # a draft's preview waits for more bubbles
    with _counting(app) as sender:
        await app.drain()
    return Counted(where, len(turn), len(sender))


@contextmanager
def _counting(app: App) -> Iterator[list[str]]:
    """What SQLite itself is given, whichever way it comes; the bookends of transactions aside."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if not statement.startswith(BOOKENDS):
            seen.append(statement)

    def trace(connection: Any, wanted: Any) -> None:
        connection.driver_connection.set_trace_callback(wanted)

    with app.database.engine.connect() as db:
        trace(db.connection, note)
    yield seen
    with app.database.engine.connect() as db:
        trace(db.connection, None)
