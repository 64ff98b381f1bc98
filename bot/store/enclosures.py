"""Enclosures: what goes along with a part of a delivery, and whether it may still be seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from bot.codec import message_from_json
from bot.messages import Message, Ref, refs_in
from bot.models.captions import captions
from bot.models.leaves import LEAF
from bot.models.media import media
from bot.models.outbox import deliveries, dispatches, messages, showings
from bot.models.talks import bubbles, posts

REFERRED = "referred"  # what is hidden is shown to the focal point it was referred to
_SHOWN = ("posts", "stories", "veiled", "veiled_stories", REFERRED)


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
        select(messages.c.body, deliveries.c.address_id, dispatches.c.media_id)
        .join(deliveries, deliveries.c.message_id == messages.c.id)
        .join(dispatches, dispatches.c.delivery_id == deliveries.c.id)
        .where(dispatches.c.token == token, or_(under_way, handed_at > since))
    )
    row = db.execute(statement).first()
    if row is None:
        return None
    return Enclosure(message_from_json(row.body), row.address_id, row.media_id)


def find_media(db: Connection, enclosure: Enclosure) -> Medium | None:
    """As long as it stands in a post that was shown to this reader and may be seen; not in a leaf.

    Taken back or told more narrowly, the same recording goes on in another post.
    """
    shown = shown_in_full(enclosure.message)
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
    """Posts of which a message says all: what came with them goes along. Lists only quote."""
    refs = (ref for text in message.paragraphs for ref in refs_in(text))
    return list(dict.fromkeys(ref for ref in refs if ref.table in _SHOWN and ref.most is None))


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
