"""Captions: words that stand for a voice or a picture; who agreed to be heard by machines."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import partial_index, ref, row_id

captions = Table(  # at most one is shown of each media
    "captions",
    metadata,
    row_id(),
    ref("media_id", "media", index=True),
    # automatic: an engine's; written: somebody wrote down what is said, for those who cannot hear;
    # described: what it shows, for those who cannot see
    Column("kind", String(10), nullable=False),
    Column("text", Sealed("captions.text")),  # only while it is shown
    Column("language", String(8)),
    # who wrote it; nobody for automatic ones, and of posts without a name
    ref("author_id", "members", nullable=True, ondelete="SET NULL", index=True),
    # shown, refused (its author wants none), replaced by another one; of automatic ones also
    # asking (she has not agreed yet), declined (she does not), waiting (for the engine), silent
    # (nothing to be read in it), failed; claimed: somebody is writing it down; asked: its author
    # was asked what it shows; spoken: a voice that says what the photos of its post show
    Column("state", String(10), nullable=False),
    Column("due_at", Moment),  # when the engine is asked next, or the lease of who asks it ends
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    # The number of one that is gone is never another's.
    sqlite_autoincrement=True,
)
partial_index("ix_captions_due", "due_at IS NOT NULL", captions.c.due_at)
partial_index("uq_captions_shown", "state = 'shown'", captions.c.media_id, unique=True)
partial_index("uq_captions_claimed", "state = 'claimed'", captions.c.media_id, unique=True)
partial_index("uq_captions_automatic", "kind = 'automatic'", captions.c.media_id, unique=True)

agreements = Table(  # whether a service outside may hear her voice
    "agreements",
    metadata,
    ref("member_id", "members", primary_key=True),
    Column("service", String(120), nullable=False),  # its host: another one is another question
    Column("answer", String(8), nullable=False),  # asked, yes, no, later
    Column("at", Moment, nullable=False),  # when she was asked, or answered
)
