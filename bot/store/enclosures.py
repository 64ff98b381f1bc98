"""Enclosures: what goes along with a part of a delivery, and whether it may still be seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select

from bot.codec import message_from_json
from bot.messages import Message, Ref, refs_in
from bot.models.captions import captions
from bot.models.leaves import LEAF
from bot.models.media import media
from bot.models.outbox import deliveries, dispatches, messages, showings
from bot.models.people import addresses, communities, memberships
from bot.models.safeguards import FOCAL_POINT, REPORTER, notes, reports
from bot.models.talks import bubbles, posts

REFERRED = "referred"  # what is hidden is shown to the focal point it was referred to
NOTES = "notes"  # what was said about a report
_SHOWN = ("posts", "stories", "veiled", "veiled_stories", REFERRED, NOTES)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One part, and the message it belongs to."""

    message: Message
    address_id: int
    media_id: int | None


@dataclass(frozen=True, slots=True)
class Medium:
    """What a member sent, as it stands in the vault."""

    name: str  # of its file there
    kind: str  # voice, video, photo, document
    mime: str | None


def find(db: Connection, token: str, since: datetime) -> Enclosure | None:
    """By the token of the part, if it is being handed over, or was since then."""
    handed_at = func.coalesce(dispatches.c.handed_at, dispatches.c.created_at)
    under_way = dispatches.c.state.in_(("sending", "unknown"))
    statement = (
        select(messages.c.body, deliveries.c.address_id, dispatches.c.media)
        .join(deliveries, deliveries.c.message_id == messages.c.id)
        .join(dispatches, dispatches.c.delivery_id == deliveries.c.id)
        .where(dispatches.c.token == token, or_(under_way, handed_at > since))
    )
    row = db.execute(statement).first()
    if row is None:
        return None
    return Enclosure(message_from_json(row.body), row.address_id, row.media)


def find_media(db: Connection, enclosure: Enclosure) -> Medium | None:
    """As long as it is stored, and stands where its reader may see it."""
    return _find_in_post(db, enclosure) or _find_in_report(db, enclosure)


def _find_in_report(db: Connection, enclosure: Enclosure) -> Medium | None:
    """What was reported is for who is a focal point now; the answer for who had the code."""
    shown = [ref.id for ref in shown_in_full(enclosure.message) if ref.table == NOTES]
    if not shown:
        return None
    statement = (
        select(media.c.name, media.c.kind, media.c.mime, notes.c.author, _READS.label("reads"))
        .join(notes, notes.c.media_id == media.c.id)
        .join(reports, reports.c.id == notes.c.report_id)
        .where(media.c.id == enclosure.media_id, media.c.state == "stored", notes.c.id.in_(shown))
    )
    row = db.execute(statement, {"address_id": enclosure.address_id}).first()
    if row is None or (row.author == REPORTER and not row.reads):
        return None
    return Medium(row.name, row.kind, row.mime)


# Whether whoever has an address is a focal point of the programme of a report.
_READS = (
    select(memberships.c.member_id)
    .join(addresses, addresses.c.member_id == memberships.c.member_id)
    .join(communities, communities.c.id == memberships.c.community_id)
    .where(
        addresses.c.id == bindparam("address_id"),
        memberships.c.state == "active",
        memberships.c.role == FOCAL_POINT,
        communities.c.programme_id == reports.c.programme_id,
    )
    .correlate(reports)
    .exists()
)


def _find_in_post(db: Connection, enclosure: Enclosure) -> Medium | None:
    """A post that was shown to this reader; not in a leaf.

    Taken back or told more narrowly, the same recording goes on in another post.
    """
    shown = [ref for ref in shown_in_full(enclosure.message) if ref.table != NOTES]
    may_see = posts.c.state != "hidden"
    if any(ref.table == REFERRED for ref in shown):
        may_see = or_(may_see, posts.c.state == "hidden")
    statement = (
        select(media.c.name, media.c.kind, media.c.mime)
        .join(bubbles, bubbles.c.media_id == media.c.id)
        .join(posts, posts.c.id == bubbles.c.post_id)
        .where(media.c.id == enclosure.media_id, media.c.state == "stored", may_see)
        .where(posts.c.id.in_({ref.id for ref in shown}), posts.c.kind != LEAF)
    )
    row = db.execute(statement).first()
    return None if row is None else Medium(*row)


def shown_in_full(message: Message) -> list[Ref]:
    """Posts and notes of which a message says all: what came with them goes along.

    Lists only quote.
    """
    refs = (ref for text in message.paragraphs for ref in refs_in(text))
    return list(dict.fromkeys(ref for ref in refs if ref.table in _SHOWN and ref.most is None))


def is_awaited(db: Connection, report_id: int) -> bool:
    """Whether something of a report is still to be fetched."""
    waits = (notes.c.report_id == report_id, media.c.state == "waiting")
    statement = select(notes.c.id).join(media, media.c.id == notes.c.media_id).where(*waits)
    return db.execute(statement.limit(1)).first() is not None


def list_awaited(db: Connection, post_ids: Collection[int]) -> set[int]:
    """Those of these posts that wait for something to be fetched."""
    waits = (bubbles.c.post_id.in_(post_ids), media.c.state == "waiting")
    statement = select(bubbles.c.post_id).join(media, media.c.id == bubbles.c.media_id)
    return set(db.execute(statement.where(*waits)).scalars())


@dataclass(frozen=True, slots=True)
class Late:
    """A post that others were told before all of it was there."""

    post_id: int
    author_id: int | None
    thread_id: int | None
    community_id: int | None


def find_told_without(db: Connection, media_id: int) -> Late | None:
    """The post it belongs to, if that was told before and waits for nothing else."""
    others = bubbles.alias("others")
    awaited = (
        select(others.c.id)
        .join(media, media.c.id == others.c.media_id)
        .where(others.c.post_id == posts.c.id, media.c.state == "waiting")
    )
    told = (
        select(showings.c.delivery_id)
        .join(deliveries, deliveries.c.id == showings.c.delivery_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(showings.c.post_id == posts.c.id, messages.c.kind != "direct")
    )
    # A spoken description waits until somebody looks at the post again.
    spoken = select(captions.c.id).where(
        captions.c.media_id == media_id, captions.c.state == "spoken"
    )
    statement = (
        select(posts.c.id, posts.c.author_id, posts.c.thread_id, posts.c.community_id)
        .join(bubbles, bubbles.c.post_id == posts.c.id)
        .where(
            bubbles.c.media_id == media_id,
            posts.c.state == "live",
            posts.c.kind != LEAF,
            posts.c.heavy.is_(False),
            told.exists(),
            ~awaited.exists(),
            ~spoken.exists(),
        )
    )
    row = db.execute(statement).first()
    return None if row is None else Late(*row)
