"""Not reached: whom messages do not come to, why, and what a facilitator can do about it.

She may look at any time; on Monday the brief says how many they were in the week before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from bot.conversation import Conversation
from bot.messages import N_, Ref, Text, _, _n
from bot.store import audit, communities, unreached
from bot.store.communities import Community
from bot.store.unreached import Unreached
from bot.turn import Turn

NAMED = 10  # people in one list
WEEK = timedelta(days=7)

unreached_ = Conversation("unreached", words=N_("not reached, unreached"))

WHY = {
    "stopped": _("asked for no messages"),
    "unreachable": _("cannot be reached: blocked, or the phone is gone"),
    "window": _("on WhatsApp, gets messages after writing here again"),
    "doubt": _("perhaps the number belongs to somebody else now"),
    "failed": _("the provider did not deliver"),
}

# At the moment, and in a week --------------------------------------------------------------------


@unreached_.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="facilitate.unreached", power="unreached")


@unreached_.action
def show(turn: Turn) -> None:
    """Who gets nothing at the moment, and why; in a discreet community only how many."""
    community = _mine(turn)
    if community is not None:
        _show(turn, community, unreached.list_now(turn.db, community.id, turn.windows, turn.now))


@unreached_.action
def choose(turn: Turn) -> None:
    turn.start("facilitate.choose", then="unreached.week", power="unreached")


@unreached_.action
def week(turn: Turn) -> None:
    """To whom nothing has come all week, though they want it: what the brief counts."""
    community = _mine(turn)
    if community is not None:
        since = turn.now - WEEK
        _show(turn, community, unreached.list_since(turn.db, community.id, since, turn.now))


def _mine(turn: Turn) -> Community | None:
    found = communities.find_where(turn.db, turn.member.id, turn.argument, "unreached", turn.now)
    if found is None:
        turn.start("facilitate.refuse", **turn.data)
    return found


def _show(turn: Turn, community: Community, found: Sequence[Unreached]) -> None:
    audit.add(turn.db, turn.member.id, "unreached", turn.now, community_id=community.id)
    if not found:
        return turn.say(_("Everybody in {community} can be reached.", community=community.ref))
    turn.say(_head(community.ref), *_lines(turn.db, found, community.discreet))


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
