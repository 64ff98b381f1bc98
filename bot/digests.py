"""Digests: many messages said as one, by reference only. (A small stand-in.)"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.messages import Message, Ref, Text, _
from bot.store import digests

fold = digests.fold


def compose(db: Connection, delivery_ids: Sequence[int]) -> Message | None:
    lines: list[Text] = []
    for thread_id, post_id in digests.list_posts(db, delivery_ids):
        thread, words = Ref("threads", thread_id), Ref("posts", post_id, 80)
        lines.append(_("{thread}: {post}", thread=thread, post=words))
    return Message(tuple(lines)) if lines else None
