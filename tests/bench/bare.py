"""The bare limit of a turn: raw ASGI, the raw driver, bare aiohttp; the same rows, nothing sealed.

The webhook writes what a turn writes and marks the reply as being sent, in one transaction; a
second one notes that it was sent. There is no routing, no rendering and no claim.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import psycopg
import uvicorn
import uvloop

from tests.bench.cast import FIRST_USER, TOKEN
from tests.fakes.process import AnnouncingServer

TABLES = (
    "CREATE TABLE inbox (id {id}, key TEXT UNIQUE, lane TEXT, payload TEXT, received_at BIGINT)",
    "CREATE TABLE members (id {id}, state TEXT, language TEXT, name TEXT)",
    "CREATE TABLE addresses (id {id}, member_id BIGINT, name TEXT, last_inbound_at BIGINT)",
    "CREATE TABLE address_keys (key TEXT PRIMARY KEY, address_id BIGINT)",
    "CREATE TABLE conversations (address_id BIGINT PRIMARY KEY, state TEXT, expires_at BIGINT)",
    "CREATE TABLE messages (id {id}, key TEXT UNIQUE, kind TEXT, body TEXT, created_at BIGINT)",
    "CREATE TABLE deliveries (id {id}, message_id BIGINT, member_id BIGINT, address_id BIGINT,"
    " lane TEXT, priority INT, state TEXT, due_at BIGINT)",
    "CREATE INDEX ix_waiting ON deliveries (lane, priority, id) WHERE state = 'queued'",
    "CREATE TABLE dispatches (id {id}, delivery_id BIGINT, part INT, token TEXT UNIQUE, state TEXT,"
    " content TEXT, provider_id TEXT, created_at BIGINT)",
    "CREATE INDEX ix_provider ON dispatches (provider_id)",
    "CREATE TABLE prompts (id {id}, token TEXT UNIQUE, address_id BIGINT, message_id BIGINT,"
    " language TEXT, shown_at BIGINT)",
)
INBOX = (
    "INSERT INTO inbox (key, lane, payload, received_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
SENDER = (
    "SELECT a.id, m.id, m.state, m.language, m.name, c.state FROM address_keys k"
    " JOIN addresses a ON a.id = k.address_id JOIN members m ON m.id = a.member_id"
    " LEFT JOIN conversations c ON c.address_id = a.id WHERE k.key = ?"
)
HEARD = "UPDATE addresses SET last_inbound_at = ? WHERE id = ?"
MESSAGE = "INSERT INTO messages (key, kind, body, created_at) VALUES (?, ?, ?, ?) RETURNING id"
DELIVERY = (
    "INSERT INTO deliveries (message_id, member_id, address_id, lane, priority, state, due_at)"
    " VALUES (?, ?, ?, 'bare', 0, 'sending', ?) RETURNING id"
)
TALK = (
    "INSERT INTO conversations (address_id, state, expires_at) VALUES (?, ?, ?)"
    " ON CONFLICT (address_id) DO UPDATE SET state = excluded.state,"
    " expires_at = excluded.expires_at"
)
DISPATCH = (
    "INSERT INTO dispatches (delivery_id, part, token, state, content, created_at)"
    " VALUES (?, 0, ?, 'sending', ?, ?) RETURNING id"
)
PROMPT = (
    "INSERT INTO prompts (token, address_id, message_id, language, shown_at) VALUES (?, ?, ?, ?, ?)"
)
SENT = "UPDATE dispatches SET state = 'sent', content = NULL, provider_id = ? WHERE id = ?"
SETTLED = "UPDATE deliveries SET state = 'sent' WHERE id = ?"
KEYBOARD = json.dumps({"inline_keyboard": [[{"text": "One", "callback_data": "token.0"}]] * 2})

# As the bot has them, so that the same is kept safe in the same way.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON")

Reply = tuple[int, int, int, str]  # delivery, dispatch, chat, text


class Store:
    """One connection; SQLite as the bot uses it, or psycopg with prepared statements."""

    def __init__(self, url: str) -> None:
        self._sqlite = url.startswith("sqlite")
        if self._sqlite:
            self._connection: Any = sqlite3.connect(
                url.removeprefix("sqlite:///"), isolation_level=None
            )
            for pragma in PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
        else:
            self._connection = psycopg.connect(
                url.replace("+psycopg", ""), autocommit=True, prepare_threshold=1
            )

    def close(self) -> None:
        self._connection.close()

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE" if self._sqlite else "BEGIN")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def run(self, statement: str, *values: object) -> Any:
        if not self._sqlite:
            statement = statement.replace("?", "%s")
        return self._connection.execute(statement, values)

    def make(self, count: int) -> None:
        id_ = "INTEGER PRIMARY KEY" if self._sqlite else "BIGSERIAL PRIMARY KEY"
        self.begin()
        for table in TABLES:
            self.run(table.replace("{id}", id_))
        for number in range(1, count + 1):
            user = str(FIRST_USER + number - 1)
            self.run("INSERT INTO members VALUES (?, 'active', 'en', ?)", number, f"Noy {number}")
            self.run("INSERT INTO addresses VALUES (?, ?, ?, 0)", number, number, user)
            self.run("INSERT INTO address_keys VALUES (?, ?)", user, number)
        self.commit()


class Bot:
    """The webhook and the send."""

    def __init__(self, store: Store, fake: str) -> None:
        self._store = store
        self._send_url = f"{fake}/bot{TOKEN}/sendMessage"
        self._sends: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        reply = self._turn(json.loads(body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        if reply is not None:
            task = asyncio.create_task(self._send(reply))
            self._sends.add(task)
            task.add_done_callback(self._sends.discard)

    def _turn(self, update: dict[str, Any]) -> Reply | None:
        store, now = self._store, time.time_ns() // 1000
        user, key = str(update["message"]["chat"]["id"]), str(update["update_id"])
        text = str(update["message"]["text"])
        store.begin()
        if store.run(INBOX, key, "bare", json.dumps(update), now).fetchone() is None:
            store.commit()
            return None
        address, member, _state, language, *_ = store.run(SENDER, user).fetchone()
        store.run(HEARD, now, address)
        said = store.run(MESSAGE, f"in{key}", "direct", json.dumps({"say": text}), now)
        [message] = said.fetchone()
        [delivery] = store.run(DELIVERY, message, member, address, now).fetchone()
        store.run(TALK, address, json.dumps({"step": "a", "message": message}), now)
        content = json.dumps({"text": text})
        [dispatch] = store.run(DISPATCH, delivery, f"t{key}", content, now).fetchone()
        store.run(PROMPT, f"p{key}", address, message, language, now)
        store.commit()
        return delivery, dispatch, int(user), text

    async def _send(self, reply: Reply) -> None:
        delivery, dispatch, chat, text = reply
        if self._session is None:
            self._session = aiohttp.ClientSession()
        form = {"chat_id": str(chat), "text": text, "reply_markup": KEYBOARD}
        async with self._session.post(self._send_url, data=form) as answer:
            sent = json.loads(await answer.read())["result"]["message_id"]
        self._store.begin()
        self._store.run(SENT, f"{chat}/{sent}", dispatch)
        self._store.run(SETTLED, delivery)
        self._store.commit()


def main(url: str, fake: str, count: int) -> None:
    store = Store(url)
    store.make(count)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        Bot(store, fake), log_level="warning", access_log=False, lifespan="off", interface="asgi3"
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(AnnouncingServer(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
