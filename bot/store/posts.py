"""Posts: what somebody contributes to a thread, made of the bubbles she wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from bot import seals
from bot.db import insert_returning, mark_due
from bot.messages import Inbound, Ref
from bot.models.media import KINDS, media, new_rows
from bot.models.outbox import deliveries, showings
from bot.models.talks import bubbles, posts


@dataclass(frozen=True, slots=True)
class Post:
    id: int
    kind: str  # question, answer, reply, outcome, announcement, reflection, ...
    state: str  # draft, waiting, live, hidden, kept
    author_id: int | None
    community_id: int | None
    thread_id: int | None
    message_id: int | None  # how it was told to its thread
    heavy: bool  # others choose whether and when they read it
    created_at: datetime

    @property
    def ref(self) -> Ref:
        return Ref("posts", self.id)


@dataclass(frozen=True, slots=True)
class Bubble:
    """One piece of a post, as it was typed."""

    kind: str  # text, voice, photo, ...
    text: str
    media_id: int | None  # its file
    forwarded: bool
    key: bytes | None  # lookup of the provider's id, for edits


_POST = (
    posts.c.id,
    posts.c.kind,
    posts.c.state,
    posts.c.author_id,
    posts.c.community_id,
    posts.c.thread_id,
    posts.c.message_id,
    posts.c.heavy,
    posts.c.created_at,
)


def add(
    db: Connection,
    author_id: int,
    inbound: Inbound,
    now: datetime,
    *,
    kind: str,
    state: str = "draft",
    thread_id: int | None = None,
    community_id: int | None = None,
    language: str | None = None,
) -> int:
    """A new post that begins with this bubble; `language` of an announcement."""
    row = {
        "author_id": author_id,
        "kind": kind,
        "state": state,
        "thread_id": thread_id,
        "community_id": community_id,
        "created_at": now,
    }
    [post_id] = insert_returning(db, posts, [row])
    add_bubbles(db, post_id, inbound, now, language)
    return post_id


def keep(
    db: Connection,
    begun: int | None,
    author_id: int,
    inbound: Inbound,
    now: datetime,
    *,
    kind: str,
) -> int:
    """Put what came into the draft it belongs to: the one a voice note began, or a new one."""
    if begun is None:
        return add(db, author_id, inbound, now, kind=kind)
    add_bubbles(db, begun, inbound, now)
    return begun


def add_bubbles(
    db: Connection, post_id: int, inbound: Inbound, now: datetime, language: str | None = None
) -> None:
    """What came in one bubble: its text, its files; `language` of an announcement."""
    media_ids = _add_media(db, post_id, inbound, now)
    rows = [
        _bubble(post_id, inbound, now, file.kind, "", media_id)
        for file, media_id in zip(inbound.files, media_ids, strict=True)
    ]
    if inbound.text:
        rows.insert(0, _bubble(post_id, inbound, now, "text", inbound.text, None))
    if rows:
        # The provider's id finds the bubble again when it is edited.
        lane, named = inbound.lane, inbound.id
        rows[0]["key"] = None if named is None else seals.lookup("bubbles.key", lane, named)
        for row in rows:
            row["language"] = language
        db.execute(insert(bubbles), rows)


def _add_media(db: Connection, post_id: int, inbound: Inbound, now: datetime) -> list[int | None]:
    """A file of hers to be fetched for each that has one; the ids, in the order they came."""
    if not inbound.files:
        return []
    owner = db.execute(select(posts.c.author_id).where(posts.c.id == post_id)).scalar()
    rows = new_rows(owner, inbound.lane, inbound.files, now)
    ids = iter(insert_returning(db, media, rows) if rows else ())
    mark_due(db, now, inbound.lane)
    return [next(ids) if each.kind in KINDS else None for each in inbound.files]


def _bubble(
    post_id: int, inbound: Inbound, now: datetime, kind: str, text: str, media_id: int | None
) -> dict[str, object]:
    return {
        "post_id": post_id,
        "key": None,
        "kind": kind,
        "text": text,
        "media_id": media_id,
        "forwarded": inbound.forwarded,
        "created_at": now,
    }


def list_bubbles(db: Connection, post_id: int) -> list[Bubble]:
    columns = (bubbles.c[name] for name in Bubble.__dataclass_fields__)
    found = select(*columns).where(bubbles.c.post_id == post_id).order_by(bubbles.c.id)
    return [Bubble(*row) for row in db.execute(found)]


def list_languages(db: Connection, post_id: int) -> dict[str, str]:
    """What it says in each language it was written in; the latest word counts."""
    columns = (bubbles.c.language, bubbles.c.text)
    found = select(*columns).where(bubbles.c.post_id == post_id, bubbles.c.kind == "text")
    rows = db.execute(found.order_by(bubbles.c.id))
    return {row.language: row.text for row in rows if row.language is not None}


def add_nameless(
    db: Connection,
    given: Sequence[Bubble],
    now: datetime,
    *,
    kind: str,
    thread_id: int,
    community_id: int,
    heavy: bool,
) -> int:
    """A live post without an author, of words that were held; `now` is coarse."""
    row = {
        "kind": kind,
        "state": "live",
        "thread_id": thread_id,
        "community_id": community_id,
        "heavy": heavy,
        "created_at": now,
    }
    [post_id] = insert_returning(db, posts, [row])
    rows = [{"post_id": post_id, "created_at": now, **asdict(each)} for each in given]
    db.execute(insert(bubbles), rows)
    return post_id


def keys_of(lane: str, provider_id: str) -> Sequence[bytes]:
    """The lookups a bubble may stand under, by the provider's id of it."""
    return seals.lookups("bubbles.key", lane, provider_id)


def get(db: Connection, post_id: int) -> Post:
    return Post(*db.execute(select(*_POST).where(posts.c.id == post_id)).one())


def find(db: Connection, post_id: int) -> Post | None:
    row = db.execute(select(*_POST).where(posts.c.id == post_id)).first()
    return None if row is None else Post(*row)


def find_by_bubble(db: Connection, lane: str, provider_id: str) -> tuple[Post, int, str] | None:
    """The post, bubble id and text of a bubble, by the provider's id of it."""
    statement = (
        select(*_POST, bubbles.c.id.label("bubble_id"), bubbles.c.text)
        .join(posts, posts.c.id == bubbles.c.post_id)
        .where(bubbles.c.key.in_(keys_of(lane, provider_id)))
    )
    row = db.execute(statement).first()
    return None if row is None else (Post(*row[:-2]), row.bubble_id, row.text)


def edit_bubble(db: Connection, bubble_id: int, text: str) -> None:
    db.execute(update(bubbles).where(bubbles.c.id == bubble_id).values(text=text))


def mark(db: Connection, post_id: int, **values: object) -> None:
    """Set columns of a post: state, community_id, thread_id, kind."""
    db.execute(update(posts).where(posts.c.id == post_id).values(**values))


def is_draft_of(db: Connection, post_id: int, author_id: int) -> bool:
    """Whether it is still there, hers and unsent: a talk may outlive the draft it is about."""
    hers = (posts.c.id == post_id, posts.c.author_id == author_id, posts.c.state == "draft")
    return db.execute(select(posts.c.id).where(*hers)).first() is not None


def hide(db: Connection, post_id: int) -> bool:
    """False if somebody else has hidden it before."""
    changed = db.execute(
        update(posts).where(posts.c.id == post_id, posts.c.state == "live").values(state="hidden")
    )
    return changed.rowcount == 1


def mark_helpful(db: Connection, post_id: int, now: datetime) -> bool:
    """False if it was marked before."""
    changed = db.execute(
        update(posts)
        .where(posts.c.id == post_id, posts.c.helpful_at.is_(None))
        .values(helpful_at=now)
    )
    return changed.rowcount == 1


def drop_files(db: Connection, post_id: int) -> bool:
    """Leave the words of a draft; False if there are none."""
    hers = bubbles.c.post_id == post_id
    db.execute(delete(bubbles).where(hers, bubbles.c.kind != "text"))
    return db.execute(select(bubbles.c.id).where(hers)).first() is not None


def remove(db: Connection, post_id: int) -> None:
    """Drop what only its author has seen; what others have is never removed this way."""
    gone = delete(posts).where(
        posts.c.id == post_id, posts.c.state.in_(("draft", "waiting", "kept"))
    )
    if db.execute(gone).rowcount:  # nor is it noted that there was one
        db.execute(delete(showings).where(showings.c.post_id == post_id))


def remove_drafts(db: Connection, before: datetime) -> int:
    """Drafts that were begun before this moment and never sent."""
    gone = db.execute(delete(posts).where(posts.c.state == "draft", posts.c.created_at < before))
    return gone.rowcount


def list_waiting(db: Connection, author_id: int, community_id: int) -> Sequence[int]:
    """Questions that wait until their author is welcomed."""
    statement = (
        select(posts.c.id)
        .where(
            posts.c.author_id == author_id,
            posts.c.community_id == community_id,
            posts.c.state == "waiting",
        )
        .order_by(posts.c.id)
    )
    return list(db.execute(statement).scalars())


def list_live(db: Connection, thread_id: int, most: int) -> list[Post]:
    """The question and the latest posts of a thread, oldest first."""
    statement = select(*_POST).where(posts.c.thread_id == thread_id, posts.c.state == "live")
    rows = db.execute(statement.order_by(posts.c.id)).all()
    kept = rows if len(rows) <= most else [rows[0], *rows[-(most - 1) :]]
    return [Post(*row) for row in kept]


def find_outcome(db: Connection, thread_id: int) -> Post | None:
    """What who asked told last of what came of it."""
    told = (posts.c.thread_id == thread_id, posts.c.kind == "outcome", posts.c.state == "live")
    row = db.execute(select(*_POST).where(*told).order_by(posts.c.id.desc()).limit(1)).first()
    return None if row is None else Post(*row)


def list_helpers(db: Connection, thread_id: int) -> list[int]:
    """Whose answers there have helped."""
    helpful = (posts.c.thread_id == thread_id, posts.c.helpful_at.is_not(None))
    theirs = select(posts.c.author_id).where(
        *helpful, posts.c.state == "live", posts.c.author_id.is_not(None)
    )
    return list(db.execute(theirs.distinct().order_by(posts.c.author_id)).scalars())


def list_holders(db: Connection, post: Post) -> list[int]:
    """The members who were told this post, or still are."""
    statement = select(deliveries.c.member_id).where(
        deliveries.c.message_id == post.message_id,
        deliveries.c.state.not_in(("dropped", "failed")),
    )
    return list(db.execute(statement).scalars())


def last_answer(db: Connection, author_id: int, since: datetime) -> Post | None:
    """Her latest answer or outcome since then, which a further bubble may belong to."""
    statement = (
        select(*_POST)
        .where(
            posts.c.author_id == author_id,
            posts.c.kind.in_(("answer", "outcome")),
            posts.c.state == "live",
            posts.c.created_at >= since,
        )
        .order_by(posts.c.id.desc())
        .limit(1)
    )
    row = db.execute(statement).first()
    return None if row is None else Post(*row)
