"""Who there is: programmes, communities, members, their addresses, who may come in."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import Id, partial_index, ref, row_id

secrets = Table(  # the store's own keys, sealed with LINKLINE_KEYS
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Sealed("secrets.value"), nullable=False),
)

programmes = Table(  # a grant programme: whom to ask when there is no code
    "programmes",
    metadata,
    row_id(),
    Column("slug", String(60), nullable=False, unique=True),
    Column("names", JSON, nullable=False),  # {language: name}
    Column("contact", Text, nullable=False),  # public, shown to strangers
    Column("retention", JSON),  # {what: days}, where it differs from the usual
    # voices may be turned into text, by the engine of their language
    Column("transcribe", Boolean, nullable=False, server_default=false()),
    Column("budget", Integer),  # US dollars a month for providers; None = no limit is watched
)

help_contacts = Table(  # where somebody in need gets help now
    "help_contacts",
    metadata,
    row_id(),
    ref("programme_id", "programmes", index=True),
    Column("country", String(2), nullable=False),
    Column("words", JSON, nullable=False),  # {language: name, number, hours}
)

communities = Table(  # a community of practice (CoP); its name is a content: rhythm.py
    "communities",
    metadata,
    row_id(),
    ref("programme_id", "programmes"),
    Column("slug", String(60), nullable=False, unique=True),
    Column("language", String(8), nullable=False),  # source language of what is written for it
    Column("timezone", String(60), nullable=False),
    Column("approval", Boolean, nullable=False),  # a facilitator welcomes each newcomer
    Column("discreet", Boolean, nullable=False),  # who sees the phone learns nothing
    Column("ended_at", Moment),
)

members = Table(  # a person; "new" until she agreed to what is kept
    "members",
    metadata,
    row_id(),
    Column("state", String(12), nullable=False),  # new, active, stopped, group, erasing
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
    Column("paused_until", Moment),  # what is not asked for waits until then
    Column("quiet_from", Integer),  # minutes after midnight in her zone; None = as usual
    Column("quiet_until", Integer),
    Column("week", Integer),  # the week (days since 1970 of its Monday in her zone) in which ...
    Column("unasked", Integer, nullable=False, server_default="0"),  # ... she got so much unasked
    # of what is said every week: all, tip, prompt, fortnight, none
    Column("rhythm", String(12), nullable=False, server_default="all"),
    # reads: gets the text of voices; described: that of photos; None = as they come
    Column("likes", String(10)),
    # what she reflected on comes back after a month; None = she was not asked yet
    Column("looks_back", Boolean),
    Column("secret", Sealed("members.secret")),  # what proves her secret word, never the word
    Column("erasing_at", Moment, index=True),  # she asked to be forgotten
    Column("erases_posts", Boolean, nullable=False, server_default=false()),  # what she wrote too
    Column("created_at", Moment, nullable=False),
    # The number of somebody who was erased is never given to somebody else.
    sqlite_autoincrement=True,
)

addresses = Table(  # a member on a channel
    "addresses",
    metadata,
    row_id(),
    ref("member_id", "members", index=True),
    Column("lane", String(40), nullable=False),
    Column("sealed", Sealed("addresses.sealed"), nullable=False),  # where to write to
    Column("preferred", Boolean, nullable=False),  # the one of her addresses that is used unasked
    # her wish; the preferred one is another while this cannot be reached
    Column("first_choice", Boolean, nullable=False, server_default=true()),
    Column("linked_at", Moment),  # as her second app; it shows nothing from before
    Column("doubted_at", Moment),  # perhaps somebody else has it now: she is asked first
    Column("unlocked_until", Moment),  # the secret word was given here
    Column("heard_since", Moment),  # the minute in which ...
    Column("heard_count", Integer, nullable=False, server_default="0"),  # ... so much came
    Column("unreachable_at", Moment),  # blocked or gone, until she writes again
    Column("last_inbound_at", Moment),  # opens the free-reply window
    Column("nudged_at", Moment),  # with the window closed she was last told that something waits
    Column("nudges", Integer, nullable=False, server_default="0"),  # without an answer since
    # from when on she is asked about what waited for her window; None = nothing is to be asked
    Column("offer_at", Moment),
    Column("wrong_codes", Integer, nullable=False, server_default="0"),
    Column("wrong_codes_since", Moment),
    Column("created_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
partial_index("uq_addresses_preferred", "preferred", addresses.c.member_id, unique=True)

# who was nudged lately: providers count them
partial_index(
    "ix_addresses_nudged", "nudged_at IS NOT NULL", addresses.c.lane, addresses.c.nudged_at
)
# who was nudged and is silent: counted for the figures
partial_index("ix_addresses_silent", "nudges > 0", addresses.c.lane)

address_keys = Table(  # the names one address may come by (number, user id), as keyed lookups
    "address_keys",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    ref("address_id", "addresses", index=True),
    Column("name", Sealed("address_keys.name")),  # to make the lookup anew with another key
)

memberships = Table(
    "memberships",
    metadata,
    row_id(),
    ref("member_id", "members"),
    ref("community_id", "communities"),
    # member, host, facilitator, monitor, focal_point, administrator: bot/roles.py
    Column("role", String(16), nullable=False),
    Column("role_until", Moment),  # then she is a member again
    Column("role_from", Id),  # the member who gave her the role, and may take it back
    Column("state", String(12), nullable=False),  # waiting, active, declined, left
    # how much of it she wants: at_once, daily, weekly, concerns, muted
    Column("pace", String(12), nullable=False, server_default="at_once"),
    Column("digest_at", Moment),  # when what is gathered for her there is looked at ...
    Column("digested_at", Moment),  # ... and when it was, the last time
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("member_id", "community_id"),
    Index(None, "community_id", "member_id"),
    sqlite_autoincrement=True,
)
partial_index("ix_memberships_digest", "digest_at IS NOT NULL", memberships.c.digest_at)
# those few among all members; written out, since SQLite uses such an index only if it sees this
FACILITATES = text("memberships.role = 'facilitator'")
partial_index("ix_memberships_facilitates", "role = 'facilitator'", memberships.c.member_id)

role_offers = Table(  # a member was asked to take a role; it stands for a week
    "role_offers",
    metadata,
    row_id(),
    ref("community_id", "communities"),
    ref("member_id", "members", index=True),  # who was asked
    ref("giver_id", "members", index=True),  # who asked, and may take it back later
    Column("role", String(16), nullable=False),
    Column("days", Integer),  # for so long; None = for good
    Column("expires_at", Moment, nullable=False),
    Column("answered_at", Moment),
)

invites = Table(
    "invites",
    metadata,
    row_id(),
    ref("community_id", "communities"),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # lookup of the code
    Column("code", Sealed("invites.code"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("uses", Integer, nullable=False),  # how many may use it
    Column("used", Integer, nullable=False, server_default="0"),
    Column("expires_at", Moment, nullable=False),
    Column("ended_at", Moment),
)
