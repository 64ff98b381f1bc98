"""Repeating: parts that a provider took and could not bring home; their words are made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bot.models.outbox import dispatches, prompts

MEDIA = "media:"  # before the code of a file that did not pass: its words are said without it

_RESTORE = (
    update(dispatches)
    .where(dispatches.c.id == bindparam("part_id"))
    .values(content=bindparam("words"), state="sending")
)


def list_without_file(db: Connection, part_ids: Sequence[int]) -> set[int]:
    """Those of these parts whose picture or file could not be fetched."""
    wanted = (dispatches.c.id.in_(part_ids), dispatches.c.error.startswith(MEDIA))
    return set(db.execute(select(dispatches.c.id).where(*wanted)).scalars())


def restore(db: Connection, contents: Mapping[int, dict[str, Any]]) -> None:
    """What these parts say once more."""
    rows = [{"part_id": id_, "words": content} for id_, content in contents.items()]
    db.execute(_RESTORE, rows)


def show(db: Connection, token: str, address_id: int, message_id: int, now: datetime) -> None:
    """The choices of a bubble that is said once more carry another token than before."""
    last = (
        select(prompts.c.language, prompts.c.clears)
        .where(prompts.c.address_id == address_id, prompts.c.message_id == message_id)
        .order_by(prompts.c.id.desc())
        .limit(1)
    )
    row = db.execute(last).one()
    whose = {"address_id": address_id, "message_id": message_id}
    how = {"language": row.language, "clears": row.clears, "shown_at": now}
    db.execute(insert(prompts).values(token=token, **whose, **how))


def forget_parts(db: Connection, delivery_id: int) -> None:
    """It reads otherwise now: it is said as a whole."""
    db.execute(delete(dispatches).where(dispatches.c.delivery_id == delivery_id))
