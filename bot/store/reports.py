"""Reports of a concern: outside communities and threads, found by the receipt code alone."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select, update

from bot import seals
from bot.db import insert_returning, mark_due
from bot.i18n import fold
from bot.messages import File
from bot.models import safeguards
from bot.models.media import media, new_rows
from bot.models.people import communities, memberships, programmes
from bot.models.safeguards import notes, reports
from bot.models.talks import inbox
from bot.timing import coarse

# Who said something about a report.
REPORTER, FOCAL_POINT = safeguards.REPORTER, safeguards.FOCAL_POINT
# No letters or digits that are mistaken for one another; longer than an invite's.
SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
SOONEST, LATEST = timedelta(minutes=1), timedelta(minutes=5)
# There is always a digit in it: "zebra three" is no code, but two words to pass on.
_CODE = re.compile(rf"(?=.*[2-9])([{SIGNS}]{{5}})[-–—_ ]([{SIGNS}]{{5}})", re.I)


@dataclass(frozen=True, slots=True)
class Report:
    id: int
    programme_id: int
    named: bool  # the focal points see her name
    reporter_id: int | None  # named, or wishes to hear that an answer came; else nobody knows
    tells: bool  # she hears that an answer came
    state: str  # open, closed
    created_at: datetime  # the hour


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was said about a report; what it says is looked up when it is shown."""

    id: int
    author: str  # reporter, focal_point
    file: str | None  # what became of its file: waiting, stored, failed; None = it has none


_REPORT = (
    reports.c.id,
    reports.c.programme_id,
    reports.c.named,
    reports.c.reporter,
    reports.c.state,
    reports.c.created_at,
)


def new_code() -> str:
    """49 random bits."""
    while True:
        signs = "".join(secrets.choice(SIGNS) for _ in range(10))
        code = find_code(f"{signs[:5]}-{signs[5:]}")
        if code is not None:
            return code


def find_code(text: str) -> str | None:
    """A receipt code, if a text is nothing else."""
    found = _CODE.fullmatch(fold(text))
    return f"{found[1]}-{found[2]}".upper() if found else None


def delay() -> timedelta:
    """How long others do not hear of something, so that the moment names nobody; only by chance."""
    span = int((LATEST - SOONEST).total_seconds())
    return SOONEST + timedelta(seconds=secrets.randbelow(span))


def list_programmes(db: Connection, member_id: int) -> list[int]:
    """Hers; of somebody who is nowhere, all there are."""
    mine = (
        select(communities.c.programme_id)
        .join(memberships, memberships.c.community_id == communities.c.id)
        .where(memberships.c.member_id == member_id)
    )
    found = list(db.execute(mine.distinct().order_by(communities.c.programme_id)).scalars())
    return found or list(db.execute(select(programmes.c.id).order_by(programmes.c.id)).scalars())


def add(
    db: Connection,
    programme_id: int,
    member_id: int,
    text: str,
    now: datetime,
    *,
    named: bool,
    tells: bool,
) -> tuple[int, str]:
    """Keep a report; its id and its receipt code, which is told once and cannot be read again."""
    code = new_code()
    row = {
        "key": _key(code),
        "programme_id": programme_id,
        "reporter": {"member": member_id, "tells": tells} if named or tells else None,
        "named": named,
        "state": "open",
        "created_at": coarse(now),
    }
    [report_id] = insert_returning(db, reports, [row])
    if text:
        add_note(db, report_id, REPORTER, text, now)
    return report_id, code


def add_note(db: Connection, report_id: int, author: str, text: str, now: datetime) -> int:
    """`author`: reporter, focal_point."""
    return _add(db, report_id, author, [{"kind": "text", "text": text, "media_id": None}], now)[0]


def add_files(
    db: Connection,
    report_id: int,
    author: str,
    owner_id: int | None,
    lane: str,
    files: Iterable[File],
    now: datetime,
) -> list[int]:
    """A note for each, to be fetched at once; the numbers of the files.

    Of what is nobody's the hour is noted, and of where it came in nothing in the clear.
    """
    if owner_id is None:
        files = [replace(each, reference=f"{lane} {each.reference}") for each in files]
        lane, now = "", coarse(now)
    rows = new_rows(owner_id, lane, files, now)
    if not rows:
        return []
    mark_due(db, now)
    ids = insert_returning(db, media, rows)
    said = [
        {"kind": row["kind"], "text": "", "media_id": id_}
        for row, id_ in zip(rows, ids, strict=True)
    ]
    _add(db, report_id, author, said, now)
    return ids


def _add(
    db: Connection, report_id: int, author: str, said: list[dict[str, Any]], now: datetime
) -> list[int]:
    """More from the one who reported opens a closed report again."""
    if author == REPORTER:
        db.execute(update(reports).where(reports.c.id == report_id).values(state="open"))
    about = {"report_id": report_id, "author": author, "created_at": coarse(now)}
    return insert_returning(db, notes, [about | each for each in said])


def find_by_code(db: Connection, code: str) -> Report | None:
    row = db.execute(select(*_REPORT).where(reports.c.key == _key(code))).first()
    return None if row is None else _report(row)


def find(db: Connection, report_id: int) -> Report | None:
    row = db.execute(select(*_REPORT).where(reports.c.id == report_id)).first()
    return None if row is None else _report(row)


def find_for(db: Connection, member_id: int, report_id: int) -> Report | None:
    """A report, if she is a focal point of its programme at this moment."""
    row = db.execute(_for(member_id).where(reports.c.id == report_id)).first()
    return None if row is None else _report(row)


def list_open(db: Connection, member_id: int, most: int) -> list[Report]:
    """What is open for a focal point, the longest waiting first; not what is still to come."""
    said = select(notes.c.id).where(notes.c.report_id == reports.c.id)
    statement = _for(member_id).where(reports.c.state == "open", said.exists())
    rows = db.execute(statement.order_by(reports.c.id).limit(most))
    return [_report(row) for row in rows]


def _for(member_id: int) -> Select[Any]:
    hers = (
        select(communities.c.programme_id)
        .join(memberships, memberships.c.community_id == communities.c.id)
        .where(
            memberships.c.member_id == member_id,
            memberships.c.state == "active",
            memberships.c.role == FOCAL_POINT,
        )
    )
    return select(*_REPORT).where(reports.c.programme_id.in_(hers))


def list_notes(db: Connection, report_id: int) -> list[Note]:
    """What was said, oldest first."""
    statement = (
        select(notes.c.id, notes.c.author, media.c.state)
        .outerjoin(media, media.c.id == notes.c.media_id)
        .where(notes.c.report_id == report_id)
    )
    return [Note(*row) for row in db.execute(statement.order_by(notes.c.id))]


def mark_closed(db: Connection, report_id: int) -> bool:
    """False if it was closed before."""
    changed = db.execute(
        update(reports)
        .where(reports.c.id == report_id, reports.c.state == "open")
        .values(state="closed")
    )
    return changed.rowcount == 1


def forget_words(db: Connection, inbox_id: int) -> None:
    """What she reported stands in her report alone: the proof that it came keeps nothing of it."""
    mine = inbox.c.id == inbox_id
    payload = db.execute(select(inbox.c.payload).where(mine)).scalar_one()
    bare = json.dumps(json.loads(payload) | {"text": "", "files": []})
    db.execute(update(inbox).where(mine).values(payload=bare))


def _report(row: Any) -> Report:
    reporter = row.reporter or {}
    return Report(
        id=row.id,
        programme_id=row.programme_id,
        named=row.named,
        reporter_id=reporter.get("member"),
        tells=bool(reporter.get("tells")),
        state=row.state,
        created_at=row.created_at,
    )


def _key(code: str) -> bytes:
    return seals.lookup("reports.key", code)
