"""Invite: a link for each app, a QR picture, and words to send on."""

from __future__ import annotations

from datetime import timedelta

from bot.conversation import Conversation
from bot.invitation import invitation
from bot.messages import N_, Choice, _, _n
from bot.store import communities, invites, lanes
from bot.store.communities import Community
from bot.store.invites import Given
from bot.turn import Turn

USES = 30
LASTS = timedelta(days=30)

invites_ = Conversation("invites", command="invite", words=N_("invite, invitation"))


@invites_.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="invites.show")


@invites_.action
def show(turn: Turn) -> None:
    """The code that is in use, or a new one."""
    community = communities.find_facilitated(turn.db, turn.member.id, turn.argument)
    if community is None:
        return turn.start("facilitate.refuse")
    given = invites.find_given(turn.db, community.id, "member", turn.now)
    given = given or _new(turn, community, "member", USES)
    turn.say(
        _n(
            "With the code {code} people come into {community} until {at}. "
            "{n} of {uses} has come so far.",
            "With the code {code} people come into {community} until {at}. "
            "{n} of {uses} have come so far.",
            n=given.used,
            uses=given.uses,
            code=given.code,
            community=community.ref,
            at=given.expires_at.date(),
        ),
        _("Send the next message on, or let the picture be scanned."),
        choices=(Choice(f"invites.end:{given.id}", _("End it")),),
    )
    _hand_out(turn, community, given)


@invites_.action
def cofacilitator(turn: Turn) -> None:
    """A link that makes one person a facilitator."""
    community = communities.find_facilitated(turn.db, turn.member.id, turn.argument)
    if community is None:
        return turn.start("facilitate.refuse")
    given = _new(turn, community, "facilitator", 1)  # it lets one in, so each has her own
    turn.say(
        _(
            "With this link one person facilitates {community} with you. "
            "Send it only to the one you mean; it works until {at}.",
            community=community.ref,
            at=given.expires_at.date(),
        ),
        choices=(Choice(f"invites.end:{given.id}", _("End it")),),
    )
    _hand_out(turn, community, given)


def _new(turn: Turn, community: Community, role: str, uses: int) -> Given:
    invites.add(turn.db, community.id, role, uses, LASTS, turn.now)
    made = invites.find_given(turn.db, community.id, role, turn.now)
    assert made is not None
    return made


def _hand_out(turn: Turn, community: Community, given: Given) -> None:
    """Pictures to be scanned, then one message with nothing in it but what is sent on."""
    links = lanes.list_links(turn.db, given.code, turn.limits)
    for link in links:
        turn.say(_("{link}", link=link), qr=link)
    turn.say(*invitation(community.ref, links or [given.code], discreet=community.discreet))


@invites_.action
def end(turn: Turn) -> None:
    invite_id, community_id = turn.argument, invites.find_community(turn.db, turn.argument) or 0
    if communities.find_facilitated(turn.db, turn.member.id, community_id) is None:
        turn.argument = community_id
        return turn.start("facilitate.refuse")
    if not invites.end(turn.db, invite_id, turn.now):
        return turn.say(_("This invite has ended already."))
    turn.say(
        _("Ended. This code lets nobody in any more."),
        choices=(Choice(f"invites.show:{community_id}", _("A new invite")),),
    )
