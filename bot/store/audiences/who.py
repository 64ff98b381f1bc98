"""Who is to hear a message: which members, at which of their addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select, tuple_

from bot.columns import Moment
from bot.models.outbox import deliveries, showings
from bot.models.people import addresses, communities, members, memberships
from bot.models.rhythm import edition_messages, editions, schedules
from bot.models.sessions import interests, session_communities, sessions, signups
from bot.models.talks import follows, posts, threads
from bot.roles import TAKING_PART
from bot.timing import SPARED

_ON_PHONES = ("sending", "sent", "delivered", "read", "unknown", "folded")


@dataclass(frozen=True, slots=True)
class Readers:
    """Of a community, those for whom exactly these editions are said on one day, together."""

    editions: tuple[int, ...]
    day: int
    kinds: tuple[str, ...]  # that are said in one message
    whole: tuple[str, ...]  # members.rhythm of who wants all of these kinds; else it names one
    zones: tuple[str, ...] | None = None  # only who is there; None = wherever
    unread: tuple[tuple[int, str], ...] = ()  # (edition, a language in which it is held back)
    alone: bool = False  # said by hand, whatever else is said on that day
    after: int = 0  # members of one chunk: after this one ...
    upto: int | None = None  # ... up to this one


@dataclass(frozen=True, slots=True)
class Comers:
    """Of those who were asked to a session, who has answered so."""

    answers: tuple[str, ...]
    # only whose clocks and nights these are, who had said so by then: (zone, quiet from, quiet
    # until, ISO moment); None = all
    nights: tuple[tuple[str | None, int | None, int | None, str], ...] | None = None
    most: int | None = None  # so many are still to be told, at most; None = nobody has counted
    # only who has one of these messages on a phone, or who has none of them; empty = all
    calls: tuple[int, ...] = ()
    has_call: bool = False


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is to hear a message, in a form that can be stored."""

    # member, community, facilitators, focal_points; safeguarding: the focal points of a programme;
    # of a thread: followers, hearers (its whole community, but who stopped following);
    # holders of a post; readers of editions, of a community; comers to a session;
    # called: whoever may come to a session that is open to communities; interested in a topic
    # with comers: and has not said whether; concerned: comers to a session, and those who hold it;
    # reads, described: who has a post on a phone and needs words for its voices, or its photos
    kind: str
    id: int
    but: tuple[int, ...] = ()  # members who are left out
    readers: Readers | None = None
    comers: Comers | None = None

    @property
    def is_wide(self) -> bool:
        """Whether it goes to a whole community; who wants little of it gets it later, or not."""
        return self.kind in ("community", "hearers", "readers", "called")

    @property
    def role(self) -> str | None:
        """The role for which somebody hears it, looked at again when it is said."""
        return {"facilitators": "facilitator", "focal_points": "focal_point"}.get(self.kind)

    def members(self) -> Select[tuple[int]]:
        """The ids of the members; only those who are in and have not stopped."""
        found = self._all()
        return found.where(found.selected_columns[0].not_in(self.but)) if self.but else found

    def _all(self) -> Select[tuple[int]]:
        if self.kind == "member":
            return select(members.c.id).where(members.c.id == self.id)
        if self.kind in ("holders", "other_holders"):
            return self._holding()
        if self.kind == "followers":
            return self._following()
        if self.kind == "interested":
            return _interested(self.id)
        if self.kind in ("reads", "described"):
            return _needing(self.id, self.kind)
        if self.kind == "concerned":
            return _concerned(self.id, self.comers or Comers(()))
        if self.kind == "comers":
            return _coming(self.id, self.comers or Comers(()))
        found = self._inside(self._place())
        if self.comers is not None:
            return found.where(*_silent(self.id, self.comers))
        if self.kind == "hearers":
            deaf = follows.c.thread_id == self.id, follows.c.muted
            return found.where(members.c.id.not_in(select(follows.c.member_id).where(*deaf)))
        return found if self.readers is None else found.where(*_reads(self.readers))

    def _place(self) -> ColumnElement[bool]:
        """In which communities."""
        there = memberships.c.community_id
        if self.kind == "hearers":
            place = select(threads.c.community_id).where(threads.c.id == self.id)
            return there == place.scalar_subquery()
        if self.kind == "called":
            called = session_communities.c.session_id == self.id
            return there.in_(select(session_communities.c.community_id).where(called))
        if self.kind == "safeguarding":
            programme = communities.c.programme_id == self.id
            return there.in_(select(communities.c.id).where(programme))
        return there == self.id

    def _holding(self) -> Select[tuple[int]]:
        return (
            select(addresses.c.member_id)
            .join(deliveries, deliveries.c.address_id == addresses.c.id)
            .join(showings, showings.c.delivery_id == deliveries.c.id)
            .where(showings.c.post_id == self.id)
        )

    def _following(self) -> Select[tuple[int]]:
        return (
            select(follows.c.member_id)
            .join(members, members.c.id == follows.c.member_id)
            .where(follows.c.thread_id == self.id, ~follows.c.muted, members.c.state == "active")
            .where(self._takes_part())
        )

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


def wanted(readers: Readers) -> ColumnElement[Any]:
    """How many of these editions a member gets on their day; any other one counts a thousand."""
    theirs = memberships.alias()
    seldom = and_(members.c.rhythm == "fortnight", schedules.c.every > 1)
    held = [
        and_(editions.c.id == id_, members.c.language == language)
        for id_, language in readers.unread
    ]
    return (
        select(func.sum(case((editions.c.id.in_(readers.editions), 1), else_=1000)))
        .select_from(theirs)
        .join(editions, editions.c.community_id == theirs.c.community_id)
        .join(schedules, schedules.c.id == editions.c.schedule_id)
        .where(
            editions.c.id.in_(readers.editions) if readers.alone else editions.c.reason.is_(None),
            theirs.c.member_id == members.c.id,
            theirs.c.state == "active",
            theirs.c.role.in_(TAKING_PART),
            theirs.c.pace.not_in(SPARED),
            editions.c.day == readers.day,
            editions.c.kind.in_(readers.kinds),
            editions.c.state != "skipped",
            or_(members.c.rhythm.in_(readers.whole), members.c.rhythm == editions.c.kind, seldom),
            *(~each for each in held),
        )
        .correlate(members)
        .scalar_subquery()
    )


def _reads(readers: Readers) -> list[ColumnElement[bool]]:
    """Also: nobody who has one of these editions in another message already."""
    has = (
        select(deliveries.c.id)
        .join(edition_messages, edition_messages.c.message_id == deliveries.c.message_id)
        .where(
            edition_messages.c.edition_id.in_(readers.editions),
            deliveries.c.member_id == members.c.id,
        )
    )
    found = [
        memberships.c.member_id > readers.after,
        memberships.c.pace.not_in(SPARED),
        wanted(readers) == len(readers.editions),
        ~has.correlate(members).exists(),
    ]
    if readers.upto is not None:
        found.append(memberships.c.member_id <= readers.upto)
    if readers.zones is not None:
        place = select(communities.c.timezone).where(communities.c.id == memberships.c.community_id)
        there = func.coalesce(members.c.timezone, place.scalar_subquery())
        found.append(there.in_(readers.zones))
    return found


def _coming(session_id: int, comers: Comers) -> Select[tuple[int]]:
    """Whoever answered so and has not stopped; nobody has to be in a community for it."""
    found = (
        select(signups.c.member_id)
        .join(members, members.c.id == signups.c.member_id)
        .where(
            signups.c.session_id == session_id,
            signups.c.answer.in_(comers.answers),
            members.c.state == "active",
        )
    )
    if comers.calls:
        found = found.where(_has(comers, signups.c.member_id))
    return found if comers.nights is None else found.where(_in_these_nights(comers.nights))


def _in_these_nights(
    nights: Sequence[tuple[str | None, int | None, int | None, str]],
) -> ColumnElement[bool]:
    """One condition for each moment, however many nights there are."""
    alike: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for zone, start, end, by in nights:
        alike[by].append((zone or "", _known(start), _known(end)))
    hers = tuple_(
        func.coalesce(members.c.timezone, ""),
        func.coalesce(members.c.quiet_from, -1),
        func.coalesce(members.c.quiet_until, -1),
    )
    answered = func.coalesce(signups.c.answered_at, signups.c.created_at)
    return or_(
        false(),
        *(
            and_(answered <= literal(datetime.fromisoformat(by), Moment), hers.in_(found))
            for by, found in alike.items()
        ),
    )


def _known(minutes: int | None) -> int:
    return -1 if minutes is None else minutes


def _has(comers: Comers, member_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a call has come to a phone of hers; or, that none has."""
    there = (
        select(deliveries.c.id)
        .where(
            deliveries.c.message_id.in_(comers.calls),
            deliveries.c.member_id == member_id,
            deliveries.c.state.in_(_ON_PHONES),
        )
        .exists()
    )
    return there if comers.has_call else ~there


def _silent(session_id: int, comers: Comers) -> list[ColumnElement[bool]]:
    """Whoever has not said whether she comes, nor was asked by name."""
    answered = select(signups.c.member_id).where(signups.c.session_id == session_id)
    found: list[ColumnElement[bool]] = [members.c.id.not_in(answered)]
    return [*found, _has(comers, members.c.id)] if comers.calls else found


def _concerned(session_id: int, comers: Comers) -> Select[tuple[int]]:
    """Those who come, the host and who takes the notes."""
    this = sessions.c.id == session_id
    hold = (
        select(held_by).where(this, held_by.is_not(None))
        for held_by in (sessions.c.host_id, sessions.c.note_taker_id)
    )
    asked = select(signups.c.member_id).where(
        signups.c.session_id == session_id, signups.c.answer.in_(comers.answers)
    )
    found = or_(members.c.id.in_(asked), *(members.c.id.in_(each) for each in hold))
    return select(members.c.id).where(found, members.c.state == "active")


def _interested(topic_id: int) -> Select[Any]:
    """Whoever would like to be there and has not stopped."""
    return (
        select(interests.c.member_id)
        .join(members, members.c.id == interests.c.member_id)
        .where(interests.c.topic_id == topic_id, members.c.state == "active")
    )


def _needing(post_id: int, wants: str) -> Select[Any]:
    """Who has set it so, and has the post on a phone."""
    return (
        select(deliveries.c.member_id)
        .join(posts, posts.c.message_id == deliveries.c.message_id)
        .join(members, members.c.id == deliveries.c.member_id)
        .where(
            posts.c.id == post_id,
            deliveries.c.state.in_(_ON_PHONES),
            members.c.likes == wants,
            members.c.state == "active",
        )
    )
