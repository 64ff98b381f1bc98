"""Rounds: stories of a time and a kind, of which a community, then the programme, chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.messages import Ref
from bot.models.people import communities, members, memberships
from bot.models.stories import candidates, may_be, rounds, stories
from bot.roles import TAKING_PART

WAITING, READING, TIE, CHECKING, CLOSED = "waiting", "reading", "tie", "checking", "closed"


@dataclass(frozen=True, slots=True)
class Round:
    id: int
    parent_id: int | None
    programme_id: int
    community_id: int | None  # None = the whole programme
    opened_by: int | None
    domain: str | None
    since: datetime
    state: str  # WAITING, READING, TIE, CHECKING, CLOSED
    again: bool  # a second, short one, among those that were ahead
    closes_at: datetime | None
    next_at: datetime | None

    @property
    def use(self) -> str:
        """What its stories must be allowed for."""
        return "programme" if self.community_id is None else "community"

    @property
    def place(self) -> Ref:
        if self.community_id is None:
            return Ref("programmes", self.programme_id)
        return Ref("communities", self.community_id)

    def takes_choices(self, now: datetime) -> bool:
        return self.state == READING and self.closes_at is not None and now < self.closes_at


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story in a round, as long as it may be there."""

    id: int
    round_id: int
    story_id: int
    teller_id: int
    stands: bool
    chosen: bool
    voices: int | None


_ROUND = tuple(rounds.c[name] for name in Round.__dataclass_fields__)
_CANDIDATE = (
    candidates.c.id,
    candidates.c.round_id,
    candidates.c.story_id,
    stories.c.member_id,
    candidates.c.stands,
    candidates.c.chosen,
    candidates.c.voices,
)


# Rounds -----------------------------------------------------------------------------------------


def add(db: Connection, **values: Any) -> int:
    id_: int = db.execute(insert(rounds).values(values).returning(rounds.c.id)).scalar_one()
    return id_


def find(db: Connection, round_id: int) -> Round | None:
    row = db.execute(select(*_ROUND).where(rounds.c.id == round_id)).first()
    return None if row is None else Round(*row)


def find_for(db: Connection, round_id: int, member_id: int, now: datetime) -> Round | None:
    """One in which she may choose; of the whole programme facilitators do."""
    row = db.execute(select(*_ROUND).where(rounds.c.id == round_id, _may(member_id, now))).first()
    return None if row is None else Round(*row)


def find_read(db: Connection, round_id: int, member_id: int) -> Round | None:
    """One whose result she may read: of a group of hers, or of the programme it belongs to."""
    hers = select(memberships.c.community_id).where(
        memberships.c.member_id == member_id,
        memberships.c.state == "active",
        memberships.c.role.in_(TAKING_PART),
    )
    of_it = select(communities.c.programme_id).where(communities.c.id.in_(hers))
    reads = or_(
        rounds.c.community_id.in_(hers),
        and_(rounds.c.community_id.is_(None), rounds.c.programme_id.in_(of_it)),
    )
    row = db.execute(select(*_ROUND).where(rounds.c.id == round_id, reads)).first()
    return None if row is None else Round(*row)


def list_open(db: Connection, member_id: int, now: datetime) -> list[Round]:
    """Those in which she may choose now."""
    found = select(*_ROUND).where(
        rounds.c.state == READING, rounds.c.closes_at > now, _may(member_id, now)
    )
    return [Round(*row) for row in db.execute(found.order_by(rounds.c.id))]


def find_last(db: Connection, community_id: int) -> Round | None:
    """The latest of a community."""
    found = select(*_ROUND).where(rounds.c.community_id == community_id)
    row = db.execute(found.order_by(rounds.c.id.desc()).limit(1)).first()
    return None if row is None else Round(*row)


def find_waiting(db: Connection, programme_id: int, domain: str | None) -> int | None:
    """A round of the programme for this kind of change that still waits for its communities."""
    same = rounds.c.domain.is_(None) if domain is None else rounds.c.domain == domain
    found = select(rounds.c.id).where(
        rounds.c.programme_id == programme_id, rounds.c.state == WAITING, same
    )
    return db.execute(found.order_by(rounds.c.id).limit(1)).scalar()


def lock(db: Connection, round_id: int) -> Round | None:
    """As it is and stays until the end of this transaction: a choice counts, or comes too late.

    The row is written, not only held: whoever waited for it begins anew (bot/db.py).
    """
    same = update(rounds).where(rounds.c.id == round_id).values(state=rounds.c.state)
    row = db.execute(same.returning(*_ROUND)).first()
    return None if row is None else Round(*row)


def list_due(db: Connection, now: datetime, most: int) -> list[int]:
    """Those that are to be looked at, those first that have waited longest."""
    due = (rounds.c.next_at.is_not(None), rounds.c.next_at <= now)
    found = select(rounds.c.id).where(*due).order_by(rounds.c.next_at, rounds.c.id)
    return list(db.execute(found.limit(most)).scalars())


def change(db: Connection, round_id: int, **values: Any) -> None:
    db.execute(update(rounds).where(rounds.c.id == round_id).values(values))


def count_below(db: Connection, round_id: int) -> int:
    """How many of its communities are not done yet."""
    found = select(func.count()).where(rounds.c.parent_id == round_id, rounds.c.state != CLOSED)
    return db.execute(found).scalar_one()


def list_places(db: Connection, round_id: int) -> list[int]:
    """The communities that hear of it: its own, or those whose rounds are below."""
    found = select(rounds.c.community_id).where(
        or_(rounds.c.id == round_id, rounds.c.parent_id == round_id),
        rounds.c.community_id.is_not(None),
    )
    return sorted(set(db.execute(found).scalars()))


def list_programme(db: Connection, community_id: int) -> tuple[int, list[int]]:
    """Its programme, and all communities of it that go on."""
    mine = select(communities.c.programme_id).where(communities.c.id == community_id)
    programme_id: int = db.execute(mine).scalar_one()
    found = select(communities.c.id).where(
        communities.c.programme_id == programme_id, communities.c.ended_at.is_(None)
    )
    return programme_id, list(db.execute(found.order_by(communities.c.id)).scalars())


# Who chooses ------------------------------------------------------------------------------------


def _may(member_id: int, now: datetime) -> ColumnElement[bool]:
    hers = (memberships.c.member_id == member_id, memberships.c.state == "active")
    mine = (
        select(memberships.c.id)
        .join(communities, communities.c.id == memberships.c.community_id)
        .where(*hers, communities.c.ended_at.is_(None), _takes_part(now))
    )
    return mine.correlate(rounds).exists()


def _takes_part(now: datetime) -> ColumnElement[bool]:
    """In a community whoever takes part there, in a programme who facilitates in it."""
    holds = or_(memberships.c.role_until.is_(None), memberships.c.role_until > now)
    here = memberships.c.community_id == rounds.c.community_id
    leads = and_(memberships.c.role == "facilitator", holds)
    return or_(
        and_(here, memberships.c.role.in_(TAKING_PART)),
        and_(
            rounds.c.community_id.is_(None),
            communities.c.programme_id == rounds.c.programme_id,
            leads,
        ),
    )


def choosers(round_id: int, now: datetime) -> Select[Any]:
    """The ids of the members who may choose in it at this moment."""
    return (
        select(memberships.c.member_id)
        .distinct()
        .select_from(rounds)
        .join(communities, communities.c.programme_id == rounds.c.programme_id)
        .join(memberships, memberships.c.community_id == communities.c.id)
        .join(members, members.c.id == memberships.c.member_id)
        .where(
            rounds.c.id == round_id,
            memberships.c.state == "active",
            members.c.state.in_(("active", "stopped")),
            communities.c.ended_at.is_(None),
            _takes_part(now),
        )
    )


def list_choosers(db: Connection, round_id: int, now: datetime) -> list[int]:
    return sorted(db.execute(choosers(round_id, now)).scalars())


def list_members(db: Connection, community_ids: Sequence[int], who: Sequence[str]) -> list[int]:
    """Who has one of these roles in one of these communities."""
    found = select(memberships.c.member_id).where(
        memberships.c.community_id.in_(community_ids),
        memberships.c.state == "active",
        memberships.c.role.in_(who),
    )
    return sorted(set(db.execute(found).scalars())) if community_ids else []


# Stories in them --------------------------------------------------------------------------------


def list_fitting(
    db: Connection, community_id: int, domain: str | None, since: datetime
) -> list[int]:
    """Stories that its members may read and that fit; all that were told since then."""
    found = select(stories.c.id).where(
        stories.c.community_id == community_id, stories.c.told_at >= since, may_be("community")
    )
    if domain is not None:
        found = found.where(stories.c.domain == domain)
    return list(db.execute(found.order_by(stories.c.id)).scalars())


def list_selected(db: Connection, parent_id: int) -> list[int]:
    """What was chosen in the rounds below, and may be read in the whole programme."""
    found = (
        select(stories.c.id)
        .join(candidates, candidates.c.story_id == stories.c.id)
        .join(rounds, rounds.c.id == candidates.c.round_id)
        .where(rounds.c.parent_id == parent_id, candidates.c.chosen, may_be("programme"))
    )
    return sorted(set(db.execute(found).scalars()))


def enter(db: Connection, round_id: int, story_ids: Sequence[int]) -> None:
    """These are to be chosen from."""
    rows = [{"round_id": round_id, "story_id": each, "stands": True} for each in story_ids]
    if rows:
        db.execute(insert(candidates), rows)


def list_candidates(db: Connection, found: Round, *, standing: bool = True) -> list[Candidate]:
    """Those that may be there at this moment; `standing`: without those others were ahead of."""
    statement = _candidates(found).order_by(candidates.c.id)
    if standing:
        statement = statement.where(candidates.c.stands)
    return [Candidate(*row) for row in db.execute(statement)]


def find_candidate(db: Connection, candidate_id: int) -> tuple[Round, Candidate] | None:
    """None also if it may not be there any more."""
    mine = select(*_ROUND).join(candidates, candidates.c.round_id == rounds.c.id)
    row = db.execute(mine.where(candidates.c.id == candidate_id)).first()
    if row is None:
        return None
    found = Round(*row)
    here = db.execute(_candidates(found).where(candidates.c.id == candidate_id)).first()
    return None if here is None else (found, Candidate(*here))


def _candidates(found: Round) -> Select[Any]:
    return (
        select(*_CANDIDATE)
        .join(stories, stories.c.id == candidates.c.story_id)
        .where(candidates.c.round_id == found.id, may_be(found.use))
    )


def mark_candidate(db: Connection, candidate_id: int, **values: Any) -> None:
    db.execute(update(candidates).where(candidates.c.id == candidate_id).values(values))


def list_entries(db: Connection, story_id: int, use: str | None = None) -> list[int]:
    """Where this story is a candidate; `use`: only in rounds that need it."""
    found = (
        select(candidates.c.id)
        .join(rounds, rounds.c.id == candidates.c.round_id)
        .where(candidates.c.story_id == story_id)
    )
    if use is not None:
        level = rounds.c.community_id
        found = found.where(level.is_(None) if use == "programme" else level.is_not(None))
    return list(db.execute(found.order_by(candidates.c.id)).scalars())


def remove_candidate(db: Connection, candidate_id: int) -> None:
    db.execute(delete(candidates).where(candidates.c.id == candidate_id))
