"""Editions: the dates of schedules, what is said on them, and what became of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, delete, func, select, text, update

from bot.columns import Moment
from bot.db import insert_new, locking_once
from bot.models.people import memberships
from bot.models.rhythm import edition_messages, editions, opinions, schedules

WEEKLY = ("tip", "prompt")  # said in one message
PEERS = ("digest",)


@dataclass(frozen=True, slots=True)
class Edition:
    """One date of a schedule."""

    id: int
    schedule_id: int
    community_id: int
    kind: str  # tip, prompt, digest
    day: int  # days since 1970
    state: str  # ahead, going, out, skipped
    reason: str | None  # why it was skipped; by_hand: it is said at once
    content_id: int | None
    picked: bool
    minutes: int  # of its schedule

    @property
    def together(self) -> tuple[str, ...]:
        """The kinds that are said in one message with it."""
        return PEERS if self.kind in PEERS else WEEKLY

    @property
    def place(self) -> tuple[int, int]:
        """Of those in one message the first one leads."""
        return self.minutes, self.id


_EDITION: Select[Any] = select(
    editions.c.id,
    editions.c.schedule_id,
    editions.c.community_id,
    editions.c.kind,
    editions.c.day,
    editions.c.state,
    editions.c.reason,
    editions.c.content_id,
    editions.c.picked,
    schedules.c.minutes,
).join(schedules, schedules.c.id == editions.c.schedule_id)
_DUE = locking_once(
    select(editions.c.id)
    .where(
        text("editions.next_at IS NOT NULL"),
        editions.c.next_at <= bindparam("now", type_=Moment),
    )
    .order_by(editions.c.next_at, editions.c.id)
    .limit(1),
    skip_locked=True,
)


def find(db: Connection, edition_id: int) -> Edition | None:
    row = db.execute(_EDITION.where(editions.c.id == edition_id)).first()
    return None if row is None else Edition(*row)


def find_due(db: Connection, now: datetime) -> Edition | None:
    """One whose moment has come; another process works on others meanwhile."""
    id_ = db.execute(_DUE[db.dialect.name], {"now": now}).scalar()
    return None if id_ is None else find(db, id_)


def find_on(db: Connection, schedule_id: int, day: int) -> Edition | None:
    its = (editions.c.schedule_id == schedule_id, editions.c.day == day)
    row = db.execute(_EDITION.where(*its)).first()
    return None if row is None else Edition(*row)


def list_between(db: Connection, community_id: int, first: int, last: int) -> list[Edition]:
    """Of a community on these days, in order."""
    statement = _EDITION.where(
        editions.c.community_id == community_id, editions.c.day.between(first, last)
    )
    rows = db.execute(statement.order_by(editions.c.day, schedules.c.minutes, editions.c.id))
    return [Edition(*row) for row in rows]


def list_of_message(db: Connection, message_id: int) -> list[Edition]:
    """What a message says."""
    said = _EDITION.join(edition_messages, edition_messages.c.edition_id == editions.c.id)
    found = said.where(edition_messages.c.message_id == message_id)
    return [Edition(*row) for row in db.execute(found.order_by(editions.c.id))]


def list_beside(db: Connection, edition: Edition) -> list[Edition]:
    """All that are said in one message with it to some of its readers; itself too, in order.

    What is said by hand stands alone.
    """
    if edition.reason is not None:
        return [edition]
    mine, other = memberships.alias(), memberships.alias()
    shared = (
        select(other.c.community_id)
        .join(mine, mine.c.member_id == other.c.member_id)
        .where(mine.c.community_id == edition.community_id)
        .distinct()
    )
    places = [*db.execute(shared.where(other.c.community_id != mine.c.community_id)).scalars()]
    statement = _EDITION.where(
        editions.c.community_id.in_([edition.community_id, *places]),
        editions.c.day == edition.day,
        editions.c.kind.in_(edition.together),
        editions.c.state != "skipped",
        editions.c.reason.is_(None),
    )
    return sorted((Edition(*row) for row in db.execute(statement)), key=lambda each: each.place)


def list_these(db: Connection, edition_ids: Sequence[int]) -> list[Edition]:
    """Those of them that are not skipped, in the order in which they lead."""
    these = _EDITION.where(editions.c.id.in_(edition_ids), editions.c.state != "skipped")
    return sorted((Edition(*row) for row in db.execute(these)), key=lambda each: each.place)


def ensure(
    db: Connection, schedule_id: int, community_id: int, kind: str, day: int, *, next_at: datetime
) -> bool:
    """There is one on this day; False if there was one that is over."""
    row = {
        "schedule_id": schedule_id,
        "community_id": community_id,
        "kind": kind,
        "day": day,
        "state": "ahead",
        "next_at": next_at,
        "changed_at": next_at,
    }
    new = insert_new(db, editions).values(row)
    db.execute(new.on_conflict_do_nothing(index_elements=["schedule_id", "day"]))
    its = (editions.c.schedule_id == schedule_id, editions.c.day == day)
    return db.execute(select(editions.c.next_at).where(*its)).scalar() is not None


def mark(db: Connection, edition_id: int, now: datetime, **values: Any) -> None:
    one = editions.c.id == edition_id
    db.execute(update(editions).where(one).values(changed_at=now, **values))


def skip(db: Connection, edition_id: int, reason: str, now: datetime) -> bool:
    """It is not said; False if it has begun to be."""
    ahead = (editions.c.id == edition_id, editions.c.state == "ahead")
    changed = db.execute(
        update(editions)
        .where(*ahead)
        .values(state="skipped", reason=reason, next_at=None, changed_at=now)
    )
    return changed.rowcount == 1


def pick(db: Connection, edition_id: int, content_id: int | None, now: datetime) -> bool:
    """A facilitator picks what is said (None: as the series goes); False if it has begun."""
    ahead = (editions.c.id == edition_id, editions.c.state == "ahead")
    picked = content_id is not None
    changed = db.execute(
        update(editions).where(*ahead).values(content_id=content_id, picked=picked, changed_at=now)
    )
    return changed.rowcount == 1


def take_ahead(db: Connection, schedule_id: int) -> list[tuple[int, int]]:
    """Forget what lies ahead, since its schedule has changed; (day, content) of what was picked."""
    by_hand = editions.c.reason.is_(None)  # what is to be said at once stays
    ahead = (editions.c.schedule_id == schedule_id, editions.c.state == "ahead", by_hand)
    statement = select(editions.c.day, editions.c.content_id).where(*ahead, editions.c.picked)
    picked = db.execute(statement.order_by(editions.c.day)).all()
    db.execute(delete(editions).where(*ahead))
    return [(row.day, row.content_id) for row in picked if row.content_id is not None]


def list_ended(db: Connection) -> list[int]:
    """Schedules that go on without an edition that lies ahead."""
    next_one = select(editions.c.id).where(
        editions.c.schedule_id == schedules.c.id, text("editions.next_at IS NOT NULL")
    )
    statement = select(schedules.c.id).where(~schedules.c.stopped, ~next_one.exists())
    return list(db.execute(statement).scalars())


def list_of_content(db: Connection, content_id: int, since: int) -> list[Edition]:
    """What was said, or is being said, with this content since a day."""
    statement = _EDITION.where(
        editions.c.content_id == content_id,
        editions.c.state.in_(("going", "out")),
        editions.c.day >= since,
    )
    return [Edition(*row) for row in db.execute(statement)]


# What was said, and to whom ----------------------------------------------------------------------


def count_said(db: Connection, community_id: int, kind: str) -> dict[int, int]:
    """How often each content was said there."""
    statement = (
        select(editions.c.content_id, func.count())
        .where(
            editions.c.community_id == community_id,
            editions.c.kind == kind,
            editions.c.state.in_(("going", "out")),
            editions.c.content_id.is_not(None),
        )
        .group_by(editions.c.content_id)
    )
    return {content_id: count for content_id, count in db.execute(statement)}


def count_liked(db: Connection, content_ids: Collection[int]) -> dict[int, int]:
    """How many more found it useful than not, everywhere."""
    score = func.sum(case((opinions.c.useful, 1), else_=-1))
    statement = select(opinions.c.content_id, score).where(
        opinions.c.content_id.in_(sorted(content_ids))
    )
    rows = db.execute(statement.group_by(opinions.c.content_id))
    return {content_id: int(liked) for content_id, liked in rows}
