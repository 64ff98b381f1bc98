"""Media: what is to be fetched, what stands in the vault, and what is to be removed from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.columns import Moment, metadata
from bot.db import insert_returning, locking_once, mark_due
from bot.messages import Inbound
from bot.models.captions import captions
from bot.models.media import media, new_name, new_rows
from bot.models.people import addresses, members
from bot.models.safeguards import REPORTER, notes
from bot.models.talks import bubbles, posts

VAULT = "vault"  # in place of a lane: the file stands in the vault under another name


@dataclass(frozen=True, slots=True)
class Media:
    """One voice, video, picture or document."""

    id: int
    name: str  # of its file in the vault
    owner_id: int | None
    lane: str  # where it came in; "" = only the reference knows
    reference: str | None  # the provider's handle, until it is fetched or given up
    kind: str  # voice, video, photo, document
    state: str  # waiting, stored, failed, gone
    reason: str | None  # why it failed
    attempts: int
    mime: str | None
    size: int | None  # bytes
    milliseconds: int | None
    created_at: datetime

    @property
    def source(self) -> tuple[str, str]:
        """The lane (or VAULT) it is fetched from, and its handle there."""
        if self.lane:
            return self.lane, self.reference or ""
        lane, _space, handle = (self.reference or "").partition(" ")
        return lane, handle


_COLUMNS = tuple(media.c[name] for name in Media.__dataclass_fields__)


def add(db: Connection, owner_id: int | None, inbound: Inbound, now: datetime) -> list[int]:
    """Its files are fetched soon; their ids, in the order they came."""
    rows = new_rows(owner_id, inbound.lane, inbound.files, now)
    if not rows:
        return []
    mark_due(db, now, inbound.lane)
    return insert_returning(db, media, rows)


def find(db: Connection, media_id: int) -> Media | None:
    row = db.execute(select(*_COLUMNS).where(media.c.id == media_id)).first()
    return None if row is None else Media(*row)


def list_of_post(db: Connection, post_id: int) -> list[Media]:
    """In the order of its bubbles."""
    statement = (
        select(*_COLUMNS)
        .join(bubbles, bubbles.c.media_id == media.c.id)
        .where(bubbles.c.post_id == post_id)
        .order_by(bubbles.c.id)
    )
    return [Media(*row) for row in db.execute(statement)]


# Fetching ----------------------------------------------------------------------------------------

_DUE = locking_once(
    select(*_COLUMNS)
    .where(
        media.c.due_at <= bindparam("now", type_=Moment()),
        media.c.lane.in_(bindparam("lanes", expanding=True)),
    )
    .order_by(media.c.due_at)
    .limit(bindparam("most")),
    skip_locked=True,
)


def claim(
    db: Connection, lanes: Collection[str], now: datetime, lease: timedelta, most: int
) -> list[Media]:
    """Take what is to be fetched or removed; nobody else gets it before the lease is over."""
    wanted = {"lanes": ["", *lanes], "now": now, "most": most}
    found = [Media(*row) for row in db.execute(_DUE[db.dialect.name], wanted)]
    if found:
        taken = media.c.id.in_([each.id for each in found])
        again = {"due_at": now + lease, "attempts": media.c.attempts + 1}
        db.execute(update(media).where(taken).values(again))
    return [replace(each, attempts=each.attempts + 1) for each in found]


def _mine(found: Media) -> ColumnElement[bool]:
    """As it was claimed: nobody has taken it since, nor is it to be removed."""
    return and_(
        media.c.id == found.id,
        media.c.attempts == found.attempts,
        media.c.state == found.state,
    )


def mark_stored(
    db: Connection, found: Media, mime: str, size: int, milliseconds: int | None, now: datetime
) -> bool:
    """False if it is somebody else's by now, or nobody's."""
    stored = {"state": "stored", "mime": mime, "size": size, "milliseconds": milliseconds}
    stored |= {"stored_at": now, "reference": None, "due_at": None}
    return db.execute(update(media).where(_mine(found)).values(stored)).rowcount == 1


def mark_failed(db: Connection, found: Media, reason: str) -> bool:
    """Given up; False if it is somebody else's by now, or nobody's."""
    failed = {"state": "failed", "reason": reason, "reference": None, "due_at": None}
    return db.execute(update(media).where(_mine(found)).values(failed)).rowcount == 1


def find_sender(db: Connection, found: Media) -> tuple[int, int, str] | None:
    """Where it came from (address, member, lane), if she can still be answered there."""
    statement = (
        select(addresses.c.id, addresses.c.member_id, addresses.c.lane)
        .join(members, members.c.id == addresses.c.member_id)
        .where(
            addresses.c.member_id == found.owner_id,
            addresses.c.lane == found.lane,
            members.c.state.in_(("new", "active")),
        )
    )
    row = db.execute(statement.limit(1)).first()
    return None if row is None else (row.id, row.member_id, row.lane)


def postpone(db: Connection, found: Media, due_at: datetime) -> None:
    """It did not work just now."""
    db.execute(update(media).where(_mine(found)).values(due_at=due_at))


def remove(db: Connection, found: Media) -> None:
    """Its file is gone."""
    db.execute(delete(media).where(_mine(found)))


def is_wanted(db: Connection, name: str) -> bool:
    """Whether a file of this name has its place, or soon will."""
    wanted = (media.c.name == name, media.c.state.in_(("waiting", "stored")))
    return db.execute(select(media.c.id).where(*wanted)).first() is not None


def list_names(db: Connection) -> set[str]:
    """Of all files that rows and envelopes name."""
    named = set(db.execute(select(media.c.name)).scalars())
    copied = select(*_COLUMNS).where(media.c.lane == "", media.c.reference.is_not(None))
    sources = [Media(*row).source for row in db.execute(copied)]
    return named | {handle for place, handle in sources if place == VAULT}


def list_states(db: Connection, ids: Collection[int]) -> list[str]:
    """Of those that are still there."""
    return list(db.execute(select(media.c.state).where(media.c.id.in_(ids))).scalars())


def count_by_state(db: Connection) -> dict[str, int]:
    statement = select(media.c.state, func.count()).group_by(media.c.state)
    return {state: count for state, count in db.execute(statement)}


# What goes ----------------------------------------------------------------------------------------


def drop_hers(db: Connection, owner_id: int, now: datetime, most: int) -> int:
    """Some of hers, whatever they are part of: a voice tells who speaks, without a name too."""
    hers = select(media.c.id).where(media.c.owner_id == owner_id).limit(most)
    return _drop(db, hers, now)


def drop_of_post(db: Connection, post_id: int, now: datetime) -> int:
    return _drop(db, _of(bubbles.c.post_id == post_id), now)


def drop_of_reports(db: Connection, report_ids: Collection[int], now: datetime) -> int:
    """What was said there by those who reported; what was answered is the focal points'."""
    statement = select(notes.c.media_id, notes.c.author).where(
        notes.c.report_id.in_(report_ids), notes.c.media_id.is_not(None)
    )
    said = [row.media_id for row in db.execute(statement) if row.author == REPORTER]
    return drop(db, said, now)


def drop(db: Connection, ids: Collection[int], now: datetime) -> int:
    return _drop(db, select(media.c.id).where(media.c.id.in_(ids)), now)


def drop_of_askers(db: Connection, thread_ids: Collection[int], now: datetime) -> int:
    """What those who asked there without a name have said in a voice, a picture, a file."""
    own = posts.c.kind.in_(("question", "reply", "outcome"))
    theirs = select(posts.c.id).where(
        posts.c.thread_id.in_(thread_ids), posts.c.author_id.is_(None), own
    )
    return _drop(db, _of(bubbles.c.post_id.in_(theirs)), now)


def _of(which: ColumnElement[bool]) -> Select[tuple[int]]:
    return select(bubbles.c.media_id).where(which, bubbles.c.media_id.is_not(None))


def drop_held(db: Connection, content: Mapping[str, Any], now: datetime) -> None:
    """What an envelope holds that is not opened."""
    gone = {"lane": "", "state": "gone", "due_at": now, "created_at": now}
    rows = [gone | {"name": each["name"], "kind": each["kind"]} for each in held_in(content)]
    if rows:
        db.execute(insert(media), rows)
        mark_due(db, now)


def held_in(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was taken out for an envelope."""
    return [each["media"] for each in content.get("bubbles", ()) if each.get("media")]


def drop_unused(db: Connection, now: datetime, most: int) -> int:
    """Some of what nothing refers to any more: drafts that were dropped, notes that were removed.

    Looked for, and not noted where something is removed: rows go in many ways.
    """
    used = [select(each).where(each == media.c.id).exists() for each in _uses()]
    unused = select(media.c.id).where(media.c.state != "gone", ~or_(*used))
    return _drop(db, unused.limit(most), now)


def _uses() -> list[Column[Any]]:
    """Columns of rows that outlive what they refer to; what goes with it is no use of it."""
    columns = (column for table in metadata.tables.values() for column in table.columns)
    return [
        column
        for column in columns
        for key in column.foreign_keys
        if key.references(media) and key.ondelete == "SET NULL"
    ]


def _drop(db: Connection, which: Select[tuple[int]], now: datetime) -> int:
    """First the file goes, then the row, which knows nobody any more: neither is left behind.

    The words that stood for it go at once.
    """
    ids = list(db.execute(which).scalars())
    if not ids:
        return 0
    gone = {"state": "gone", "owner_id": None, "reference": None, "due_at": now, "attempts": 0}
    db.execute(update(media).where(media.c.id.in_(ids)).values(gone))
    db.execute(delete(captions).where(captions.c.media_id.in_(ids)))
    for column in _uses():
        db.execute(update(column.table).where(column.in_(ids)).values({column.name: None}))
    mark_due(db, now)
    return len(ids)


# What came without a name -------------------------------------------------------------------------


def take_out(db: Connection, media_id: int | None) -> dict[str, Any] | None:
    """What its row says, as JSON for an envelope; nothing in the store remembers it."""
    found = None if media_id is None else find(db, media_id)
    if found is None:
        return None
    db.execute(delete(media).where(media.c.id == found.id))
    kept = ("name", "lane", "reference", "kind", "state", "reason", "mime", "size", "milliseconds")
    return {name: value for name, value in asdict(found).items() if name in kept}


def put_back(db: Connection, held: Mapping[str, Any] | None, now: datetime) -> int | None:
    """A row of nobody's; `now` is coarse.

    The moment at which a file was written would tell who it is from as well: one that is stored
    is stored again, under a new name.
    """
    if held is None:
        return None
    row = {**held, "name": new_name(), "lane": "", "owner_id": None, "created_at": now}
    if held["state"] == "stored":
        row |= {"state": "waiting", "reference": f"{VAULT} {held['name']}"}
    elif held["reference"] is not None:
        row["reference"] = f"{held['lane']} {held['reference']}"
    row["due_at"] = now if row["state"] == "waiting" else None
    mark_due(db, now)
    [media_id] = insert_returning(db, media, [row])
    return media_id
