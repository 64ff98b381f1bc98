"""Lanes: who owns a sending identity, and what the last owner left behind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, update

from bot.db import insert_new
from bot.models.outbox import UNDER_WAY, deliveries, dispatches, lanes


def take(db: Connection, lane: str) -> int:
    """Own a lane: a new fencing number, which refuses every older owner."""
    new = insert_new(db, lanes).values(name=lane, fence=1)
    grown = new.on_conflict_do_update(index_elements=["name"], set_={"fence": lanes.c.fence + 1})
    fence: int = db.execute(grown.returning(lanes.c.fence)).scalar_one()
    return fence


def save_link(db: Connection, lane: str, link: str) -> None:
    """What opens a chat with us there; what is to be said is put at its end."""
    new = insert_new(db, lanes).values(name=lane, fence=0, link=link)
    db.execute(new.on_conflict_do_update(index_elements=["name"], set_={"link": link}))


def list_links(db: Connection, said: str, lanes_now: Collection[str]) -> list[str]:
    """The links, one for each app we have now, that open a chat with us and say this there."""
    statement = (
        select(lanes.c.link)
        .where(lanes.c.link.is_not(None), lanes.c.name.in_(lanes_now))
        .order_by(lanes.c.name)
    )
    return [link + said for link in db.execute(statement).scalars()]


def recover(db: Connection, lane: str, look_at: datetime) -> list[int]:
    """What stood as sending when the last owner died: perhaps sent, perhaps not.

    Returns the addresses it was for.
    """
    stuck = select(deliveries.c.id).where(deliveries.c.lane == lane, UNDER_WAY)
    db.execute(
        update(dispatches)
        .where(dispatches.c.delivery_id.in_(stuck), dispatches.c.state == "sending")
        .values(state="unknown")
    )
    recovered = (
        update(deliveries)
        .where(deliveries.c.lane == lane, UNDER_WAY)
        .values(state="unknown", due_at=look_at)
    )
    return list(db.execute(recovered.returning(deliveries.c.address_id)).scalars())
