"""The Happy Tree: which posts are its leaves."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table

from bot.columns import Moment, metadata
from bot.models.keys import Id, ref

LEAF = "leaf"  # kind of its post

# The words are a post of the kind `leaf`: they are hidden, taken down and forgotten like others.
leaves = Table(
    "leaves",
    metadata,
    Column("post_id", Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    ref("community_id", "communities"),
    Column("named", Boolean, nullable=False),  # whether others may read whose it is
    Column("hung_at", Moment, nullable=False),
    Index(None, "community_id", "post_id"),
)
