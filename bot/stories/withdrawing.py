"""What ends with a consent: a place in rounds, what was said of it there, and files it is in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from bot.messages import Message, _
from bot.store import communities, consents, rounds, stories, story_exports, traces, voices
from bot.store.audiences import Audience
from bot.store.consents import USES
from bot.store.stories import Story
from bot.telling import retract, tell
from bot.timing import zone


def leave(db: Connection, now: datetime, story: Story, uses: Collection[str]) -> None:
    """Out of all rounds that need one of these; nobody is told, least of all who chose it."""
    for use in uses:
        for candidate_id in rounds.list_entries(db, story.id, use):
            for post_id in voices.list_posts(db, candidate_id):
                traces.drop_copies(db, post_id, None)
                retract(db, now, post_id)
                stories.empty(db, post_id)
            rounds.remove_candidate(db, candidate_id)


def take_out(db: Connection, now: datetime, story: Story, uses: Collection[str]) -> None:
    """Who works with files that have it hears which number to take out, and not whose it is."""
    where = zone(communities.get(db, story.community_id).timezone)
    for held in story_exports.mark_out(db, story.id, uses, now):
        made_by = () if held.made_by is None else (held.made_by,)
        for reader in story_exports.list_readers(db, story.community_id, made_by):
            message = Message(
                (
                    _(
                        "Please take story {number} out of the file of stories of {at}, and out "
                        "of all copies: it may not be used so any more.",
                        number=story.id,
                        at=held.made_at.astimezone(where).date(),
                    ),
                )
            )
            key = f"story/{story.id}/out/{held.id}/{reader}"
            tell(db, now, key, Audience("member", reader), message, kind="session")


def forget(db: Connection, now: datetime, story: Story) -> None:
    """She is being forgotten: nothing leads from the story to her, and it is used nowhere."""
    consents.end(db, story.id, now)
    leave(db, now, story, USES)
    take_out(db, now, story, USES)
    for part in stories.list_parts(db, story.id):
        traces.drop_copies(db, part.post_id, None)
        retract(db, now, part.post_id)
        stories.empty(db, part.post_id)
    stories.mark(db, story.id, member_id=None, state=stories.WITHDRAWN)
