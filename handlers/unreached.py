"""Not reached: whom messages do not come to, why, and what a facilitator can do about it.

She may look at any time; once a week, if there is something to tell, she is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.messages import N_, Message, Ref, Text, _, _n
from bot.scheduler import Counts, Progress, job
from bot.store import audit, communities, occurrences, unreached
from bot.store.audiences import Audience
from bot.store.unreached import Unreached
from bot.telling import tell
from bot.timing import MONDAY, next_at, zone
from bot.turn import Turn

NAMED = 10  # people in one list
WEEK = timedelta(days=7)
NINE = 9 * 60  # o'clock, in the community's zone

unreached_ = Conversation("unreached", words=N_("not reached, unreached"))

WHY = {
    "stopped": _("asked for no messages"),
    "unreachable": _("cannot be reached: blocked, or the phone is gone"),
    "window": _("on WhatsApp, gets messages after writing here again"),
    "doubt": _("perhaps the number belongs to somebody else now"),
    "failed": _("the provider did not deliver"),
}

# On demand ---------------------------------------------------------------------------------------


@unreached_.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="facilitate.unreached", power="unreached")


@unreached_.action
def show(turn: Turn) -> None:
    """Who gets nothing at the moment, and why; in a discreet community only how many."""
    community = communities.find_where(
        turn.db, turn.member.id, turn.argument, "unreached", turn.now
    )
    if community is None:
        return turn.start("facilitate.refuse", **turn.data)
    found = unreached.list_now(turn.db, community.id, turn.windows, turn.now)
    audit.add(turn.db, turn.member.id, "unreached", turn.now, community_id=community.id)
    if not found:
        return turn.say(_("Everybody in {community} can be reached.", community=community.ref))
    turn.say(_head(community.ref), *_lines(turn.db, found, community.discreet))


# Once a week -------------------------------------------------------------------------------------


@job(every=timedelta(minutes=15))
def tell_weekly(db: Connection, now: datetime) -> Counts | Progress:
    """On Monday at nine; after an outage it is still useful for the rest of the week."""
    return _tell_next(unreached.list_places(db), db, now)


def _tell_next(places: list[tuple[int, str, bool]], db: Connection, now: datetime) -> Progress:
    """One community in one transaction."""
    told = 0
    while places and not told:
        (community_id, timezone, discreet), *places = places
        monday = next_at(now - WEEK, zone(timezone), NINE, MONDAY)
        key = f"unreached/{community_id}/{monday:%Y-%m-%d}"
        if occurrences.take(db, key, now):
            told = _tell(db, now, key, community_id, discreet=discreet)
    then = partial(_tell_next, places) if places else None
    return Progress({"lists": told} if told else {}, then=then)


def _tell(db: Connection, now: datetime, key: str, community_id: int, *, discreet: bool) -> int:
    found = unreached.list_since(db, community_id, now - WEEK, now)
    if not found:
        return 0
    message = Message((_head(Ref("communities", community_id)), *_lines(db, found, discreet)))
    audience = Audience("facilitators", community_id)
    audit.add(db, None, "unreached.weekly", now, community_id=community_id)
    tell(db, now, key, audience, message, kind="session", community_id=community_id)
    return 1


# In words ----------------------------------------------------------------------------------------


def _head(community: Ref) -> Text:
    return _("Not reached at the moment in {community}:", community=community)


def _lines(db: Connection, found: Sequence[Unreached], discreet: bool) -> list[Text]:
    """Each with what helps; where there are no lists of members, how many of each."""
    if discreet:
        lines = _how_many(found)
    else:
        lines = [_line(each) for each in found[:NAMED]]
        if len(found) > NAMED:
            lines.append(_n("and {n} more", "and {n} more", n=len(found) - NAMED))
    closed = {each.lane for each in found if each.why == "window"}
    if closed and not unreached.can_nudge(db, closed):
        lines.append(
            _(
                "WhatsApp has approved no template yet that tells them that something waits. "
                "An administrator can see to it."
            )
        )
    return lines


def _how_many(found: Sequence[Unreached]) -> list[Text]:
    counts = Counter(each.why for each in found)
    return [_("{count}: {why}", count=counts[why], why=WHY[why]) for why in WHY if counts[why]]


def _line(each: Unreached) -> Text:
    name = Ref("members", each.member_id)
    if each.why == "window":
        return _closed(name, each.silent)
    if each.why == "unreachable":
        return _(
            "{name}: blocked, or the phone is gone. Please ask them to write here once.",
            name=name,
        )
    if each.why == "doubt":
        return _(
            "{name}: perhaps the number belongs to somebody else now. "
            "If they have a new one, FACILITATE and New number help.",
            name=name,
        )
    if each.why == "failed":
        return _(
            "{name}: the provider did not deliver. Please ask them to write here once.",
            name=name,
        )
    return _("{name}: {why}", name=name, why=WHY[each.why])


def _closed(name: Ref, silent: int | None) -> Text:
    # Never the day: she who wrote on a certain one could be she who asked something then.
    days = max((each for each in (7, 30) if silent is not None and silent >= each), default=0)
    if not days:
        return _(
            "{name}: on WhatsApp, gets messages after writing here again. "
            "A short call helps: one word is enough.",
            name=name,
        )
    return _n(
        "{name}: on WhatsApp, has not written here for {n} day. "
        "A short call helps: one word is enough.",
        "{name}: on WhatsApp, has not written here for {n} days. "
        "A short call helps: one word is enough.",
        n=days,
        name=name,
    )
