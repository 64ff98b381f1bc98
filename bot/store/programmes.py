"""Programmes: whom to ask, and where somebody in need gets help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select, update

from bot.db import insert_new
from bot.messages import Text, _
from bot.models.people import communities, help_contacts, programmes


def list_ids(db: Connection) -> dict[str, int]:
    """All programmes by their slugs."""
    rows = db.execute(select(programmes.c.slug, programmes.c.id).order_by(programmes.c.slug))
    return {row.slug: row.id for row in rows}


def list_contacts(db: Connection) -> list[str]:
    """Whom a stranger may ask, as the programmes put it."""
    return list(db.execute(select(programmes.c.contact).order_by(programmes.c.id)).scalars())


def contact(db: Connection) -> Text:
    """Whom to ask, for the middle of a sentence."""
    contacts = list_contacts(db)
    if len(contacts) == 1:
        return _("{contact}", contact=contacts[0])
    return _("the one who told you about it")


def list_help(db: Connection, community_id: int | None = None) -> list[tuple[int, str]]:
    """(help contact, country) of a community's programme, or of all programmes."""
    statement = select(help_contacts.c.id, help_contacts.c.country).order_by(help_contacts.c.id)
    if community_id is not None:
        mine = select(communities.c.programme_id).where(communities.c.id == community_id)
        statement = statement.where(help_contacts.c.programme_id == mine.scalar_subquery())
    return [(row.id, row.country) for row in db.execute(statement)]


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days something is kept, where no programme wants it shorter."""

    raw_inbound: int = 30  # what came, as it came; the proof that it came is kept for ever
    unfinished_conversations: int = 7  # and drafts
    sealed_links: int = 30  # from a question without a name to its asker, after it was closed
    audit: int = 365


def get_retention(db: Connection) -> Retention:
    """Of several programmes the strictest counts: they share one store."""
    found = db.execute(select(programmes.c.retention).order_by(programmes.c.id)).scalars()
    usual = asdict(Retention())
    wanted = [usual | (each or {}) for each in found] or [usual]
    return Retention(**{what: min(each[what] for each in wanted) for what in usual})


def save(
    db: Connection,
    slug: str,
    names: Mapping[str, str],
    contact: str,
    retention: Mapping[str, int] | None = None,
    budget: int | None = None,
    *,
    transcribe: bool = False,
) -> int:
    """Add it or bring it up to date; `retention` where it differs from the usual, in days."""
    kept = dict(retention) if retention else None
    row = {
        "slug": slug,
        "names": dict(names),
        "contact": contact,
        "retention": kept,
        "budget": budget,
        "transcribe": transcribe,
    }
    new = insert_new(db, programmes).values(row)
    new = new.on_conflict_do_update(index_elements=["slug"], set_=row)
    id_: int = db.execute(new.returning(programmes.c.id)).scalar_one()
    return id_


def save_help(
    db: Connection, programme_id: int, contacts: Sequence[tuple[str, Mapping[str, str]]]
) -> None:
    """(country, words by language) of each; what was there before goes.

    Rows are kept where there are some: what is on its way to somebody in need names them.
    """
    mine = help_contacts.c.programme_id == programme_id
    kept = select(help_contacts.c.id).where(mine).order_by(help_contacts.c.id)
    ids = list(db.execute(kept).scalars())
    rows = [{"country": country, "words": dict(words)} for country, words in contacts]
    for id_, row in zip(ids, rows, strict=False):
        db.execute(update(help_contacts).where(help_contacts.c.id == id_).values(row))
    more = [row | {"programme_id": programme_id} for row in rows[len(ids) :]]
    if more:
        db.execute(insert(help_contacts), more)
    db.execute(delete(help_contacts).where(mine, help_contacts.c.id.in_(ids[len(rows) :])))
