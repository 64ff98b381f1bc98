"""Invite: a link for each app, a QR picture, and words to send on; for a role, a link for one."""

from __future__ import annotations

from datetime import timedelta

from bot import allowances
from bot.conversation import Conversation
from bot.desk import note
from bot.invitation import invitation
from bot.messages import N_, Choice, _, _n
from bot.offers import CANCEL
from bot.roles import INVITED_BY_CHAT, POWERS, ROLE_NAMES
from bot.store import communities, invites, lanes
from bot.store.communities import Community
from bot.store.invites import Given
from bot.turn import Turn

USES = 30
LASTS = timedelta(days=30)

invites_ = Conversation("invites", command="invite", words=N_("invite, invitation"))


@invites_.start
def start(turn: Turn) -> None:
    turn.start("facilitate.choose", then="invites.show", power="invite.member")


@invites_.action
def show(turn: Turn) -> None:
    """The code that is in use, or a new one."""
    community = _mine(turn, turn.argument, "invite.member")
    if community is None:
        return turn.start("facilitate.refuse")
    given = invites.find_given(turn.db, community.id, "member", turn.now)
    given = given or _new(turn, community, "member", USES)
    if given is None:
        return turn.say(allowances.INVITES.over)
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
    community = _mine(turn, turn.argument, "invite.facilitator")
    if community is None:
        return turn.start("facilitate.refuse")
    hers = communities.find_membership(turn.db, turn.member.id, community.id)
    if hers is not None and hers.role_until is not None:  # who comes in by it stays for good
        return turn.say(_("You have this role for a time: please ask somebody by name instead."))
    given = _new(turn, community, "facilitator", 1)  # it lets one in, so each has her own
    if given is None:
        return turn.say(allowances.INVITES.over)
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


@invites_.action
def for_role(turn: Turn) -> None:
    """An administrator brings somebody in with a role."""
    community = _mine(turn, turn.argument, "administer")
    if community is None:
        return turn.start("administer.refuse")
    turn.data = {"community": community.id}
    turn.ask(
        _("Which role shall the invite be for, in {community}?", community=community.ref),
        choices=[*(Choice(each, ROLE_NAMES[each]) for each in INVITED_BY_CHAT), CANCEL],
        then=role,
    )


@invites_.step
def role(turn: Turn) -> None:
    if turn.choice == "cancel":
        return turn.say(_("All right, nothing was changed."))
    wanted = turn.choice or ""
    community = _mine(turn, turn.data["community"], f"invite.{wanted}")
    if community is None:
        return turn.start("administer.refuse", **turn.data)
    given = _new(turn, community, wanted, 1)
    if given is None:
        return turn.say(allowances.INVITES.over)
    turn.say(
        _(
            "With this link one person comes into {community}. Role: {role}. "
            "Send it only to the one you mean; it works until {at}.",
            community=community.ref,
            role=ROLE_NAMES[wanted],
            at=given.expires_at.date(),
        ),
        choices=(Choice(f"invites.end:{given.id}", _("End it")),),
    )
    _hand_out(turn, community, given)


def _mine(turn: Turn, community_id: int, power: str) -> Community | None:
    return communities.find_where(turn.db, turn.member.id, community_id, power, turn.now)


def _new(turn: Turn, community: Community, role: str, uses: int) -> Given | None:
    """None if she has made as many as go in a day."""
    if not allowances.take(turn.db, allowances.INVITES, turn.member.id, turn.now):
        return None
    invites.add(turn.db, community.id, role, uses, LASTS, turn.now)
    made = invites.find_given(turn.db, community.id, role, turn.now)
    if made is not None:
        note(turn, f"invite.{role}", community.id, made.id)
    return made


def _hand_out(turn: Turn, community: Community, given: Given) -> None:
    """Pictures to be scanned, then one message with nothing in it but what is sent on."""
    links = lanes.list_links(turn.db, given.code, turn.limits)
    for link in links:
        turn.say(_("{link}", link=link), qr=link)
    turn.say(*invitation(community.ref, links or [given.code], discreet=community.discreet))


@invites_.action
def end(turn: Turn) -> None:
    """Who may make such an invite may end it."""
    invite_id, community_id = turn.argument, invites.find_community(turn.db, turn.argument) or 0
    made_for = invites.get_role(turn.db, invite_id) if community_id else "member"
    power = f"invite.{made_for}"
    if power not in POWERS or _mine(turn, community_id, power) is None:
        turn.argument = community_id
        return turn.start("facilitate.refuse")
    if not invites.end(turn.db, invite_id, turn.now):
        return turn.say(_("This invite has ended already."))
    note(turn, "invite.end", community_id, invite_id)
    again = Choice(f"invites.show:{community_id}", _("A new invite"))
    turn.say(
        _("Ended. This code lets nobody in any more."),
        choices=(again,) if made_for == "member" else (),
    )
