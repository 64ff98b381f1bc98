"""Reach: how many of an audience get a message now, later, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from bot.columns import Moment
from bot.i18n import SOURCE
from bot.models.people import addresses, members, memberships
from bot.models.talks import threads
from bot.timing import MOST_UNASKED, hours_of, quiet_until, week_of, zone


class Hearers(Protocol):
    """Who is to hear a message: an Audience of store/messages.py."""

    @property
    def kind(self) -> str: ...

    @property
    def id(self) -> int: ...

    @property
    def is_wide(self) -> bool: ...

    def members(self) -> Select[tuple[int]]: ...


@dataclass(frozen=True, slots=True)
class Reach:
    """The truth about an audience."""

    now: int = 0  # get it at once
    noticed: int = 0  # are told that something waits, and open it when they can
    later: int = 0  # get it when they write to the bot again (their window is closed)
    never: int = 0  # cannot be reached
    waits: int = 0  # get it after their quiet hours or their pause, or with what is gathered
    spared: int = 0  # have chosen not to get it

    @property
    def all(self) -> int:
        """All it goes to; who wants none of it is not among them."""
        return self.now + self.noticed + self.later + self.never + self.waits


def count(
    db: Connection,
    audience: Hearers,
    windows: Mapping[str, timedelta],
    now: datetime,
    kind: str = "thread",
) -> Reach:
    """How many of an audience get a message of this kind now, later, or not at all."""
    # What goes to focal points is about somebody's safety: it waits for nobody's night.
    urgent = audience.kind == "focal_points"
    # Where it is night now is known only here: a row for each zone and quiet hours there are.
    hours = (members.c.timezone, members.c.quiet_from, members.c.quiet_until)
    # Who has had her share of this week gets it with the next digest.
    full = members.c.unasked >= MOST_UNASKED[kind] if audience.is_wide else false()
    week: ColumnElement[Any] = case((full, members.c.week), else_=None).label("full_week")
    statement = (
        select(
            _fate(audience, windows, now, urgent=urgent).label("fate"), *hours, week, func.count()
        )
        .select_from(addresses)
        .join(members, members.c.id == addresses.c.member_id)
        .where(addresses.c.preferred, addresses.c.member_id.in_(audience.members()))
        .group_by("fate", *hours, "full_week")
    )
    found: Counter[str] = Counter()
    for fate, timezone, start, end, full_week, many in db.execute(statement):
        sleeps = quiet_until(now, zone(timezone), hours_of(start, end, timezone)) is not None
        waits = (sleeps and not urgent) or full_week == week_of(now, timezone)
        found["waits" if waits and fate in ("now", "noticed") else fate] += many
    return Reach(**found)


def count_by_lane(
    db: Connection, audience: Hearers, windows: Mapping[str, timedelta], now: datetime
) -> dict[tuple[str, str], int]:
    """How many of an audience meet each fate on each lane, quiet hours aside."""
    fate = _fate(audience, windows, now, urgent=False).label("fate")
    statement = (
        select(addresses.c.lane, fate, func.count())
        .select_from(addresses)
        .join(members, members.c.id == addresses.c.member_id)
        .where(addresses.c.preferred, addresses.c.member_id.in_(audience.members()))
        .group_by(addresses.c.lane, fate)
    )
    return {(lane, kind): many for lane, kind, many in db.execute(statement)}


def count_by_language(db: Connection, audience: Hearers) -> dict[str, int]:
    """How many of an audience read which language."""
    language = func.coalesce(members.c.language, SOURCE)
    statement = (
        select(language, func.count())
        .select_from(members)
        .where(members.c.id.in_(audience.members()))
        .group_by(language)
    )
    return {code: many for code, many in db.execute(statement)}


def _fate(
    audience: Hearers, windows: Mapping[str, timedelta], now: datetime, *, urgent: bool
) -> ColumnElement[str]:
    """What becomes of a message for each of them, her quiet hours aside: a field of Reach."""
    waits = and_(or_(false(), *_closed(addresses.c, windows, now)), ~_has_open_other(windows, now))
    fates = [
        ("never", addresses.c.unreachable_at.is_not(None)),
        ("later", or_(addresses.c.doubted_at.is_not(None), waits)),
        ("noticed", members.c.discreet),
    ]
    if not urgent:
        wide = audience.is_wide
        unwanted = _at_pace(audience, ("muted", "concerns") if wide else ("muted",))
        slower = [_at_pace(audience, ("daily", "weekly"))] if wide else []
        paused = members.c.paused_until > literal(now, Moment)
        fates.insert(1, ("spared", unwanted))
        fates.insert(3, ("waits", or_(paused, *slower)))
    return case(
        *((test, literal_column(f"'{fate}'")) for fate, test in fates),
        else_=literal_column("'now'"),
    )


def _closed(
    columns: Any, windows: Mapping[str, timedelta], now: datetime
) -> list[ColumnElement[bool]]:
    heard_at = func.coalesce(columns.last_inbound_at, literal(0))
    return [
        (columns.lane == lane) & (heard_at < literal(now - window, Moment))
        for lane, window in windows.items()
    ]


def _has_open_other(windows: Mapping[str, timedelta], now: datetime) -> ColumnElement[bool]:
    """Whether another app of hers takes what this one cannot: bot/windows.py."""
    other = addresses.alias()
    usable = (
        other.c.member_id == addresses.c.member_id,
        other.c.id != addresses.c.id,
        other.c.unreachable_at.is_(None),
        other.c.doubted_at.is_(None),
        ~or_(false(), *_closed(other.c, windows, now)),
    )
    return select(other.c.id).where(*usable).exists()


def _at_pace(audience: Hearers, paces: Sequence[str]) -> ColumnElement[bool]:
    """Those who want so much of the community it is about; read once, and not for each member."""
    community: Any = audience.id
    if audience.kind in ("member", "holders"):  # about none
        return false()
    if audience.kind in ("followers", "hearers"):
        place = select(threads.c.community_id).where(threads.c.id == audience.id)
        community = place.scalar_subquery()
    found = select(memberships.c.member_id).where(
        memberships.c.community_id == community, memberships.c.pace.in_(paces)
    )
    return members.c.id.in_(found)
