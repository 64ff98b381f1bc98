"""A store with a long past: deliveries that were read, with all that belongs to them.

Written set by set as a community writes: a question to everybody, then as many replies to single
people, most of them to the few who write most.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, create_engine, text

from bot import clock, seals
from bot.codec import message_to_json
from bot.columns import Moment
from bot.messages import Choice, Message, Ref, Text
from tests.bench.cast import NEWS
from tests.bench.rig import MEMBERS
from tests.bench.stores import Store

LASTED = timedelta(days=365)
ENDED = timedelta(days=2)  # so that nobody is talked to differently for it
SET = 2 * MEMBERS  # deliveries of a set


@dataclass(frozen=True)
class Dialect:
    """What the two databases say differently."""

    before: tuple[str, ...]
    numbers: str
    word: str  # random, of 18 letters
    key: str  # random, of 16 bytes
    after: tuple[str, ...]


SQLITE = Dialect(
    before=("PRAGMA synchronous=OFF", "PRAGMA cache_size=-1000000"),
    numbers=(
        "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :members)"
        " SELECT n FROM s) s"
    ),
    word="hex(randomblob(9))",
    key="randomblob(16)",
    after=("PRAGMA wal_checkpoint(TRUNCATE)",),
)
POSTGRESQL = Dialect(
    before=("SET synchronous_commit = off", "SET session_replication_role = replica"),
    numbers="generate_series(1::bigint, :members) s(n)",
    word="substr(md5(random()::text), 1, 18)",
    key="decode(md5(random()::text), 'hex')",
    after=(
        *(
            f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"
            for table in ("messages", "deliveries", "dispatches", "threads")
        ),
        "VACUUM ANALYZE",
    ),
)

# One in a thousand hears more than a hundred times as much as the median.
WHO = "1 + (n * 7919 + :set * 104729) % 10007 * ((n * 7919 + :set * 104729) % 10007)"
WHO += " * ((n * 7919 + :set * 104729) % 10007) * :members / 1002101470343"
STATEMENTS = (
    "INSERT INTO messages (id, key, kind, body, community_id, created_at)"
    " VALUES (:message, {key}, 'thread', :question, 1, :at)",
    "INSERT INTO messages (id, key, kind, body, created_at)"
    " SELECT :message + n, {key}, 'direct', :reply, :at + n * :pace"
    " FROM {numbers}",
    "INSERT INTO deliveries"
    " (id, message_id, member_id, address_id, lane, priority, state, due_at, attempts, fence)"
    " SELECT :delivery + n, :message, n, n, :lane, 1, 'read', :at, 1, 1 FROM {numbers}",
    "INSERT INTO deliveries"
    " (id, message_id, member_id, address_id, lane, priority, state, due_at, attempts, fence)"
    " SELECT :delivery + :members + n, :message + n, {who}, {who}, :lane, 0, 'read',"
    " :at + n * :pace, 1, 1 FROM {numbers}",
    "INSERT INTO dispatches"
    " (id, delivery_id, part, token, state, provider_key, provider_id, created_at)"
    " SELECT id, id, 0, {word}, 'read', {key}, :provider_id, due_at FROM deliveries"
    " WHERE id > :delivery",
    "INSERT INTO prompts (token, address_id, message_id, language, shown_at)"
    " SELECT substr({word}, 1, 16), address_id, message_id, 'lo', due_at FROM deliveries"
    " WHERE id > :delivery AND (message_id = :message OR id % 5 < 3)",
    "INSERT INTO inbox (key, lane, state, payload, received_at)"
    " SELECT {key}, :lane, 'done', :payload, :at + n * :pace FROM {numbers}",
    "INSERT INTO threads (id, number, community_id, asker_id, state, created_at)"
    " VALUES (:set, 100 + :set, 1, :set, 'helped', :at)",
    "INSERT INTO posts (thread_id, community_id, author_id, kind, state, message_id, created_at)"
    " SELECT :set, 1, n, CASE n WHEN :set THEN 'question' ELSE 'answer' END, 'live',"
    " CASE n WHEN :set THEN :message END, :at FROM {numbers} WHERE n <= 200",
    "INSERT INTO showings (post_id, delivery_id)"
    " SELECT (SELECT id FROM posts WHERE message_id = :message), :delivery + n FROM {numbers}",
    "INSERT INTO follows (thread_id, member_id, created_at)"
    " SELECT :set, n, :at FROM {numbers} WHERE n <= 200",
)


def live_through(store: Store, lane: str, count: int) -> None:
    """Fill the store with so many deliveries of the past year."""
    dialect = SQLITE if store.name == "SQLite" else POSTGRESQL
    store.open().close()  # its keys are in use from here
    engine = create_engine(store.url, isolation_level="AUTOCOMMIT")
    sets, begun = count // SET, clock.now() - LASTED - ENDED
    with engine.connect() as db:
        for statement in dialect.before:
            db.execute(text(statement))
        for number in range(sets):
            _write_set(db, dialect, _values(number, lane, begun, LASTED / sets))
        for statement in dialect.after:
            db.execute(text(statement))
    engine.dispose()
    os.sync()  # what is measured next does not wait for it


def _write_set(db: Connection, dialect: Dialect, values: dict[str, Any]) -> None:
    db.execute(text("BEGIN"))
    for statement in STATEMENTS:
        told = statement.format(
            numbers=dialect.numbers, word=dialect.word, key=dialect.key, who=WHO
        )
        db.execute(text(told), values)
    db.execute(text("COMMIT"))


def _values(number: int, lane: str, begun: datetime, lasts: timedelta) -> dict[str, Any]:
    message = 1 + number * (MEMBERS + 1)
    choices = (
        Choice("answers.begin:1", Text("Answer")),
        Choice("threads.follow:1", Text("Follow")),
    )
    question = Message((Text(NEWS),), choices, subject=Ref("threads", number + 1))
    return {
        "set": number + 1,
        "members": MEMBERS,
        "message": message,
        "delivery": number * SET,
        "lane": lane,
        "at": Moment().process_bind_param(begun + number * lasts, None),  # type: ignore[arg-type]
        "pace": lasts // timedelta(microseconds=1) // MEMBERS,
        "question": _sealed(message_to_json(question), "messages.body"),
        "reply": _sealed(message_to_json(Message((Text(NEWS),), choices)), "messages.body"),
        "provider_id": seals.keyring().seal("4711", "dispatches.provider_id"),
        "payload": _sealed({"kind": "message", "text": NEWS}, "inbox.payload"),
    }


def _sealed(stored: dict[str, Any], context: str) -> bytes:
    return seals.keyring().seal(json.dumps(stored), context)
