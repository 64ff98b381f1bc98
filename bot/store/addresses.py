"""Addresses: the apps of one member; which of them is used, how one is linked and cut off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, func, literal, select, update

from bot.columns import Moment
from bot.db import insert_returning, mark_due
from bot.models.outbox import (
    HELD,
    SETTLED,
    UNDER_WAY,
    WAITING,
    deliveries,
    dispatches,
    messages,
    prompts,
)
from bot.models.people import address_keys, addresses, members
from bot.models.talks import conversations, inbox

MOST = 2  # apps of one member

# They belong to one chat: what answers her there, its notices and alerts, what is deleted there.
STAYS = ("direct", "notice", "retract", "alert", "nudge")


@dataclass(frozen=True, slots=True)
class Address:
    """One app of hers."""

    id: int
    member_id: int
    lane: str
    preferred: bool
    first_choice: bool
    unreachable_at: datetime | None
    doubted_at: datetime | None
    linked_at: datetime | None
    created_at: datetime

    @property
    def since(self) -> datetime:
        return self.linked_at or self.created_at

    @property
    def is_usable(self) -> bool:
        return self.unreachable_at is None and self.doubted_at is None

    @property
    def app(self) -> str:
        """What people call it."""
        name = self.lane.removeprefix("simulator/").partition("/")[0]
        return {"telegram": "Telegram", "whatsapp": "WhatsApp"}.get(name, name.capitalize())


_FRESH = {"doubted_at": None, "unlocked_until": None, "wrong_codes": 0, "offer_at": None}
_ADDRESS = (
    addresses.c.id,
    addresses.c.member_id,
    addresses.c.lane,
    addresses.c.preferred,
    addresses.c.first_choice,
    addresses.c.unreachable_at,
    addresses.c.doubted_at,
    addresses.c.linked_at,
    addresses.c.created_at,
)


def list_of(db: Connection, member_id: int) -> list[Address]:
    """Her apps, the one she had first first."""
    statement = select(*_ADDRESS).where(addresses.c.member_id == member_id)
    since = func.coalesce(addresses.c.linked_at, addresses.c.created_at)
    return [Address(*row) for row in db.execute(statement.order_by(since, addresses.c.id))]


def find(db: Connection, address_id: int) -> Address | None:
    row = db.execute(select(*_ADDRESS).where(addresses.c.id == address_id)).first()
    return None if row is None else Address(*row)


def _other(db: Connection, address: Address) -> Address | None:
    """The app of hers that can be used instead."""
    others = [each for each in list_of(db, address.member_id) if each.id != address.id]
    usable = [each for each in others if each.is_usable]
    return max(usable, key=lambda each: (each.preferred, each.first_choice), default=None)


# Which one is used ------------------------------------------------------------------------------


def fall_back(
    db: Connection, address_id: int, now: datetime, failed: Sequence[int] = ()
) -> Address | None:
    """This one cannot be reached: another takes over at once, or None.

    With it goes what waits here and what has just `failed` (ids of deliveries).
    """
    here = find(db, address_id)
    other = None if here is None else _other(db, here)
    if here is None or other is None:
        return None
    if here.preferred:
        _prefer(db, other)
    move(db, _waiting_at(db, here, failed), other, now, since=other.linked_at)
    # What is older than the other one is not shown there: it waits until she is back.
    left = select(deliveries.c.id).join(messages).where(messages.c.kind.not_in(STAYS))
    left = left.where(deliveries.c.lane == here.lane, deliveries.c.address_id == here.id, WAITING)
    db.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(list(db.execute(left).scalars())))
        .values(state="held", reason="unreachable")
    )
    return other


def come_back(db: Connection, address_id: int, now: datetime) -> None:
    """She writes from one that is not used: it is used again if it is her first choice,
    or if the other one is of no use."""
    here = find(db, address_id)
    if here is None or here.preferred or not here.is_usable:
        return
    before = _preferred(db, here.member_id)
    if before is None or here.first_choice or not before.is_usable:
        _use(db, here, before, now)


def choose_first(db: Connection, address: Address, now: datetime) -> None:
    """Her wish: messages come to this one as long as it can be reached."""
    hers = addresses.c.member_id == address.member_id
    chosen = addresses.c.id == address.id
    db.execute(update(addresses).where(hers, ~chosen).values(first_choice=False))
    _set(db, address.id, first_choice=True)
    if address.is_usable and not address.preferred:
        _use(db, address, _preferred(db, address.member_id), now)


def _preferred(db: Connection, member_id: int) -> Address | None:
    wanted = (addresses.c.member_id == member_id, addresses.c.preferred)
    row = db.execute(select(*_ADDRESS).where(*wanted)).first()
    return None if row is None else Address(*row)


def _use(db: Connection, here: Address, before: Address | None, now: datetime) -> None:
    _prefer(db, here)
    if before is not None:
        move(db, _waiting_at(db, before), here, now, since=here.linked_at)


def _prefer(db: Connection, address: Address) -> None:
    """One after the other: two preferred ones are refused at every moment."""
    others = (addresses.c.member_id == address.member_id, addresses.c.id != address.id)
    db.execute(update(addresses).where(*others, addresses.c.preferred).values(preferred=False))
    _set(db, address.id, preferred=True)


def _set(db: Connection, address_id: int, **values: object) -> None:
    db.execute(update(addresses).where(addresses.c.id == address_id).values(**values))


# What waits goes along --------------------------------------------------------------------------


def follow(db: Connection, delivery_ids: Sequence[int], now: datetime) -> set[int]:
    """Deliveries that were claimed for an address of no use: those that must not be said there.

    They go to another app of hers. If that address is hers no more and she has no other, they
    wait until she has one.
    """
    statement = select(
        deliveries.c.id,
        deliveries.c.member_id,
        deliveries.c.address_id,
        messages.c.kind,
        (addresses.c.member_id == deliveries.c.member_id).label("hers"),
    )
    statement = statement.join(messages).outerjoin(
        addresses, addresses.c.id == deliveries.c.address_id
    )
    gone = set()
    for row in db.execute(statement.where(deliveries.c.id.in_(delivery_ids))).all():
        stays = row.kind in STAYS
        target = None if stays else _preferred(db, row.member_id)
        if target is not None and target.is_usable and target.id != row.address_id:
            since = target.linked_at if row.hers else None
            if move(db, [row.id], target, now, since=since):
                gone.add(row.id)
                continue
        if not row.hers:
            _park(db, [row.id], for_ever=stays)
            gone.add(row.id)
    return gone


def _waiting_at(db: Connection, here: Address, failed: Sequence[int] = ()) -> list[int]:
    """Deliveries that wait to be said at an address, and these that failed there."""
    there = (deliveries.c.address_id == here.id, deliveries.c.member_id == here.member_id)
    found: set[int] = set(failed)
    for state in ((deliveries.c.lane == here.lane, WAITING), (HELD,)):
        found.update(db.execute(select(deliveries.c.id).where(*there, *state)).scalars())
    return sorted(found)


def move(
    db: Connection, ids: Sequence[int], to: Address, now: datetime, since: datetime | None
) -> list[int]:
    """Say these at another address instead, rendered anew; what is older than `since` stays.

    Those that go.
    """
    statement = select(deliveries.c.id).join(messages)
    wanted: list[ColumnElement[bool]] = [
        deliveries.c.id.in_(ids),
        messages.c.kind.not_in(STAYS),
    ]
    if since is not None:
        wanted.append(messages.c.created_at >= since)
    going = list(db.execute(statement.where(*wanted)).scalars())
    if not going:
        return []
    db.execute(delete(dispatches).where(dispatches.c.delivery_id.in_(going)))
    later = (deliveries.c.state == "queued", deliveries.c.due_at)
    values: dict[str, Any] = {
        "address_id": to.id,
        "lane": to.lane,
        "state": "queued",
        "reason": None,
        "due_at": case(later, else_=literal(now, Moment)),
        "attempts": 0,
        "asked_at": None,  # not on that phone
    }
    db.execute(update(deliveries).where(deliveries.c.id.in_(going)).values(**values))
    mark_due(db, now, to.lane)
    return going


def _park(db: Connection, delivery_ids: Sequence[int], *, for_ever: bool) -> None:
    """She has no address now: this waits until she has one, or is not said at all."""
    if not delivery_ids:
        return
    state = "dropped" if for_ever else "held"
    db.execute(delete(dispatches).where(dispatches.c.delivery_id.in_(delivery_ids)))
    db.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(delivery_ids))
        .values(state=state, reason="cut", address_id=None, asked_at=None)
    )


# Linked and cut off -----------------------------------------------------------------------------


def attach(db: Connection, address_id: int, member_id: int, now: datetime) -> None:
    """A stranger's address becomes one of hers; the stranger was nobody else, and goes."""
    here = find(db, address_id)
    assert here is not None
    alone = _preferred(db, member_id) is None
    hers = {"member_id": member_id, "preferred": alone, "first_choice": alone, "linked_at": now}
    _set(db, address_id, **hers, **_FRESH)
    lane = deliveries.c.lane == here.lane
    for state in ((SETTLED,), (lane, WAITING), (lane, UNDER_WAY)):
        said = update(deliveries).where(deliveries.c.member_id == here.member_id, *state)
        db.execute(said.values(member_id=member_id))
    db.execute(delete(members).where(members.c.id == here.member_id))
    if alone:
        parked = (deliveries.c.member_id == member_id, HELD, deliveries.c.address_id.is_(None))
        waiting = list(db.execute(select(deliveries.c.id).where(*parked, SETTLED)).scalars())
        found = find(db, address_id)
        assert found is not None
        move(db, waiting, found, now, since=None)


def cut(
    db: Connection, address_id: int, now: datetime, names: Iterable[bytes] | None = None
) -> None:
    """This address is hers no more, and nothing of her past can be reached from it.

    It belongs to a stranger again; by its `names` (lookups) only, where they are given. What
    waited goes to her other app, or waits until she has one.
    """
    here = find(db, address_id)
    assert here is not None
    others = [each for each in list_of(db, here.member_id) if each.id != here.id]
    waiting = _waiting_at(db, here)
    _make_strange(db, here, now)
    _forget_past(db, here, names)
    heir = max(others, key=lambda each: (each.is_usable, each.since), default=None)
    if heir is not None:
        _inherit(db, here, heir)
        move(db, waiting, heir, now, since=None)
    left = select(deliveries.c.id, messages.c.kind).join(messages)
    left = left.where(deliveries.c.id.in_(waiting), deliveries.c.address_id == here.id)
    for id_, kind in db.execute(left).all():
        _park(db, [id_], for_ever=kind in STAYS)


def _make_strange(db: Connection, here: Address, now: datetime) -> None:
    """A member of its own, of whom nothing is known but how to be spoken to."""
    manner = select(members.c.language, members.c.discreet).where(members.c.id == here.member_id)
    language, discreet = db.execute(manner).one()
    stranger = {"state": "new", "language": language, "discreet": discreet, "created_at": now}
    [stranger_id] = insert_returning(db, members, [stranger])
    own = {"member_id": stranger_id, "preferred": True, "first_choice": True, "linked_at": None}
    _set(db, here.id, **own, **_FRESH)


def _inherit(db: Connection, here: Address, heir: Address) -> None:
    _set(
        db,
        heir.id,
        preferred=heir.preferred or here.preferred,
        first_choice=heir.first_choice or here.first_choice,
    )


def _forget_past(db: Connection, here: Address, names: Iterable[bytes] | None) -> None:
    """Her talk, the choices on her bubbles, and what she sent from there."""
    db.execute(delete(conversations).where(conversations.c.address_id == here.id))
    db.execute(delete(prompts).where(prompts.c.address_id == here.id))
    db.execute(update(inbox).where(inbox.c.address_id == here.id).values(payload=None))
    if names is not None:
        others = (address_keys.c.address_id == here.id, address_keys.c.key.not_in(list(names)))
        db.execute(delete(address_keys).where(*others))
