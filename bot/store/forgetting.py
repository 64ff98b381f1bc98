"""Forgetting: the rows of one member go, a few in each transaction, in any order, from any point.

Each function takes what it finds, so that whoever comes after a crash goes on where it broke off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from bot.db import insert_new
from bot.messages import Trace
from bot.models.outbox import HELD, SETTLED, deliveries, dispatches, messages, prompts
from bot.models.people import address_keys, addresses, members, memberships
from bot.models.reflections import reflections
from bot.models.safeguards import codes, ledger
from bot.models.stories import consents, stories
from bot.models.talks import bubbles, conversations, follows, inbox, posts

FEW = 30  # rows in one transaction: few enough that nobody waits for it
_HEARD = ("sent", "delivered", "read", "failed", "dropped")


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody who is being forgotten."""

    member_id: int
    erasing_at: datetime
    erases_posts: bool
    addresses: Mapping[int, tuple[str, str]]  # id -> (lane, where to write to)


def begin(db: Connection, member_id: int, now: datetime, *, posts_too: bool) -> None:
    """From here on she is a stranger who may write to us; nobody reads her name any more.

    Her language and her addresses stay a moment longer, for the last word to her.
    """
    row = {"member_id": member_id, "erased_at": now, "posts_too": posts_too}
    db.execute(insert_new(db, ledger).values(row).on_conflict_do_nothing())
    hers = select(addresses.c.id).where(addresses.c.member_id == member_id)
    db.execute(delete(address_keys).where(address_keys.c.address_id.in_(hers)))
    db.execute(delete(codes).where(codes.c.member_id == member_id))
    db.execute(update(addresses).where(addresses.c.member_id == member_id).values(preferred=False))
    told = select(stories.c.id).where(stories.c.member_id == member_id)
    ended = and_(consents.c.story_id.in_(told), consents.c.withdrawn_at.is_(None))
    db.execute(update(consents).where(ended).values(withdrawn_at=now))
    db.execute(
        update(members)
        .where(members.c.id == member_id)
        .values(
            state="erasing",
            erasing_at=now,
            erases_posts=posts_too,
            name=None,
            organisation=None,
            secret=None,
        )
    )


def begin_with_strangers(db: Connection, before: datetime, now: datetime, most: int) -> int:
    """Who wrote long ago, never agreed to anything and belongs nowhere is not kept."""
    inside = select(memberships.c.id).where(memberships.c.member_id == members.c.id)
    lately = select(addresses.c.id).where(
        addresses.c.member_id == members.c.id, addresses.c.last_inbound_at >= before
    )
    found = select(members.c.id).where(
        members.c.state == "new",
        members.c.consent_at.is_(None),
        members.c.created_at < before,
        ~inside.exists(),
        ~lately.exists(),
    )
    ids = list(db.execute(found.limit(most)).scalars())
    for id_ in ids:
        begin(db, id_, now, posts_too=True)
    return len(ids)


def find_next(db: Connection, after: int) -> Whom | None:
    """The next one who asked for it, by her number."""
    statement = (
        select(members.c.id, members.c.erasing_at, members.c.erases_posts)
        .where(members.c.erasing_at.is_not(None), members.c.id > after)
        .order_by(members.c.id)
        .limit(1)
    )
    row = db.execute(statement).first()
    if row is None:
        return None
    chats = select(addresses.c.id, addresses.c.lane, addresses.c.sealed).where(
        addresses.c.member_id == row.id
    )
    return Whom(*row, {each.id: (each.lane, each.sealed) for each in db.execute(chats)})


def is_last_tap(db: Connection, token: str) -> bool:
    """Whether it is the tap that confirmed it, or another old one, from somebody who is going."""
    statement = (
        select(prompts.c.id)
        .join(addresses, addresses.c.id == prompts.c.address_id)
        .join(members, members.c.id == addresses.c.member_id)
        .where(prompts.c.token == token, members.c.erasing_at.is_not(None))
    )
    return db.execute(statement).first() is not None


def remove_stranger(db: Connection, member_id: int, inbox_id: int | None) -> None:
    """Somebody who was made in this very turn, with what came from her."""
    hers = inbox.c.id == inbox_id
    db.execute(update(inbox).where(hers).values(payload=None, address_id=None))
    db.execute(delete(members).where(members.c.id == member_id))


def has_heard(db: Connection, whom: Whom) -> bool:
    """Whether the last word has left for her, or never will."""
    statement = select(deliveries.c.id).where(
        deliveries.c.member_id == whom.member_id,
        SETTLED,
        deliveries.c.asked_at == whom.erasing_at,
        deliveries.c.state.in_(_HEARD),
    )
    return db.execute(statement.limit(1)).first() is not None


# What was said to her ---------------------------------------------------------------------------


def remove_settled(db: Connection, whom: Whom) -> tuple[int, list[Trace]]:
    """Some of what was said to her: how many, and what its provider still has of it."""
    hers = (deliveries.c.member_id == whom.member_id, SETTLED)
    return _remove(db, whom, and_(*hers))


def remove_held(db: Connection, whom: Whom) -> tuple[int, list[Trace]]:
    """Some of what waits for her to write, or to open it."""
    hers = and_(deliveries.c.address_id.in_(whom.addresses), HELD)
    return _remove(db, whom, hers) if whom.addresses else (0, [])


def remove_deliveries(db: Connection, whom: Whom, ids: Sequence[int]) -> tuple[int, list[Trace]]:
    """These, whatever has become of them."""
    return _remove(db, whom, deliveries.c.id.in_(ids)) if ids else (0, [])


def has_deliveries(db: Connection, whom: Whom) -> bool:
    """Whether something came back meanwhile that was on its way to her."""
    statement = select(deliveries.c.id).where(deliveries.c.member_id == whom.member_id, SETTLED)
    return db.execute(statement.limit(1)).first() is not None


def _remove(db: Connection, whom: Whom, wanted: ColumnElement[bool]) -> tuple[int, list[Trace]]:
    columns = (
        deliveries.c.id,
        deliveries.c.message_id,
        deliveries.c.lane,
        deliveries.c.address_id,
        deliveries.c.asked_at,
    )
    rows = {row.id: row for row in db.execute(select(*columns).where(wanted).limit(FEW))}
    if not rows:
        return 0, []
    parts = select(
        dispatches.c.delivery_id, dispatches.c.provider_id, dispatches.c.created_at
    ).where(dispatches.c.delivery_id.in_(rows), dispatches.c.provider_id.is_not(None))
    traces = [_trace(whom, rows[part.delivery_id], part) for part in db.execute(parts)]
    db.execute(delete(deliveries).where(deliveries.c.id.in_(rows)))
    _remove_messages(db, {row.message_id for row in rows.values()})
    return len(rows), traces


def _trace(whom: Whom, delivery: Any, part: Any) -> Trace:
    _lane, to = whom.addresses.get(delivery.address_id, ("", ""))
    parting = delivery.asked_at == whom.erasing_at
    return Trace(delivery.lane, to, part.provider_id, part.created_at, parting)


def _remove_messages(db: Connection, ids: set[int]) -> None:
    """Those that were said to nobody else: their words may hold her name."""
    told = select(deliveries.c.id).where(deliveries.c.message_id == messages.c.id)
    posted = select(posts.c.id).where(posts.c.message_id == messages.c.id)
    db.execute(
        delete(messages).where(
            messages.c.id.in_(ids), messages.c.audience.is_(None), ~told.exists(), ~posted.exists()
        )
    )


def remove_prompts(db: Connection, whom: Whom) -> int:
    """Some of the choices that were shown to her."""
    shown = select(prompts.c.id).where(prompts.c.address_id.in_(whom.addresses)).limit(FEW)
    ids = list(db.execute(shown).scalars()) if whom.addresses else []
    db.execute(delete(prompts).where(prompts.c.id.in_(ids)))
    return len(ids)


# What she said ----------------------------------------------------------------------------------


def empty_inbox(db: Connection, whom: Whom) -> tuple[int, list[Trace]]:
    """Some of what came from her: only the proof that it was taken stays, which tells nothing."""
    columns = (inbox.c.id, inbox.c.lane, inbox.c.address_id, inbox.c.payload, inbox.c.received_at)
    hers = select(*columns).where(inbox.c.address_id.in_(whom.addresses)).limit(FEW)
    rows = db.execute(hers).all() if whom.addresses else []
    traces = [
        Trace(row.lane, whom.addresses[row.address_id][1], id_, row.received_at)
        for row in rows
        if (id_ := _bubble_of(row.payload)) is not None
    ]
    db.execute(
        update(inbox)
        .where(inbox.c.id.in_([row.id for row in rows]))
        .values(payload=None, address_id=None)
    )
    return len(rows), traces


def _bubble_of(payload: str | None) -> str | None:
    """The provider's id of what she wrote; what was parked may be anything."""
    try:
        found = json.loads(payload or "").get("id")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def remove_drafts(db: Connection, whom: Whom) -> int:
    """Some of what she wrote and never sent, or kept for herself alone."""
    unsent = posts.c.state.in_(("draft", "waiting", "kept"))
    hers = (posts.c.author_id == whom.member_id, unsent)
    ids = list(db.execute(select(posts.c.id).where(*hers).limit(FEW)).scalars())
    db.execute(delete(posts).where(posts.c.id.in_(ids)))
    return len(ids)


def unname_posts(db: Connection, whom: Whom) -> int:
    """Some of her posts: the words stay, and nothing leads from them to her or to her files."""
    hers = select(posts.c.id).where(posts.c.author_id == whom.member_id).limit(FEW)
    ids = list(db.execute(hers).scalars())
    db.execute(update(bubbles).where(bubbles.c.post_id.in_(ids)).values(key=None, media_id=None))
    db.execute(update(posts).where(posts.c.id.in_(ids)).values(author_id=None))
    nobodys = {"feeling": None, "earlier_id": None, "adds_until": None, "look_back_at": None}
    db.execute(update(reflections).where(reflections.c.post_id.in_(ids)).values(nobodys))
    return len(ids)


def remove_ties(db: Connection, whom: Whom) -> int:
    """Some of what she follows; then where she belongs, and the roles she gave to others."""
    hers = select(follows.c.thread_id).where(follows.c.member_id == whom.member_id).limit(FEW)
    ids = list(db.execute(hers).scalars())
    db.execute(
        delete(follows).where(follows.c.member_id == whom.member_id, follows.c.thread_id.in_(ids))
    )
    if len(ids) < FEW:
        given = memberships.c.role_from == whom.member_id
        db.execute(update(memberships).where(given).values(role_from=None))
        db.execute(delete(memberships).where(memberships.c.member_id == whom.member_id))
    return len(ids)


# Herself ----------------------------------------------------------------------------------------


def remove_addresses(db: Connection, whom: Whom) -> None:
    """Where she was, with the talks and the lookups of it."""
    mine = conversations.c.address_id.in_(whom.addresses)
    db.execute(delete(conversations).where(mine))
    db.execute(delete(addresses).where(addresses.c.member_id == whom.member_id))


def remove_member(db: Connection, whom: Whom) -> None:
    """The last row that has her number."""
    db.execute(delete(members).where(members.c.id == whom.member_id))
