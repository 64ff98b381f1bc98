"""Templates: what a provider has made of our fixed texts, and which of them it has approved."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from bot.db import insert_new
from bot.models.outbox import templates

APPROVED = "approved"
FOR_ANY = ""  # the language of what has no words of its own


@dataclass(frozen=True, slots=True)
class Kept:
    """One template as its provider knew it when we last asked."""

    lane: str
    name: str  # nudge, choices_3, ...
    language: str  # of the member; "" = any
    code: str  # the provider's own code of its language
    sid: str  # the provider's id
    hash: str  # of its text: another text is another template
    state: str  # unsubmitted, received, pending, approved, rejected, paused, disabled
    reason: str | None  # in the provider's words
    checked_at: datetime


def save(db: Connection, template: Kept) -> None:
    """It as it is now."""
    new = insert_new(db, templates).values(**asdict(template))
    key = ("lane", "name", "language")
    rest = {name: value for name, value in asdict(template).items() if name not in key}
    db.execute(new.on_conflict_do_update(index_elements=list(key), set_=rest))


def list_of(db: Connection, lane: str) -> list[Kept]:
    statement = select(templates).where(templates.c.lane == lane)
    rows = db.execute(statement.order_by(templates.c.name, templates.c.language))
    return [Kept(**row._mapping) for row in rows]


def find_approved(db: Connection, lane: str, name: str, language: str) -> str | None:
    """The provider's id of what may be said now, whether a window is open or not."""
    statement = select(templates.c.sid).where(
        templates.c.lane == lane,
        templates.c.name == name,
        templates.c.language.in_((language, FOR_ANY)),
        templates.c.state == APPROVED,
    )
    return db.execute(statement.order_by(templates.c.language.desc()).limit(1)).scalar()


def list_sids(db: Connection, lane: str) -> dict[str, str]:
    """The ids of what needs no approval, since it is only said in an open window; by name."""
    rows = db.execute(select(templates.c.name, templates.c.sid).where(templates.c.lane == lane))
    return {row.name: row.sid for row in rows}


def remove(db: Connection, lane: str, name: str, language: str) -> None:
    """The provider knows it no more."""
    wanted = (templates.c.lane == lane, templates.c.name == name)
    db.execute(delete(templates).where(*wanted, templates.c.language == language))
