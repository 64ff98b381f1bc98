"""Programmes, communities and who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from bot.db import insert_new
from bot.messages import Ref
from bot.models import communities, members, memberships, programmes


@dataclass(frozen=True, slots=True)
class Community:
    id: int
    slug: str
    language: str
    timezone: str
    approval: bool  # a facilitator welcomes each newcomer
    discreet: bool  # who sees the phone learns nothing

    @property
    def ref(self) -> Ref:
        return Ref("communities", self.id)


@dataclass(frozen=True, slots=True)
class Membership:
    """A community as one of its members sees it."""

    id: int
    community: Community
    role: str  # member, facilitator
    state: str  # waiting, active, declined, left


_COMMUNITY = (
    communities.c.id,
    communities.c.slug,
    communities.c.language,
    communities.c.timezone,
    communities.c.approval,
    communities.c.discreet,
)


def list_of(db: Connection, member_id: int) -> list[Membership]:
    """Her communities, those where she is active or waits to be welcomed, oldest first."""
    statement = _memberships().where(
        memberships.c.member_id == member_id, memberships.c.state.in_(("active", "waiting"))
    )
    return [_membership(row) for row in db.execute(statement)]


def find_membership(db: Connection, member_id: int, community_id: int) -> Membership | None:
    statement = _memberships().where(
        memberships.c.member_id == member_id, memberships.c.community_id == community_id
    )
    row = db.execute(statement).first()
    return None if row is None else _membership(row)


def _memberships() -> Select[Any]:
    return (
        select(
            memberships.c.id.label("membership_id"),
            memberships.c.role,
            memberships.c.state,
            *_COMMUNITY,
        )
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(communities.c.ended_at.is_(None))
        .order_by(memberships.c.id)
    )


def _membership(row: Any) -> Membership:
    return Membership(row.membership_id, _community(row), row.role, row.state)


def _community(row: Any) -> Community:
    return Community(row.id, row.slug, row.language, row.timezone, row.approval, row.discreet)


def get(db: Connection, community_id: int) -> Community:
    statement = select(*_COMMUNITY).where(communities.c.id == community_id)
    return _community(db.execute(statement).one())


def find(db: Connection, slug: str) -> Community | None:
    row = db.execute(select(*_COMMUNITY).where(communities.c.slug == slug)).first()
    return None if row is None else _community(row)


def list_slugs(db: Connection) -> list[str]:
    return list(db.execute(select(communities.c.slug).order_by(communities.c.slug)).scalars())


def join(
    db: Connection, member_id: int, community_id: int, role: str, state: str, now: datetime
) -> int:
    """Make or renew a membership; a higher role is kept. Returns its id."""
    row = {
        "member_id": member_id,
        "community_id": community_id,
        "role": role,
        "state": state,
        "created_at": now,
    }
    new = insert_new(db, memberships).values(row)
    kept = {"state": state} | ({"role": role} if role == "facilitator" else {})
    new = new.on_conflict_do_update(index_elements=["member_id", "community_id"], set_=kept)
    id_: int = db.execute(new.returning(memberships.c.id)).scalar_one()
    _make_discreet(db, community_id)
    return id_


def _make_discreet(db: Connection, community_id: int) -> None:
    """In a discreet community every phone is; it stays so when she leaves, until she changes it."""
    inside = select(memberships.c.member_id).where(memberships.c.community_id == community_id)
    veiled = select(communities.c.id).where(
        communities.c.id == community_id, communities.c.discreet
    )
    db.execute(
        update(members)
        .where(members.c.id.in_(inside), ~members.c.discreet, veiled.exists())
        .values(discreet=True)
    )


def appoint(db: Connection, member_id: int, community_id: int, now: datetime) -> None:
    """Make somebody a facilitator; whoever has left or was declined stays so."""
    row = {
        "member_id": member_id,
        "community_id": community_id,
        "role": "facilitator",
        "state": "active",
        "created_at": now,
    }
    new = insert_new(db, memberships).values(row)
    db.execute(
        new.on_conflict_do_update(
            index_elements=["member_id", "community_id"], set_={"role": "facilitator"}
        )
    )


def find_waiting(db: Connection, membership_id: int) -> tuple[int, int] | None:
    """(member id, community id) of a membership that waits to be welcomed."""
    statement = select(memberships.c.member_id, memberships.c.community_id).where(
        memberships.c.id == membership_id, memberships.c.state == "waiting"
    )
    row = db.execute(statement).first()
    return None if row is None else (row.member_id, row.community_id)


def decide(db: Connection, membership_id: int, state: str) -> bool:
    """Welcome or decline who waits; False if somebody else has decided before."""
    changed = db.execute(
        update(memberships)
        .where(memberships.c.id == membership_id, memberships.c.state == "waiting")
        .values(state=state)
    )
    return changed.rowcount == 1


def list_contacts(db: Connection) -> list[str]:
    """Whom a stranger may ask, as the programmes put it."""
    return list(db.execute(select(programmes.c.contact).order_by(programmes.c.id)).scalars())


def save_programme(db: Connection, slug: str, names: Mapping[str, str], contact: str) -> int:
    row = {"slug": slug, "names": dict(names), "contact": contact}
    new = insert_new(db, programmes).values(row)
    new = new.on_conflict_do_update(index_elements=["slug"], set_=row)
    id_: int = db.execute(new.returning(programmes.c.id)).scalar_one()
    return id_


def save_community(db: Connection, programme_id: int, row: Mapping[str, Any]) -> int:
    """Add a community or bring it up to date; `row` holds the columns of the table."""
    values = {"programme_id": programme_id, **row}
    new = insert_new(db, communities).values(values)
    new = new.on_conflict_do_update(index_elements=["slug"], set_=values)
    id_: int = db.execute(new.returning(communities.c.id)).scalar_one()
    _make_discreet(db, id_)
    return id_
