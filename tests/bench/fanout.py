"""(d) one question to 10,000 members, beside the same INSERT … SELECT on the bare driver."""

from __future__ import annotations

import time
from statistics import median

from sqlalchemy import Connection

from bot import clock
from bot.db import Database
from bot.messages import Message, Text
from bot.store import audiences, communities, messages
from bot.store.audiences import Audience
from tests.bench import bare
from tests.bench.cast import NEWS
from tests.bench.rig import DATABASES, MEMBERS, Rig, met

MOST_TIMES = 3
BY_HAND = (
    "INSERT INTO deliveries (message_id, member_id, address_id, lane, priority, state, due_at)"
    " SELECT ?, a.member_id, a.id, a.lane, 1, 'queued', ? FROM addresses a"
    " JOIN memberships m ON m.member_id = a.member_id"
    " WHERE m.community_id = 1 AND m.state = 'active' AND a.preferred AND a.unreachable_at IS NULL"
)


def run(rig: Rig) -> None:
    print(f"(d) one question to {MEMBERS:,} members, in statements of {audiences.FAN_OUT:,}")
    for database in DATABASES:
        store = rig.store(database, "fanout")
        opened, hand = store.open(), bare.Store(store.url)
        ours, by_hand = [], []
        for number in range(rig.size.rounds + 2):
            ours.append(tell_all(opened, f"ours {number}"))
            by_hand.append(_tell_by_hand(opened, hand, f"by hand {number}"))
        opened.close()
        hand.close()
        times = median(a / b for a, b in zip(ours, by_hand, strict=True))
        print(
            f"  {database}: {median(ours) * 1000:.0f} ms, by hand in one statement"
            f" {median(by_hand) * 1000:.0f} ms: {times:.1f} times"
            f" (aim {MOST_TIMES}: {met(times <= MOST_TIMES)})"
        )


def tell_all(database: Database, key: str) -> float:
    """Seconds for the whole fan-out, each chunk in a transaction of its own as in life."""

    def tell(db: Connection) -> None:
        audiences.tell(db, _add(db, key), "thread", Audience("community", 1), clock.now())

    begun = time.monotonic()
    database.run_now(tell)
    while database.run_now(audiences.go_on):
        pass
    return time.monotonic() - begun


def _add(db: Connection, key: str) -> int:
    community = communities.find(db, "health")
    assert community is not None and community.id == 1
    added = messages.add(db, key, "thread", Message((Text(NEWS),)), clock.now(), community.id)
    assert added is not None
    return added


def _tell_by_hand(database: Database, hand: bare.Store, key: str) -> float:
    message_id = database.run_now(lambda db: _add(db, key))
    begun = time.monotonic()
    hand.begin()
    hand.run(BY_HAND, message_id, time.time_ns() // 1000)
    hand.commit()
    return time.monotonic() - begun
