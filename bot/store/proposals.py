"""Proposals: what a community would write together, the ideas for it, and a hand for one of them.

Whose hand is where is told to nobody, and forgotten when the hands are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from bot.db import insert_new
from bot.messages import Ref
from bot.models.people import communities, members, memberships
from bot.models.proposals import hands, ideas, proposals
from bot.models.talks import bubbles, posts
from bot.roles import TAKING_PART

IDEAS, DRAFTING, READY, CLOSED = "ideas", "drafting", "ready", "closed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something a community writes together."""

    id: int
    community_id: int
    opened_by: int | None
    post_id: int | None  # what it is for
    closes_at: datetime  # then the hands are counted
    deadline_at: datetime | None  # by then it is to be ready
    state: str  # IDEAS, DRAFTING, READY, CLOSED
    thread_id: int | None  # of the draft
    next_at: datetime | None
    created_at: datetime

    @property
    def purpose(self) -> Ref:
        """What it is for, in the words of who opened it."""
        return Ref("posts", self.post_id or 0)

    @property
    def thread(self) -> Ref:
        return Ref("threads", self.thread_id or 0)

    def takes_hands(self, now: datetime) -> bool:
        return self.state == IDEAS and now < self.closes_at


@dataclass(frozen=True, slots=True)
class Idea:
    """What could be proposed."""

    id: int
    proposal_id: int
    post_id: int
    author_id: int | None

    @property
    def ref(self) -> Ref:
        return Ref("posts", self.post_id)


_PROPOSAL = tuple(proposals.c[name] for name in Proposal.__dataclass_fields__)
_IDEA = (ideas.c.id, ideas.c.proposal_id, ideas.c.post_id, posts.c.author_id)
# What was hidden, taken back or forgotten is none any more.
_STANDS = (posts.c.state == "live") & exists().where(bubbles.c.post_id == posts.c.id)
_IDEAS = select(*_IDEA).join(posts, posts.c.id == ideas.c.post_id).where(_STANDS)


def add(
    db: Connection,
    now: datetime,
    *,
    community_id: int,
    opened_by: int,
    post_id: int,
    closes_at: datetime,
    deadline_at: datetime | None,
) -> int:
    """A new one, open for ideas; the next tick looks at it."""
    row = {
        "community_id": community_id,
        "opened_by": opened_by,
        "post_id": post_id,
        "closes_at": closes_at,
        "deadline_at": deadline_at,
        "state": IDEAS,
        "next_at": now,
        "created_at": now,
    }
    id_: int = db.execute(insert(proposals).values(row).returning(proposals.c.id)).scalar_one()
    return id_


def find(db: Connection, proposal_id: int) -> Proposal | None:
    row = db.execute(select(*_PROPOSAL).where(proposals.c.id == proposal_id)).first()
    return None if row is None else Proposal(*row)


def find_for(db: Connection, proposal_id: int, member_id: int) -> Proposal | None:
    """One of a community in which she takes part."""
    statement = select(*_PROPOSAL).where(proposals.c.id == proposal_id, _reads(member_id))
    row = db.execute(statement).first()
    return None if row is None else Proposal(*row)


def find_by_thread(db: Connection, thread_id: int) -> int | None:
    """The proposal that is drafted in this thread."""
    return db.execute(select(proposals.c.id).where(proposals.c.thread_id == thread_id)).scalar()


def lock(db: Connection, proposal_id: int) -> Proposal | None:
    """As it is and stays until the end of this transaction: a hand counts, or comes too late.

    The row is written, not only held: whoever waited for it begins anew (bot/db.py) and sees the
    hands that went up meanwhile, which are not in this row.
    """
    same = update(proposals).where(proposals.c.id == proposal_id).values(state=proposals.c.state)
    row = db.execute(same.returning(*_PROPOSAL)).first()
    return None if row is None else Proposal(*row)


def list_for(db: Connection, member_id: int, most: int) -> list[Proposal]:
    """Those of her communities that go on, the latest first."""
    goes_on = proposals.c.state.in_((IDEAS, DRAFTING))
    statement = select(*_PROPOSAL).where(goes_on, _reads(member_id))
    rows = db.execute(statement.order_by(proposals.c.id.desc()).limit(most))
    return [Proposal(*row) for row in rows]


def list_due(db: Connection, now: datetime, most: int) -> list[int]:
    """Those that are to be looked at, those first that have waited longest."""
    due = (proposals.c.next_at.is_not(None), proposals.c.next_at <= now)
    statement = select(proposals.c.id).where(*due).order_by(proposals.c.next_at, proposals.c.id)
    return list(db.execute(statement.limit(most)).scalars())


def change(db: Connection, proposal_id: int, **values: Any) -> None:
    db.execute(update(proposals).where(proposals.c.id == proposal_id).values(values))


def _reads(member_id: int) -> ColumnElement[bool]:
    """Whether it is of a community in which she takes part."""
    return exists().where(
        memberships.c.community_id == proposals.c.community_id,
        memberships.c.member_id == member_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
        communities.c.id == memberships.c.community_id,
        communities.c.ended_at.is_(None),
    )


# Ideas ------------------------------------------------------------------------------------------


def add_idea(db: Connection, proposal_id: int, post_id: int) -> int:
    row = {"proposal_id": proposal_id, "post_id": post_id}
    id_: int = db.execute(insert(ideas).values(row).returning(ideas.c.id)).scalar_one()
    return id_


def find_idea(db: Connection, idea_id: int) -> Idea | None:
    """None also if it was taken back or hidden."""
    row = db.execute(_IDEAS.where(ideas.c.id == idea_id)).first()
    return None if row is None else Idea(*row)


def list_ideas(db: Connection, proposal_id: int, after: int, most: int) -> list[Idea]:
    """In the order in which they came, those that still stand."""
    statement = _IDEAS.where(ideas.c.proposal_id == proposal_id, ideas.c.id > after)
    return [Idea(*row) for row in db.execute(statement.order_by(ideas.c.id).limit(most))]


def list_ideas_of(db: Connection, proposal_id: int, member_id: int) -> list[Idea]:
    """Her own."""
    hers = (ideas.c.proposal_id == proposal_id, posts.c.author_id == member_id)
    return [Idea(*row) for row in db.execute(_IDEAS.where(*hers).order_by(ideas.c.id))]


def count_ideas(db: Connection, proposal_id: int, upto: int | None = None) -> int:
    """How many there are, or up to this one: its number on the list."""
    counted = _IDEAS.where(ideas.c.proposal_id == proposal_id)
    if upto is not None:
        counted = counted.where(ideas.c.id <= upto)
    return db.execute(select(func.count()).select_from(counted.subquery())).scalar_one()


# Hands ------------------------------------------------------------------------------------------


def raise_hand(db: Connection, idea: Idea, member_id: int) -> None:
    """For this idea, whatever it was raised for before."""
    row = {"proposal_id": idea.proposal_id, "member_id": member_id, "idea_id": idea.id}
    new = insert_new(db, hands).values(row)
    db.execute(
        new.on_conflict_do_update(
            index_elements=["proposal_id", "member_id"], set_={"idea_id": idea.id}
        )
    )


def lower_hand(db: Connection, proposal_id: int, member_id: int) -> bool:
    """False if it was not raised."""
    hers = (hands.c.proposal_id == proposal_id, hands.c.member_id == member_id)
    return db.execute(delete(hands).where(*hers)).rowcount == 1


def find_hand(db: Connection, proposal_id: int, member_id: int) -> int | None:
    """The idea that she raised her hand for."""
    hers = (hands.c.proposal_id == proposal_id, hands.c.member_id == member_id)
    return db.execute(select(hands.c.idea_id).where(*hers)).scalar()


def list_raised(db: Connection, proposal_id: int, most: int) -> list[int]:
    """Who has a hand up, for the machine alone: they are not called once more."""
    statement = select(hands.c.member_id).where(hands.c.proposal_id == proposal_id)
    return list(db.execute(statement.order_by(hands.c.member_id).limit(most)).scalars())


def count_hands(db: Connection, proposal: Proposal) -> list[tuple[int, int]]:
    """(idea, hands) of those that stand, of who still takes part; the most first, then the oldest.

    Ideas without a hand are not among them.
    """
    counted = func.count().label("counted")
    statement = (
        select(hands.c.idea_id, counted)
        .join(ideas, ideas.c.id == hands.c.idea_id)
        .join(posts, posts.c.id == ideas.c.post_id)
        .where(
            hands.c.proposal_id == proposal.id,
            _STANDS,
            hands.c.member_id.in_(_taking_part(proposal.community_id)),
        )
        .group_by(hands.c.idea_id)
        .order_by(counted.desc(), hands.c.idea_id)
    )
    return [(row.idea_id, row.counted) for row in db.execute(statement)]


def _taking_part(community_id: int) -> Select[Any]:
    return (
        select(memberships.c.member_id)
        .join(members, members.c.id == memberships.c.member_id)
        .where(
            memberships.c.community_id == community_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            members.c.state.in_(("active", "stopped")),
        )
    )


def forget_hands(db: Connection, proposal_id: int, counted: Sequence[tuple[int, int]]) -> None:
    """From here on only the numbers are known."""
    for idea_id, number in counted:
        db.execute(update(ideas).where(ideas.c.id == idea_id).values(hands=number))
    db.execute(delete(hands).where(hands.c.proposal_id == proposal_id))
