"""What is left of a session: notes and decisions, who does what, and how far its harvest is."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import partial_index, ref, row_id

records = Table(  # one piece of the notes, until they are sent: then it is a post of their thread
    "records",
    metadata,
    row_id(),
    ref("session_id", "sessions", index=True),
    ref("author_id", "members", nullable=True, ondelete="SET NULL", index=True),
    Column("kind", String(8), nullable=False),  # note, decision; taken: what somebody learnt there
    Column("file", String(12), nullable=False),  # text, voice, photo, ...
    Column("text", Sealed("records.text"), nullable=False),
    ref("media_id", "media", nullable=True, ondelete="SET NULL", index=True),  # its file
    Column("created_at", Moment, nullable=False),
    # The number of a piece that is gone is never another's.
    sqlite_autoincrement=True,
)

tasks = Table(  # who does what until when, as it was said in a session
    "tasks",
    metadata,
    row_id(),
    ref("session_id", "sessions", index=True),
    ref("member_id", "members", nullable=True, ondelete="SET NULL", index=True),  # who does it
    ref("author_id", "members", nullable=True, ondelete="SET NULL", index=True),  # who wrote it
    Column("text", Sealed("tasks.text"), nullable=False),
    Column("day", Integer),  # until when, in days since 1970; None = whenever
    Column("state", String(8), nullable=False),  # open, done, dropped
    Column("ask_at", Moment),  # when she is asked about it; None = she was, or will not be
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
    # The number of a task that is gone is never another's.
    sqlite_autoincrement=True,
)
partial_index("ix_tasks_due", "ask_at IS NOT NULL", tasks.c.ask_at)

harvests = Table(  # sessions that are over and whose people were asked what they take with them
    "harvests",
    metadata,
    ref("session_id", "sessions", primary_key=True),
    Column("begun_at", Moment, nullable=False),
    Column("look_at", Moment),  # then the notes go out by themselves; None = nothing is to come
)
partial_index("ix_harvests_due", "look_at IS NOT NULL", harvests.c.look_at)
