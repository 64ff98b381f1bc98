"""Fates: what became of deliveries that were handed over, written down part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, or_, select, update

from bot import seals
from bot.models.outbox import deliveries, dispatches


@dataclass(frozen=True, slots=True)
class SentPart:
    """One part with what its provider answered."""

    id: int
    state: str  # sent, unknown, failed
    provider_id: str | None = None
    error: str | None = None
    handed_at: datetime | None = None  # None = it was not handed over


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one claimed delivery."""

    delivery_id: int
    state: str  # sent, queued, held, unknown, failed, dropped
    reason: str | None = None
    due_at: datetime | None = None  # when to try again
    parts: tuple[SentPart, ...] = ()


# A receipt may come before our own note, and knows more. (No IN here: these statements take many
# rows at once.)
_AHEAD = ~or_(dispatches.c.state == "sending", dispatches.c.state == "unknown")
_HANDED = func.coalesce(
    bindparam("handed", type_=dispatches.c.handed_at.type), dispatches.c.handed_at
)

_PART_SENT = (
    update(dispatches)
    .where(dispatches.c.id == bindparam("part_id"))
    .values(
        state=case((_AHEAD, dispatches.c.state), else_="sent"),
        provider_key=bindparam("key"),
        provider_id=bindparam("named"),
        handed_at=_HANDED,
        error=case((_AHEAD, dispatches.c.error), else_=None),
        content=None,
    )
)
_PART_UNSENT = (
    update(dispatches)
    .where(dispatches.c.id == bindparam("part_id"), ~_AHEAD)
    .values(state=bindparam("new_state"), error=bindparam("code"), handed_at=_HANDED)
)
_SETTLED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.state == "sending")
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        due_at=func.coalesce(
            bindparam("again_at", type_=deliveries.c.due_at.type), deliveries.c.due_at
        ),
    )
)

# It was only looked at: this counts as no attempt.
_PUT_BACK = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.state == "sending")
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        due_at=func.coalesce(
            bindparam("again_at", type_=deliveries.c.due_at.type), deliveries.c.due_at
        ),
        attempts=deliveries.c.attempts - 1,
    )
)


def put_back(db: Connection, fates: Sequence[Fate]) -> None:
    """Claimed deliveries that may not leave yet: they wait, as if they had not been taken."""
    db.execute(_PUT_BACK, [_settled_row(fate) for fate in fates])


def settle(db: Connection, lane: str, fates: Sequence[Fate]) -> None:
    """Write down what became of claimed deliveries and their parts."""
    parts = [part for fate in fates for part in fate.parts]
    sent = [_sent_row(lane, part) for part in parts if part.state == "sent"]
    unsent = [
        {
            "part_id": part.id,
            "new_state": part.state,
            "code": _cut(part.error, 20),
            "handed": part.handed_at,
        }
        for part in parts
        if part.state != "sent"
    ]
    if sent:
        db.execute(_PART_SENT, sent)
    if unsent:
        db.execute(_PART_UNSENT, unsent)
    over = [fate.delivery_id for fate in fates if fate.parts and fate.state == "failed"]
    if over:  # what will never be said is not kept
        db.execute(
            update(dispatches).where(dispatches.c.delivery_id.in_(over)).values(content=None)
        )
    db.execute(_SETTLED, [_settled_row(fate) for fate in fates])


def _settled_row(fate: Fate) -> dict[str, Any]:
    return {
        "delivery_id": fate.delivery_id,
        "new_state": fate.state,
        "why": _cut(fate.reason, 40),
        "again_at": fate.due_at,
    }


def _cut(code: str | None, most: int) -> str | None:
    """As much of a provider's code as the column holds."""
    return None if code is None else code[:most]


def _sent_row(lane: str, part: SentPart) -> dict[str, Any]:
    named = part.provider_id
    key = None if named is None else seals.lookup("dispatches.provider_key", lane, named)
    return {"part_id": part.id, "key": key, "named": named, "handed": part.handed_at}


def mark_sending(db: Connection, part_ids: Sequence[int]) -> None:
    """These were refused before and are handed over again."""
    db.execute(update(dispatches).where(dispatches.c.id.in_(part_ids)).values(state="sending"))


def mark_repeating(db: Connection, part_id: int) -> bool:
    """This one may have been sent before, and is tried once more; False if another does it."""
    repeated = db.execute(
        update(dispatches)
        .where(dispatches.c.id == part_id, dispatches.c.state == "unknown")
        .values(state="sending", repeats=dispatches.c.repeats + 1)
    )
    return repeated.rowcount > 0


def known_ids(db: Connection, lane: str, provider_ids: Sequence[str]) -> set[str]:
    """Those of a provider's ids that stand for something we know was sent."""
    keys = {
        key: each
        for each in provider_ids
        for key in seals.lookups("dispatches.provider_key", lane, each)
    }
    statement = select(dispatches.c.provider_key).where(dispatches.c.provider_key.in_(keys))
    return {keys[bytes(key)] for key in db.execute(statement).scalars()}


def drop_part(db: Connection, part_id: int) -> None:
    """Nothing of it leaves any more."""
    db.execute(delete(dispatches).where(dispatches.c.id == part_id))
