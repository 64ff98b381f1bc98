"""What is to be said, to whom, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import Id, partial_index, ref, row_id

messages = Table(  # something to be said, to one or to many
    "messages",
    metadata,
    row_id(),
    # a keyed lookup: said once, whatever is repeated
    Column("key", LargeBinary(16), nullable=False, unique=True),
    Column(
        "kind", String(12), nullable=False
    ),  # direct, thread, session, broadcast, rhythm, safety
    Column("body", Sealed("messages.body", as_json=True), nullable=False),  # conversation.Body
    Column("audience", Sealed("messages.audience", as_json=True)),  # while the fan-out is under way
    Column("reached_id", Id),  # the last member the fan-out has come to
    ref("community_id", "communities", nullable=True),  # checked again when sending
    # goes to a whole community: who wants little of it gets this later, or not at all
    Column("wide", Boolean, nullable=False, server_default=false()),
    # only for who has this role there when it is said; and for whoever asked, of her own question
    Column("for_role", String(16)),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    # when the last of many would have it if its community had a lane to itself: what is said there
    # later stands behind
    Column("line_until", Moment),
)
partial_index(
    "ix_messages_in_line", "line_until IS NOT NULL", messages.c.community_id, messages.c.line_until
)
partial_index("ix_messages_under_way", "audience IS NOT NULL", messages.c.id)

deliveries = Table(  # a message for one member, with its fate
    "deliveries",
    metadata,
    row_id(),
    ref("message_id", "messages"),
    # No foreign keys to whom: erasing somebody would search the whole table for each.
    Column("member_id", Id, nullable=False),
    Column("address_id", Id),
    Column("lane", String(40), nullable=False),
    Column("priority", Integer, nullable=False),  # 0 is said first
    # its place in line among those as urgent: bot/store/queueing.py
    Column("place", BigInteger, nullable=False, server_default="0"),
    # queued, sending, sent, delivered, read, held, folded, unknown, failed, dropped
    Column("state", String(12), nullable=False),
    Column("reason", String(40)),  # why it is held, failed or dropped
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("fence", Integer),  # the lane owner who took it
    Column("asked_at", Moment),  # when she did what this answers, or asked to see it
    Column("folded_id", Id),  # the message (a digest, a summary) that says it instead
    UniqueConstraint("message_id", "member_id"),
)
# Said first: what she just did, then threads, sessions, broadcasts.
PRIORITY = {
    "direct": 0,
    "safety": 0,
    "notice": 1,
    "thread": 1,
    "retract": 1,
    "session": 2,
    "broadcast": 3,
    "rhythm": 3,
    "digest": 3,
    "aside": 3,  # of use when she is there anyway: nobody is called back for it
}

# Written out, not as parameters: SQLite uses a partial index only if it sees its condition.
WAITING = text("deliveries.state IN ('queued', 'unknown')")
UNDER_WAY = text("deliveries.state = 'sending'")
TRIED = text("deliveries.state = 'queued' AND deliveries.attempts > 0")
# Until a moment that is known; else whoever looks for what is due would pass by it each time.
PUT_OFF = text("deliveries.state = 'held' AND deliveries.reason IN ('quiet', 'paused')")
HELD = text("deliveries.state = 'held'")
# Why something is held until bot/digests.py looks at it: her pace, her cap, her night, her pause.
GATHERED = ("gathered", "cap", "night", "rest")
SETTLED = text("deliveries.state NOT IN ('queued', 'sending')")
# Reasons why something is held until she writes; of the second kind nobody can even tell her.
CLOSED = ("window", "no_template")
# Reasons why something is held that no word from her ends: it is opened, asked or gathered.
ELSEWISE = ("discreet", "doubt", "cut", "quiet", "paused", *GATHERED)
partial_index(
    "ix_deliveries_waiting",
    "state IN ('queued', 'unknown')",
    deliveries.c.lane,
    deliveries.c.priority,
    deliveries.c.place,
    deliveries.c.id,
)
partial_index("ix_deliveries_under_way", "state = 'sending'", deliveries.c.lane)
partial_index("ix_deliveries_tried", "state = 'queued' AND attempts > 0", deliveries.c.lane)
partial_index(
    "ix_deliveries_put_off",
    "state = 'held' AND reason IN ('quiet', 'paused')",
    deliveries.c.lane,
    deliveries.c.due_at,
)
partial_index("ix_deliveries_held", "state = 'held'", deliveries.c.address_id)
# Only what is settled: a fan-out would have to touch a page of this index for each member.
partial_index(
    "ix_deliveries_settled",
    "state NOT IN ('queued', 'sending')",
    deliveries.c.member_id,
    deliveries.c.due_at,
)

dispatches = Table(  # one part of a delivery, as handed to a provider
    "dispatches",
    metadata,
    row_id(),
    ref("delivery_id", "deliveries"),
    Column("part", Integer, nullable=False),
    Column("token", String(24), nullable=False, unique=True),  # ours, in status callbacks
    # sending, sent, delivered, read, unknown, failed
    Column("state", String(12), nullable=False),
    Column("content", Sealed("dispatches.content", as_json=True)),  # frozen until it is settled
    # The file of a member that goes along: its provider may fetch it after the rest is forgotten.
    # Sealed, since who hears the answer to a report is mostly who reported.
    Column("media", Sealed("dispatches.media", as_json=True)),
    Column("provider_key", LargeBinary(16), index=True),  # lookup of the provider's id
    Column("provider_id", Sealed("dispatches.provider_id")),
    Column("repeats", Integer, nullable=False, server_default="0"),  # sends after an unknown one
    Column("error", String(20)),  # the provider's code
    Column("created_at", Moment, nullable=False),
    # when it was last handed over: rates and costs are counted by it
    Column("handed_at", Moment, index=True),
    Column("told_at", Moment),  # when the provider last said what became of it
    UniqueConstraint("delivery_id", "part"),
)

showings = Table(  # which posts a delivery has shown; what is hidden later is found by it
    "showings",
    metadata,
    Column("post_id", Id, primary_key=True),  # perhaps gone already: no foreign key
    ref("delivery_id", "deliveries", primary_key=True, index=True),
)

prompts = Table(  # choices as they were shown; a tap, a number or a label comes back to them
    "prompts",
    metadata,
    row_id(),
    Column("token", String(16), nullable=False, unique=True),
    ref("address_id", "addresses"),
    ref("message_id", "messages"),
    Column("language", String(8), nullable=False),
    # [Clear] stood under its choices
    Column("clears", Boolean, nullable=False, server_default=false()),
    Column("shown_at", Moment, nullable=False),
    Column("consumed_at", Moment),
    # a keyed lookup of the choice that consumed it: where it stood in the list would tell it
    Column("chosen", LargeBinary(16)),
    Index(None, "address_id", "id"),
    Index(None, "message_id", "address_id"),
)

lanes = Table(  # one sending identity at a provider; one worker owns it at a time
    "lanes",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("fence", Integer, nullable=False),  # grows with every owner; older ones are refused
    Column("link", String(200)),  # opens a chat with us; what is to be said is put at its end
    Column("owner", String(24)),  # a random name of the process that works on it; None = nobody
    Column("leased_until", Moment),  # by the store's own clock; then another may take it
    Column("paused_until", Moment),  # the provider wants nothing before this ...
    Column("paused_why", String(20)),  # ... and its code for it
    Column("heard_at", Moment),  # what came in before this is known to have come to us
)

templates = Table(  # what a provider has approved to be said when a window is closed
    "templates",
    metadata,
    Column("lane", String(40), primary_key=True),
    Column("name", String(60), primary_key=True),  # nudge, choices_3, ...
    Column("language", String(8), primary_key=True),  # of the member; "" = any
    Column("code", String(8), nullable=False),  # the provider's own code of its language
    Column("sid", String(40), nullable=False),  # the provider's id
    Column("hash", String(16), nullable=False),  # of its text: another text is another template
    # unsubmitted, received, pending, approved, rejected, paused, disabled
    Column("state", String(12), nullable=False),
    Column("reason", String(200)),  # why it was rejected or paused, in the provider's words
    Column("checked_at", Moment, nullable=False),
)

occurrences = Table(  # a due moment that somebody took
    "occurrences",
    metadata,
    # job and due moment; edition/<id>/<zone>
    Column("key", String(120), primary_key=True),
    Column("taken_at", Moment, nullable=False, index=True),
    Column("skipped", String(20)),  # why nothing was done at this moment
)
