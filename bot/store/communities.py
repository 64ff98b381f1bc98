"""Communities and who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, select, update

from bot.db import insert_new
from bot.messages import Ref, Text, _
from bot.models.people import addresses, communities, members, memberships
from bot.roles import TAKING_PART, may


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
    role: str  # one of bot.roles.ROLES
    state: str  # waiting, active, declined, left, ended
    pace: str = "at_once"  # how much of it she wants: at_once, daily, weekly, concerns, muted
    role_until: datetime | None = None  # then she is a member again
    role_from: int | None = None  # the member who gave it to her

    @property
    def is_active(self) -> bool:
        return self.state == "active"

    def may(self, power: str, now: datetime) -> bool:
        """Whether she has this power there now; a role whose time is over is none any more."""
        over = self.role_until is not None and self.role_until <= now
        return self.is_active and may("member" if over else self.role, power)


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
            memberships.c.pace,
            memberships.c.role_until,
            memberships.c.role_from,
            *_COMMUNITY,
        )
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(communities.c.ended_at.is_(None))
        .order_by(memberships.c.id)
    )


def _membership(row: Any) -> Membership:
    return Membership(
        id=row.membership_id,
        community=_community(row),
        role=row.role,
        state=row.state,
        pace=row.pace,
        role_until=row.role_until,
        role_from=row.role_from,
    )


def _community(row: Any) -> Community:
    return Community(row.id, row.slug, row.language, row.timezone, row.approval, row.discreet)


def get(db: Connection, community_id: int) -> Community:
    statement = select(*_COMMUNITY).where(communities.c.id == community_id)
    return _community(db.execute(statement).one())


def find(db: Connection, slug: str) -> Community | None:
    """A community that goes on, by the name the programme file has for it."""
    wanted = (communities.c.slug == slug, communities.c.ended_at.is_(None))
    row = db.execute(select(*_COMMUNITY).where(*wanted)).first()
    return None if row is None else _community(row)


def list_slugs(db: Connection) -> list[str]:
    statement = select(communities.c.slug).where(communities.c.ended_at.is_(None))
    return list(db.execute(statement.order_by(communities.c.slug)).scalars())


def join(
    db: Connection, member_id: int, community_id: int, role: str, state: str, now: datetime
) -> int:
    """Make or renew a membership; a higher role is kept, but by who had left. Returns its id."""
    row = {
        "member_id": member_id,
        "community_id": community_id,
        "role": role,
        "state": state,
        "created_at": now,
    }
    new = insert_new(db, memberships).values(row)
    had_left = memberships.c.state == "left"
    kept = role if role != "member" else case((had_left, role), else_=memberships.c.role)
    new = new.on_conflict_do_update(
        index_elements=["member_id", "community_id"], set_={"state": state, "role": kept}
    )
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


def appoint(
    db: Connection, member_id: int, community_id: int, now: datetime, role: str = "facilitator"
) -> None:
    """Give somebody a role; whoever has left or was declined stays so."""
    row = {
        "member_id": member_id,
        "community_id": community_id,
        "role": role,
        "state": "active",
        "created_at": now,
    }
    new = insert_new(db, memberships).values(row)
    db.execute(
        new.on_conflict_do_update(
            index_elements=["member_id", "community_id"],
            set_={"role": role, "role_until": None, "role_from": None},
        )
    )
    _make_discreet(db, community_id)


def labels(mine: Sequence[Membership]) -> dict[int, Text]:
    """How one of them is chosen, by its id; a discreet one has always the same number for her."""
    return {
        each.community.id: _("Group {number}", number=number)
        if each.community.discreet
        else _("{community}", community=each.community.ref)
        for number, each in enumerate(mine, 1)
    }


def list_facilitated(db: Connection, member_id: int) -> list[Community]:
    """The communities she facilitates, oldest first."""
    found = list_of(db, member_id)
    return [each.community for each in found if each.role == "facilitator" and each.is_active]


def find_facilitated(db: Connection, member_id: int, community_id: int) -> Community | None:
    """The community, if she facilitates it at this moment."""
    found = find_membership(db, member_id, community_id)
    if found is None or found.role != "facilitator" or not found.is_active:
        return None
    return found.community


def list_where(db: Connection, member_id: int, power: str, now: datetime) -> list[Community]:
    """The communities in which she has this power now, oldest first."""
    return [each.community for each in list_of(db, member_id) if each.may(power, now)]


def find_where(
    db: Connection, member_id: int, community_id: int, power: str, now: datetime
) -> Community | None:
    """The community, if she has this power there now."""
    found = find_membership(db, member_id, community_id)
    return found.community if found is not None and found.may(power, now) else None


def has_ended(db: Connection, community_id: int) -> bool:
    statement = select(communities.c.ended_at).where(communities.c.id == community_id)
    return db.execute(statement).scalar() is not None


def is_in_discreet(db: Connection, member_id: int) -> bool:
    """Whether a community of hers is discreet."""
    return any(each.community.discreet for each in list_of(db, member_id))


def count_active(db: Connection, community_id: int) -> int:
    """Those who take part: members, hosts and facilitators."""
    statement = select(func.count()).where(
        memberships.c.community_id == community_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
    )
    return db.execute(statement).scalar_one()


def has_focal_point(db: Connection, community_id: int) -> bool:
    """Whether somebody gets what is referred: welcomed, not stopped, reachable."""
    statement = (
        select(memberships.c.id)
        .join(members, members.c.id == memberships.c.member_id)
        .join(addresses, (addresses.c.member_id == members.c.id) & addresses.c.preferred)
        .where(
            memberships.c.community_id == community_id,
            memberships.c.state == "active",
            memberships.c.role == "focal_point",
            members.c.state == "active",
            addresses.c.unreachable_at.is_(None),
        )
    )
    return db.execute(statement.limit(1)).first() is not None


def list_waiting(db: Connection, community_id: int) -> list[int]:
    """The memberships that wait to be welcomed, the first come first."""
    statement = (
        select(memberships.c.id)
        .where(memberships.c.community_id == community_id, memberships.c.state == "waiting")
        .order_by(memberships.c.id)
    )
    return list(db.execute(statement).scalars())


def find_place(db: Connection, membership_id: int) -> int | None:
    """The id of the community a membership is in, whatever its state."""
    statement = select(memberships.c.community_id).where(memberships.c.id == membership_id)
    return db.execute(statement).scalar()


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


def mark_pace(db: Connection, membership_id: int, pace: str) -> None:
    """How much of a community she wants."""
    db.execute(update(memberships).where(memberships.c.id == membership_id).values(pace=pace))


def mark_ended(db: Connection, community_id: int, now: datetime, *, ended: bool) -> None:
    """Close a community (nobody comes in, nothing more is said), or open it again as it was."""
    before, after = ("active", "ended") if ended else ("ended", "active")
    was_open = communities.c.ended_at.is_(None)
    changed = db.execute(
        update(communities)
        .where(communities.c.id == community_id, was_open if ended else ~was_open)
        .values(ended_at=now if ended else None)
    )
    if changed.rowcount:
        db.execute(
            update(memberships)
            .where(memberships.c.community_id == community_id, memberships.c.state == before)
            .values(state=after)
        )


def save_community(db: Connection, programme_id: int, row: Mapping[str, Any]) -> int:
    """Add a community or bring it up to date; `row` holds the columns of the table."""
    values = {"programme_id": programme_id, **row}
    new = insert_new(db, communities).values(values)
    new = new.on_conflict_do_update(index_elements=["slug"], set_=values)
    id_: int = db.execute(new.returning(communities.c.id)).scalar_one()
    _make_discreet(db, id_)
    return id_
