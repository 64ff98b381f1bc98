"""Stores with members who need no welcome, and a queue of deliveries for them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, insert, make_url, select, text

from alembic import command
from bot import clock, library, models, seals
from bot.channels.telegram import Telegram
from bot.cli import alembic_config
from bot.db import Database
from bot.messages import Message, Text
from bot.models.outbox import WAITING
from bot.store import audiences, communities, meeting, messages, programmes, secrets
from bot.store.audiences import Audience
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
        "language": "en",
        "timezone": "Asia/Vientiane",
        "approval": False,
        "discreet": False,
    }
    community_id = communities.save_community(db, programme_id, row)
    library.take(db, [library.of_community(community_id, "name", "en", names)], now)
    add_members(db, lane, community_id, count, now)


def add_members(db: Connection, lane: str, community_id: int, count: int, now: datetime) -> None:
    """All at once, as they would stand there after a welcome: ids from 1."""
    numbers = range(1, count + 1)
    names = {number: str(FIRST_USER + number - 1) for number in numbers}
    ready = {"state": "active", "consent_at": now, "consent_version": "bench", "created_at": now}
    people = [
        {
            "id": number,
            "name": f"Noy {number}",
            "language": LANGUAGES[number % len(LANGUAGES)],
            "timezone": "Asia/Vientiane",
            "quiet_from": 0,  # whatever the hour of the run
            "quiet_until": 0,
        }
        for number in numbers
    ]
    db.execute(insert(models.members), [ready | each for each in people])
    known = {"lane": lane, "preferred": True, "last_inbound_at": now, "created_at": now}
    there = [{"id": n, "member_id": n, "sealed": names[n]} for n in numbers]
    db.execute(insert(models.addresses), [known | each for each in there])
    keys = [
        {"key": meeting.key_of(lane, names[n]), "address_id": n, "name": names[n]} for n in numbers
    ]
    db.execute(insert(models.address_keys), keys)
    belongs = {"community_id": community_id, "role": "member", "state": "active"}
    of_it = [{"member_id": number, "created_at": now} for number in numbers]
    db.execute(insert(models.memberships), [belongs | each for each in of_it])
    _go_on_from(db, count + 1)


def _go_on_from(db: Connection, number: int) -> None:
    """PostgreSQL numbers rows from where it was, whatever was written by hand."""
    if db.dialect.name == "postgresql":
        for table in ("members", "addresses"):
            db.execute(text(f"ALTER SEQUENCE {table}_id_seq RESTART WITH {number}"))


def queue(store: Store, key: str) -> None:
    """One message to everybody, its whole fan-out written in one transaction."""
    database = store.open()

    def work(db: Connection) -> None:
        now, found = clock.now(), communities.find(db, "health")
        assert found is not None
        news = Message((Text(NEWS),))
        message_id = messages.add(db, key, "broadcast", news, now, found.id)
        assert message_id is not None
        audiences.tell(db, message_id, "broadcast", Audience("community", found.id), now)
        while audiences.go_on(db):
            pass

    database.run_now(work)
    database.close()


def count_waiting(store: Store) -> int:
    database = store.open()
    statement = select(func.count()).select_from(models.deliveries).where(WAITING)
    waiting: int = database.run_now(lambda db: db.execute(statement).scalar_one())
    database.close()
    return waiting


def sqlite_url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def path(url: str) -> Path:
    """The file of a SQLite store."""
    return Path(make_url(url).database or "")


def postgresql_url(server: str, name: str, template: str | None = None) -> str:
    """A new database on the server, through psycopg 3; perhaps a copy of another."""
    copied = "" if template is None else f" TEMPLATE {make_url(template).database}"
    engine = create_engine(_named(server, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}{copied}"))
    engine.dispose()
    return _named(server, name)


def _named(url: str, name: str) -> str:
    there = make_url(url).set(drivername="postgresql+psycopg", database=name)
    return there.render_as_string(hide_password=False)
