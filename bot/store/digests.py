"""Digests: what deliveries are about, and that another message says them instead."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from bot.models.outbox import deliveries
from bot.models.talks import posts


def list_posts(db: Connection, delivery_ids: Sequence[int]) -> list[tuple[int, int]]:
    statement = (
        select(posts.c.thread_id, posts.c.id)
        .join(deliveries, deliveries.c.message_id == posts.c.message_id)
        .where(deliveries.c.id.in_(delivery_ids), posts.c.thread_id.is_not(None))
    )
    return [(row[0], row[1]) for row in db.execute(statement.order_by(deliveries.c.id))]


def fold(db: Connection, delivery_ids: Sequence[int], message_id: int) -> int:
    """Another message says these instead: they are never said themselves; how many they were."""
    folded = db.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(delivery_ids), deliveries.c.state.in_(("held", "queued")))
        .values(state="folded", reason=None, folded_id=message_id)
    )
    return folded.rowcount
