"""Media: voices, pictures and files; their bytes stand sealed in the vault under a random name."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, String, Table

from bot.columns import Moment, Sealed, metadata
from bot.messages import File
from bot.models.keys import partial_index, ref, row_id

KINDS = ("voice", "video", "photo", "document")  # stickers, places and contacts have no file

media = Table(
    "media",
    metadata,
    row_id(),
    Column("name", String(32), nullable=False, unique=True),  # of its file in the vault
    # whose it is; nobody's where it came without a name
    ref("owner_id", "members", nullable=True, ondelete="SET NULL", index=True),
    # where it came in; "" = only the sealed reference knows, as "lane handle"
    Column("lane", String(40), nullable=False),
    # The provider's handle, until it is fetched or given up. It stood in bubbles once: those values
    # were moved as they were, so it keeps the context they were sealed with.
    Column("reference", Sealed("bubbles.reference")),
    Column("kind", String(12), nullable=False),  # voice, video, photo, document
    Column("state", String(8), nullable=False),  # waiting, stored, failed; gone: to be removed
    # why it failed: too_big, too_long, broken, unfit, gone, old, late
    Column("reason", String(20)),
    # when it is to be fetched or removed; None = there is nothing to do
    Column("due_at", Moment),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("mime", String(60)),
    Column("size", Integer),  # bytes
    Column("milliseconds", Integer),  # of what is heard or seen in time
    Column("created_at", Moment, nullable=False),
    Column("stored_at", Moment, index=True),  # what is new is looked at for captions
    # The number of one that is gone is never another's.
    sqlite_autoincrement=True,
)
partial_index("ix_media_due", "due_at IS NOT NULL", media.c.due_at)


def new_rows(
    owner_id: int | None, lane: str, files: Iterable[File], now: datetime
) -> list[dict[str, Any]]:
    """A row for each that has a file, to be fetched at once."""
    return [
        {
            "name": new_name(),
            "owner_id": owner_id,
            "lane": lane,
            "reference": each.reference,
            "kind": each.kind,
            "state": "waiting",
            "due_at": now,
            "created_at": now,
        }
        for each in files
        if each.kind in KINDS
    ]


def new_name() -> str:
    """32 random hexadecimal digits."""
    return secrets.token_hex(16)
