"""Following up: what waits for an answer or an outcome, and who may be asked personally."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal, or_, select, text, update

from bot.columns import Moment
from bot.i18n import country_of
from bot.models.people import addresses, communities, members, memberships
from bot.models.rhythm import holidays
from bot.models.talks import bubbles, follows, posts, threads
from bot.roles import TAKING_PART
from bot.timing import MOST_UNASKED, week_of

Stretch = tuple[int, int]  # the first and the last day of a holiday, since 1970

# Written out, so that SQLite sees the conditions of its partial indexes.
_ASKED = text("threads.state = 'asked'")
_HELPED = text(
    "threads.state = 'helped' AND NOT threads.anonymous AND threads.outcome IS NULL"
    " AND (threads.followed_up IS NULL OR threads.followed_up <> 'outcome')"
)
_HELPFUL = text("posts.helpful_at IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits for an answer, or for what came of it."""

    thread_id: int
    question_id: int
    community_id: int
    programme_id: int
    timezone: str  # of its community
    followed_up: str | None  # None, peers, facilitators, outcome
    since: datetime  # when it was asked; or when an answer helped


_WAITING = (
    threads.c.id,
    posts.c.id,
    threads.c.community_id,
    communities.c.programme_id,
    communities.c.timezone,
    threads.c.followed_up,
)


def list_unanswered(
    db: Connection, since: datetime, before: datetime, after: int, most: int
) -> list[Waiting]:
    """Asked between these moments, without an answer, and not followed up to the end."""
    statement = (
        select(*_WAITING, threads.c.created_at)
        .join(posts, posts.c.thread_id == threads.c.id)
        .join(communities, communities.c.id == threads.c.community_id)
        .where(
            _ASKED,
            threads.c.id > after,
            threads.c.created_at >= literal(since, Moment),
            threads.c.created_at <= literal(before, Moment),
            or_(threads.c.followed_up.is_(None), threads.c.followed_up == "peers"),
            posts.c.kind == "question",
            posts.c.state == "live",
            communities.c.ended_at.is_(None),
        )
        .order_by(threads.c.id)
        .limit(most)
    )
    return [Waiting(*row) for row in db.execute(statement)]


def list_helped(db: Connection, before: datetime, after: int, most: int) -> list[Waiting]:
    """With an answer that helped before this moment; who asked with a name was not asked again."""
    helpful = posts.alias()
    first = (
        select(func.min(helpful.c.helpful_at))
        .where(helpful.c.thread_id == threads.c.id, helpful.c.state == "live")
        .scalar_subquery()
    )
    statement = (
        select(*_WAITING, first)
        .join(posts, posts.c.thread_id == threads.c.id)
        .join(communities, communities.c.id == threads.c.community_id)
        .where(
            _HELPED,
            threads.c.id > after,
            posts.c.kind == "question",
            posts.c.state == "live",
            communities.c.ended_at.is_(None),
            first <= literal(before, Moment),
        )
        .order_by(threads.c.id)
        .limit(most)
    )
    return [Waiting(*row) for row in db.execute(statement)]


def mark(db: Connection, thread_id: int, before: str | None, after: str) -> bool:
    """It was followed up to here; False if somebody else was faster."""
    was = threads.c.followed_up
    changed = db.execute(
        update(threads)
        .where(threads.c.id == thread_id, was.is_(None) if before is None else was == before)
        .values(followed_up=after)
    )
    return changed.rowcount == 1


def list_still_waiting(db: Connection, thread_ids: Collection[int]) -> set[int]:
    """Those of the threads that have no answer yet and are neither closed nor hidden."""
    statement = (
        select(threads.c.id)
        .join(posts, posts.c.thread_id == threads.c.id)
        .where(
            threads.c.id.in_(thread_ids),
            threads.c.state == "asked",
            posts.c.kind == "question",
            posts.c.state == "live",
        )
    )
    return set(db.execute(statement).scalars())


def knows(db: Connection, member_id: int, at: datetime) -> bool:
    """Whether the app that is used unasked may show what she did then."""
    linked = addresses.c.linked_at
    since = or_(linked.is_(None), linked <= literal(at, Moment))
    statement = select(addresses.c.id).where(
        addresses.c.member_id == member_id, addresses.c.preferred, since
    )
    return db.execute(statement).first() is not None


def list_holidays(db: Connection) -> Mapping[tuple[int, str], Sequence[Stretch]]:
    """All there are, by programme and country."""
    found: dict[tuple[int, str], list[Stretch]] = defaultdict(list)
    columns = holidays.c.programme_id, holidays.c.country, holidays.c.first_on, holidays.c.last_on
    for programme_id, country, first, last in db.execute(select(*columns)):
        found[programme_id, country].append((first, last))
    return found


def resting(
    every: Mapping[tuple[int, str], Sequence[Stretch]], programme_id: int, timezone: str
) -> Sequence[Stretch]:
    """The holidays of whoever lives in this zone."""
    return every.get((programme_id, country_of(timezone) or ""), ())


# Whom to ask -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Answered:
    """A question that was answered before, and by whom."""

    words: list[str] = field(default_factory=list)
    peers: dict[int, bool] = field(default_factory=dict)  # member -> whether it helped

    @property
    def text(self) -> str:
        return "\n".join(self.words)


def list_answered(db: Connection, community_id: int, most: int) -> list[Answered]:
    """The latest questions of a community that its members answered."""
    given = (posts.c.kind == "answer", posts.c.state == "live", posts.c.author_id.is_not(None))
    answer = select(posts.c.id).where(posts.c.thread_id == threads.c.id, *given)
    lately = (
        select(threads.c.id)
        .where(
            threads.c.community_id == community_id,
            threads.c.scope == "community",
            threads.c.state != "asked",
            answer.exists(),
        )
        .order_by(threads.c.id.desc())
        .limit(most)
    )
    ids = list(db.execute(lately).scalars())
    found: dict[int, Answered] = {id_: Answered() for id_ in ids}
    questions = (
        select(posts.c.thread_id, bubbles.c.text)
        .join(bubbles, bubbles.c.post_id == posts.c.id)
        .where(posts.c.thread_id.in_(ids), posts.c.kind == "question", posts.c.state == "live")
        .order_by(bubbles.c.id)
    )
    for thread_id, words in db.execute(questions):
        found[thread_id].words.append(words)
    answers = select(posts.c.thread_id, posts.c.author_id, posts.c.helpful_at)
    for thread_id, author_id, helpful_at in db.execute(
        answers.where(posts.c.thread_id.in_(ids), *given).order_by(posts.c.id)
    ):
        peers = found[thread_id].peers
        peers[author_id] = peers.get(author_id, False) or helpful_at is not None
    return [each for each in found.values() if each.words]


def list_helpers(db: Connection, community_id: int, since: datetime, most: int) -> list[int]:
    """Whose answers helped there since then, the latest first."""
    last = func.max(posts.c.helpful_at)
    statement = (
        select(posts.c.author_id)
        .where(
            posts.c.community_id == community_id,
            _HELPFUL,
            posts.c.helpful_at >= literal(since, Moment),
            posts.c.state == "live",
            posts.c.author_id.is_not(None),
        )
        .group_by(posts.c.author_id)
        .order_by(last.desc(), posts.c.author_id)
        .limit(most)
    )
    return list(db.execute(statement).scalars())


def list_able(
    db: Connection, waiting: Waiting, ids: Collection[int], now: datetime
) -> Mapping[int, int]:
    """Who of these may be asked something unasked now: how much of it she got this week."""
    paused = members.c.paused_until
    deaf = select(follows.c.member_id).where(
        follows.c.thread_id == waiting.thread_id, follows.c.muted
    )
    statement = (
        select(members.c.id, members.c.week, members.c.unasked, members.c.timezone)
        .join(memberships, memberships.c.member_id == members.c.id)
        .join(addresses, addresses.c.member_id == members.c.id)
        .where(
            members.c.id.in_(ids),
            members.c.id.not_in(deaf),
            members.c.state == "active",
            or_(paused.is_(None), paused <= literal(now, Moment)),
            memberships.c.community_id == waiting.community_id,
            memberships.c.state == "active",
            memberships.c.role.in_(TAKING_PART),
            memberships.c.pace == "at_once",  # who wants less of it is not asked for more
            addresses.c.preferred,
            addresses.c.unreachable_at.is_(None),
            addresses.c.doubted_at.is_(None),
        )
    )
    counted = {row.id: _this_week(row, now) for row in db.execute(statement)}
    return {id_: many for id_, many in counted.items() if many < MOST_UNASKED["thread"]}


def _this_week(row: Any, now: datetime) -> int:
    return int(row.unasked) if row.week == week_of(now, row.timezone) else 0
