"""Contents: what is written for members, its translations, and how each of them stands."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, or_, select, update

from bot.db import insert_new
from bot.messages import Ref, Text, _
from bot.models.rhythm import contents, wordings

DRAFT, REVIEWED = "draft", "reviewed"
MARK, HOLD = "mark", "hold"  # what becomes of it where it is in no language of the reader's


@dataclass(frozen=True, slots=True)
class Content:
    """A tip, a weekly question, the name or the purpose of a community."""

    id: int
    key: str  # library/tip/<slug>, community/<id>/prompt/<slug>, community/<id>/name
    community_id: int | None  # None = for everybody
    kind: str  # tip, prompt, name, purpose
    theme: str | None
    position: int  # in a series
    language: str  # of its source
    hash: str  # of its source
    fallback: str  # MARK or HOLD
    is_retired: bool = False  # not said any more

    @property
    def ref(self) -> Ref:
        return Ref("contents", self.id)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a content is said in one language."""

    text: str
    status: str  # DRAFT or REVIEWED
    is_stale: bool  # its source has changed since
    library_hash: str | None  # of the text the library gave; another than its own: edited here
    author_id: int | None
    changed_at: datetime


_CONTENT = (
    contents.c.id,
    contents.c.key,
    contents.c.community_id,
    contents.c.kind,
    contents.c.theme,
    contents.c.position,
    contents.c.language,
    contents.c.hash,
    contents.c.fallback,
    contents.c.retired_at.is_not(None).label("is_retired"),
)


def hash_of(text: str) -> str:
    """By which a text is told from another one."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find(db: Connection, content_id: int) -> Content | None:
    """Also one that is not said any more."""
    return _first(db, select(*_CONTENT).where(contents.c.id == content_id))


def find_by_key(db: Connection, key: str) -> Content | None:
    return _first(db, select(*_CONTENT).where(contents.c.key == key))


def list_by_key(db: Connection, prefix: str) -> dict[str, Content]:
    """All of which the key begins so, by their keys; also those that are not said any more."""
    statement = select(*_CONTENT).where(contents.c.key.startswith(prefix, autoescape=True))
    return {row.key: Content(*row) for row in db.execute(statement)}


def find_purpose(db: Connection, community_id: int) -> Content | None:
    """What a community is for, if somebody has written it."""
    found = find_by_key(db, key_of(community_id, "purpose"))
    return None if found is None or found.is_retired else found


def purpose_lines(db: Connection, community_id: int, *, discreet: bool) -> list[Text]:
    """What a community is for, for somebody who comes in; of a discreet one nothing is told."""
    found = None if discreet else find_purpose(db, community_id)
    return [] if found is None else [_("{purpose}", purpose=found.ref)]


def key_of(community_id: int, kind: str) -> str:
    """Of the name or the purpose of a community."""
    return f"community/{community_id}/{kind}"


def _first(db: Connection, statement: Select[Any]) -> Content | None:
    row = db.execute(statement).first()
    return None if row is None else Content(*row)


def list_for(db: Connection, community_id: int, kind: str) -> list[Content]:
    """What may be said in a community: its own first, then what is for everybody; in series."""
    own = contents.c.community_id == community_id
    statement = (
        select(*_CONTENT)
        .where(
            contents.c.kind == kind,
            contents.c.retired_at.is_(None),
            or_(own, contents.c.community_id.is_(None)),
        )
        .order_by(contents.c.community_id.is_(None), contents.c.position, contents.c.id)
    )
    return [Content(*row) for row in db.execute(statement)]


def list_wordings(db: Connection, content_ids: Sequence[int]) -> dict[int, dict[str, Wording]]:
    """By content and language, the source among them."""
    statement = (
        select(wordings, (wordings.c.source_hash != contents.c.hash).label("is_stale"))
        .join(contents, contents.c.id == wordings.c.content_id)
        .where(wordings.c.content_id.in_(content_ids))
    )
    found: dict[int, dict[str, Wording]] = defaultdict(dict)
    for row in db.execute(statement):
        found[row.content_id][row.language] = Wording(
            row.text,
            row.status,
            bool(row.is_stale),
            row.library_hash,
            row.author_id,
            row.changed_at,
        )
    return found


def save(
    db: Connection,
    key: str,
    kind: str,
    language: str,
    text: str,
    now: datetime,
    *,
    community_id: int | None = None,
    theme: str | None = None,
    position: int = 0,
    fallback: str = MARK,
    author_id: int | None = None,
    library_hash: str | None = None,
) -> int:
    """Add a content or change its source, which makes its translations stale; returns its id."""
    row = {
        "key": key,
        "community_id": community_id,
        "kind": kind,
        "theme": theme,
        "position": position,
        "language": language,
        "hash": hash_of(text),
        "fallback": fallback,
        "retired_at": None,
    }
    new = insert_new(db, contents).values(row | {"author_id": author_id, "created_at": now})
    new = new.on_conflict_do_update(index_elements=["key"], set_=row)
    id_: int = db.execute(new.returning(contents.c.id)).scalar_one()
    by: Any = {"author_id": author_id, "library_hash": library_hash}
    translate(db, id_, language, text, now, status=REVIEWED, **by)
    return id_


def translate(
    db: Connection,
    content_id: int,
    language: str,
    text: str,
    now: datetime,
    *,
    status: str,
    author_id: int | None = None,
    library_hash: str | None = None,
) -> None:
    """Say it in one language, translated from its source as it is now."""
    source = select(contents.c.hash).where(contents.c.id == content_id).scalar_subquery()
    row = {
        "text": text,
        "status": status,
        "source_hash": source,
        "author_id": author_id,
        "changed_at": now,
    }
    if library_hash is not None:  # else it stays known what the file said, as long as that is so
        row["library_hash"] = library_hash
    new = insert_new(db, wordings).values({"content_id": content_id, "language": language, **row})
    db.execute(new.on_conflict_do_update(index_elements=["content_id", "language"], set_=row))


def place(db: Connection, content_id: int, theme: str | None, position: int) -> None:
    """What it is about, and its place in the series; one that was retired is said again."""
    one = contents.c.id == content_id
    values = {"theme": theme, "position": position, "retired_at": None}
    db.execute(update(contents).where(one).values(values))


def retire(db: Connection, content_id: int, now: datetime | None) -> None:
    """It is not said any more; what was said still reads it. None: it is said again."""
    one = contents.c.id == content_id
    db.execute(update(contents).where(one).values(retired_at=now))
