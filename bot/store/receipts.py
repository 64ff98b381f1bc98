"""Receipts: what the providers say became of what we sent; unordered, repeated, never backwards."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from bot import seals
from bot.db import mark_due
from bot.messages import Receipt
from bot.models.outbox import deliveries, dispatches, lanes, messages, templates
from bot.models.people import addresses, members

_RANK = {"sending": 0, "unknown": 0, "failed": 0, "sent": 1, "delivered": 2, "read": 3}
ARRIVED = ("delivered", "read")
AGAIN = ("later", "settings", "media")  # what did not arrive and may be tried once more
MOST_REPEATS = 5  # of a part that its provider took and did not bring home
FIRST_WAIT = timedelta(seconds=15)  # doubled each time, with jitter
PAUSE = timedelta(minutes=1)  # of a lane whose settings somebody must mend


def apply(db: Connection, receipt: Receipt, now: datetime) -> bool:
    """Bring a receipt home; False if we know nothing of what it is about."""
    wanted = _receipt_target(receipt)
    part = None if wanted is None else db.execute(_PART.where(wanted)).first()
    if part is None:
        return False
    mine = _is_of_this_attempt(part, receipt)
    if receipt.state in ARRIVED or (mine and receipt.state == "sent"):
        _move_forward(db, part, receipt, now)
    elif mine and receipt.state not in _RANK and part.state not in (*ARRIVED, "failed"):
        _give_up(db, part, receipt, now)
    return True


_PART = select(
    dispatches.c.id,
    dispatches.c.delivery_id,
    dispatches.c.state,
    dispatches.c.repeats,
    dispatches.c.provider_key,
)


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


def _is_of_this_attempt(part: Any, receipt: Receipt) -> bool:
    """A part that is said again has the same token and another id of its provider.

    While it is on its way again, the id that we know is still that of the attempt before.
    """
    if part.repeats == 0 or part.provider_key is None or receipt.id is None:
        return True
    keys = seals.lookups("dispatches.provider_key", receipt.lane, receipt.id)
    known = bytes(part.provider_key) in keys
    return known is not (part.state in ("sending", "unknown"))


def _move_forward(db: Connection, part: Any, receipt: Receipt, now: datetime) -> None:
    """States go forward only; what has arrived has arrived, whatever was said before."""
    over = part.state == "failed" and receipt.state == "sent"
    if over or _RANK.get(part.state, 9) >= _RANK[receipt.state]:
        return
    values = {"state": receipt.state, "content": None, "told_at": now, **_named(receipt)}
    db.execute(update(dispatches).where(dispatches.c.id == part.id).values(**values))
    states = db.execute(
        select(dispatches.c.state).where(dispatches.c.delivery_id == part.delivery_id)
    ).scalars()
    slowest = min(states, key=lambda state: _RANK.get(state, 0))
    if _RANK.get(slowest, 0) > 0:  # the delivery is as far as the slowest of its parts
        before = ["sending", "unknown", "sent", "delivered"]
        before += ["queued", "failed"] if part.state == "failed" else []
        db.execute(
            update(deliveries)
            .where(deliveries.c.id == part.delivery_id, deliveries.c.state.in_(before))
            .values(state=slowest, reason=None)
        )


def _named(receipt: Receipt) -> dict[str, Any]:
    """The provider's id, which may come here before it comes in its answer."""
    if receipt.id is None:
        return {}
    key = seals.lookup("dispatches.provider_key", receipt.lane, receipt.id)
    return {"provider_key": key, "provider_id": receipt.id}


def _give_up(db: Connection, part: Any, receipt: Receipt, now: datetime) -> None:
    """The provider could not deliver: again, or held for the window, or the reason written down."""
    if _is_over(db, part.delivery_id):
        return
    if receipt.state == "window":
        return _hold(db, part, receipt, now)
    again = receipt.state in AGAIN and part.repeats < MOST_REPEATS
    _mark_failed(db, part, receipt, now, again=again)
    why = (receipt.error or "")[:40]
    if again:
        due_at = now + _wait(part.repeats, receipt.state)
        _settle(db, part, state="queued", reason=why, due_at=due_at)
        mark_due(db, due_at, receipt.lane)
    else:
        address_id = _settle(db, part, state="failed", reason=_reason(db, part) or why)
        if receipt.state == "gone":
            db.execute(_address(address_id).values(unreachable_at=now))
    if receipt.state == "settings":
        _pause(db, receipt, now)
    if receipt.template is not None:
        _mark_template(db, part, receipt, now)


def _hold(db: Connection, part: Any, receipt: Receipt, now: datetime) -> None:
    """Her window is closed: what has not arrived of it is rendered anew when she writes."""
    mine = dispatches.c.delivery_id == part.delivery_id
    handed_at = db.execute(select(func.max(dispatches.c.handed_at)).where(mine)).scalar()
    _mark_failed(db, part, receipt, now, again=True)
    this = update(dispatches).where(dispatches.c.id == part.id)
    db.execute(this.values(content=None))
    address_id = _settle(db, part, state="held", reason="window")
    # The provider's clock wins over ours, unless she has written since.
    older = addresses.c.last_inbound_at <= (handed_at or now)
    db.execute(_address(address_id).where(older).values(last_inbound_at=None))


def _reason(db: Connection, part: Any) -> str | None:
    """Of several parts that failed the same one is named, in whatever order it was told."""
    failed = (dispatches.c.delivery_id == part.delivery_id, dispatches.c.state == "failed")
    return db.execute(select(func.min(dispatches.c.error)).where(*failed)).scalar()


def _settle(db: Connection, part: Any, **values: Any) -> int | None:
    """Its delivery, and the address that this was for."""
    changed = update(deliveries).where(deliveries.c.id == part.delivery_id).values(**values)
    address_id: int | None = db.execute(changed.returning(deliveries.c.address_id)).scalar()
    return address_id


def _address(address_id: int | None) -> Any:
    return update(addresses).where(addresses.c.id == address_id)


def _mark_failed(
    db: Connection, part: Any, receipt: Receipt, now: datetime, *, again: bool
) -> None:
    """The id stays with it: what is told once more of this attempt is known by it."""
    db.execute(
        update(dispatches)
        .where(dispatches.c.id == part.id)
        .values(
            state="failed",
            error=("media:" * (receipt.state == "media") + (receipt.error or ""))[:20],
            told_at=now,
            repeats=part.repeats + again,
            **_named(receipt),
        )
    )
    if not again:  # what will never be said is not kept
        whole = update(dispatches).where(dispatches.c.delivery_id == part.delivery_id)
        db.execute(whole.values(content=None))


def _wait(repeats: int, state: str) -> timedelta:
    """Longer each time, and not for all at the same moment."""
    grown = FIRST_WAIT * float(2**repeats * random.uniform(1.0, 2.0))  # noqa: S311
    return max(grown, PAUSE) if state == "settings" else grown


def _pause(db: Connection, receipt: Receipt, now: datetime) -> None:
    """Nothing of this lane passes before somebody has mended it."""
    until = now + PAUSE
    db.execute(
        update(lanes)
        .where(
            lanes.c.name == receipt.lane,
            or_(lanes.c.paused_until.is_(None), lanes.c.paused_until < until),
        )
        .values(paused_until=until, paused_why=(receipt.error or "")[:20])
    )


def _mark_template(db: Connection, part: Any, receipt: Receipt, now: datetime) -> None:
    """The nudge in her language passes no more: it is not chosen again before it is approved."""
    hers = (
        select(members.c.language)
        .join(deliveries, deliveries.c.member_id == members.c.id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.id == part.delivery_id)
    )
    language = db.execute(hers).scalar() or ""
    db.execute(
        update(templates)
        .where(
            templates.c.lane == receipt.lane,
            templates.c.name == "nudge",
            templates.c.language == language,
        )
        .values(state=receipt.template, reason=receipt.error, checked_at=now)
    )


def _is_over(db: Connection, delivery_id: int) -> bool:
    """Dropped meanwhile: whatever the provider says, it is not said again."""
    statement = select(deliveries.c.state).where(deliveries.c.id == delivery_id)
    return db.execute(statement).scalar() == "dropped"
