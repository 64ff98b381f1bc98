"""Pace: how much of a community she wants; nothing of it is to mute it."""

from __future__ import annotations

from collections.abc import Callable

from bot import digests
from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.offers import CANCEL
from bot.pace import PACES
from bot.store import communities, members, presence
from bot.store.communities import Membership
from bot.timing import MOST_UNASKED
from bot.turn import Turn

pace = Conversation("pace", words=N_("how much, fewer messages"))
mute_ = Conversation("mute", words=N_("mute, mute a group"))
unmute_ = Conversation("unmute", words=N_("unmute"))


@pace.start
def start(turn: Turn) -> None:
    _choose(turn, _mine(turn), "ask")


@mute_.start
def mute(turn: Turn) -> None:
    _choose(turn, [each for each in _mine(turn) if each.pace != "muted"], "muted")


@unmute_.start
def unmute(turn: Turn) -> None:
    _choose(turn, [each for each in _mine(turn) if each.pace == "muted"], "at_once")


def _mine(turn: Turn) -> list[Membership]:
    return [each for each in communities.list_of(turn.db, turn.member.id) if each.is_active]


def _choose(turn: Turn, found: list[Membership], then: str) -> None:
    """Which community, if it can be more than one; `then` is what is set there, or "ask"."""
    if not found:
        return turn.say(_("There is no group for which this can be changed."))
    if len(found) == 1:
        return _go_on(turn, found[0].community.id, then)
    labels = communities.labels(communities.list_of(turn.db, turn.member.id))
    turn.data = {"then": then}
    turn.ask(
        _("Which group is it about?"),
        choices=[
            *(Choice(f"group:{each.community.id}", labels[each.community.id]) for each in found),
            CANCEL,
        ],
        then=group,
    )


@pace.step
def group(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    _go_on(turn, int(turn.chosen), turn.data["then"])


def _go_on(turn: Turn, community_id: int, then: str) -> None:
    if then != "ask":
        return _set(turn, community_id, then)
    turn.data = {"community": community_id}
    turn.ask(
        _(
            "How much of {community} would you like to get, and how soon? "
            "What concerns you: answers where you asked or follow, and what is meant for you.",
            community=_label(turn, community_id),
        ),
        choices=(
            Choice("at_once", _("All, at once")),
            Choice("daily", _("Once a day")),
            Choice("weekly", _("Once a week")),
            Choice("concerns", _("What concerns me")),
            Choice("muted", _("Nothing")),
        ),
        then=chosen,
    )


@pace.step
def chosen(turn: Turn) -> None:
    _set(turn, turn.data["community"], turn.choice or "at_once")


def _set(turn: Turn, community_id: int, wanted: str) -> None:
    found = communities.find_membership(turn.db, turn.member.id, community_id)
    if found is None or not found.is_active:
        return turn.say(_("You are not in that group any more."))
    communities.mark_pace(turn.db, found.id, wanted)
    # Eight o'clock is eight o'clock where she is.
    zone = presence.get(turn.db, turn.member.id).timezone
    members.mark(turn.db, turn.member.id, timezone=zone)
    digests.look_again(turn.db, turn.member.id, turn.now)
    said = [_is_set(wanted, _label(turn, community_id))]
    if wanted == "muted" and found.role == "facilitator":
        said.append(_("You facilitate it: newcomers who wait are not announced to you either."))
    if wanted == "at_once":
        said.append(
            _(
                "At most {n} messages a week come unasked, from all your groups together. "
                "What is more comes in one message in the morning.",
                n=MOST_UNASKED["thread"],
            )
        )
    said.append(_("Write SETTINGS to change it."))
    choices = []
    if wanted == "muted":
        choices.append(Choice(f"pace.concerns:{community_id}", _("What concerns me")))
    if wanted != found.pace:
        choices.append(Choice(f"pace.{found.pace}:{community_id}", _("Undo")))
    turn.say(*said, choices=choices)


def _label(turn: Turn, community_id: int) -> Text:
    """As she chooses it among several; a discreet one is never named."""
    mine = communities.list_of(turn.db, turn.member.id)
    if len(mine) == 1:
        return _("{community}", community=mine[0].community.ref)
    return communities.labels(mine).get(community_id, _("your group"))


def _is_set(wanted: str, community: Text) -> Text:
    said = {
        "at_once": _("What is written in {community} comes to you at once.", community=community),
        "daily": _(
            "What goes to all in {community} comes once a day, at 08:00; "
            "what concerns you comes at once.",
            community=community,
        ),
        "weekly": _(
            "What goes to all in {community} comes once a week, on Monday at 08:00; "
            "what concerns you comes at once.",
            community=community,
        ),
        "concerns": _(
            "From {community} comes only what concerns you: "
            "answers where you asked or follow, and what is meant for you.",
            community=community,
        ),
        "muted": _(
            "Nothing comes from {community} any more, not even answers to your questions. "
            "You can read them under My questions.",
            community=community,
        ),
    }
    return said[wanted]


def _undo(wanted: str) -> Callable[[Turn], None]:
    def undo(turn: Turn) -> None:
        _set(turn, turn.argument, wanted)

    return undo


# pace.daily:7 sets it for that community, as long as the button stands there.
pace.actions |= {f"pace.{wanted}": _undo(wanted) for wanted in PACES}
