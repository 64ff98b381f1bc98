"""Copies: on which phones a post stands already, and what can still be kept back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from bot.columns import Moment
from bot.models.outbox import deliveries, dispatches, messages, showings
from bot.models.talks import bubbles, posts

_UNSENT = ("queued", "held")
_ON_PHONES = ("sending", "sent", "delivered", "read", "unknown")


@dataclass(frozen=True, slots=True)
class Copies:
    """On how many phones a post stands, that of its author aside."""

    taken_back: int  # can be deleted there by us
    kept: int  # stay there, whatever we do


def count(db: Connection, post_id: int, young: Mapping[str, datetime]) -> Copies:
    """`young`: since when what was sent can be deleted, for each lane that allows it at all."""
    is_young: ColumnElement[bool] = or_(
        literal(False),
        *(
            and_(deliveries.c.lane == lane, dispatches.c.created_at > literal(since, Moment))
            for lane, since in young.items()
        ),
    )
    # What may have arrived without an answer cannot be named to the provider.
    is_named = or_(dispatches.c.provider_key.is_not(None), dispatches.c.state == "sending")
    is_young = and_(is_young, is_named)
    statement = (
        select(
            func.count(deliveries.c.address_id.distinct()),
            func.count(case((is_young, None), else_=deliveries.c.address_id).distinct()),
        )
        .select_from(showings)
        .join(posts, posts.c.id == showings.c.post_id)
        .join(deliveries, deliveries.c.id == showings.c.delivery_id)
        .join(dispatches, dispatches.c.delivery_id == deliveries.c.id)
        .where(
            showings.c.post_id == post_id,
            deliveries.c.state.in_(_ON_PHONES),
            deliveries.c.member_id != func.coalesce(posts.c.author_id, 0),
        )
    )
    every, kept = db.execute(statement).one()
    return Copies(every - kept, kept)


def keep_back(db: Connection, message_id: int, reason: str) -> int:
    """Drop what has not left; how many that were. A fan-out that is under way ends here."""
    db.execute(update(messages).where(messages.c.id == message_id).values(audience=None))
    dropped = db.execute(
        update(deliveries)
        .where(deliveries.c.message_id == message_id, deliveries.c.state.in_(_UNSENT))
        .values(state="dropped", reason=reason)
    )
    return dropped.rowcount


def forget_frozen(db: Connection, delivery_ids: Sequence[int]) -> None:
    """Nothing of these has left: they are rendered anew, as if they had never been tried."""
    db.execute(delete(dispatches).where(dispatches.c.delivery_id.in_(delivery_ids)))


def list_hidden(db: Connection, delivery_ids: Sequence[int]) -> set[int]:
    """Those that show a post which was hidden or emptied since: they keep its words unsaid."""
    words = select(bubbles.c.id).where(bubbles.c.post_id == posts.c.id)
    statement = (
        select(showings.c.delivery_id)
        .join(posts, posts.c.id == showings.c.post_id)
        .where(
            showings.c.delivery_id.in_(delivery_ids),
            or_(posts.c.state == "hidden", ~words.exists()),
        )
    )
    return set(db.execute(statement).scalars())
