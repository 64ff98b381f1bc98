"""What a calendar may show of a session, and to whom it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from bot.i18n import SOURCE
from bot.models.people import addresses, communities, members
from bot.models.sessions import session_communities

TABLE = "calendars"  # of the reference that a message has in place of the file


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose calendar it is for."""

    member_id: int
    language: str
    discreet: bool  # who sees her phone learns nothing


def find_reader(db: Connection, address_id: int) -> Reader | None:
    statement = (
        select(members.c.id, members.c.language, members.c.discreet)
        .join(addresses, addresses.c.member_id == members.c.id)
        .where(addresses.c.id == address_id)
    )
    row = db.execute(statement).first()
    return None if row is None else Reader(row.id, row.language or SOURCE, row.discreet)


def is_discreet(db: Connection, session_id: int) -> bool:
    """Whether one of the communities that it is for is discreet: then all of it is."""
    statement = (
        select(communities.c.id)
        .join(session_communities, session_communities.c.community_id == communities.c.id)
        .where(session_communities.c.session_id == session_id, communities.c.discreet)
    )
    return db.execute(statement.limit(1)).first() is not None
