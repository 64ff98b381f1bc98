"""Traces: what the rows of others, or of nobody, hold of somebody who is being forgotten."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select, update

from bot.codec import message_from_json
from bot.messages import refs_of
from bot.models.outbox import (
    HELD,
    UNDER_WAY,
    WAITING,
    deliveries,
    dispatches,
    lanes,
    messages,
    showings,
)
from bot.models.reflections import reflections
from bot.models.safeguards import envelopes, reports
from bot.models.talks import bubbles, inbox, posts, threads

SOME = 500  # rows in one look
SEALED = 200  # sealed rows that are opened in one look
LISTING = ("digest", "rhythm")  # kinds of messages that may list words of several people
_MAY_BE_THERE = ("sent", "delivered", "read", "unknown")


# Deliveries -------------------------------------------------------------------------------------

_LOOKED_AT = (
    deliveries.c.id,
    deliveries.c.member_id,
    deliveries.c.message_id,
    deliveries.c.state,
)
_TRIED = deliveries.c.attempts > 0


def list_lanes(db: Connection) -> list[str]:
    return list(db.execute(select(lanes.c.name).order_by(lanes.c.name)).scalars())


def list_waiting(
    db: Connection, lane: str, priority: int, after: int, member_id: int
) -> tuple[list[int], list[Any], int | None]:
    """A look at what waits in a lane, in the order of its index.

    Returns the ids of what waits for her, what was frozen for others, and where to go on.
    """
    statement = (
        select(*_LOOKED_AT, _TRIED.label("tried"))
        .where(
            deliveries.c.lane == lane,
            WAITING,
            deliveries.c.priority == priority,
            deliveries.c.id > after,
        )
        .order_by(deliveries.c.id)
        .limit(SOME)
    )
    rows = db.execute(statement).all()
    hers = [row.id for row in rows if row.member_id == member_id]
    tried = [row for row in rows if row.tried and row.member_id != member_id]
    return hers, tried, rows[-1].id if len(rows) == SOME else None


def list_held(db: Connection, after: tuple[int, int]) -> tuple[list[Any], tuple[int, int]]:
    """A look at what was frozen and is held: (deliveries, where to go on; (0, 0) = at the end)."""
    address_id, id_ = after
    statement = (
        select(*_LOOKED_AT, deliveries.c.address_id, _TRIED.label("tried"))
        .where(
            HELD,
            deliveries.c.address_id >= address_id,
            or_(deliveries.c.address_id > address_id, deliveries.c.id > id_),
        )
        .order_by(deliveries.c.address_id, deliveries.c.id)
        .limit(SOME)
    )
    rows = db.execute(statement).all()
    end = (rows[-1].address_id, rows[-1].id) if len(rows) == SOME else (0, 0)
    return [row for row in rows if row.tried], end


def is_under_way(db: Connection, member_id: int) -> bool:
    """Whether something is with a provider at this moment that is for her, or names her."""
    rows = list(db.execute(select(*_LOOKED_AT).where(UNDER_WAY)))
    return any(row.member_id == member_id for row in rows) or bool(_naming(db, rows, member_id))


def thaw(db: Connection, rows: Sequence[Any], member_id: int, *, patient: bool) -> tuple[int, bool]:
    """Frozen words that name her are not said: they are made anew, without her, or dropped.

    Made anew only if no part of them can have arrived. Returns how many, and whether one was left
    (`patient`) because it will soon be known what became of it.
    """
    named = _naming(db, rows, member_id)
    hers = [row for row in rows if row.message_id in named]
    ids = [row.id for row in hers if not patient or row.state != "unknown"]
    if ids:
        arrived = select(dispatches.c.delivery_id).where(
            dispatches.c.delivery_id.in_(ids), dispatches.c.state.in_(_MAY_BE_THERE)
        )
        over = set(db.execute(arrived).scalars())
        _drop(db, over, "erased")
        fresh = [id_ for id_ in ids if id_ not in over]
        db.execute(delete(dispatches).where(dispatches.c.delivery_id.in_(fresh)))
        db.execute(update(deliveries).where(deliveries.c.id.in_(fresh)).values(attempts=0))
    return len(ids), len(ids) < len(hers)


def _naming(db: Connection, rows: Iterable[Any], member_id: int) -> set[int]:
    """Those of the messages that name her."""
    ids = {row.message_id for row in rows}
    bodies = db.execute(select(messages.c.id, messages.c.body).where(messages.c.id.in_(ids)))
    return {row.id for row in bodies if _names(row.body, member_id)}


def _names(body: Any, member_id: int) -> bool:
    return any(
        ref.id == member_id and ref.table in ("members", "organisations")
        for ref in refs_of(message_from_json(body))
    )


def _drop(db: Connection, ids: Collection[int], reason: str) -> None:
    mine = dispatches.c.delivery_id.in_(ids)
    db.execute(update(dispatches).where(mine).values(content=None))
    db.execute(
        update(deliveries).where(deliveries.c.id.in_(ids)).values(state="dropped", reason=reason)
    )


# Posts ------------------------------------------------------------------------------------------


def find_post(db: Connection, member_id: int, *, of_few: bool = False) -> Any:
    """A post of hers, (id, message_id, thread_id, kind), or None; `of_few`: not for her group."""
    hers = _POST.where(posts.c.author_id == member_id)
    if of_few:
        few = and_(posts.c.seen_by.is_not(None), posts.c.seen_by != "community")
        hers = hers.where(or_(few, posts.c.kind.in_(("word", "story"))))
    return db.execute(hers.limit(1)).first()


def find_unnamed_post(db: Connection, thread_id: int) -> Any:
    """A post of the one who asked, in a thread without her name; those of others have a kind."""
    words = select(bubbles.c.id).where(bubbles.c.post_id == posts.c.id)
    hers = and_(
        posts.c.thread_id == thread_id,
        posts.c.author_id.is_(None),
        posts.c.kind.in_(("question", "reply", "outcome")),
    )
    return db.execute(_POST.where(hers, words.exists()).limit(1)).first()


_POST = select(posts.c.id, posts.c.message_id, posts.c.thread_id, posts.c.kind)


def drop_copies(db: Connection, post_id: int, message_id: int | None) -> bool:
    """Some of what would still be said of a post; False if there may be more."""
    unsent = deliveries.c.state.in_(("queued", "held", "unknown"))
    told = select(deliveries.c.id).where(deliveries.c.message_id == (message_id or 0), unsent)
    shown = (
        select(deliveries.c.id)
        .join(showings, showings.c.delivery_id == deliveries.c.id)
        .where(showings.c.post_id == post_id, unsent)
    )
    db.execute(update(messages).where(messages.c.id == message_id).values(audience=None))
    left = [set(db.execute(each.limit(SOME)).scalars()) for each in (told, shown)]
    ids = left[0] | left[1]
    others = _melt(db, ids, post_id)
    _drop(db, ids - others, "taken_back")
    return all(len(each) < SOME for each in left)


def _melt(db: Connection, ids: Collection[int], post_id: int) -> set[int]:
    """Digests among these of which nothing has left: rendered anew they say all but this post."""
    begun = select(dispatches.c.id).where(
        dispatches.c.delivery_id == deliveries.c.id, dispatches.c.state != "failed"
    )
    digests = select(deliveries.c.id).join(messages)
    found = digests.where(deliveries.c.id.in_(ids), messages.c.kind.in_(LISTING), ~begun.exists())
    whole = set(db.execute(found).scalars())
    if whole:
        db.execute(delete(dispatches).where(dispatches.c.delivery_id.in_(whole)))
        theirs = (showings.c.post_id == post_id, showings.c.delivery_id.in_(whole))
        db.execute(delete(showings).where(*theirs))
    return whole


def empty_post(db: Connection, post_id: int) -> None:
    """Its words, files and marks go; where it stood it reads as taken back."""
    db.execute(delete(reflections).where(reflections.c.post_id == post_id))
    db.execute(delete(bubbles).where(bubbles.c.post_id == post_id))
    db.execute(update(posts).where(posts.c.id == post_id).values(author_id=None, heavy=False))


# Sealed links -----------------------------------------------------------------------------------


def list_links(db: Connection, after: int, member_id: int) -> tuple[list[int], int | None]:
    """Threads she asked without her name, from one look; and where to go on."""
    statement = select(threads.c.id, threads.c.asker).where(
        threads.c.asker.is_not(None), threads.c.id > after
    )
    rows = db.execute(statement.order_by(threads.c.id).limit(SEALED)).all()
    hers = [row.id for row in rows if (row.asker or {}).get("member") == member_id]
    return hers, rows[-1].id if len(rows) == SEALED else None


def unlink(db: Connection, thread_ids: Collection[int]) -> None:
    """Nobody knows any more who asked; nor do the ids and files of her bubbles lead to her."""
    own = posts.c.kind.in_(("question", "reply", "outcome"))
    hers = select(posts.c.id).where(
        posts.c.thread_id.in_(thread_ids), posts.c.author_id.is_(None), own
    )
    bare = update(bubbles).where(bubbles.c.post_id.in_(hers))
    db.execute(bare.values(key=None, media_id=None))
    db.execute(update(threads).where(threads.c.id.in_(thread_ids)).values(asker=None))


def remove_envelopes(
    db: Connection, after: str, member_id: int
) -> tuple[list[dict[str, Any]], str | None]:
    """What is held of hers, from one look: what was in them, and where to go on."""
    statement = select(envelopes.c.id, envelopes.c.content).where(envelopes.c.id > after)
    rows = db.execute(statement.order_by(envelopes.c.id).limit(SEALED)).all()
    hers = {row.id: row.content for row in rows if row.content.get("member") == member_id}
    db.execute(delete(envelopes).where(envelopes.c.id.in_(hers)))
    return list(hers.values()), rows[-1].id if len(rows) == SEALED else None


def list_reports(db: Connection, after: int, member_id: int) -> tuple[list[int], int | None]:
    """What she reported, as far as it is known, from one look; and where to go on."""
    statement = select(reports.c.id, reports.c.reporter).where(reports.c.id > after)
    rows = db.execute(statement.order_by(reports.c.id).limit(SEALED)).all()
    hers = [row.id for row in rows if (row.reporter or {}).get("member") == member_id]
    return hers, rows[-1].id if len(rows) == SEALED else None


def unname_reports(db: Connection, report_ids: Collection[int]) -> None:
    """The words stay with the focal points, without her."""
    unnamed = update(reports).where(reports.c.id.in_(report_ids))
    db.execute(unnamed.values(reporter=None, named=False))


# Nobody's ---------------------------------------------------------------------------------------


def empty_nobodys(db: Connection, after: int, names: Collection[str]) -> tuple[int, int | None]:
    """What could not be used and was kept as it came: emptied where one of her names is in it."""
    statement = select(inbox.c.id, inbox.c.payload).where(
        inbox.c.address_id.is_(None), inbox.c.payload.is_not(None), inbox.c.id > after
    )
    rows = db.execute(statement.order_by(inbox.c.id).limit(SEALED)).all()
    numbers = "|".join(re.escape(each.removeprefix("whatsapp:+")) for each in names)
    named = re.compile(rf"(?<!\d)(?:{numbers})(?!\d)") if numbers else None
    hers = [row.id for row in rows if named is not None and named.search(row.payload)]
    db.execute(update(inbox).where(inbox.c.id.in_(hers)).values(payload=None))
    return len(hers), rows[-1].id if len(rows) == SEALED else None
