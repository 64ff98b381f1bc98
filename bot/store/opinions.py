"""Opinions: what members found useful of what is said every week; only ever counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, func, select

from bot.db import insert_new
from bot.models.rhythm import opinions


@dataclass(frozen=True, slots=True)
class Opinions:
    """How many found a content useful, and for how many it was nothing."""

    useful: int = 0
    not_for_me: int = 0


def give(db: Connection, content_id: int, member_id: int, now: datetime, *, useful: bool) -> None:
    """Hers counts once; another one takes its place."""
    values = {"useful": useful, "given_at": now}
    new = insert_new(db, opinions).values(content_id=content_id, member_id=member_id, **values)
    db.execute(new.on_conflict_do_update(index_elements=["content_id", "member_id"], set_=values))


def take_back(db: Connection, content_id: int, member_id: int) -> bool:
    """False if she has none on it."""
    hers = (opinions.c.content_id == content_id, opinions.c.member_id == member_id)
    return db.execute(delete(opinions).where(*hers)).rowcount == 1


def list_judged(db: Connection, member_id: int) -> frozenset[int]:
    """The contents that she has an opinion on."""
    hers = select(opinions.c.content_id).where(opinions.c.member_id == member_id)
    return frozenset(db.execute(hers).scalars())


def count(db: Connection, content_ids: Sequence[int]) -> dict[int, Opinions]:
    """By content, over all communities; those that nobody has an opinion on are not in it."""
    useful = func.sum(case((opinions.c.useful, 1), else_=0))
    statement = (
        select(opinions.c.content_id, useful, func.count())
        .where(opinions.c.content_id.in_(content_ids))
        .group_by(opinions.c.content_id)
    )
    return {id_: Opinions(int(yes), all_ - int(yes)) for id_, yes, all_ in db.execute(statement)}
