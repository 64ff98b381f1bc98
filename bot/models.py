"""Every table. Times are UTC in integer microseconds; what tells who is who is sealed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from bot.columns import Moment, Sealed, metadata

# SQLite numbers rows only in an INTEGER primary key.
_Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False, **options: Any) -> Column[int]:
    return Column(
        name, _Id, ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=nullable, **options
    )


secrets = Table(  # the store's own keys, sealed with LINKLINE_KEYS
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Sealed("secrets.value"), nullable=False),
)

programmes = Table(  # a grant programme: whom to ask when there is no code
    "programmes",
    metadata,
    _id(),
    Column("slug", String(60), nullable=False, unique=True),
    Column("names", JSON, nullable=False),  # {language: name}
    Column("contact", Text, nullable=False),  # public, shown to strangers
)

help_contacts = Table(  # where somebody in need gets help now
    "help_contacts",
    metadata,
    _id(),
    _ref("programme_id", "programmes", index=True),
    Column("country", String(2), nullable=False),
    Column("words", JSON, nullable=False),  # {language: name, number, hours}
)

communities = Table(  # a community of practice (CoP)
    "communities",
    metadata,
    _id(),
    _ref("programme_id", "programmes"),
    Column("slug", String(60), nullable=False, unique=True),
    Column("names", JSON, nullable=False),  # {language: name}
    Column("language", String(8), nullable=False),  # source language of what is written for it
    Column("timezone", String(60), nullable=False),
    Column("approval", Boolean, nullable=False),  # a facilitator welcomes each newcomer
    Column("discreet", Boolean, nullable=False),  # who sees the phone learns nothing
    Column("ended_at", Moment),
)

members = Table(  # a person; "new" until she agreed to what is kept
    "members",
    metadata,
    _id(),
    Column("state", String(12), nullable=False),  # new, active, stopped, group
    Column("language", String(8)),
    Column("timezone", String(60)),  # of the community she joined first, until she changes it
    Column("name", Sealed("members.name")),  # as others see it
    Column("organisation", Sealed("members.organisation")),
    Column("consent_version", String(20)),
    Column("consent_language", String(8)),
    Column("consent_at", Moment),
    Column(
        "discreet", Boolean, nullable=False, server_default=false()
    ),  # who sees her phone learns nothing
    Column("answers", Integer, nullable=False, server_default="0"),  # threads she has answered in
    Column("created_at", Moment, nullable=False),
)

addresses = Table(  # a member on a channel
    "addresses",
    metadata,
    _id(),
    _ref("member_id", "members", index=True),
    Column("lane", String(40), nullable=False),
    Column("sealed", Sealed("addresses.sealed"), nullable=False),  # where to write to
    Column("preferred", Boolean, nullable=False),  # the one of her addresses that is used unasked
    Column("unreachable_at", Moment),  # blocked or gone, until she writes again
    Column("last_inbound_at", Moment),  # opens the free-reply window
    Column("wrong_codes", Integer, nullable=False, server_default="0"),
    Column("wrong_codes_since", Moment),
    Column("created_at", Moment, nullable=False),
)
Index(
    "uq_addresses_preferred",
    addresses.c.member_id,
    unique=True,
    sqlite_where=text("preferred"),
    postgresql_where=text("preferred"),
)

address_keys = Table(  # the names one address may come by (number, user id), as keyed lookups
    "address_keys",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    _ref("address_id", "addresses", index=True),
)

memberships = Table(
    "memberships",
    metadata,
    _id(),
    _ref("member_id", "members"),
    _ref("community_id", "communities"),
    Column("role", String(16), nullable=False),  # member, facilitator, focal_point
    Column("state", String(12), nullable=False),  # waiting, active, declined, left
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("member_id", "community_id"),
    Index(None, "community_id", "member_id"),
)

invites = Table(
    "invites",
    metadata,
    _id(),
    _ref("community_id", "communities"),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # lookup of the code
    Column("code", Sealed("invites.code"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("uses", Integer, nullable=False),  # how many may use it
    Column("used", Integer, nullable=False, server_default="0"),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
)

inbox = Table(  # one row per event at a provider: the proof that it was taken, once
    "inbox",
    metadata,
    _id(),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # lookup of lane and event id
    Column("lane", String(40), nullable=False),
    _ref("address_id", "addresses", nullable=True, index=True),  # whose it is, once that is known
    Column("state", String(12), nullable=False),  # done, parked
    Column("reason", String(60)),  # why it was parked: an error's class name, never its text
    Column("payload", Sealed("inbox.payload"), nullable=False),
    Column("received_at", Moment, nullable=False, index=True),
)

conversations = Table(  # where somebody is in a talk
    "conversations",
    metadata,
    Column("address_id", _Id, ForeignKey("addresses.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Sealed("conversations.state", as_json=True), nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

threads = Table(
    "threads",
    metadata,
    _id(),
    Column("number", Integer, nullable=False, unique=True),  # Q101; global, from 101
    _ref("community_id", "communities", index=True),
    _ref("asker_id", "members", nullable=True, index=True),
    Column("state", String(12), nullable=False),  # asked, answered, helped, closed
    Column("created_at", Moment, nullable=False),
    Column("closed_at", Moment),
)

posts = Table(  # one contribution to a thread, from the first bubble of its draft
    "posts",
    metadata,
    _id(),
    _ref("thread_id", "threads", nullable=True, index=True),
    _ref("community_id", "communities", nullable=True),  # where a draft is meant to go
    _ref("author_id", "members", nullable=True),
    Column("kind", String(12), nullable=False),  # question, answer, reply, announcement
    Column("state", String(12), nullable=False),  # draft, waiting, live, hidden
    # others choose whether and when they read it
    Column("heavy", Boolean, nullable=False, server_default=false()),
    Column("helpful_at", Moment),
    _ref("message_id", "messages", nullable=True, index=True),  # how it was told to its thread
    Column("created_at", Moment, nullable=False),
    Index(None, "author_id", "created_at"),
)

bubbles = Table(  # what a post is made of, as it was typed
    "bubbles",
    metadata,
    _id(),
    _ref("post_id", "posts", index=True),
    Column("key", LargeBinary(16), unique=True),  # lookup of the provider's id, for edits
    Column("kind", String(12), nullable=False),  # text, voice, photo, ...
    Column("text", Sealed("bubbles.text"), nullable=False),
    Column("language", String(8)),  # of an announcement's translation
    Column("reference", Sealed("bubbles.reference")),  # the provider's handle of a file
    Column("forwarded", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

follows = Table(  # who hears what comes in a thread
    "follows",
    metadata,
    _ref("thread_id", "threads", primary_key=True),
    _ref("member_id", "members", primary_key=True, index=True),
    Column("created_at", Moment, nullable=False),
)

messages = Table(  # something to be said, to one or to many
    "messages",
    metadata,
    _id(),
    Column("key", String(80), nullable=False, unique=True),  # said once, whatever is repeated
    Column("kind", String(12), nullable=False),  # direct, thread, session, broadcast, safety
    Column("body", Sealed("messages.body", as_json=True), nullable=False),  # conversation.Body
    Column("audience", Sealed("messages.audience", as_json=True)),  # while the fan-out is under way
    Column("reached_id", _Id),  # the last member the fan-out has come to
    _ref("community_id", "communities", nullable=True),  # checked again when sending
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
)
Index(
    "ix_messages_under_way",
    messages.c.id,
    sqlite_where=text("audience IS NOT NULL"),
    postgresql_where=text("audience IS NOT NULL"),
)

deliveries = Table(  # a message for one member, with its fate
    "deliveries",
    metadata,
    _id(),
    _ref("message_id", "messages"),
    _ref("member_id", "members"),
    _ref("address_id", "addresses", nullable=True, index=True),
    Column("lane", String(40), nullable=False),
    Column("priority", Integer, nullable=False),  # 0 is said first
    # queued, sending, sent, delivered, read, held, folded, unknown, failed, dropped
    Column("state", String(12), nullable=False),
    Column("reason", String(40)),  # why it is held, failed or dropped
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("fence", Integer),  # the lane owner who took it
    Column("asked_at", Moment),  # when she did what this answers, or asked to see it
    UniqueConstraint("message_id", "member_id"),
    Index(None, "member_id", "due_at"),
)
# Written out, not as parameters: SQLite uses a partial index only if it sees its condition.
WAITING = text("deliveries.state IN ('queued', 'unknown')")
UNDER_WAY = text("deliveries.state = 'sending'")
HELD = text("deliveries.state = 'held'")
Index(
    "ix_deliveries_waiting",
    deliveries.c.lane,
    deliveries.c.priority,
    deliveries.c.id,
    sqlite_where=text("state IN ('queued', 'unknown')"),
    postgresql_where=text("state IN ('queued', 'unknown')"),
)
Index(
    "ix_deliveries_under_way",
    deliveries.c.lane,
    sqlite_where=text("state = 'sending'"),
    postgresql_where=text("state = 'sending'"),
)
Index(
    "ix_deliveries_held",
    deliveries.c.address_id,
    sqlite_where=text("state = 'held'"),
    postgresql_where=text("state = 'held'"),
)

dispatches = Table(  # one part of a delivery, as handed to a provider
    "dispatches",
    metadata,
    _id(),
    _ref("delivery_id", "deliveries"),
    Column("part", Integer, nullable=False),
    Column("token", String(24), nullable=False, unique=True),  # ours, in status callbacks
    # sending, sent, delivered, read, unknown, failed
    Column("state", String(12), nullable=False),
    Column("content", Sealed("dispatches.content", as_json=True)),  # frozen until it is settled
    Column("provider_key", LargeBinary(16), index=True),  # lookup of the provider's id
    Column("provider_id", Sealed("dispatches.provider_id")),
    Column("repeats", Integer, nullable=False, server_default="0"),  # sends after an unknown one
    Column("error", String(20)),  # the provider's code
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("delivery_id", "part"),
)

prompts = Table(  # choices as they were shown; a tap, a number or a label comes back to them
    "prompts",
    metadata,
    _id(),
    Column("token", String(16), nullable=False, unique=True),
    _ref("address_id", "addresses"),
    _ref("message_id", "messages", index=True),
    Column("language", String(8), nullable=False),
    # [Clear] stood under its choices
    Column("clears", Boolean, nullable=False, server_default=false()),
    Column("shown_at", Moment, nullable=False),
    Column("consumed_at", Moment),
    Column("chosen", Integer),  # the choice that consumed it
    Index(None, "address_id", "id"),
)

lanes = Table(  # one sending identity at a provider; one worker owns it at a time
    "lanes",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("fence", Integer, nullable=False),  # grows with every owner; older ones are refused
    Column("link", String(200)),  # opens a chat with us; what is to be said is put at its end
)

occurrences = Table(  # a due moment that somebody took
    "occurrences",
    metadata,
    Column("key", String(120), primary_key=True),  # job and due moment
    Column("taken_at", Moment, nullable=False, index=True),
)
