"""The weekly rhythm: what is written for members, in which languages, and when it is said."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from bot.columns import Moment, metadata
from bot.models.keys import partial_index, ref, row_id

contents = Table(  # something written for members, in one language first
    "contents",
    metadata,
    row_id(),
    # library/tip/<slug>, community/<id>/prompt/<slug>, community/<id>/name
    Column("key", String(120), nullable=False, unique=True),
    ref("community_id", "communities", nullable=True, index=True),  # None = for everybody
    Column("kind", String(12), nullable=False),  # tip, prompt, name, purpose
    Column("theme", String(20)),
    Column("position", Integer, nullable=False, server_default="0"),  # in a series
    Column("language", String(8), nullable=False),  # of its source
    Column("hash", String(16), nullable=False),  # of its source: another one makes all else stale
    # for who reads a language it is not in: mark (the source, marked as such), hold (nothing)
    Column("fallback", String(8), nullable=False, server_default="mark"),
    ref("author_id", "members", nullable=True, ondelete="SET NULL", index=True),
    Column("created_at", Moment, nullable=False),
    Column("retired_at", Moment),  # not said any more; what was said still reads it
)

wordings = Table(  # how a content is said in one language, its source among them
    "wordings",
    metadata,
    ref("content_id", "contents", primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("text", Text, nullable=False),  # no person's words: what a programme publishes
    Column("status", String(12), nullable=False),  # draft, reviewed
    Column("source_hash", String(16), nullable=False),  # what it was translated from
    Column("library_hash", String(16)),  # as the library had it; None or another: edited here
    ref("author_id", "members", nullable=True, ondelete="SET NULL", index=True),
    Column("changed_at", Moment, nullable=False),
)

overrides = Table(  # a sentence of the catalogues, as one programme would rather have it
    "overrides",
    metadata,
    row_id(),
    ref("programme_id", "programmes"),
    Column("language", String(8), nullable=False),
    Column("hash", String(16), nullable=False),  # of the sentence and its plural
    Column("msgid", Text, nullable=False),
    Column("forms", JSON, nullable=False),  # one for each plural form of the language
    Column("before", JSON),  # what they were before the last change; None = as in the catalogue
    ref("author_id", "members", nullable=True, ondelete="SET NULL", index=True),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("programme_id", "language", "hash"),
    # The number of one that is gone is never another's: an old [Undo] means nothing then.
    sqlite_autoincrement=True,
)

schedules = Table(  # what a community hears again and again, and when
    "schedules",
    metadata,
    row_id(),
    ref("community_id", "communities"),
    Column("kind", String(12), nullable=False),  # tip, prompt, digest (what peers said)
    Column("weekday", Integer, nullable=False),  # Monday is 0
    Column("minutes", Integer, nullable=False),  # after midnight ...
    Column("timezone", String(60)),  # ... there; None = where each reader is
    Column("every", Integer, nullable=False, server_default="1"),  # weeks
    Column("first_on", Integer, nullable=False),  # days since 1970; weeks are counted from it
    Column("until_on", Integer),  # the last day
    Column("rests_until", Integer),  # nothing before this day
    Column("sequence", String(10), nullable=False, server_default="series"),  # shuffled, picked
    Column("stopped", Boolean, nullable=False, server_default=false()),
    # of what the programme file last said of it; another one there counts more than the chat
    Column("file_hash", String(16)),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("community_id", "kind"),
)

holidays = Table(  # days on which nothing is said unasked, and follow-ups do not count
    "holidays",
    metadata,
    row_id(),
    ref("programme_id", "programmes"),
    Column("country", String(2), nullable=False),
    Column("first_on", Integer, nullable=False),  # days since 1970
    Column("last_on", Integer, nullable=False),
    Column("names", JSON, nullable=False),  # {language: name}
    Index(None, "programme_id", "country", "first_on"),
)

editions = Table(  # one date of a schedule, and what became of it
    "editions",
    metadata,
    row_id(),
    ref("schedule_id", "schedules"),
    ref("community_id", "communities"),
    Column("kind", String(12), nullable=False),  # as its schedule
    Column("day", Integer, nullable=False),  # days since 1970, wherever its readers are
    # ahead, going (some have it, in their zones), out, skipped
    Column("state", String(12), nullable=False),
    # why it was skipped: holiday, by_hand, late, nothing, rests, ...
    Column("reason", String(20)),
    ref("content_id", "contents", nullable=True, ondelete="SET NULL", index=True),
    Column("picked", Boolean, nullable=False, server_default=false()),  # by a facilitator
    Column("next_at", Moment),  # when it is looked at again; None = it is over
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("schedule_id", "day"),
    # The number of an edition that was dropped is never another's.
    sqlite_autoincrement=True,
)
Index("ix_editions_of", editions.c.community_id, editions.c.day)
partial_index("ix_editions_due", "next_at IS NOT NULL", editions.c.next_at)

edition_messages = Table(  # in which messages an edition is said; several make one message
    "edition_messages",
    metadata,
    ref("message_id", "messages", primary_key=True),
    ref("edition_id", "editions", primary_key=True, index=True),
)

opinions = Table(  # [Useful] [Not for me]
    "opinions",
    metadata,
    ref("content_id", "contents", primary_key=True),
    ref("member_id", "members", primary_key=True, index=True),
    Column("useful", Boolean, nullable=False),
    Column("given_at", Moment, nullable=False),
)
