"""How many statements a turn of the ask conversation takes, and its sends, on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot import clock
from bot.app import App
from tests.bench import inside
from tests.bench.cast import OPENING, WRONG_CHOICE
from tests.bench.stores import Store

# (who, what she writes, where that leads)
STEPS = (
    (0, "/ask", "ask.start"),
    (0, "ok", "ask.question, too short"),
    (0, "How do you count the stock?", "ask.question, a draft"),
    (0, "1", "ask.confirm, Send"),
    (1, OPENING, "free text, too short to guess"),
    (1, WRONG_CHOICE, "ask.meaning, wrong choice"),
)
MEASURED = "ask.meaning, wrong choice"
BOOKENDS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass(frozen=True)
class Counted:
    where: str
    turn: int
    sender: int


async def count(store: Store) -> list[Counted]:
    """Run each step and send what it says, in this process."""
    app = inside.app(store)
    await app.drain()
    counted = [await _count_one(app, *step) for step in STEPS]
    await app.stop()
    clock.reset()
    return counted


async def _count_one(app: App, who: int, text: str, where: str) -> Counted:
    body = inside.webhook(who, text)
    with _counting(app) as turn:
        await inside.take(app, body)
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
