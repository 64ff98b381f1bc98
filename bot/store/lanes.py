"""Lanes: who owns a sending identity, and what the last owner left behind."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from bot.db import insert_new, locking_once, store_now
from bot.models.outbox import TRIED, UNDER_WAY, deliveries, dispatches, lanes


class LaneLost(Exception):
    """Another worker owns the lane now; this one must not send."""


def take(db: Connection, lane: str, owner: str, lease: timedelta) -> int:
    """Own a lane: a new fencing number, which refuses every older owner."""
    hers = {"owner": owner, "leased_until": _after(db, lease)}
    new = insert_new(db, lanes).values(name=lane, fence=1, **hers)
    grown = {"fence": lanes.c.fence + 1, **hers}
    taken = new.on_conflict_do_update(index_elements=["name"], set_=grown)
    fence: int = db.execute(taken.returning(lanes.c.fence)).scalar_one()
    return fence


def renew(db: Connection, lane: str, fence: int, lease: timedelta) -> None:
    """The lease is made longer. Raises LaneLost."""
    mine = (lanes.c.name == lane, lanes.c.fence == fence)
    renewed = update(lanes).where(*mine).values(leased_until=_after(db, lease))
    if db.execute(renewed).rowcount == 0:
        raise LaneLost(lane)


_HELD = locking_once(
    select(lanes.c.fence, lanes.c.paused_until).where(lanes.c.name == bindparam("lane")),
    read=True,  # whoever takes the lane waits for what its owner is writing down
)


def check(db: Connection, lane: str, fence: int) -> datetime | None:
    """It is still ours, and until the end of this transaction; until when it is to rest.

    Raises LaneLost.
    """
    row = db.execute(_HELD[db.dialect.name], {"lane": lane}).first()
    if row is None or row.fence != fence:
        raise LaneLost(lane)
    rests: datetime | None = row.paused_until
    return rests


def give_back(db: Connection, lane: str, fence: int) -> None:
    mine = (lanes.c.name == lane, lanes.c.fence == fence)
    db.execute(update(lanes).where(*mine).values(owner=None, leased_until=None))


def find_silent(db: Connection, lane: str) -> str | None:
    """The owner that has let its lease run out without giving the lane back."""
    over = (lanes.c.name == lane, lanes.c.leased_until < store_now(db))
    return db.execute(select(lanes.c.owner).where(*over)).scalar()


def pause(db: Connection, lane: str, until: datetime, why: str) -> None:
    """The provider wants nothing before this; the next owner keeps to it too."""
    values = {"paused_until": until, "paused_why": why[:20]}
    db.execute(update(lanes).where(lanes.c.name == lane).values(**values))


def _after(db: Connection, lease: timedelta) -> ColumnElement[int]:
    """By the store's own clock: nobody moves it, and all processes read the same."""
    return store_now(db) + lease // timedelta(microseconds=1)


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


def list_calls(db: Connection, lane: str, since: datetime) -> list[tuple[int, datetime]]:
    """Who was written to on a lane since then, and when: (address, moment)."""
    statement = (
        select(deliveries.c.address_id, dispatches.c.handed_at)
        .join(deliveries, deliveries.c.id == dispatches.c.delivery_id)
        .where(dispatches.c.handed_at > since, deliveries.c.lane == lane)
    )
    return [(row.address_id, row.handed_at) for row in db.execute(statement)]


def list_waits(db: Connection, lane: str, now: datetime) -> dict[int, datetime]:
    """Addresses for which something was tried and must be tried again later, and when."""
    statement = (
        select(deliveries.c.address_id, func.max(deliveries.c.due_at))
        .where(deliveries.c.lane == lane, TRIED, deliveries.c.due_at > now)
        .group_by(deliveries.c.address_id)
    )
    return {address_id: due_at for address_id, due_at in db.execute(statement)}
