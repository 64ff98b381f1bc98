"""Joint proposals: what a community would like to write together, and who writes which part."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, UniqueConstraint

from bot.columns import Moment, metadata
from bot.models.keys import partial_index, ref, row_id

# All words are posts: they are edited, hidden and forgotten like those of a thread.
proposals = Table(
    "proposals",
    metadata,
    row_id(),
    ref("community_id", "communities", index=True),
    ref("opened_by", "members", nullable=True, ondelete="SET NULL", index=True),
    # what it is for
    ref("post_id", "posts", nullable=True, ondelete="SET NULL", index=True),
    Column("closes_at", Moment, nullable=False),  # then the hands are counted
    Column("deadline_at", Moment),  # by then it is to be ready; None = nobody has said
    Column("state", String(12), nullable=False),  # ideas, drafting, ready, closed
    # the draft of the idea that was chosen
    ref("thread_id", "threads", nullable=True, ondelete="SET NULL", index=True),
    Column("next_at", Moment),  # when it is looked at again; None = nothing is to come
    Column("created_at", Moment, nullable=False),
    # The number of a proposal that is gone is never another's.
    sqlite_autoincrement=True,
)
partial_index("ix_proposals_due", "next_at IS NOT NULL", proposals.c.next_at)

ideas = Table(  # what could be proposed
    "ideas",
    metadata,
    row_id(),
    ref("proposal_id", "proposals", index=True),
    ref("post_id", "posts", index=True),  # its words, and whose they are
    Column("hands", Integer),  # when they were counted; None = not yet
    sqlite_autoincrement=True,
)

hands = Table(  # one hand each, until they are counted: then it is forgotten whose it was
    "hands",
    metadata,
    ref("proposal_id", "proposals", primary_key=True),
    ref("member_id", "members", primary_key=True, index=True),
    ref("idea_id", "ideas", index=True),
)

sections = Table(  # a part of a draft, and who writes it
    "sections",
    metadata,
    row_id(),
    ref("proposal_id", "proposals"),
    Column("place", Integer, nullable=False),
    Column("name", String(12)),  # of a usual part: bot/sections.py; None = it has its own title
    ref("title_id", "posts", nullable=True, ondelete="SET NULL", index=True),
    ref("owner_id", "members", nullable=True, ondelete="SET NULL", index=True),
    ref("post_id", "posts", nullable=True, ondelete="SET NULL", index=True),  # as it is written
    UniqueConstraint("proposal_id", "place"),
    sqlite_autoincrement=True,
)
