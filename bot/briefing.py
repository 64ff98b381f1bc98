"""What a brief says: how the communities of a facilitator stand, and what goes out this week.

It names nobody and holds no words of members, only figures and numbers of questions: what they
stand for she opens herself, and then it is looked at again whether she may.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.ahead import Upcoming, upcoming
from bot.choosing import BY_HAND, lacking
from bot.i18n import SOURCE, own_name
from bot.messages import Choice, Message, Ref, Text, _, _n
from bot.store import briefs, communities, readership, responses, threads, unreached
from bot.store.communities import Community
from bot.timing import date_of, today, zone

WEEK = timedelta(days=7)
MOST_TAPS = 3
MOST_SAID = 4  # lines of what goes out
QUOTED = 80  # graphemes of it


@dataclass(frozen=True, slots=True)
class _Tap:
    """A way on: in one community, or where she chooses which."""

    one: str
    several: str
    label: Text


# The more it matters the further up.
_TAPS = {
    "welcome": _Tap("facilitate.desk", "facilitate.start", _("Facilitate")),
    "unanswered": _Tap("facilitate.unanswered", "unanswered.start", _("Unanswered")),
    "rhythm": _Tap("rhythm.show", "rhythm.start", _("Weekly rhythm")),
    "given": _Tap("given.show", "brief.given", _("Weekly answers")),
    "unreached": _Tap("unreached.week", "unreached.choose", _("Not reached")),
}
_ALL = Choice("facilitate.start", _("Facilitate"))


@dataclass(slots=True)
class Place:
    """What one community may need, and what is new there."""

    community: Community
    needs: list[Text] = field(default_factory=list)
    news: list[Text] = field(default_factory=list)
    goes_out: list[Text] = field(default_factory=list)
    taps: set[str] = field(default_factory=set)  # of _TAPS
    waiting: list[int] = field(default_factory=list)  # memberships to be welcomed

    def need(self, tap: str, line: Text | None) -> None:
        if line is not None:
            self.taps.add(tap)
            _add(self.needs, line)


def _add(lines: list[Text], line: Text) -> None:
    if line not in lines:
        lines.append(line)


def list_wanted(db: Connection, member_id: int, now: datetime) -> list[Community]:
    """The communities she facilitates and wants to hear of."""
    mine = communities.list_of(db, member_id)
    return [each.community for each in mine if each.may("brief", now) and each.pace != "muted"]


def put_together(db: Connection, member_id: int, places: Sequence[Place]) -> Message:
    """What goes out is said once, in however many communities."""
    mine = communities.list_of(db, member_id)
    labels = communities.labels(mine) if len(mine) > 1 else {}
    said = [] if any(each.needs for each in places) else [_("Nothing to do today.")]
    goes_out: list[Text] = []
    for place in places:
        if place.needs or place.news:
            name = labels.get(place.community.id, place.community.ref)
            said += [_("This week in {community}:", community=name), *place.needs, *place.news]
        for line in place.goes_out:
            _add(goes_out, line)
    if goes_out:
        said += [_("Goes out this week:"), *goes_out[:MOST_SAID]]
    return Message(tuple(said), tuple(_choices(places)))


def look(db: Connection, community: Community, language: str | None, now: datetime) -> Place:
    """At one community, as it stands now."""
    waiting = communities.list_waiting(db, community.id)
    place = Place(community, waiting=waiting)
    place.need("welcome", _waiting(len(waiting)))
    place.need("unanswered", _unanswered(db, community))
    place.need("given", _given(responses.count_given(db, community.id, now - WEEK)))
    place.need("unreached", _unreached(db, community, now))
    last = today(now, zone(community.timezone)) + 6
    for each in upcoming(db, community, now, weeks=1):
        if each.day <= last:
            _look_ahead(db, place, each, language or SOURCE)
    new = briefs.count_newcomers(db, community.id, now - WEEK)
    if new:
        place.news.append(
            _n("{n} newcomer came in last week.", "{n} newcomers came in last week.", n=new)
        )
    return place


# What she may do ---------------------------------------------------------------------------------


def _waiting(n: int) -> Text | None:
    return _n("{n} waits to be welcomed.", "{n} wait to be welcomed.", n=n) if n else None


def _unanswered(db: Connection, community: Community) -> Text | None:
    oldest = threads.list_unanswered(db, community.id, "facilitator", 1)
    if not oldest:
        return None
    [(thread, _post_id)] = oldest
    return _n(
        "{n} question has no answer yet: {thread}, since {at}.",
        "{n} questions have no answer yet, the oldest is {thread}, since {at}.",
        n=threads.count_unanswered(db, community.id, "facilitator"),
        thread=thread.ref,
        at=thread.created_at.astimezone(zone(community.timezone)).date(),
    )


def _given(n: int) -> Text | None:
    if not n:
        return None
    return _n(
        "{n} answer to a weekly question was given to facilitators only.",
        "{n} answers to weekly questions were given to facilitators only.",
        n=n,
    )


def _unreached(db: Connection, community: Community, now: datetime) -> Text | None:
    n = len(unreached.list_since(db, community.id, now - WEEK, now))
    if not n:
        return None
    return _n(
        "Last week messages did not reach {n} person.",
        "Last week messages did not reach {n} people.",
        n=n,
    )


# What goes out -----------------------------------------------------------------------------------


def _look_ahead(db: Connection, place: Place, ahead: Upcoming, language: str) -> None:
    day = date_of(ahead.day)
    state = "ahead" if ahead.edition is None else ahead.edition.state
    if state == "skipped":
        if ahead.edition is not None and ahead.edition.reason == BY_HAND:
            _add(place.news, _("{day}: left out by a facilitator.", day=day))
    elif ahead.holiday is not None and state == "ahead" and not _is_by_hand(ahead):
        names = ahead.holiday.names
        name = names.get(language) or names.get(SOURCE) or next(iter(names.values()), "")
        _add(place.news, _("{day}: nothing goes out, {holiday}.", day=day, holiday=name))
    elif state != "out" and ahead.schedule.kind != "digest":
        for line in _held_back(db, place.community, ahead):
            place.need("rhythm", line)
        if ahead.content is not None:
            _add(place.goes_out, _said(ahead))
        elif ahead.schedule.sequence == "picked":
            place.need("rhythm", _unpicked(ahead))


def _is_by_hand(ahead: Upcoming) -> bool:
    return ahead.edition is not None and ahead.edition.reason == BY_HAND


def _said(ahead: Upcoming) -> Text:
    assert ahead.content is not None
    words = {"day": date_of(ahead.day), "words": Ref("contents", ahead.content.id, QUOTED)}
    if ahead.schedule.kind == "tip":
        return _("{day}, tip: {words}", **words)
    return _("{day}, question: {words}", **words)


def _unpicked(ahead: Upcoming) -> Text:
    day = date_of(ahead.day)
    if ahead.schedule.kind == "tip":
        return _("No tip is picked yet for {day}.", day=day)
    return _("No question is picked yet for {day}.", day=day)


def _held_back(db: Connection, community: Community, ahead: Upcoming) -> Iterator[Text]:
    """What some readers will not get, since it is not in their language; in time to mend it."""
    for code in lacking(db, ahead.content) if ahead.content is not None else ():
        n = readership.count_readers(db, community.id, code)
        if n:
            yield _n(
                "{day}: {n} person would get nothing, it is not in {language} yet.",
                "{day}: {n} people would get nothing, it is not in {language} yet.",
                n=n,
                day=date_of(ahead.day),
                language=own_name(code),
            )


# What can be tapped ------------------------------------------------------------------------------


def _choices(places: Sequence[Place]) -> list[Choice]:
    """At most three; of more the last one leads to all."""
    found: dict[str, Choice] = {}
    for name, tap in _TAPS.items():
        there = [each for each in places if name in each.taps]
        if there:
            choice = _choice(name, tap, there)
            found.setdefault(choice.key, choice)
    if len(found) <= MOST_TAPS:
        return list(found.values())
    found.pop(_ALL.key, None)
    return [*list(found.values())[: MOST_TAPS - 1], _ALL]


def _choice(name: str, tap: _Tap, there: Sequence[Place]) -> Choice:
    if len(there) > 1:
        return Choice(tap.several, tap.label)
    [place] = there
    if name == "welcome":
        everybody = _("Welcome all {n}", n=len(place.waiting))
        return Choice(f"admission.admit_all:{place.waiting[-1]}", everybody)
    return Choice(f"{tap.one}:{place.community.id}", tap.label)
