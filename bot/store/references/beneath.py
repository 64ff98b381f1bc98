"""The words that stand for a voice or a picture, below it or alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from bot.captioned import line
from bot.models.captions import captions
from bot.models.people import members
from bot.store.references.words import Words, sentence

SHOWN = captions.c.state == "shown"
COLUMNS = (
    captions.c.kind.label("caption_kind"),
    captions.c.text.label("caption"),
    members.c.name.label("writer"),
)


def words_of(row: Any) -> Words:
    """Of a row with these columns that has a caption."""
    return sentence(line(row.caption_kind, row.caption, row.writer))


def read_captions(db: Connection, ids: list[int]) -> dict[int, Words]:
    """Captions as they stand; what was refused or replaced is taken back."""
    found = select(captions.c.id, *COLUMNS).outerjoin(members)
    rows = db.execute(found.where(captions.c.id.in_(ids), SHOWN))
    return {row.id: words_of(row) for row in rows}
