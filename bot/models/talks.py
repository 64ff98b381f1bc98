"""What is said in communities: the inbox, talks, threads and posts."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    false,
)

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import Id, partial_index, ref, row_id

inbox = Table(  # one row per event at a provider: the proof that it was taken, once
    "inbox",
    metadata,
    row_id(),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # lookup of lane and event id
    Column("lane", String(40), nullable=False),
    # whose it is, as long as that is known
    ref("address_id", "addresses", nullable=True, ondelete="SET NULL", index=True),
    Column("state", String(12), nullable=False),  # done, parked
    Column("reason", String(60)),  # why it was parked: an error's class name, never its text
    Column("payload", Sealed("inbox.payload")),  # forgotten after a while; the key is not
    Column("received_at", Moment, nullable=False),
)
# what is forgotten after a while
partial_index("ix_inbox_kept", "payload IS NOT NULL", inbox.c.received_at)
# what could not be used, and of which it is not known whose it is
partial_index("ix_inbox_nobodys", "address_id IS NULL AND payload IS NOT NULL", inbox.c.id)
# what our code failed at
partial_index("ix_inbox_parked", "state = 'parked'", inbox.c.lane)

conversations = Table(  # where somebody is in a talk
    "conversations",
    metadata,
    Column("address_id", Id, ForeignKey("addresses.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Sealed("conversations.state", as_json=True), nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("offered_at", Moment),  # she was asked once whether she would like to go on
)

threads = Table(
    "threads",
    metadata,
    row_id(),
    Column("number", Integer, nullable=False, unique=True),  # Q101; global, from 101
    ref("community_id", "communities", index=True),
    ref("asker_id", "members", nullable=True, ondelete="SET NULL", index=True),
    # asked without a name: asker_id is empty, and only the sealed link knows
    Column("anonymous", Boolean, nullable=False, server_default=false()),
    Column("asker", Sealed("threads.asker", as_json=True)),  # {"member": id}, until it is destroyed
    Column("scope", String(12), nullable=False, server_default="community"),  # or facilitators
    Column(
        "state", String(12), nullable=False
    ),  # asked, answered, helped, told, closed; harvest, reflection
    Column("outcome", String(12)),  # what came of it: worked, partly, not_tried
    Column("created_at", Moment, nullable=False),
    Column("closed_at", Moment),
    # up to where it was followed up: None, peers, facilitators, outcome
    Column("followed_up", String(12)),
)
# those that still wait for an answer
partial_index("ix_threads_asked", "state = 'asked'", threads.c.created_at)
# those with a name that helped, and whose asker was not asked yet what came of it
partial_index(
    "ix_threads_helped",
    "state = 'helped' AND NOT anonymous AND outcome IS NULL"
    " AND (followed_up IS NULL OR followed_up <> 'outcome')",
    threads.c.id,
)
# those whose asker only the sealed link knows
partial_index("ix_threads_linked", "asker IS NOT NULL", threads.c.id)

posts = Table(  # one contribution to a thread, from the first bubble of its draft
    "posts",
    metadata,
    row_id(),
    ref("thread_id", "threads", nullable=True, index=True),
    ref("community_id", "communities", nullable=True),  # where a draft is meant to go
    ref("author_id", "members", nullable=True, ondelete="SET NULL"),
    # question, answer, reply, outcome; announcement; response; word (to a host, and back);
    # harvest, decision, taken (of a session); reflection; leaf
    Column("kind", String(12), nullable=False),
    # draft, waiting, live, hidden; kept: for herself alone (a response, a reflection)
    Column("state", String(12), nullable=False),
    # a response to this edition of a weekly question
    ref("edition_id", "editions", nullable=True, ondelete="SET NULL", index=True),
    Column("seen_by", String(12)),  # of a response or reflection: community, facilitators, me
    # the edition of "What peers said" that told it to its community
    ref("said_id", "editions", nullable=True, ondelete="SET NULL", index=True),
    # others choose whether and when they read it
    Column("heavy", Boolean, nullable=False, server_default=false()),
    Column("helpful_at", Moment),
    ref("message_id", "messages", nullable=True, index=True),  # how it was told to its thread
    Column("created_at", Moment, nullable=False),
    Index(None, "author_id", "created_at"),
    # The number of a draft that is gone is never given to somebody else's.
    sqlite_autoincrement=True,
)

Index(  # what was said in a community since a moment ...
    "ix_posts_said", posts.c.community_id, posts.c.created_at
)
# ... and what has helped somebody
partial_index(
    "ix_posts_helpful", "helpful_at IS NOT NULL", posts.c.community_id, posts.c.helpful_at
)

bubbles = Table(  # what a post is made of, as it was typed
    "bubbles",
    metadata,
    row_id(),
    ref("post_id", "posts", index=True),
    Column("key", LargeBinary(16), unique=True),  # lookup of the provider's id, for edits
    Column("kind", String(12), nullable=False),  # text, voice, photo, ...
    Column("text", Sealed("bubbles.text"), nullable=False),
    Column("language", String(8)),  # of an announcement's translation
    ref("media_id", "media", nullable=True, ondelete="SET NULL", index=True),  # its file
    Column("forwarded", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

follows = Table(  # who hears what comes in a thread
    "follows",
    metadata,
    ref("thread_id", "threads", primary_key=True),
    ref("member_id", "members", primary_key=True, index=True),
    # in a thread that everybody follows: she does not
    Column("muted", Boolean, nullable=False, server_default=false()),
    Column("created_at", Moment, nullable=False),
)
