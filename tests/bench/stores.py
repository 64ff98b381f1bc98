"""Stores with members who need no welcome, and a queue of deliveries for them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url, text

from alembic import command
from bot import clock, seals
from bot.channels.telegram import Telegram
from bot.cli import alembic_config
from bot.db import Database
from bot.messages import Message, Text
from bot.store import communities, deliveries, members, messages, programmes, secrets
from bot.store.messages import Audience
from tests.bench.cast import FIRST_USER, LANGUAGES, NEWS, SECRET, TOKEN


@dataclass(frozen=True)
class Store:
    """One database of the run."""

    name: str
    url: str
    key: str  # LINKLINE_KEYS

    def environment(self, fake_url: str) -> dict[str, str]:
        """The settings of a process on this store, in production, with the fake as its Telegram."""
        here = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return here | {
            "LINKLINE_ENV": "production",
            "LINKLINE_KEYS": self.key,
            "DATABASE_URL": self.url,
            "HOST": "127.0.0.1",
            "PORT": "0",
            "PUBLIC_URL": "https://bot.example.org",
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "TELEGRAM_API_URL": fake_url,
            "TWILIO_ACCOUNT_SID": "",
            "TWILIO_AUTH_TOKEN": "",
            "TWILIO_WHATSAPP_FROM": "",
        }

    def open(self) -> Database:
        seals.use(seals.Keyring([self.key]))
        database = Database(self.url)
        database.run_now(secrets.open_store)
        return database


def make(name: str, url: str, count: int) -> Store:
    """A migrated store with `count` members in one community."""
    store = Store(name, url, seals.new_key())
    command.upgrade(alembic_config(url), "head")
    database = store.open()
    database.run_now(lambda db: _settle(db, count))
    database.close()
    return store


def _settle(db: Connection, count: int) -> None:
    now, lane = clock.now(), Telegram(TOKEN, SECRET, "http://127.0.0.1", None).lane
    names = {code: "Health" for code in LANGUAGES}
    programme_id = programmes.save(db, "bench", names, "the office")
    row = {
        "slug": "health",
        "names": names,
        "language": "en",
        "timezone": "Asia/Vientiane",
        "approval": False,
        "discreet": False,
    }
    community_id = communities.save_community(db, programme_id, row)
    for number in range(count):
        name = str(FIRST_USER + number)
        members.add_ready(
            db,
            lane,
            name,
            now,
            name=f"Noy {number}",
            language=LANGUAGES[number % len(LANGUAGES)],
            consent_at=now,
            consent_version="bench",
        )
        member_id = members.find_by_address(db, lane, name)
        assert member_id is not None
        communities.join(db, member_id, community_id, "member", "active", now)


def queue(store: Store, key: str) -> None:
    """One message to everybody, its whole fan-out written in one transaction."""
    database = store.open()

    def work(db: Connection) -> None:
        now, found = clock.now(), communities.find(db, "health")
        assert found is not None
        news = Message((Text(NEWS),))
        message_id = messages.add(db, key, "broadcast", news, now, found.id)
        assert message_id is not None
        messages.tell(db, message_id, "broadcast", Audience("community", found.id), now)
        while messages.go_on(db):
            pass

    database.run_now(work)
    database.close()


def count_waiting(store: Store) -> int:
    database = store.open()
    waiting = sum(database.run_now(deliveries.count_waiting).values())
    database.close()
    return waiting


def sqlite_url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def postgresql_url(server: str, name: str) -> str:
    """A new database on the server, through psycopg 3."""
    engine = create_engine(_named(server, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return _named(server, name)


def _named(url: str, name: str) -> str:
    there = make_url(url).set(drivername="postgresql+psycopg", database=name)
    return there.render_as_string(hide_password=False)
