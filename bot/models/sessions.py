"""Sessions: what members would show or learn, when they meet, and who comes."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
)

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import partial_index, ref, row_id

topics = Table(  # the market: something a member offers to show, or would like to learn
    "topics",
    metadata,
    row_id(),
    ref("community_id", "communities", index=True),
    ref("member_id", "members", nullable=True, ondelete="SET NULL", index=True),
    Column("kind", String(8), nullable=False),  # offer, ask
    Column("wide", Boolean, nullable=False, server_default=false()),  # all of the programme see it
    Column("theme", String(20)),  # one of those of the library, or none
    Column("text", Sealed("topics.text"), nullable=False),
    # what she said aloud of it, kept for herself until it can be passed on
    ref("post_id", "posts", nullable=True, ondelete="SET NULL", index=True),
    Column("state", String(12), nullable=False),  # draft, open, planned (a session), closed
    # who offers was told that it could become a session
    Column("suggested_at", Moment),
    Column("created_at", Moment, nullable=False),
    # The number of a topic that is gone is never another's.
    sqlite_autoincrement=True,
)
partial_index("ix_topics_open", "state = 'open'", topics.c.community_id, topics.c.id)

interests = Table(  # [Interested]
    "interests",
    metadata,
    ref("topic_id", "topics", primary_key=True),
    ref("member_id", "members", primary_key=True, index=True),
    Column("created_at", Moment, nullable=False),
)

sessions = Table(  # a meeting of a community, or of several
    "sessions",
    metadata,
    row_id(),
    ref("community_id", "communities", index=True),  # that holds it
    Column("kind", String(12), nullable=False, server_default="session"),  # session, visit
    Column("scope", String(12), nullable=False),  # communities (session_communities), invited
    Column("title", Sealed("sessions.title"), nullable=False),
    ref("host_id", "members", nullable=True, ondelete="SET NULL", index=True),
    ref("note_taker_id", "members", nullable=True, ondelete="SET NULL", index=True),
    Column("starts_at", Moment, nullable=False),
    # when it was last moved, and from where first: the next one of its row is counted from there
    Column("moved_at", Moment),
    Column("moved_from", Moment),
    Column("minutes", Integer, nullable=False),  # how long
    Column("timezone", String(60), nullable=False),  # where it is held: its hour is said there too
    # as a host said it: an address, a link, a number to call, a group to join
    Column("place", Sealed("sessions.place")),
    Column("seats", Integer),  # None = as many as come
    Column("seats_each", Integer),  # most of one organisation
    Column("organisation", Sealed("sessions.organisation")),  # that is visited
    Column("packing", Sealed("sessions.packing")),  # what to bring
    Column("languages", JSON, nullable=False),  # codes of what is spoken
    Column("reminders", JSON, nullable=False),  # minutes before, the longest first
    Column("every", Integer),  # weeks to the next one; None = once
    # the one before it in a row of sessions: each is followed by one
    ref("follows_id", "sessions", nullable=True, ondelete="SET NULL"),
    ref("topic_id", "topics", nullable=True, ondelete="SET NULL", index=True),
    ref("thread_id", "threads", nullable=True, ondelete="SET NULL", index=True),  # its harvest
    Column("state", String(12), nullable=False),  # planned, over, told (its harvest), cancelled
    Column("reason", Sealed("sessions.reason")),  # why it was cancelled
    Column("uid", String(40), nullable=False, unique=True),  # random: names it in calendars
    Column("sequence", Integer, nullable=False, server_default="0"),  # of its calendar file
    Column("next_at", Moment),  # when it is looked at again; None = nothing is to come
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("follows_id"),
    # The number of a session that is gone is never another's.
    sqlite_autoincrement=True,
)
Index("ix_sessions_when", sessions.c.community_id, sessions.c.starts_at)
partial_index("ix_sessions_over", "state = 'over'", sessions.c.id)
partial_index("ix_sessions_due", "next_at IS NOT NULL", sessions.c.next_at)

session_communities = Table(  # whose members may come, the one that holds it among them
    "session_communities",
    metadata,
    ref("session_id", "sessions", primary_key=True),
    ref("community_id", "communities", primary_key=True, index=True),
)

signups = Table(  # who was asked by name, who comes, and who came
    "signups",
    metadata,
    ref("session_id", "sessions", primary_key=True),
    ref("member_id", "members", primary_key=True, index=True),
    # invited (no answer yet), yes, maybe, no; waiting (for a seat), offered (one is hers, if she
    # takes it in time)
    Column("answer", String(8), nullable=False),
    Column("place", Integer, nullable=False, server_default="0"),  # in the waiting list
    Column("offered_until", Moment),  # then the seat is offered to the next one
    Column("came", Boolean),  # None = nobody said
    Column("created_at", Moment, nullable=False),
    Column("answered_at", Moment),
)
Index("ix_signups_answers", signups.c.session_id, signups.c.answer, signups.c.place)
partial_index("ix_signups_offered", "answer = 'offered'", signups.c.offered_until)
# who waits for a seat: few of all who answered
partial_index("ix_signups_waiting", "answer = 'waiting'", signups.c.session_id)

needs = Table(  # what somebody needs to take part; only the host reads it, until it is over
    "needs",
    metadata,
    row_id(),
    ref("session_id", "sessions"),
    ref("member_id", "members", index=True),
    Column("text", Sealed("needs.text"), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("session_id", "member_id"),
    # The number of what was taken back is never another's.
    sqlite_autoincrement=True,
)

reminders = Table(  # which message reminds of a session, so long before, as it was planned then
    "reminders",
    metadata,
    ref("message_id", "messages", primary_key=True),
    ref("session_id", "sessions"),
    Column("starts_at", Moment, nullable=False),
    Column("minutes", Integer, nullable=False),  # before
    UniqueConstraint("session_id", "starts_at", "minutes"),
)
