"""Arriving: what came too late to go along with its words follows them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.messages import Message, Ref, _
from bot.store import enclosures
from bot.store.audiences import Audience
from bot.telling import tell


def follow(db: Connection, media_id: int, now: datetime) -> None:
    """To all who were told its post without it; once, when nothing more of the post is awaited."""
    late = enclosures.find_told_without(db, media_id)
    if late is None:
        return
    subject = None if late.thread_id is None else Ref("threads", late.thread_id)
    words = (_("This has arrived now:"), _("{post}", post=Ref("posts", late.post_id)))
    tell(
        db,
        now,
        f"arrived/{late.post_id}",
        Audience("holders", late.post_id, but=(late.author_id or 0,)),
        Message(words, subject=subject),
        community_id=late.community_id,
    )
