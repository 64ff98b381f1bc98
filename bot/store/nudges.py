"""Nudges: with a closed window somebody is told that something waits; how often it was done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, literal, or_, select, update

from bot import seals
from bot.codec import message_to_json
from bot.columns import Moment
from bot.db import insert_new, mark_due
from bot.messages import Message
from bot.models.outbox import HELD, deliveries, messages
from bot.models.people import addresses, members

OF_USE = timedelta(hours=20)  # one that could not leave is none for another day


def count_since(db: Connection, lane: str, since: datetime) -> int:
    """How many were told since then, as their provider counts them."""
    told = (addresses.c.lane == lane, addresses.c.nudged_at > literal(since, Moment))
    found: int = db.execute(select(func.count()).where(*told)).scalar_one()
    return found


def add(
    db: Connection, lane: str, address_id: int, member_id: int, number: int, now: datetime
) -> bool:
    """Tell her that something waits, `number` times in a row now; False if she was told today."""
    row = {
        "key": seals.lookup("messages.key", f"nudge/{address_id}/{number}/{now:%Y-%m-%d}"),
        "kind": "nudge",
        "body": message_to_json(Message(nudge=True)),
        "created_at": now,
        "expires_at": now + OF_USE,
    }
    new = insert_new(db, messages).values(row).on_conflict_do_nothing().returning(messages.c.id)
    message_id = db.execute(new).scalar()
    here = update(addresses).where(addresses.c.id == address_id)
    db.execute(here.values(nudged_at=now, nudges=number))
    if message_id is None:
        return False
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
    _explain(db, [address_id], "no_template", "window")
    mark_due(db, now, lane)
    return True


def mark(db: Connection, address_ids: Collection[int], now: datetime) -> None:
    """They leave only now: the next one is counted from here."""
    db.execute(update(addresses).where(addresses.c.id.in_(address_ids)).values(nudged_at=now))


def note_no_template(db: Connection, lane: str, languages: Sequence[str | None]) -> int:
    """Why nobody calls these back: no template in their words is approved."""
    theirs = or_(members.c.language.in_(languages), members.c.language.is_(None))
    if None not in languages:
        theirs = members.c.language.in_(languages)
    there = (
        select(addresses.c.id)
        .join(members, members.c.id == addresses.c.member_id)
        .where(addresses.c.lane == lane, theirs)
    )
    changed = db.execute(
        update(deliveries)
        .where(HELD, deliveries.c.reason == "window", deliveries.c.address_id.in_(there))
        .values(reason="no_template")
    )
    return changed.rowcount


def _explain(db: Connection, address_ids: Sequence[int], old: str, new: str) -> None:
    there = (deliveries.c.address_id.in_(address_ids), HELD, deliveries.c.reason == old)
    db.execute(update(deliveries).where(*there).values(reason=new))
