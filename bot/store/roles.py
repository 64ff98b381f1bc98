"""Roles in communities: offered, given for a time or for good, taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select, update

from bot.db import insert_returning
from bot.models.people import members, memberships, role_offers
from bot.roles import GIVEN_BY_CHAT, TAKING_PART


@dataclass(frozen=True, slots=True)
class Offer:
    id: int
    community_id: int
    member_id: int  # who was asked
    giver_id: int
    role: str
    days: int | None  # None: for good

    def until(self, now: datetime) -> datetime | None:
        """Counted from when she says yes."""
        return None if self.days is None else now + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Holder:
    """A membership with a role that was given by chat, or could have been."""

    id: int  # the membership's
    member_id: int
    community_id: int
    role: str
    until: datetime | None
    giver_id: int | None  # None: named by the programme, or came with an invite

    def may_end(self, other: Holder) -> bool:
        """The giver, or who facilitates for longer; to whom it was given, only what she gave."""
        if other.giver_id == self.member_id:
            return True
        if self.giver_id is not None:
            return False
        return other.giver_id is not None or other.id > self.id


_HOLDER = (
    memberships.c.id,
    memberships.c.member_id,
    memberships.c.community_id,
    memberships.c.role,
    memberships.c.role_until,
    memberships.c.role_from,
)


def add_offer(
    db: Connection,
    community_id: int,
    member_id: int,
    giver_id: int,
    role: str,
    days: int | None,
    expires_at: datetime,
) -> int:
    """An offer; an older one to her in this community is over by it."""
    earlier = (role_offers.c.community_id == community_id, role_offers.c.member_id == member_id)
    db.execute(update(role_offers).where(*earlier, _OPEN).values(answered_at=expires_at))
    row = {
        "community_id": community_id,
        "member_id": member_id,
        "giver_id": giver_id,
        "role": role,
        "days": days,
        "expires_at": expires_at,
    }
    [id_] = insert_returning(db, role_offers, [row])
    return id_


_OPEN = role_offers.c.answered_at.is_(None)


def find_offer(db: Connection, offer_id: int, member_id: int, now: datetime) -> Offer | None:
    """What she was asked, if it still stands."""
    statement = select(
        role_offers.c.id,
        role_offers.c.community_id,
        role_offers.c.member_id,
        role_offers.c.giver_id,
        role_offers.c.role,
        role_offers.c.days,
    ).where(
        role_offers.c.id == offer_id,
        role_offers.c.member_id == member_id,
        role_offers.c.expires_at > now,
        _OPEN,
    )
    row = db.execute(statement).first()
    return None if row is None else Offer(*row)


def mark_answered(db: Connection, offer_id: int, now: datetime) -> bool:
    """False if it was answered before."""
    changed = db.execute(
        update(role_offers).where(role_offers.c.id == offer_id, _OPEN).values(answered_at=now)
    )
    return changed.rowcount == 1


def give(db: Connection, offer: Offer, until: datetime | None) -> bool:
    """False if she does not take part there (any more), or has other work meanwhile."""
    changed = db.execute(
        update(memberships)
        .where(
            memberships.c.member_id == offer.member_id,
            memberships.c.community_id == offer.community_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
        )
        .values(role=offer.role, role_until=until, role_from=offer.giver_id)
    )
    return changed.rowcount == 1


def end(db: Connection, holder: Holder) -> bool:
    """She is a member again; False if she was it before."""
    changed = db.execute(
        update(memberships)
        .where(memberships.c.id == holder.id, memberships.c.role == holder.role)
        .values(role="member", role_until=None, role_from=None)
    )
    return changed.rowcount == 1


def keep(db: Connection, holder: Holder) -> None:
    """Nobody else could do it: her time has no end any more."""
    db.execute(update(memberships).where(memberships.c.id == holder.id).values(role_until=None))


def find(db: Connection, membership_id: int) -> Holder | None:
    row = db.execute(_holders().where(memberships.c.id == membership_id)).first()
    return None if row is None else Holder(*row)


def find_of(db: Connection, member_id: int, community_id: int) -> Holder | None:
    wanted = (memberships.c.member_id == member_id, memberships.c.community_id == community_id)
    row = db.execute(_holders().where(*wanted)).first()
    return None if row is None else Holder(*row)


def list_holders(db: Connection, community_id: int) -> list[Holder]:
    """Hosts and facilitators of a community; held to the end, so that not all leave at once."""
    wanted = _holders().where(memberships.c.community_id == community_id)
    return [Holder(*row) for row in db.execute(wanted.with_for_update())]


def list_over(db: Connection, now: datetime, most: int) -> list[Holder]:
    """Roles whose time has passed."""
    statement = (
        select(*_HOLDER)
        .where(memberships.c.role_until <= now, memberships.c.role != "member")
        .order_by(memberships.c.id)
        .limit(most)
    )
    return [Holder(*row) for row in db.execute(statement.with_for_update())]


def list_administrators(db: Connection) -> list[tuple[int, str | None]]:
    """Each of them once, with her time zone."""
    statement = (
        select(members.c.id, members.c.timezone)
        .where(
            members.c.state == "active",
            members.c.id.in_(
                select(memberships.c.member_id).where(
                    memberships.c.role == "administrator", memberships.c.state == "active"
                )
            ),
        )
        .order_by(members.c.id)
    )
    return [(row.id, row.timezone) for row in db.execute(statement)]


def _holders() -> Select[Any]:
    return (
        select(*_HOLDER)
        .where(memberships.c.state == "active", memberships.c.role.in_(GIVEN_BY_CHAT))
        .order_by(memberships.c.id)
    )
