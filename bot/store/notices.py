"""Notices: what a discreet phone hears unasked, what waits behind them, and what stands on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from bot import seals
from bot.codec import message_to_json
from bot.db import insert_new, mark_due
from bot.discretion import WAITING
from bot.models.outbox import (
    HELD,
    SETTLED,
    deliveries,
    dispatches,
    messages,
    prompts,
    showings,
)
from bot.models.outbox import WAITING as WAITING_TO_LEAVE
from bot.models.people import addresses
from bot.models.talks import inbox

DISCREET = "discreet"  # why it is held


def announce(db: Connection, address_ids: Sequence[int], now: datetime) -> bool:
    """Say that something waits: one notice until it is opened, but one a day if more comes.

    A notice that waits itself, for the window, tells of everything that came meanwhile.
    """
    return any([_announce_one(db, each, now) for each in address_ids])


def _announce_one(db: Connection, address_id: int, now: datetime) -> bool:
    waits_itself = select(deliveries.c.id).where(
        deliveries.c.address_id == address_id,
        HELD,
        deliveries.c.reason != DISCREET,
        deliveries.c.message_id == messages.c.id,
        messages.c.kind == "notice",
    )
    if db.execute(waits_itself.limit(1)).first() is not None:
        return False
    oldest = select(func.min(deliveries.c.id)).where(
        deliveries.c.address_id == address_id, HELD, deliveries.c.reason == DISCREET
    )
    key = f"waits/{address_id}/{db.execute(oldest).scalar()}/{now:%Y-%m-%d}"
    row = {
        "key": seals.lookup("messages.key", key),
        "kind": "notice",
        "body": message_to_json(WAITING),
        "created_at": now,
    }
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


def list_waiting(db: Connection, address_ids: Sequence[int]) -> set[int]:
    """Those of the addresses for which something waits to be opened."""
    statement = select(deliveries.c.address_id).where(
        deliveries.c.address_id.in_(address_ids), HELD, deliveries.c.reason == DISCREET
    )
    return set(db.execute(statement.distinct()).scalars())


def open_waiting(db: Connection, address_id: int, now: datetime) -> int:
    """She asked to see what waits: it goes out now, in order; how many there are."""
    opened = db.execute(
        update(deliveries)
        .where(deliveries.c.address_id == address_id, HELD, deliveries.c.reason == DISCREET)
        .values(state="queued", reason=None, priority=0, place=0, due_at=now, asked_at=now)
    )
    if opened.rowcount:
        mark_due(db, now)
    return opened.rowcount


def close_again(db: Connection, address_id: int, lane: str) -> None:
    """She asked for it, but clears her screen before it came: it waits to be opened."""
    db.execute(
        update(deliveries)
        .where(
            deliveries.c.lane == lane,
            WAITING_TO_LEAVE,
            deliveries.c.priority == 0,
            deliveries.c.address_id == address_id,
        )
        .values(asked_at=None)
    )


def list_bubbles(
    db: Connection, address_id: int, post_id: int | None, since: datetime
) -> list[str]:
    """The provider's ids of the bubbles that show a post, or (None) of all in a chat, hers too.

    What closes a discreet screen stays on it, since more than this post may stand above.
    """
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
        statement = statement.where(deliveries.c.id.in_(shown), ~_closes())
    ours = list(db.execute(statement.order_by(dispatches.c.id)).scalars())
    return ours if post_id is not None else ours + _hers(db, address_id, since)


def _closes() -> ColumnElement[bool]:
    """Whether a bubble is the last one of a delivery, with [Clear] below it."""
    other = dispatches.alias()
    last = select(func.max(other.c.part)).where(other.c.delivery_id == deliveries.c.id)
    cleared = select(prompts.c.id).where(
        prompts.c.message_id == deliveries.c.message_id,
        prompts.c.address_id == deliveries.c.address_id,
        prompts.c.clears,
    )
    return and_(dispatches.c.part == last.scalar_subquery(), cleared.exists())


def _hers(db: Connection, address_id: int, since: datetime) -> list[str]:
    statement = (
        select(inbox.c.payload)
        .where(inbox.c.address_id == address_id, inbox.c.received_at > since)
        .order_by(inbox.c.id)
    )
    events = (json.loads(payload) for payload in db.execute(statement).scalars())
    return list(dict.fromkeys(each["id"] for each in events if each.get("id")))
