"""Deliveries and their dispatches: what the sender claims, freezes, and learns of their fate."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    LargeBinary,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from bot import seals
from bot.codec import message_from_json
from bot.db import insert_new, insert_returning
from bot.i18n import SOURCE
from bot.messages import Message
from bot.models import (
    UNDER_WAY,
    WAITING,
    addresses,
    deliveries,
    dispatches,
    lanes,
    members,
    memberships,
    messages,
    prompts,
)


class LaneLost(Exception):
    """Another worker owns the lane now; this one must not send."""


@dataclass(frozen=True, slots=True)
class Part:
    """One bubble of a delivery, frozen at the first attempt."""

    id: int
    number: int
    token: str
    state: str
    content: dict[str, Any] | None
    repeats: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that was claimed, with all that is needed to decide and to render."""

    id: int
    attempts: int
    message_id: int
    message: Message
    kind: str
    expires_at: datetime | None
    address_id: int
    to: str
    last_inbound_at: datetime | None
    unreachable: bool
    language: str
    timezone: str
    experienced: bool  # has answered three times; needs no hint
    member_state: str
    membership_state: str | None  # None: the message belongs to no community
    in_community: bool
    parts: tuple[Part, ...]


def take_lane(db: Connection, lane: str) -> int:
    """Own a lane: a new fencing number, which refuses every older owner."""
    new = insert_new(db, lanes).values(name=lane, fence=1)
    grown = new.on_conflict_do_update(index_elements=["name"], set_={"fence": lanes.c.fence + 1})
    fence: int = db.execute(grown.returning(lanes.c.fence)).scalar_one()
    return fence


def recover(db: Connection, lane: str, look_at: datetime) -> int:
    """What stood as sending when the last owner died: perhaps sent, perhaps not."""
    stuck = select(deliveries.c.id).where(deliveries.c.lane == lane, UNDER_WAY)
    db.execute(
        update(dispatches)
        .where(dispatches.c.delivery_id.in_(stuck), dispatches.c.state == "sending")
        .values(state="unknown")
    )
    changed = db.execute(
        update(deliveries).where(deliveries.c.lane == lane, UNDER_WAY).values(state="unknown")
    )
    return changed.rowcount


_DUE = (
    select(
        deliveries.c.id,
        deliveries.c.attempts,
        deliveries.c.message_id,
        deliveries.c.address_id,
        type_coerce(messages.c.body, LargeBinary).label("body"),
        messages.c.kind,
        messages.c.expires_at,
        messages.c.community_id,
        type_coerce(addresses.c.sealed, LargeBinary).label("sealed"),
        addresses.c.last_inbound_at,
        addresses.c.unreachable_at,
        members.c.language,
        members.c.timezone,
        members.c.answers,
        members.c.state.label("member_state"),
        memberships.c.state.label("membership_state"),
    )
    .join(messages, messages.c.id == deliveries.c.message_id)
    .join(addresses, addresses.c.id == deliveries.c.address_id)
    .join(members, members.c.id == deliveries.c.member_id)
    .outerjoin(
        memberships,
        (memberships.c.member_id == deliveries.c.member_id)
        & (memberships.c.community_id == messages.c.community_id),
    )
    .where(
        deliveries.c.lane == bindparam("lane"),
        WAITING,
        deliveries.c.due_at <= bindparam("now", type_=messages.c.created_at.type),
        deliveries.c.address_id.not_in(bindparam("busy", expanding=True)),
    )
    .order_by(deliveries.c.priority, deliveries.c.id)
    .limit(bindparam("most"))
)


_OWNED = select(lanes.c.name).where(
    lanes.c.name == bindparam("owned_lane"), lanes.c.fence == bindparam("owned_fence")
)
_TAKE = (
    update(deliveries)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)), _OWNED.exists())
    .values(
        state="sending",
        fence=bindparam("owned_fence"),
        attempts=deliveries.c.attempts + 1,
    )
)


def claim(
    db: Connection, lane: str, fence: int, busy: Collection[int], most: int, now: datetime
) -> list[Due]:
    """Take what is due, most urgent first, in order per address. Raises LaneLost."""
    wanted = {"lane": lane, "now": now, "busy": list(busy), "most": most}
    rows = db.execute(_DUE, wanted).all()
    if not rows:
        return []
    ids = [row.id for row in rows]
    taken = db.execute(_TAKE, {"ids": ids, "owned_lane": lane, "owned_fence": fence})
    if taken.rowcount != len(ids):
        raise LaneLost(lane)
    parts = _parts(db, [row.id for row in rows if row.attempts])
    due = [_due(row, parts.get(row.id, ())) for row in rows]
    unreadable = [
        Fate(row.id, "failed", "unreadable")
        for row, each in zip(rows, due, strict=True)
        if not each
    ]
    if unreadable:
        settle(db, lane, unreadable)
    return [each for each in due if each]


def _parts(db: Connection, ids: list[int]) -> dict[int, tuple[Part, ...]]:
    if not ids:
        return {}
    found: dict[int, list[Part]] = defaultdict(list)
    statement = (
        select(
            dispatches.c.delivery_id,
            dispatches.c.id,
            dispatches.c.part,
            dispatches.c.token,
            dispatches.c.state,
            dispatches.c.content,
            dispatches.c.repeats,
            dispatches.c.created_at,
        )
        .where(dispatches.c.delivery_id.in_(ids))
        .order_by(dispatches.c.delivery_id, dispatches.c.part)
    )
    for row in db.execute(statement):
        found[row.delivery_id].append(Part(*row[1:]))
    return {id_: tuple(parts) for id_, parts in found.items()}


def _due(row: Any, parts: tuple[Part, ...]) -> Due | None:
    """None if it cannot be read: one damaged row must not hold up the lane."""
    try:
        message = message_from_json(json.loads(seals.keyring().open(row.body, "messages.body")))
        to = seals.keyring().open(row.sealed, "addresses.sealed")
    except (seals.SealError, ValueError, KeyError, TypeError):
        return None
    return Due(
        id=row.id,
        attempts=row.attempts,
        message_id=row.message_id,
        message=message,
        kind=row.kind,
        expires_at=row.expires_at,
        address_id=row.address_id,
        to=to,
        last_inbound_at=row.last_inbound_at,
        unreachable=row.unreachable_at is not None,
        language=row.language or SOURCE,
        timezone=row.timezone or "UTC",
        experienced=row.answers >= 3,
        member_state=row.member_state,
        membership_state=row.membership_state,
        in_community=row.community_id is not None,
        parts=parts,
    )


@dataclass(frozen=True, slots=True)
class Frozen:
    """A delivery as it is going to be said: its parts, and its prompt if it offers choices."""

    due: Due
    contents: Sequence[dict[str, Any]]
    tokens: Sequence[str]  # one a part
    prompt_token: str | None


_SHOW = insert(prompts)


def freeze(db: Connection, frozen: Sequence[Frozen], now: datetime) -> dict[int, tuple[Part, ...]]:
    """Write the parts down before the first one leaves; parts by delivery id."""
    rows: list[dict[str, Any]] = [
        {
            "delivery_id": each.due.id,
            "part": number,
            "token": token,
            "state": "sending",
            "content": content,
            "created_at": now,
        }
        for each in frozen
        for number, (content, token) in enumerate(zip(each.contents, each.tokens, strict=True))
    ]
    ids = insert_returning(db, dispatches, rows)
    shown = [
        {
            "token": each.prompt_token,
            "address_id": each.due.address_id,
            "message_id": each.due.message_id,
            "language": each.due.language,
            "shown_at": now,
        }
        for each in frozen
        if each.prompt_token is not None
    ]
    if shown:
        db.execute(_SHOW, shown)
    parts: dict[int, list[Part]] = defaultdict(list)
    for id_, row in zip(ids, rows, strict=True):
        part = Part(id_, row["part"], row["token"], "sending", row["content"], 0, now)
        parts[row["delivery_id"]].append(part)
    return {id_: tuple(each) for id_, each in parts.items()}


def mark_sending(db: Connection, part_ids: Sequence[int]) -> None:
    """These were refused before and are handed over again."""
    db.execute(update(dispatches).where(dispatches.c.id.in_(part_ids)).values(state="sending"))


def mark_repeating(db: Connection, part_id: int) -> None:
    """This one may have been sent before, and is tried once more."""
    db.execute(
        update(dispatches)
        .where(dispatches.c.id == part_id)
        .values(state="sending", repeats=dispatches.c.repeats + 1)
    )


@dataclass(frozen=True, slots=True)
class SentPart:
    """One part with what its provider answered."""

    id: int
    state: str  # sent, unknown, failed
    provider_id: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one claimed delivery."""

    delivery_id: int
    state: str  # sent, queued, held, unknown, failed, dropped
    reason: str | None = None
    due_at: datetime | None = None  # when to try again
    parts: tuple[SentPart, ...] = ()


# A receipt may come before our own note. (No IN here: these statements take many rows at once.)
_AHEAD = or_(dispatches.c.state == "delivered", dispatches.c.state == "read")

_PART_SENT = (
    update(dispatches)
    .where(dispatches.c.id == bindparam("part_id"))
    .values(
        state=case((_AHEAD, dispatches.c.state), else_="sent"),
        provider_key=bindparam("key"),
        provider_id=bindparam("named"),
        content=None,
    )
)
_PART_UNSENT = (
    update(dispatches)
    .where(dispatches.c.id == bindparam("part_id"), ~_AHEAD)
    .values(state=bindparam("new_state"), error=bindparam("code"))
)
_SETTLED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.state == "sending")
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        due_at=func.coalesce(
            bindparam("again_at", type_=deliveries.c.due_at.type), deliveries.c.due_at
        ),
    )
)


def settle(db: Connection, lane: str, fates: Sequence[Fate]) -> None:
    """Write down what became of claimed deliveries and their parts."""
    parts = [part for fate in fates for part in fate.parts]
    sent = [_sent_row(lane, part) for part in parts if part.state == "sent"]
    unsent = [
        {"part_id": part.id, "new_state": part.state, "code": _cut(part.error, 20)}
        for part in parts
        if part.state != "sent"
    ]
    if sent:
        db.execute(_PART_SENT, sent)
    if unsent:
        db.execute(_PART_UNSENT, unsent)
    over = [fate.delivery_id for fate in fates if fate.parts and fate.state == "failed"]
    if over:  # what will never be said is not kept
        db.execute(
            update(dispatches).where(dispatches.c.delivery_id.in_(over)).values(content=None)
        )
    db.execute(
        _SETTLED,
        [
            {
                "delivery_id": fate.delivery_id,
                "new_state": fate.state,
                "why": _cut(fate.reason, 40),
                "again_at": fate.due_at,
            }
            for fate in fates
        ],
    )


def _cut(code: str | None, most: int) -> str | None:
    """As much of a provider's code as the column holds."""
    return None if code is None else code[:most]


def _sent_row(lane: str, part: SentPart) -> dict[str, Any]:
    named = part.provider_id
    key = None if named is None else seals.lookup("dispatches.provider_key", lane, named)
    return {"part_id": part.id, "key": key, "named": named}


def count_waiting(db: Connection) -> dict[str, int]:
    """Deliveries that wait, by lane; a figure for /metrics."""
    statement = select(deliveries.c.lane, func.count()).where(WAITING).group_by(deliveries.c.lane)
    return {lane: count for lane, count in db.execute(statement)}


def known_ids(db: Connection, lane: str, provider_ids: Sequence[str]) -> set[str]:
    """Those of a provider's ids that stand for something we know was sent."""
    keys = {seals.lookup("dispatches.provider_key", lane, each): each for each in provider_ids}
    statement = select(dispatches.c.provider_key).where(dispatches.c.provider_key.in_(keys))
    return {keys[bytes(key)] for key in db.execute(statement).scalars()}
