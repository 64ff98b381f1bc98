"""Figures: how a group is doing, compared with its own month before; nobody's name, no ranking."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.counting import FEW, reflected
from bot.messages import N_, Text, _
from bot.store import audit, communities, figures
from bot.store.communities import Community
from bot.store.figures import Figures
from bot.turn import Turn

MONTH = timedelta(days=30)
GROUPS = 10  # in one answer

figures_ = Conversation("figures", words=N_("figures, statistics"))


@figures_.start
def start(turn: Turn) -> None:
    """Of all her groups, in the order in which she came to them."""
    found = communities.list_where(turn.db, turn.member.id, "figures", turn.now)
    if not found:
        return refuse(turn)
    turn.say(*(line for each in found[:GROUPS] for line in _of(turn, each)))


@figures_.action
def show(turn: Turn) -> None:
    community = communities.find_where(turn.db, turn.member.id, turn.argument, "figures", turn.now)
    if community is None:
        return refuse(turn)
    turn.say(*_of(turn, community))


@figures_.action
def refuse(turn: Turn) -> None:
    turn.say(_("Figures are seen by facilitators and monitors of a group."))


def _of(turn: Turn, community: Community) -> list[Text]:
    audit.add(turn.db, turn.member.id, "figures", turn.now, community_id=community.id)
    begin = turn.now - MONTH
    now = figures.count(turn.db, community.id, begin, turn.now)
    before = figures.count(turn.db, community.id, begin - MONTH, begin)
    return [
        _(
            "{community}: {members} take part.",
            community=community.ref,
            members=_few(communities.count_active(turn.db, community.id)),
        ),
        _in_the_last(now),
        _before(before),
        *reflected(turn.db, community, turn.now),
    ]


def _in_the_last(now: Figures) -> Text:
    if now.asked < FEW:
        return _("Questions in the last 30 days: {asked}.", asked=_few(now.asked))
    return _(
        "Questions in the last 30 days: {asked}. With an answer: {answered}. "
        "With something that helped: {helped}.",
        **_told(now),
    )


def _before(before: Figures) -> Text:
    if before.asked < FEW:
        return _("In the 30 days before: {asked}.", asked=_few(before.asked))
    return _(
        "In the 30 days before: {asked}. With an answer: {answered}. "
        "With something that helped: {helped}.",
        **_told(before),
    )


def _told(counted: Figures) -> dict[str, object]:
    return {
        "asked": _few(counted.asked),
        "answered": _few(counted.answered),
        "helped": _few(counted.helped),
    }


def _few(count: int) -> Text:
    if count < FEW:
        return _("fewer than {few}", few=FEW)
    return _("{count}", count=count)
