"""Messages and who is to get them: the outbox, written in the turn's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from bot import seals
from bot.codec import message_from_json, message_to_json
from bot.columns import Moment
from bot.db import insert_new, insert_once, insert_returning, locking_once, mark_due
from bot.messages import Message
from bot.models.outbox import HELD, deliveries, messages, showings
from bot.models.people import addresses, communities, members, memberships
from bot.models.talks import follows, threads
from bot.roles import TAKING_PART

FAN_OUT = 2000  # members per statement, each chunk a transaction of its own

# Said first: what she just did, then threads, sessions, broadcasts.
PRIORITY = {
    "direct": 0,
    "safety": 0,
    "notice": 1,
    "thread": 1,
    "retract": 1,
    "session": 2,
    "broadcast": 3,
}


_ADD = insert_once(
    lambda insert: insert(messages).on_conflict_do_nothing().returning(messages.c.id)
)
_DELIVER = insert(deliveries)
_COLUMNS = [
    "message_id", "member_id", "address_id", "lane", "priority", "state", "reason", "due_at",
]  # fmt: skip
_BODY = select(messages.c.body).where(messages.c.id == bindparam("message_id"))
_NEXT_UNDER_WAY = locking_once(
    select(messages.c.id, messages.c.audience, messages.c.reached_id)
    .where(text("audience IS NOT NULL"))
    .order_by(messages.c.id)
    .limit(1),
    key_share=True,  # two lanes take chunks in turn: what was said first reaches everybody first
)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is to hear a message, in a form that can be stored."""

    # member, community, facilitators, focal_points; safeguarding: the focal points of a programme;
    # of a thread: followers, hearers (its whole community, but who stopped following);
    # holders of a post
    kind: str
    id: int
    but: tuple[int, ...] = ()  # members who are left out

    @property
    def is_wide(self) -> bool:
        """Whether it goes to a whole community; who wants little of it gets it later, or not."""
        return self.kind in ("community", "hearers")

    def members(self) -> Select[tuple[int]]:
        """The ids of the members; only those who are in and have not stopped."""
        if self.kind == "member":
            found = select(members.c.id).where(members.c.id == self.id)
        elif self.kind in ("holders", "other_holders"):
            found = (
                select(addresses.c.member_id)
                .join(deliveries, deliveries.c.address_id == addresses.c.id)
                .join(showings, showings.c.delivery_id == deliveries.c.id)
                .where(showings.c.post_id == self.id)
            )
        elif self.kind == "followers":
            found = (
                select(follows.c.member_id)
                .join(members, members.c.id == follows.c.member_id)
                .where(
                    follows.c.thread_id == self.id, ~follows.c.muted, members.c.state == "active"
                )
                .where(self._takes_part())
            )
        elif self.kind == "hearers":
            place = select(threads.c.community_id).where(threads.c.id == self.id)
            deaf = select(follows.c.member_id).where(
                follows.c.thread_id == self.id, follows.c.muted
            )
            found = self._inside(memberships.c.community_id == place.scalar_subquery())
            found = found.where(members.c.id.not_in(deaf))
        elif self.kind == "safeguarding":
            places = select(communities.c.id).where(communities.c.programme_id == self.id)
            found = self._inside(memberships.c.community_id.in_(places))
        else:
            found = self._inside(memberships.c.community_id == self.id)
        return found.where(found.selected_columns[0].not_in(self.but)) if self.but else found

    def addresses(self) -> ColumnElement[bool]:
        """At which of their addresses: the one they prefer, or where a post was shown."""
        if self.kind not in ("holders", "other_holders"):
            return addresses.c.preferred
        first, last = func.min(addresses.c.id), func.max(addresses.c.id)
        shown = (
            select(first if self.kind == "holders" else last)
            .join(deliveries, deliveries.c.address_id == addresses.c.id)
            .join(showings, showings.c.delivery_id == deliveries.c.id)
            .where(showings.c.post_id == self.id)
            .group_by(addresses.c.member_id)
        )
        return addresses.c.id.in_(shown if self.kind == "holders" else shown.having(first != last))

    def _takes_part(self) -> ColumnElement[bool]:
        """Whether who follows a thread still takes part where it is."""
        mine = (threads.c.id == self.id, memberships.c.member_id == follows.c.member_id)
        reads = or_(
            threads.c.scope == "community",
            threads.c.asker_id == memberships.c.member_id,
            memberships.c.role == "facilitator",
        )
        part = select(memberships.c.id).where(*mine, memberships.c.role.in_(TAKING_PART), reads)
        return part.where(memberships.c.community_id == threads.c.community_id).exists()

    def _inside(self, there: ColumnElement[bool]) -> Select[tuple[int]]:
        found = (
            select(memberships.c.member_id)
            .join(members, members.c.id == memberships.c.member_id)
            .where(there, memberships.c.state == "active", members.c.state == "active")
        )
        if self.kind == "facilitators":
            return found.where(memberships.c.role == "facilitator")
        if self.kind in ("focal_points", "safeguarding"):
            return found.where(memberships.c.role == "focal_point")
        return found.where(memberships.c.role.in_(TAKING_PART))


def add(
    db: Connection,
    key: str,
    kind: str,
    message: Message,
    now: datetime,
    community_id: int | None = None,
    *,
    wide: bool = False,
) -> int | None:
    """Something to be said, once: None if there is a message with this key already."""
    row = _row(key, kind, message, now) | {"community_id": community_id, "wide": wide}
    return db.execute(_ADD[db.dialect.name], row).scalar()


def _row(key: str, kind: str, message: Message, now: datetime) -> dict[str, Any]:
    key_of = seals.lookup("messages.key", key)  # it may name members and rows: sealed like them
    return {"key": key_of, "kind": kind, "body": message_to_json(message), "created_at": now}


def say(
    db: Connection,
    said: Sequence[tuple[str, Message, datetime]],
    address: tuple[int, int, str],
    now: datetime,
) -> list[int]:
    """Messages (key, what, due) to one address (id, member id, lane), in order; their ids."""
    ids = insert_returning(
        db, messages, [_row(key, "direct", message, now) for key, message, _ in said]
    )
    address_id, member_id, lane = address
    rows = [
        {
            "message_id": message_id,
            "member_id": member_id,
            "address_id": address_id,
            "lane": lane,
            "priority": PRIORITY["direct"],
            "state": "queued",
            "due_at": due_at,
            "asked_at": now,
        }
        for message_id, (_, _, due_at) in zip(ids, said, strict=True)
    ]
    db.execute(_DELIVER, rows)
    mark_due(db, min(due_at for _, _, due_at in said), lane)
    return ids


def tell(db: Connection, message_id: int, kind: str, audience: Audience, due_at: datetime) -> None:
    """Deliver a message to an audience: the first chunk now, the rest chunk by chunk."""
    if _deliver_chunk(db, message_id, kind, audience, due_at, after=0) == FAN_OUT:
        _remember(db, message_id, kind, audience, due_at)


def go_on(db: Connection) -> bool:
    """One more chunk of a fan-out that is under way; False if there is none."""
    row = db.execute(_NEXT_UNDER_WAY[db.dialect.name]).first()
    if row is None:
        return False
    stored = dict(row.audience)
    due_at = datetime.fromisoformat(stored.pop("due_at"))
    kind = stored.pop("message_kind")
    audience = Audience(stored["kind"], stored["id"], tuple(stored["but"]))
    done = _deliver_chunk(db, row.id, kind, audience, due_at, after=row.reached_id) < FAN_OUT
    if done:
        db.execute(update(messages).where(messages.c.id == row.id).values(audience=None))
    else:
        _remember(db, row.id, kind, audience, due_at)
    return True


def _remember(
    db: Connection, message_id: int, kind: str, audience: Audience, due_at: datetime
) -> None:
    reached = select(func.max(deliveries.c.member_id)).where(deliveries.c.message_id == message_id)
    stored = {
        "kind": audience.kind,
        "id": audience.id,
        "but": list(audience.but),
        "message_kind": kind,
        "due_at": due_at.isoformat(),
    }
    db.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(audience=stored, reached_id=reached.scalar_subquery())
    )


def _deliver_chunk(
    db: Connection, message_id: int, kind: str, audience: Audience, due_at: datetime, after: int
) -> int:
    reachable = addresses.c.unreachable_at.is_(None)
    chosen = (
        select(
            literal(message_id),
            addresses.c.member_id,
            addresses.c.id,
            addresses.c.lane,
            literal(PRIORITY[kind]),
            case((reachable, "queued"), else_="failed"),
            case((reachable, None), else_="unreachable"),
            literal(due_at, Moment),
        )
        .where(
            audience.addresses(),
            addresses.c.member_id.in_(audience.members()),
            addresses.c.member_id > after,
        )
        .order_by(addresses.c.member_id)
        .limit(FAN_OUT)
    )
    new = insert_new(db, deliveries).from_select(_COLUMNS, chosen, include_defaults=False)
    count = db.execute(new.on_conflict_do_nothing()).rowcount
    if count:
        mark_due(db, due_at)
    return count


def count_by_lane(db: Connection, audience: Audience) -> dict[str, int]:
    """How many of an audience are written to on each lane."""
    statement = (
        select(addresses.c.lane, func.count())
        .where(addresses.c.preferred, addresses.c.member_id.in_(audience.members()))
        .group_by(addresses.c.lane)
    )
    return {lane: count for lane, count in db.execute(statement)}


def find(db: Connection, message_id: int) -> Message | None:
    body = db.execute(_BODY, {"message_id": message_id}).scalar()
    return None if body is None else message_from_json(body)


def postpone(db: Connection, message_id: int, due_at: datetime) -> bool:
    """Let a message wait a little longer; False if it has left."""
    changed = db.execute(
        update(deliveries)
        .where(deliveries.c.message_id == message_id, deliveries.c.state == "queued")
        .values(due_at=due_at)
    )
    return changed.rowcount > 0


def release_held(db: Connection, address_id: int, now: datetime) -> None:
    """Her window is open again: what waited for it goes out, in order."""
    released = db.execute(
        update(deliveries)
        .where(deliveries.c.address_id == address_id, HELD, deliveries.c.reason != "discreet")
        .values(state="queued", reason=None, due_at=now)
    )
    if released.rowcount:
        mark_due(db, now)
