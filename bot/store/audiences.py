"""Audiences: who is to hear a message, and its deliveries to each of them, in line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    case,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from bot.columns import Moment, microseconds
from bot.db import insert_new, locking_once, mark_due
from bot.models.outbox import PRIORITY, deliveries, messages, showings
from bot.models.people import addresses, communities, members, memberships
from bot.models.talks import follows, threads
from bot.roles import TAKING_PART

FAN_OUT = 2000  # members per statement, each chunk a transaction of its own
A_SECOND = 10  # members of one message that stand in line for the same second
_SECOND = 1_000_000  # microseconds

_COLUMNS = [
    "message_id", "member_id", "address_id", "lane", "priority", "place", "state", "reason",
    "due_at",
]  # fmt: skip
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

    @property
    def role(self) -> str | None:
        """The role for which somebody hears it, looked at again when it is said."""
        return {"facilitators": "facilitator", "focal_points": "focal_point"}.get(self.kind)

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
    kinds = [each for each, urgency in PRIORITY.items() if urgency == PRIORITY[kind]]
    chosen = (
        select(
            literal(message_id),
            addresses.c.member_id,
            addresses.c.id,
            addresses.c.lane,
            literal(PRIORITY[kind]),
            _places(message_id, kinds, due_at),
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
        _stand(db, message_id, kinds, due_at, count)
        mark_due(db, due_at)
    return count


# A place in line, so that a community with much to say does not hold up the others: each message
# to many stands as if its community had a lane to itself, ten members a second. Lanes claim by
# these places. What a community says later, as urgently, stands behind what it said before.


def _places(message_id: int, kinds: Sequence[str], at: datetime) -> ColumnElement[Any]:
    """The place of each member, in microseconds; `kinds` are as urgent as this one."""
    number = func.row_number().over(order_by=addresses.c.member_id) - 1
    tens = number - number % A_SECOND
    return _line(message_id, kinds, at) + tens * literal(_SECOND // A_SECOND, BigInteger)


def _line(message_id: int, kinds: Sequence[str], at: datetime) -> ColumnElement[Any]:
    """The moment itself, or when its community has said what it is still saying."""
    mine, before = messages.alias(), messages.alias()
    until = (
        select(func.max(before.c.line_until))
        .join(mine, mine.c.community_id == before.c.community_id)
        .where(mine.c.id == message_id, before.c.kind.in_(kinds))
        .where(before.c.line_until > literal(at, Moment))
    )
    return func.coalesce(until.scalar_subquery(), literal(microseconds(at), BigInteger))


def _stand(db: Connection, message_id: int, kinds: Sequence[str], at: datetime, count: int) -> None:
    """So many members stand in line with this message; what comes later stands behind them."""
    seconds = (count - 1) // A_SECOND
    if seconds > 0:
        until = _line(message_id, kinds, at) + literal(seconds * _SECOND, BigInteger)
        db.execute(update(messages).where(messages.c.id == message_id).values(line_until=until))
