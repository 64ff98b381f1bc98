"""Moves: what a closed window sends to her other app, and what finds that one closed too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, literal, or_, select, update

from bot.columns import Moment
from bot.models.outbox import ELSEWISE, HELD, deliveries, dispatches, messages
from bot.models.people import addresses


def list_others(db: Connection, address_ids: Sequence[int]) -> dict[int, int]:
    """By address the other app of the same member, where she has one that can be used."""
    other = addresses.alias()
    statement = (
        select(addresses.c.id, other.c.id)
        .join(other, and_(other.c.member_id == addresses.c.member_id, other.c.id != addresses.c.id))
        .where(addresses.c.id.in_(address_ids), other.c.unreachable_at.is_(None))
        .where(other.c.doubted_at.is_(None))
    )
    return {row[0]: row[1] for row in db.execute(statement)}


def hold(db: Connection, delivery_ids: Sequence[int]) -> None:
    """These were moved to where a window is closed: they wait there."""
    mine = deliveries.c.id.in_(delivery_ids)
    db.execute(update(deliveries).where(mine).values(state="held", reason="window"))


def note_window(db: Connection, delivery_ids: Sequence[int]) -> None:
    """These were moved because a window is closed: they must not be sent round in a circle."""
    db.execute(update(deliveries).where(deliveries.c.id.in_(delivery_ids)).values(reason="window"))


def list_stranded(
    db: Connection, opened: Mapping[str, datetime], stays: Sequence[str], most: int
) -> list[tuple[int, int]]:
    """(delivery, other app) of what waits for a closed window, though that other app is open.

    `opened`: since when a last word opens the window, for each lane that has one.
    """
    other = addresses.alias()
    begun = select(dispatches.c.id).where(
        dispatches.c.delivery_id == deliveries.c.id, dispatches.c.state != "failed"
    )
    old = and_(other.c.linked_at.is_not(None), messages.c.created_at < other.c.linked_at)
    statement = (
        select(deliveries.c.id, other.c.id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(addresses, addresses.c.id == deliveries.c.address_id)
        .join(other, and_(other.c.member_id == addresses.c.member_id, other.c.id != addresses.c.id))
        .where(
            HELD,
            deliveries.c.reason.not_in((*ELSEWISE, "unreachable")),
            messages.c.kind.not_in(stays),
            other.c.unreachable_at.is_(None),
            other.c.doubted_at.is_(None),
            _is_closed(addresses.c, opened),
            ~_is_closed(other.c, opened),
            ~old,
            ~begun.exists(),
        )
        .order_by(deliveries.c.id)
        .limit(most)
    )
    return [(row[0], row[1]) for row in db.execute(statement)]


def _is_closed(columns: Any, opened: Mapping[str, datetime]) -> ColumnElement[bool]:
    """Whether an address may not be written to freely."""
    heard_at = func.coalesce(columns.last_inbound_at, literal(0))
    return or_(
        false(),
        *(
            and_(columns.lane == lane, heard_at < literal(since, Moment))
            for lane, since in opened.items()
        ),
    )
