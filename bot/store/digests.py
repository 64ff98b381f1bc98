"""Digests: what waits to be said in one message, what it says, and what it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select, update

from bot.codec import message_from_json
from bot.messages import Message
from bot.models.outbox import deliveries, dispatches, messages
from bot.models.talks import posts, threads


@dataclass(frozen=True, slots=True)
class Content:
    """What one delivery would say, and the post it is about, if it is about one."""

    delivery_id: int
    message: Message
    community_id: int | None
    post_id: int | None
    post_kind: str | None  # question, answer, reply, announcement
    author_id: int | None
    thread_id: int | None
    anonymous: bool  # asked without a name


def list_contents(db: Connection, delivery_ids: Sequence[int]) -> list[Content]:
    """What these deliveries would say, in the order they are given."""
    statement = (
        select(
            deliveries.c.id,
            messages.c.body,
            messages.c.community_id,
            posts.c.id,
            posts.c.kind,
            posts.c.author_id,
            posts.c.thread_id,
            threads.c.anonymous,
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .outerjoin(posts, and_(posts.c.message_id == messages.c.id, posts.c.state != "draft"))
        .outerjoin(threads, threads.c.id == posts.c.thread_id)
        .where(deliveries.c.id.in_(delivery_ids))
    )
    found = {row[0]: _content(row) for row in db.execute(statement)}
    return [found[id_] for id_ in delivery_ids if id_ in found]


def _content(row: Any) -> Content:
    id_, body, *about, anonymous = row
    return Content(id_, message_from_json(body), *about, anonymous=bool(anonymous))


def fold(db: Connection, delivery_ids: Sequence[int], message_id: int) -> int:
    """Another message says these instead: they are never said themselves; how many they were."""
    mine = deliveries.c.id.in_(delivery_ids)
    folded = db.execute(
        update(deliveries)
        .where(mine, deliveries.c.state.in_(("held", "queued")))
        .values(state="folded", reason=None, folded_id=message_id)
    )
    frozen = dispatches.c.delivery_id.in_(delivery_ids)
    db.execute(update(dispatches).where(frozen).values(content=None))
    return folded.rowcount
