"""Records: the notes of a session, piece by piece as they came, until they are sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from bot.db import insert_returning
from bot.messages import Inbound, Ref
from bot.models.media import KINDS, media, new_rows
from bot.models.people import communities
from bot.models.records import records
from bot.models.sessions import sessions

OPEN_FOR = timedelta(days=7)  # after the end of a session its notes are still taken
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Record:
    """One piece of the notes."""

    id: int
    kind: str  # note, decision, taken
    author_id: int | None
    file: str  # text, voice, photo, ...
    text: str
    media_id: int | None  # its file
    created_at: datetime

    @property
    def ref(self) -> Ref:
        return Ref("records", self.id)


_COLUMNS = tuple(records.c[name] for name in Record.__dataclass_fields__)


def add(
    db: Connection, session_id: int, author_id: int, inbound: Inbound, now: datetime, kind: str
) -> list[int]:
    """What came in one bubble, its words first; the ids of the pieces."""
    found = new_rows(author_id, inbound.lane, inbound.files, now)
    media_ids = iter(insert_returning(db, media, found) if found else ())
    pieces: list[tuple[str, str, int | None]] = [
        (file.kind, "", next(media_ids) if file.kind in KINDS else None) for file in inbound.files
    ]
    if inbound.text:
        pieces.insert(0, ("text", inbound.text, None))
    about = {"session_id": session_id, "author_id": author_id, "kind": kind, "created_at": now}
    rows = [
        {**about, "file": file, "text": text, "media_id": media_id}
        for file, text, media_id in pieces
    ]
    return list(insert_returning(db, records, rows)) if rows else []


def list_of(db: Connection, session_id: int) -> list[Record]:
    """All pieces, in the order in which they came."""
    statement = select(*_COLUMNS).where(records.c.session_id == session_id)
    return [Record(*row) for row in db.execute(statement.order_by(records.c.id))]


def count(db: Connection, session_id: int) -> int:
    statement = select(func.count()).where(records.c.session_id == session_id)
    return db.execute(statement).scalar_one()


def find_last(db: Connection, session_id: int, author_id: int) -> Record | None:
    """The latest note or decision of hers there."""
    statement = (
        select(*_COLUMNS)
        .where(
            records.c.session_id == session_id,
            records.c.author_id == author_id,
            records.c.kind != "taken",
        )
        .order_by(records.c.id.desc())
        .limit(1)
    )
    row = db.execute(statement).first()
    return None if row is None else Record(*row)


def find_hers(db: Connection, record_id: int, author_id: int) -> Record | None:
    hers = (records.c.id == record_id, records.c.author_id == author_id)
    row = db.execute(select(*_COLUMNS).where(*hers)).first()
    return None if row is None else Record(*row)


def list_beside(db: Connection, record: Record) -> list[int]:
    """All that came in the same bubble: its words, and the picture they stand under."""
    same = [
        records.c[name] == getattr(record, name) for name in ("author_id", "kind", "created_at")
    ]
    return list(db.execute(select(records.c.id).where(*same)).scalars())


def mark(db: Connection, record_id: int, kind: str) -> None:
    db.execute(update(records).where(records.c.id == record_id).values(kind=kind))


def remove(db: Connection, record_ids: Collection[int]) -> None:
    db.execute(delete(records).where(records.c.id.in_(record_ids)))


def list_sessions(db: Connection, member_id: int, now: datetime) -> list[int]:
    """Sessions whose notes she writes, planned or over for a week at most, the next one first."""
    hers = or_(sessions.c.host_id == member_id, sessions.c.note_taker_id == member_id)
    statement = (
        select(sessions.c.id)
        .join(communities, communities.c.id == sessions.c.community_id)
        .where(
            hers,
            sessions.c.state.in_(("planned", "over")),
            sessions.c.starts_at > now - OPEN_FOR - _LONGEST,
            communities.c.ended_at.is_(None),
        )
        .order_by(sessions.c.starts_at, sessions.c.id)
        .limit(5)
    )
    return list(db.execute(statement).scalars())
