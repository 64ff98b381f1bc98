"""Overrides: sentences of the catalogues as one programme would rather have them, heard at once.

They are read with each round of what is sent, and kept in no process: what is saved here is said
from the next message on.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update

from bot.db import insert_new
from bot.i18n import Own
from bot.models.people import communities, memberships
from bot.models.rhythm import overrides


@dataclass(frozen=True, slots=True)
class Override:
    """A sentence in one language, in the words of one programme."""

    id: int
    programme_id: int
    language: str
    msgid: str
    forms: Sequence[str]  # one for each plural form of the language
    before: Sequence[str] | None  # what they were before the last change; None = the catalogue's
    author_id: int | None
    changed_at: datetime


_OVERRIDE = (
    overrides.c.id,
    overrides.c.programme_id,
    overrides.c.language,
    overrides.c.msgid,
    overrides.c.forms,
    overrides.c.before,
    overrides.c.author_id,
    overrides.c.changed_at,
)


def hash_of(msgid: str, plural: str | None = None) -> str:
    """By which a sentence is told from others; one that got a plural is another one."""
    return hashlib.sha256(f"{msgid}\0{plural or ''}".encode()).hexdigest()[:16]


def find(db: Connection, override_id: int) -> Override | None:
    row = db.execute(select(*_OVERRIDE).where(overrides.c.id == override_id)).first()
    return None if row is None else Override(*row)


def find_of(
    db: Connection, programme_id: int, language: str, msgid: str, plural: str | None = None
) -> Override | None:
    """How a programme words this sentence, if it does."""
    statement = select(*_OVERRIDE).where(*_this(programme_id, language, msgid, plural))
    row = db.execute(statement).first()
    return None if row is None else Override(*row)


def list_of(db: Connection, programme_id: int, language: str) -> list[Override]:
    """All that a programme words otherwise in a language."""
    statement = select(*_OVERRIDE).where(
        overrides.c.programme_id == programme_id, overrides.c.language == language
    )
    return [Override(*row) for row in db.execute(statement.order_by(overrides.c.id))]


def save(
    db: Connection,
    programme_id: int,
    language: str,
    msgid: str,
    forms: Sequence[str],
    now: datetime,
    *,
    plural: str | None = None,
    author_id: int | None = None,
) -> int:
    """From now on it reads so there; its id. The forms have been checked: bot/proofreading.py."""
    row = {
        "programme_id": programme_id,
        "language": language,
        "hash": hash_of(msgid, plural),
        "msgid": msgid,
        "forms": list(forms),
        "author_id": author_id,
        "changed_at": now,
    }
    new = insert_new(db, overrides).values(row)
    kept = {"before": overrides.c.forms} if _differs(db, row) else {}
    new = new.on_conflict_do_update(
        index_elements=["programme_id", "language", "hash"], set_=row | kept
    )
    id_: int = db.execute(new.returning(overrides.c.id)).scalar_one()
    return id_


def _differs(db: Connection, row: Mapping[str, Any]) -> bool:
    """What is saved twice is no change: undoing it leads to what was there before."""
    same = (overrides.c[name] == row[name] for name in ("programme_id", "language", "hash"))
    return bool(db.execute(select(overrides.c.forms).where(*same)).scalar() != row["forms"])


def undo(db: Connection, override_id: int, now: datetime) -> bool:
    """It reads again as before the last change; False if it is gone or was undone already."""
    found = find(db, override_id)
    if found is None:
        return False
    mine = overrides.c.id == override_id
    if found.before is None:
        return db.execute(delete(overrides).where(mine)).rowcount == 1
    values = {"forms": found.before, "before": None, "changed_at": now}
    return db.execute(update(overrides).where(mine).values(values)).rowcount == 1


def remove(
    db: Connection, programme_id: int, language: str, msgid: str, plural: str | None = None
) -> bool:
    """It reads as in the catalogue again."""
    gone = delete(overrides).where(*_this(programme_id, language, msgid, plural))
    return db.execute(gone).rowcount > 0


def _this(programme_id: int, language: str, msgid: str, plural: str | None) -> tuple[Any, ...]:
    return (
        overrides.c.programme_id == programme_id,
        overrides.c.language == language,
        overrides.c.hash == hash_of(msgid, plural),
    )


def programme_of(db: Connection, community_id: int) -> int:
    statement = select(communities.c.programme_id).where(communities.c.id == community_id)
    return int(db.execute(statement).scalar_one())


def count_groups(db: Connection, programme_id: int) -> int:
    """The groups that read what this programme words."""
    statement = select(func.count()).where(
        communities.c.programme_id == programme_id, communities.c.ended_at.is_(None)
    )
    return db.execute(statement).scalar_one()


# For those who read -------------------------------------------------------------------------------

Who = tuple[int | None, int]  # (community a message belongs to, member it is for)
THERE = ("active", "waiting")  # states of who reads as her programme does


def read(db: Connection, readers: Iterable[Who]) -> dict[Who, Own]:
    """What each reader reads otherwise; one statement where no programme words anything."""
    wanted = set(readers)
    if not wanted:
        return {}
    with_own = set(db.execute(select(overrides.c.programme_id).distinct()).scalars())
    if not with_own:
        return {}
    theirs = _programmes(db, wanted)
    worded = with_own & set(theirs.values())
    found = _list_own(db, overrides.c.programme_id.in_(worded)) if worded else {}
    return {
        who: found[programme_id] for who, programme_id in theirs.items() if programme_id in found
    }


def _programmes(db: Connection, readers: Collection[Who]) -> dict[Who, int]:
    """Whose words they read: the programme of the message, or their own if they have but one."""
    places = {place for place, _member in readers if place is not None}
    columns = (communities.c.id, communities.c.programme_id)
    rows = db.execute(select(*columns).where(communities.c.id.in_(places))) if places else ()
    of_place = {row.id: row.programme_id for row in rows}
    alone = _sole_programmes(db, {member for place, member in readers if place not in of_place})
    found = {(place, member): of_place.get(place) or alone.get(member) for place, member in readers}
    return {who: programme_id for who, programme_id in found.items() if programme_id is not None}


def _sole_programmes(db: Connection, member_ids: Collection[int]) -> dict[int, int]:
    if not member_ids:
        return {}
    statement = (
        select(memberships.c.member_id, communities.c.programme_id)
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(
            memberships.c.member_id.in_(member_ids),
            memberships.c.state.in_(THERE),
        )
        .distinct()
    )
    found: dict[int, list[int]] = defaultdict(list)
    for row in db.execute(statement):
        found[row.member_id].append(row.programme_id)
    return {member_id: each[0] for member_id, each in found.items() if len(each) == 1}


def _list_own(db: Connection, which: ColumnElement[bool]) -> dict[int, Own]:
    columns = (
        overrides.c.programme_id,
        overrides.c.language,
        overrides.c.msgid,
        overrides.c.forms,
    )
    found: dict[int, dict[tuple[str, str], Sequence[str]]] = defaultdict(dict)
    for row in db.execute(select(*columns).where(which)):
        found[row.programme_id][row.language, row.msgid] = row.forms
    return dict(found)


def list_labels(db: Connection, msgids: Collection[str], who: Who) -> list[Own]:
    """How her programme words these: who types a label has read it so; one statement."""
    place, member_id = who
    if place is not None:
        hers = select(communities.c.programme_id).where(communities.c.id == place)
    else:
        hers = _sole_programme(member_id)
    found = _list_own(db, overrides.c.programme_id.in_(hers) & overrides.c.msgid.in_(msgids))
    return list(found.values())


def _sole_programme(member_id: int) -> Select[Any]:
    """Hers, if she has but one: as in `_sole_programmes`."""
    return (
        select(func.min(communities.c.programme_id))
        .join(memberships, communities.c.id == memberships.c.community_id)
        .where(memberships.c.member_id == member_id, memberships.c.state.in_(THERE))
        .having(func.count(communities.c.programme_id.distinct()) == 1)
    )
