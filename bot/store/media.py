"""Media: what is to be fetched, what stands in the vault, and what is to be removed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from bot.db import insert_returning, mark_due
from bot.messages import Inbound
from bot.models import media
from bot.models.media import new_name, new_rows
from bot.models.talks import bubbles

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
