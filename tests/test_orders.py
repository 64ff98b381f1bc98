"""Whatever the providers do with the order of things, the store ends up the same.

Receipts come shuffled and repeated; what people say comes repeated, and interleaved in any way that
keeps each person's own order. Both worlds are lived through in one transaction that is rolled back,
so that each run begins with the same store.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bot import clock, programme, seals
from bot.app import App, _apply
from bot.channels import Channel
from bot.channels.telegram import Telegram
from bot.channels.whatsapp import WhatsApp
from bot.columns import metadata
from bot.messages import Inbound, Message, Receipt, Text
from bot.models import addresses, deliveries, dispatches
from bot.settings import Settings
from bot.store import communities, meeting
from bot.store import messages as outbox
from tests.conftest import fresh_store
from tests.fakes.phones import TelegramPhone, WhatsAppPhone
from tests.processes import (
    ACCOUNT,
    AUTH,
    LANES,
    PROGRAMME,
    PUBLIC,
    SECRET,
    SENDER,
    TOKEN,
    Packet,
    telegram,
    whatsapp,
)

pytestmark = pytest.mark.repeats

RUNS = int(os.environ.get("LINKLINE_SCENARIOS", "150"))
NOW = clock.now()
LIVELY = settings(
    max_examples=RUNS,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # a counter-example is made smaller by hand
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# Two worlds on one store ------------------------------------------------------------------------


@dataclass
class World:
    """A store that is never changed, and the bot that would change it."""

    app: App
    people: list[tuple[str, Any]]  # (channel, phone)
    tokens: list[str]  # of parts that were handed to WhatsApp

    def after(self, live: Callable[[Connection], None]) -> Any:
        """What the store would be like."""
        with self.app.database.engine.connect() as db:
            if self.app.database.is_sqlite:
                db.exec_driver_sql("BEGIN IMMEDIATE")
            live(db)
            found = state(db)
            db.rollback()
        return found

    def receive(self, packet: Packet) -> Inbound | Receipt:
        name = packet.path.rpartition("/")[2].partition("?")[0]
        channel = next(each for each in self.app.channels if each.name == name)
        headers = {key.lower(): value for key, value in packet.headers.items()}
        [event] = channel.receive(packet.path, headers, packet.body)
        return event


# All tables as they are, but for numbers and random words ----------------------------------------

RANDOM = {"id", "token", "code", "chosen"}
OWNERS = ("address_id", "member_id", "author_id", "post_id")
ALSO = {
    "question_id": "messages",
    "author_id": "members", "asker_id": "members", "giver_id": "members", "actor_id": "members",
    "reached_id": "members", "folded_id": "messages", "role_from": "members",
}  # fmt: skip
Signs = dict[tuple[str, Any], str]
Rows = dict[str, dict[Any, dict[str, Any]]]  # by table and number


def state(db: Connection) -> dict[str, list[str]]:
    """Rows name each other by what they say, not by their numbers."""
    rows = _rows(db)
    signs: Signs = {}
    for _round in range(3):
        signs = {
            (table, key): hashlib.sha256(_said(row, signs).encode()).hexdigest()[:8]
            for table, its_rows in rows.items()
            for key, row in its_rows.items()
        }
    return {
        table: sorted(_said(row, signs) for row in its_rows.values())
        for table, its_rows in rows.items()
    }


def _rows(db: Connection) -> Rows:
    found: Rows = {}
    for table in metadata.sorted_tables:
        keys = [column.name for column in table.primary_key]
        numbers: dict[Any, int] = defaultdict(int)
        found[table.name] = {}
        for row in db.execute(select(table).order_by(*table.primary_key)):
            values = row._asdict()
            owner = next((values[each] for each in OWNERS if values.get(each)), None)
            numbers[owner] += 1
            if table.name == "messages":
                values.pop("key")  # a lookup that numbers have gone into
            values["#"] = numbers[owner] if owner is not None else 0
            key = values["id"] if keys == ["id"] else tuple(values[each] for each in keys)
            found[table.name][key] = values
    return found


def _said(row: dict[str, Any], signs: Signs) -> str:
    return " ".join(
        f"{name}={_of_column(name, value, signs)}"
        for name, value in sorted(row.items())
        if name not in RANDOM
    )


def _of_column(name: str, value: Any, signs: Signs) -> str:
    target = _target(name)
    return signs.get((target, value), "") if target and value else _plain(value, signs)


def _target(column: str) -> str | None:
    if column in ALSO:
        return ALSO[column]
    return _plural(column.removesuffix("_id")) if column.endswith("_id") else None


def _plural(name: str) -> str | None:
    for each in (name, name + "s", name + "es", name[:-1] + "ies"):
        if each in metadata.tables:
            return each
    return None


def _plain(value: Any, signs: Signs) -> str:
    """JSON names rows by their numbers too."""
    if isinstance(value, dict):
        return str({k: _named(k, each, signs) for k, each in sorted(value.items())})
    if isinstance(value, list):
        match value:
            case [str(table), int(number), *_] if table in metadata.tables:
                return signs.get((table, number), "")
        return str([_plain(each, signs) for each in value])
    if isinstance(value, str):
        return re.sub(r":\d+", ":n", value)  # the argument of a choice
    return repr(value)


def _named(name: str, value: Any, signs: Signs) -> str:
    table = _target(name) or _plural(name)
    if table and isinstance(value, int) and not isinstance(value, bool):
        return signs.get((table, value), "")
    return _plain(value, signs)


# The store they begin with -----------------------------------------------------------------------

# Two of them have both apps; what one of these loses, the other gets.
PEOPLE = 6
PARTS = (1, 1, 2, 1, 2, 1, 1, 1, 2, 1, 1, 1)  # of each delivery on WhatsApp
STATES = ("sent", "sending", "unknown")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Not a fixture's usual store: it lives as long as the module."""
    with ExitStack() as exits:
        url = exits.enter_context(fresh_store(request, tmp_path_factory.mktemp("orders")))
        key = seals.new_key()
        known = Settings(_env_file=None, database_url=url, linkline_keys=key, public_url=PUBLIC)  # type: ignore[call-arg]
        telegram_, whatsapp_ = _channels()
        app = App(known, [telegram_, whatsapp_])
        exits.callback(app.database.close)
        yield app.database.run_now(lambda db: _populate(db, app))


def _channels() -> tuple[Channel, Channel]:
    return (
        Telegram(TOKEN, SECRET, "https://api.telegram.org", PUBLIC),
        WhatsApp(ACCOUNT, AUTH, SENDER, "https://api.twilio.com", PUBLIC),
    )


def _populate(db: Connection, app: App) -> World:
    found = programme.Programme.model_validate(PROGRAMME)
    programme.load(db, found, LANES, clock.now())
    people: list[tuple[str, Any]] = []
    for number in range(PEOPLE):
        people.append(_person("telegram" if number % 2 else "whatsapp", number))
        _join(db, people[-1])
    tokens = [
        token
        for number, parts in enumerate(PARTS)
        for token in _hand_over(db, number, parts, STATES[number % 3])
    ]
    return World(app, people, tokens)


def _person(channel: str, number: int) -> tuple[str, Any]:
    if channel == "telegram":
        return channel, TelegramPhone(None, SECRET, 5000 + number, f"Noy{number}", "en")
    url = f"{PUBLIC}/webhooks/whatsapp"
    called = f"+85620550{number:05}"
    return channel, WhatsAppPhone(url, None, AUTH, ACCOUNT, SENDER, called, profile_name="Dara")


def _join(db: Connection, person: tuple[str, Any]) -> None:
    channel, phone = person
    name = str(phone.user["id"]) if channel == "telegram" else phone.address
    now = clock.now()
    values = {"language": "en", "consent_at": now, "consent_version": "test", "name": "Noy"}
    member_id, _ = meeting.add_ready(db, LANES[channel], name, now, **values)
    place = communities.find(db, "crafts")
    assert place is not None
    communities.join(db, member_id, place.id, "member", "active", now)


def _hand_over(db: Connection, number: int, parts: int, state_: str) -> list[str]:
    """A delivery on WhatsApp that has left, or has perhaps."""
    now, lane = clock.now(), LANES["whatsapp"]
    hers = select(addresses).where(addresses.c.lane == lane).order_by(addresses.c.id)
    everybody = db.execute(hers).all()
    address = everybody[number % len(everybody)]
    message_id = outbox.add(db, f"message {number}", "thread", Message((Text("zebra"),)), now)
    row = {
        "message_id": message_id, "member_id": address.member_id, "address_id": address.id,
        "lane": lane, "priority": 1, "state": state_, "due_at": now, "attempts": 1,
    }  # fmt: skip
    delivery_id = db.execute(insert(deliveries).values(**row)).inserted_primary_key[0]
    tokens = [f"token{number}x{part}" for part in range(parts)]
    for part, token in enumerate(tokens):
        known = {"content": {"text": "zebra"}}
        if state_ == "sent":
            key = seals.lookup("dispatches.provider_key", lane, _sid(token))
            known = {"content": None, "provider_key": key, "provider_id": _sid(token)}
        there = {"delivery_id": delivery_id, "part": part, "token": token, "state": state_}
        db.execute(insert(dispatches).values(created_at=now, **there, **known))
    return tokens


def _sid(token: str) -> str:
    return "SM" + hashlib.sha256(token.encode()).hexdigest()[:32]


# Receipts ----------------------------------------------------------------------------------------

# What may become of one part, in the order in which it happens.
STORIES = (
    (),
    ("sent",),
    ("sent", "delivered"),
    ("sent", "delivered", "read"),
    ("sent", "read"),
    ("read",),
    ("queued", "sent", "failed 30008"),
    ("undelivered 63049",),
    ("sent", "failed 63016"),
    ("failed 63016",),
)
# Who cannot be reached at all: of the same message it is not also said that a window is closed.
GONE = (
    *(told for told in STORIES if not any("63016" in status for status in told)),
    ("sent", "undelivered 63024"),
    ("failed 63003",),
)


@st.composite
def stories(draw: Any, told: Sequence[tuple[str, ...]]) -> tuple[list[Any], list[Any]]:
    """(in order and once, shuffled and repeated), each a list of (part, status)."""
    parts = sum(PARTS)
    chosen = draw(st.lists(st.sampled_from(told), min_size=parts, max_size=parts))
    chance = draw(st.randoms(use_true_random=False))
    in_order = [(part, status) for part, story in enumerate(chosen) for status in story]
    shuffled = in_order + chance.choices(in_order, k=chance.randint(0, 12)) if in_order else []
    chance.shuffle(shuffled)
    return in_order, shuffled


def _receipts(world: World, told: Sequence[tuple[int, str]]) -> Callable[[Connection], None]:
    events = [
        _told(world.app.channels[1], world.tokens[part], *status.split()) for part, status in told
    ]

    def live(db: Connection) -> None:
        for event in events:
            if event is not None:
                _apply(db, event, NOW)

    return live


@cache
def _told(channel: Channel, token: str, status: str, code: str = "") -> Receipt | None:
    form = {"MessageSid": _sid(token), "MessageStatus": status, "AccountSid": ACCOUNT}
    form |= {"ErrorCode": code} if code else {}
    path = f"/webhooks/whatsapp?d={token}"
    signature = RequestValidator(AUTH).compute_signature(PUBLIC + path, form)
    events = channel.receive(path, {"x-twilio-signature": signature}, urlencode(form).encode())
    return events[0] if events else None  # type: ignore[return-value]


@LIVELY
@given(told=stories(STORIES))
def test_receipts_in_any_order(
    store: World, told: tuple[list[tuple[int, str]], list[tuple[int, str]]]
) -> None:
    in_order, shuffled = told
    _same(store.after(_receipts(store, in_order)), store.after(_receipts(store, shuffled)))


@LIVELY
@given(told=stories(GONE))
def test_receipts_of_people_who_are_gone(
    store: World, told: tuple[list[tuple[int, str]], list[tuple[int, str]]]
) -> None:
    in_order, shuffled = told
    _same(store.after(_receipts(store, in_order)), store.after(_receipts(store, shuffled)))


def _same(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    for table, rows in one.items():
        assert rows == other[table], table


# What people say ---------------------------------------------------------------------------------

# (None of it reaches others: how many peers a question goes to depends on who has stopped by then.)

WORDS = (
    "/ask", "How do you count the stock in a shop?", "And how often?", "/cancel", "/menu", "/help",
    "/language", "Khmer", "/pace", "1", "2", "/start", "hello there", "/questions", "/me",
    "my data", "ຖາມ", "ជំនួយ", "102 This is an answer",
)  # fmt: skip


@st.composite
def talks(draw: Any) -> tuple[list[tuple[int, str]], list[int], int]:
    """(what each says in her order, in which order they come, with repeats), and a seed."""
    said = [
        [(person, words) for words in draw(st.lists(st.sampled_from(WORDS), max_size=4))]
        for person in range(4)
    ]
    flat = [each for hers in said for each in hers]
    chance = draw(st.randoms(use_true_random=False))
    left = {person: [n for n, (who, _w) in enumerate(flat) if who == person] for person in range(4)}
    order: list[int] = []
    while any(left.values()):
        person = chance.choice([each for each, hers in left.items() if hers])
        order.append(left[person].pop(0))
        if chance.random() < 0.3:  # the provider has not heard that it was taken
            order.append(chance.choice(order))
    return flat, order, 0


@LIVELY
@given(told=talks())
def test_what_people_say_in_any_interleaving(
    store: World, told: tuple[list[tuple[int, str]], list[int], int]
) -> None:
    said, order, _seed = told
    packets = [_packet(store.people[person], words) for person, words in said]
    events = [store.receive(packet) for packet in packets]

    def live(indexes: Sequence[int]) -> Callable[[Connection], None]:
        def all_of_it(db: Connection) -> None:
            for index in indexes:
                event = events[index]
                assert isinstance(event, Inbound)
                store.app.router._turn(db, event, NOW)

        return all_of_it

    _same(store.after(live(range(len(events)))), store.after(live(order)))


def _packet(person: tuple[str, Any], words: str) -> Packet:
    channel, phone = person
    said = phone.say(words)
    return telegram(said) if channel == "telegram" else whatsapp(phone, said)
