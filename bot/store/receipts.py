"""Receipts: what the providers say became of what we sent; unordered, repeated, never backwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from bot import seals
from bot.messages import Receipt
from bot.models.outbox import deliveries, dispatches
from bot.models.people import addresses

_RANK = {"sending": 0, "unknown": 0, "sent": 1, "delivered": 2, "read": 3}


def apply(db: Connection, receipt: Receipt, now: datetime) -> bool:
    """Bring a receipt home; False if we know nothing of what it is about."""
    wanted = _receipt_target(receipt)
    if wanted is None:
        return False
    part = db.execute(
        select(dispatches.c.id, dispatches.c.delivery_id, dispatches.c.state).where(wanted)
    ).first()
    if part is None:
        return False
    if receipt.state in _RANK:
        _move_forward(db, part, receipt)
    elif part.state not in ("delivered", "read"):
        _give_up(db, part, receipt, now)
    return True


def find_gone(db: Connection, receipt: Receipt) -> tuple[int, int] | None:
    """(address, delivery) of a receipt that says that somebody cannot be reached."""
    wanted = _receipt_target(receipt) if receipt.state == "gone" else None
    if wanted is None:
        return None
    statement = (
        select(deliveries.c.address_id, deliveries.c.id)
        .join(dispatches, dispatches.c.delivery_id == deliveries.c.id)
        .where(wanted, deliveries.c.state == "failed", deliveries.c.address_id.is_not(None))
    )
    row = db.execute(statement).first()
    return None if row is None else (row.address_id, row.id)


def _receipt_target(receipt: Receipt) -> Any:
    if receipt.token is not None:
        return dispatches.c.token == receipt.token
    if receipt.id is not None:
        keys = seals.lookups("dispatches.provider_key", receipt.lane, receipt.id)
        return dispatches.c.provider_key.in_(keys)
    return None


def _move_forward(db: Connection, part: Any, receipt: Receipt) -> None:
    """States go forward only; the delivery is as far as the slowest of its parts."""
    if _RANK.get(part.state, 9) >= _RANK[receipt.state]:
        return
    values: dict[str, Any] = {"state": receipt.state, "content": None}
    if receipt.id is not None:
        values |= {
            "provider_key": seals.lookup("dispatches.provider_key", receipt.lane, receipt.id),
            "provider_id": receipt.id,
        }
    db.execute(update(dispatches).where(dispatches.c.id == part.id).values(**values))
    states = db.execute(
        select(dispatches.c.state).where(dispatches.c.delivery_id == part.delivery_id)
    ).scalars()
    slowest = min(states, key=lambda state: _RANK.get(state, 0))
    if _RANK.get(slowest, 0) > 0:
        db.execute(
            update(deliveries)
            .where(
                deliveries.c.id == part.delivery_id,
                deliveries.c.state.in_(("sending", "unknown", "sent", "delivered")),
            )
            .values(state=slowest)
        )


def _give_up(db: Connection, part: Any, receipt: Receipt, now: datetime) -> None:
    """The provider could not deliver: hold it for the window, or write the reason down."""
    if _is_over(db, part.delivery_id):
        return
    if receipt.state == "window":
        # Nothing of it arrived: it is rendered anew when she writes again.
        db.execute(delete(dispatches).where(dispatches.c.delivery_id == part.delivery_id))
        values = {"state": "held", "reason": "window", "attempts": 0}
    else:
        db.execute(
            update(dispatches)
            .where(dispatches.c.id == part.id)
            .values(state="failed", error=(receipt.error or "")[:20])
        )
        values = {"state": "failed", "reason": (receipt.error or "")[:40]}
    delivery = update(deliveries).where(deliveries.c.id == part.delivery_id).values(**values)
    address_id = db.execute(delivery.returning(deliveries.c.address_id)).scalar()
    address = update(addresses).where(addresses.c.id == address_id)
    if receipt.state == "gone":
        db.execute(address.values(unreachable_at=now))
    if receipt.state == "window":  # the provider's clock wins over ours
        db.execute(address.values(last_inbound_at=None))


def _is_over(db: Connection, delivery_id: int) -> bool:
    """Dropped meanwhile: whatever the provider says, it is not said again."""
    statement = select(deliveries.c.state).where(deliveries.c.id == delivery_id)
    return db.execute(statement).scalar() == "dropped"
