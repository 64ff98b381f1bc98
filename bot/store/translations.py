"""Translations: every content beside how it is said in one language, for those who translate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Join, Select, and_, or_, select, true

from bot.models.people import communities
from bot.models.rhythm import contents, wordings

MISSING, STALE = "missing", "stale"
STATUSES = ("draft", "reviewed", STALE, MISSING)
_source, _said = wordings.alias("source"), wordings.alias("said")


@dataclass(frozen=True, slots=True)
class Translation:
    """A content and its wording in one language, if there is one."""

    id: int  # of the content
    key: str
    kind: str
    theme: str | None
    community_id: int | None
    community: str | None  # its slug; None = for everybody
    language: str  # of the source
    source: str
    source_hash: str
    text: str | None
    status: str  # missing, stale (the source has changed since), draft, reviewed


def list_into(
    db: Connection,
    language: str,
    community_id: int | None = None,
    *,
    discreet_too: bool = False,
) -> list[Translation]:
    """What is one community's own, or all there is; without what is in this language itself."""
    mine: ColumnElement[bool] = true()
    if community_id is not None:
        mine = contents.c.community_id == community_id
    elif not discreet_too:
        mine = or_(contents.c.community_id.is_(None), communities.c.discreet.is_(False))
    statement: Select[Any] = (
        select(
            *(contents.c.id, contents.c.key, contents.c.kind, contents.c.theme),
            *(contents.c.community_id, communities.c.slug),
            *(contents.c.language, _source.c.text, contents.c.hash),
            *(_said.c.text, _said.c.status, _said.c.source_hash),
        )
        .select_from(_beside(language))
        .where(contents.c.retired_at.is_(None), contents.c.language != language, mine)
        .order_by(
            contents.c.community_id.is_not(None),
            communities.c.slug,
            contents.c.kind,
            contents.c.position,
            contents.c.id,
        )
    )
    return [
        Translation(*(*row[:-2], _status(row[-3], row[-2], fresh=row[-1] == row[-4])))
        for row in db.execute(statement)
    ]


def _beside(language: str) -> Join:
    """Contents, where they are said, their sources, and their wordings in this language."""
    found = contents.join(communities, communities.c.id == contents.c.community_id, isouter=True)
    source_of = and_(
        _source.c.content_id == contents.c.id, _source.c.language == contents.c.language
    )
    said_of = and_(_said.c.content_id == contents.c.id, _said.c.language == language)
    return found.join(_source, source_of).join(_said, said_of, isouter=True)


def _status(text: str | None, status: str, *, fresh: bool) -> str:
    if text is None:
        return MISSING
    return status if fresh else STALE
