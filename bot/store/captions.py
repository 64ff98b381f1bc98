"""Captions: the words that stand for a voice, a video or a photo; at most one of each is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.db import Collision, insert_new, insert_returning
from bot.messages import Ref
from bot.models.captions import captions
from bot.models.leaves import LEAF
from bot.models.media import media
from bot.models.outbox import deliveries, showings
from bot.models.people import members
from bot.models.talks import bubbles, posts

CLAIM_LASTS = timedelta(hours=1)  # then somebody else may write it down
LATELY = timedelta(days=2)  # what was stored before is not asked about any more
ASKED_EVERY = timedelta(days=1)  # at most so often somebody is asked what her photos show ...
RESTS = timedelta(days=30)  # ... and for so long not at all, when she left it out twice
SPOKEN = ("voice", "video")
_REACHED = ("sent", "delivered", "read", "folded")
_OPEN = ("asking", "waiting")  # an engine has not had its turn


@dataclass(frozen=True, slots=True)
class Caption:
    """One row with what it stands under."""

    id: int
    media_id: int
    kind: str  # automatic, written, described
    state: str
    writer_id: int | None
    post_id: int
    author_id: int | None  # of the post

    @property
    def ref(self) -> Ref:
        return Ref("captions", self.id)


_CAPTION = (
    captions.c.id,
    captions.c.media_id,
    captions.c.kind,
    captions.c.state,
    captions.c.author_id,
    posts.c.id,
    posts.c.author_id,
)


def find(db: Connection, caption_id: int) -> Caption | None:
    """With the post it belongs to, as long as that is live."""
    statement = (
        select(*_CAPTION)
        .join(bubbles, bubbles.c.media_id == captions.c.media_id)
        .join(posts, posts.c.id == bubbles.c.post_id)
        .where(captions.c.id == caption_id, posts.c.state == "live")
    )
    row = db.execute(statement).first()
    return None if row is None else Caption(*row)


def find_bare(db: Connection, post_id: int) -> tuple[int | None, str]:
    """The first voice of a post that nobody has written down yet, and why there is none.

    Why: "" there is one; "written"; "refused" its author wants none; "none" there is no voice.
    """
    said = captions.c.kind != "described"
    written = and_(captions.c.kind == "written", captions.c.state == "shown")
    statement = (
        select(media.c.id, captions.c.state)
        .join(bubbles, bubbles.c.media_id == media.c.id)
        .outerjoin(
            captions,
            and_(
                captions.c.media_id == media.c.id,
                or_(written, and_(captions.c.state == "refused", said)),
            ),
        )
        .where(bubbles.c.post_id == post_id, media.c.kind.in_(SPOKEN), _is_there)
        .order_by(bubbles.c.id)
    )
    rows = db.execute(statement).all()
    bare = next((row.id for row in rows if row.state is None), None)
    if bare is not None or not rows:
        return bare, "" if rows else "none"
    return None, "written" if any(row.state == "shown" for row in rows) else "refused"


_is_there: ColumnElement[bool] = media.c.state.in_(("waiting", "stored"))


def show(
    db: Connection,
    media_id: int,
    kind: str,
    text: str,
    writer_id: int | None,
    language: str | None,
    now: datetime,
) -> int:
    """From now on this stands there, and nothing else does; its id."""
    _put_aside(db, media_id, "replaced")
    db.execute(
        delete(captions).where(
            captions.c.media_id == media_id, captions.c.state.in_(("claimed", "asked"))
        )
    )
    row = {
        "media_id": media_id,
        "kind": kind,
        "text": text,
        "author_id": writer_id,
        "language": language,
        "state": "shown",
        "created_at": now,
    }
    try:
        [caption_id] = insert_returning(db, captions, [row])
    except IntegrityError:  # somebody else was first: rerun the turn
        raise Collision from None
    return caption_id


def stand_for(db: Connection, caption: Caption) -> None:
    """Its author has read an automatic text and says that it is right: it is hers now."""
    mine = (captions.c.id == caption.id, captions.c.state == "shown")
    db.execute(update(captions).where(*mine).values(kind="written", author_id=caption.author_id))


def refuse(db: Connection, media_id: int, now: datetime) -> None:
    """Its author wants no words under it: none are shown, and none are asked for."""
    if not _put_aside(db, media_id, "refused"):
        row = {"media_id": media_id, "kind": "written", "state": "refused", "created_at": now}
        db.execute(insert(captions), [row])
    claimed = (captions.c.media_id == media_id, captions.c.state == "claimed")
    db.execute(delete(captions).where(*claimed))


def _put_aside(db: Connection, media_id: int, state: str) -> int:
    """What is shown, or would be soon: its words go, the row says what became of it."""
    standing = (captions.c.media_id == media_id, captions.c.state.in_(("shown", *_OPEN)))
    values = {"state": state, "text": None, "due_at": None}
    return db.execute(update(captions).where(*standing).values(values)).rowcount


# Written down by peers ---------------------------------------------------------------------------


def has_received(db: Connection, post_id: int, member_id: int) -> bool:
    """Whether a post has come to her: told to its thread, or shown when she asked for it."""
    told = (
        select(deliveries.c.id)
        .join(posts, posts.c.message_id == deliveries.c.message_id)
        .where(posts.c.id == post_id)
    )
    shown = (
        select(deliveries.c.id)
        .join(showings, showings.c.delivery_id == deliveries.c.id)
        .where(showings.c.post_id == post_id)
    )
    hers = (deliveries.c.member_id == member_id, deliveries.c.state.in_(_REACHED))
    found = (db.execute(each.where(*hers).limit(1)).first() for each in (told, shown))
    return any(each is not None for each in found)


def claim(db: Connection, media_id: int, member_id: int, now: datetime) -> bool:
    """She is writing it down; False if somebody else does so at this time."""
    claimed = (captions.c.media_id == media_id, captions.c.state == "claimed")
    over = or_(captions.c.created_at < now - CLAIM_LASTS, captions.c.author_id == member_id)
    db.execute(delete(captions).where(*claimed, over))
    row = {
        "media_id": media_id,
        "kind": "written",
        "author_id": member_id,
        "state": "claimed",
        "created_at": now,
    }
    new = insert_new(db, captions).values(row).on_conflict_do_nothing()
    return db.execute(new).rowcount == 1


def let_go(db: Connection, media_id: int, member_id: int) -> None:
    """She does not write it down after all."""
    hers = (captions.c.media_id == media_id, captions.c.author_id == member_id)
    db.execute(delete(captions).where(*hers, captions.c.state == "claimed"))


# Photos ------------------------------------------------------------------------------------------


def list_unasked(db: Connection, now: datetime, most: int) -> Sequence[tuple[int, int, int]]:
    """Photos whose author was not asked yet what they show: (media, author, post)."""
    captioned = select(captions.c.id).where(captions.c.media_id == media.c.id)
    statement = (
        select(media.c.id, posts.c.author_id, posts.c.id)
        .join(bubbles, bubbles.c.media_id == media.c.id)
        .join(posts, posts.c.id == bubbles.c.post_id)
        .join(members, members.c.id == posts.c.author_id)
        .where(
            media.c.stored_at > now - LATELY,
            media.c.kind == "photo",
            media.c.state == "stored",
            posts.c.state == "live",
            posts.c.kind != LEAF,  # it shows no photo
            members.c.state == "active",
            ~captioned.exists(),
        )
        .order_by(media.c.id)
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in db.execute(statement)]


def ask(db: Connection, media_id: int, author_id: int, now: datetime) -> int | None:
    """Note that she is asked what a photo shows; None = she is left in peace, also about this."""
    before = select(captions.c.state, captions.c.created_at).where(
        captions.c.author_id == author_id,
        captions.c.kind == "described",
        captions.c.state.in_(("asked", "refused", "shown")),
    )
    last = db.execute(before.order_by(captions.c.id.desc()).limit(2)).all()
    tired = len(last) == 2 and all(each.state != "shown" for each in last)
    rests = RESTS if tired else ASKED_EVERY
    in_peace = bool(last) and last[0].created_at > now - rests
    row = {
        "media_id": media_id,
        "kind": "described",
        "author_id": author_id,
        "state": "replaced" if in_peace else "asked",
        "created_at": now,
    }
    [caption_id] = insert_returning(db, captions, [row])
    return None if in_peace else caption_id


def skip(db: Connection, caption_id: int) -> None:
    """She would rather not say what it shows."""
    asked = (captions.c.id == caption_id, captions.c.state == "asked")
    db.execute(update(captions).where(*asked).values(state="refused"))


def speak(db: Connection, caption: Caption, now: datetime) -> None:
    """What it shows is told by her voice, which is the last piece of the post."""
    replaced = update(captions).where(captions.c.id == caption.id).values(state="replaced")
    db.execute(replaced)
    pieces = select(bubbles.c.media_id).where(bubbles.c.post_id == caption.post_id)
    last = db.execute(pieces.order_by(bubbles.c.id.desc()).limit(1)).scalar_one()
    row = {
        "media_id": last,
        "kind": "described",
        "author_id": caption.author_id,
        "state": "spoken",
        "created_at": now,
    }
    db.execute(insert(captions), [row])


# Forgetting --------------------------------------------------------------------------------------


def forget(db: Connection, now: datetime, most: int) -> int:
    """Questions without an answer, and what became of engines' tries; a refusal stays."""
    week, season = now - timedelta(days=7), now - timedelta(days=60)
    over = or_(
        and_(captions.c.state.in_(("claimed", "asking")), captions.c.created_at < week),
        and_(
            captions.c.state.in_(("asked", "silent", "failed", "declined", "replaced")),
            captions.c.created_at < season,
        ),
    )
    ids = list(db.execute(select(captions.c.id).where(over).limit(most)).scalars())
    db.execute(delete(captions).where(captions.c.id.in_(ids)))
    return len(ids)


def forget_of(db: Connection, member_id: int, most: int, *, words_too: bool) -> int:
    """Some of what somebody who is being forgotten wrote under the media of others: how much."""
    hers: Any = select(captions.c.id).where(captions.c.author_id == member_id).limit(most)
    ids = list(db.execute(hers).scalars())
    mine = captions.c.id.in_(ids)
    unsaid = and_(mine, captions.c.state.in_(("claimed", "asked")))
    db.execute(delete(captions).where(mine if words_too else unsaid))
    db.execute(update(captions).where(mine).values(author_id=None))
    return len(ids)
