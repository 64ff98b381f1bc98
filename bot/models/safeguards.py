"""What protects people: held words, codes, tallies, the audit, erasures, reports."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table

from bot.columns import Moment, Sealed, metadata
from bot.models.keys import Id, ref, row_id

envelopes = Table(  # held for a short random time, so that the moment names nobody
    "envelopes",
    metadata,
    Column("id", String(24), primary_key=True),  # random: it tells no order
    Column("due_at", Moment, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("content", Sealed("envelopes.content", as_json=True), nullable=False),
)

codes = Table(  # given to one person, used once: to link another app, to bring a new number in
    "codes",
    metadata,
    row_id(),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # lookup of the code
    Column("purpose", String(12), nullable=False),  # link, vouch
    ref("member_id", "members", index=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

tallies = Table(  # how often somebody did something in a time, where it is limited
    "tallies",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # lookup of who and what: tells neither
    Column("count", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

audit = Table(  # who did what to whom among those with a role; lines are only added
    "audit",
    metadata,
    row_id(),
    Column("at", Moment, nullable=False, index=True),
    Column("actor_id", Id),  # a member; None = an operator at the command line
    Column("action", String(40), nullable=False),
    Column("community_id", Id),
    Column("subject_id", Id),  # a member, post or thread, as the action says
)

erasures = Table(  # what is to be deleted at a provider; knows nobody of ours
    "erasures",
    metadata,
    Column("id", String(24), primary_key=True),  # random: it tells no order
    Column("lane", String(40), nullable=False),
    Column("work", Sealed("erasures.work", as_json=True), nullable=False),  # {"to", "ids"}
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Moment, nullable=False, index=True),
)

ledger = Table(  # who was erased: an older backup that is restored must forget them again
    "ledger",
    metadata,
    Column("member_id", Id, primary_key=True),  # a number that is never given again
    Column("erased_at", Moment, nullable=False, index=True),
    Column("posts_too", Boolean, nullable=False),
)

backups = Table(  # when a copy of the store was made
    "backups",
    metadata,
    Column("made_at", Moment, primary_key=True),
    Column("size", BigInteger, nullable=False),  # bytes
)

floors = Table(  # numbers that were given, though what had them is not here any more
    "floors",
    metadata,
    Column("name", String(40), primary_key=True),  # threads: the number of a question
    Column("value", BigInteger, nullable=False),  # the highest that may have been given
)

spendings = Table(  # how much was handed to a provider in a month: rows go, the sum stays
    "spendings",
    metadata,
    Column("lane", String(40), primary_key=True),
    Column("month", Integer, primary_key=True),  # 202611, UTC
    Column("bubbles", Integer, nullable=False),
    Column("counted_until", Moment, nullable=False),
)

reports = Table(  # a concern that was reported; outside communities and threads
    "reports",
    metadata,
    row_id(),
    Column("key", LargeBinary(16), nullable=False, unique=True),  # lookup of the receipt code
    ref("programme_id", "programmes"),
    Column("reporter", Sealed("reports.reporter", as_json=True)),  # {"member": id} if she wants
    Column("named", Sealed("reports.named", as_json=True), nullable=False),  # with her name?
    Column("state", String(12), nullable=False),  # open, closed
    Column("created_at", Moment, nullable=False),  # the hour
)

REPORTER, FOCAL_POINT = "reporter", "focal_point"  # who said something about a report

notes = Table(  # what was said about a report, by who reported and by the focal points
    "notes",
    metadata,
    row_id(),
    ref("report_id", "reports", index=True),
    Column("author", Sealed("notes.author"), nullable=False),  # reporter, focal_point
    Column("kind", String(12), nullable=False, server_default="text"),  # text, voice, photo, ...
    Column("text", Sealed("notes.text"), nullable=False),
    ref("media_id", "media", nullable=True, ondelete="SET NULL", index=True),  # its file
    Column("created_at", Moment, nullable=False),  # the hour
)
