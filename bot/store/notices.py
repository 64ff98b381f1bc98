"""Notices: what a discreet phone hears unasked, what waits behind them, and what stands on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from bot.codec import message_to_json
from bot.db import insert_new, mark_due
from bot.discretion import WAITING
from bot.models.outbox import HELD, SETTLED, deliveries, dispatches, messages, showings
from bot.models.people import addresses
from bot.models.talks import inbox

DISCREET = "discreet"  # why it is held


def announce(db: Connection, address_ids: Sequence[int], now: datetime) -> bool:
    """Say that something waits: one notice until it is opened, but one a day if more comes."""
    return any([_announce_one(db, each, now) for each in address_ids])


def _announce_one(db: Connection, address_id: int, now: datetime) -> bool:
    oldest = select(func.min(deliveries.c.id)).where(
        deliveries.c.address_id == address_id, HELD, deliveries.c.reason == DISCREET
    )
    key = f"waits/{address_id}/{db.execute(oldest).scalar()}/{now:%Y-%m-%d}"
    row = {"key": key, "kind": "notice", "body": message_to_json(WAITING), "created_at": now}
    new = insert_new(db, messages).values(row).on_conflict_do_nothing().returning(messages.c.id)
    message_id = db.execute(new).scalar()
    if message_id is None:
        return False
    whose = select(addresses.c.member_id, addresses.c.lane).where(addresses.c.id == address_id)
    member_id, lane = db.execute(whose).one()
    delivery = {
        "message_id": message_id,
        "member_id": member_id,
        "address_id": address_id,
        "lane": lane,
        "priority": 1,
        "state": "queued",
        "due_at": now,
    }
    db.execute(insert(deliveries), delivery)
    return True


def open_waiting(db: Connection, address_id: int, now: datetime) -> int:
    """She asked to see what waits: it goes out now, in order; how many there are."""
    opened = db.execute(
        update(deliveries)
        .where(deliveries.c.address_id == address_id, HELD, deliveries.c.reason == DISCREET)
        .values(state="queued", reason=None, priority=0, due_at=now, asked_at=now)
    )
    if opened.rowcount:
        mark_due(db, now)
    return opened.rowcount


def list_bubbles(
    db: Connection, address_id: int, post_id: int | None, since: datetime
) -> list[str]:
    """The provider's ids of the bubbles that show a post, or (None) of all in a chat, hers too."""
    statement = (
        select(dispatches.c.provider_id)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .where(
            deliveries.c.address_id == address_id,
            dispatches.c.created_at > since,
            dispatches.c.provider_id.is_not(None),
        )
    )
    if post_id is None:
        whose = select(addresses.c.member_id).where(addresses.c.id == address_id)
        hers = deliveries.c.member_id == whose.scalar_subquery()
        statement = statement.where(hers, SETTLED)
    else:
        shown = select(showings.c.delivery_id).where(showings.c.post_id == post_id)
        statement = statement.where(deliveries.c.id.in_(shown))
    ours = list(db.execute(statement.order_by(dispatches.c.id)).scalars())
    return ours if post_id is not None else ours + _hers(db, address_id, since)


def _hers(db: Connection, address_id: int, since: datetime) -> list[str]:
    statement = (
        select(inbox.c.payload)
        .where(inbox.c.address_id == address_id, inbox.c.received_at > since)
        .order_by(inbox.c.id)
    )
    events = (json.loads(payload) for payload in db.execute(statement).scalars())
    return list(dict.fromkeys(each["id"] for each in events if each.get("id")))
