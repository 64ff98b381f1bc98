"""Reflections: what somebody has learnt or lived through, said for herself first."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import partial_index, ref, row_id

# Its words are a post, which also says whose it is and who may see it (seen_by, community_id).
reflections = Table(
    "reflections",
    metadata,
    row_id(),
    ref("post_id", "posts", unique=True),
    Column("question", String(20)),  # of bot/reflecting.py; None = a weekly one, or none
    # what she said before and sees otherwise now
    ref("earlier_id", "reflections", nullable=True, ondelete="SET NULL", index=True),
    Column("theme", String(12)),
    Column("pathway", String(12)),  # empowerment, influence, amplifying
    Column("feeling", Sealed("reflections.feeling")),  # glad, strong, ...
    Column("adds_until", Moment),  # what she says until then is part of it; None = she is done
    Column("look_back_at", Moment),  # when it comes back to her; None = it did, or will not
    Column("created_at", Moment, nullable=False),
    # The number of a reflection that is gone is never another's.
    sqlite_autoincrement=True,
)
partial_index("ix_reflections_due", "look_back_at IS NOT NULL", reflections.c.look_back_at)
