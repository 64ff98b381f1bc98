"""Exports of stories: what was taken along by whom, so that what is withdrawn can be taken out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from bot.db import insert_returning
from bot.models.captions import captions
from bot.models.people import communities, members, memberships
from bot.models.stories import (
    consents,
    exported,
    how_told,
    may_be,
    stories,
    story_exports,
    story_parts,
)
from bot.models.talks import bubbles

READERS = ("facilitator", "monitor")  # whose work the files are for


@dataclass(frozen=True, slots=True)
class Line:
    """A story as it may be used."""

    story_id: int
    community: str  # its slug; "" for a discreet one
    domain: str | None
    how: str  # name, organisation, nameless
    given_at: datetime
    name: str | None  # of the teller, or her organisation, as she agreed; else None
    words: dict[str, str]  # by the name of the part
    uses: tuple[str, ...]  # all that she agreed to


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was taken along."""

    id: int
    made_at: datetime
    made_by: int | None  # None = an operator
    use: str


_EXPORT = tuple(story_exports.c[name] for name in Export.__dataclass_fields__)


def list_lines(db: Connection, use: str, community_ids: Sequence[int] | None) -> list[Line]:
    """All stories that may be used so at this moment; None = of all communities."""
    found = (
        select(
            stories.c.id,
            stories.c.domain,
            communities.c.slug,
            communities.c.discreet,
            consents.c.how,
            consents.c.given_at,
            members.c.name,
            members.c.organisation,
        )
        .join(communities, communities.c.id == stories.c.community_id)
        .join(members, members.c.id == stories.c.member_id)
        .join(consents, consents.c.story_id == stories.c.id)
        .where(may_be(use), consents.c.use == use, consents.c.withdrawn_at.is_(None))
        .order_by(stories.c.id)
    )
    if community_ids is not None:
        found = found.where(stories.c.community_id.in_(community_ids))
    rows = db.execute(found).all()
    ids = [row.id for row in rows]
    words, uses = _words(db, ids), _uses(db, ids)
    return [_line(row, words.get(row.id, {}), uses.get(row.id, ())) for row in rows]


def _line(row: Any, words: dict[str, str], uses: tuple[str, ...]) -> Line:
    how = how_told(row.how, discreet=row.discreet)
    return Line(
        row.id,
        "" if row.discreet else row.slug,
        row.domain,
        how,
        row.given_at,
        {"name": row.name, "organisation": row.organisation}.get(how),
        words,
        uses,
    )


def _words(db: Connection, ids: Collection[int]) -> dict[int, dict[str, str]]:
    """What was typed, and of what was spoken the words that its teller stands for.

    Recordings and pictures are not in it.
    """
    hers = and_(
        captions.c.media_id == bubbles.c.media_id,
        captions.c.state == "shown",
        captions.c.kind != "automatic",
        captions.c.author_id == stories.c.member_id,
    )
    found = (
        select(
            story_parts.c.story_id,
            story_parts.c.name,
            bubbles.c.kind,
            bubbles.c.text,
            captions.c.text.label("spoken"),
        )
        .join(stories, stories.c.id == story_parts.c.story_id)
        .join(bubbles, bubbles.c.post_id == story_parts.c.post_id)
        .outerjoin(captions, hers)
        .where(story_parts.c.story_id.in_(ids))
        .order_by(bubbles.c.id)
    )
    said: dict[int, dict[str, str]] = {}
    for row in db.execute(found):
        parts = said.setdefault(row.story_id, {})
        words = row.text if row.kind == "text" else f"[{row.kind}] {row.spoken or ''}".rstrip()
        parts[row.name] = f"{parts[row.name]}\n{words}" if row.name in parts else words
    return said


def _uses(db: Connection, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    found = select(consents.c.story_id, consents.c.use).where(
        consents.c.story_id.in_(ids), consents.c.withdrawn_at.is_(None)
    )
    uses: dict[int, tuple[str, ...]] = {}
    for row in db.execute(found.order_by(consents.c.id)):
        uses[row.story_id] = (*uses.get(row.story_id, ()), row.use)
    return uses


def add(
    db: Connection, made_by: int | None, use: str, story_ids: Collection[int], now: datetime
) -> int:
    """Somebody takes these along."""
    [id_] = insert_returning(db, story_exports, [{"made_by": made_by, "use": use, "made_at": now}])
    rows = [{"export_id": id_, "story_id": each} for each in story_ids]
    if rows:
        db.execute(insert(exported), rows)
    return id_


def find(db: Connection, export_id: int) -> Export | None:
    row = db.execute(select(*_EXPORT).where(story_exports.c.id == export_id)).first()
    return None if row is None else Export(*row)


def list_stories(db: Connection, export_id: int) -> set[int]:
    """Those it has, and may have."""
    mine = (exported.c.export_id == export_id, exported.c.out_at.is_(None))
    return set(db.execute(select(exported.c.story_id).where(*mine)).scalars())


def mark_out(db: Connection, story_id: int, uses: Collection[str], now: datetime) -> list[Export]:
    """It may not be used so any more: the files that have it, each once."""
    found = (
        select(*_EXPORT)
        .join(exported, exported.c.export_id == story_exports.c.id)
        .where(
            exported.c.story_id == story_id,
            exported.c.out_at.is_(None),
            story_exports.c.use.in_(uses),
        )
        .order_by(story_exports.c.id)
    )
    held = [Export(*row) for row in db.execute(found)]
    mine = and_(
        exported.c.story_id == story_id, exported.c.export_id.in_([each.id for each in held])
    )
    db.execute(update(exported).where(mine).values(out_at=now))
    return held


def list_out(
    db: Connection, use: str, community_ids: Sequence[int] | None
) -> list[tuple[int, datetime, datetime]]:
    """(story, when the file was made, since when it may not be used) of all earlier files."""
    found = (
        select(exported.c.story_id, story_exports.c.made_at, exported.c.out_at)
        .join(story_exports, story_exports.c.id == exported.c.export_id)
        .join(stories, stories.c.id == exported.c.story_id)
        .where(exported.c.out_at.is_not(None), story_exports.c.use == use)
        .order_by(exported.c.story_id, story_exports.c.id)
    )
    if community_ids is not None:
        found = found.where(stories.c.community_id.in_(community_ids))
    return [(row.story_id, row.made_at, row.out_at) for row in db.execute(found)]


def list_readers(db: Connection, community_id: int, more: Collection[int]) -> list[int]:
    """Who is to take a story out of files: facilitators, monitors, and who made the file."""
    works = and_(
        memberships.c.community_id == community_id,
        memberships.c.role.in_(READERS),
        memberships.c.state == "active",
    )
    there = select(memberships.c.member_id).where(works)
    found = select(members.c.id).where(
        or_(members.c.id.in_(there), members.c.id.in_(more)), members.c.state == "active"
    )
    return list(db.execute(found.order_by(members.c.id)).scalars())
