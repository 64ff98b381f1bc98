"""Administer: the rules in force and invites for roles; no messages, no names."""

from __future__ import annotations

from bot.conversation import Conversation
from bot.messages import N_, Choice, Text, _
from bot.store import communities
from bot.store.communities import Community
from bot.turn import Turn

administer = Conversation("administer", words=N_("administer, administration"))


@administer.start
def start(turn: Turn) -> None:
    if not communities.list_where(turn.db, turn.member.id, "administer", turn.now):
        return refuse(turn)
    turn.start("facilitate.choose", then="administer.desk", power="administer")


@administer.action
def desk(turn: Turn) -> None:
    community = _mine(turn)
    if community is None:
        return refuse(turn)
    turn.say(
        _("What would you like to do for {community}?", community=community.ref),
        choices=(
            Choice(f"administer.rules:{community.id}", _("Rules in force")),
            Choice(f"figures.show:{community.id}", _("Figures")),
            Choice(f"invites.for_role:{community.id}", _("Invite for a role")),
        ),
    )


@administer.action
def rules(turn: Turn) -> None:
    """What the programme file says of it; it is changed there, by an operator."""
    community = _mine(turn)
    if community is None:
        return refuse(turn)
    turn.say(
        _("In {community} this is in force:", community=community.ref),
        *_in_force(community),
        _("It is changed in the programme file, by those who run this service."),
    )


def _in_force(community: Community) -> list[Text]:
    return [
        _("A facilitator welcomes each newcomer.")
        if community.approval
        else _("Who has a code comes in at once."),
        _("Messages stay closed on every phone until they are opened.")
        if community.discreet
        else _("Messages are shown at once, unless a member wants them closed."),
        _("Its time zone: {timezone}", timezone=community.timezone),
    ]


@administer.action
def refuse(turn: Turn) -> None:
    if communities.has_ended(turn.db, turn.data.get("community", turn.argument)):
        return turn.say(_("That group has ended, so this is not possible any more."))
    turn.say(_("Only administrators of a group can do this."))


def _mine(turn: Turn) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, turn.argument, "administer", turn.now)
