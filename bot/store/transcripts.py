"""Transcripts: which voices an engine is to hear, who hears them now, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.db import Collision, locking_once
from bot.models.captions import agreements, captions
from bot.models.leaves import leaves
from bot.models.media import media
from bot.models.people import communities, members, memberships, programmes
from bot.models.talks import bubbles, posts

LATELY = timedelta(days=2)  # voices that were stored before are not looked for
LONGEST = 5 * 60 * 1000  # milliseconds of a voice that is turned into text
SPOKEN = ("voice", "video")


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice in a live post of a programme that wants text."""

    media_id: int
    name: str  # of its file in the vault
    mime: str | None
    milliseconds: int | None
    language: str  # of its author; of the community, where nobody is known
    author_id: int | None
    post_id: int
    agreed_to: str | None  # the service she was asked about
    answer: str | None  # what she said: asked, yes, no, later
    answered_at: datetime | None
    named: bool  # whether others may know whose it is

    def may_go_to(self, service: str | None) -> bool:
        """Outside only with her consent; what has no name never."""
        if service is None:
            return True
        return self.may_be_asked and (self.answer, self.agreed_to) == ("yes", service)

    @property
    def may_be_asked(self) -> bool:
        """Whether somebody is known who could agree to that."""
        return self.author_id is not None and self.named


@dataclass(frozen=True, slots=True)
class Work:
    """One voice as a scribe took it."""

    caption_id: int
    attempts: int  # this one among them

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        """As long as nobody else took it since, and nobody refused it."""
        return (
            captions.c.id == self.caption_id,
            captions.c.state == "waiting",
            captions.c.attempts == self.attempts,
        )


_HERE = exists().where(
    memberships.c.member_id == posts.c.author_id,
    memberships.c.community_id == posts.c.community_id,
    memberships.c.state == "active",
)
_LANGUAGE = func.coalesce(members.c.language, communities.c.language)


def _voices() -> Select[Any]:
    """All that may be heard now: looked at when it is found, and right before it is sent."""
    return (
        select(
            media.c.id,
            media.c.name,
            media.c.mime,
            media.c.milliseconds,
            _LANGUAGE,
            posts.c.author_id,
            posts.c.id,
            agreements.c.service,
            agreements.c.answer,
            agreements.c.at,
            func.coalesce(leaves.c.named, True),
        )
        .join(bubbles, bubbles.c.media_id == media.c.id)
        .join(posts, posts.c.id == bubbles.c.post_id)
        .join(communities, communities.c.id == posts.c.community_id)
        .join(programmes, programmes.c.id == communities.c.programme_id)
        .outerjoin(members, members.c.id == posts.c.author_id)
        .outerjoin(leaves, leaves.c.post_id == posts.c.id)
        .outerjoin(agreements, agreements.c.member_id == posts.c.author_id)
        .where(
            media.c.kind.in_(SPOKEN),
            media.c.state == "stored",
            posts.c.state == "live",
            communities.c.ended_at.is_(None),
            programmes.c.transcribe,
            posts.c.author_id.is_(None) | and_(members.c.state == "active", _HERE),
        )
    )


def list_new(db: Connection, languages: Iterable[str], now: datetime, most: int) -> list[Voice]:
    """Voices in these languages that nobody has looked at, and nobody has written down."""
    standing = captions.c.state.in_(("shown", "refused"))
    looked_at = exists().where(
        captions.c.media_id == media.c.id, (captions.c.kind == "automatic") | standing
    )
    found = _voices().where(
        media.c.stored_at > now - LATELY, _LANGUAGE.in_(list(languages)), ~looked_at
    )
    return [Voice(*row) for row in db.execute(found.order_by(media.c.id).limit(most))]


def add(db: Connection, found: Mapping[int, str], now: datetime) -> None:
    """Media and the state of their automatic caption: waiting, asking, declined, failed."""
    rows = [
        {
            "media_id": media_id,
            "kind": "automatic",
            "state": state,
            "due_at": now if state == "waiting" else None,
            "created_at": now,
        }
        for media_id, state in found.items()
    ]
    try:
        if rows:
            db.execute(insert(captions), rows)
    except IntegrityError:  # another process has noticed them too
        raise Collision from None


def release(db: Connection, member_id: int, now: datetime) -> int:
    """She agreed: her voices that waited for it are heard."""
    asking = (captions.c.state == "asking", captions.c.media_id.in_(_hers(member_id)))
    found = update(captions).where(*asking).values(state="waiting", due_at=now)
    return db.execute(found).rowcount


def withdraw(db: Connection, member_id: int) -> int:
    """She does not agree, or not any more: what waits is dropped. What stands there stays."""
    waits = captions.c.state.in_(("asking", "waiting"))
    dropped = update(captions).where(waits, captions.c.media_id.in_(_hers(member_id)))
    return db.execute(dropped.values(state="declined", due_at=None)).rowcount


def _hers(member_id: int) -> Select[tuple[int | None]]:
    return (
        select(bubbles.c.media_id)
        .join(posts, posts.c.id == bubbles.c.post_id)
        .where(posts.c.author_id == member_id, bubbles.c.media_id.is_not(None))
    )


def expects(db: Connection, member_id: int) -> bool:
    """Whether she knows that her voice is turned into text: she agreed to it, or has seen it."""
    tried = captions.c.attempts > 0  # by an engine
    before = select(captions.c.id).where(
        tried,
        captions.c.state.in_(("shown", "replaced", "refused")),
        captions.c.media_id.in_(_hers(member_id)),
    )
    agreed = select(agreements.c.member_id).where(
        agreements.c.member_id == member_id, agreements.c.answer == "yes"
    )
    return any(db.execute(each.limit(1)).first() is not None for each in (agreed, before))


# The work ----------------------------------------------------------------------------------------

_DUE = locking_once(
    select(captions.c.id, captions.c.attempts, captions.c.due_at)
    .where(captions.c.due_at.is_not(None), captions.c.state == "waiting")
    .order_by(captions.c.due_at)
    .limit(1),
    skip_locked=True,
)


def claim(db: Connection, now: datetime, lease: timedelta) -> Work | None:
    """Take one that is due; nobody else gets it before the lease is over."""
    row = db.execute(_DUE[db.dialect.name]).first()
    if row is None or row.due_at > now:
        return None
    taken = {"due_at": now + lease, "attempts": captions.c.attempts + 1}
    db.execute(update(captions).where(captions.c.id == row.id).values(taken))
    return Work(row.id, row.attempts + 1)


def find_voice(db: Connection, work: Work) -> Voice | None:
    """What is to be heard, if it still may be: not hidden, left, erased or refused meanwhile."""
    mine = select(captions.c.media_id).where(*work._mine)
    row = db.execute(_voices().where(media.c.id.in_(mine))).first()
    return None if row is None else Voice(*row)


def finish(
    db: Connection, work: Work, state: str, text: str | None = None, language: str | None = None
) -> bool:
    """What became of it; False if it is not ours any more, and nothing is to be said."""
    values: dict[str, Any] = {"state": state, "due_at": None, "text": text, "language": language}
    try:
        return db.execute(update(captions).where(*work._mine).values(values)).rowcount == 1
    except IntegrityError:  # somebody wrote it down at this very moment
        raise Collision from None


def postpone(db: Connection, work: Work, due_at: datetime) -> None:
    """The engine could not just now."""
    db.execute(update(captions).where(*work._mine).values(due_at=due_at))
