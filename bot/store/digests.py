"""Digests: what waits to be said in one message, what it says, and what it stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    literal,
    or_,
    select,
    text,
    update,
)

from bot.codec import message_from_json
from bot.columns import Moment
from bot.db import locking_once, mark_due
from bot.messages import Message
from bot.models.outbox import (
    GATHERED,
    HELD,
    SETTLED,
    deliveries,
    dispatches,
    messages,
)
from bot.models.people import addresses, members, memberships
from bot.models.talks import follows, posts, threads
from bot.roles import TAKING_PART


@dataclass(frozen=True, slots=True)
class Content:
    """What one delivery would say, and the post it is about, if it is about one."""

    delivery_id: int
    message: Message
    community_id: int | None
    post_id: int | None
    post_kind: str | None  # question, answer, reply, announcement
    author_id: int | None
    thread_id: int | None
    anonymous: bool  # asked without a name


def list_contents(db: Connection, delivery_ids: Sequence[int]) -> list[Content]:
    """What these deliveries would say, in the order they are given."""
    statement = (
        select(
            deliveries.c.id,
            messages.c.body,
            messages.c.community_id,
            posts.c.id,
            posts.c.kind,
            posts.c.author_id,
            posts.c.thread_id,
            threads.c.anonymous,
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .outerjoin(posts, and_(posts.c.message_id == messages.c.id, posts.c.state != "draft"))
        .outerjoin(threads, threads.c.id == posts.c.thread_id)
        .where(deliveries.c.id.in_(delivery_ids))
    )
    found = {row[0]: _content(row) for row in db.execute(statement)}
    return [found[id_] for id_ in delivery_ids if id_ in found]


def _content(row: Any) -> Content:
    id_, body, community_id, post_id, kind, author_id, thread_id, anonymous = row
    message = message_from_json(body)
    return Content(id_, message, community_id, post_id, kind, author_id, thread_id, bool(anonymous))


def fold(db: Connection, delivery_ids: Sequence[int], message_id: int) -> int:
    """Another message says these instead: they are never said themselves; how many they were."""
    mine = deliveries.c.id.in_(delivery_ids)
    folded = db.execute(
        update(deliveries)
        .where(mine, deliveries.c.state.in_(("held", "queued")))
        .values(state="folded", reason=None, folded_id=message_id)
    )
    frozen = dispatches.c.delivery_id.in_(delivery_ids)
    db.execute(update(dispatches).where(frozen).values(content=None))
    _fold_deeper(db, delivery_ids, message_id)
    return folded.rowcount


def _fold_deeper(db: Connection, delivery_ids: Sequence[int], message_id: int) -> None:
    """What an earlier digest stood for that was folded itself."""
    mine = deliveries.c.id.in_(delivery_ids)
    digests = select(deliveries.c.message_id, deliveries.c.member_id).join(messages)
    for earlier, member_id in db.execute(digests.where(mine, messages.c.kind == "digest")).all():
        db.execute(
            update(deliveries)
            .where(
                deliveries.c.member_id == member_id,
                SETTLED,
                deliveries.c.state == "folded",
                deliveries.c.folded_id == earlier,
            )
            .values(folded_id=message_id)
        )


# Counted and armed -------------------------------------------------------------------------------


def count_unasked(db: Connection, week: int, number: int, member_ids: Sequence[int]) -> None:
    """These got so much more unasked in this week."""
    same = members.c.week == week
    db.execute(
        update(members)
        .where(members.c.id.in_(member_ids))
        .values(week=week, unasked=case((same, members.c.unasked + number), else_=number))
    )


def arm(db: Connection, community_id: int, member_ids: Sequence[int], at: datetime) -> None:
    """What is gathered for these there is looked at then, or when it would be anyway."""
    sooner = memberships.c.digest_at <= literal(at, Moment)
    db.execute(
        # Written in any case: a job that looks there at this moment must be in conflict with it.
        update(memberships)
        .where(
            memberships.c.community_id == community_id,
            memberships.c.member_id.in_(member_ids),
        )
        .values(digest_at=case((sooner, memberships.c.digest_at), else_=literal(at, Moment)))
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whose moment has come, in one community."""

    membership_id: int
    member_id: int
    community_id: int
    pace: str
    inside: bool  # takes part there, and has not stopped
    due_at: datetime | None
    since: datetime | None  # when it was looked at before
    timezone: str | None
    paused_until: datetime | None
    linked_at: datetime | None  # of the app that is used: nothing from before is said there


_READERS = (
    select(
        memberships.c.id,
        memberships.c.member_id,
        memberships.c.community_id,
        memberships.c.pace,
        and_(
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            members.c.state == "active",
        ),
        memberships.c.digest_at,
        memberships.c.digested_at,
        members.c.timezone,
        members.c.paused_until,
        addresses.c.linked_at,
    )
    .join(members, members.c.id == memberships.c.member_id)
    .outerjoin(addresses, and_(addresses.c.member_id == members.c.id, addresses.c.preferred))
    .order_by(memberships.c.digest_at, memberships.c.id)
)
# Another process works on others meanwhile.
_ALL_DUE = locking_once(
    _READERS.where(
        text("memberships.digest_at IS NOT NULL"),
        memberships.c.digest_at <= bindparam("now", type_=Moment),
    ).limit(bindparam("most")),
    of=memberships,
    skip_locked=True,
)


def list_due(db: Connection, now: datetime, most: int) -> list[Reader]:
    """Whose moment has come."""
    rows = db.execute(_ALL_DUE[db.dialect.name], {"now": now, "most": most})
    return [Reader(*row) for row in rows]


def list_places(db: Connection, member_id: int) -> list[Reader]:
    """All her communities, whatever the moment."""
    mine = _READERS.where(memberships.c.member_id == member_id)
    return [Reader(*row) for row in db.execute(mine)]


def mark_looked_at(
    db: Connection, reader: Reader, next_at: datetime | None, looked_at: datetime | None
) -> bool:
    """When to look again, and (if not None) that it was done; False if another was faster."""
    at = memberships.c.digest_at
    unchanged = at.is_(None) if reader.due_at is None else at == literal(reader.due_at, Moment)
    changed = db.execute(
        update(memberships)
        .where(memberships.c.id == reader.membership_id, unchanged)
        .values(digest_at=next_at, digested_at=looked_at or reader.since)
    )
    return changed.rowcount == 1


# What waits --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gathered:
    """A delivery that waits for a digest."""

    id: int
    reason: str  # one of GATHERED; of a digest that has not left: why it has not
    is_digest: bool
    deaf: bool  # she does not want to hear of its thread any more


def _used_now() -> tuple[Any, ColumnElement[bool]]:
    """The app a digest would be said in, and that nothing is from before it was linked."""
    used = addresses.alias()
    since = messages.c.created_at >= used.c.linked_at
    return used, or_(used.c.id == addresses.c.id, used.c.linked_at.is_(None), since)


def list_gathered(
    db: Connection, member_ids: Sequence[int]
) -> Mapping[tuple[int, int], list[Gathered]]:
    """By member and community, in order; with digests of before that are held themselves."""
    waits = or_(deliveries.c.reason.in_(GATHERED), messages.c.kind == "digest")
    used, known = _used_now()
    statement = (
        select(
            deliveries.c.id,
            deliveries.c.member_id,
            messages.c.community_id,
            messages.c.kind,
            deliveries.c.reason,
            follows.c.muted,
        )
        .join(addresses, addresses.c.id == deliveries.c.address_id)
        .join(used, and_(used.c.member_id == addresses.c.member_id, used.c.preferred))
        .join(messages, messages.c.id == deliveries.c.message_id)
        .outerjoin(posts, posts.c.message_id == messages.c.id)
        .outerjoin(
            follows,
            and_(
                follows.c.thread_id == posts.c.thread_id,
                follows.c.member_id == deliveries.c.member_id,
            ),
        )
        .where(
            addresses.c.member_id.in_(member_ids),
            HELD,
            waits,
            known,
            messages.c.community_id.is_not(None),
        )
        .order_by(deliveries.c.id)
    )
    found: dict[tuple[int, int], list[Gathered]] = defaultdict(list)
    for id_, member_id, community_id, kind, reason, muted in db.execute(statement):
        each = Gathered(id_, reason or "", kind == "digest", bool(muted))
        found[member_id, community_id].append(each)
    return found


def release(db: Connection, delivery_ids: Sequence[int], now: datetime) -> None:
    """These are judged one by one again."""
    if not delivery_ids:
        return
    db.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(delivery_ids), HELD)
        .values(state="queued", reason=None, due_at=now)
    )
    mark_due(db, now)


def drop(db: Connection, delivery_ids: Sequence[int]) -> None:
    """She does not want these any more."""
    if not delivery_ids:
        return
    db.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(delivery_ids), HELD)
        .values(state="dropped", reason="pace")
    )
