"""Members: what is marked of them and of their addresses, and who in a community is called so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, case, select, update

from bot.i18n import fold
from bot.models.people import addresses, members, memberships
from bot.roles import TAKING_PART

_HEARD = (
    update(addresses)
    .where(addresses.c.id == bindparam("address_id"))
    .values(
        last_inbound_at=bindparam("heard_at"),
        unreachable_at=None,
        heard_since=bindparam("since"),
        heard_count=bindparam("count"),
        nudges=0,
    )
)


def mark_heard(
    db: Connection, address_id: int, now: datetime, since: datetime | None = None, count: int = 0
) -> None:
    """She wrote, so much in the minute from `since` on: the window is open, she is reachable."""
    values = {"address_id": address_id, "heard_at": now, "since": since, "count": count}
    db.execute(_HEARD, values)


def mark_unreachable(db: Connection, address_id: int, now: datetime) -> None:
    """She blocked us or the address is gone; not the same as leaving."""
    db.execute(update(addresses).where(addresses.c.id == address_id).values(unreachable_at=now))


def mark_window_closed(db: Connection, address_id: int) -> None:
    """The provider says so, and its clock wins: her next message opens it again."""
    db.execute(update(addresses).where(addresses.c.id == address_id).values(last_inbound_at=None))


def mark_wrong_code(db: Connection, address_id: int, tries: int, since: datetime) -> None:
    db.execute(
        update(addresses)
        .where(addresses.c.id == address_id)
        .values(wrong_codes=tries, wrong_codes_since=since)
    )


def mark(db: Connection, member_id: int, **values: object) -> None:
    """Set columns of a member: language, name, organisation, state, the consent."""
    db.execute(update(members).where(members.c.id == member_id).values(**values))


def find_organisation(db: Connection, member_id: int) -> str | None:
    statement = select(members.c.organisation).where(members.c.id == member_id)
    found: str | None = db.execute(statement).scalar()
    return found


def find_by_name(db: Connection, community_id: int, name: str) -> list[int]:
    """Peers in a community who are called so; names are sealed, so that all are opened."""
    statement = (
        select(members.c.id, members.c.name)
        .join(memberships, memberships.c.member_id == members.c.id)
        .where(
            memberships.c.community_id == community_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            members.c.state == "active",
        )
    )
    wanted = fold(name)
    return [row.id for row in db.execute(statement) if row.name and fold(row.name) == wanted]


def resume(db: Connection, member_id: int) -> None:
    """She wants messages again, and stands where she was: welcomed, or not yet."""
    before = case((members.c.consent_at.is_(None), "new"), else_="active")
    db.execute(update(members).where(members.c.id == member_id).values(state=before))


def count_answer(db: Connection, member_id: int) -> None:
    """One more thread in which she answered; the hint on how to answer goes after three."""
    db.execute(
        update(members).where(members.c.id == member_id).values(answers=members.c.answers + 1)
    )
