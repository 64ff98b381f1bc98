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
    insert,
    select,
    type_coerce,
    update,
)

from bot import seals
from bot.codec import message_from_json
from bot.db import insert_once, insert_returning
from bot.i18n import SOURCE
from bot.messages import Message, refs_of
from bot.models.outbox import PUT_OFF, WAITING, deliveries, dispatches, messages, prompts, showings
from bot.models.people import addresses, members, memberships

URGENT, LOWEST = 1, 9  # priorities: see store/messages.py


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
    reason: str | None  # why it waited before
    message_id: int
    message: Message
    kind: str
    created_at: datetime  # when it was said
    expires_at: datetime | None
    member_id: int
    address_id: int
    to: str
    last_inbound_at: datetime | None
    unreachable: bool
    asked_at: datetime | None
    discreet: bool
    language: str
    timezone: str | None
    experienced: bool  # has answered three times; needs no hint
    member_state: str
    membership_state: str | None  # None: the message belongs to no community
    pace: str | None  # how much of the community she wants
    misplaced: bool  # for a role that she has no more, or never had
    community_id: int | None
    wide: bool  # goes to the whole community
    week: int | None  # the week in which ...
    unasked: int  # ... she got so much unasked
    hers: bool  # the address still belongs to the member it is for
    doubted: bool  # perhaps somebody else has this address now
    paused_until: datetime | None
    quiet_from: int | None  # minutes after midnight in her zone; None = as usual
    quiet_until: int | None
    parts: tuple[Part, ...]


Planned = tuple[Due, tuple[Part, ...]]  # with its parts as they are to be handed over

_DUE = (
    select(
        deliveries.c.id,
        deliveries.c.attempts,
        deliveries.c.reason,
        deliveries.c.message_id,
        deliveries.c.member_id,
        deliveries.c.address_id,
        deliveries.c.asked_at,
        type_coerce(messages.c.body, LargeBinary).label("body"),
        messages.c.kind,
        messages.c.for_role,
        messages.c.created_at,
        messages.c.expires_at,
        messages.c.community_id,
        messages.c.wide,
        type_coerce(addresses.c.sealed, LargeBinary).label("sealed"),
        addresses.c.last_inbound_at,
        addresses.c.unreachable_at,
        addresses.c.doubted_at,
        (addresses.c.member_id == deliveries.c.member_id).label("hers"),
        members.c.discreet,
        members.c.paused_until,
        members.c.quiet_from,
        members.c.quiet_until,
        members.c.language,
        members.c.timezone,
        members.c.answers,
        members.c.week,
        members.c.unasked,
        members.c.state.label("member_state"),
        memberships.c.state.label("membership_state"),
        memberships.c.pace,
        memberships.c.role,
        memberships.c.role_until,
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
        deliveries.c.priority <= bindparam("lowest"),
        deliveries.c.due_at <= bindparam("now", type_=messages.c.created_at.type),
        deliveries.c.address_id.not_in(bindparam("busy", expanding=True)),
    )
    .order_by(deliveries.c.priority, deliveries.c.place, deliveries.c.id)
    .limit(bindparam("most"))
)


_TAKE = (
    update(deliveries)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state="sending",
        fence=bindparam("owner"),
        attempts=deliveries.c.attempts + 1,
    )
)
_TIME_HAS_COME = (
    update(deliveries)
    .where(
        deliveries.c.lane == bindparam("its_lane"),
        PUT_OFF,
        deliveries.c.due_at <= bindparam("now", type_=messages.c.created_at.type),
    )
    .values(state="queued", reason=None)
)


def claim(
    db: Connection,
    lane: str,
    fence: int,
    busy: Collection[int],
    most: int,
    now: datetime,
    urgent: bool = False,
) -> tuple[list[Due], list[int]]:
    """What is due, most urgent first, in order per address; and ids of rows nobody can read.

    `urgent`: only what answers somebody and what was said in threads. Whoever calls owns the lane.
    """
    lowest = URGENT if urgent else LOWEST
    wanted = {"lane": lane, "now": now, "busy": list(busy), "most": most, "lowest": lowest}
    rows = db.execute(_DUE, wanted).all()
    if not rows:
        return [], []
    db.execute(_TAKE, {"ids": [row.id for row in rows], "owner": fence})
    parts = _parts(db, [row.id for row in rows if row.attempts])
    due = {row.id: _due(row, parts.get(row.id, ()), now) for row in rows}
    unreadable = [id_ for id_, each in due.items() if each is None]
    return [each for each in due.values() if each is not None], unreadable


def release_put_off(db: Connection, lane: str, now: datetime) -> None:
    """What waited for an hour of its member's is due again."""
    db.execute(_TIME_HAS_COME, {"its_lane": lane, "now": now})


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


_AS_IT_IS = (
    "attempts", "reason", "message_id", "created_at", "expires_at", "member_id", "address_id",
    "last_inbound_at", "asked_at", "discreet", "timezone", "member_state", "membership_state",
    "pace", "community_id", "wide", "week", "unasked", "hers", "paused_until", "quiet_from",
    "quiet_until",
)  # fmt: skip


def _due(row: Any, parts: tuple[Part, ...], now: datetime) -> Due | None:
    """None if it cannot be read: one damaged row must not hold up the lane."""
    try:
        message = message_from_json(json.loads(seals.keyring().open(row.body, "messages.body")))
        to = seals.keyring().open(row.sealed, "addresses.sealed")
    except (seals.SealError, ValueError, KeyError, TypeError):
        return None
    return Due(
        id=row.id,
        message=message,
        kind="safety" if row.kind == "alert" else row.kind,  # judged alike; alerts never move
        to=to,
        unreachable=row.unreachable_at is not None,
        language=row.language or SOURCE,
        experienced=row.answers >= 3,
        misplaced=_is_misplaced(row, now),
        doubted=row.doubted_at is not None,
        parts=parts,
        **{name: getattr(row, name) for name in _AS_IT_IS},
    )


def _is_misplaced(row: Any, now: datetime) -> bool:
    over = row.role_until is not None and row.role_until <= now
    return row.for_role is not None and (over or row.role != row.for_role)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A delivery as it is going to be said: its parts, and its prompt if it offers choices."""

    due: Due
    contents: Sequence[dict[str, Any]]
    tokens: Sequence[str]  # one a part
    prompt_token: str | None
    clears: bool  # [Clear] stands under its choices

    @property
    def asks_at(self) -> int:
        """The number of the part with the choices: recordings may follow it."""
        return max(n for n, each in enumerate(self.contents) if "buttons" in each)


_SHOW = insert(prompts)
# Said anew after a closed window, a delivery shows the same post once more.
_SHOWN = insert_once(lambda insert: insert(showings).on_conflict_do_nothing())


def freeze(db: Connection, frozen: Sequence[Frozen], now: datetime) -> dict[int, tuple[Part, ...]]:
    """Write the parts down before the first one leaves; parts by delivery id."""
    rows: list[dict[str, Any]] = [
        {
            "delivery_id": each.due.id,
            "part": number,
            "token": token,
            "state": "sending",
            "content": content,
            "media": content.get("media"),
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
            "clears": each.clears,
            "shown_at": now,
        }
        for each in frozen
        if each.prompt_token is not None
    ]
    if shown:
        db.execute(_SHOW, shown)
    _note_posts(db, frozen)
    parts: dict[int, list[Part]] = defaultdict(list)
    for id_, row in zip(ids, rows, strict=True):
        part = Part(id_, row["part"], row["token"], "sending", row["content"], 0, now)
        parts[row["delivery_id"]].append(part)
    return {id_: tuple(each) for id_, each in parts.items()}


def _note_posts(db: Connection, frozen: Sequence[Frozen]) -> None:
    """Which posts come to which phones: what is hidden later is looked for there."""
    rows = [
        {"post_id": post_id, "delivery_id": each.due.id}
        for each in frozen
        for post_id in {
            ref.id
            for ref in refs_of(each.due.message)
            if ref.table in ("posts", "stories", "leaves")
        }
    ]
    if rows:
        db.execute(_SHOWN[db.dialect.name], rows)
